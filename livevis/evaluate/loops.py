"""Loops with known beats: 16-step patterns, swing, drift, jitter, bass and pad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F64, Excerpt, merge, normalised, overlay
from livevis.evaluate.voices import Rng, hat, kick, midi_hz, note, snare

JITTER_S = 0.004
LEAD_S = 0.3


@dataclass(frozen=True, slots=True)
class Pattern:
    """One bar of sixteen steps per voice: x is a hit, o an open hat or a soft hit, . nothing."""

    kick: str
    snare: str
    hat: str
    bass: str = "................"


PATTERNS = {
    "house": Pattern("x...x...x...x...", "....x.......x...", "..o...o...o...o.", "..x...x...x..x.."),
    "rock": Pattern("x.......x.x.....", "....x.......x...", "x.x.x.x.x.x.x.x.", "x.......x.x....."),
    "hiphop": Pattern("x..x......x.....", "....x.......x...", "x.x.x.xxx.x.x.x.", "x..x......x....."),
    "breaks": Pattern("x.x.......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x.", "x.........x....."),
    "techno": Pattern("x...x...x...x...", "............x...", "x.xxx.xxx.xxx.xx", ".x.x.x.x.x.x.x.x"),
}


@dataclass(frozen=True, slots=True)
class Loop:
    """How to play a pattern: bpm at the start, swing 0..1 of a half step, drift as a share of the tempo over the
    whole length, pad and bass or drums alone, noise_db signal-to-noise ratio, gap (from, to) in seconds."""

    pattern: str
    bpm: float
    seconds: float = 20.0
    swing: float = 0.0
    drift: float = 0.0
    tonal: bool = True
    noise_db: float | None = None
    gap_s: tuple[float, float] | None = None


def step_times(loop: Loop) -> F64:
    """Return the times of all sixteenths; the tempo drifts linearly, off-sixteenths come late by the swing."""
    steps = int(loop.seconds * loop.bpm * (1 + abs(loop.drift)) / 15) + 1
    place = np.arange(steps) / steps
    lengths = 15.0 / (loop.bpm * (1 + loop.drift * place))
    times = LEAD_S + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    return times + lengths * 0.5 * loop.swing * (np.arange(steps) % 2)


def play(loop: Loop, rng: Rng, *, name: str = "") -> Excerpt:
    """Return the loop as sound with true onsets (every audible hit) and beats (every fourth sixteenth)."""
    times = step_times(loop)
    track = np.zeros(round(loop.seconds * SAMPLE_RATE_HZ))
    onsets: list[float] = []
    voices = _voices(loop, rng)
    for step, time_s in enumerate(times):
        for row, voice in voices.items():
            mark = getattr(PATTERNS[loop.pattern], row)[step % 16]
            at_s = time_s + float(np.clip(rng.normal(0, JITTER_S), -2 * JITTER_S, 2 * JITTER_S))
            if mark != "." and at_s < loop.seconds - 0.1 and not _inside(at_s, loop.gap_s):
                overlay(track, voice(mark, step) * rng.uniform(0.8, 1.0), at_s)
                onsets.append(at_s)
    if loop.tonal:
        _pad(track, times, loop, rng)
    _silence(track, loop.gap_s)
    _noise(track, loop.noise_db, rng)
    beats = times[::4]
    return Excerpt(name or loop.pattern, normalised(track), merge(onsets), beats[beats < loop.seconds], loop.bpm)


def _voices(loop: Loop, rng: Rng) -> dict[str, Callable[[str, int], F64]]:
    root = 33 + int(rng.integers(0, 8))
    steps_s = 15.0 / loop.bpm

    def bass(mark: str, step: int) -> F64:
        shift = (0, 0, 3, 5)[(step // 16) % 4]
        return 1.2 * note(midi_hz(root + shift), min(0.3, 1.6 * steps_s), attack_s=0.006, partials=12)

    voices: dict[str, Callable[[str, int], F64]] = {
        "kick": lambda mark, step: kick(rng),
        "snare": lambda mark, step: snare(rng),
        "hat": lambda mark, step: hat(rng, decay_s=0.18 if mark == "o" else 0.03),
    }
    return {**voices, "bass": bass} if loop.tonal else voices


def _pad(track: F64, times: F64, loop: Loop, rng: Rng) -> None:
    """Lay a slow three-note chord under each bar; it has no attack that anybody would call an onset."""
    bars = times[::16]
    for bar, start_s in enumerate(bars):
        length_s = 240.0 / loop.bpm
        for interval in (0, 3 + bar % 2, 7):
            chord = note(midi_hz(57 + interval + (0, 0, 3, 5)[bar % 4]), length_s, attack_s=0.4, partials=5, tilt=1.5)
            overlay(track, 0.12 * chord * rng.uniform(0.8, 1.2), start_s)


def _inside(time_s: float, span: tuple[float, float] | None) -> bool:
    return span is not None and span[0] <= time_s < span[1]


def _silence(track: F64, span: tuple[float, float] | None) -> None:
    if span is not None:
        track[round(span[0] * SAMPLE_RATE_HZ) : round(span[1] * SAMPLE_RATE_HZ)] = 0.0


def _noise(track: F64, noise_db: float | None, rng: Rng) -> None:
    if noise_db is not None:
        rms = float(np.sqrt(np.mean(track**2)))
        track += rng.normal(0, rms * 10 ** (-noise_db / 20), len(track))
