"""The analysis thread: reads the ring hop by hop, whatever blocks arrive, and keeps the newest features."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from livevis.analysis.analyser import Analyser
from livevis.core.clock import Clock
from livevis.core.exchange import SampleRing
from livevis.core.features import HOP, HOP_S, SAMPLE_RATE_HZ
from livevis.core.telemetry import ArrivalClock, Durations
from livevis.core.types import AudioFeatures, Controls, Recognition, silent_features
from livevis.methods.recognition import merged
from livevis.session import AnalysisSettings

_WAIT_S = 0.001
_STARVED_S = 0.25
_LATE = SAMPLE_RATE_HZ  # samples: a machine that has fallen a second behind had better be on the beat than complete


class Hearing:
    """[analysis] From ring to features; one hop a step, so any block size gives the same features.

    `listen` is called on this thread with each hop's features, in order; what `recognition` says the ears found last is
    merged in as heard.n. When sound stops arriving for 0.25 s, hops of silence are heard instead, so that levels decay
    and the picture rests. skipped: samples passed over because this machine could not keep up.
    """

    def __init__(
        self,
        ring: SampleRing,
        *,
        listen: Callable[[AudioFeatures], None],
        clock: Clock,
        base: Callable[[], Controls] | None = None,
        recognition: Callable[[], Recognition | None] = lambda: None,
    ) -> None:
        self._ring, self._listen, self._clock, self._base = ring, listen, clock, base
        self._recognition = recognition
        self.analyser = Analyser()
        self.latest = silent_features()
        self._settings = AnalysisSettings()
        self.cost = Durations(2000)
        self.arrivals = ArrivalClock()
        self.skipped = 0
        self.event: Callable[[int, float], None] = lambda sample, arrived_s: None
        self.failure = ""
        self._next = 0
        self._requests: deque[Callable[[Analyser], None]] = deque()
        self._going = threading.Event()
        self._thread = threading.Thread(target=self._run, name="livevis-analysis", daemon=True)
        self._silence = np.zeros(HOP, np.float32)

    def start(self) -> None:
        """Start listening."""
        self._going.set()
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._going.clear()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def ask(self, request: Callable[[Analyser], None]) -> None:
        """[any] Have the analyser told something (a tap, a tempo) between two hops."""
        self._requests.append(request)

    def _run(self) -> None:
        heard_s = self._clock.now()
        while self._going.is_set():
            hop = self._next_hop()
            now_s = self._clock.now()
            if hop is not None:
                heard_s = now_s
                self._hear(hop)
            elif now_s - heard_s > _STARVED_S:
                heard_s += HOP_S
                self._hear(self._silence)
            else:
                time.sleep(_WAIT_S)

    def _next_hop(self) -> np.ndarray | None:
        written = self._ring.written
        if written - self._next < HOP:
            return None
        self.arrivals.note(written, self._clock.now())
        if written - self._next > _LATE:
            self.skipped += written - HOP - self._next
            self._next = written - HOP
        hop = self._ring.read(self._next, HOP)
        self._next += HOP
        return hop

    def _hear(self, hop: np.ndarray) -> None:
        before = time.thread_time()
        try:
            while self._requests:
                self._requests.popleft()(self.analyser)
            if self._base is not None:
                self._settings.obey(self._base(), self.analyser)
            features = merged(self.analyser.step(hop * self._settings.gain), self._recognition())
            self._note_events(self.latest, features)
            self.latest = features
            self._listen(self.latest)
            self.failure = ""
        except Exception as error:  # on stage nothing stops the picture: levels hold, the HUD says why
            self.failure = f"{type(error).__name__}: {error}"
        self.cost.add(time.thread_time() - before)

    def _note_events(self, before: AudioFeatures, after: AudioFeatures) -> None:
        if after["onset"] > before["onset"]:
            self.event(after.sample, self.arrivals.arrival_s(self._next))
