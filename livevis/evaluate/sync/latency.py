"""From an onset to the change it makes: how long until the picture moves or lights up more than it just did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from livevis.evaluate.excerpt import F32, F64
from livevis.evaluate.sync.motion import Motion
from livevis.evaluate.sync.onsets import RATE_HZ

RECENT_S, LONGEST_S = 0.5, 0.5
EARLY_S = 0.01
"""How much earlier than its onset an answer may be: an attack is known to a few milliseconds."""
FLOOR_PX, FLOOR_LUMA = 0.1, 0.005
FEWEST = 3
_BLOCK = 64
_BEFORE_S, _AFTER_S = 0.06, 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Latency:
    """asked: onsets with a recent level to compare with; delays_s: of those that were answered, in their order."""

    asked: int
    delays_s: F64

    def percentile_s(self, percent: float) -> float:
        """Return a percentile of the delays; NaN when nothing was answered."""
        return float(np.percentile(self.delays_s, percent)) if len(self.delays_s) else math.nan


def attacks(sound: F32, onsets_s: F64) -> F64:
    """Return when each onset's attack began, to 3 ms: librosa reports onsets 7 to 30 ms late, on a grid of 23 ms.

    sound: float32 mono at 22.05 kHz. The steepest rise of the log energy (of the samples' differences, which favours
    attacks over bass) from 60 ms before to 10 ms after the onset.
    """
    blocks = len(sound) // _BLOCK
    edges = np.diff(sound.astype(np.float64), prepend=0.0)[: blocks * _BLOCK]
    energy = np.square(edges.reshape(blocks, _BLOCK)).sum(axis=1)
    level = np.log(energy + 1e-4 * energy.max(initial=0.0) + 1e-12)
    before = np.pad(level, (4, 0), constant_values=level.min(initial=0.0))
    rise = level - np.lib.stride_tricks.sliding_window_view(before, 4)[:blocks].max(axis=1)
    return np.array([_steepest(rise, onset) for onset in onsets_s])


def _steepest(rise: F64, onset_s: float) -> float:
    first = max(0, math.floor((onset_s - _BEFORE_S) * RATE_HZ / _BLOCK))
    span = rise[first : math.ceil((onset_s + _AFTER_S) * RATE_HZ / _BLOCK) + 1]
    return (first + int(np.argmax(span))) * _BLOCK / RATE_HZ if len(span) else onset_s


def threshold(recent: F64, floor: float) -> float:
    """Return what a change must exceed: the median by three deviations, by half of itself and by a floor."""
    usual = float(np.median(recent))
    spread = 1.4826 * float(np.median(np.abs(recent - usual)))
    return usual + max(3 * spread, 0.5 * usual, floor)


def latency(onsets_s: F64, motion: Motion, *, fps: float) -> Latency:
    """Return how long the picture takes to answer each onset.

    The answer is the first frame, shown at i / fps, in which flow or luma changes by more than `threshold` of the half
    second before; one that comes after the next onset or half a second is none.
    """
    ends = np.append(onsets_s, np.inf)[1:] - EARLY_S
    delays = [
        min(
            _delay(motion.flow_px, onset, end, fps, FLOOR_PX),
            _delay(motion.luma, onset, end, fps, FLOOR_LUMA),
        )
        for onset, end in zip(onsets_s, ends, strict=True)
        if (onset - EARLY_S) * fps > FEWEST - 1
    ]
    return Latency(len(delays), np.array([delay for delay in delays if math.isfinite(delay)]))


def _delay(change: F64, onset_s: float, end_s: float, fps: float, floor: float) -> float:
    """From the onset to the first frame that exceeds the recent level; inf when none does before the end."""
    start = math.ceil((onset_s - EARLY_S) * fps)
    stop = math.ceil(min(end_s, onset_s + LONGEST_S) * fps)
    recent = change[max(0, start - round(RECENT_S * fps)) : start]
    if not len(recent):
        return math.inf
    found = np.flatnonzero(change[start:stop] > threshold(recent, floor))
    return (start + int(found[0])) / fps - onset_s if len(found) else math.inf
