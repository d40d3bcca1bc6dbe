"""What a way of playing the prompt's row gives at each denoising step, and the plain one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from livevis.generate.schedule import Level
from livevis.generate.text import TextRow

Ask = Callable[[Tensor, Level, int, TextRow], Tensor]
"""The plain network: latent [1, C, h, w], level, step and text row -> its output."""


class Answer(NamedTuple):
    """The network's outputs [1, C, h, w] for the edited row, and for the base row on its own path (None: unedited)."""

    edited: Tensor
    base: Tensor | None = None


class Way(Protocol):
    """One frame's way."""

    @property
    def kind(self) -> str:
        """Return its name; ways of one kind give the same `rest`."""
        ...

    @property
    def neutral(self) -> bool:
        """Whether it edits nothing, so that what it answers is what `rest` gives."""
        ...

    def ask(self, k: int, at: Level, z: Tensor, base: Tensor) -> Answer:
        """Answer for step k: z [1, C, h, w] is the edited row's latent, base that of the unedited path."""
        ...

    def rest(self, k: int, at: Level, base: Tensor) -> Tensor:
        """Return what `ask` gives for the edited row when nothing is edited and its latent is the base row's."""
        ...

    def settle(self, z: Tensor, base: Tensor) -> Tensor:
        """Return the latent after the step just asked, held to the base row's where the frame may not change."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """Gains on the row's own maps: one row, one call."""

    network: Ask
    row: TextRow
    neutral: bool
    kind: str = "own"

    def ask(self, k: int, at: Level, z: Tensor, base: Tensor) -> Answer:
        return Answer(self.network(z, at, k, self.row))

    def rest(self, k: int, at: Level, base: Tensor) -> Tensor:
        return self.network(base, at, k, unweighted(self.row))

    def settle(self, z: Tensor, base: Tensor) -> Tensor:
        return z


def unweighted(row: TextRow) -> TextRow:
    """Return the row with all gains 1."""
    return TextRow(row.text, torch.ones_like(row.token_gain))
