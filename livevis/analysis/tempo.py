"""Tempo from the self-similarity of recent novelty (Ellis 2007, Davies & Plumbley 2007), filtered over time."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft

from livevis.analysis.level import F64
from livevis.core.features import HOP_S

HOPS_PER_FRAME = 2
FRAME_S = HOPS_PER_FRAME * HOP_S
MEMORY_S = 6.0
MEMORY = round(MEMORY_S / FRAME_S)
TRANSFORM = 1024
EVERY = 8
TEMPI, SLOWEST_BPM, FASTEST_BPM = 96, 55.0, 210.0
PRIOR_BPM, PRIOR_OCTAVES = 120.0, 0.7
HINT_OCTAVES = 0.25
LEAST_ENERGY, LEAST_SCORE = 1.0, 0.001
DRIFT_OCTAVES, LEAK = 0.06, 0.02
COMB = ((1.0, 1.0), (2.0, 1.0), (4.0, 1.0), (0.5, 0.5))
BPM = np.geomspace(SLOWEST_BPM, FASTEST_BPM, TEMPI)


def prior(centre_bpm: float, octaves: float) -> F64:
    """Return a log-normal preference over `BPM` [96]."""
    return np.exp(-0.5 * (np.log2(BPM / centre_bpm) / octaves) ** 2)


def transitions() -> F64:
    """Return the row-stochastic matrix [96, 96] by which the tempo may drift between two looks, or leap."""
    distance = np.log2(BPM[:, None] / BPM[None, :]) / DRIFT_OCTAVES
    near = np.exp(-0.5 * distance**2)
    steps: F64 = (1 - LEAK) * near / near.sum(axis=1, keepdims=True) + LEAK / TEMPI
    return steps


def autocorrelation(novelty: F64) -> F64:
    """Return the autocorrelation of novelty [562], near 1 at lag 0; lags below 462 are free of wrap-around.

    Novelty with little energy correlates with nothing, or the ripple of a hum would have a tempo.
    """
    spectrum = rfft(novelty - novelty.mean(), TRANSFORM)
    raw: F64 = irfft(spectrum.real**2 + spectrum.imag**2, TRANSFORM)
    raw /= raw[0] + LEAST_ENERGY
    return raw


class TempoEstimator:
    """State: novelty, the last 6 s [562]; posterior, probability of each tempo
    [96], summed up as bpm and confidence; preference, its prior."""

    def __init__(self) -> None:
        self.novelty = np.zeros(MEMORY)
        self.frames = 0
        self.preference = prior(PRIOR_BPM, PRIOR_OCTAVES)
        self._settle(self.preference)
        self._transitions = transitions()
        periods = 60.0 / BPM / FRAME_S
        lags = np.array([factor for factor, _ in COMB])[:, None] * periods
        self._below = lags.astype(np.int64)
        self._part = lags - self._below
        self._weights = np.array([weight for _, weight in COMB])

    def step(self, novelty: float) -> bool:
        """Take one frame of novelty; every eighth look again and return True."""
        self.novelty[:-1] = self.novelty[1:]
        self.novelty[-1] = novelty
        self.frames += 1
        if self.frames % EVERY:
            return False
        self._look()
        return True

    def _look(self) -> None:
        similarity = autocorrelation(self.novelty)
        sampled = similarity[self._below] * (1 - self._part) + similarity[self._below + 1] * self._part
        score = np.maximum(self._weights @ sampled, 0.0) ** 2 + LEAST_SCORE
        self._settle((self.posterior @ self._transitions) * score * self.preference)

    def _settle(self, posterior: F64) -> None:
        """Take a new posterior: bpm is its peak between grid points, confidence the mass around it."""
        self.posterior = posterior / posterior.sum()
        best = int(np.argmax(self.posterior))
        around = slice(max(0, best - 1), best + 2)
        near = self.posterior[around]
        self.bpm = float(np.exp(np.log(BPM[around]) @ near / near.sum()))
        self.confidence = float(near.sum())

    def prefer(self, bpm: float) -> None:
        """Stay near this tempo from now on; 0 forgets the wish."""
        self.preference = prior(bpm, HINT_OCTAVES) if bpm > 0 else prior(PRIOR_BPM, PRIOR_OCTAVES)
        if bpm > 0:
            self._settle(self.preference)
