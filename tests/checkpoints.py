"""Tiny checkpoints with random weights in the exact diffusers layout, for every test that needs networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from livevis.core.catalogue import CATALOGUE
from livevis.core.types import Controls, Cue
from livevis.generate.engine import Engine, load_engine

WORDS = ("burning", "aurora", "black", "waves", "of", "neon", "a", "red", "city")
BOS, EOS, END = "<|startoftext|>", "<|endoftext|>", "</w>"
DEFAULTS = {row.id: row.default for row in CATALOGUE if row.kind != "trigger"}
VALUES: dict[str, Any] = {
    "diffusion/strength": 0.5,
    "diffusion/steps": 1,
    "diffusion/seed": 3,
    "diffusion/guidance": 1.0,
    "diffusion/walk": 0.2,
    "feedback/amount": 0.3,
    "feedback/zoom": 0.0,
    "feedback/rotate": 0.0,
    "feedback/shift_x": 0.0,
    "feedback/shift_y": 0.0,
    "feedback/decay": 0.0,
    "init/source": "scene",
    "prompt/text_1": "burning aurora",
    "prompt/weight_1": 1.0,
    "prompt/text_2": "",
    "prompt/weight_2": 0.0,
    "prompt/text_3": "",
    "prompt/weight_3": 0.0,
    "prompt/text_4": "",
    "prompt/weight_4": 0.0,
    "prompt/negative": "",
    "attention/word": "",
    "attention/gain": 1.0,
    **{row.id: row.default for row in CATALOGUE if row.group == "guidance"},
}


def controls(**changed: Any) -> Controls:
    """Controls at sane values; `group__name=value` changes one."""
    return Controls(1, {**DEFAULTS, **VALUES, **{key.replace("__", "/"): value for key, value in changed.items()}})


def cue(frame: int, *, fps: float = 10.0, **changed: Any) -> Cue:
    """The cue of frame `frame` at `fps`."""
    return Cue(frame, int(frame * 48_000 / fps), frame / fps, controls(**changed))


def write_tokenizer(folder: Path, tokens: int) -> None:
    """Write a CLIP tokenizer: single bytes, and merges that make one token of each of WORDS except `neon`."""
    alphabet = [chr(code) for code in range(33, 127)]
    merges: list[str] = []
    for word in WORDS:
        if word == "neon":  # stays in pieces: a word of several tokens
            continue
        parts = [*word[:-1], word[-1] + END]
        while len(parts) > 1:
            merge = f"{parts[0]} {parts[1]}"
            merges += [] if merge in merges else [merge]
            parts = [parts[0] + parts[1], *parts[2:]]
    pieces = [*alphabet, *(a + END for a in alphabet), *(m.replace(" ", "") for m in merges), BOS, EOS]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    special = {"bos_token": BOS, "eos_token": EOS, "pad_token": EOS, "unk_token": EOS}
    about = {"tokenizer_class": "CLIPTokenizer", "model_max_length": tokens, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def build_unet(seed: int = 0, **changed: Any) -> Any:
    """A UNet of SD's blocks in miniature."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(seed)
    options: dict[str, Any] = {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 24,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**options, **changed}).eval()


def build_vae(kind: str) -> Any:
    """AutoencoderTiny or AutoencoderKL, 4 latent channels, 8 pixels a latent; its pictures are not all black."""
    from diffusers import AutoencoderKL, AutoencoderTiny

    torch.manual_seed(1)
    if kind == "tiny":
        vae = AutoencoderTiny(
            encoder_block_out_channels=(8,) * 4,
            decoder_block_out_channels=(8,) * 4,
            num_encoder_blocks=(0, 0, 0, 1),
            num_decoder_blocks=(1, 0, 0, 0),
            latent_channels=4,
            scaling_factor=0.7,
        )
        vae.decoder.layers[-1].weight.data.mul_(4.0)
        vae.decoder.layers[-1].bias.data.fill_(0.5)
        return vae.eval()
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8,) * 4,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=64,
    ).eval()


def write_checkpoint(
    folder: Path, *, vae: str = "tiny", tokens: int = 32, scheduler: str = "EulerDiscreteScheduler", **schedule: Any
) -> Path:
    """Write a whole checkpoint: fp16 safetensors as the pocket engine's; keywords go to the scheduler."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel

    write_tokenizer(folder / "tokenizer", tokens)
    vocabulary = len(json.loads((folder / "tokenizer/vocab.json").read_text()))
    torch.manual_seed(2)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=24,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=tokens,
            bos_token_id=vocabulary - 2,
            eos_token_id=vocabulary - 1,
            pad_token_id=vocabulary - 1,
        )
    )
    options = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "timestep_spacing": "trailing",
        "steps_offset": 1,
    }
    text.half().save_pretrained(folder / "text_encoder")
    build_unet().half().save_pretrained(folder / "unet")
    build_vae(vae).half().save_pretrained(folder / "vae")
    getattr(diffusers, scheduler)(**{**options, **schedule}).save_pretrained(folder / "scheduler")
    return folder


def tiny_engine(folder: Path, **how: Any) -> Engine:
    """Write a checkpoint unless it is there, and load it as an engine of 64 pixels."""
    return load_engine(folder if folder.is_dir() else write_checkpoint(folder, **how))
