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
        residual, shape = hidden_states, hidden_states.shape
        if attn.spatial_norm is not None:
            hidden_states = attn.spatial_norm(hidden_states, temb)
        if len(shape) == 4:
            hidden_states = hidden_states.flatten(2).transpose(1, 2)
        if attn.group_norm is not None:
            hidden_states = attn.group_norm(hidden_states.transpose(1, 2)).transpose(1, 2)
        context = hidden_states
        if encoder_hidden_states is not None:
            context = encoder_hidden_states
            context = attn.norm_encoder_hidden_states(context) if attn.norm_cross else context
        value = attn.to_v(context)
        if encoder_hidden_states is not None and token_gain is not None:
            value = value * token_gain[:, :, None]
        mixed = _attend(attn, attn.to_q(hidden_states), attn.to_k(context), value, attention_mask)
        mixed = attn.to_out[1](attn.to_out[0](mixed))
        if len(shape) == 4:
            mixed = mixed.transpose(1, 2).reshape(shape)
        return (mixed + residual if attn.residual_connection else mixed) / attn.rescale_output_factor


def _attend(attn: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    batch = query.shape[0]
    query, key, value = (rows.unflatten(-1, (attn.heads, -1)).transpose(1, 2) for rows in (query, key, value))
    query = query if attn.norm_q is None else attn.norm_q(query)
    key = key if attn.norm_k is None else attn.norm_k(key)
    if mask is not None:
        mask = attn.prepare_attention_mask(mask, key.shape[2], batch).view(batch, attn.heads, -1, key.shape[2])
    return scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)


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
