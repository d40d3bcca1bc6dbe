"""Sound in memory as a source, for evaluations that play what they have made."""

from __future__ import annotations

import numpy as np

from livevis.audio.paced import PacedSource
from livevis.evaluate.excerpt import F32


class Recording(PacedSource):
    """Samples at 48 kHz, mono, as a pull source; silent before and after."""

    def __init__(self, name: str, sound: F32) -> None:
        super().__init__(name)
        self._sound = sound

    @property
    def length(self) -> int:
        """Samples that there are."""
        return len(self._sound)

    def samples(self, start: int, n: int) -> F32:
        """Return samples [start, start + n) as float32 [n]."""
        out = np.zeros(n, np.float32)
        first, last = max(start, 0), min(start + n, len(self._sound))
        if last > first:
            out[first - start : last - start] = self._sound[first:last]
        return out
