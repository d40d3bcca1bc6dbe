"""Living places: birds in a wood, and the crackle of a reef."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Signal,
    Take,
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
    wander,
)
from livevis.world.sounds.grains import burst, bursts, clock, decay, fizz, glide


def forest(take: Take) -> Signal:
    """Birds, each with a song of its own, over leaves; a dawn chorus in the wind at the loud end."""
    out = take.silence()
    for bird in range(int(take.rng.integers(4, 8))):
        song = _song(take)
        shy = take.rising(0.28, 1.1) if bird < 2 else take.rising(0.02, take.between(0.4, 0.9))
        times = poisson(take, np.maximum(shy, 0.01))
        if bird == 0 and not len(times):
            times = take.rng.uniform(0, 0.6 * take.seconds, 1)
        loud = take.log_between(0.3, 0.9) * take.rng.uniform(0.6, 1, len(times)) * (0.5 + 0.8 * take.at(times))
        scatter(out, times, [song], loud, np.zeros(len(times), int))
    if take.rng.random() < 0.4:
        _woodpecker(take, out)
    breeze = wander(take, 0.4, 0.3, 1) * wander(take, 3, 0.6, 1)
    leaves = moving_noise(take, resonance(np.full_like(breeze, take.log_between(1800, 4000)), 0.6)) * upsampled(
        breeze * take.rising(0.012, 0.12), take.samples
    )
    trunk = noise(take, 60, 400, beta=1) * upsampled(breeze * take.rising(0.006, 0.05), take.samples)
    return f32(out + leaves + trunk)


def _song(take: Take) -> Signal:
    """One phrase: syllables of two to five kilohertz, whistled, trilled or swept, the same each time."""
    base = take.log_between(1500, 6000)
    syllable_s, gap_s = take.log_between(0.03, 0.22), take.log_between(0.02, 0.12)
    motifs = []
    for _ in range(int(take.rng.integers(1, 4))):
        shape = base * 2.0 ** take.rng.uniform(-0.45, 0.45, int(take.rng.integers(2, 6)))
        motifs.append(glide(syllable_s * take.between(0.7, 1.3), shape, overtone=take.between(0, 0.3)))
    count = int(take.rng.integers(2, 13))
    order = np.sort(take.rng.integers(0, len(motifs), count)) if take.rng.random() < 0.5 else np.arange(count)
    times = np.arange(count) * (syllable_s + gap_s)
    out = np.zeros(round(48_000 * (times[-1] + 0.4)), np.float32)
    return scatter(out, times, motifs, np.linspace(0.7, 1, count), order % len(motifs))


def _woodpecker(take: Take, out: Signal) -> None:
    knock = burst(take, 0.03, (700, 2400), 0.006)
    for at in poisson(take, take.rising(0.05, 0.25)):
        times = at + np.cumsum(np.linspace(0.045, 0.065, int(take.rng.integers(10, 20))))
        scatter(out, times[times < take.seconds], [knock], take.between(0.15, 0.4), 0)


def coral(take: Take) -> Signal:
    """A reef: thousands of snapping shrimps like frying fat, knocks and grunts of fish, surf far above."""
    snaps = fizz(take, take.log_rising(take.between(15, 40), take.between(350, 700)), bursts(
        take, 24, (0.0008, 0.003), (2500, 12_000), width=2.2), alpha=1.4)  # fmt: skip
    grunts = take.silence()
    for _ in range(int(take.rng.integers(2, 4))):
        call = _grunt(take)
        times = poisson(take, take.rising(take.between(0.15, 0.35), take.between(0.8, 1.6)))
        scatter(grunts, times, [call], take.between(0.2, 0.6) * (0.5 + take.at(times)), 0)
    water = low_pass(np.full_like(take.intensity, take.between(250, 450)), 1) * high_pass(take.rising(60, 60))
    surf = moving_noise(take, water * (wander(take, 0.3, 0.3, 1) * take.rising(0.1, 0.5))[:, None])
    deep = resonance(150 * 2.5 ** wander(take, 0.5), 2.5) * take.rising(0.1, 0.3)[:, None]
    return (
        0.5 * snaps + filtered(grunts, low_pass(np.full_like(take.intensity, 1200))) + surf + moving_noise(take, deep)
    )


def _grunt(take: Take) -> Signal:
    """A train of knocks of a swim bladder, 15 to 60 a second."""
    t = clock(0.04)
    pitch = take.log_between(120, 420)
    knock = np.asarray(np.sin(2 * np.pi * pitch * t) * decay(t, 0.009), np.float32)
    count, rate = int(take.rng.integers(4, 18)), take.log_between(15, 60)
    times = np.arange(count) / rate
    out = np.zeros(round(48_000 * (times[-1] + 0.1)), np.float32)
    return scatter(out, times, [knock], np.sin(np.pi * (np.arange(count) + 0.7) / (count + 0.4)), 0)
