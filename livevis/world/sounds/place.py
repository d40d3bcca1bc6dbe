"""Where and with what a sound was recorded: a room, a tilt and a colour that differ from take to take."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.world.sounds.acoustics import Curve, Signal, Take, f32, normals
from livevis.world.sounds.grains import clock

CALM_DB, RAGING_DB = -36.0, -17.0
"""RMS in dB below full scale at intensity 0 and 1; a take may be off by half a step of intensity."""
_LIMIT = 0.75


def recorded(take: Take, x: Signal) -> Signal:
    """Return the sound as heard in a place, at a level that follows the intensity; |x| <= 1."""
    offset_db = take.between(-3, 3)
    x = _heard(take, x)
    wanted = np.sqrt(np.mean(10 ** (take.rising(CALM_DB, RAGING_DB) / 10))) * 10 ** (offset_db / 20)
    return limited(np.asarray(x * (wanted / (np.sqrt(np.mean(x * x)) + 1e-9)), np.float32))


def limited(x: Signal) -> Signal:
    """Leave what is under 0.75 alone and bend the rest into 0.75..1."""
    over = np.maximum(np.abs(x) - _LIMIT, 0) / (1 - _LIMIT)
    return np.asarray(np.clip(x, -_LIMIT, _LIMIT) + np.sign(x) * (1 - _LIMIT) * np.tanh(over), np.float32)


def _heard(take: Take, x: Signal) -> Signal:
    room = _room(take) if take.rng.random() < 0.7 else np.ones(1, np.float32)
    n = next_fast_len(len(x) + len(room), real=True)
    f = np.arange(n // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE_HZ / n)
    spectrum = rfft(x, n) * _microphone(take, f)
    return f32(irfft(spectrum * rfft(room, n) if len(room) > 1 else spectrum, n)[: len(x)])


def _microphone(take: Take, f: Curve) -> Curve:
    """A tilt of up to 2.5 dB an octave about 1 kHz, two broad bumps, and the ends of its range."""
    knots = np.geomspace(20, 24_000, 64)
    db = take.between(-2.5, 2.0) * np.clip(np.log2(knots / 1000), -4, 4)
    for _ in range(2):
        db += take.between(-5, 5) * np.exp(-((np.log2(knots / take.log_between(150, 8000)) / 0.8) ** 2))
    db -= 10 * np.log10(1 + (take.log_between(15, 90) / knots) ** 4)
    db -= 10 * np.log10(1 + (knots / take.log_between(9000, 30_000)) ** 4)
    return np.asarray(np.interp(f, knots, 10 ** (db / 20)), np.float32)


def _room(take: Take) -> Signal:
    """An impulse response: the direct sound, a few early echoes, and noise that decays and darkens."""
    tail_s = take.log_between(0.12, 1.1)
    t = clock(tail_s)
    late = normals(take.rng, len(t)) * np.exp(-6.9 * t / tail_s) * (1 - np.exp(-t / 0.008))
    dark = np.asarray(np.cumsum(late - np.mean(late)), np.float32)
    late = late / np.sqrt(np.sum(late**2)) + take.between(0.2, 1) * dark / np.sqrt(np.sum(dark**2))
    room = take.log_between(0.08, 0.6) * late
    for delay in take.rng.uniform(0.003, 0.05, 5):
        at = int(delay * SAMPLE_RATE_HZ)
        if at < len(room):
            room[at] += take.between(-0.3, 0.3)
    room[0] = 1
    return np.asarray(room, np.float32)
