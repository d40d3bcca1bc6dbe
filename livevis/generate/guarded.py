"""Attention whose strength is held: a second denoiser, played where gains are limited or NAG pushes.

What the first one leaves out costs it nothing. Here limits, renormalised maps and a negative text are inputs, so that
no fader builds anything, and each has a value that changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from livevis.core.types import Attention, Conditioning, Nag
from livevis.generate.prompt_to_prompt import processor
from livevis.generate.prompt_to_prompt.edits import Edit
from livevis.generate.prompt_to_prompt.processor import Away

GUARDED = "denoise_guarded"
UNLIMITED = 1e6
"""A limit that no norm reaches: gains are at most 5."""


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """What the guarded denoiser is given beside a row of text.

    inputs: by name; heard: whether they change anything now. Where they do not, the plain denoiser plays the row, bit
    for bit as ever, while the guarded one is made ready.
    """

    inputs: Mapping[str, Tensor]
    heard: bool


class GuardedDenoiser(nn.Module):
    """`Denoiser` with clamp [1], renormalised [1], negative [1, tokens, width] and nag [3] behind its inputs.

    clamp: `Edit.clamp`, UNLIMITED is none; renormalised: 0 or 1; negative, nag: `Away`.
    """

    def __init__(self, unet: Any) -> None:
        super().__init__()
        processor.install(unet)
        self.unet = unet
        unet.get_time_embed = lambda sample, timestep: timestep

    def forward(
        self,
        latent: Tensor,
        time: Tensor,
        text: Tensor,
        token_gain: Tensor,
        clamp: Tensor,
        renormalised: Tensor,
        negative: Tensor,
        nag: Tensor,
    ) -> Tensor:
        edit = Edit(token_gain, clamp=clamp, renormalised=renormalised)
        kwargs = {"edit": edit, "away": Away(negative, nag)}
        return self.unet(latent, time, text, cross_attention_kwargs=kwargs, return_dict=False)[0]


def guarded(attention: Attention, nag: Nag) -> bool:
    """Whether the guarded denoiser is asked for."""
    return attention.clamp > 0.0 or attention.maps == "renormalised" or pushed(nag)


def pushed(nag: Nag) -> bool:
    """Whether NAG changes anything."""
    return nag.scale > 1.0 and nag.alpha > 0.0


def guard(asked: Conditioning, negative: Tensor) -> Guard:
    """Return the guard of the prompt's row; negative: the negative text's embedding [1, tokens, width]."""
    attention, nag = asked.attention, asked.nag
    gained = any(gain != 1.0 for _, gain in asked.word_gains)
    limited = attention.clamp > 0.0 or attention.maps == "renormalised"
    return Guard(
        {
            "clamp": torch.tensor([attention.clamp or UNLIMITED]),
            "renormalised": torch.tensor([float(attention.maps == "renormalised")]),
            "negative": negative,
            "nag": torch.tensor([nag.scale, nag.ratio, nag.alpha]),
        },
        heard=pushed(nag) or (limited and gained),
    )
