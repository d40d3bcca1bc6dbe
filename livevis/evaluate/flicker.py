"""Does the picture flicker? Warp error between successive generated pictures while the sound stays the same.

`livevis eval flicker` renders presets under a constant sound and asks how far each picture is from the one before,
moved along the optical flow between them (Lai et al. 2018, "Learning Blind Video Temporal Consistency", eq. 9), beside
the same preset played as plain img2img: new noise for every frame and no feedback.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Conditioning, Controls, Cue, Picture
from livevis.evaluate.playing import add_play_flags

F32 = npt.NDArray[np.float32]
PRESETS = ("hearth", "aurora", "storm", "abyss", "forge", "medusa", "cosmos", "tide")
SETTLE_S = 2.0
"""The first seconds are the automatic gain finding its level and the feedback its picture."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A generator played as plain img2img: new noise every frame, no feedback; else as the controls say."""

    generator: Any
    fps: float

    @property
    def size(self) -> int:
        """The generator's picture side in pixels."""
        return int(self.generator.size)

    def init(self, seed: int) -> Any:
        """The generator's own first state."""
        return self.generator.init(seed)

    def step(self, state: Any, cue: Cue, conditioning: Conditioning, init: Picture | None) -> Any:
        """One frame from noise that the frame before has nothing of."""
        changed = {"feedback/amount": 0.0, "init/source": "scene", "diffusion/walk": self.fps}
        controls = Controls(cue.controls.version, dict(cue.controls.values) | changed)
        return self.generator.step(state, Cue(cue.frame, cue.sample, cue.time_s, controls), conditioning, init)


def warp_error(before: Picture, after: Picture) -> float:
    """Mean squared error 0..1 between `after` and `before` moved onto it, where the flow holds both ways.

    before, after: uint8 [H, W, 3]. A pixel counts where flow and backward flow cancel to within a pixel; a picture
    without any such pixel counts whole.
    """
    there, back = _flow(after, before), _flow(before, after)
    moved, returned = _sample(before, there), _sample(back, there)
    valid = np.linalg.norm(there + returned, axis=-1) < 1.0
    error = np.square((after.astype(np.float32) - moved) / 255.0).mean(axis=-1)
    return float(error[valid].mean() if valid.any() else error.mean())


def _flow(of: Picture, to: Picture) -> F32:
    """Dense flow float32 [H, W, 2] in pixels (x, y): where each pixel of `of` lies in `to` (DIS, Kroeger 2016)."""
    cv2 = opencv()
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found: F32 = dis.calc(cv2.cvtColor(of, cv2.COLOR_RGB2GRAY), cv2.cvtColor(to, cv2.COLOR_RGB2GRAY), None)
    return found


def _sample(picture: npt.NDArray[Any], flow: F32) -> F32:
    """`picture` read at every pixel's place plus its flow, bilinear, edges repeated; float32 [H, W, C]."""
    cv2 = opencv()
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    read: F32 = cv2.remap(
        picture.astype(np.float32), columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return read


def opencv() -> Any:
    """Return the cv2 module, which is an extra. Raises ConfigError."""
    try:
        import cv2
    except ImportError as error:
        raise ConfigError("optical flow needs OpenCV: pip install 'livevis[eval]'") from error
    return cv2


def flicker(pictures: Iterator[Picture]) -> float:
    """Median warp error over successive pictures. Raises ConfigError for fewer than two."""
    errors, last = [], None
    for picture in pictures:
        if last is not None:
            errors.append(warp_error(last, picture))
        last = picture
    if not errors:
        raise ConfigError("flicker needs two pictures at least")
    return float(np.median(errors))


def write_constant_sound(path: Path, seconds: float, seed: int = 0) -> None:
    """Write 16-bit mono noise at -20 dBFS, flat to 200 Hz, then -3 dB an octave: level and colour never change."""
    count = round(seconds * SAMPLE_RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 200.0))  # slow bass would swell
    sound = np.fft.irfft(spectrum, count)
    sound *= 0.1 / np.sqrt(np.square(sound).mean())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def measure(preset: str, generator: Any, sound: Path, *, seconds: float, fps: float, seed: int) -> float:
    """Flicker of a preset's generated pictures under `sound`, after SETTLE_S."""
    from livevis.offline import frames, open_pull_source
    from livevis.show import Show

    source = open_pull_source(str(sound), tempo=120.0, seed=seed)
    count, skip = round((SETTLE_S + seconds) * fps), round(SETTLE_S * fps)
    played = frames(
        source, Show(preset=preset, settings={}), count=count, fps=fps, size=(320, 180), generator=generator, seed=seed
    )
    return flicker(frame.generated for frame in played if frame.index >= skip and frame.generated is not None)


def compare(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """By preset: its own flicker, that of fresh-noise img2img, and how many times lower its own is."""
    from livevis.offline import open_generator

    generator, table = open_generator(options), {}
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "constant.wav"
        write_constant_sound(sound, SETTLE_S + options.seconds + 1.0)
        for preset in options.presets.split(","):
            how = {"seconds": options.seconds, "fps": options.fps, "seed": options.seed}
            own = measure(preset, generator, sound, **how)
            fresh = measure(preset, Fresh(generator, options.fps), sound, **how)
            table[preset] = {"own": own, "fresh_noise": fresh, "times_lower": fresh / max(own, 1e-12)}
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("livevis eval flicker", description=__doc__)
    parser.add_argument("--presets", default=",".join(PRESETS), help="names, comma-separated")
    parser.add_argument("--seconds", type=float, default=4.0, help="measured seconds of each (default 4)")
    add_play_flags(parser, fps=24.0)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval flicker`; returns the exit code."""
    options = _parser().parse_args(arguments)
    table = compare(options)
    if options.json:
        print(json.dumps(table, indent=1))
        return 0
    print(f"{'preset':12}{'warp error':>12}{'fresh noise':>13}{'times lower':>13}")
    for preset, row in table.items():
        print(f"{preset:12}{row['own']:12.6f}{row['fresh_noise']:13.6f}{row['times_lower']:13.1f}")
    return 0
