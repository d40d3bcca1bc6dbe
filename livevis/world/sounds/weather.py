"""Moving air and what it carries: wind in grass, over dunes and in snow, and a thunderstorm."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Curve,
    Signal,
    Take,
    any_of,
    f32,
    filtered,
    high_pass,
    low_pass,
    moving_noise,
    noise,
    poisson,
    resonance,
    scatter,
    upsampled,
    walk,
    wander,
)
from livevis.world.sounds.grains import burst, bursts, clock, fizz


def gusts(take: Take, rate_hz: float) -> Curve:
    """The speed of the wind: a slow and a quick change, the stronger the wind the wilder."""
    slow, quick = wander(take, rate_hz, 0.12, 1), wander(take, 5 * rate_hz, 0.6, 1)
    return (0.06 + slow * quick * take.rising(0.22, 1.0)).astype(np.float32)


def wind_grass(take: Take) -> Signal:
    """Gusts that pass through grass: a dark breath, and a rustle of blades that flutters with it."""
    g = gusts(take, take.between(0.3, 0.7))
    body = moving_noise(take, low_pass(150 + 700 * g, 1) * (1.6 * g**1.5)[:, None])
    blades = resonance(np.full_like(g, take.log_between(2500, 5500)), take.between(0.5, 0.9))
    flutter = wander(take, take.between(9, 16), 0.3, 1) * wander(take, 4, 0.5, 1)
    rustle = moving_noise(take, blades * high_pass(np.full_like(g, 1200)) * (g**1.7 * flutter)[:, None])
    howl = moving_noise(take, resonance(take.between(200, 320) + 650 * g, take.between(6, 12)) * (g**2)[:, None])
    stalks = fizz(take, 90 * g**1.5, bursts(take, 24, (0.004, 0.02), (2500, 9000)))
    return f32(body + take.between(0.2, 0.9) * howl + take.log_between(0.25, 0.9) * rustle + 0.2 * stalks)


def desert(take: Take) -> Signal:
    """A hollow wind over dunes, sand that hisses along the ground, and crickets while it is calm."""
    g = gusts(take, take.between(0.15, 0.35))
    hollow = take.log_between(220, 420)
    moan = moving_noise(
        take, resonance(hollow * (1 + 0.7 * g), take.between(9, 16)) + 0.5 * resonance(hollow * (2.1 + g), 12)
    ) * upsampled(1.6 * g**1.6, take.samples)
    sand = moving_noise(take, high_pass(np.full_like(g, take.log_between(4500, 7000)), 3)) * upsampled(
        0.35 * np.maximum(0, g - 0.2) ** 1.2, take.samples
    )
    grit = fizz(take, 700 * np.maximum(0, g - 0.25) ** 1.5, bursts(take, 24, (0.001, 0.003), (6000, 14_000)))
    body = noise(take, 40, 250, beta=1.5) * upsampled(0.15 * g**2, take.samples)
    crickets = _crickets(take) * upsampled(np.clip(1.2 - 1.8 * take.intensity, 0, 1), take.samples)
    return f32(moan + sand + 0.25 * grit + body + take.between(0.02, 0.05) * crickets)


def _crickets(take: Take) -> Signal:
    """Two to four insects: pulses of a pure tone near 4.5 kHz, in chirps of three to six."""
    out = take.silence()
    for _ in range(int(take.rng.integers(2, 5))):
        pitch, length, pulses = take.between(3600, 5400), take.between(0.012, 0.02), int(take.rng.integers(3, 7))
        t = clock(length)
        pulse = np.asarray(np.sin(2 * np.pi * pitch * t) * np.sin(np.pi * t / t[-1]), np.float32)
        starts = walk(take, np.full_like(take.intensity, take.between(1.0, 2.6)), 0.05)
        times = (starts[:, None] + np.arange(pulses) * 1.6 * length).reshape(-1)
        scatter(out, times, [pulse], take.between(0.4, 1), np.zeros(len(times), int))
    return out


def snow(take: Take) -> Signal:
    """Steps that crunch in frozen snow; the wind around them whistles into a blizzard."""
    g = gusts(take, take.between(0.3, 0.6)) * take.rising(0.35, 1)
    whistle = take.log_between(700, 1200)
    tones = sum(
        resonance(whistle * r * (0.75 + 0.5 * g) * wander(take, 0.8, 0.93, 1.07), 28) * a
        for r, a in ((1, 1.0), (take.between(1.4, 1.7), 0.7), (take.between(2.1, 2.6), 0.4))
    )
    air = moving_noise(take, (take.between(1.5, 3) * tones + 0.35 * low_pass(300 + 1500 * g, 1)) * (g**1.6)[:, None])
    flakes = noise(take, 7000, 16_000) * upsampled(0.03 * g**2, take.samples)
    times = walk(take, np.full_like(g, take.between(1.5, 2.1)), 0.06)
    strides = [_crunch(take) for _ in range(6)]
    crunches = scatter(
        take.silence(), times, strides, take.rng.uniform(0.6, 1, len(times)), any_of(take, len(times), 6)
    )
    return f32(air + flakes + take.between(0.1, 0.22) * crunches * upsampled(take.rising(1, 0.7), take.samples))


def _crunch(take: Take) -> Signal:
    """One step: grains that break as the foot comes down, with a squeak of frozen crystals."""
    length = take.between(0.22, 0.36)
    out = np.zeros(round(48_000 * length * 1.3), np.float32)
    count = int(take.between(120, 260))
    times = length * take.rng.beta(1.6, 2.2, count)
    bank = bursts(take, 24, (0.003, 0.012), (900, 4500))
    scatter(out, times, bank, take.rng.gamma(1.2, 0.3, count), any_of(take, count, 24))
    scatter(out, np.zeros(1), [burst(take, length, (80, 350), length / 4, 0.01)], 0.6, [0])
    return out


def lightning(take: Take) -> Signal:
    """Thunder: far off a dull roll, near a tearing crack, stuttering echoes and a long rumble; rain around it."""
    i = take.intensity
    times = poisson(take, take.rising(take.between(0.12, 0.2), take.between(0.4, 0.7)))
    if not len(times):
        times = take.rng.uniform(0, 0.5 * take.seconds, 1)
    out = take.silence()
    for at, near in zip(times, take.at(times), strict=True):
        stroke = _thunder(take, float(np.clip(near * take.between(0.7, 1.3), 0.05, 1)))
        scatter(out, np.array([at]), [stroke], 0.25 + 0.9 * near, [0])
    roll = noise(take, 20, 120, beta=1.5) * upsampled(wander(take, 1.2) ** 2 * (0.03 + 0.12 * i), take.samples)
    bed = noise(take, 700, 8000) * upsampled(wander(take, 0.5, 0.8, 1.2) * (0.004 + 0.05 * i**1.5), take.samples)
    drops = fizz(take, take.rising(10, 200), bursts(take, 16, (0.002, 0.008), (1500, 7000)))
    return f32(np.tanh(out) + roll + take.log_between(0.2, 2.5) * (bed + 0.06 * drops))


def _thunder(take: Take, near: float) -> Signal:
    t = clock(take.between(3, 5.5))
    part = Take(np.zeros(-(-len(t) // 480), np.float32), len(t), take.rng)
    swell = 1 - np.exp(-t / (0.35 - 0.3 * near))
    claps = upsampled(wander(part, take.between(4, 8), 0.15, 1), len(t)) * np.exp(-t / take.between(1.0, 1.8)) * swell
    edge = part.intensity + np.float32(take.log_between(80, 220) + 500 * near)
    rumble = filtered(noise(part, 22, 1500, beta=1.5), low_pass(edge * (1 + 3 * np.exp(-part_time(part) / 0.3))))
    out = np.asarray(1.5 * rumble * claps, np.float32)
    crack = [
        burst(take, 0.4, (250, 7000), take.between(0.03, 0.09), 0.001),
        *bursts(take, 8, (0.04, 0.12), (400, 3000)),
    ]
    gaps = np.concatenate((np.zeros(1), np.cumsum(take.rng.exponential(0.06, 12))))
    sizes = near**1.5 * np.concatenate((np.full(1, 1.4), np.geomspace(0.9, 0.2, 12)))
    kinds = np.concatenate((np.zeros(1, int), 1 + any_of(take, 12, 8)))
    return scatter(out, gaps, crack, sizes, kinds)


def part_time(part: Take) -> Curve:
    """Times in seconds of a take's frames."""
    return np.arange(part.frames, dtype=np.float32) / np.float32(100)
