"""TPoS without an encoder of its own: texts of things that sound, mixed by how likely CLAP finds each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Heard
from livevis.methods.contrast import loudness_logit, window_gain

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Read = Callable[[int, int], F32 | None]
"""(start, n) -> samples [start, start + n) at 48 kHz, None where they cannot be had any more."""

SHARPNESS = 30.0
"""What cosines are multiplied with before the softmax: more than CLAP learnt (12), for a mixture of all paints none."""
SEGMENTS = 5
"""Seconds of which the newest is held against all: the window of the pocket's encoder."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """One kind of sound: the text of what it looks like, empty where it looks like nothing, and phrases for its sound.

    Raises ValueError without a phrase."""

    text: str
    phrases: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.phrases:
            raise ValueError(f"sound class '{self.text}' has no phrase")


def phrases(classes: Sequence[SoundClass]) -> tuple[str, ...]:
    """All that has to be listened for, each phrase once."""
    return tuple(dict.fromkeys(phrase for one in classes for phrase in one.phrases))


def probabilities(heard: Heard, classes: Sequence[SoundClass]) -> F64 | None:
    """How likely each class is, [C], summing to 1: a softmax of the mean cosine of its phrases.

    None where a phrase has not been scored, which is so just after it was asked for.
    """
    if any(phrase not in heard.scores for phrase in phrases(classes)):
        return None
    cosines = np.array([np.mean([heard.scores[phrase] for phrase in one.phrases]) for one in classes])
    weights = np.exp(SHARPNESS * (cosines - cosines.max()))
    return np.asarray(weights / weights.sum())


def loudness_gain(read: Read, sample: int) -> float:
    """How much louder the second before `sample` is than the seconds up to it: temporal attention's gain, 0..5.

    Of seconds that are there to be read; 1 where only one is.
    """
    logits = []
    for ago in range(SEGMENTS):
        start = sample - (ago + 1) * SAMPLE_RATE_HZ
        wave = read(start, SAMPLE_RATE_HZ) if start >= 0 else None
        if wave is None:
            break
        logits.append(loudness_logit(float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))))
    return window_gain(np.array(logits[::-1])) if logits else 1.0
