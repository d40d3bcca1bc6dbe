"""The sounds that the analyser is judged by: eight onset sets, a grid of beats, and sounds without any event."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F64, Excerpt, merge, normalised, overlay
from livevis.evaluate.loops import Loop, play
from livevis.evaluate.voices import Rng, filtered, hat, kick, midi_hz, note, seconds_axis, snare

NO_TIMES = np.zeros(0)


def onset_loops(seconds: float, rng: Rng) -> dict[str, Loop]:
    """Return the six loop-based onset sets; tempi vary by a few per cent with the seed."""
    vary = rng.uniform(0.96, 1.04, 6)
    return {
        "house": Loop("house", 124 * vary[0], seconds),
        "hiphop": Loop("hiphop", 90 * vary[1], seconds, swing=0.3),
        "rock": Loop("rock", 110 * vary[2], seconds),
        "breaks": Loop("breaks", 170 * vary[3], seconds),
        "drums only": Loop("rock", 128 * vary[4], seconds, tonal=False),
        "noise 6 dB": Loop("house", 120 * vary[5], seconds, noise_db=6.0),
    }


def soft_notes(seconds: float, rng: Rng) -> Excerpt:
    """Notes with 30 ms attacks, a third of a second to a second apart, each damping the one before."""
    track, onsets, at_s = np.zeros(round(seconds * SAMPLE_RATE_HZ)), [], 0.5
    while at_s < seconds - 0.5:
        length_s = float(rng.uniform(0.3, 0.9))
        pitch = midi_hz(rng.integers(48, 77))
        overlay(track, note(pitch, length_s, attack_s=0.03, partials=6, tilt=1.3) * rng.uniform(0.5, 1.0), at_s)
        onsets.append(at_s)
        at_s += length_s
    return Excerpt("soft notes", normalised(track), merge(onsets), NO_TIMES)


def rain(seconds: float, rng: Rng) -> F64:
    """A bed of filtered noise and a few hundred small drops a second; no single event stands out."""
    track = 0.08 * filtered(rng.normal(size=round(seconds * SAMPLE_RATE_HZ)), 600, 9000)
    for at_s in np.sort(rng.uniform(0, seconds, rng.poisson(250 * seconds))):
        t = seconds_axis(float(rng.uniform(0.002, 0.008)))
        tone = np.sin(2 * np.pi * rng.uniform(1500, 9000) * t)
        size = min(0.02 * (1 + rng.pareto(2.5)), 0.08)
        overlay(track, size * (0.7 * rng.normal(size=len(t)) + 0.3 * tone) * np.exp(-4 * t / t[-1]), float(at_s))
    return track


def hits_in_rain(seconds: float, rng: Rng) -> Excerpt:
    """Single drum hits at random times in rain."""
    track, onsets, at_s = rain(seconds, rng), [], 0.6
    while at_s < seconds - 0.5:
        voice = (kick, snare, hat)[int(rng.integers(0, 3))]
        overlay(track, voice(rng) * rng.uniform(0.6, 1.0), at_s)
        onsets.append(at_s)
        at_s += 0.2 + float(rng.exponential(0.4))
    return Excerpt("hits in rain", normalised(track), merge(onsets), NO_TIMES)


def onset_sets(seconds: float, seed: int) -> list[Excerpt]:
    """Return the eight onset sets for one seed."""
    rng = np.random.default_rng([seed, 1])
    loops = [play(loop, rng, name=name) for name, loop in onset_loops(seconds, rng).items()]
    return [*loops, soft_notes(seconds, rng), hits_in_rain(seconds, rng)]


def beat_cases(seconds: float, seed: int) -> list[Excerpt]:
    """Return eighteen cases: 60 to 180 bpm in tens over changing patterns, two swings, drift, noise and a gap."""
    rng = np.random.default_rng([seed, 2])
    names = ("rock", "house", "hiphop", "techno", "breaks")
    grid = {
        f"{bpm} bpm": Loop(
            names[(i + seed) % 5] if bpm < 150 else ("breaks", "house", "rock")[(i + seed) % 3], bpm, seconds
        )
        for i, bpm in enumerate(range(60, 181, 10))
    }
    special = {
        "swing hiphop": Loop("hiphop", rng.uniform(86, 98), seconds, swing=0.6),
        "swing house": Loop("house", rng.uniform(118, 128), seconds, swing=0.4),
        "drift 4 %": Loop("rock", rng.uniform(105, 125), seconds, drift=0.04),
        "noise 0 dB": Loop("house", rng.uniform(115, 130), seconds, noise_db=0.0),
        "gap 8 s": Loop("rock", rng.uniform(105, 125), seconds, gap_s=(0.4 * seconds, 0.4 * seconds + 8.0)),
    }
    return [play(loop, rng, name=name) for name, loop in {**grid, **special}.items()]


def white(seconds: float, rng: Rng) -> F64:
    """White noise."""
    return rng.normal(size=round(seconds * SAMPLE_RATE_HZ))


def hum(seconds: float, rng: Rng) -> F64:
    """Mains hum with harmonics and a little hiss."""
    t = seconds_axis(seconds)
    tones = sum(np.sin(2 * np.pi * 50 * k * t + rng.uniform(0, 6)) / k for k in range(1, 12))
    return tones + 0.01 * white(seconds, rng)


def sweep(seconds: float, rng: Rng) -> F64:
    """A sine sweeping logarithmically from 30 Hz to 16 kHz."""
    t = seconds_axis(seconds)
    rate = np.log(16_000 / 30) / seconds
    return np.sin(2 * np.pi * 30 * (np.exp(rate * t) - 1) / rate)


def vibrato(seconds: float, rng: Rng) -> F64:
    """A harmonic note wandering by 3 % six times a second."""
    t = seconds_axis(seconds)
    phase = 2 * np.pi * rng.uniform(200, 500) * (t - 0.03 * np.cos(2 * np.pi * 6 * t) / (2 * np.pi * 6))
    return sum(np.sin(k * phase) / k for k in range(1, 11))


def wind(seconds: float, rng: Rng) -> F64:
    """Low-passed noise in slow gusts; no onsets that anybody would count."""
    steps = int(seconds * 0.7) + 2
    gusts = np.interp(
        np.linspace(0, steps - 1, round(seconds * SAMPLE_RATE_HZ)), range(steps), rng.uniform(0.2, 1, steps)
    )
    return lfilter([1.0], [1.0, -0.98], white(seconds, rng)) * gusts


EVENTLESS = {"white": white, "hum": hum, "log sweep": sweep, "3 % vibrato": vibrato, "wind": wind, "rain": rain}


def eventless(seconds: float, seed: int) -> list[Excerpt]:
    """Return sounds without events, and digital silence."""
    rng = np.random.default_rng([seed, 3])
    made = [Excerpt(name, normalised(make(seconds, rng)), NO_TIMES, NO_TIMES) for name, make in EVENTLESS.items()]
    nothing = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    return [*made, Excerpt("silence", nothing, NO_TIMES, NO_TIMES)]
