"""How well one curve follows another, and how far behind."""

from __future__ import annotations

import numpy as np

from livevis.evaluate.excerpt import F64

MAX_LAG = 10


def correlation(a: F64, b: F64) -> float:
    """Return Pearson's r of two series [N]; 0 when either is constant."""
    if a.std() < 1e-12 or b.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def best_lag(driver: F64, moved: F64, most: int = MAX_LAG, *, least: int = 0) -> tuple[int, float]:
    """Return (lag in frames, r) where `moved` follows `driver` best, lags least..most; one below 0 is a lead."""
    lags = sorted(range(least, most + 1), key=abs)
    scores = [_correlation_at(driver, moved, lag) for lag in lags]
    best = int(np.argmax(scores))
    return lags[best], scores[best]


def _correlation_at(driver: F64, moved: F64, lag: int) -> float:
    count = len(driver) - abs(lag)
    return correlation(driver[max(-lag, 0) :][:count], moved[max(lag, 0) :][:count])
