"""One form for all edits of cross-attention: A' = A_base M + A diag(g), each row of the batch with its own M and g.

A row may also keep a share of what its base row shows: A_base diag(k) V_base, added to what A' carries.

A_base are the maps of the row that `base` names; by index, because "the second half of the batch is conditional" drops
half of the prompts where a model has no classifier-free guidance. The functions below make M and g of the paper's
edits; window [..., tokens] is 1 where a word is edited at this step, 0 where the row plays its own map. At gain 1 a
window that is open, or shut, for all words leaves a row that is its own base bit-equal; one that is open for some
splits each sum in two and agrees to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.prompt_to_prompt.values import attend, clamp_norm, remapped, renormalised, reweight

SELF_PIXELS = 16**2
"""Self-attention is injected up to this many pixels, as in the diffusers port of the paper's code."""


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """What one call of the UNet does to its attention maps; tensors play live, None and plain fields shape the graph.

    gain [B, tokens]: g, on the row's own maps; None: no row plays its own (saves an attention).
    mixing [B, tokens, tokens], or its diagonal [B, tokens]: M, on base maps; None: no row plays another's.
    base int64 [B]: the row whose maps each row is given, itself included; None: its own.
    self_base int64 [B]: the same for self-attention of up to self_pixels pixels; None: never injected.
    clamp [B]: L1 norm per token at most this many times the base row's (`clamp_norm`); None: no clamp.
    renormalised [B]: 1 where g is followed by division by the row sums, 0 where not; own maps only; None: nowhere.
    kept [B, tokens]: k, on base maps and the base row's values, beside M; None: nothing is kept.
    Raises ConfigError if nothing would be played or renormalised base maps are asked for.
    """

    gain: Tensor | None = None
    mixing: Tensor | None = None
    base: Tensor | None = None
    self_base: Tensor | None = None
    clamp: Tensor | None = None
    self_pixels: int = SELF_PIXELS
    renormalised: Tensor | None = None
    kept: Tensor | None = None

    def __post_init__(self) -> None:
        if self.gain is None and self.mixing is None:
            raise ConfigError("an attention edit needs gain (own maps), mixing (base maps) or both")
        if self.kept is not None and self.mixing is None:
            raise ConfigError("a kept share of the base row is played with base maps: mixing must be given")
        if self.renormalised is not None and self.mixing is not None:
            raise ConfigError("renormalised gains play on a row's own maps only: mixing must be None")


def play(edit: Edit, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return A' V [B, heads, n, d], its norm clamped where the edit says so."""
    mixed = mix(edit, query, key, value, mask=mask)
    if edit.clamp is None:
        return mixed
    plain = attend(query, key, value, mask=mask)
    return clamp_norm(mixed, rows(plain, edit.base), edit.clamp)


def mix(edit: Edit, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return A' V without the clamp; value may hold anything that maps should carry, as columns to read."""
    parts = []
    if edit.renormalised is not None and edit.gain is not None:
        parts.append(renormalised(query, key, value, edit.gain, share=edit.renormalised, mask=mask))
    elif edit.gain is not None:
        parts.append(reweight(query, key, value, edit.gain, mask=mask))
    if edit.mixing is not None:
        query, key, mask = rows(query, edit.base), rows(key, edit.base), mask if mask is None else rows(mask, edit.base)
        carried = remapped(value, edit.mixing)
        if edit.kept is not None:
            carried = carried + remapped(rows(value, edit.base), edit.kept)
        parts.append(attend(query, key, carried, mask=mask))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def play_self(edit: Edit, query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return self-attention [B, heads, n, d], small layers with the maps of the rows in `self_base`."""
    if edit.self_base is None or query.shape[2] > edit.self_pixels:
        return attend(query, key, value, mask=mask)
    return attend(rows(query, edit.self_base), rows(key, edit.self_base), value, mask=mask)


def rows(batch: Tensor, base: Tensor | None) -> Tensor:
    """Return for each row of the batch the row that `base` names."""
    return batch if base is None else batch.index_select(0, base)


def reweighted(gain: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return the diagonal of M and g [..., tokens] of re-weighting base maps (Hertz et al. 2022, section 3.2)."""
    return gain * window, 1.0 - window


def replaced(mapper: Tensor, gain: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return M [..., tokens, tokens] and g [..., tokens] of word replacement, then re-weighting by `gain`."""
    return mapper * (gain * window)[..., None, :], 1.0 - window


def reworded(sources: Tensor, aligned: Tensor, gain: Tensor, *, injected: float) -> tuple[Tensor, Tensor]:
    """Return M and g [..., tokens] of another wording at one step, re-weighted by `gain` wherever its maps come from.

    sources [tokens, tokens]: row i, column j how much of base token i's map token j is given; aligned [tokens]: 1 where
    it is given any; injected: 1 while base maps are played, 0 after that.
    """
    given = aligned * injected
    return sources * (gain * given)[..., None, :], gain * (1.0 - given)


def refined(mapper: Tensor, aligned: Tensor, gain: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Return M [..., tokens, tokens] and g [..., tokens] of prompt refinement, then re-weighting by `gain`.

    mapper int64 [..., tokens]: for each token the base token it stands for, -1 where there is none; aligned: 1 where
    there is one, 0 where the row keeps its own map. Both are `alignment.refine_mapper`'s.
    """
    tokens = mapper.shape[-1]
    sources = torch.nn.functional.one_hot(mapper.remainder(tokens), tokens).mT  # column j: the base token of token j
    injected = gain * window
    return sources * (injected * aligned)[..., None, :], injected * (1.0 - aligned) + (1.0 - window)
