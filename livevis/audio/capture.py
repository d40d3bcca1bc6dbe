"""What happens inside the driver's callback, and nothing else.

A device that runs at 48 kHz writes straight into the shared ring. One that does not writes its own rate into a second
ring of the same kind, and the supervising thread resamples from there: never in the callback.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from livevis.audio.source import Channel, Samples
from livevis.core.errors import ConfigError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

BLOCK = 256
_LONGEST = 1 << 14
_STAGE_S = 1.0


def channels_to_open(channel: Channel, available: int) -> int:
    """Return how many channels to ask of a device: two, or up to the one wanted.

    Never one of several: a sound server would mix them down before we could choose. Raises ConfigError when
    the device has no such channel.
    """
    if channel == "mix":
        return min(2, available)
    if not 1 <= channel <= available:
        raise ConfigError(f"channel {channel} does not exist; choose 'mix' or 1..{available}")
    return min(available, max(2, channel))


def channel_weights(channel: Channel, channels: int) -> npt.NDArray[np.float32]:
    """Return float32 [channels]: the mean for "mix", one channel alone for its number."""
    if channel == "mix":
        return np.full(channels, 1 / channels, np.float32)
    weights = np.zeros(channels, np.float32)
    weights[channel - 1] = 1
    return weights


class Sink(Protocol):
    """Where the callback puts mono samples."""

    def write(self, block: Samples) -> None:
        """[audio] Copy and publish."""
        ...


class Capture:
    """The callback's state: weights, one preallocated mono block, and counters that only the callback moves."""

    def __init__(self, sink: Sink, *, channel: Channel, channels: int) -> None:
        self._sink = sink
        self._weights = channel_weights(channel, channels)
        self._mono = np.zeros(_LONGEST, np.float32)
        self.blocks = 0
        self.overflows = 0

    def take(self, block: Samples, overflowed: bool) -> None:
        """[audio] Put [n, channels] float32 into the sink as mono [n], and count; the driver reuses `block`."""
        mono = self._mono[: len(block)]
        np.dot(block, self._weights, out=mono)
        self._sink.write(mono)
        self.blocks += 1
        self.overflows += overflowed


class Resampler:
    """A second ring at the device's rate, drained into the shared one at 48 kHz by the supervising thread."""

    def __init__(self, ring: SampleRing, rate_hz: int) -> None:
        import soxr

        self._ring = ring
        self.stage = SampleRing.create(_STAGE_S)
        self._stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="LQ")
        self._read = 0

    def drain(self) -> None:
        """[supervisor] Resample all that has come since the last call; what was overtaken becomes a gap."""
        new = self.stage.written - self._read
        if new <= 0:
            return
        block = self.stage.read(self._read, new)
        self._read += new
        if block is None:
            self._ring.skip(new)
        else:
            self._ring.write(self._stream.resample_chunk(block))

    def close(self) -> None:
        """[supervisor] Release the second ring; the stream must be closed before."""
        self.stage.close()
