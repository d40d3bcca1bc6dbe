"""How far the sound can be heard at all, 0..1: what fades a method out with its sound, to exactly nothing.

Loudness in decibels from the gate's own threshold up, of a mean that pauses between notes do not pull down; it moves by
no more than a whole fade a time, so nothing clicks, and in the gate's silence it ends at 0, not near it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from livevis.core.types import AudioFeatures

QUIET_DB, FULL_DB = -62.0, -42.0
MEAN_S = 0.3
RISE_S, FALL_S = 0.1, 0.4


@dataclass(frozen=True, slots=True)
class AudibleState:
    """time_s, total: the sound's clock and its clock of loudness (None before the first frame); mean: rms, full scale
    1; share: what is heard of it, 0..1."""

    time_s: float | None = None
    total: float = 0.0
    mean: float = 0.0
    share: float = 0.0


def step(state: AudibleState, features: AudioFeatures) -> AudibleState:
    """Go on to the newest hop; `share` is what to play by. A stream that starts over starts anew."""
    time_s, total = features.time_s, features["rms.time"]
    if state.time_s is None or time_s < state.time_s or total < state.total:
        return AudibleState(time_s, total)
    dt_s = time_s - state.time_s
    if dt_s == 0:
        return state
    mean = state.mean + (1 - math.exp(-dt_s / MEAN_S)) * ((total - state.total) / dt_s - state.mean)
    target = 0.0 if features["silence"] > 0.5 else _share(mean)
    moved = min(max(target - state.share, -dt_s / FALL_S), dt_s / RISE_S)
    return AudibleState(time_s, total, mean, state.share + moved if abs(moved) < abs(target - state.share) else target)


def _share(rms: float) -> float:
    loud_db = 20 * math.log10(max(rms, 1e-9))
    return min(max((loud_db - QUIET_DB) / (FULL_DB - QUIET_DB), 0.0), 1.0)
