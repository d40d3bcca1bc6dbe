"""Music to tell the world's sounds from: drums, a bass line and pads, each in a style of its own every time."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len

from livevis.world.sounds.acoustics import (
    Signal,
    Take,
    f32,
    filtered,
    high_pass,
    low_pass,
    moving_noise,
    phase,
    resonance,
    saw,
    scatter,
    sine,
    unit,
    upsampled,
    wander,
)
from livevis.world.sounds.grains import burst, clock, decay

PATTERNS: tuple[tuple[str, str, str], ...] = (
    ("x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    ("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    ("x..x......x.....", "....x..x.x..x...", "x.xxx.xxx.xxx.xx"),
    ("x.x...x...x..x..", "....x.......x..x", "x.x.x.x.x.x.x.x."),
    ("x.....x...x.....", "........x.......", "x.xxx.x.xxx.x.xx"),
    ("x..x..x.x..x..x.", "....x.......x...", "xxxxxxxxxxxxxxxx"),
)
"""Kick, snare and hat over sixteen steps: house, rock, breaks, boom-bap, half-time, tresillo."""
SCALES: tuple[tuple[int, ...], ...] = (
    (0, 3, 5, 7, 10),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 5, 7, 9, 11),
    (0, 1, 5, 7, 8),
)
CHORDS: tuple[tuple[int, ...], ...] = ((0, 3, 7, 10), (0, 4, 7, 11), (0, 3, 7, 14), (0, 5, 7, 12), (0, 4, 7, 14))


def drums(take: Take) -> Signal:
    """A kit and a pattern; harder and busier with the intensity."""
    kick, snare, hat = PATTERNS[int(take.rng.integers(0, len(PATTERNS)))]
    kit = (
        _kick(take),
        _snare(take),
        burst(take, 0.15, (take.log_between(4500, 8000), 17_000), take.log_between(0.015, 0.06)),
    )
    grid = _grid(take, take.log_between(76, 176), swing=take.between(0, 0.3) if take.rng.random() < 0.4 else 0.0)
    out = take.silence()
    for line, sound, level in ((kick, kit[0], 1.0), (snare, kit[1], 0.8), (hat, kit[2], 0.3)):
        steps = np.arange(len(grid))
        written = np.array([mark == "x" for mark in line])[steps % 16]
        ghost = take.rng.random(len(grid)) < 0.22 * take.at(grid) * (level < 1)
        on = written | ghost
        force = level * np.where(written, 1, 0.35) * take.rng.uniform(0.7, 1, len(grid)) * (0.25 + 0.75 * take.at(grid))
        times = grid[on] + take.rng.normal(0, 0.003, on.sum()).clip(0)
        scatter(out, times, [sound], force[on], 0)
    return np.asarray(np.tanh(1.3 * out), np.float32)


def _grid(take: Take, tempo_bpm: float, *, swing: float = 0.0) -> np.ndarray:
    """Times in seconds of sixteenths, the even ones late by `swing` of a step."""
    step = 15 / tempo_bpm
    steps = np.arange(int(take.seconds / step) + 1)
    return np.asarray((steps + swing * (steps % 2)) * step)


def _kick(take: Take) -> Signal:
    t = clock(0.45)
    low, fall, tau = take.between(42, 62), take.between(70, 220), take.log_between(0.015, 0.05)
    body = np.sin(2 * np.pi * (low * t + fall * tau * (1 - np.exp(-t / tau)))) * decay(t, take.log_between(0.08, 0.25))
    click = burst(take, 0.45, (1200, 8000), 0.003) * take.between(0.1, 0.6)
    return np.asarray(np.tanh(take.between(1, 3) * body) + click, np.float32)


def _snare(take: Take) -> Signal:
    t = clock(0.35)
    head = np.sin(2 * np.pi * take.between(160, 240) * t) * decay(t, 0.05)
    wires = burst(take, 0.35, (take.log_between(900, 2500), 11_000), take.log_between(0.04, 0.12))
    return np.asarray(take.between(0.2, 0.7) * head + wires, np.float32)


def bass(take: Take) -> Signal:
    """A line of low notes: saw, square or sine, plucked or wobbling, its filter opening with the intensity."""
    grid = _grid(take, take.log_between(76, 176))
    scale, root = SCALES[int(take.rng.integers(0, len(SCALES)))], take.between(26, 37)
    sounding = take.rng.random(16) < take.between(0.35, 0.75)
    sounding[0] = True
    degrees = take.rng.choice(scale, 16) + 12 * (take.rng.random(16) < 0.15)
    frame = np.arange(take.frames) / 100
    step = np.searchsorted(grid, frame, "right") - 1
    last = np.array([max((j for j in range(k + 1) if sounding[j]), default=0) for k in range(16)])
    held = step - step % 16 + last[step % 16]
    age = (frame - grid[held]).astype(np.float32)
    f0 = (440 * 2.0 ** ((root + degrees[held % 16] - 69) / 12)).astype(np.float32)
    turns = phase(f0, take.samples)
    tone = _bass_wave(take, turns)
    pluck = np.exp(-age / take.log_between(0.08, 0.5))
    if take.rng.random() < 0.35:
        pluck = 0.5 + 0.5 * np.sin(2 * np.pi * frame * take.between(1.5, 6))
    cutoff = 220 + take.log_rising(250, take.between(1800, 4000)) * pluck
    amp = (np.minimum(1, age / 0.02 + 0.1) * (0.08 + 0.92 * np.exp(-age / take.log_between(0.1, 0.9)))) * take.rising(
        0.25, 1
    )
    deep = filtered(tone, low_pass(cutoff.astype(np.float32))) + 0.5 * sine(turns)
    return np.asarray(np.tanh(take.between(1, 2) * deep * upsampled(amp.astype(np.float32), take.samples)), np.float32)


def _bass_wave(take: Take, turns: np.ndarray) -> Signal:
    kind = int(take.rng.integers(0, 4))
    if kind == 0:
        return saw(turns)
    if kind == 1:
        return f32(np.sign(saw(turns) - np.float32(take.between(-0.5, 0.5))))
    if kind == 2:
        return 0.6 * (saw(turns) + saw(turns * 1.006))
    return sine(turns + take.between(0.2, 0.7) * sine(2 * turns))


def pads(take: Take) -> Signal:
    """Chords of three to six seconds by PADsynth (Nasca 2005), brighter with the intensity."""
    out = take.silence()
    root, width = take.between(48, 60), take.log_between(0.0015, 0.01)
    slope, held_s = take.between(0.8, 1.5), take.between(2.5, 6)
    roots = take.rng.choice((0, 3, 5, 7, 8, 10), 8)
    chords = [CHORDS[int(k)] for k in take.rng.integers(0, len(CHORDS), 8)]
    at, k = -take.between(0, held_s / 2), 0
    while at < take.seconds:
        pitches = [root + roots[k % 8] + note for note in chords[k % 8]]
        _add_chord(out, at, _chord(take, [440 * 2 ** ((p - 69) / 12) for p in pitches], held_s + 1.2, width, slope))
        at, k = at + held_s, k + 1
    opening = take.log_rising(take.between(350, 600), take.between(4000, 9000)) * wander(take, 0.3, 0.7, 1.3)
    bright = filtered(out, low_pass(opening)) * upsampled(take.rising(0.2, 1), take.samples)
    breath = moving_noise(take, resonance(opening, 1.5) * high_pass(opening)) * 0.003
    return np.asarray(bright + breath, np.float32)


def _chord(take: Take, pitches_hz: list[float], seconds: float, width: float, slope: float) -> Signal:
    n = next_fast_len(round(seconds * 48_000), real=True)
    df = 48_000 / n
    spectrum = np.zeros(n // 2 + 1, np.complex64)
    for f0 in pitches_hz:
        for k in range(1, int(min(20, 9000 / f0)) + 1):
            spread = max(width * k * f0, 2 * df)
            near = np.arange(max(1, int((k * f0 - 3 * spread) / df)), int((k * f0 + 3 * spread) / df))
            hump = np.exp(-(((near * df - k * f0) / spread) ** 2) / 2) / (k**slope * np.sqrt(len(near)))
            spectrum[near] += hump * np.exp(2j * np.pi * take.rng.random(len(near)))
    x = unit(irfft(spectrum, n))
    t = clock(n / 48_000)
    return np.asarray(x * np.clip(np.minimum(t / 1.0, (t[-1] - t) / 1.2), 0, 1), np.float32)


def _add_chord(out: Signal, at_s: float, chord: Signal) -> None:
    start = round(at_s * 48_000)
    first = max(0, start)
    part = chord[first - start :][: len(out) - first]
    out[first : first + len(part)] += part
