"""People: talk that says nothing, and applause."""

from __future__ import annotations

import numpy as np

from livevis.world.sounds.acoustics import (
    Curve,
    Gains,
    Signal,
    Take,
    any_of,
    filtered,
    high_pass,
    moving_noise,
    phase,
    poisson,
    resonance,
    saw,
    scatter,
    upsampled,
    walk,
    wander,
)
from livevis.world.sounds.grains import bursts, glide

VOWELS: tuple[tuple[float, float, float], ...] = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (490, 1350, 1690),
)  # fmt: skip
"""Formants in Hz (Peterson & Barney 1952)."""


def babble(take: Take) -> Signal:
    """One talker at ease, up to a crowd that all talk at once: voiced formants, hisses and pauses."""
    out = take.silence()
    for talker in range(3):
        entry = np.clip(3 * take.intensity - 0.9 * talker + (talker == 0), 0, 1) * take.rising(0.25, 1)
        if np.max(entry) > 0.02:
            out += _talker(take) * upsampled(entry.astype(np.float32), take.samples) * take.between(0.5, 1)
    crowd = 500 * 1.6 ** wander(take, 6, -1, 1)
    murmur = moving_noise(take, resonance(crowd, 1.5) * wander(take, 5, 0.2, 1)[:, None])
    return out + murmur * upsampled(0.25 * np.maximum(0, take.intensity - 0.3), take.samples)


def _talker(take: Take) -> Signal:
    """A voice: pitch, three formants, loudness of the voice and of the hiss, as curves from its syllables."""
    pitch, size = take.log_between(85, 250), take.between(0.88, 1.2)
    f0, voiced, hiss, formants = _syllables(take, pitch)
    buzz = saw(phase(f0 * wander(take, 8, 0.985, 1.015), take.samples))
    tract: Gains = sum(
        resonance(formants[:, k] * np.float32(size), q) * a for k, (q, a) in enumerate(((5, 1.0), (9, 0.6), (12, 0.3)))
    )  # type: ignore[assignment]
    voice = filtered(buzz, tract * voiced[:, None])
    fricative = resonance(np.full_like(f0, take.log_between(3000, 7000)), 1.2) * high_pass(np.full_like(f0, 2000))
    return voice + 0.6 * moving_noise(take, fricative * hiss[:, None])


def _syllables(take: Take, pitch_hz: float) -> tuple[Curve, Curve, Curve, Gains]:
    """Phrases of three to nine syllables of 120 to 260 ms, the pitch falling over each, then a pause."""
    n, pace = take.frames, take.between(0.75, 1.25)
    f0, voiced, hiss = np.full(n, pitch_hz, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    formants = np.tile(np.array(VOWELS[5], np.float32), (n, 1))
    at, left = int(take.between(0, 40)), 0
    while at < n:
        if left == 0:
            at, left = at + int(take.between(15, 60)), int(take.rng.integers(3, 10))
            continue
        long, left = max(6, int(pace * take.between(12, 26))), left - 1
        consonant = int(take.between(4, 8)) if take.rng.random() < 0.6 else 0
        hiss[at : at + consonant] = take.between(0.2, 1)
        at += consonant
        u = np.linspace(0, 1, long)[: max(0, n - at)]
        f0[at : at + long] = pitch_hz * take.between(0.85, 1.3) * (1.08 - 0.2 * u)
        voiced[at : at + long] = take.between(0.5, 1) * np.abs(np.sin(np.pi * np.clip(u + 0.02, 0, 1))) ** 0.6
        formants[at:] = np.array(VOWELS[int(take.rng.integers(0, 6))]) * take.rng.uniform(0.93, 1.07, 3)
        at += long
    glideways = np.ones(7) / 7
    moving = np.stack([np.convolve(np.pad(f, 3, mode="edge"), glideways, "valid") for f in formants.T], 1)
    return f0, voiced, hiss, moving.astype(np.float32)


def applause(take: Take) -> Signal:
    """From a handful of people to a hall: everybody claps at a pace and a pitch of their own, some whistle."""
    out, people = take.silence(), int(take.between(60, 100))
    hands = bursts(take, 40, (0.012, 0.045), (600, take.between(2000, 3000)), width=1.7)
    joins = take.rng.permutation(np.linspace(0, 1, people) ** 0.7 * 0.95)
    joins[:4] = 0
    for person in range(people):
        pace = np.full_like(take.intensity, take.between(2.6, 5.0))
        times = walk(take, pace, 0.08)
        times = times[take.at(times) >= joins[person]]
        level = take.log_between(0.12, 0.6)
        scatter(out, times, hands, level * take.rng.uniform(0.7, 1, len(times)), person % 40)
    cheers = poisson(take, np.maximum(0, take.intensity - 0.6) * 2.0)
    whistles = [glide(take.between(0.3, 0.8), take.rng.uniform(1400, 3200, 4)) for _ in range(3)]
    scatter(out, cheers, whistles, 0.25, any_of(take, len(cheers), 3))
    return out
