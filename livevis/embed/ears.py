"""Who listens: offline at fixed sample indices, live on a thread of its own that never holds up a frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from livevis.core.errors import one_line
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import AudioEmbedding, Heard
from livevis.embed.clap import ClapEmbedder
from livevis.embed.mel import Read, RollingMel

EVERY = SAMPLE_RATE_HZ // 3
_POLL_S = 0.01
_RETRY_S = 1.0
_STALE = 10 * SAMPLE_RATE_HZ  # where nobody asked for a while, what was heard before is not what is heard now
Phrases = tuple[str, ...]


def due(sample: int) -> int:
    """The newest index at or before `sample` at which the sound is listened to."""
    return sample // EVERY * EVERY


class Ears(Protocol):
    """Something that can be asked what it has heard. notice: one line on why it hears nothing."""

    notice: str

    def hear(self, sample: int, phrases: Phrases, span_s: float) -> Heard | None:
        """What was heard last at or before `sample`, scored against `phrases`; None when nothing was."""
        ...


class SteppedEars:
    """Listens exactly at every multiple of `EVERY` samples: a render is a function of the sound alone.

    Opened at the first question; raises what `open_` raises.
    """

    notice = ""

    def __init__(self, open_: Callable[[], ClapEmbedder], read: Read) -> None:
        self._open, self._read = open_, read
        self._opened: tuple[ClapEmbedder, RollingMel] | None = None
        self._at: tuple[int, float] | None = None
        self._heard: AudioEmbedding | None = None

    def hear(self, sample: int, phrases: Phrases, span_s: float) -> Heard | None:
        """As `Ears`; sounds before the newest listening point are in, nothing after it."""
        if self._opened is None:
            embedder = self._open()
            self._opened = embedder, embedder.sound(self._read)
        embedder, sound = self._opened
        at = (due(sample), span_s)
        if at != self._at:
            self._at, self._heard = at, embedder.embed(sound, at[0], span_s=span_s)
        if self._heard is None:
            return None
        return Heard(self._heard, embedder.scores(self._heard, phrases), embedder.logit_scale)


class LiveEars:
    """[generator] Listens on its own thread, which starts with the first question and rests while nobody asks.

    `newest` says how much has been written; one slot, the newest wins. Whatever goes wrong is in `notice`.
    """

    def __init__(self, open_: Callable[[], ClapEmbedder], read: Read, newest: Callable[[], int]) -> None:
        self._open, self._read, self._newest = open_, read, newest
        self.notice = ""
        self._wanted: tuple[Phrases, float] = ((), 0.0)
        self._slot: Heard | None = None
        self._embedded: tuple[tuple[int, float] | None, AudioEmbedding | None] = (None, None)
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, line: str) -> None:
        """[ears] Give notice while opening takes its time."""
        self.notice = line

    def hear(self, sample: int, phrases: Phrases, span_s: float) -> Heard | None:
        """As `Ears`; returns at once, with what the thread found last, and nothing that is ten seconds old."""
        self._wanted = (phrases, span_s)
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="livevis-ears", daemon=True)
            self._thread.start()
        slot = self._slot
        return slot if slot is not None and self._newest() - slot.embedding.sample < _STALE else None

    def _run(self) -> None:
        try:
            embedder = self._open()
            sound = embedder.sound(self._read)
            self.notice = ""
        except Exception as error:  # on stage nothing stops the picture: it plays on without ears and says so
            self.notice = one_line(error, "nothing is heard")
            return
        last: tuple[int, tuple[Phrases, float]] | None = None
        while self._asked.wait():
            now = (due(self._newest()), self._wanted)
            if now == last:
                time.sleep(_POLL_S)
                continue
            self._asked.clear()
            last = now
            self._listen(embedder, sound, *now)

    def _listen(self, embedder: ClapEmbedder, sound: RollingMel, sample: int, wanted: tuple[Phrases, float]) -> None:
        """The same sound is heard once, however often it is asked about with other phrases."""
        phrases, span_s = wanted
        try:
            if self._embedded[0] != (sample, span_s):
                self._embedded = (sample, span_s), embedder.embed(sound, sample, span_s=span_s)
            found = self._embedded[1]
            if found is not None:
                self._slot = Heard(found, embedder.scores(found, phrases), embedder.logit_scale)
            self.notice = ""
        except Exception as error:
            self._slot, self.notice = None, one_line(error, "nothing is heard")
            time.sleep(_RETRY_S)
