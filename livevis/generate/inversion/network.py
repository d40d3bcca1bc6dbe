"""The UNet as an inversion needs it: in torch, asked for noise, with gradients to its text and attention to edit."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from livevis.generate import schedule
from livevis.generate.engine import Engine
from livevis.generate.inversion.ddim import as_noise
from livevis.generate.networks import networks, time_features
from livevis.generate.prompt_to_prompt.processor import install
from livevis.generate.schedule import Level
from livevis.runners.torch import best_device


class NoiseNetwork:
    """An engine's UNet, float32: noise(z, level, text), a `ddim.Noise`; keywords go to the attention.

    z [B, C, h, w], text [B, tokens, width] -> noise [B, C, h, w]; keywords: those of `EditedAttention`. Gradients reach
    the inputs, never the weights. Never a compiled runner: those give neither gradients nor maps.
    """

    def __init__(self, engine: Engine, size: int, *, device: torch.device | None = None) -> None:
        self.schedule = schedule.read_schedule(engine.configs["scheduler"])
        described, self.device = networks(engine, size)["denoise"], device or best_device()
        self.key, config = described.key, engine.configs["unet"]
        self._unet: Any = described.build().unet
        install(self._unet)
        self._unet = self._unet.to(self.device, memory_format=torch.channels_last).eval().requires_grad_(False)
        self._time = partial(
            time_features,
            width=engine.time_width,
            flip=bool(config.get("flip_sin_to_cos", True)),
            shift=float(config.get("freq_shift", 0)),
        )

    def __call__(self, z: Tensor, level: Level, text: Tensor, **attention: Any) -> Tensor:
        time = self._time(level.timestep).to(self.device).expand(len(z), -1)
        output = self._unet(z, time, text, cross_attention_kwargs=attention, return_dict=False)[0]
        return as_noise(self.schedule.prediction, z, output, level)
