"""The folded end of a decoder draws the picture that the plain one draws, to the last ring of pixels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from livevis.generate.fold import FoldedEnd, fold_end


def end(channels: int = 5, *, bias: bool = True) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(channels, 7, 3, padding=1, bias=False),
        nn.Conv2d(7, 3, 3, padding=1, bias=bias),
    ).double()


@pytest.mark.parametrize("shape", [(1, 5, 8, 8), (2, 5, 4, 9), (1, 5, 2, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_folded_equals_plain(shape: tuple[int, ...], bias: bool) -> None:
    plain = end(bias=bias)
    folded = fold_end(plain)
    assert isinstance(folded[-1], FoldedEnd)
    x = torch.randn(shape, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(folded(x), plain(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 3, 3, padding=1)),
        nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), *end()[1:]),
        nn.Sequential(nn.Upsample(scale_factor=2), end()[1], nn.ReLU(), end()[2]),
        nn.Sequential(nn.Conv2d(4, 3, 3)),
    ],
)
def test_anything_else_is_left_alone(layers: nn.Sequential) -> None:
    assert fold_end(layers) is layers
