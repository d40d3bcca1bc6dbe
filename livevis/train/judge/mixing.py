"""More mixtures than are rendered: two single pictures of a batch laid over, beside or inside one another.

There are some four hundred pairs of scenes; to find both things of a pair that it never met, the judge has to learn to
look at regions, and for that each scene must have stood next to many others. Pairs that are held out stay so.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from livevis.train.judge.pool import Truth

MIXED = 0.6  # part of the single pictures that get a partner
MARGIN, SOFTNESS, RAGGED = 0.12, 0.035, 0.12  # in picture sides, about those of the world's own mixtures


def allowed_pairs(scenes: Sequence[str]) -> Tensor:
    """bool [S, S]: which two scenes may be laid together."""
    from livevis.world.split import held_out_pair

    return torch.tensor([[a != b and not held_out_pair(a, b) for b in scenes] for a in scenes])


def mix(pictures: Tensor, truth: Truth, allowed: Tensor, draws: torch.Generator) -> tuple[Tensor, Truth]:
    """Pictures [B, 3, H, H] and their truth, some of the single ones joined with another single one of the batch."""
    count = len(pictures)
    partner = torch.randperm(count, generator=draws)
    single, scene = truth.present.sum(1) == 1, truth.present.argmax(1)
    able = single & single[partner] & allowed[scene, scene[partner]]
    rows = torch.nonzero(able & (torch.rand(count, generator=draws) < MIXED)).flatten()
    if not len(rows):
        return pictures, truth
    others = partner[rows]
    mixed = pictures.clone()
    mixed[rows] = join(pictures[rows], pictures[others], draws).to(pictures.dtype)
    return mixed, Truth(
        truth.present.index_add(0, rows, truth.present[others]),
        truth.intensity.index_add(0, rows, truth.intensity[others]),
        truth.palette.index_copy(0, rows, torch.maximum(truth.palette[rows], truth.palette[others])),
    )


def join(first: Tensor, second: Tensor, draws: torch.Generator) -> Tensor:
    """Each `first` [B, 3, H, H] over, beside or inside its `second`, each squeezed whole into its own region."""
    count, side = len(first), first.shape[-1]
    kind, seam = torch.randint(0, 3, (count,), generator=draws), 0.5 + 0.16 * (torch.rand(count, generator=draws) - 0.5)
    radius = 0.28 + 0.08 * torch.rand(count, generator=draws)
    centre = 0.5 + 0.2 * (torch.rand(count, 2, generator=draws) - 0.5)
    swap = torch.rand(count, generator=draws) < 0.5  # left and right; above and below are not alike in the world
    places = (torch.arange(side) + 0.5) / side
    x, y = places[None, None, :], places[None, :, None]
    across = torch.where((swap & (kind == 1))[:, None, None], 1 - x, x)
    depth = torch.where(_wide(kind == 0), _wide(seam) - y, _wide(seam) - across)
    inside = _wide(radius) - torch.hypot(x - _wide(centre[:, 0]), y - _wide(centre[:, 1]))
    depth = torch.where(_wide(kind == 2), inside, depth) + RAGGED * _rags(count, side, draws)
    share = torch.sigmoid(depth * (2 / SOFTNESS))[:, None]
    boxes = _boxes(kind, seam, radius, centre, swap)
    return torch.lerp(_squeezed(second, boxes[1]), _squeezed(first, boxes[0]), share)


def _boxes(kind: Tensor, seam: Tensor, radius: Tensor, centre: Tensor, swap: Tensor) -> tuple[Tensor, Tensor]:
    """Regions (middle x, middle y, half width, half height) [B, 4] of both, 0..1 from the upper left."""
    half, whole = torch.full_like(seam, 0.5), torch.full_like(seam, 0.5)
    near, far = (seam + MARGIN) / 2, (1 - seam + MARGIN) / 2
    above, below = torch.stack([half, near, whole, near], 1), torch.stack([half, 1 - far, whole, far], 1)
    left, right = above[:, [1, 0, 3, 2]], below[:, [1, 0, 3, 2]]
    mirrored = [torch.cat([1 - box[:, :1], box[:, 1:]], 1) for box in (left, right)]
    reach = radius + MARGIN / 2
    disc = torch.cat([centre, reach[:, None], reach[:, None]], 1)
    everything = torch.full_like(disc, 0.5)
    found = []
    for over, beside, flipped, inner in ((above, left, mirrored[0], disc), (below, right, mirrored[1], everything)):
        sideways = torch.where(swap[:, None], flipped, beside)
        box = torch.where((kind == 1)[:, None], sideways, over)
        found.append(torch.where((kind == 2)[:, None], inner, box))
    return found[0], found[1]


def _squeezed(pictures: Tensor, boxes: Tensor) -> Tensor:
    """Each picture drawn whole into its box; beyond it, its edge goes on."""
    scale, middle = 0.5 / boxes[:, 2:], 2 * boxes[:, :2] - 1
    rows = torch.zeros(len(boxes), 2, 3)
    rows[:, 0, 0], rows[:, 1, 1] = scale[:, 0], scale[:, 1]
    rows[:, :, 2] = -scale * middle
    grid = functional.affine_grid(rows, list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _rags(count: int, side: int, draws: torch.Generator) -> Tensor:
    """Smooth noise [B, side, side] about -0.5..0.5."""
    coarse = torch.rand(count, 1, 6, 6, generator=draws) - 0.5
    return functional.interpolate(coarse, side, mode="bilinear", align_corners=True)[:, 0]


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None]
