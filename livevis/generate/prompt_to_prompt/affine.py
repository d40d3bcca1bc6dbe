"""AADiff with one UNet row: with base maps, a layer's output is affine in the gains, so its parts are computed once.

For a fixed prompt, seed and source picture, Q, K and V of the base row are constants, and what a layer mixes is
Z(s) = Z + Σ_w (s_w − 1) Z_w with Z_w = A_base diag(direction_w) V. What is kept is Z, before the output projection:
the sum is the same behind it, but here the norm clamp, which is not affine, stays exact. A frame pays the projection
and no query, key, value or softmax. Self-attention is not part of it: rows play their own.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from livevis.core.errors import CapabilityError
from livevis.generate.attention import merge_heads
from livevis.generate.prompt_to_prompt.values import attend, clamp_norm, remapped


@dataclass(frozen=True, slots=True)
class AffineKey:
    """All that the parts depend on: a cache with another key than the frame's must be recorded anew.

    engine: the engine's (or its UNet's) key; rows: the text condition, as (prompt, weight) pairs; words and spread: the
    directions; seed: of all noises; source: identity of the start picture, None for none; size: side in pixels;
    timesteps: of the denoising path.
    """

    engine: str
    rows: tuple[tuple[str, float], ...]
    words: tuple[str, ...]
    spread: float
    seed: tuple[int, ...]
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
class AffineCache:
    """The recorded steps of one base picture. key: what it was recorded for; directions [words, tokens]."""

    key: AffineKey
    directions: Tensor
    steps: dict[int, Recording] = field(default_factory=dict)

    def recording(self, step: int) -> Recording:
        """Return an empty recording for `step`, kept here, to be given to the UNet with the base row."""
        self.steps[step] = Recording(self.directions)
        return self.steps[step]

    def outputs(self, step: int, gains: Tensor, clamp: Tensor | float | None = None) -> dict[str, Tensor] | None:
        """Return what each site mixes at `step` [B, n, C] for gains [B, words].

        None for a step that was not recorded: outside of the edit's window a row plays its own maps.
        """
        if step not in self.steps:
            return None
        return {site: layer.at(gains, clamp) for site, layer in self.steps[step].sites.items()}
