"""Figures of a trained engine on held-out captions: is it the scene and the colour asked for, and how crisp.

Pictures of one scene only; the whole exam, with mixtures and gains, is `livevis eval`'s. The examiner is a ridge
regression on coarse pictures (mean and spread of each colour on an 8×8 board), fitted on training renders; its marks
on held-out renders stand beside, since no made picture can be expected to beat them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from livevis.train import networks as nets
from livevis.train.data import PicturePool
from livevis.train.grid import crispness, from_noise, one_step
from livevis.train.networks import Networks
from livevis.train.prompts import told_palettes
from livevis.world.scenes import Draw

BOARD = 8


def board(pictures: Tensor) -> Tensor:
    """Coarse view of pictures [N, 3, H, W] in 0..1: float32 [N, 2·3·BOARD²+1]."""
    mean = functional.adaptive_avg_pool2d(pictures, BOARD)
    spread = (functional.adaptive_avg_pool2d(pictures.square(), BOARD) - mean.square()).clamp_min(0).sqrt()
    flat = torch.cat([mean.flatten(1), spread.flatten(1)], dim=1)
    return torch.cat([flat, torch.ones(len(flat), 1)], dim=1)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Ridge regression from boards to labels "scene/palette"."""

    weights: Tensor
    labels: tuple[str, ...]

    def names(self, pictures: Tensor) -> list[str]:
        best = (board(pictures) @ self.weights).argmax(dim=1)
        return [self.labels[int(place)] for place in best]


def label(drawn: Draw) -> str:
    """ "scene/palette" of a draw's first part."""
    part = drawn.parts[0]
    return f"{part.scene}/{int(part.inputs['palette'])}"


def alone(draws: Sequence[Draw], most: int) -> list[int]:
    """The places of the first `most` draws that show one scene."""
    return [place for place, drawn in enumerate(draws) if len(drawn.parts) == 1][:most]


def fit_examiner(pool: PicturePool, count: int = 6000) -> Examiner:
    """Fit on up to `count` training renders of the pool."""
    places = alone(pool.draws[: pool.train_count], count)
    named = [label(pool.draws[place]) for place in places]
    labels = tuple(sorted(set(named)))
    boards = torch.cat([board((pool.pictures(places[i : i + 64]) + 1) / 2) for i in range(0, len(places), 64)])
    wanted = torch.eye(len(labels))[torch.tensor([labels.index(name) for name in named])]
    gram = boards.T @ boards + 0.3 * torch.eye(boards.shape[1])
    return Examiner(torch.linalg.solve(gram, boards.T @ wanted), labels)


def marks(examiner: Examiner, pictures: Tensor, wanted: Sequence[str], told: Sequence[bool]) -> dict[str, float]:
    """Part of the pictures whose scene, and whose palette too where the caption told it, the examiner recognises."""
    said = examiner.names(pictures)
    scenes = [a.split("/")[0] == b.split("/")[0] for a, b in zip(said, wanted, strict=True)]
    both = [a == b for a, b, known in zip(said, wanted, told, strict=True) if known]
    return {"scene": sum(scenes) / len(scenes), "scene_and_palette": sum(both) / max(1, len(both))}


@torch.no_grad()
def examine(networks: Networks, pool: PicturePool, *, count: int = 96, seed: int = 0) -> dict[str, dict[str, float]]:
    """Marks and crispness (1 is the renders') of held-out renders, their rebuilt copies, and made pictures."""
    examiner = fit_examiner(pool)
    places = alone(pool.held_out_draws, count)
    renders = (pool.held_out(len(pool.held_out_draws))[places] + 1) / 2
    draws = [pool.held_out_draws[place] for place in places]
    captions, wanted = [drawn.caption.text for drawn in draws], [label(drawn) for drawn in draws]
    told = [told_palettes(drawn, drawn.caption)[0] for drawn in draws]
    rows = {"renders": renders, **_made(networks, renders, captions, seed)}
    base = crispness(renders)
    return {
        name: {**marks(examiner, row, wanted, told), "crispness": crispness(row) / base} for name, row in rows.items()
    }


def _made(networks: Networks, renders: Tensor, captions: list[str], seed: int) -> dict[str, Tensor]:
    rows: dict[str, list[Tensor]] = {
        "autoencoder": [],
        "four_steps": [],
        "one_step_0.6": [],
        "fed_back_8": [],
    }
    other = renders.roll(-1, 0)
    device = networks.unet.device
    with nets.autocast(device):
        for first in range(0, len(renders), 16):
            part, text = slice(first, first + 16), captions[first : first + 16]
            signal = (renders[part] * 2 - 1).to(device, memory_format=torch.channels_last)
            rebuilt = networks.vae.decoder(networks.vae.encoder(signal)).float()
            rows["autoencoder"].append(rebuilt.add(1).div(2).clamp(0, 1).cpu())
            rows["four_steps"].append(from_noise(networks, text, seed=seed + first, side=renders.shape[-1]))
            fed = other[part]
            for round_ in range(8):
                fed = one_step(networks, fed, text, seed=seed + first + 1000 * round_)
                if round_ == 0:
                    rows["one_step_0.6"].append(fed)
            rows["fed_back_8"].append(fed)
    return {name: torch.cat(parts) for name, parts in rows.items()}
