"""A process that listens: opens a source, prints its status as JSON lines, and saves what it heard when told to stop.

Arguments: source ("device", "pyaudio", or "native": the device held to 44.1 kHz), channel, file for the ring.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import threading

import numpy as np

from livevis.audio.device import DeviceInfo, SoundDeviceDriver
from livevis.audio.source import Source, SourceSpec, open_source
from livevis.audio.supervised import LiveSource
from livevis.audio.watchdog import Rules
from livevis.core.exchange import SampleRing

QUICK = Rules(silence_s=1.0, pause_s=0.25, pause_max_s=0.5)


class NativeRateDriver(SoundDeviceDriver):
    """An input that offers only its own rate, as USB microphones do."""

    def rate_hz(self, device: DeviceInfo, channels: int) -> int:
        assert device.rate_hz == 44_100
        return device.rate_hz


def open_listener(kind: str, channel: str) -> Source:
    number = "mix" if channel == "mix" else int(channel)
    if kind == "native":
        return LiveSource(NativeRateDriver(), SourceSpec(channel=number))
    source = open_source(kind, channel=number)
    assert isinstance(source, LiveSource)
    source._rules = QUICK  # the patience of a test, not of a stage
    return source


def main() -> None:
    kind, channel, path = sys.argv[1:]
    ring = SampleRing.create(60)
    source = open_listener(kind, channel)
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
    source.start(ring)
    while not told.wait(0.05):
        row = dataclasses.asdict(source.status()) | {"written": ring.written, "lost": ring.lost, "gaps": ring.gaps}
        print(json.dumps(row), flush=True)
    source.stop()
    heard = ring.read(ring.oldest, ring.written - ring.oldest)
    assert heard is not None
    np.save(path, heard)
    print(json.dumps(dataclasses.asdict(source.status()) | {"lost": ring.lost, "gaps": ring.gaps}), flush=True)
    ring.close()


if __name__ == "__main__":
    main()
