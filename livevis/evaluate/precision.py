"""What bf16 costs in picture quality, network by network: the gate before it is switched on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from livevis.core.types import Conditioning, Controls, Cue, Picture
from livevis.evaluate.statistics import psnr_db
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import Engine

FRAME_NETWORKS = ("encode", "denoise", "decode")
GATE_DB = 38.0
"""Below this a network stays float32: at 38 dB the error is about 3 levels of 255, under the model's own flicker."""


def measure(
    engine: Engine,
    controls: Controls,
    conditioning: Conditioning,
    *,
    scenes: Sequence[Picture],
    size: int | None = None,
) -> Mapping[str, float]:
    """Return network (and "all") -> median PSNR in dB of the final pictures, bf16 against f32.

    One first frame from each scene, on OpenVINO. The text is not tried: it runs once a prompt. Raises ValueError with
    fewer than two scenes: an unchanged picture would not be encoded again.
    """
    if len(scenes) < 2:
        raise ValueError(f"scenes={len(scenes)}: at least 2")
    exact, rough = (
        DiffusionGenerator(replace(engine, precision=dict.fromkeys(FRAME_NETWORKS, kind)), runner="openvino", size=size)
        for kind in ("f32", "bf16")
    )
    wanted = _pictures(exact, controls, conditioning, scenes)
    found, runners = {}, dict(exact.runners)
    for name in (*FRAME_NETWORKS, "all"):
        tried = FRAME_NETWORKS if name == "all" else (name,)
        exact.runners = runners | {one: rough.runners[one] for one in tried}
        made = _pictures(exact, controls, conditioning, scenes)
        found[name] = float(np.median([psnr_db(a, b) for a, b in zip(made, wanted, strict=True)]))
    return found


def _pictures(
    generator: DiffusionGenerator, controls: Controls, conditioning: Conditioning, scenes: Sequence[Picture]
) -> list[Picture]:
    start = generator.init(1)
    return [
        generator.step(start, Cue(0, 0, frame / 10, controls), conditioning, scene)[1]
        for frame, scene in enumerate(scenes)
    ]
