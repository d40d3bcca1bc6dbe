"""A fixed bank of noise that one walks through: the same place gives the same noise, and neighbours look alike."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor


def slerp(a: Tensor, b: Tensor, share: float, *, dims: tuple[int, ...]) -> Tensor:
    """Go from `a` (share 0) to `b` (share 1) along the great circle over `dims` (Shoemake 1985).

    Directions that are almost parallel or opposite, or a zero vector, have no circle: they are mixed linearly.
    """
    length = torch.linalg.vector_norm
    scale = length(a, dim=dims, keepdim=True) * length(b, dim=dims, keepdim=True)
    cosine = ((a * b).sum(dims, keepdim=True) / scale.clamp_min(1e-12)).clamp(-1.0, 1.0)
    angle = torch.acos(cosine)
    sine = torch.sin(angle)
    flat = sine < 1e-4
    sine = torch.where(flat, torch.ones_like(sine), sine)
    of_a = torch.where(flat, 1.0 - share, torch.sin((1.0 - share) * angle) / sine)
    of_b = torch.where(flat, share, torch.sin(share * angle) / sine)
    return of_a * a + of_b * b


@lru_cache(maxsize=32)
def bank(seed: tuple[int, ...], index: int, shape: tuple[int, ...]) -> Tensor:
    """Return entry `index` of the endless bank of (seed, stream): standard normal float32, not to be written to."""
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence((*seed, index))))
    return torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))


def walk(seed: tuple[int, ...], phase: float, shape: tuple[int, ...]) -> Tensor:
    """Return the noise at `phase` (bank entries, >= 0): entry floor(phase) turned towards the next one."""
    index = math.floor(phase)
    here = bank(seed, index, shape)
    if phase == index:
        return here
    return slerp(here, bank(seed, index + 1, shape), phase - index, dims=tuple(range(len(shape))))
