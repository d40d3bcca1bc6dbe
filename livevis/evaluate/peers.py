"""The same checkpoint in other people's loops, to be timed beside ours in the same process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from livevis.core.types import Picture
from livevis.generate.engine import Engine

Frame = Callable[[Picture], Any]
"""One generated frame from one init picture."""


def diffusers_pipeline(engine: Engine) -> Any:
    """Load the engine into diffusers' StableDiffusionImg2ImgPipeline, float32 on the CPU, quiet."""
    import diffusers
    from transformers.utils import logging

    logging.disable_progress_bar()
    diffusers.logging.set_verbosity_error()
    pipe = diffusers.StableDiffusionImg2ImgPipeline.from_pretrained(
        engine.folder, local_files_only=True, low_cpu_mem_usage=False
    ).to(dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def diffusers_frames(engine: Engine, *, prompt: str, strength: float, steps: int) -> dict[str, Frame]:
    """Return diffusers' img2img as it comes, and with its networks and pictures in channels_last.

    Its best case: the prompt is encoded beforehand, and the picture's conversion is a view and a division.
    `steps` UNet steps need num_inference_steps = steps / strength there.
    """
    plain, fast = diffusers_pipeline(engine), diffusers_pipeline(engine)
    for network in (fast.unet, fast.vae):
        network.to(memory_format=torch.channels_last)
    return {
        "diffusers": _frame(plain, torch.contiguous_format, prompt=prompt, strength=strength, steps=steps),
        "diffusers channels_last": _frame(fast, torch.channels_last, prompt=prompt, strength=strength, steps=steps),
    }


def _frame(pipe: Any, layout: torch.memory_format, *, prompt: str, strength: float, steps: int) -> Frame:
    embeds, _ = pipe.encode_prompt(prompt, torch.device("cpu"), 1, False)
    source = torch.Generator()

    def frame(picture: Picture) -> np.ndarray[Any, Any]:
        image = torch.from_numpy(picture).permute(2, 0, 1)[None].to(torch.float32, memory_format=layout) / 255.0
        made = pipe(
            prompt_embeds=embeds,
            image=image,
            strength=strength,
            num_inference_steps=round(steps / strength),
            guidance_scale=1.0,
            generator=source.manual_seed(1),
            output_type="np",
        )
        return np.asarray(made.images[0])

    return frame
