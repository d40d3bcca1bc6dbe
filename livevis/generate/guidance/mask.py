"""Which latent entries an edit may move: the strongest of each channel, by a quantile that every runtime can compute.

SEGA (Brack et al. 2023, section 3) keeps the entries of an edit whose magnitude reaches a quantile over the picture,
separately for each channel. Here the quantile is a sort and a lerp with the level as a tensor, so that it can be
played live and be compiled (torch.quantile can be neither exported nor run in half precision).
"""

from __future__ import annotations

import torch
from torch import Tensor


def per_row(value: Tensor, like: Tensor) -> Tensor:
    """Shape one value per row [n] so that it multiplies rows `like` [n, ...]."""
    return value.reshape(-1, *(1,) * (like.ndim - 1))


def quantile(magnitude: Tensor, level: Tensor) -> Tensor:
    """Return the `level` [n] 0..1 quantile of rows [n, ..., h, w] over h and w, linear between entries: [n, ..., 1, 1].

    Equal to torch.quantile(magnitude.flatten(-2), level, dim=-1); half precision is sorted in float32 and comes back
    in its own type.
    """
    flat = magnitude.flatten(-2)
    ordered = (flat if flat.dtype == torch.float64 else flat.float()).sort(dim=-1).values
    last = ordered.shape[-1] - 1
    place = (per_row(level, ordered).to(ordered.dtype).clamp(0.0, 1.0) * last).expand(*ordered.shape[:-1], 1)
    below = place.floor()
    low = ordered.gather(-1, below.long())
    high = ordered.gather(-1, place.ceil().long())
    return torch.lerp(low, high, place - below)[..., None].to(magnitude.dtype)


def strongest(edit: Tensor, level: Tensor) -> Tensor:
    """Keep the entries of `edit` [n, ..., h, w] that reach their channel's `level` [n] quantile; the others become 0.

    About 1 - level of the entries stay; level 0 keeps all of them, bit for bit.
    """
    magnitude = edit.abs()
    return torch.where(magnitude >= quantile(magnitude, level), edit, 0.0)


def strongest_soft(edit: Tensor, level: Tensor, softness: Tensor) -> Tensor:
    """`strongest` with a soft edge: entries are scaled by sigmoid((|edit| - q) / (softness q)); softness [n] >= 0.

    A hard mask flickers when entries near the threshold swap places from one frame to the next; 0.1 is a good
    softness, and at 0 this is `strongest`, bit for bit.
    """
    magnitude, softness = edit.abs(), per_row(softness, edit).to(edit.dtype)
    cut = quantile(magnitude, level)
    # An edit of nothing but zeros has no width to divide by, and stays zero.
    width = (softness * cut).clamp_min(torch.finfo(edit.dtype).tiny)
    soft = torch.sigmoid((magnitude - cut) / width)
    return torch.where(softness > 0.0, edit * soft, torch.where(magnitude >= cut, edit, 0.0))
