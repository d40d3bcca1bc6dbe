"""Rooms, filters and noises that come between a sound and the ears; and the exam's own room, never trained on."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import fft, signal

from livevis.core.features import SAMPLE_RATE_HZ

F32 = npt.NDArray[np.float32]
C64 = npt.NDArray[np.complex64]
Rng = np.random.Generator

ROOMS = 48
NOISES = 12
_SILENT_RMS = 1e-4


def rms(wave: F32) -> float:
    """Root mean square, never below the threshold under which a clip counts as silent."""
    return max(float(np.sqrt(np.mean(np.square(wave)))), _SILENT_RMS)


def silent(wave: F32) -> bool:
    return rms(wave) <= 2 * _SILENT_RMS


def at_level(wave: F32, level_db: float) -> F32:
    """The wave at so many dB RMS below or above full scale."""
    return wave * np.float32(10 ** (level_db / 20) / rms(wave))


def decaying_room(rng: Rng, samples: int) -> F32:
    """Impulse response with a direct sound, early reflections and an exponentially decaying tail of noise."""
    t60_s = 10 ** rng.uniform(-0.9, 0.3)
    length = min(samples, round(1.2 * t60_s * SAMPLE_RATE_HZ))
    t = np.arange(length) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(length) * 10 ** (-3 * t / t60_s)
    tail[: round(rng.uniform(0.002, 0.04) * SAMPLE_RATE_HZ)] = 0
    tail = signal.lfilter([1 - (damping := rng.uniform(0.0, 0.7))], [1, -damping], tail)
    for _ in range(int(rng.integers(2, 9))):
        tail[round(rng.uniform(0.001, 0.05) * length) % length] += rng.normal() * 2
    tail *= 10 ** (rng.uniform(-8, 8) / 20) / np.linalg.norm(tail)
    tail[0] += 1.0
    response = np.zeros(samples, np.float32)
    response[:length] = tail / np.linalg.norm(tail)
    return response


def coloured_noise(rng: Rng, samples: int) -> F32:
    """Noise with power falling as f^-beta, beta 0 (white) to 2 (brown), at unit RMS."""
    spectrum = rng.standard_normal(samples // 2 + 1) + 1j * rng.standard_normal(samples // 2 + 1)
    spectrum *= np.maximum(np.arange(len(spectrum)), 20.0) ** (-rng.uniform(0, 2) / 2)
    noise = fft.irfft(spectrum, samples).astype(np.float32)
    return noise / np.float32(np.std(noise))


class Surroundings:
    """A stock of rooms and noises for clips of `samples`, a function of the seed."""

    def __init__(self, samples: int, seed: int):
        rng = np.random.default_rng([seed, 0x0_E4])
        self.samples = samples
        self._rooms: list[C64] = [fft.rfft(decaying_room(rng, samples)).astype(np.complex64) for _ in range(ROOMS)]
        self.noises = [coloured_noise(rng, samples) for _ in range(NOISES)]
        hz = np.maximum(fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ), 1.0)
        self._octaves = np.log2(hz / 1000).astype(np.float32)

    def colour(self, rng: Rng) -> F32:
        """Gains over the bins of the whole clip's spectrum: a random tilted equaliser, often with a cut-off."""
        knots = np.linspace(-5, 4.5, 8)
        db = np.interp(self._octaves, knots, rng.normal(0, 3, 8) + rng.normal(0, 1.0) * knots).astype(np.float32)
        if rng.random() < 0.4:  # low-pass
            edge, slope = rng.uniform(0.6, 4.0), rng.choice([12.0, 24.0, 48.0, 120.0])
            db -= np.maximum(self._octaves - np.float32(edge), 0) * np.float32(slope)
        if rng.random() < 0.25:  # high-pass
            edge, slope = rng.uniform(-5.0, -1.7), rng.choice([12.0, 24.0])
            db -= np.maximum(np.float32(edge) - self._octaves, 0) * np.float32(slope)
        return np.power(np.float32(10), np.maximum(db, -120) / 20, dtype=np.float32)

    def pass_through(self, wave: F32, rng: Rng) -> F32:
        """The wave [samples] after equaliser, cut-off and room; the tail of the end rings on at the start.

        Wrapping round is what the middle of a longer recording sounds like, and needs one transform each way.
        """
        coloured, roomy = rng.random() < 0.6, rng.random() < 0.55
        if not (coloured or roomy):
            return wave
        spectrum = fft.rfft(wave)
        if coloured:
            spectrum *= self.colour(rng)
        if roomy:
            spectrum *= self._rooms[int(rng.integers(ROOMS))]
        return fft.irfft(spectrum, self.samples)


@cache
def unheard_response() -> F32:
    """The exam's room, of a family never trained on: delay lines with damped feedback behind a comb (Schroeder 1962).

    Eight parallel feedback combs that lose their treble as they go round (Moorer 1979), 2.5 s long, after three slaps
    of pre-delay; as strong as the direct sound. float32 [3 s].
    """
    early = np.zeros(3 * SAMPLE_RATE_HZ)
    for delay_s, gain in ((0.031, 0.9), (0.062, -0.6), (0.093, 0.4)):
        early[round(delay_s * SAMPLE_RATE_HZ)] = gain
    wet = sum(_damped_comb(early, delay) for delay in (1214, 1293, 1390, 1476, 1548, 1623, 1695, 1760))
    wet /= np.linalg.norm(wet)
    wet[0] += 1.0
    return wet.astype(np.float32)


def _damped_comb(x: npt.NDArray[np.float64], delay: int) -> npt.NDArray[np.float64]:
    """y[n] = x[n] + g lowpass(y)[n - delay], block by block, as a block no longer than the delay needs no look-back."""
    damping, ring_s = 0.45, 2.5
    feedback = 10 ** (-3 * delay / SAMPLE_RATE_HZ / ring_s)
    y, memory = x.copy(), np.zeros(1)
    for start in range(delay, len(x), delay):
        block = y[start - delay : start]
        dull, memory = signal.lfilter([1 - damping], [1, -damping], block, zi=memory)
        y[start : start + delay] += feedback * dull[: len(y) - start]
    return y


def unheard_room(wave: F32) -> F32:
    """The wave [samples] in the exam's room, cut to its own length."""
    return signal.fftconvolve(wave, unheard_response())[: len(wave)].astype(np.float32)


def low_passed(wave: F32, edge_hz: float) -> F32:
    """The wave behind an eighth-order Butterworth low-pass."""
    sections = signal.butter(8, edge_hz, "low", fs=SAMPLE_RATE_HZ, output="sos")
    return signal.sosfilt(sections, wave).astype(np.float32)
