"""A live input under supervision: it is opened, watched, and when it goes, zeros are fed until it is back."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from livevis.audio.capture import Capture, Resampler, channels_to_open
from livevis.audio.device import DeviceInfo, Driver, pick
from livevis.audio.source import SourceSpec, SourceStatus
from livevis.audio.watchdog import Rules, begin, reopened, step
from livevis.core.errors import DeviceError, LivevisError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

_TICK_S = 0.02
_RESAMPLING_TICK_S = 0.003
_LONGEST_FEED = 10 * SAMPLE_RATE_HZ


@dataclass(slots=True)
class _Stream:
    """What one opening of the device needs until it is closed again."""

    capture: Capture
    resampler: Resampler | None


class LiveSource:
    """A microphone, line or loopback input, found again by name and host API whenever it goes.

    The ring has one writer at any time: the driver's callback while a 48 kHz stream is open, else the supervising
    thread (resampled sound, or zeros while the device is lost). A lost device is looked for by re-initialising
    PortAudio, which closes every stream of this process.
    """

    def __init__(self, driver: Driver, spec: SourceSpec, *, rules: Rules | None = None) -> None:
        """Choose the device and see that it opens; raises DeviceError listing the inputs."""
        self._driver, self._spec, self._clock = driver, spec, spec.clock
        self._rules = rules or Rules()
        self._device = pick(driver.devices(), spec.device)
        channels = channels_to_open(spec.channel, self._device.channels)
        self._shape = (driver.rate_hz(self._device, channels), channels)
        self.name = f"input {self._device.name}"
        self._watch = begin(self._rules, self._clock.now())
        self._message = self._heard()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._stream: _Stream | None = None
        self._blocks = self._looked = self._fed = 0
        self._overflows = self._reopened = 0
        self._silent_since_s = 0.0
        self._ended = False

    def start(self, ring: SampleRing) -> None:
        """[main] Open the device and supervise it; raises DeviceError when it does not open."""
        self.stop()
        self._ring, self._looked, self._ended = ring, ring.written, False
        self._open()
        self._watch = begin(self._rules, self._clock.now())
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, name="audio supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """[main] Close the device; nothing is written after it returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._close()
            self._ended = True

    def status(self) -> SourceStatus:
        """[any] Return how it goes."""
        stream = self._stream
        overflows = self._overflows + (stream.capture.overflows if stream else 0)
        state = "ended" if self._ended else self._watch.state
        return SourceStatus(self.name, state, *self._shape, overflows, self._reopened, self._message)

    def _heard(self) -> str:
        said = f"'{self._device.name}' ({self._device.hostapi})"
        return f"{self._spec.note}, {said}" if self._spec.note else f"input {said}"

    def _run(self) -> None:
        while not self._stop.is_set():
            resampling = self._stream is not None and self._stream.resampler is not None
            self._stop.wait(_RESAMPLING_TICK_S if resampling else _TICK_S)
            self._look(self._clock.now())

    def _look(self, now_s: float) -> None:
        moved, heard = self._news()
        self._watch, again = step(self._watch, self._rules, now_s, moved=moved, heard=heard)
        if again:
            self._close_at(now_s)
        if self._stream is None:
            self._feed(self._clock.now())
        if again:
            self._reopen()

    def _news(self) -> tuple[bool, bool]:
        """Whether blocks have come since the last look, and whether any sample of them was not zero."""
        if self._stream is None:
            return False, False
        if self._stream.resampler is not None:
            self._stream.resampler.drain()
        blocks, written = self._stream.capture.blocks, self._ring.written
        new = self._ring.read(self._looked, written - self._looked)
        moved = blocks != self._blocks
        self._blocks, self._looked = blocks, written
        return moved, new is None or bool(new.any())

    def _close_at(self, now_s: float) -> None:
        """Close what is open; silence is owed from the last block on."""
        if self._stream is not None:
            self._close()
            self._silent_since_s, self._fed = self._watch.moved_s, 0

    def _feed(self, now_s: float) -> None:
        """Keep audio time going while there is no device, so that levels decay and the picture settles."""
        due = int((now_s - self._silent_since_s) * SAMPLE_RATE_HZ) - self._fed
        if due > 0:
            self._ring.skip(min(due, _LONGEST_FEED))
            self._fed += due

    def _reopen(self) -> None:
        try:
            self._driver.refresh()
            self._device = self._find()
            self._open()
        except LivevisError as error:
            self._watch = reopened(self._watch, self._rules, self._clock.now(), ok=False)
            self._message = f"waiting for '{self._device.name}' to come back: {error}"
            return
        self._watch = reopened(self._watch, self._rules, self._clock.now(), ok=True)
        self._reopened += 1
        self._message = self._heard()

    def _find(self) -> DeviceInfo:
        """The same device by name and host API: indices shift when devices come and go."""
        devices = self._driver.devices()
        same = [d for d in devices if (d.name, d.hostapi) == (self._device.name, self._device.hostapi)]
        if not same:
            raise DeviceError(f"{len(devices)} other inputs are there")
        return same[0]

    def _open(self) -> None:
        channels = channels_to_open(self._spec.channel, self._device.channels)
        rate_hz = self._driver.rate_hz(self._device, channels)
        resampler = None if rate_hz == SAMPLE_RATE_HZ else Resampler(self._ring, rate_hz)
        sink = resampler.stage if resampler else self._ring
        capture = Capture(sink, channel=self._spec.channel, channels=channels)
        self._blocks, self._looked = 0, self._ring.written
        try:
            self._driver.open(self._device, capture, rate_hz=rate_hz, channels=channels)
        except DeviceError:
            if resampler:
                resampler.close()
            raise
        self._stream, self._shape = _Stream(capture, resampler), (rate_hz, channels)

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        self._driver.close()
        if stream is not None:
            self._overflows += stream.capture.overflows
            if stream.resampler is not None:
                stream.resampler.close()
