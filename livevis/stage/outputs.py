"""What leaves the stage as files: the recording and the screenshot."""

from __future__ import annotations

import queue
import struct
import threading
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.errors import StageError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Picture

_WAITING = 8
"""Pictures that may wait for the encoder."""
_GAP_SAMPLES = 480
"""Sound that is missing for longer than this is written as silence, so that what follows stays in time."""
_PICTURE_TICKS = 90_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording holds: pictures and samples written, pictures dropped because the encoder was behind."""

    path: Path
    pictures: int
    samples: int
    dropped: int


class Recorder:
    """H.264 and AAC into an MP4, encoded on a thread of its own. Raises StageError.

    size: width and height in pixels (an odd last row or column is left out). live: while the encoder is behind, the
    newest picture is dropped and counted, and the file is fragmented, so that it plays up to the last second or two
    if the process dies; otherwise callers wait, nothing is lost, and the index comes first (+faststart). Sound is
    never dropped.
    """

    def __init__(self, path: Path, size: tuple[int, int], *, fps: float, live: bool, crf: int = 18) -> None:
        self._file = _Mp4(path, (size[0] // 2 * 2, size[1] // 2 * 2), fps=fps, live=live, crf=crf)
        self._live = live
        self._room = threading.Semaphore(_WAITING)
        self._queue: queue.SimpleQueue[tuple[str, Any, float] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._encode, name="recorder", daemon=True)
        self._closed = False
        self.failure = ""
        self.dropped = 0
        self._thread.start()

    def picture(self, image: Picture, time_s: float) -> None:
        """Take the picture shown at `time_s`, uint8 [height, width, 3]; it is not copied, so leave it alone."""
        self._check()
        if self._room.acquire(blocking=not self._live):
            self._queue.put(("picture", image, time_s))
        else:
            self.dropped += 1

    def sound(self, samples: npt.NDArray[np.float32], start_s: float) -> None:
        """Take mono sound at 48 kHz, float32 [n], whose first sample was heard at `start_s` of its own clock."""
        self._check()
        self._queue.put(("sound", np.array(samples, np.float32), start_s))

    def close(self) -> Recorded:
        """Finish the file; raises StageError if writing failed on the way (offline already at the next picture)."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()
            self._file.close()
        if self.failure:
            raise StageError(self.failure)
        return Recorded(self._file.path, self._file.pictures, self._file.samples, self.dropped)

    def _check(self) -> None:
        if self.failure and not self._live:
            raise StageError(self.failure)

    def _encode(self) -> None:
        while (item := self._queue.get()) is not None:
            kind, content, time_s = item
            try:
                if not self.failure:
                    (self._file.picture if kind == "picture" else self._file.sound)(content, time_s)
            except Exception as error:  # disk full, encoder gone: the show goes on without its recording
                self.failure = f"recording {self._file.path} stopped: {error}"
            if kind == "picture":
                self._room.release()


class _Mp4:
    """The container and its two encoders, on the recorder's thread."""

    def __init__(self, path: Path, size: tuple[int, int], *, fps: float, live: bool, crf: int) -> None:
        import av

        self._av, self.path, self._size = av, Path(path), size
        flags = "frag_keyframe+empty_moov+default_base_moof" if live else "+faststart"
        options = {"movflags": flags, "flush_packets": "1"}  # what is not on the disk is lost in a crash
        try:
            self.path.touch()
            self._container = av.open(str(path), "w", format="mp4", options=options)
        except (OSError, av.error.FFmpegError) as error:
            raise StageError(f"cannot record to {path}: {error}") from error
        self._video = self._add_video(fps, live, crf)
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        self._audio.bit_rate = 160_000
        self.pictures = self.samples = 0
        self._last_tick = -1
        self._start_s: float | None = None
        self._sound_start_s: float | None = None

    def _add_video(self, fps: float, live: bool, crf: int) -> Any:
        rate = Fraction(fps).limit_denominator(1001)
        # Live, every cycle belongs to the show; a key frame a second bounds what a crash can cost.
        options = {"crf": str(crf), "preset": "ultrafast" if live else "medium"}
        video = self._container.add_stream("libx264", rate=rate, options=options)
        video.width, video.height = self._size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, _PICTURE_TICKS)
        video.codec_context.gop_size = max(1, round(fps))
        video.codec_context.thread_count = 1 if live else 0
        return video

    def picture(self, image: Picture, time_s: float) -> None:
        if self._start_s is None:
            self._start_s = time_s
        width, height = self._size
        if (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2) == self._size:
            frame = self._av.VideoFrame.from_ndarray(image[:height, :width], format="rgb24")
        else:  # the window has another size by now: the recording keeps its own
            frame = self._av.VideoFrame.from_ndarray(image, format="rgb24").reformat(width=width, height=height)
        tick = round((time_s - self._start_s) * _PICTURE_TICKS)
        self._last_tick = frame.pts = max(tick, self._last_tick + 1)
        frame.time_base = Fraction(1, _PICTURE_TICKS)
        self._container.mux(self._video.encode(frame))
        self.pictures += 1

    def sound(self, samples: npt.NDArray[np.float32], start_s: float) -> None:
        """Samples are counted, not timed: the sound card's clock is the recording's clock of sound."""
        if self._sound_start_s is None:
            self._sound_start_s = start_s
        missing = round((start_s - self._sound_start_s) * SAMPLE_RATE_HZ) - self.samples
        if missing > _GAP_SAMPLES:
            samples = np.concatenate([np.zeros(missing, np.float32), samples])
        if not len(samples):
            return
        frame = self._av.AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self.samples
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        self._container.mux(self._audio.encode(frame))
        self.samples += len(samples)

    def close(self) -> None:
        for stream in (self._video, self._audio):
            started = self.pictures if stream is self._video else self.samples
            if started:
                self._container.mux(stream.encode(None))
        self._container.close()


def screenshot(image: Picture, path: Path) -> Path:
    """Write uint8 [height, width, 3] as a PNG, whole or not at all; returns the path. Raises StageError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(png(image))
        part.replace(path)
    except OSError as error:
        raise StageError(f"cannot write the screenshot {path}: {error}") from error
    return path


def png(image: Picture) -> bytes:
    """Return the PNG file of uint8 [height, width, 3] (PNG 1.2: 8-bit RGB, filter type up)."""
    height, width = image.shape[:2]
    up = image.copy()
    up[1:] -= image[:-1]
    rows = np.concatenate([np.full((height, 1), 2, np.uint8), up.reshape(height, width * 3)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
