"""Short sounds that come in numbers: bursts, drops, bubbles, chirps and things that ring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.world.sounds.acoustics import Numbers, Range, Signal, Take, any_of, band_gain, normals, poisson, scatter


def clock(seconds: float) -> Signal:
    """Times of the samples of a grain, in seconds."""
    return np.arange(max(8, round(seconds * SAMPLE_RATE_HZ)), dtype=np.float32) / np.float32(SAMPLE_RATE_HZ)


def decay(t: Signal, tau_s: float, attack_s: float = 0.0005) -> Signal:
    """An attack that bends into an exponential decay, ended by a short fade."""
    shape = np.exp(-t / np.float32(tau_s)) * (1 - np.exp(-t / np.float32(attack_s)))
    shape *= np.minimum(1, (t[-1] - t) / np.float32(0.1 * t[-1]))
    return np.asarray(shape, np.float32)


def burst(take: Take, seconds: float, band_hz: Range, tau_s: float, attack_s: float = 0.0005) -> Signal:
    """Band-passed noise under a decay, scaled to a peak of 1."""
    t = clock(seconds)
    n = 1 << (len(t) - 1).bit_length()
    f = np.arange(n // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / n)
    x = irfft(rfft(normals(take.rng, len(t)), n) * band_gain(f, band_hz), n)[: len(t)] * decay(t, tau_s, attack_s)
    return np.asarray(x / (np.max(np.abs(x)) + 1e-9), np.float32)


def bursts(take: Take, count: int, seconds: Range, centre_hz: Range, *, width: float = 1.6) -> list[Signal]:
    """A bank of bursts: lengths and centres drawn by their logarithms, bands from centre/width to centre*width."""
    bank = []
    for _ in range(count):
        length, centre = take.log_between(*seconds), take.log_between(*centre_hz)
        bank.append(burst(take, length, (centre / width, min(centre * width, 20_000)), length / 4, 0.0004))
    return bank


def bubble(take: Take, radius_mm: float, rise: float) -> Signal:
    """A bubble that rings at the surface (van den Doel 2005): f0 = 3/r, and `rise` lifts its pitch as it goes."""
    r = radius_mm / 1000
    f0, damping = 3 / r, 0.13 / r + 0.0072 * r**-1.5
    t = clock(min(4.5 / damping, 0.6))
    turns = f0 * (t + np.float32(rise * damping / 2) * t * t)
    x = np.sin(np.float32(2 * np.pi) * (turns % 1) + np.float32(take.between(0, 6.28)))
    return np.asarray(x * decay(t, 1 / damping, 0.0005), np.float32)


def bubbles(take: Take, count: int, radius_mm: Range, rise: float) -> list[Signal]:
    """A bank of bubbles from small to large, radii spread by their logarithms."""
    radii = np.geomspace(*radius_mm, count) * take.rng.uniform(0.93, 1.07, count)
    return [bubble(take, float(r), rise * take.between(0.5, 1.5)) for r in radii]


def fizz(take: Take, rate_hz: npt.NDArray[np.float32], bank: Sequence[Signal], alpha: float = 2.5) -> Signal:
    """Independent grains of a bank at a rate that moves, sizes with a heavy tail."""
    times = poisson(take, rate_hz)
    sizes = 0.3 * np.minimum(1 + take.rng.pareto(alpha, len(times)), 6)
    return scatter(take.silence(), times, bank, sizes, any_of(take, len(times), len(bank)))


def glide(seconds: float, hertz: Numbers, *, overtone: float = 0.0) -> Signal:
    """A tone that passes through frequencies at even times, under a hump; `overtone` adds its octave."""
    t = clock(seconds)
    u = t / t[-1]
    f = np.interp(u, np.linspace(0, 1, len(hertz)), hertz)
    turns = np.cumsum(f) / SAMPLE_RATE_HZ
    x = np.sin(2 * np.pi * turns) + overtone * np.sin(4 * np.pi * turns)
    return np.asarray(x * np.abs(np.sin(np.pi * u)) ** 0.7, np.float32)


def ringing(f0_hz: float, ratios: Numbers, levels: Numbers, taus_s: Numbers, *, longest_s: float = 4.0) -> Signal:
    """A struck thing: decaying partials at ratios of f0, none above 18 kHz, no longer than `longest_s`."""
    t = clock(min(4.5 * max(taus_s), longest_s))
    x = np.zeros_like(t)
    wave = partial(np.multiply, np.float32(2 * np.pi))
    for ratio, level, tau in zip(ratios, levels, taus_s, strict=True):
        if (f := f0_hz * ratio) < 18_000:
            part = t[: round(min(5 * tau, t[-1]) * SAMPLE_RATE_HZ)]
            x[: len(part)] += np.float32(level) * np.sin(wave((np.float32(f) * part) % 1)) * np.exp(-part / tau)
    return np.asarray(x * np.minimum(1, t / 0.0015) * np.minimum(1, (t[-1] - t) / 0.02), np.float32)
