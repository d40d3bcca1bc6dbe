"""The attention processor that plays edits, reads maps, records the affine form and plays it, by what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from livevis.core.errors import CapabilityError
from livevis.generate.attention import CROSS_ATTENTION, enter, leave, merge_heads, split_heads
from livevis.generate.prompt_to_prompt.affine import Recording, record
from livevis.generate.prompt_to_prompt.edits import Edit, mix, play, play_self
from livevis.generate.prompt_to_prompt.values import attend, nag, padded, read_out


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Maps to be read during one call of the UNet: columns [B, tokens, c] of the cross-attentions with `pixels` pixels.

    maps: filled by the processors, [B, heads, pixels, c] by the names of their sites. Edited rows are read after the
    edit, as the paper's code does (it edits its stored maps in place).
    """

    columns: Tensor
    pixels: int
    maps: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Away:
    """What cross-attention is pushed away from (NAG): text [B, tokens, width]; settings [3]: scale, ratio, alpha."""

    text: Tensor
    settings: Tensor


class EditedAttention:
    """diffusers' AttnProcessor2_0 that heeds, of `cross_attention_kwargs`:

    edit: what is done to the maps; reading: maps to be read; recording: the affine form to be filled (one row);
    outputs: what each cross-attention mixes [B, n, C], by site, in place of mixing anything (`Affine.at`);
    away: what the edited output is then pushed away from.
    Without any of them it is plain attention.
    """

    def __init__(self, site: str) -> None:
        self.site = site

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        edit: Edit | None = None,
        reading: Reading | None = None,
        recording: Recording | None = None,
        outputs: Mapping[str, Tensor] | None = None,
        away: Away | None = None,
    ) -> Tensor:
        cross = encoder_hidden_states is not None
        if cross and outputs is not None:
            return leave(attn, outputs[self.site], hidden_states)
        states, context = enter(attn, hidden_states, encoder_hidden_states, temb)
        projected = attn.to_q(states), attn.to_k(context), attn.to_v(context)
        query, key, value, mask = split_heads(attn, *projected, attention_mask)
        if cross and recording is not None:
            recording.sites[self.site] = record(query, key, value, recording.directions, mask=mask)
        if cross and reading is not None and query.shape[2] == reading.pixels:
            reading.maps[self.site] = _read(reading.columns, edit, query, key, mask)
        if edit is None:
            mixed = attend(query, key, value, mask=mask)
        else:
            mixed = (play if cross else play_self)(edit, query, key, value, mask=mask)
        mixed = merge_heads(mixed)
        if cross and away is not None:
            mixed = _push(attn, mixed, projected[0], enter(attn, hidden_states, away.text, temb)[1], away.settings)
        return leave(attn, mixed, hidden_states)


def _push(attn: Any, mixed: Tensor, query: Tensor, context: Tensor, settings: Tensor) -> Tensor:
    """Return `mixed` [B, n, C] pushed away from what the same query makes of `context` [B, tokens, width].

    On merged heads: OpenVINO 2026.4 crashes in compiling a second norm over heads and d behind the clamp's.
    """
    query, key, value, _ = split_heads(attn, query, attn.to_k(context), attn.to_v(context), None)
    scale, ratio, alpha = settings[0], settings[1], settings[2]
    return nag(mixed, merge_heads(attend(query, key, value)), scale=scale, ratio=ratio, alpha=alpha, dims=(-1,))


def _read(columns: Tensor, edit: Edit | None, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
    if edit is None:
        return read_out(query, key, columns, mask=mask)
    wide = padded(columns).expand(-1, key.shape[1], -1, -1)
    return mix(edit, query, key, wide, mask=mask)[..., : columns.shape[-1]]


def install(unet: nn.Module) -> tuple[str, ...]:
    """Give every attention of a diffusers UNet its EditedAttention; returns the names of the cross-attention sites.

    Raises CapabilityError if there is none: an edit that matches nothing must not look as if it worked.
    """
    sites = list(getattr(unet, "attn_processors", {}))
    cross = tuple(site for site in sites if site.endswith(CROSS_ATTENTION))
    if not cross:
        raise CapabilityError(f"attention edits matched none of the {len(sites)} attention sites of this UNet")
    unet.set_attn_processor({site: EditedAttention(site) for site in sites})  # type: ignore[operator]
    return cross
