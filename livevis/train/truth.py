"""What pictures show, as numbers, and how wrong what is said of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from livevis.world.mixture import first_share
from livevis.world.scenes import SCENES, Draw

PALETTES = 4
ANSWERS = len(SCENES) * (2 + PALETTES)
"""Numbers that say what a picture shows: a scene's logit, its intensity's, and one for each palette, scene by scene."""

CELLS = 4
"""Where in a picture is asked on a grid of this many cells a side."""

Said = tuple[Tensor, Tensor, Tensor]
"""Logits of scenes [B, S] and of their palettes [B, S·4], and intensities 0..1 [B, S]."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What N pictures show: scenes float32 [N, S] 0 or 1, palettes int64 [N, S], intensities [N, S] 0..1.

    `parts` int64 [N, 2]: the scene of each part, -1 where there is no second. `first` float32 [N, CELLS, CELLS]: how
    much of each cell the first part fills.
    """

    scenes: Tensor
    palettes: Tensor
    intensities: Tensor
    parts: Tensor
    first: Tensor

    def rows(self, places: Tensor, device: torch.device) -> Truth:
        return Truth(*(getattr(self, field.name)[places].to(device) for field in fields(self)))

    def where(self) -> Tensor:
        """How much of each cell each scene fills, float32 [N, S, CELLS, CELLS]."""
        spread = self.first.new_zeros(len(self.first), self.scenes.shape[1] + 1, CELLS, CELLS)
        rows = torch.arange(len(spread), device=spread.device)
        spread[rows, self.parts[:, 0]] = self.first
        spread[rows, self.parts[:, 1]] += 1 - self.first  # -1 goes to the scene that is cut off
        return spread[:, :-1]

    def by_scene(self, told: Tensor) -> Tensor:
        """What is told of each part, bool [N, 2], as float32 [N, S] by scene."""
        spread = torch.zeros(len(self.scenes), self.scenes.shape[1] + 1, device=self.scenes.device)
        spread.scatter_add_(1, self.parts % spread.shape[1], told.to(spread))  # -1 goes to the column that is cut off
        return spread[:, :-1].clamp(max=1.0)


def truth_of(draws: Sequence[Draw]) -> Truth:
    """What the draws show, scenes in the world's order."""
    names = {name: place for place, name in enumerate(SCENES)}
    shape = (len(draws), len(names))
    scenes, intensities, palettes = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape, dtype=torch.int64)
    parts, first = torch.full((len(draws), 2), -1), torch.ones(len(draws), CELLS, CELLS)
    for row, drawn in enumerate(draws):
        first[row] = torch.from_numpy(first_share(drawn.parts, drawn.relation, CELLS))
        for column, part in enumerate(drawn.parts):
            place = names[part.scene]
            parts[row, column], scenes[row, place] = place, 1
            intensities[row, place] = float(part.inputs["intensity"])
            palettes[row, place] = int(part.inputs["palette"])
    return Truth(scenes, palettes, intensities, parts, first)


def answer(numbers: Tensor) -> Said:
    """ANSWERS numbers a row as logits of the scenes and of their palettes, and intensities."""
    count = len(SCENES)
    scenes, intensities, palettes = numbers.float().split([count, count, count * PALETTES], dim=1)
    return scenes, palettes, intensities.sigmoid()


def naming_loss(said: Said, truth: Truth, palettes: Tensor | None = None, strengths: Tensor | None = None) -> Tensor:
    """How wrong the names are, [B]: the scenes, and of those that are there the palettes and the intensities.

    `palettes` and `strengths`, float32 [B, S]: which of them count (None: all).
    """
    names, colours, amounts = said
    wrong = functional.binary_cross_entropy_with_logits(names, truth.scenes, reduction="none").sum(dim=1)
    odd = functional.cross_entropy(colours.unflatten(1, (-1, PALETTES)).mT, truth.palettes, reduction="none")
    off = (amounts - truth.intensities).abs()
    odd = odd * (truth.scenes if palettes is None else palettes)
    off = off * (truth.scenes if strengths is None else strengths)
    return wrong + 0.5 * odd.sum(dim=1) + 4.0 * off.sum(dim=1)


def placing_loss(said: Tensor, truth: Truth) -> Tensor:
    """How wrong it is which scene lies where, [B], from logits [B, S, CELLS, CELLS]: a mean over cells."""
    wrong = functional.binary_cross_entropy_with_logits(said.float(), truth.where(), reduction="none")
    return wrong.sum(dim=1).mean(dim=(1, 2))
