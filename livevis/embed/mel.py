"""Log mels of a rolling window: each hop is analysed once, and the window equals ClapFeatureExtractor's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
Read = Callable[[int, int], F32 | None]
"""(start, n) -> samples [start, start + n) at 48 kHz, None where they cannot be had any more."""

_FLOOR = 1e-10
_PADDING = -1


def copies(length: int, whole: int, padding: str) -> int:
    """How often a sound of `length` samples stands in a window of `whole`, the last copy perhaps cut ("repeat")."""
    if padding == "repeat":
        return -(-whole // length)
    return max(1, whole // length) if padding == "repeatpad" else 1


class RollingMel:
    """One sound as a ClapFeatureExtractor for unfused weights hears it, and the frames that its last window had.

    Frames are centred; those that reach over an edge of the window or a seam between two copies of a short sound
    belong to that window alone and are made anew. analysed: frames made so far.
    """

    def __init__(self, extractor: Any, read: Read) -> None:
        from transformers.audio_utils import window_function

        self._read = read
        self.size, self.hop = int(extractor.fft_window_size), int(extractor.hop_length)
        self.samples, self.padding = int(extractor.nb_max_samples), str(extractor.padding)
        self.frames = 1 + self.samples // self.hop
        self._taper = np.asarray(window_function(self.size, "hann"), np.float64)
        self._bands = np.ascontiguousarray(np.asarray(extractor.mel_filters_slaney, np.float64).T)  # [bands, bins]
        self._kept: dict[int, F32] = {}
        self.analysed = 0

    def window(self, start: int, length: int) -> F32 | None:
        """Decibels float32 [frames, bands] of the samples [start, start + length), repeated as the processor does.

        start is a multiple of the hop, and so is length where it is shorter than the window. None when the samples
        cannot be read.
        """
        wave = self._read(start, length)
        if wave is None:
            return None
        heard = np.where(np.isfinite(wave), wave, np.float32(0.0))
        times = copies(length, self.samples, self.padding)
        filled = np.zeros(self.samples, np.float32)
        sounding = min(times * length, self.samples)
        filled[:sounding] = np.tile(heard, times)[:sounding]
        padded = np.pad(filled, self.size // 2, mode="reflect")
        keys = [self._key(k, start, length, times) for k in range(self.frames)]
        rows = [self._row(padded, k, key) for k, key in enumerate(keys)]
        self._kept = {key: row for key, row in zip(keys, rows, strict=True) if key is not None}
        return np.stack(rows)

    def _key(self, k: int, start: int, length: int, times: int) -> int | None:
        """The absolute number of the hop that frame k is centred on; None where the frame is this window's own."""
        low, high = k * self.hop - self.size // 2, k * self.hop + self.size // 2
        if low < 0 or high > self.samples:
            return None
        copy = low // length
        if copy < times and high <= (copy + 1) * length:
            return (start + k * self.hop - copy * length) // self.hop
        return _PADDING if low >= times * length else None

    def _row(self, padded: F32, k: int, key: int | None) -> F32:
        kept = self._kept.get(key) if key is not None else None
        if kept is not None:
            return kept
        row = self._decibels(padded[k * self.hop : k * self.hop + self.size])
        if key is not None:
            self._kept[key] = row  # another copy of the same sound may want it at once
        return row

    def _decibels(self, samples: F32) -> F32:
        """One frame alone, so that it has the same bits in whatever company it is made."""
        self.analysed += 1
        spectrum = np.fft.rfft(samples * self._taper)
        power = spectrum.real**2 + spectrum.imag**2
        decibels: F32 = (10.0 * np.log10(np.maximum(self._bands @ power, _FLOOR))).astype(np.float32)
        return decibels
