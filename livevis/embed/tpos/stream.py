"""One sound on its way through a TPoS encoder: whole blocks at fixed places, at the rate that the encoder takes.

Nothing here depends on who asks when. A stream begins a whole history before the first window that it gives out, at a
place where the encoder's columns and strides fall on the same samples, so that every window has the bits that it would
have had in a stream from the sound's beginning (at another rate than 48 kHz, where a resampler's rounding and parcels
depend on where it began: to 1e-5, stamped a few blocks off at most).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.embed.mel import Read
from livevis.embed.tpos import causal
from livevis.embed.tpos.network import Tpos
from livevis.embed.tpos.shape import TposShape

F32 = npt.NDArray[np.float32]
BLOCK = 480
"""Samples at 48 kHz that are fed at once: 10 ms."""
_SETTLES_S = 0.1
"""More than the mel's and the resampler's memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Listened:
    """One window that has ended.

    sample: one past the newest sample that was fed for it (48 kHz index); states float32 [N, width], the newest last;
    logits float32 [N]; whole: it ends a segment counted from the sound's beginning, as offline ones do.
    """

    sample: int
    states: F32
    logits: F32
    whole: bool


def segment_samples(shape: TposShape) -> int:
    """Length of a segment at 48 kHz, rounded up."""
    return -(-shape.columns * shape.hop * SAMPLE_RATE_HZ // shape.rate_hz)


def grid(shape: TposShape) -> int:
    """Samples at 48 kHz between places at which a stream may begin: whole blocks, and whole strides at both rates."""
    stride = shape.stride * shape.hop * SAMPLE_RATE_HZ  # one second is 48 000 · rate of these
    return lcm(stride, BLOCK * shape.rate_hz) // shape.rate_hz


def history(shape: TposShape) -> int:
    """Samples at 48 kHz that a window needs before its end."""
    return round((shape.window_s + _SETTLES_S) * SAMPLE_RATE_HZ)


class Stream:
    """Listens to a sound that `read` gives (start, n) -> samples or None; one thread calls it. [embed]"""

    def __init__(self, model: Tpos, read: Read) -> None:
        self._model, self._read = model, read
        self._grid, self._history = grid(model.shape), history(model.shape)
        self._state: causal.CausalState | None = None
        self._at = self._known = self._windows = 0  # the last: counted from the sound's beginning
        self._converted: Callable[[F32], F32] = _converter(model.shape)

    def upto(self, sample: int) -> list[Listened]:
        """The windows that have ended since the last call, at or before `sample`, oldest first.

        A stream that lies further back than a window needs, or whose samples are gone, begins anew.
        """
        end = sample // BLOCK * BLOCK
        if self._state is None or not self._at - self._history <= end <= self._at + 2 * self._grid + self._history:
            self._begin(end)
        out: list[Listened] = []
        while self._at < end and self._state is not None:
            block = self._read(self._at, BLOCK)
            if block is None:
                self._state = None
            else:
                out += self._fed(self._state, block)
        return out

    def _begin(self, end: int) -> None:
        """Set out where all that the last window before `end` needs is still to come, or where samples begin."""
        start = max(end - self._history - self._grid, 0) // self._grid * self._grid
        while start < end and self._read(start, BLOCK) is None:
            start += self._grid
        self._state = causal.init(self._model)
        self._converted = _converter(self._model.shape)
        shape = self._model.shape
        self._at, self._windows = start, start * shape.rate_hz // (SAMPLE_RATE_HZ * shape.stride * shape.hop)
        self._known = start + self._history if start else 0

    def _fed(self, state: causal.CausalState, block: F32) -> list[Listened]:
        heard = self._converted(np.where(np.isfinite(block), block, np.float32(0.0)))
        self._state, ended = causal.step(self._model, state, heard)
        self._at += BLOCK
        listened = [self._listened(window) for window in ended]
        return listened if self._at >= self._known else []

    def _listened(self, window: causal.Window) -> Listened:
        self._windows += 1
        whole = self._windows * self._model.shape.stride % self._model.shape.columns == 0
        return Listened(self._at, window.states, window.logits, whole)


def _converter(shape: TposShape) -> Callable[[F32], F32]:
    """From 48 kHz to the shape's rate, as a stream: what comes out has heard no more than what went in."""
    if shape.rate_hz == SAMPLE_RATE_HZ:
        return lambda block: block
    import soxr

    stream = soxr.ResampleStream(SAMPLE_RATE_HZ, shape.rate_hz, 1, dtype="float32", quality="HQ")
    convert: Callable[[F32], F32] = stream.resample_chunk
    return convert
