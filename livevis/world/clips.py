"""Moving pictures with their sound: one curve of intensity drives both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.world.captions import Caption, Part
from livevis.world.render import SceneRenderer
from livevis.world.scenes import SCENES, captions_for, draw_among
from livevis.world.split import split

CURVE_RATE_HZ = 100
AUDIO_RATE_HZ = 48_000
SECONDS = 10.0
STREAM = 7
"""Keeps a clip's random numbers apart from those of the draw with its index."""

Curve = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A scene or a mixture in motion, with a caption that says no intensity.

    `curves` holds each part's intensity 0..1, float32 [seconds · 100], one value per 10 ms; `shapes` their kinds.
    """

    parts: tuple[Part, ...]
    relation: str
    caption: Caption
    shapes: tuple[str, ...]
    curves: tuple[Curve, ...]
    seconds: float
    seed: int

    def intensities(self, time_s: float) -> tuple[float, ...]:
        """Each part's intensity at a time of the clip, 0 ≤ time_s ≤ seconds."""
        steps = np.arange(len(self.curves[0])) / CURVE_RATE_HZ
        return tuple(float(np.interp(time_s, steps, curve)) for curve in self.curves)

    def parts_at(self, time_s: float) -> tuple[Part, ...]:
        """What is to be drawn at a time of the clip."""
        pairs = zip(self.parts, self.intensities(time_s), strict=True)
        return tuple(Part(p.scene, {**p.inputs, "intensity": k}, p.time + time_s) for p, k in pairs)

    def frames(self, renderer: SceneRenderer, fps: float) -> Iterator[npt.NDArray[np.uint8]]:
        """The clip's pictures, uint8 [size, size, 3] each, one every 1 / fps seconds from 0 on."""
        for frame in range(round(self.seconds * fps)):
            yield renderer.render_parts(self.parts_at(frame / fps), self.relation)

    def sound(self) -> npt.NDArray[np.float32]:
        """The clip's sound, float32 [seconds · 48000] mono within ±1: its parts together, each driven by its curve."""
        from livevis.world.sounds import synthesise  # here, for a picture needs no synthesiser

        voices = [
            synthesise(part.scene, seed=self.seed + place, seconds=self.seconds, intensity=curve)
            for place, (part, curve) in enumerate(zip(self.parts, self.curves, strict=True))
        ]
        mixed = np.sum(voices, axis=0, dtype=np.float32)
        return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def clip(seed: int, index: int, *, seconds: float = SECONDS) -> Clip:
    """The `index`-th clip of the world `seed`, of scenes that have a sound; obeys `split(index)` as draws do."""
    rng = np.random.default_rng((seed, index, STREAM))
    drawn = draw_among(sounding(), split(index), rng)
    shapes = tuple(list(SHAPES)[int(rng.integers(len(SHAPES)))] for _ in drawn.parts)
    times = np.arange(round(seconds * CURVE_RATE_HZ)) / CURVE_RATE_HZ
    curves = tuple(np.clip(SHAPES[shape](times, rng), 0.0, 1.0).astype(np.float32) for shape in shapes)
    unsaid = captions_for(drawn, rng, bands=(None,) * len(drawn.parts))
    return Clip(drawn.parts, drawn.relation, unsaid, shapes, curves, seconds, int(rng.integers(2**31)))


def sounding() -> tuple[str, ...]:
    """The scenes that have a sound, in alphabetical order."""
    from livevis.world.sounds import SOUNDS

    return tuple(name for name in SCENES if name in SOUNDS)


def _swells(times: Times, rng: np.random.Generator) -> Times:
    """Slow waves of two periods between 3 and 12 s, from near calm to near raging."""
    periods, phases = rng.uniform(3.0, 12.0, 2), rng.random(2)
    waves = [0.5 - 0.5 * np.cos(2.0 * np.pi * (times / p + phase)) for p, phase in zip(periods, phases, strict=True)]
    return np.asarray(0.02 + 0.96 * (0.7 * waves[0] + 0.3 * waves[1]))


def _steps(times: Times, rng: np.random.Generator) -> Times:
    """Levels held 0.7 to 2.5 s, at least 0.25 apart, with glides of 0.1 s between them."""
    at, level = 0.0, float(rng.random())
    marks: list[tuple[float, float]] = []
    while at <= times[-1]:
        until = at + rng.uniform(0.7, 2.5)
        marks += [(at, level), (until - 0.1, level)]
        at, level = until, float((level + rng.uniform(0.25, 0.75)) % 1.0)
    return np.interp(times, [at for at, _ in marks], [level for _, level in marks])


def _pulses(times: Times, rng: np.random.Generator) -> Times:
    """A hit on every beat of 70 to 150 a minute over a low floor, risen in 30 ms and fallen by half in 0.1 to 0.2 s."""
    beat, half, floor = 60.0 / rng.uniform(70.0, 150.0), rng.uniform(0.1, 0.2), rng.uniform(0.0, 0.25)
    heights = rng.uniform(0.55, 1.0 - floor, int(times[-1] / beat) + 2)
    number, since = np.divmod(times, beat)
    hit = np.minimum(since / 0.03, 1.0) * 0.5 ** (np.maximum(since - 0.03, 0.0) / half)
    return np.asarray(floor + heights[number.astype(int)] * hit)


SHAPES: Mapping[str, Callable[[Times, np.random.Generator], Times]] = {
    "swells": _swells,
    "steps": _steps,
    "pulses": _pulses,
}
"""How a clip's intensity may run over time."""
