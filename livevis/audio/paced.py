"""Real-time pacing for sources that are computed or decoded rather than heard."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

import numpy as np

from livevis.audio.source import Samples, SourceStatus, State
from livevis.core.clock import Clock, WallClock
from livevis.core.exchange import SampleRing
from livevis.core.features import HOP, SAMPLE_RATE_HZ

_LATE_S = 1.0


class PacedSource(ABC):
    """Feeds a ring from `samples(start, n)`, one hop at a time, when the clock says that the hop has sounded."""

    def __init__(self, name: str, *, clock: Clock | None = None, message: str = "") -> None:
        self.name = name
        self._clock = clock or WallClock()
        self._message = message
        self._state: State = "waiting"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def samples(self, start: int, n: int) -> Samples:
        """Return samples [start, start + n) as float32 [n] at 48 kHz."""

    def prepare(self, start: int) -> None:
        """[pacer] Compute or decode what will be asked for after `start`; called while there is time."""
        return

    def over(self, start: int) -> bool:
        """Say whether nothing but silence follows `start`."""
        return False

    def start(self, ring: SampleRing) -> None:
        """[main] Begin to fill `ring` from sample 0 of this source."""
        self.stop()
        self._stop.clear()
        self._state = "playing"
        self._thread = threading.Thread(target=self._run, args=(ring,), name=f"pacer {self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """[main] Stop filling; nothing is written after it returns."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._state = "ended"

    def status(self) -> SourceStatus:
        """[any] Return how it goes."""
        return SourceStatus(self.name, self._state, message=self._message)

    def _run(self, ring: SampleRing) -> None:
        self._prepare(0)
        position, began_s = 0, self._clock.now()
        while not self._stop.is_set():
            ring.write(self._next(position))
            position += HOP
            self._prepare(position)
            due_s = began_s + position / SAMPLE_RATE_HZ
            if self._clock.now() - due_s > _LATE_S:  # the machine slept: go on from here, do not rush after it
                began_s += self._clock.now() - due_s
            self._clock.sleep_until(due_s)

    def _next(self, position: int) -> Samples:
        """One hop; a source that breaks on stage turns into silence and a message, never into a dead thread."""
        if self._state == "playing" and self.over(position):
            self._state = "ended"
        if self._state == "playing":
            try:
                return self.samples(position, HOP)
            except Exception as error:
                self._state, self._message = "lost", str(error)
        return np.zeros(HOP, np.float32)

    def _prepare(self, position: int) -> None:
        try:
            self.prepare(position)
        except Exception as error:  # what cannot be decoded ahead
            self._state, self._message = "lost", str(error)
