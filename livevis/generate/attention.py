"""Attention strength as an input: scaling a token's value row is scaling its column of the attention map.

(A diag(s)) V = A (diag(s) V), so Prompt-to-Prompt's re-weighting (Hertz et al. 2022, section 3.2; not
renormalised, as in its released code) is exact under fused attention and under every compiled runtime.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from livevis.core.errors import CapabilityError

CROSS_ATTENTION = "attn2.processor"


class GainProcessor:
    """diffusers' AttnProcessor2_0 with `token_gain` [B, tokens] on the value rows of cross-attention."""

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        token_gain: Tensor | None = None,
    ) -> Tensor:
        states, context = enter(attn, hidden_states, encoder_hidden_states, temb)
        value = attn.to_v(context)
        if encoder_hidden_states is not None and token_gain is not None:
            value = value * token_gain[:, :, None]
        parts = split_heads(attn, attn.to_q(states), attn.to_k(context), value, attention_mask)
        query, key, value, mask = parts
        return leave(attn, merge_heads(scaled_dot_product_attention(query, key, value, attn_mask=mask)), hidden_states)


def enter(attn: Any, hidden_states: Tensor, context: Tensor | None, temb: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return what queries [B, n, C] and what keys and values [B, tokens, width] are made of, normed as diffusers does.

    context: None in self-attention, which attends to the (normed) states themselves.
    """
    if attn.spatial_norm is not None:
        hidden_states = attn.spatial_norm(hidden_states, temb)
    if hidden_states.ndim == 4:
        hidden_states = hidden_states.flatten(2).transpose(1, 2)
    if attn.group_norm is not None:
        hidden_states = attn.group_norm(hidden_states.transpose(1, 2)).transpose(1, 2)
    if context is None:
        return hidden_states, hidden_states
    return hidden_states, attn.norm_encoder_hidden_states(context) if attn.norm_cross else context


def split_heads(
    attn: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Split query, key and value [B, n, heads·d] into [B, heads, n, d]; mask as fused attention wants it."""
    batch = query.shape[0]
    query, key, value = (rows.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for rows in (query, key, value))
    query = query if attn.norm_q is None else attn.norm_q(query)
    key = key if attn.norm_k is None else attn.norm_k(key)
    if mask is not None:
        mask = attn.prepare_attention_mask(mask, key.shape[2], batch).view(batch, attn.heads, -1, key.shape[2])
    return query, key, value, mask


def merge_heads(mixed: Tensor) -> Tensor:
    """[B, heads, n, d] -> [B, n, heads·d]."""
    return mixed.transpose(1, 2).flatten(2)


def leave(attn: Any, mixed: Tensor, residual: Tensor) -> Tensor:
    """Project mixed values [B, n, C] out and give them the shape of `residual`, the states that came in."""
    mixed = attn.to_out[1](attn.to_out[0](mixed))
    if residual.ndim == 4:
        mixed = mixed.transpose(1, 2).reshape(residual.shape)
    return (mixed + residual if attn.residual_connection else mixed) / attn.rescale_output_factor


def install(unet: nn.Module) -> int:
    """Give every attention of a diffusers UNet the GainProcessor; returns how many cross-attentions heed `token_gain`.

    Raises CapabilityError if there is none: a control that matches nothing must not look as if it worked.
    """
    sites = list(getattr(unet, "attn_processors", {}))
    heeding = sum(name.endswith(CROSS_ATTENTION) for name in sites)
    if heeding == 0:
        raise CapabilityError(f"token_gain matched none of the {len(sites)} attention sites of this UNet")
    processor = GainProcessor()
    unet.set_attn_processor(dict.fromkeys(sites, processor))  # type: ignore[operator]
    return heeding
