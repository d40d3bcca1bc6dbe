"""Water: rain, surf, falls, splashes, bubbles and mud."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    CURVE_HZ,
    HOP,
    Curve,
    Signal,
    Take,
    any_of,
    band_noise,
    f32,
    filtered,
    heavy_tail,
    high_pass,
    low_pass,
    moving_noise,
    noise,
    poisson,
    resonance,
    scatter,
    unit,
    upsampled,
    walk,
    wander,
)
from livevis.world.sounds.grains import bubbles, burst, bursts, clock, fizz


def rain(take: Take) -> Signal:
    """A hiss that grows and brightens over single drops, some of which ring: a lake, a roof or leaves."""
    i = take.intensity
    surface = resonance(np.full_like(i, take.log_between(500, 3000)), 0.8)
    colour = high_pass(take.log_rising(1800, take.log_between(400, 900))) * low_pass(take.log_rising(6000, 13_000))
    bed = moving_noise(take, colour * (0.5 + take.between(0, 1.2) * surface)) * upsampled(
        (0.02 + 0.4 * i**1.5) * wander(take, 0.5, 0.8, 1.2), take.samples
    )
    pitch = take.log_between(0.7, 1.5)
    drops = fizz(take, take.log_rising(take.between(12, 40), 900), bursts(
        take, 40, (0.002, 0.012), (1400 * pitch, 8000 * pitch)))  # fmt: skip
    rings = fizz(take, take.log_rising(take.between(3, 10), 60), bubbles(take, 24, (0.5, 2.2), 0.1))
    return f32(bed + take.between(0.25, 0.5) * drops + take.between(0.1, 0.5) * rings)


def ocean_waves(take: Take) -> Signal:
    """Waves that swell, break and draw back over the shingle: higher, slower and whiter with the intensity."""
    period_s = take.rising(take.between(3.0, 4.5), take.between(6.0, 9.0))
    total = take.silence()
    for share in (1.0, take.between(0.4, 0.7), take.between(0.2, 0.4)):
        turn = np.cumsum(1 / period_s / CURVE_HZ * take.between(0.85, 1.15)) + take.rng.random()
        height = (0.12 + take.intensity) * share * take.rng.uniform(0.6, 1.2, int(turn[-1]) + 1)[turn.astype(int)]
        total += _wave(take, (turn % 1).astype(np.float32), height.astype(np.float32))
    floor = noise(take, 30, 300, beta=1.5) * upsampled(take.rising(0.01, 0.1), take.samples)
    sea = noise(take, 250, take.log_between(1500, 5000), beta=0.7) * upsampled(
        wander(take, 0.4, 0.5, 1) * take.rising(0.006, 0.05), take.samples
    )
    return f32(total + floor + take.log_between(0.3, 1.2) * sea)


def _wave(take: Take, u: Curve, height: Curve) -> Signal:
    """One train of waves: u is the phase 0..1; it breaks at 0.42."""
    after = np.maximum(u - 0.42, 0)
    crash = np.where(u < 0.38, 0, np.minimum(1, (u - 0.38) / 0.04)) * np.exp(-after / take.between(0.1, 0.2))
    swell = np.clip(u / 0.42, 0, 1) ** 2 * np.exp(-after / 0.06)
    wash = np.clip(after / 0.2, 0, 1) * np.clip((1 - u) / 0.45, 0, 1) ** 2
    dark = low_pass(300 + 500 * swell * height) * (0.35 * swell * height)[:, None]
    white = low_pass(1200 + 6500 * crash * height) * high_pass(np.full_like(u, 350)) * (crash * height)[:, None]
    shingle = high_pass(np.full_like(u, take.log_between(1500, 3500))) * (0.15 * wash * height**1.5)[:, None]
    return moving_noise(take, np.sqrt(dark**2 * 3 + white**2 + shingle**2))


def waterfall(take: Take) -> Signal:
    """A burbling fall that becomes an even roar: bubbles drown in noise that reaches ever lower."""
    gush = wander(take, 4, 0.85, 1.15)
    tilt = np.maximum(1, np.arange(481) / 4.0).astype(np.float32)[None] ** -take.between(0.25, 0.5)
    body = moving_noise(take, high_pass(take.log_rising(700, 70)) * low_pass(take.log_rising(3000, 9000)) * tilt)
    deep = noise(take, 25, take.between(110, 200), beta=1.0) * upsampled(take.rising(0.01, 0.35), take.samples)
    burble = fizz(take, take.rising(60, 200), bubbles(take, 30, (1.2, take.between(5, 9)), 0.05))
    return f32(3 * body * upsampled(gush * take.log_rising(0.02, 0.5), take.samples) + deep + (
        burble * upsampled(take.rising(0.08, 0.2), take.samples)
    ))  # fmt: skip


def splashing_water(take: Take) -> Signal:
    """Slaps, sheets of spray and the bubbles that follow, over a lapping surface."""
    times = walk(take, take.rising(take.between(0.5, 0.9), take.between(1.8, 3.0)), 0.35)
    force = (0.25 + take.at(times)) * take.rng.uniform(0.5, 1.2, len(times))
    splashes = [_splash(take, take.between(0.06, 0.18)) for _ in range(6)]
    out = scatter(take.silence(), times, splashes, force, any_of(take, len(times), 6))
    counts = take.rng.poisson(25 + 45 * take.at(times))
    late = np.repeat(times, counts) + take.rng.gamma(2.0, 0.09, counts.sum())
    bank = bubbles(take, 24, (1.5, take.between(6, 10)), 0.12)
    sizes = 0.12 * np.repeat(force, counts) * heavy_tail(take, len(late), 2.5)
    scatter(out, late, bank, sizes, any_of(take, len(late), len(bank)))
    lapping = noise(take, 150, 900) * upsampled(wander(take, 2.5) ** 2 * take.rising(0.015, 0.06), take.samples)
    return out + lapping


def _splash(take: Take, tau_s: float) -> Signal:
    spray = burst(take, 6 * tau_s, (take.log_between(300, 800), take.log_between(4500, 11_000)), tau_s, 0.004)
    thump = burst(take, 6 * tau_s, (60, 260), 0.05, 0.004)
    return np.asarray(spray + take.between(0.3, 0.9) * thump, np.float32)


def underwater_bubbles(take: Take) -> Signal:
    """Strings of bubbles heard below the surface: all dull, with the rumble of the water."""
    starts = poisson(take, take.log_rising(take.between(0.9, 1.5), take.between(6, 9)))
    counts = take.rng.integers(3, 11, len(starts))
    gaps = take.rng.exponential(take.between(0.04, 0.07), counts.sum())
    times = np.repeat(starts, counts) + np.concatenate([np.cumsum(g) for g in np.split(gaps, np.cumsum(counts)[:-1])])
    bank = bubbles(take, 32, (take.between(2.5, 3.5), take.between(11, 18)), take.between(0.1, 0.25))
    sizes = (0.3 + 0.5 * take.at(times)) * take.rng.uniform(0.3, 1, len(times))
    ringing = scatter(take.silence(), times, bank, sizes, any_of(take, len(times), len(bank)))
    muffled = filtered(ringing, low_pass(np.full_like(take.intensity, take.log_between(1300, 2400)), 3))
    rumble = noise(take, 25, 220, beta=1.5)
    return muffled + rumble * upsampled(wander(take, 0.7, 0.6, 1.2) * take.rising(0.015, 0.07), take.samples)


def squishing_mud(take: Take) -> Signal:
    """Feet in wet mud: sucking sweeps of a resonance, gated as it tears, and small popping bubbles."""
    times = walk(take, take.rising(take.between(1.2, 1.8), take.between(3.0, 4.5)), 0.25)
    bank = [_squish(take) for _ in range(10)]
    force = (0.25 + take.at(times)) * take.rng.uniform(0.6, 1.1, len(times))
    out = scatter(take.silence(), times, bank, force, any_of(take, len(times), 10))
    counts = take.rng.poisson(8 + 20 * take.at(times))
    pops = np.repeat(times, counts) + take.rng.uniform(0.02, 0.3, counts.sum())
    small = bubbles(take, 16, (1.5, 5.0), 0.25)
    sizes = 0.15 * np.repeat(force, counts) * heavy_tail(take, len(pops), 3)
    scatter(out, pops, small, sizes, any_of(take, len(pops), 16))
    return out + 0.004 * noise(take, 60, 500, beta=1)


def _squish(take: Take) -> Signal:
    """150-350 ms of noise in a resonance that slides up (or down), torn sixty times a second."""
    t = clock(take.between(0.15, 0.35))
    u = np.linspace(0, 1, -(-len(t) // HOP), dtype=np.float32)
    ends = take.log_between(300, 800), take.log_between(1000, 2400)
    low, high = ends if take.rng.random() < 0.6 else ends[::-1]
    part = Take(u, len(t), take.rng)
    torn = np.where(wander(part, 60) > 0.4, 1.0, 0.15).astype(np.float32)
    gains = resonance(low * (high / low) ** u, take.between(4, 8)) * (np.abs(np.sin(np.pi * u)) ** 0.7 * torn)[:, None]
    slap = 0.25 * band_noise(take.rng, len(t), (100, 500)) * np.exp(-t / 0.03)
    x = unit(moving_noise(part, gains))
    return np.asarray((0.6 * x + slap) * np.minimum(1, (t[-1] - t) / 0.02), np.float32)
