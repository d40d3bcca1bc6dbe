"""AV-Align: how many onsets of a sound and peaks of a picture's motion meet (Yariv et al. 2024, TempoTokens, eq. 9).

Intersection over union of two lists of times. The window is one frame, so the score falls with latency and depends on
the frame rate: it is read at 24 fps, beside the score at the best lag and beside what chance gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from livevis.evaluate.excerpt import F64

MOST_LAG_S, LAG_STEP_S = 0.25, 0.005


@dataclass(frozen=True, slots=True)
class Rule:
    """one_to_one: a peak answers one onset at most. floor_px: weaker motion than this is no peak."""

    one_to_one: bool
    floor_px: float


RULES: dict[str, Rule] = {
    "one-to-one": Rule(one_to_one=True, floor_px=0.1),  # the released code since 2025-02-13
    "original-2023": Rule(one_to_one=False, floor_px=0.0),  # the code as first released; can exceed 1
}


@dataclass(frozen=True, slots=True, eq=False)
class LagSweep:
    """score at every lag of lags_s (picture after sound: positive); best_s: middle of the widest best stretch."""

    lags_s: F64
    scores: F64
    best_s: float

    @property
    def best(self) -> float:
        """The score at the best lag; NaN where nothing can be scored."""
        return float(self.scores.max())


def matches(onsets_s: F64, peaks_s: F64, *, fps: float, rule: Rule) -> int:
    """Return how many onsets a peak answers, less than a frame away; both lists ascend.

    One to one, each onset in turn takes the first peak that is free: as both lists ascend, one walk is enough.
    """
    low, high = (peaks_s - 1 / fps).tolist(), (peaks_s + 1 / fps).tolist()
    count = at = 0
    for onset in onsets_s.tolist():
        while at < len(high) and high[at] <= onset:
            at += 1
        if at < len(low) and low[at] < onset:
            count += 1
            at += rule.one_to_one
    return count


def av_align(onsets_s: F64, peaks_s: F64, *, fps: float, rule: Rule) -> float:
    """Return matches over the union, 0..1 where the rule is one to one; NaN when there is neither onset nor peak."""
    met = matches(onsets_s, peaks_s, fps=fps, rule=rule)
    union = len(onsets_s) + len(peaks_s) - met
    return met / union if union else math.nan


def sweep(onsets_s: F64, peaks_s: F64, *, fps: float, rule: Rule) -> LagSweep:
    """Score with the picture moved by every lag within ±250 ms, 5 ms apart."""
    steps = round(MOST_LAG_S / LAG_STEP_S)
    lags: F64 = np.arange(-steps, steps + 1, dtype=np.float64) * LAG_STEP_S
    scores = np.array([av_align(onsets_s, peaks_s - lag, fps=fps, rule=rule) for lag in lags])
    return LagSweep(lags, scores, _middle_of_best(lags, scores))


def _middle_of_best(lags: F64, scores: F64) -> float:
    """The middle of the longest stretch of best scores, of equal ones that nearest to no lag; 0 where all are alike."""
    best = scores == scores.max()
    if best.all() or not best.any():
        return 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], best, [False]])))
    stretches = [(last - first, (lags[first] + lags[last - 1]) / 2) for first, last in edges.reshape(-1, 2)]
    return float(max(stretches, key=lambda stretch: (stretch[0], -abs(stretch[1])))[1])


def chance(onsets_s: F64, score: Callable[[F64], float], *, seconds: float, shifts: int, seed: int) -> float:
    """Return the mean score over `shifts` random circular shifts of the onsets within `seconds`."""
    turns = np.random.default_rng(seed).uniform(0, seconds, shifts)
    return float(np.mean([score(np.sort((onsets_s + turn) % seconds)) for turn in turns]))
