"""Six bands, their three roll-ups and the whole sound: levels, presences and clocks."""

from __future__ import annotations

import numpy as np

from livevis.analysis.level import F64, AutoGain, Smooth
from livevis.analysis.spectrum import F32
from livevis.core.features import BANDS_HZ, HOP_S, ROLLUPS

GROUPS = ("all", *BANDS_HZ, *ROLLUPS)
ATTACK_S, RELEASE_S = 0.005, 0.15
PRESENCE_S = 1.5
# Low bands hear each other through the window's skirts and carry most of the sound; high ones do neither.
RANGES = (1.0, 0.1, 0.1, 0.15, 0.03, 0.02, 0.01, 0.1, 0.05, 0.02)
CLOCK_IDLE, CLOCK_SPAN = 0.1, 1.9


def sums() -> F64:
    """Return the 0/1 matrix [10, 6] that adds bands up to the whole sound, each band, and each roll-up."""
    names = list(BANDS_HZ)
    members = [names, *([name] for name in names), *ROLLUPS.values()]
    return np.array([[float(name in group) for name in names] for group in members])


class Bands:
    """State: gain, fast (levels), slow (presences), clock_s [10]; rows are `GROUPS`."""

    def __init__(self) -> None:
        self.gain = AutoGain(RANGES)
        self.fast = Smooth(len(GROUPS), attack_s=ATTACK_S, release_s=RELEASE_S)
        self.slow = Smooth(len(GROUPS), attack_s=PRESENCE_S, release_s=PRESENCE_S)
        self.clock_s = np.zeros(len(GROUPS))
        self._sums = sums()

    def step(self, bands: F32, silent: bool) -> tuple[F64, F64, F64]:
        """Take band amplitudes [6]; return level, presence and clock, each [10] in the order of `GROUPS`."""
        power = bands.astype(np.float64) ** 2
        amplitude = np.sqrt(self._sums @ power)
        level = self.fast.step(self.gain.step(amplitude, silent))
        presence = self.slow.step(level)
        self.clock_s += HOP_S * (CLOCK_IDLE + CLOCK_SPAN * level)
        return level, presence, self.clock_s
