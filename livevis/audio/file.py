"""Any file that FFmpeg can read, as mono sound at 48 kHz, decoded once and kept on disk as it is asked for."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from livevis.audio.paced import PacedSource
from livevis.audio.source import Samples, SourceStatus
from livevis.core.clock import Clock
from livevis.core.errors import DeviceError
from livevis.core.features import SAMPLE_RATE_HZ

_AHEAD = SAMPLE_RATE_HZ // 2
_MONO_BYTES = 4


def _decoded(container: Any, stream: Any) -> Iterator[Samples]:
    """Yield mono blocks at the file's rate; damaged packets are left out, as FFmpeg does."""
    import av

    planar = av.AudioResampler(format="fltp")
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            for part in planar.resample(frame):
                yield part.to_ndarray().mean(axis=0, dtype=np.float32)


def _at_48k(blocks: Iterator[Samples], rate_hz: int) -> Iterator[Samples]:
    """Yield the same sound at 48 kHz; the resampler's delay is taken out, so a file keeps its length."""
    import soxr

    if rate_hz == SAMPLE_RATE_HZ:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


class FileSource(PacedSource):
    """The sound of an audio or video file, once or in a seamless loop."""

    def __init__(self, path: str | Path, *, loop: bool = True, clock: Clock | None = None) -> None:
        """Open the file; raises DeviceError when it cannot be read or holds no sound."""
        super().__init__(f"file {Path(path).name}", clock=clock)
        self._loop = loop
        self._lock = threading.Lock()  # `samples` moves one file position; renderer and pacer may both ask
        self._container, stream = _open(Path(path))
        self._rate_hz, self._channels = stream.rate, stream.channels
        self._blocks = _at_48k(_decoded(self._container, stream), stream.rate)
        self._store = tempfile.TemporaryFile(prefix="livevis-")  # noqa: SIM115 (lives as long as the source)
        weakref.finalize(self, _close, self._store, self._container)
        self._have, self._done = 0, False
        with self._lock:
            self._decode_to(1)
        if self._have == 0:
            raise DeviceError(f"audio file '{path}' holds no sound")

    @property
    def length(self) -> int:
        """Length of the file in samples at 48 kHz; decodes it to the end."""
        with self._lock:
            self._decode_to(None)
        return self._have

    def samples(self, start: int, n: int) -> Samples:
        """Return samples [start, start + n) as float32 [n]; past the end the file begins again, or is silent."""
        out = np.zeros(n, np.float32)
        at = max(0, -start)
        with self._lock:
            while at < n:
                self._decode_to(start + n)
                position = start + at
                if self._done and position >= self._have and not self._loop:
                    break
                position = position % self._have if self._done else position
                take = min(n - at, self._have - position)
                out[at : at + take] = self._load(position, take)
                at += take
        return out

    def prepare(self, start: int) -> None:
        """[pacer] Decode half a second ahead."""
        with self._lock:
            self._decode_to(start + _AHEAD)

    def over(self, start: int) -> bool:
        """Say whether a file that does not loop has been played to its end."""
        return self._done and not self._loop and start >= self._have

    def status(self) -> SourceStatus:
        """[any] Return how it goes, with the file's own rate and channels."""
        return SourceStatus(self.name, self._state, self._rate_hz, self._channels, message=self._message)

    def _decode_to(self, stop: int | None) -> None:
        while not self._done and (stop is None or self._have < stop):
            block = next(self._blocks, None)
            if block is None:
                self._done = True
                self._container.close()
                return
            self._store.seek(self._have * _MONO_BYTES)
            self._store.write(block.tobytes())
            self._have += len(block)

    def _load(self, position: int, n: int) -> Samples:
        self._store.seek(position * _MONO_BYTES)
        return np.frombuffer(self._store.read(n * _MONO_BYTES), np.float32)


def _close(*opened: Any) -> None:
    for each in opened:
        each.close()


def _open(path: Path) -> tuple[Any, Any]:
    import av

    if not path.is_file():
        raise DeviceError(f"audio file '{path}' does not exist")
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        raise DeviceError(f"audio file '{path}' cannot be read: {error}") from error
    if not container.streams.audio:
        container.close()
        raise DeviceError(f"file '{path}' has no audio stream")
    stream = container.streams.audio[0]
    if not stream.rate or not stream.channels:  # FFmpeg took noise for some format
        container.close()
        raise DeviceError(f"audio file '{path}' cannot be read: no sample rate in it")
    return container, stream
