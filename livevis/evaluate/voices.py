"""Drum and note voices: short grains at 48 kHz, made of sines and filtered noise."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.signal import butter, sosfilt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F64

Rng = np.random.Generator


def seconds_axis(length_s: float) -> F64:
    """Return sample times of a grain."""
    return np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def filtered(noise: F64, low_hz: float | None, high_hz: float | None, *, order: int = 2) -> F64:
    """Return Butterworth-filtered noise; a None edge is open."""
    return sosfilt(_design(low_hz, high_hz, order), noise)


@cache
def _design(low_hz: float | None, high_hz: float | None, order: int) -> F64:
    if low_hz is None:
        return butter(order, high_hz, "lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    if high_hz is None:
        return butter(order, low_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    return butter(order, (low_hz, high_hz), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")


def kick(rng: Rng) -> F64:
    """A sine falling from 180 to 48 Hz with a 4 ms click."""
    t = seconds_axis(0.45)
    phase = 2 * np.pi * np.cumsum(48 + 130 * np.exp(-t / 0.035)) / SAMPLE_RATE_HZ
    return np.sin(phase) * np.exp(-t / 0.11) + 0.25 * rng.normal(size=len(t)) * np.exp(-t / 0.001) * (t < 0.004)


def snare(rng: Rng) -> F64:
    """Two modes and a noise burst."""
    t = seconds_axis(0.3)
    modes = (np.sin(2 * np.pi * 185 * t) + np.sin(2 * np.pi * 331 * t)) * np.exp(-t / 0.06)
    return 0.35 * modes + 0.55 * filtered(rng.normal(size=len(t)), 1500, 9000) * np.exp(-t / 0.08)


def hat(rng: Rng, *, decay_s: float = 0.03) -> F64:
    """High-passed noise; 30 ms closed, 180 ms open."""
    t = seconds_axis(6 * decay_s)
    return 0.4 * filtered(rng.normal(size=len(t)), 7000, None) * np.exp(-t / decay_s)


def note(hz: float, length_s: float, *, attack_s: float = 0.004, partials: int = 8, tilt: float = 1.0) -> F64:
    """A harmonic note with a raised-cosine attack and a short release."""
    t = seconds_axis(length_s)
    wave = sum(np.sin(2 * np.pi * hz * k * t) / k**tilt for k in range(1, partials + 1) if hz * k < 16_000)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(t / attack_s, 0, 1))
    fall = np.clip((length_s - t) / min(0.05, length_s / 2), 0, 1)
    return 0.3 * wave * rise * fall


def midi_hz(number: float) -> float:
    """Return the frequency of a MIDI note number, A4 = 69 = 440 Hz."""
    return 440.0 * 2 ** ((number - 69) / 12)
