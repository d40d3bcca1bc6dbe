"""LocalBlend, as google/prompt-to-prompt has it: keep the base picture wherever neither prompt's word is.

The maps are read out of fused attention by columns of ones at the words' tokens (`values.read_out`), not stored whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

THRESHOLD = 0.3
"""Share of a picture's largest value above which a pixel belongs to the word."""


def word_columns(tokens: int, indices: Sequence[Sequence[int]]) -> Tensor:
    """Return float32 [rows, tokens, 1], the column that reads the sum of the maps of each row's token indices."""
    columns = torch.zeros(len(indices), tokens, 1)
    for row, chosen in enumerate(indices):
        columns[row, list(chosen)] = 1.0
    return columns


def layer_mean(maps: Iterable[Tensor], *, size: tuple[int, int]) -> Tensor:
    """Return [rows, 1, h, w], one step's read-outs [rows, heads, h·w, columns] summed over columns and averaged.

    Heads of all layers count alike. size: (h, w) of the layers that were read; in Stable Diffusion at 512 × 512 those
    of 16 × 16, which are the paper's five.
    """
    stacked = torch.cat([layer.sum(-1) for layer in maps], 1)
    return stacked.mean(1).reshape(-1, 1, *size)


def word_mask(
    total: Tensor, *, size: tuple[int, int], base: Tensor, threshold: float = THRESHOLD, pool: bool = True
) -> Tensor:
    """Return the mask {0, 1} [rows, 1, H, W] of each row's word, united with its base row's.

    total [rows, 1, h, w]: the sum of `layer_mean` over the steps so far. 3 × 3 maximum, nearest resize
    to `size` (H, W), division by the picture's maximum, threshold. base int64 [rows]: the row that each is an edit of.
    pool=False is the variant for words to be left out of a mask.
    """
    grown = max_pool2d(total, 3, stride=1, padding=1) if pool else total
    fitted = interpolate(grown, size)
    strongest = fitted.amax((2, 3), keepdim=True).clamp(min=torch.finfo(fitted.dtype).tiny)
    inside = (fitted / strongest) > threshold
    return (inside | inside.index_select(0, base)).to(total.dtype)


def local_blend(latent: Tensor, mask: Tensor, *, base: Tensor) -> Tensor:
    """Return latents [rows, C, H, W], outside of each row's mask those of its base row, bit for bit."""
    source = latent.index_select(0, base)
    return source + mask * (latent - source)
