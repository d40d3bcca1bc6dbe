"""Pictures at a steady rate and mono sound at the metric's rate, from any file that FFmpeg reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.errors import ConfigError
from livevis.core.types import Picture
from livevis.evaluate.excerpt import F32
from livevis.evaluate.sync.onsets import RATE_HZ, at_metric_rate

JITTER_S = 0.002
"""Containers round times to their own clock (Matroska to 1 ms): a frame this little late is on time."""


@dataclass(frozen=True, slots=True)
class Film:
    """A video file: its own frame rate, when its first frame is shown on the file's clock, whether it has sound."""

    path: Path
    fps: float
    start_s: float
    sounds: bool


def open_film(path: Path) -> Film:
    """Read what a video file says of itself. Raises ConfigError when it cannot be read or has no picture."""
    with _opened(path) as container:
        if not container.streams.video:
            raise ConfigError(f"'{path}' has no video stream")
        stream = container.streams.video[0]
        return Film(path, float(stream.average_rate or 0), _start_s(stream), bool(container.streams.audio))


def pictures(film: Film, *, fps: float) -> Iterator[Picture]:
    """Yield what is on the screen at 0, 1/fps, 2/fps … of a film; a frame shown twice is the same object."""
    hold_s = 1 / film.fps if film.fps else 1 / fps
    with _opened(film.path) as container:
        container.streams.video[0].thread_type = "AUTO"
        timed = ((float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0))
        yield from at_rate(timed, fps=fps, hold_s=hold_s)


def at_rate(timed: Iterable[tuple[float, Picture]], *, fps: float, hold_s: float) -> Iterator[Picture]:
    """Yield the newest of `timed` pictures at every multiple of 1/fps after the first; the last is shown for hold_s."""
    shown: Picture | None = None
    first = last = 0.0
    index = 0
    for time_s, picture in timed:
        first = time_s if shown is None else first
        while shown is not None and index / fps < time_s - first - JITTER_S:
            yield shown
            index += 1
        shown, last = picture, time_s
    while shown is not None and index / fps < last - first + hold_s - JITTER_S:
        yield shown
        index += 1


def sound_of(path: Path, *, zero_s: float | None = None) -> F32:
    """Return a file's mono sound at 22.05 kHz. Raises ConfigError when there is none.

    zero_s: where on the file's clock the sound shall begin (what is earlier is cut, what is missing silent); none: at
    its first sample.
    """
    with _opened(path) as container:
        if not container.streams.audio:
            raise ConfigError(f"'{path}' has no audio stream; name a sound file after the video")
        stream = container.streams.audio[0]
        rate_hz, start_s, sound = int(stream.rate), _start_s(stream), _mono(container)
    lead = 0 if zero_s is None else round((start_s - zero_s) * rate_hz)
    placed = np.concatenate([np.zeros(max(lead, 0), np.float32), sound[max(-lead, 0) :]])
    return at_metric_rate(placed, rate_hz)


def cut_to(sound: F32, seconds: float) -> F32:
    """Return the first `seconds` of a sound at 22.05 kHz."""
    return sound[: round(seconds * RATE_HZ)]


def _mono(container: Any) -> F32:
    import av

    planar = av.AudioResampler(format="fltp")
    blocks = [
        part.to_ndarray().mean(axis=0, dtype=np.float32)
        for frame in container.decode(audio=0)
        for part in planar.resample(frame)
    ]
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def _start_s(stream: Any) -> float:
    return float((stream.start_time or 0) * stream.time_base)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import av

    if not path.is_file():
        raise ConfigError(f"'{path}' does not exist")
    try:
        with av.open(str(path)) as container:
            yield container
    except av.error.FFmpegError as error:
        raise ConfigError(f"'{path}' cannot be read: {error}") from error
