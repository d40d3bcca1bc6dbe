"""token_gain is Prompt-to-Prompt's re-weighting, exactly: compared with attention maps written out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers import UNet2DModel
from diffusers.models.embeddings import get_timestep_embedding

from livevis.core.errors import CapabilityError
from livevis.generate import attention
from livevis.generate.networks import Denoiser, time_features
from tests.checkpoints import build_unet

TOKENS = 9


class ExplicitMaps:
    """Softmax maps in the open, columns multiplied after the softmax, no renormalisation."""

    def __init__(self, gain: torch.Tensor) -> None:
        self.gain = gain

    def __call__(
        self, attn: Any, hidden_states: torch.Tensor, encoder_hidden_states: Any = None, **_: Any
    ) -> torch.Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            attn.head_to_batch_dim(rows) for rows in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        maps = (query @ key.transpose(1, 2) * attn.scale).softmax(-1)
        if encoder_hidden_states is not None:
            maps = maps * self.gain[:, None, :].repeat_interleave(attn.heads, 0)
        return attn.to_out[0](attn.batch_to_head_dim(maps @ value))


def inputs(rows: int = 2) -> tuple[torch.Tensor, int, torch.Tensor]:
    draw = torch.Generator().manual_seed(4)
    latent = torch.randn(rows, 4, 8, 8, generator=draw, dtype=torch.float64)
    text = torch.randn(rows, TOKENS, 24, generator=draw, dtype=torch.float64)
    return latent, 499, text


def features(timestep: int) -> torch.Tensor:
    return time_features(timestep, width=16, flip=True, shift=0.0).double()


@pytest.mark.parametrize(("flip", "shift"), [(True, 0), (False, 1)])
def test_time_features_are_those_of_diffusers(flip: bool, shift: int) -> None:
    for timestep in (0, 1, 499, 999):
        theirs = get_timestep_embedding(torch.tensor([timestep]), 32, flip, shift)
        torch.testing.assert_close(time_features(timestep, width=32, flip=flip, shift=shift), theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("linear", [False, True], ids=["conv projection", "linear projection"])
@torch.inference_mode()
def test_gain_equals_explicit_probabilities(linear: bool) -> None:
    latent, time, text = inputs()
    gain = torch.rand(2, TOKENS, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 4
    explicit = build_unet(use_linear_projection=linear).double()
    explicit.set_attn_processor(ExplicitMaps(gain))
    explicit.get_time_embed = lambda sample, timestep: features(timestep)  # ours are rounded more finely
    wanted = explicit(latent, time, text).sample
    ours = Denoiser(build_unet(use_linear_projection=linear).double())
    torch.testing.assert_close(ours(latent, features(time), text, gain), wanted, rtol=0, atol=1e-12)
    assert (ours(latent, features(time), text, torch.ones_like(gain)) - wanted).abs().max() > 1e-3, (
        "the gain must be heard"
    )


@torch.inference_mode()
def test_gain_one_is_the_stock_network() -> None:
    latent, time, text = inputs()
    stock = build_unet().double()(latent, time, text).sample
    ours = Denoiser(build_unet().double())(latent, features(time), text, torch.ones(2, TOKENS, dtype=torch.float64))
    torch.testing.assert_close(ours, stock, rtol=0, atol=1e-6)


@torch.inference_mode()
def test_rows_have_their_own_gain() -> None:
    latent, time, text = inputs()
    net = Denoiser(build_unet().double())
    gain = torch.ones(2, TOKENS, dtype=torch.float64)
    plain = net(latent, features(time), text, gain)
    gain[1, 3] = 3.0
    changed = net(latent, features(time), text, gain)
    torch.testing.assert_close(changed[0], plain[0], rtol=0, atol=1e-12)
    assert (changed[1] - plain[1]).abs().max() > 1e-4


def test_sites_are_counted_and_none_is_refused() -> None:
    unet = build_unet()
    blocks = sum(name.endswith("attn2") for name, _ in unet.named_modules())
    assert attention.install(unet) == blocks > 0
    convolutions: dict[str, Any] = {
        "block_out_channels": (8, 8),
        "norm_num_groups": 4,
        "down_block_types": ("DownBlock2D",) * 2,
        "up_block_types": ("UpBlock2D",) * 2,
        "add_attention": False,
    }
    with pytest.raises(CapabilityError, match="matched none"):
        attention.install(UNet2DModel(sample_size=8, **convolutions))
