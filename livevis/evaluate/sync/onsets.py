"""Onset strength and onset picking exactly as librosa 0.11 does them by default (McFee et al. 2015, ISC licence).

AV-Align was defined with librosa's defaults. They are ported, not imported: librosa brings numba, LLVM and
scikit-learn, half a gigabyte, for a page of numpy. It looks ahead (the clip's maximum, 93 ms of the picker), so it only
measures; what plays is `livevis.analysis.onset`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.evaluate.excerpt import F32, F64

RATE_HZ = 22_050
WINDOW, HOP, BANDS = 2048, 512, 128
SHIFT = 1 + WINDOW // (2 * HOP)
"""Hops by which the curve is moved back: one for the difference, two for the half of the window that lies ahead."""
TOP_DB = 80.0
_QUIETEST = 1e-10
_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """librosa's peak picker in hops; the defaults are those of `onset_detect` at 22.05 kHz."""

    pre_max: int = 1
    post_max: int = 1
    pre_avg: int = 4
    post_avg: int = 5
    wait: int = 1
    delta: float = 0.07


DEFAULT = Picker()


def at_metric_rate(sound: F32, rate_hz: int) -> F32:
    """Return mono sound at 22.05 kHz as `librosa.load` does: SoX resampler, quality HQ, length rounded up."""
    import soxr

    if rate_hz == RATE_HZ:
        return sound
    out: F32 = np.zeros(-(-len(sound) * RATE_HZ // rate_hz), np.float32)
    made = soxr.resample(sound, rate_hz, RATE_HZ, quality="HQ")[: len(out)]
    out[: len(made)] = made
    return out


def power(sound: F32) -> F32:
    """Return the power spectrogram float32 [1 + samples // 512, 1025]; frame t is centred on sample 512·t."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, WINDOW // 2), WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    blocks = [
        np.abs(np.fft.rfft(frames[at : at + _BLOCK] * hann).astype(np.complex64)) ** 2
        for at in range(0, len(frames), _BLOCK)
    ]
    return np.concatenate(blocks)


def onset_strength(sound: F32, *, top_db: float | None = TOP_DB) -> F32:
    """Return `librosa.onset.onset_strength`, float32 [1 + samples // 512], of sound at 22.05 kHz.

    top_db: how far below the clip's loudest band everything is cut off; with None the value at t depends on nothing
    after sample 512·t.
    """
    decibels = 10.0 * np.log10(np.maximum(np.float32(_QUIETEST), power(sound) @ _filters().T))
    if top_db is not None:
        decibels = np.maximum(decibels, decibels.max() - np.float32(top_db))
    flux = np.maximum(np.float32(0), np.diff(decibels, axis=0)).mean(axis=1, dtype=np.float32)
    curve: F32 = np.concatenate([np.zeros(SHIFT, np.float32), flux])[: len(decibels)]
    return curve


def pick(curve: npt.NDArray[Any], picker: Picker = DEFAULT) -> npt.NDArray[np.intp]:
    """Return `librosa.util.peak_pick`: places of local maxima, `delta` above the mean around, `wait` apart."""
    if not len(curve):
        return np.zeros(0, np.intp)
    highest = _around(curve, picker.pre_max, picker.post_max).max(axis=1)
    tall = curve >= _means(curve, picker) + np.float32(picker.delta)
    found: list[int] = []
    if tall[0] and curve[0] >= curve[: picker.post_max].max():  # the first place looks ahead only, as any other, but >=
        found.append(0)
    for place in np.flatnonzero(tall[1:] & (curve == highest)[1:]) + 1:
        if not found or place > found[-1] + picker.wait:
            found.append(int(place))
    return np.array(found, np.intp)


def onset_frames(curve: F32) -> npt.NDArray[np.intp]:
    """Return the hops of `librosa.onset.onset_detect`: the curve scaled to 0..1 over the whole clip, then picked."""
    scaled = curve - curve.min()
    scaled /= scaled.max() + np.finfo(scaled.dtype).tiny
    if not scaled.any() or not np.isfinite(scaled).all():
        return np.zeros(0, np.intp)
    return pick(scaled)


def onset_times(curve: F32) -> F64:
    """Return the onsets of an onset-strength curve in seconds."""
    times: F64 = onset_frames(curve) * HOP / float(RATE_HZ)
    return times


def _around(curve: npt.NDArray[Any], before: int, after: int) -> npt.NDArray[Any]:
    """Return [N, before + after]: what lies in [n - before, n + after), -inf beyond the ends."""
    padded = np.pad(curve, (before, max(after - 1, 0)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, before + after)


def _means(curve: npt.NDArray[Any], picker: Picker) -> npt.NDArray[Any]:
    """Return the mean of [n - pre_avg, n + post_avg), cut at the ends, added up from left to right."""
    window = _around(curve, picker.pre_avg, picker.post_avg)
    there = np.isfinite(window)
    total = np.zeros_like(curve)
    for column in np.where(there, window, 0).astype(curve.dtype).T:
        total = total + column
    means: npt.NDArray[Any] = (total.astype(np.float64) / there.sum(axis=1)).astype(curve.dtype)
    return means


@cache
def _filters() -> F32:
    """Slaney's mel filters float32 [128, 1025] over 0..11025 Hz, each of area one (librosa.filters.mel)."""
    edges = _hz_of_mel(np.linspace(0.0, _mel_of_hz(RATE_HZ / 2), BANDS + 2))
    ramps = edges[:, None] - np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    width = np.diff(edges)[:, None]
    weights = np.maximum(0, np.minimum(-ramps[:-2] / width[:-1], ramps[2:] / width[1:]))
    filters: F32 = (weights * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    return filters


_LINEAR_MEL, _LINEAR_HZ, _LOG_STEP = 15.0, 1000.0, np.log(6.4) / 27.0


def _mel_of_hz(hz: float) -> float:
    """Slaney's mel of a frequency above 1 kHz, where the scale is logarithmic."""
    return float(_LINEAR_MEL + np.log(hz / _LINEAR_HZ) / _LOG_STEP)


def _hz_of_mel(mel: F64) -> F64:
    hz: F64 = np.where(
        mel < _LINEAR_MEL,
        mel * _LINEAR_HZ / _LINEAR_MEL,
        _LINEAR_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _LINEAR_MEL) - _LINEAR_MEL)),
    )
    return hz
