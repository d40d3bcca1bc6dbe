"""What nobody has heard, as it is imagined: a nebula, an aurora on the radio, a crystal, a mandala's bowls."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Signal,
    Take,
    any_of,
    f32,
    moving_noise,
    noise,
    phase,
    poisson,
    resonance,
    scatter,
    sine,
    unit,
    upsampled,
    walk,
    wander,
)
from livevis.world.sounds.grains import burst, bursts, clock, fizz, ringing


def nebula(take: Take) -> Signal:
    """A drone in deep space: low beating partials, a slow wind through resonances, a shimmer far above."""
    root = take.log_between(36, 75)
    out = take.silence()
    for k in (1, 2, 3, 4, 5, 6, 8, 9, 12, 15, 18):
        f = np.full_like(take.intensity, root * k * take.between(0.99, 1.01)) * wander(take, 0.2, 0.994, 1.006)
        level = wander(take, 0.3, 0, 1) ** 2 * (1 if k < 4 else take.rising(0.15, 1.3)) / k**0.4
        out += sine(phase(f, take.samples) + take.rng.random()) * upsampled(level.astype(np.float32), take.samples)
    centre = take.log_rising(180, take.between(500, 900)) * 2.5 ** wander(take, 0.12, -1, 1)
    wind = moving_noise(take, resonance(centre, take.between(9, 18)) + 0.6 * resonance(2.7 * centre, 20))
    air = noise(take, 4000, 14_000) * upsampled(wander(take, 0.3) ** 2 * take.rising(0.004, 0.04), take.samples)
    body = 0.3 * out * upsampled(take.rising(0.25, 1), take.samples)
    return f32(body + wind * upsampled(wander(take, 0.2, 0.3, 1) * take.rising(0.25, 2.0), take.samples) + air)


def aurora(take: Take) -> Signal:
    """An aurora as very-low-frequency radio hears it: whistlers that fall for seconds, sferics and hiss."""
    fall = [_whistler(take) for _ in range(4)]
    times = poisson(take, take.log_rising(take.between(0.35, 0.6), take.between(2.5, 4)))
    if not len(times):
        times = take.rng.uniform(0, 0.5 * take.seconds, 1)
    sizes = take.log_between(0.3, 0.5) * (0.4 + take.at(times)) * take.rng.uniform(0.4, 1, len(times))
    out = scatter(take.silence(), times, fall, sizes, any_of(take, len(times), 4))
    sferics = fizz(take, take.log_rising(4, 40), bursts(take, 12, (0.002, 0.01), (1500, 6000)))
    centre = take.log_between(1800, 3500) * 1.4 ** wander(take, 0.3, -1, 1)
    hiss = moving_noise(take, resonance(centre, 3)) * upsampled(
        wander(take, 0.5) * take.rising(0.03, 0.5), take.samples
    )
    return f32(out + 0.3 * sferics + hiss)


def _whistler(take: Take) -> Signal:
    """Lightning's pulse spread along the Earth's field: t = D / sqrt(f) (Storey 1953), with a breathy edge."""
    t = clock(take.log_between(0.6, 3.0))
    top, bottom = take.between(4500, 9500), take.log_between(350, 1500)
    start, end = top**-0.5, bottom**-0.5
    f = (start + (end - start) * t / t[-1]) ** -2
    turns = np.cumsum(f, dtype=np.float64) / 48_000
    breath = 1 + 0.6 * np.interp(t, t[::960], take.rng.standard_normal(len(t[::960])))
    return np.asarray(sine(turns) * breath * np.abs(np.sin(np.pi * t / t[-1])) ** 0.5, np.float32)


def crystal(take: Take) -> Signal:
    """Glass chimes: bright inharmonic partials that ring on, from one in a while to a shimmering cloud."""
    root = take.log_between(900, 1800)
    scale = np.sort(take.rng.choice([1, 9 / 8, 6 / 5, 5 / 4, 4 / 3, 3 / 2, 8 / 5, 5 / 3, 15 / 8], 5, replace=False))
    glass = []
    for k in range(10):
        long = take.log_between(0.25, 1.1)
        ratios = np.array([1, 2.32, 4.25, 6.63]) * take.rng.uniform(0.97, 1.03, 4)
        glass.append(
            ringing(
                root * scale[k % 5] * (1 + k // 5),
                ratios,
                (1, 0.6, 0.35, 0.2),
                long / np.arange(1, 5),
                longest_s=min(4.0, take.seconds),
            )
        )
    times = poisson(take, take.log_rising(take.between(1.0, 1.8), take.between(14, 24)) * wander(take, 1, 0.3, 1.7))
    if not len(times):
        times = take.rng.uniform(0, 0.5 * take.seconds, 1)
    level = take.rng.uniform(0.15, 1, len(times)) * (0.3 + 0.5 * take.at(times))
    out = scatter(take.silence(), times, glass, level, any_of(take, len(times), 10))
    scatter(out, times, bursts(take, 5, (0.002, 0.004), (6000, 14_000)), 0.3 * level, any_of(take, len(times), 5))
    dust = fizz(take, take.rising(0, 120), [g[:2400] * np.linspace(1, 0, 2400, dtype=np.float32) for g in glass[5:]])
    return out + 0.25 * dust


def mandala(take: Take) -> Signal:
    """Singing bowls and a gong: pairs of partials that beat, and the breath of a chant at the loud end."""
    root = take.log_between(95, 210)
    bowls = [_bowl(take, root * r) for r in (1, 1.5, take.between(2, 3.1))]
    times = walk(take, take.rising(take.between(0.3, 0.5), take.between(1.6, 2.4)), 0.25)
    level = take.rng.uniform(0.4, 1, len(times)) * (0.25 + 0.6 * take.at(times))
    out = scatter(take.silence(), times, bowls, level, any_of(take, len(times), 3))
    mallet = burst(take, 0.05, (150, 1200), 0.008)
    scatter(out, times, [mallet], 0.3 * level, 0)
    gong = [_gong(take, root)]
    hits = poisson(take, take.rising(0.03, 0.3))
    scatter(out, hits, gong, 0.15 + 0.5 * take.at(hits), 0)
    turns = phase(wander(take, 3, 0.992, 1.008) * np.float32(root), take.samples)
    chant = sine(turns) + 0.5 * sine(2 * turns) + 0.4 * sine(3 * turns)
    return f32(out + chant * upsampled(0.12 * take.intensity * wander(take, 0.3), take.samples))


def _bowl(take: Take, f0: float) -> Signal:
    """The modes of a bowl, each two close frequencies."""
    modes, beat = np.array([1, 2.71, 5.15, 8.1]), 1 + take.between(0.6, 3) / f0
    ratios = np.concatenate((modes, modes * beat))
    taus = np.tile(take.between(0.7, 1.2) / np.arange(1, 5), 2)
    return ringing(f0, ratios, np.tile((1, 0.7, 0.35, 0.15), 2) * 0.5, taus, longest_s=min(4.0, take.seconds))


def _gong(take: Take, root: float) -> Signal:
    """Fourteen modes that swell after the stroke, the high ones late."""
    long_s = min(3.5, take.seconds)
    t = clock(long_s)
    f = root * 0.6 * take.rng.uniform(1, 14, 14)
    swell = [np.sin(2 * np.pi * ((np.float32(x) * t) % 1)) * np.exp(-t * (0.7 + x / 900)) for x in f]
    x = unit(np.asarray(sum(swell), np.float32)) * (1 - np.exp(-t / 0.15)) * np.minimum(1, (long_s - t) / 0.5)
    return np.asarray(0.5 * x, np.float32)
