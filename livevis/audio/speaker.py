"""Makes audible what livevis plays by itself: the jam or a file, from the ring to the default output."""

from __future__ import annotations

from typing import Any

import numpy as np

from livevis.audio.device import sounddevice_library
from livevis.core.errors import DeviceError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

BEHIND = round(0.06 * SAMPLE_RATE_HZ)
"""Samples kept between the ring's writer, who works in hops and may be late, and the loudspeaker."""
_BLOCK = 512
_LONGEST = 1 << 14


class Speaker:
    """One output stream that follows a ring `BEHIND` samples after its writer; their clocks may drift apart."""

    def __init__(self, ring: SampleRing) -> None:
        self._ring = ring
        self._mono = np.zeros(_LONGEST, np.float32)
        self._next = 0
        self._stream: Any = None
        self.jumps = 0

    def start(self) -> None:
        """[main] Open the default output; raises DeviceError when there is none."""
        sd = sounddevice_library()

        def wanted(out: Any, frames: int, time: Any, status: Any) -> None:
            self.fill(out)

        try:
            self._stream = sd.OutputStream(
                samplerate=SAMPLE_RATE_HZ, channels=1, blocksize=_BLOCK, dtype="float32", callback=wanted
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError) as error:
            raise DeviceError(f"no loudspeaker: {error}") from error

    def fill(self, out: Any) -> None:
        """[audio] Write the next samples into `out` float32 [n, 1]; silence until there are enough."""
        frames = len(out)
        behind = self._ring.written - self._next
        if behind < frames or behind > 3 * BEHIND:  # starved or left behind: take up the distance again
            self._next = max(self._ring.written - BEHIND - frames, 0)
            self.jumps += 1
        mono = self._mono[:frames]
        if self._ring.read_into(self._next, mono):
            self._next += frames
        else:
            mono[:] = 0.0
        out[:, 0] = mono

    def stop(self) -> None:
        """[main] Close the output; stopping twice is harmless."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
