"""The table of sounds, and how one is made: a take of the right length, its synthesiser, and a place to hear it in."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError, unknown
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.world.sounds import creatures, earth, electric, music, people, space, water, weather
from livevis.world.sounds.acoustics import CURVE_HZ, HOP, Curve, Signal, Take
from livevis.world.sounds.place import recorded
from livevis.world.sounds.words import WORDINGS, Words, plain

Synthesiser = Callable[[Take], Signal]


@dataclass(frozen=True, slots=True)
class Sound:
    """One kind of sound: what a caption calls it, and the synthesiser of a dry take."""

    name: str
    kind: Literal["scene", "distractor"]
    phrases: Words
    synthesise: Synthesiser


_SCENES: tuple[Synthesiser, ...] = (
    earth.fire, water.ocean_waves, water.rain, weather.lightning, water.underwater_bubbles, earth.volcano,
    water.waterfall, water.squishing_mud, weather.wind_grass, water.splashing_water, creatures.forest, weather.snow,
    electric.city_night, weather.desert, space.crystal, electric.circuit, space.nebula, electric.neon_tunnel,
    earth.lava_lamp, creatures.coral, space.mandala, space.aurora,
)  # fmt: skip
_DISTRACTORS: tuple[Synthesiser, ...] = (music.drums, music.bass, music.pads, people.babble, people.applause)


def _sound(make: Synthesiser, kind: Literal["scene", "distractor"]) -> Sound:
    name = make.__name__
    return Sound(name, kind, tuple(plain(form) for form in WORDINGS[name].forms), make)


SOUNDS: Mapping[str, Sound] = {
    **{make.__name__: _sound(make, "scene") for make in _SCENES},
    **{make.__name__: _sound(make, "distractor") for make in _DISTRACTORS},
}
"""Every sound by name; a scene's sound has the scene's name."""


def synthesise(
    name: str, *, seed: int, seconds: float, intensity: float | npt.NDArray[np.floating] = 0.5
) -> npt.NDArray[np.float32]:
    """Return float32 [round(seconds * 48000)] within -1..1: one sound, its intensity (0..1) steady or every 10 ms.

    The same arguments give the same samples; another seed gives another performance, instrument and place.
    Raises ConfigError for an unknown sound, a length under 0.1 s, or a curve of the wrong length.
    """
    if name not in SOUNDS:
        raise ConfigError(unknown("sound", name, SOUNDS))
    samples = round(seconds * SAMPLE_RATE_HZ)
    if seconds < 0.1:
        raise ConfigError(f"a sound of {seconds:g} s is too short: at least 0.1 s")
    curve = _curve(intensity, samples)
    play, place = (np.random.default_rng([zlib.crc32(name.encode()), abs(seed), part]) for part in (0, 1))
    dry = SOUNDS[name].synthesise(Take(curve, samples, play))
    # A generator of its own: the place stays the same whatever happens in it.
    return recorded(Take(curve, samples, place), np.asarray(dry, np.float32))


def _curve(intensity: float | npt.NDArray[np.floating], samples: int) -> Curve:
    """One value per 10 ms, clipped to 0..1; a curve may be a value too long or too short."""
    frames = -(-samples // HOP)
    given = np.atleast_1d(np.asarray(intensity, np.float32))
    if given.ndim != 1 or (np.ndim(intensity) and abs(len(given) - frames) > 1):
        raise ConfigError(f"an intensity curve of shape {given.shape} is not one value per 10 ms: [{frames}] expected")
    if not np.all(np.isfinite(given)):
        raise ConfigError("an intensity curve holds values that are not numbers")
    grown = np.full(frames, given[0]) if len(given) == 1 else np.pad(given, (0, 1), mode="edge")[:frames]
    return np.clip(grown, 0, 1).astype(np.float32)


CURVE_RATE_HZ = CURVE_HZ
"""Values of an intensity curve per second."""
