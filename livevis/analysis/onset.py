"""Onsets: log-mel spectral flux that ignores vibrato (SuperFlux, Böck & Widmer 2013), picked without look-ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.analysis.level import F64
from livevis.analysis.spectrum import F32, MEL_BANDS, mel_centres_hz
from livevis.core.features import BANDS_HZ, HOP_S, ROLLUPS

ROWS = ("all", *BANDS_HZ, *ROLLUPS)
LAG = 3
COMPRESSION_FLOOR, ACCENT_FLOOR = 0.01, 0.5
ACCENT_COMPRESSED = 0.08
LOUD_HALF_LIFE_S = 8.0
FLUX_HALF_LIFE_S = 8.0
FLUX_FLOOR = 0.3
MEMORY, RECENT, WAIT = round(0.15 / HOP_S), round(0.03 / HOP_S), round(0.05 / HOP_S)
# White noise and wind seldom rise by this much (log10); the fewer mel bands a row averages, the more it flutters.
LEAST = np.array([0.0, 0.55, 0.42, 0.2, 0.08, 0.05, 0.03, 0.42, 0.08, 0.03])
USUAL, FACTOR, MARGIN = int(0.6 * MEMORY), 3.0, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Flux:
    """One hop of onset evidence: raw [10] mean positive log-mel difference per row of `ROWS`, strength [10] the
    same against its own recent peak, fired [10] whether a row's onset is reported by this hop; accent, half of it
    raw[0] and half the same hardly compressed (in its own scale, about 0.03 at a hit): loud hits count more than hats,
    which is what beats need."""

    raw: F64
    accent: float
    strength: F64
    fired: npt.NDArray[np.bool_]


def spread(mel: F32) -> F32:
    """Return the running maximum over five neighbouring mel bands, so that a wandering partial stays inside."""
    padded = np.concatenate([mel[:1], mel[:1], mel, mel[-1:], mel[-1:]])
    two = np.maximum(padded[:-1], padded[1:])
    widest: F32 = np.maximum(np.maximum(two[:-3], two[2:-1]), padded[4:])
    return widest


def row_means() -> F32:
    """Return the matrix [10, 80] that averages mel bands into rows."""
    hz = mel_centres_hz()
    inside = {band: (hz >= low) & (hz < high) for band, (low, high) in BANDS_HZ.items()}
    members = [np.ones(MEL_BANDS, bool), *inside.values()]
    members += [np.logical_or.reduce([inside[band] for band in group]) for group in ROLLUPS.values()]
    return np.array([m / m.sum() for m in members], np.float32)


class OnsetDetector:
    """State: past, the last three spread mel frames; loud, the peak follower that sets the gain; top, the peak
    followers of the flux [10]; memory, the last 150 ms of strengths [10, 28]; rest, hops until a row may fire."""

    def __init__(self) -> None:
        rows = len(ROWS)
        self.past = np.zeros((LAG, MEL_BANDS), np.float32)
        self.loud = 0.0
        self.top = np.zeros(rows)
        self.memory = np.zeros((rows, MEMORY))
        self.rest = np.zeros(rows, np.int64)
        self.hops = 0
        self._means, self._floors = row_means(), np.zeros((2, 1), np.float32)
        self._recent = (np.arange(MEMORY)[:, None] - np.arange(1, RECENT + 1)) % MEMORY
        self._loud_decay = 0.5 ** (HOP_S / LOUD_HALF_LIFE_S)
        self._top_decay = 0.5 ** (HOP_S / FLUX_HALF_LIFE_S)

    def step(self, mel: F32, silent: bool) -> Flux:
        """Take one mel frame [80] and return this hop's evidence; nothing fires while silent."""
        raw, accent = self._difference(mel, silent)
        self.top = np.maximum(raw, self.top * self._top_decay)
        strength = raw / np.maximum(FLUX_FLOOR, self.top)
        fired = self._pick(strength) & (raw > LEAST) & (not silent)
        self.rest = np.where(fired, WAIT, np.maximum(self.rest - 1, 0))
        self.memory[:, self.hops % MEMORY] = strength
        self.hops += 1
        return Flux(raw, accent, strength, fired)

    def _difference(self, mel: F32, silent: bool) -> tuple[F64, float]:
        if silent:
            self.past[self.hops % LAG] = spread(mel)
            return np.zeros(len(ROWS)), 0.0
        self.loud = max(float(mel.max()), self.loud * self._loud_decay)
        slot = self.hops % LAG
        past, self._floors[:, 0] = self.past[slot], (COMPRESSION_FLOOR * self.loud, ACCENT_FLOOR * self.loud)
        rise, accent = np.maximum(np.log10((mel + self._floors) / (past + self._floors)), 0.0)
        self.past[slot] = spread(mel)
        raw = (self._means @ rise).astype(np.float64)
        return raw, 0.5 * (ACCENT_COMPRESSED * float(raw[0]) + float(np.add.reduce(accent)) / MEL_BANDS)

    def _pick(self, strength: F64) -> npt.NDArray[np.bool_]:
        """A quantile, not a mean or a spread, sets the threshold: fast playing does not mask itself."""
        usual = np.partition(self.memory, USUAL, axis=1)[:, USUAL]
        recent = self.memory[:, self._recent[self.hops % MEMORY]].max(axis=1)
        threshold = FACTOR * usual + MARGIN
        fired: npt.NDArray[np.bool_] = (strength > threshold) & (strength >= recent) & (self.rest == 0)
        return fired
