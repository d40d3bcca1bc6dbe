"""The nine sounds of the Landscape data (Lee et al. 2022) as the world has them: what they are called, and takes.

Takes are of odd seeds, which the ears were never trained on (`livevis.train.clap.clips`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F32, F64

CURVE_HZ = 100
LEVEL_DB = -24.0
"""RMS below full scale of every sound that stands beside another or before it."""
CROSSFADE_S = 0.5
_TURNS = 1.5


@dataclass(frozen=True, slots=True)
class Thing:
    """One sound of the world and of pictures: `word` is the prompt's for it, `said` the prompt that names it alone."""

    sound: str
    word: str
    said: str


NINE: tuple[Thing, ...] = (
    Thing("fire", "fire", "a fire"),
    Thing("rain", "rain", "rain"),
    Thing("lightning", "lightning", "lightning"),
    Thing("underwater_bubbles", "bubbles", "bubbles"),
    Thing("waterfall", "waterfall", "a waterfall"),
    Thing("splashing_water", "splash", "a splash"),
    Thing("squishing_mud", "mud", "mud"),
    Thing("wind_grass", "grass", "tall grass"),
    Thing("volcano", "volcano", "a volcano"),
)
THINGS: Mapping[str, Thing] = {thing.sound: thing for thing in NINE}


def bank(things: Iterable[Thing] = NINE) -> str:
    """The two shortest plain phrases of each thing's sound as `aadiff/bank` has it: "a crackling fire: fire, ..."."""
    from livevis.world.sounds import SOUNDS

    short = {thing.word: sorted(SOUNDS[thing.sound].phrases, key=len)[:2] for thing in things}
    return ", ".join(f"{phrase}: {word}" for word, phrases in short.items() for phrase in phrases)


def swell(seconds: float) -> F32:
    """Intensity every 10 ms that falls from 1 to 0, swells to 1 and falls again, as a cosine."""
    turns = np.arange(round(seconds * CURVE_HZ)) / (seconds * CURVE_HZ) * _TURNS
    return (0.5 + 0.5 * np.cos(2 * np.pi * turns)).astype(np.float32)


def take(sound: str, index: int, seconds: float, intensity: float | F32 = 0.6) -> F32:
    """Held-out take `index` of a sound, float32 [samples] at 48 kHz."""
    from livevis.train.clap.clips import clip_seed
    from livevis.world.sounds import synthesise

    seed = clip_seed(index, held_out=True)
    return np.asarray(synthesise(sound, seed=seed, seconds=seconds, intensity=intensity), np.float32)


def levelled(sound: F32, level_db: float = LEVEL_DB) -> F32:
    """The sound at so many dB RMS below full scale; silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return sound * np.float32(10 ** (level_db / 20) / rms) if rms > 0 else sound


def mixed(sounds: Sequence[F32]) -> F32:
    """Sounds of one length at once, each as loud as the others."""
    total: F32 = np.sum([levelled(sound) for sound in sounds], axis=0, dtype=np.float32)
    return total


def followed(sounds: Sequence[F32], each_s: float, crossfade_s: float = CROSSFADE_S) -> F32:
    """Sounds one after another, equally loud: the next fades in (at constant power) from each multiple of `each_s`.

    Every sound is at least each_s + crossfade_s long; what is longer is cut.
    """
    step, fade = round(each_s * SAMPLE_RATE_HZ), round(crossfade_s * SAMPLE_RATE_HZ)
    rise: F64 = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / max(fade, 1))
    whole = np.zeros(step * len(sounds) + fade, np.float32)
    for place, sound in enumerate(sounds):
        part = levelled(sound)[: step + fade].astype(np.float64)
        if place:
            part[:fade] *= rise
        if place < len(sounds) - 1:
            part[step:] *= rise[::-1]
        whole[place * step :][: len(part)] += part.astype(np.float32)
    return whole[: step * len(sounds)]
