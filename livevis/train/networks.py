"""The pocket networks as stock diffusers and transformers classes, so that any tool that reads those loads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from livevis.generate.attention import install
from livevis.train.options import Shape


@dataclass(frozen=True, slots=True)
class Networks:
    """`vae` AutoencoderTiny, `unet` UNet2DConditionModel, `text` CLIPTextModel, `tokenizer` CLIPTokenizer."""

    vae: Any
    unet: Any
    text: Any
    tokenizer: Any


def build_vae(shape: Shape) -> Any:
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(shape.vae_width,) * 4,
        decoder_block_out_channels=(shape.vae_width,) * 4,
        num_encoder_blocks=shape.vae_encoder_blocks,
        num_decoder_blocks=shape.vae_decoder_blocks,
        latent_channels=4,
        force_upcast=False,
    )


def build_unet(shape: Shape, *, sample_size: int) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=sample_size,
        in_channels=4,
        out_channels=4,
        block_out_channels=shape.unet_widths,
        layers_per_block=shape.unet_layers,
        # Attention only at half and quarter resolution: at full it costs more than it gives at this size.
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=shape.text_width,
        attention_head_dim=shape.unet_heads,  # diffusers reads this as the number of heads
        norm_num_groups=shape.unet_groups,
    )


def build_text(shape: Shape, tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.text_width,
            intermediate_size=4 * shape.text_width,
            num_hidden_layers=shape.text_layers,
            num_attention_heads=shape.text_heads,
            max_position_embeddings=shape.text_positions,
            projection_dim=shape.text_width,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,  # pooling takes the first one, so padding with it is right
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_scheduler() -> Any:
    """Stable Diffusion's noise schedule, with v-prediction and trailing steps as few-step checkpoints have them."""
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        num_train_timesteps=1000,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,
    )


def build(shape: Shape, tokenizer: Any, *, sample_size: int, seed: int) -> Networks:
    """All four parts with weights drawn from `seed`."""
    torch.manual_seed(seed)
    vae, unet = build_vae(shape), build_unet(shape, sample_size=sample_size)
    install(unet)
    return Networks(vae=vae, unet=unet, text=build_text(shape, tokenizer), tokenizer=tokenizer)


def pipeline(networks: Networks, kind: str = "StableDiffusionPipeline") -> Any:
    """The diffusers pipeline class `kind` over these parts, quiet."""
    import diffusers

    pipe = getattr(diffusers, kind)(
        vae=networks.vae,
        text_encoder=networks.text,
        tokenizer=networks.tokenizer,
        unet=networks.unet,
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def tokens(networks: Networks, captions: list[str]) -> Tensor:
    """Captions → int64 [B, positions], padded and cut to the text model's length."""
    length = networks.text.config.max_position_embeddings
    ids = networks.tokenizer(captions, padding="max_length", max_length=length, truncation=True)
    return torch.tensor(ids["input_ids"])


def parameters(*parts: nn.Module) -> int:
    return sum(weight.numel() for part in parts for weight in part.parameters())


def pick_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def autocast(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16)


def alphas() -> Tensor:
    """Cumulative ᾱ_t of the schedule, float32 [1000]."""
    return torch.as_tensor(build_scheduler().alphas_cumprod, dtype=torch.float32)


def layout(module: nn.Module, device: torch.device) -> nn.Module:
    return module.to(device=device, memory_format=torch.channels_last)
