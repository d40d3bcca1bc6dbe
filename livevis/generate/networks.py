"""The four networks of an engine, wrapped: all that changes live is an input, pictures are bytes."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livevis.generate import attention
from livevis.generate.engine import Engine, check_size, weights_file
from livevis.generate.fold import fold_end
from livevis.generate.guarded import GUARDED, GuardedDenoiser
from livevis.generate.prompt_to_prompt import networks as prompt_to_prompt
from livevis.runners.runner import Network, TensorSpec

WRAPPERS_VERSION = 3
"""Grows with every change here, in `guarded` and in `prompt_to_prompt` that changes what a network computes, so that no
stale compiled copy is played."""


class TextEncoder(nn.Module):
    """ids int64 [1, tokens] -> embedding float32 [1, tokens, width]."""

    def __init__(self, text_model: nn.Module) -> None:
        super().__init__()
        self.text_model = text_model

    def forward(self, ids: Tensor) -> Tensor:
        return self.text_model(input_ids=ids, return_dict=False)[0]


class PictureEncoder(nn.Module):
    """picture uint8 [1, H, W, 3] -> latent float32 [1, C, h, w] in the UNet's scale; of a distribution the mean."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.encoder, self.quant = vae.encoder, getattr(vae, "quant_conv", None)
        self.channels, self.scale = int(vae.config.latent_channels), float(vae.config.scaling_factor)

    def forward(self, picture: Tensor) -> Tensor:
        code = self.encoder(picture.permute(0, 3, 1, 2).float() * (2.0 / 255.0) - 1.0)
        code = code if self.quant is None else self.quant(code)
        return code[:, : self.channels] * self.scale


class PictureDecoder(nn.Module):
    """latent float32 [1, C, h, w] -> picture uint8 [1, H, W, 3]."""

    def __init__(self, vae: Any) -> None:
        super().__init__()
        self.decoder, self.quant = vae.decoder, getattr(vae, "post_quant_conv", None)
        if isinstance(getattr(self.decoder, "layers", None), nn.Sequential):  # AutoencoderTiny
            self.decoder.layers = fold_end(self.decoder.layers)
        self.scale = float(vae.config.scaling_factor)

    def forward(self, latent: Tensor) -> Tensor:
        code = latent * (1.0 / self.scale)
        code = code if self.quant is None else self.quant(code)
        levels = (self.decoder(code) * 127.5 + 127.5).clamp(0.0, 255.0).round()
        return levels.permute(0, 2, 3, 1).to(torch.uint8)


class Denoiser(nn.Module):
    """latent [1, C, h, w], time [1, F], text [1, tokens, width], token_gain [1, tokens] -> prediction [1, C, h, w].

    time: `time_features` of the timestep. The sinusoids stay outside because a runtime in bf16 would round the timestep
    before taking them (499 becomes 500).
    """

    def __init__(self, unet: Any) -> None:
        super().__init__()
        attention.install(unet)
        self.unet = unet
        unet.get_time_embed = lambda sample, timestep: timestep

    def forward(self, latent: Tensor, time: Tensor, text: Tensor, token_gain: Tensor) -> Tensor:
        gain = {"token_gain": token_gain}
        return self.unet(latent, time, text, cross_attention_kwargs=gain, return_dict=False)[0]


@lru_cache(maxsize=1024)
def time_features(timestep: int, *, width: int, flip: bool, shift: float) -> Tensor:
    """Return the sinusoids float32 [1, width] of a timestep (Vaswani et al. 2017, section 3.5; in diffusers' order)."""
    half = width // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(half, dtype=torch.float64) / (half - shift))
    sine, cosine = torch.sin(timestep * rates), torch.cos(timestep * rates)
    return torch.cat((cosine, sine) if flip else (sine, cosine)).float()[None]


def networks(engine: Engine, size: int) -> dict[str, Network]:
    """Describe "text", "encode", "denoise" and "decode" for pictures of `size` pixels; loads no weights yet."""
    check_size(engine, size)
    side = size // engine.latent_scale
    picture = TensorSpec("picture", (1, size, size, 3), "uint8")
    latent = TensorSpec("latent", (1, engine.channels, side, side))
    ids = TensorSpec("ids", (1, engine.tokens), "int64")
    text = TensorSpec("text", (1, engine.tokens, engine.text_width))
    gain = TensorSpec("token_gain", (1, engine.tokens))
    time = TensorSpec("time", (1, engine.time_width))
    prediction = TensorSpec("prediction", latent.shape)
    rows: tuple[tuple[str, str, Callable[[], nn.Module], tuple[TensorSpec, ...], TensorSpec], ...] = (
        ("text", "text_encoder", lambda: TextEncoder(_load(engine, "text_encoder")), (ids,), text),
        ("encode", "vae", lambda: PictureEncoder(_load(engine, "vae")), (picture,), latent),
        ("denoise", "unet", lambda: Denoiser(_load(engine, "unet")), (latent, time, text, gain), prediction),
        ("decode", "vae", lambda: PictureDecoder(_load(engine, "vae")), (latent,), picture),
    )
    return {
        name: Network(name, _key(engine, part, size), build, inputs, (output,), engine.precision.get(name, "f32"))
        for name, part, build, inputs, output in rows
    }


def variants(engine: Engine, size: int) -> dict[str, Network]:
    """Describe the networks that only some ways of playing need, by name; loads no weights yet."""
    plain = networks(engine, size)["denoise"]
    text = next(spec for spec in plain.inputs if spec.name == "text")
    live = (*plain.inputs, TensorSpec("clamp", (1,)), TensorSpec("renormalised", (1,)))
    live = (*live, TensorSpec("negative", text.shape), TensorSpec("nag", (3,)))
    guarded = replace(plain, name=GUARDED, build=lambda: GuardedDenoiser(_load(engine, "unet")), inputs=live)
    others = prompt_to_prompt.variants(engine.configs["unet"], plain, lambda: _load(engine, "unet"))
    return {GUARDED: guarded, **others}


def _load(engine: Engine, part: str) -> Any:
    """Load one part in float32 from the engine's folder; nothing is ever fetched."""
    path, file = engine.folder / part, weights_file(engine.folder, part)
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
    options["variant"] = "fp16" if ".fp16" in file.name else None
    load = _load_text if part == "text_encoder" else _load_diffusers
    return load(str(engine.configs[part].get("_class_name")), path, options).float().eval()


def _load_text(_: str, path: Path, options: dict[str, Any]) -> Any:
    from transformers import CLIPTextModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns of keys that its own save_pretrained writes
    try:
        return CLIPTextModel.from_pretrained(path, dtype=torch.float32, **options)
    finally:
        logging.set_verbosity(before)


def _load_diffusers(kind: str, path: Path, options: dict[str, Any]) -> Any:
    import diffusers

    # Its own config files make it warn: AutoencoderTiny saves a key that it then does not expect.
    before = diffusers.logging.get_verbosity()
    diffusers.logging.set_verbosity_error()
    try:
        return getattr(diffusers, kind).from_pretrained(path, low_cpu_mem_usage=False, **options)
    finally:
        diffusers.logging.set_verbosity(before)


def _key(engine: Engine, part: str, size: int) -> str:
    about = {"part": part, "size": size, "wrappers": WRAPPERS_VERSION, "config": dict(engine.configs[part])}
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=16)
    for file in sorted((engine.folder / part).glob("*.safetensors")):
        digest.update(_content(file, file.stat().st_mtime_ns))
    return digest.hexdigest()


@lru_cache(maxsize=16)
def _content(file: Path, changed_ns: int) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()
