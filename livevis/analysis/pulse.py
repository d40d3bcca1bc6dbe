"""Pulses and counters: what events look like from outside."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from livevis.analysis.level import F64, coefficient

HIT_S = 0.12


class Pulses:
    """Counters that only go up and pulses that jump at an event and then decay; state: count, strength, hit [size]."""

    def __init__(self, size: int) -> None:
        self.count, self.strength, self.hit = np.zeros(size), np.zeros(size), np.zeros(size)
        self._keep = 1.0 - coefficient(HIT_S)

    def step(self, fired: npt.NDArray[np.bool_], strength: F64) -> None:
        """Count the rows that fired, and let the rest decay; a weak event still pulses by a third."""
        self.count += fired
        self.strength = np.where(fired, strength, self.strength)
        pulse = np.minimum(0.3 + 0.7 * strength, 1.0)
        self.hit = np.maximum(self.hit * self._keep, np.where(fired, pulse, 0.0))
