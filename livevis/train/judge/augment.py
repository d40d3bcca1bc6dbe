"""What a picture may go through and still be the same scene: cut, mirrored, softened, grained, lit, tinted.

A judge of made pictures must not stumble over a decoder's softness, nor take it for a sign of some scene.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from livevis.train.judge.pool import Truth

SMALLEST_CROP = 0.8
SOFTENED = 0.5  # part of the pictures that lose detail in one way or another
TINTED = 0.5  # part whose hue is turned so far that the palette is no longer to be told

_GREY = torch.full((3, 3), 1 / 3)
# The generator of rotations about the grey axis.
_TURN = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)


def retint(pictures: Tensor, truth: Truth, draws: torch.Generator) -> tuple[Tensor, Truth]:
    """Pictures [B, 3, H, W] in other colours, some so much so that their palette counts as unknown (-1).

    Done before pictures are mixed, so that in a mixture too the colours say little of what stands there.
    """
    count = len(pictures)
    turned = _uniform(draws, count) < TINTED
    angle = torch.where(turned, 2.0, 0.12) * (_uniform(draws, count) - 0.5) * math.pi
    toned = torch.where(_column(turned), tone(pictures, draws), pictures)
    tinted = tint(toned, angle, torch.where(turned, 1.3, 0.7) * _uniform(draws, count) + torch.where(turned, 0.0, 0.6))
    return tinted, truth._replace(palette=torch.where(turned[:, None], -1, truth.palette))


def augment(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Pictures [B, 3, H, W] in -1..1, each cut, mirrored, softened, lit and grained in its own way."""
    return grain(light(soften(crop(pictures, draws), draws), draws), draws)


def crop(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """A square part of each, 0.8 to 1 of its side, stretched to the whole; half of them mirrored."""
    count = len(pictures)
    scale = SMALLEST_CROP + (1 - SMALLEST_CROP) * _uniform(draws, count)
    shift = (1 - scale)[:, None] * (2 * torch.rand(count, 2, generator=draws) - 1)
    flip = torch.where(_uniform(draws, count) < 0.5, -1.0, 1.0)
    zeros = torch.zeros(count)
    rows = [torch.stack([scale * flip, zeros, shift[:, 0]], 1), torch.stack([zeros, scale, shift[:, 1]], 1)]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def mirror(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Half of them mirrored."""
    return torch.where(_column(_uniform(draws, len(pictures)) < 0.5), pictures.flip(-1), pictures)


def soften(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Some blurred a little, some a lot, some halved and doubled as an upsampling decoder would."""
    picked, share = _uniform(draws, len(pictures)) / SOFTENED * 3, _column(_uniform(draws, len(pictures)))
    softened = pictures.clone()
    for kind, blur in enumerate((_a_little, _a_lot, _coarsely)):
        rows = torch.nonzero((picked >= kind) & (picked < kind + 1)).flatten()
        if len(rows):  # the others are not worth the time
            softened[rows] = blur(pictures[rows], share[rows])
    return softened


def _a_little(pictures: Tensor, share: Tensor) -> Tensor:
    return torch.lerp(pictures, _box(pictures, 3), share)


def _a_lot(pictures: Tensor, share: Tensor) -> Tensor:
    near = _box(pictures, 3)
    return torch.lerp(near, _box(near, 5), share)


def _coarsely(pictures: Tensor, share: Tensor) -> Tensor:
    return functional.interpolate(functional.avg_pool2d(pictures, 2), scale_factor=2.0, mode="nearest")


def _box(pictures: Tensor, side: int) -> Tensor:
    """The mean of side×side pixels about each."""
    edge = (side // 2,) * 4
    return functional.avg_pool2d(functional.pad(pictures, edge, mode="reflect"), side, stride=1)


def tint(pictures: Tensor, angle: Tensor, saturation: Tensor) -> Tensor:
    """Turn hues by `angle` [B] radians about the grey axis and scale colourfulness by `saturation` [B]."""
    turns = torch.matrix_exp(angle[:, None, None] * _TURN)
    mixes = _GREY + saturation[:, None, None] * (turns - _GREY)
    return torch.einsum("bij,bjhw->bihw", mixes, pictures)


def tone(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Each colour channel along its own curve, a gamma of 0.5 to 2, so that colours change beside each other too."""
    gamma = torch.exp2(2 * torch.rand(len(pictures), 3, 1, 1, generator=draws) - 1)
    return 2 * ((pictures + 1) / 2).clamp(0, 1) ** gamma - 1


def light(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Contrast 0.75 to 1.25, brightness by up to 0.15."""
    contrast, lift = (_column(_uniform(draws, len(pictures))) for _ in range(2))
    return pictures * (0.75 + 0.5 * contrast) + 0.3 * (lift - 0.5)


def grain(pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Noise of a standard deviation up to 0.1, most of it weak."""
    amount = 0.1 * _column(_uniform(draws, len(pictures))) ** 2
    return pictures + amount * torch.randn(pictures.shape, generator=draws)


def _uniform(draws: torch.Generator, count: int) -> Tensor:
    return torch.rand(count, generator=draws)


def _column(values: Tensor) -> Tensor:
    return values[:, None, None, None]
