"""Who listens for TPoS: offline at fixed places, live on a thread of its own that never holds up a frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from livevis.core.errors import EngineError, one_line
from livevis.embed.mel import Read

if TYPE_CHECKING:
    from livevis.embed.tpos.network import Tpos
    from livevis.embed.tpos.stream import Listened, Stream

F32 = npt.NDArray[np.float32]
_KEPT = 64
"""Windows that are kept for whoever asks: some seconds."""
_POLL_S = 0.01
_RETRY_S = 1.0


class _Opened:
    """A model that listens, and the newest windows it heard."""

    def __init__(self, model: Tpos, read: Read) -> None:
        from livevis.embed.tpos.causal import speak
        from livevis.embed.tpos.stream import Stream, segment_samples

        self.model, self._speak = model, speak
        self.stream: Stream = Stream(model, read)
        self.segment = segment_samples(model.shape)
        self.windows: tuple[Listened, ...] = ()

    def upto(self, sample: int) -> None:
        if new := self.stream.upto(sample):
            kept = [window for window in self.windows if window.sample < new[0].sample]
            self.windows = (*kept, *new)[-_KEPT:]

    def rows(self, vector: npt.NDArray[np.floating]) -> F32:
        return self._speak(self.model, vector)


class SteppedTpos:
    """Listens up to the sample that it is asked for: a render is a function of the sound alone.

    Opened at the first question; what `open_` raises other than EngineError is raised there.
    """

    notice = ""

    def __init__(self, open_: Callable[[], Tpos], read: Read) -> None:
        self._open, self._read = open_, read
        self._opened: _Opened | None = None
        self._lacks = ""

    def lacks(self) -> str | None:
        """Why nobody speaks here, an empty string where somebody does."""
        if self._opened is None and not self._lacks:
            try:
                self._opened = _Opened(self._open(), self._read)
            except EngineError as error:
                self._lacks = str(error)
        return self._lacks

    @property
    def segment(self) -> int:
        """Samples at 48 kHz from one segment to the next."""
        return self._opened.segment if self._opened else 0

    def hear(self, sample: int) -> tuple[Listened, ...]:
        """The newest windows that ended at or before `sample` (48 kHz), oldest first; no more than a few seconds."""
        if self.lacks() or self._opened is None:
            return ()
        self._opened.upto(sample)
        return self._opened.windows

    def rows(self, vector: npt.NDArray[np.floating]) -> F32:
        """What is said of a vector c [width]: rows float32 [tokens - 1, text_width]."""
        assert self._opened is not None, "asked before it was heard"
        return self._opened.rows(vector)


class LiveTpos:
    """[generator] Listens on its own thread, which starts with the first question and rests while nobody asks.

    `newest` says how much has been written. Sounds that it could not keep up with are passed over. Trouble while it
    plays is in `notice`; why it cannot begin is what it `lacks`.
    """

    def __init__(self, open_: Callable[[], Tpos], read: Read, newest: Callable[[], int]) -> None:
        self._open, self._read, self._newest = open_, read, newest
        self.notice = ""
        self._lacks: str | None = None
        self._opened: _Opened | None = None
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None

    def lacks(self) -> str | None:
        """As `SteppedTpos`, at once; None while it is being found out."""
        self._asked.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="livevis-tpos", daemon=True)
            self._thread.start()
        return self._lacks

    @property
    def segment(self) -> int:
        """As `SteppedTpos`."""
        return self._opened.segment if self._opened else 0

    def hear(self, sample: int) -> tuple[Listened, ...]:
        """As `SteppedTpos`, with what the thread has found; returns at once."""
        if self.lacks() != "" or self._opened is None:
            return ()
        return self._opened.windows

    def rows(self, vector: npt.NDArray[np.floating]) -> F32:
        """As `SteppedTpos`."""
        assert self._opened is not None, "asked before it was heard"
        return self._opened.rows(vector)

    def _run(self) -> None:
        try:
            self._opened = _Opened(self._open(), self._read)
        except Exception as error:  # on stage nothing stops the picture: it plays on without and says so
            self._lacks = one_line(error, "TPoS hears nothing")
            return
        self._lacks, at = "", -1
        while self._asked.wait():
            newest = self._newest()
            if newest == at:
                time.sleep(_POLL_S)
                continue
            self._asked.clear()
            at = newest
            self._listen(self._opened, at)

    def _listen(self, opened: _Opened, sample: int) -> None:
        try:
            opened.upto(sample)
            self.notice = ""
        except Exception as error:
            self.notice = one_line(error, "TPoS hears nothing")
            time.sleep(_RETRY_S)
