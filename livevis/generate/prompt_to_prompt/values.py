"""Edits of attention maps as edits of value rows: exact under fused attention, nothing of size [n, tokens] is stored.

Throughout: query [B, heads, n, d], key and value [B, heads, tokens, d], gain [B, tokens], mask as
scaled_dot_product_attention takes it. Base maps are the same functions given the base rows' query and key.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

READ_WIDTH = 8
"""Columns of a read-out come in eights: fused kernels want aligned rows."""


def attend(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return A V [B, heads, n, d] with A = softmax(Q Kᵀ / sqrt(d))."""
    return scaled_dot_product_attention(query, key, value, attn_mask=mask)


def remapped(value: Tensor, mixing: Tensor) -> Tensor:
    """Return the value rows M V; mixing: M itself [B, tokens, tokens], or its diagonal [B, tokens].

    Row i, column j of M: how much of the map of token i goes to token j. The identity leaves every bit as it is.
    """
    return value * mixing[:, None, :, None] if mixing.ndim == 2 else mixing[:, None] @ value


def reweight(query: Tensor, key: Tensor, value: Tensor, gain: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return (A ∘ gain) V, not renormalised (Hertz et al. 2022, section 3.2, as its code does); gain 1 is `attend`.

    With the base rows' query and key it is the paper's method, with the rows' own it is the cheap one.
    """
    return attend(query, key, remapped(value, gain), mask=mask)


def replace(query: Tensor, key: Tensor, value: Tensor, mapper: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return (A M) V: base maps played with another prompt's words; mapper [B, base tokens, tokens]."""
    return attend(query, key, remapped(value, mapper), mask=mask)


def renormalised(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    gain: Tensor,
    *,
    share: Tensor | float = 1.0,
    mask: Tensor | None = None,
) -> Tensor:
    """Return (A ∘ gain) V divided by the row sums of A ∘ gain: not Prompt-to-Prompt, gentler than it at high gains.

    It is softmax(logits + log gain). A gain of 0 or less mutes the token. share: a number or one per row [B]: 1 as
    said, 0 is `reweight`, so that a compiled network plays either.
    """
    if isinstance(share, Tensor):
        share = share[:, None]
    bias = (share * gain.clamp(min=torch.finfo(gain.dtype).tiny).log())[:, None, None, :]
    value = remapped(value, share + (1.0 - share) * gain)
    if mask is not None:
        bias = torch.where(mask, bias, -torch.inf) if mask.dtype == torch.bool else bias + mask
    return attend(query, key, value, mask=bias)


def read_out(query: Tensor, key: Tensor, columns: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return A columns [B, heads, n, c]: the maps of chosen tokens without the maps of all; columns [B, tokens, c]."""
    return attend(query, key, padded(columns).expand(-1, key.shape[1], -1, -1), mask=mask)[..., : columns.shape[-1]]


def padded(columns: Tensor) -> Tensor:
    """Return columns [B, tokens, c] as value rows [B, 1, tokens, c'] with c' the next multiple of READ_WIDTH."""
    return pad(columns, (0, -columns.shape[-1] % READ_WIDTH))[:, None]


def one_hot(tokens: Tensor, count: int) -> Tensor:
    """Return the columns float32 [B, count, k] that read the maps of `tokens` int64 [B, k] one by one."""
    return torch.nn.functional.one_hot(tokens, count).mT.float()


def clamp_norm(output: Tensor, reference: Tensor, ratio: Tensor | float, *, dims: tuple[int, ...] = (1, 3)) -> Tensor:
    """Scale `output` down where its L1 norm exceeds ratio × that of `reference` (as NAG does; Chen et al. 2025).

    Un-normalised gains above 1 raise the norm that the next layer sees and burn the picture; this bounds it, token by
    token. ratio: a number or one per row [B]; >= 1 leaves gain 1 bit-equal. dims: what makes up one token: heads and d
    of [B, heads, n, d]; (-1,) for merged heads.
    """
    if isinstance(ratio, Tensor) and ratio.ndim:
        ratio = ratio.reshape(-1, *[1] * (output.ndim - 1))
    allowed = ratio * reference.abs().sum(dims, keepdim=True)
    norm = output.abs().sum(dims, keepdim=True)
    return output * (allowed / norm.clamp(min=torch.finfo(norm.dtype).tiny)).clamp(max=1.0)


def nag(
    positive: Tensor,
    negative: Tensor,
    *,
    scale: Tensor | float = 5.0,
    ratio: Tensor | float = 2.5,
    alpha: Tensor | float = 0.5,
    dims: tuple[int, ...] = (1, 3),
) -> Tensor:
    """Normalised Attention Guidance of two cross-attention outputs of the same queries (Chen et al. 2025).

    positive, negative [B, heads, n, d], or merged heads and dims (-1,); scale φ (1: off), ratio τ, alpha 0..1: numbers
    or tensors without dimensions. With L1 norms and the authors' UNet values; Flux plays alpha 0.25. φ = 1 (with
    τ >= 1), or alpha = 0, gives `positive` bit for bit.
    """
    extrapolated = positive + (scale - 1.0) * (positive - negative)
    return positive + alpha * (clamp_norm(extrapolated, positive, ratio, dims=dims) - positive)
