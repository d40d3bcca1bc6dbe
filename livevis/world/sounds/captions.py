"""Captions of sounds: a phrase, often with a word that is true of the intensity; and of two sounds at once."""

from __future__ import annotations

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.world.sounds.table import SOUNDS
from livevis.world.sounds.words import WORDINGS, Words, said

_JOINED = ("{} and {}", "{} with {}", "{} together with {}", "{} over {}")
_PLAIN_SHARE = 0.35


def strength_words(name: str, intensity: float) -> Words:
    """The words that are true of a sound at an intensity (0..1). Raises ConfigError for an unknown sound."""
    if name not in WORDINGS:
        raise ConfigError(unknown("sound", name, WORDINGS))
    bands = WORDINGS[name].bands
    return bands[min(int(max(intensity, 0.0) * len(bands)), len(bands) - 1)]


def sound_caption(name: str, intensity: float, rng: np.random.Generator) -> str:
    """One lower-case caption of a sound, about two in three with a word for its intensity (a clip's mean, 0..1).

    Raises ConfigError for an unknown sound.
    """
    strengths = strength_words(name, intensity)
    strength = "" if rng.random() < _PLAIN_SHARE else str(rng.choice(strengths))
    return said(str(rng.choice(WORDINGS[name].forms)), strength)


def mix_caption(a: str, b: str, rng: np.random.Generator) -> str:
    """One caption of two sounds at once; each is a sound's name (then one of its phrases is said) or a caption."""
    first, second = (str(rng.choice(SOUNDS[x].phrases)) if x in SOUNDS else x for x in (a, b))
    if rng.random() < 0.5:
        first, second = second, first
    return str(rng.choice(_JOINED)).format(first, second)
