"""The session rows that the analyser obeys, live and offline alike: tempo, nudge, frozen gain, gain before it."""

from __future__ import annotations

import numpy as np

from livevis.analysis.analyser import Analyser
from livevis.core.types import Controls

_SLOWEST_BPM = 30.0


class AnalysisSettings:
    """What the analyser was told last, so that it is told only what is new. One thread calls `obey`, between hops."""

    def __init__(self) -> None:
        self.gain = np.float32(1.0)
        self._version = -1
        self._bpm = self._nudge_ms = 0.0

    def obey(self, base: Controls, analyser: Analyser) -> None:
        """Bring the analyser to the performer's values; `gain` is then the factor for the next hops."""
        if base.version == self._version:
            return
        self._version = base.version
        self.gain = np.float32(10 ** (base.number("audio/gain") / 20))
        analyser.freeze_gain(bool(base["audio/freeze"]))
        bpm, nudge_ms = base.number("tempo/bpm"), base.number("tempo/nudge")
        if bpm != self._bpm:
            analyser.set_tempo(bpm if bpm >= _SLOWEST_BPM else 0.0)
        if nudge_ms != self._nudge_ms:
            analyser.nudge((nudge_ms - self._nudge_ms) / 1000)
        self._bpm, self._nudge_ms = bpm, nudge_ms
