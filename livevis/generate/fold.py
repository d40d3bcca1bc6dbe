"""Algebra on a decoder's end: doubling and two convolutions without anything between them are one at half the size.

AutoencoderTiny with no block at full resolution ends in nearest upsampling, a convolution C→C and a convolution C→3.
The two are one 5×5 convolution; and since every source pixel stands four times in the doubled picture, each of its
four phases is a 3×3 convolution of the small one: a twelfth of the work, the same picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle


def composite(first: Tensor, second: Tensor) -> Tensor:
    """Return the 5×5 kernel [O, C, 5, 5] of correlating with `first` [M, C, 3, 3], then with `second` [O, M, 3, 3]."""
    kernel = first.new_zeros(second.shape[0], first.shape[1], 5, 5)
    for y in range(3):
        for x in range(3):
            mixed = torch.einsum("om,mcij->ocij", second[:, :, y, x], first)
            kernel[:, :, y : y + 3, x : x + 3] += mixed
    return kernel


def phases(kernel: Tensor) -> Tensor:
    """Return [4·O, C, 3, 3]: a 5×5 correlation after nearest doubling as four 3×3 ones before it, to be shuffled."""
    out, channels = kernel.shape[:2]
    small = kernel.new_zeros(out, 2, 2, channels, 3, 3)
    for a in range(2):
        for b in range(2):
            for y in range(5):
                for x in range(5):  # pixel 2q + a sees, y - 2 further on, source pixel q + floor((a + y - 2) / 2)
                    small[:, a, b, :, (a + y) // 2, (b + x) // 2] += kernel[:, :, y, x]
    return small.flatten(0, 2)


class FoldedEnd(nn.Module):
    """Upsample ×2, `first` 3×3 without bias, `second` 3×3: [B, C, h, w] -> [B, O, 2h, 2w], zero-padded alike."""

    def __init__(self, upsample: nn.Module, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.plain = nn.Sequential(upsample, first, second)
        self.register_buffer("weight", phases(composite(first.weight.detach(), second.weight.detach())))
        bias = second.bias if second.bias is not None else second.weight.new_zeros(second.out_channels)
        self.register_buffer("bias", bias.detach().repeat_interleave(4))

    def forward(self, x: Tensor) -> Tensor:
        whole = pixel_shuffle(conv2d(x, self.weight, self.bias, padding=1), 2)
        # Zero padding between the two convolutions cannot be folded: the outermost ring takes the plain way.
        top, bottom = self.plain(x[:, :, :2])[:, :, :1], self.plain(x[:, :, -2:])[:, :, -1:]
        left, right = self.plain(x[..., :2])[..., :1], self.plain(x[..., -2:])[..., -1:]
        inner = torch.cat((top[..., 1:-1], whole[:, :, 1:-1, 1:-1], bottom[..., 1:-1]), 2)
        return torch.cat((left, inner, right), 3)


def fold_end(layers: nn.Sequential) -> nn.Sequential:
    """Return `layers` with its last three folded where they are what can be folded, else as it is."""
    if len(layers) < 3:
        return layers
    *body, upsample, first, second = layers
    if not (isinstance(upsample, nn.Upsample) and (upsample.scale_factor, upsample.mode) == (2, "nearest")):
        return layers
    if not all(isinstance(part, nn.Conv2d) and _plain(part) for part in (first, second)) or first.bias is not None:
        return layers
    return nn.Sequential(*body, FoldedEnd(upsample, first, second))


def _plain(conv: nn.Conv2d) -> bool:
    shape = (conv.kernel_size, conv.padding, conv.stride, conv.dilation, conv.groups, conv.padding_mode)
    return shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1, "zeros")
