"""Fire and what burns below: flames, an eruption, and wax in a lamp."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Signal,
    Take,
    any_of,
    f32,
    filtered,
    heavy_tail,
    low_pass,
    moving_noise,
    noise,
    poisson,
    resonance,
    scatter,
    upsampled,
    wander,
)
from livevis.world.sounds.grains import bubbles, burst, bursts, clock, decay, fizz


def fire(take: Take) -> Signal:
    """Crackles and pops over lapping flames, which become a roar (Farnell, Designing Sound, 2010)."""
    flicker = wander(take, take.between(3, 6))
    lapping = np.tanh(5 * noise(take, 25, 60, beta=1)) * upsampled(flicker * take.rising(0.02, 0.3), take.samples)
    roar_gain = wander(take, 1.5, 0.6, 1.2) * take.rising(0.03, take.between(0.5, 0.8))
    roar = noise(take, take.between(60, 110), take.between(450, 900), beta=1) * upsampled(roar_gain, take.samples)
    hiss = noise(take, 1000, 12_000) * upsampled(wander(take, 10) ** 4 * take.rising(0.02, 0.12), take.samples)
    wood = take.log_between(0.6, 1.5)
    fine = fizz(take, take.log_rising(take.between(5, 10), take.between(50, 110)) * wander(take, 2.5, 0.2, 1.8), bursts(
        take, 32, (0.002, 0.014), (1500 * wood, 9000 * wood)), alpha=1.5)  # fmt: skip
    pops = poisson(take, take.rising(0.6, 4))
    logs = bursts(take, 10, (0.015, 0.06), (350 * wood, 1600 * wood))
    scatter(fine, pops, logs, heavy_tail(take, len(pops), 2, 4) * 0.5, any_of(take, len(pops), 10))
    return f32(lapping + roar + hiss + fine * upsampled(take.rising(0.5, 1.5), take.samples))


def volcano(take: Take) -> Signal:
    """A rumble that never stops, explosions over it, and the debris that follows each of them."""
    rumble = noise(take, 12, take.between(60, 90), beta=1.5, order=4) * upsampled(
        wander(take, 2, 0.4, 1.2) * take.rising(0.08, 0.8), take.samples
    )
    vent = noise(take, 60, take.between(350, 600), beta=1) * upsampled(
        wander(take, 5, 0.3, 1) * take.rising(0.02, 0.35), take.samples
    )
    times = poisson(take, take.rising(take.between(0.15, 0.3), take.between(0.6, 1.0)))
    if not len(times):
        times = take.rng.uniform(0, 0.6 * take.seconds, 1)
    force = (0.2 + take.at(times)) * take.rng.uniform(0.6, 1.2, len(times))
    out = scatter(rumble + vent, times, [_blast(take) for _ in range(4)], force, any_of(take, len(times), 4))
    counts = take.rng.poisson(20 + 50 * take.at(times))
    falls = np.repeat(times, counts) + take.rng.gamma(3.0, 0.28, counts.sum())
    rocks = bursts(take, 16, (0.015, 0.09), (200, 1800))
    sizes = 0.14 * np.repeat(force, counts) * heavy_tail(take, len(falls), 2, 5)
    scatter(out, falls, rocks, sizes, any_of(take, len(falls), 16))
    return np.tanh(out)


def _blast(take: Take) -> Signal:
    """Torn noise over a sine that drops below hearing, and a tail."""
    t = clock(3.0)
    tear = np.tanh(5 * burst(take, 3.0, (30, take.log_between(900, 2500)), take.between(0.12, 0.3), 0.004))
    turns = 28 * t + 60 * 0.08 * (1 - np.exp(-t / 0.08))
    thud = np.sin(2 * np.pi * turns) * decay(t, 0.5, 0.003)
    tail = burst(take, 3.0, (20, take.between(100, 200)), take.between(0.6, 1.0), 0.05)
    return np.asarray(0.7 * tear + 1.3 * thud + tail, np.float32)


def lava_lamp(take: Take) -> Signal:
    """Slow, thick glugs above the hum of the lamp, each blob a rising vowel."""
    times = poisson(take, take.rising(take.between(0.9, 1.4), take.between(4, 6)))
    blobs = bubbles(take, 14, (take.between(13, 17), take.between(30, 42)), take.between(0.35, 0.6))
    sizes = (0.3 + take.at(times)) * take.rng.uniform(0.5, 1.1, len(times))
    glug = scatter(take.silence(), times, blobs, sizes, any_of(take, len(times), 14))
    wah = filtered(glug, 0.5 + 2 * resonance(200 * 3.0 ** wander(take, 1.2), 3) * low_pass(take.log_rising(600, 1600)))
    flow = moving_noise(take, resonance(120 * 3.0 ** wander(take, 0.4), 5)) * upsampled(
        take.rising(0.2, 1.2), take.samples
    )
    mains = 50.0 if take.rng.random() < 0.5 else 60.0
    t = np.arange(take.samples) / 48_000
    hum = sum(take.between(0.2, 1) / k * np.sin(2 * np.pi * ((mains * k * t) % 1)) for k in (1, 2, 4))
    return f32(wah + flow + take.between(0.01, 0.04) * np.asarray(hum, np.float32))
