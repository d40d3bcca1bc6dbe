"""AADiff with one UNet row: with base maps, a layer's output is affine in the gains, so its parts are computed once.

For a fixed prompt, seed and source picture, Q, K and V of the base row are constants, and what a layer mixes is
Z(s) = Z + Σ_w (s_w − 1) Z_w with Z_w = A_base diag(direction_w) V. What is kept is Z, before the output projection:
the sum is the same behind it, but here the norm clamp, which is not affine, stays exact. A frame pays the projection
and no query, key, value or softmax. Self-attention is not part of it: rows play their own.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from livevis.core.errors import CapabilityError
from livevis.generate.attention import merge_heads
from livevis.generate.prompt_to_prompt.values import attend, clamp_norm, remapped


@dataclass(frozen=True, slots=True)
class AffineKey:
    """All that the parts depend on: a cache with another key than the frame's must be recorded anew.

    engine: the engine's (or its UNet's) key; rows: the text condition, as (prompt, weight) pairs, and (negative prompt,
    guidance) where there is guidance; words and spread: the directions; seed: of all noises, with the place on the
    walk; source: identity of the start picture, None for none; size: side in pixels; timesteps: of the denoising path.
    """

    engine: str
    rows: tuple[tuple[str, float], ...]
    words: tuple[str, ...]
    spread: float
    seed: tuple[float, ...]
    source: Hashable
    size: int
    timesteps: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """One layer at one step, heads merged: base [1, n, C] is Z, moves [words, n, C] are Z_w."""

    base: Tensor
    moves: Tensor

    def at(self, gains: Tensor, clamp: Tensor | float | None = None) -> Tensor:
        """Return Z(s) [B, n, C] for gains [B, words], its norm clamped to clamp × that of Z; gains 1 give Z's bits."""
        mixed = self.base + torch.einsum("bw,wnc->bnc", gains - 1.0, self.moves)
        return mixed if clamp is None else clamp_norm(mixed, self.base, clamp, dims=(-1,))


def record(query: Tensor, key: Tensor, value: Tensor, directions: Tensor, *, mask: Tensor | None = None) -> Affine:
    """Compute a layer's parts from the base row's query, key and value [1, heads, n, d]; directions [words, tokens].

    Raises CapabilityError for more than one row.
    """
    if query.shape[0] != 1:
        raise CapabilityError(f"the affine form is recorded with one row at a time, not {query.shape[0]}")
    base = attend(query, key, value, mask=mask)
    words = directions.shape[0]
    query, key = (part.expand(words, -1, -1, -1) for part in (query, key))
    return Affine(merge_heads(base), merge_heads(attend(query, key, remapped(value, directions), mask=mask)))


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What the processors fill during one step of the base row: layers by the names of their sites."""

    directions: Tensor
    sites: dict[str, Affine] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of the base row: what the network answered [1, C, h, w], and what its layers mix, if that was recorded.

    base [1, n], moves [words, n]: the parts of all sites, flat and one behind the other.
    """

    output: Tensor
    base: Tensor | None = None
    moves: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AffineCache:
    """The recorded steps of one base picture. key: what they were recorded for, None if that never comes again."""

    key: AffineKey | None = None
    steps: dict[int, Step] = field(default_factory=dict)

    def serves(self, key: AffineKey | None) -> bool:
        """Whether the steps are those of `key`; its words may be fewer: the others then play at gain 1."""
        if key is None or self.key is None or not set(key.words) <= set(self.key.words):
            return False
        return replace(key, words=self.key.words) == self.key


def renewed(cache: AffineCache, key: AffineKey | None, *, words: int) -> AffineCache:
    """Return the cache while it serves `key`, else a new one; words of the same prompts that sounded before stay in it.

    So a word that comes back is not recorded again. A key with more than `words` words is not kept.
    """
    if cache.serves(key):
        return cache
    if key is None or len(key.words) > words:
        return AffineCache()
    before = cache.key.words if cache.key is not None and cache.key.rows == key.rows else ()
    known = tuple(dict.fromkeys((*key.words, *before)))
    return AffineCache(replace(key, words=known[:words]))
