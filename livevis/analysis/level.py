"""Loudness over time: smoothing that knows its time step, the silence gate, and auto-gain."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from livevis.core.features import HOP_S

F64 = npt.NDArray[np.float64]

OPEN_DB, CLOSE_DB, HOLD_S = -62.0, -68.0, 0.4
PEAK_HALF_LIFE_S = 8.0
FLOOR_MEMORY_S, FLOOR_EVERY_S, FLOOR_PERCENTILE = 10.0, 0.1, 10.0
FLOOR_SHARE = 0.4
QUIETEST_PEAK = 10 ** (-50 / 20)


def coefficient(tau_s: float, dt_s: float = HOP_S) -> float:
    """Return the share of the way to the target that a one-pole filter of time constant `tau_s` goes in `dt_s`."""
    return 1.0 - math.exp(-dt_s / tau_s) if tau_s > 0 else 1.0


class Smooth:
    """One-pole smoothing with separate attack and release, the same curve at any time step; state: `value`."""

    def __init__(self, size: int, *, attack_s: float, release_s: float, dt_s: float = HOP_S) -> None:
        self.value: F64 = np.zeros(size)
        self._attack, self._release = coefficient(attack_s, dt_s), coefficient(release_s, dt_s)

    def step(self, target: F64) -> F64:
        """Move towards `target` [size] and return the new value [size]."""
        gap = target - self.value
        self.value = self.value + np.maximum(gap, 0.0) * self._attack + np.minimum(gap, 0.0) * self._release
        return self.value


class Gate:
    """Silence with hysteresis: opens at once, closes after `HOLD_S` below a lower threshold; state: silent, quiet_s."""

    def __init__(self) -> None:
        self.silent = True
        self.quiet_s = HOLD_S

    def step(self, rms: float) -> bool:
        """Take one hop's rms (full scale 1) and return True while silent."""
        if rms > 10 ** ((OPEN_DB if self.silent else CLOSE_DB) / 20):
            self.silent, self.quiet_s = False, 0.0
        else:
            self.quiet_s += HOP_S
            self.silent = self.silent or self.quiet_s >= HOLD_S
        return self.silent


class AutoGain:
    """Maps amplitudes to 0..1 between a percentile floor and a decaying peak; row 0 is the whole sound.

    `ranges` [size]: how far below the whole sound's peak a row's peak may lie and still be blown up to full scale.
    State: peak [size]; floor [size]; heard, the recent past that the floor is a percentile of [100, size];
    both freeze while silent, or a room's hum would become full scale after a pause, and while `frozen` says so.
    """

    def __init__(self, ranges: npt.ArrayLike) -> None:
        self._range = np.asarray(ranges, float)
        size = len(self._range)
        rows = round(FLOOR_MEMORY_S / FLOOR_EVERY_S)
        self.peak, self.floor, self.sum = np.zeros(size), np.zeros(size), np.zeros(size)
        self.heard = np.zeros((rows, size))
        self.hops = self.blocks = 0
        self.frozen = False
        self._decay = 0.5 ** (HOP_S / PEAK_HALF_LIFE_S)
        self._hops_per_block = round(FLOOR_EVERY_S / HOP_S)

    def step(self, amplitude: F64, silent: bool) -> F64:
        """Take amplitudes [size] and return levels 0..1 [size]; all zero while silent."""
        if silent:
            return np.zeros_like(self.peak)
        if not self.frozen:
            self.peak = np.maximum(amplitude, self.peak * self._decay)
            self._follow_floor(amplitude)
        top = np.maximum(self.peak, max(QUIETEST_PEAK, float(self.peak[0])) * self._range)
        floor = np.minimum(self.floor, FLOOR_SHARE * top)
        level: F64 = np.minimum(np.maximum((amplitude - floor) / (top - floor), 0.0), 1.0)
        return level

    def _follow_floor(self, amplitude: F64) -> None:
        self.sum += amplitude
        self.hops += 1
        if self.hops % self._hops_per_block:
            return
        self.heard[self.blocks % len(self.heard)] = self.sum / self._hops_per_block
        self.sum[:] = 0.0
        self.blocks += 1
        known = np.sort(self.heard[: min(self.blocks, len(self.heard))], axis=0)
        self.floor = known[int(len(known) * FLOOR_PERCENTILE / 100)]
