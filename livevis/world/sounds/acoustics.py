"""What every synthesiser is built from: control curves, coloured noise, moving filters, oscillators and events.

Curves have one value per 10 ms; signals have 48 000 samples a second. Nothing here keeps state: randomness comes from
the take's generator alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from livevis.core.features import SAMPLE_RATE_HZ

Signal = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float32]
Gains = npt.NDArray[np.float32]
Range = tuple[float, float]
AnyFloats = npt.NDArray[np.floating]
Numbers = Sequence[float] | AnyFloats

HOP = SAMPLE_RATE_HZ // 100
CURVE_HZ = 100
BINS_HZ: Curve = np.arange(HOP + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / (2 * HOP))
_WINDOW: Signal = np.sin(np.pi * (np.arange(2 * HOP) + 0.5) / (2 * HOP)).astype(np.float32)
_FADE: Signal = np.linspace(0, 1, HOP, endpoint=False, dtype=np.float32)[None]
_MEAN_POWER = 0.5


@dataclass(frozen=True, slots=True)
class Take:
    """One recording to be made: `intensity` [frames] in 0..1, one value per 10 ms, `samples` long."""

    intensity: Curve
    samples: int
    rng: np.random.Generator

    @property
    def frames(self) -> int:
        """The length of every curve."""
        return len(self.intensity)

    @property
    def seconds(self) -> float:
        """The length of the sound."""
        return self.samples / SAMPLE_RATE_HZ

    def between(self, low: float, high: float) -> float:
        """Draw a number, evenly in low..high."""
        return float(self.rng.uniform(low, high))

    def log_between(self, low: float, high: float) -> float:
        """Draw a number, evenly in its logarithm: for frequencies, rates and times."""
        return float(low * (high / low) ** self.rng.random())

    def rising(self, low: float, high: float) -> Curve:
        """Return low at intensity 0 and high at 1."""
        return (low + (high - low) * self.intensity).astype(np.float32)

    def log_rising(self, low: float, high: float) -> Curve:
        """Return low at intensity 0 and high at 1, by equal ratios."""
        return (low * (high / low) ** self.intensity).astype(np.float32)

    def at(self, times_s: npt.NDArray[np.float64]) -> Curve:
        """Return the intensity at some times."""
        return f32(self.intensity[np.clip((times_s * CURVE_HZ).astype(int), 0, self.frames - 1)])

    def silence(self) -> Signal:
        """Return zeros as long as the take."""
        return np.zeros(self.samples, np.float32)


def wander(take: Take, rate_hz: float, low: float = 0.0, high: float = 1.0) -> Curve:
    """A curve that moves smoothly between points drawn evenly in low..high, `rate_hz` of them a second."""
    at = np.arange(take.frames) * (rate_hz / CURVE_HZ) + take.rng.random()
    points = take.rng.uniform(low, high, int(at[-1]) + 2)
    left = at.astype(int)
    x = at - left
    x = x * x * (3 - 2 * x)
    return f32((points[left] * (1 - x) + points[left + 1] * x).astype(np.float32))


def upsampled(curve: Curve, samples: int) -> Signal:
    """Interpolate a curve linearly to `samples`."""
    after = np.append(curve[1:], curve[-1])[:, None]
    return f32((curve[:, None] * (1 - _FADE) + after * _FADE).reshape(-1)[:samples])


def normals(rng: np.random.Generator, *shape: int) -> Signal:
    """Gaussian numbers of float32."""
    return rng.standard_normal(shape, dtype=np.float32)


def noise(take: Take, low_hz: float, high_hz: float, *, beta: float = 0.0, order: int = 2) -> Signal:
    """Steady Gaussian noise of unit RMS within low..high, its power falling as f^-beta."""
    return band_noise(take.rng, take.samples, (low_hz, high_hz), beta=beta, order=order)


def band_noise(rng: np.random.Generator, samples: int, band_hz: Range, *, beta: float = 0.0, order: int = 2) -> Signal:
    """Gaussian noise of unit RMS, as a random spectrum under Butterworth slopes of the given order."""
    n = next_fast_len(samples, real=True)
    f = np.arange(n // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / n)
    f[0] = f[1]
    gain = band_gain(f, band_hz, order) * (f ** np.float32(-beta / 2) if beta else np.float32(1))
    gain[0] = 0
    spectrum = normals(rng, len(f), 2).view(np.complex64)[:, 0] * gain
    x = irfft(spectrum, n)[:samples]
    return np.asarray(x / (np.sqrt(np.mean(x * x)) + 1e-12), np.float32)


def band_gain(f: Curve, band_hz: Range, order: int = 2) -> Gains:
    """The magnitude of a Butterworth band-pass."""
    up, down = (np.float32(band_hz[0]) / np.maximum(f, 1)) ** (2 * order), (f / np.float32(band_hz[1])) ** (2 * order)
    return np.asarray(1 / np.sqrt((1 + up) * (1 + down)), np.float32)


def low_pass(cutoff_hz: AnyFloats, order: int = 2) -> Gains:
    """Gains [frames, bins] of a low-pass that moves."""
    return np.asarray(1 / np.sqrt(1 + (BINS_HZ[None] / cutoff_hz[:, None]) ** (2 * order)), np.float32)


def high_pass(cutoff_hz: AnyFloats, order: int = 2) -> Gains:
    """Gains [frames, bins] of a high-pass that moves."""
    return np.asarray(1 / np.sqrt(1 + (cutoff_hz[:, None] / (BINS_HZ[None] + 1)) ** (2 * order)), np.float32)


def resonance(centre_hz: AnyFloats, q: float) -> Gains:
    """Gains [frames, bins] of a two-pole band-pass that moves, 1 at its centre."""
    ratio = (BINS_HZ[None] + 1) / centre_hz[:, None]
    return np.asarray(1 / np.sqrt(1 + (q * (ratio - 1 / ratio)) ** 2), np.float32)


def moving_noise(take: Take, gains: AnyFloats) -> Signal:
    """White noise through a filter that moves: independent frames of 20 ms, cross-faded at constant power.

    Unit density: gains of one everywhere give unit RMS, so a narrow filter is as soft as it would be.
    """
    shape = gains.shape[0] + 1, gains.shape[1]
    spectra = normals(take.rng, *shape, 2).view(np.complex64)[..., 0]
    spectra[1:] *= gains
    spectra[0] *= gains[0]
    return _overlapped(spectra * np.float32(np.sqrt(HOP)), take.samples)


def filtered(x: Signal, gains: AnyFloats) -> Signal:
    """A signal through a filter that moves, by gains [frames, bins] every 10 ms."""
    frames = gains.shape[0]
    padded = np.zeros((frames + 2) * HOP, np.float32)
    padded[HOP : HOP + len(x)] = x[: (frames + 1) * HOP]
    blocks = padded.reshape(-1, HOP)
    spectra = rfft(np.concatenate((blocks[:-1], blocks[1:]), 1) * _WINDOW)
    spectra[1:] *= gains
    spectra[0] *= gains[0]
    return _overlapped(spectra, len(x))


def _overlapped(spectra: npt.NDArray[np.complex64], samples: int) -> Signal:
    frames = irfft(spectra, 2 * HOP) * _WINDOW
    return np.asarray((frames[:-1, HOP:] + frames[1:, :HOP]).reshape(-1)[:samples], np.float32)


def phase(hertz: Curve, samples: int) -> npt.NDArray[np.float64]:
    """The running phase of an oscillator, in turns."""
    return np.cumsum(upsampled(hertz, samples), dtype=np.float64) / SAMPLE_RATE_HZ


def sine(turns: npt.NDArray[np.float64]) -> Signal:
    """A sine of a phase in turns."""
    return np.sin(((turns % 1.0) * (2 * np.pi)).astype(np.float32))


def saw(turns: npt.NDArray[np.float64]) -> Signal:
    """A falling saw of a phase in turns, for pitches low enough that its aliases do not matter."""
    return (1 - 2 * (turns % 1.0)).astype(np.float32)


def poisson(take: Take, rate_hz: Curve) -> npt.NDArray[np.float64]:
    """Times in seconds of independent events at a rate that moves."""
    counts = take.rng.poisson(np.maximum(rate_hz, 0) / CURVE_HZ)
    frames = np.repeat(np.arange(take.frames), counts)
    return np.asarray((frames + take.rng.random(len(frames))) / CURVE_HZ)


def walk(take: Take, rate_hz: Curve, spread: float) -> npt.NDArray[np.float64]:
    """Times in seconds of events that keep a beat: gaps of 1/rate, each off by a normal factor of `spread`."""
    times, at = [], take.between(0, 0.6) / float(rate_hz[0])
    while at < take.seconds:
        times.append(at)
        gap = 1 / float(rate_hz[min(int(at * CURVE_HZ), take.frames - 1)])
        at += gap * float(np.clip(1 + spread * take.rng.standard_normal(), 0.25, 2.5))
    return np.array(times)


def scatter(
    out: Signal, times_s: AnyFloats, grains: Sequence[Signal], gains: npt.ArrayLike, which: npt.ArrayLike
) -> Signal:
    """Add grains[which[k]] * gains[k] into `out` at each time, in place; returns `out`."""
    starts = (np.asarray(times_s) * SAMPLE_RATE_HZ).astype(int).tolist()
    levels = np.broadcast_to(np.asarray(gains, np.float32), len(starts))
    for start, gain, kind in zip(starts, levels, np.broadcast_to(which, len(starts)).tolist(), strict=True):
        grain = grains[kind]
        target = out[start : start + len(grain)]
        target += gain * grain[: len(target)]
    return out


def any_of(take: Take, events: int, kinds: int) -> npt.NDArray[np.int64]:
    """Draw which grain each event uses."""
    return take.rng.integers(0, kinds, events)


def heavy_tail(take: Take, events: int, alpha: float, most: float = 8.0) -> npt.NDArray[np.float64]:
    """Sizes of which few are large (Pareto), at least 1 and at most `most`."""
    return np.minimum(1 + take.rng.pareto(alpha, events), most)


def f32(x: npt.ArrayLike) -> Signal:
    """Return samples as float32."""
    return np.asarray(x, np.float32)


def unit(x: Signal) -> Signal:
    """Scale to unit RMS."""
    return np.asarray(x / (np.sqrt(np.mean(x * x)) + 1e-9), np.float32)
