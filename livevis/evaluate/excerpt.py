"""A piece of sound whose onsets and beats are known because we made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
MERGE_S = 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """samples: float32 mono at 48 kHz; onsets_s, beats_s: true times in seconds, ascending; bpm: 0 if none."""

    name: str
    samples: F32
    onsets_s: F64
    beats_s: F64
    bpm: float = 0.0

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.samples) / SAMPLE_RATE_HZ


def merge(times_s: list[float]) -> F64:
    """Return ascending times without those within 30 ms of the one before: nobody hears them as two."""
    kept: list[float] = []
    for time_s in sorted(times_s):
        if not kept or time_s - kept[-1] >= MERGE_S:
            kept.append(time_s)
    return np.array(kept)


def normalised(samples: npt.NDArray[np.floating], *, peak: float = 0.7) -> F32:
    """Return float32 samples scaled to a peak; silence stays silence."""
    top = float(np.abs(samples).max(initial=0.0))
    return (samples * (peak / top if top else 0.0)).astype(np.float32)


def overlay(track: F64, grain: F64, at_s: float) -> None:
    """Add a grain to a track from a time on; what sticks out is cut."""
    start = round(at_s * SAMPLE_RATE_HZ)
    room = track[max(start, 0) : start + len(grain)]
    room += grain[max(-start, 0) : max(-start, 0) + len(room)]
