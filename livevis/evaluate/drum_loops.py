"""Drum loops played on the jam's own drums: eight styles, every loop a pure function of (style, seed).

A seed draws the tempo within the style's range, the swing, a groove of the style's, ghost notes bar by bar, how hard
and how exactly each stroke falls, and every fourth bar ends with a fill. The held-out seeds are for measuring; presets
are made by ear, eye and number on the tuning seeds alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from livevis.audio.jam_score import GAINS, STEPS
from livevis.audio.jam_voices import Rack
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F32

HELD_OUT_SEED, TUNING_SEED = 700_000, 0
"""The seeds of the n-th held-out and the n-th tuning loop of a style begin here."""
LEAD_S = 0.25
"""Silence before the first stroke: an onset at nothing is a cut, and has no frame before it."""
SLOP_S = 0.003
GHOST, CHANCE = 0.35, 0.4
FILLS = (("tom", "xxxx"), ("snare", "oxox"), ("snare", "o.xx"))


@dataclass(frozen=True, slots=True)
class Style:
    """Tempo range in bpm, swing range in sixteenths, and grooves: voice -> a bar of sixteen steps.

    x is a stroke, o a ghost note, ? a ghost note now and then, . nothing.
    """

    bpm: tuple[float, float]
    swing: tuple[float, float]
    grooves: tuple[Mapping[str, str], ...]


FOUR = "x...x...x...x..."


def _groove(**rows: str) -> Mapping[str, str]:
    return rows


STYLES: dict[str, Style] = {
    "hiphop": Style(
        (84, 96),
        (0.12, 0.3),
        (
            _groove(kick="x.....x..?x.....", snare="....x..?.?..x..?", hat="x.x.x.x.x.x.x.x."),
            _groove(kick="x..x......xx....", clap="....x.......x...", hat="x.x.x.xox.x.x.xo"),
        ),
    ),
    "funk": Style(
        (98, 112),
        (0.0, 0.15),
        (
            _groove(kick="x.x.......x..x..", snare="....x..o.o..x..o", hat="x.x.x.x.x.x.x.x."),
            _groove(kick="x..x..x...x.....", snare="....x.?o.?..x.?.", hat="xox.xox.xox.xox."),
        ),
    ),
    "rock": Style(
        (108, 132),
        (0.0, 0.0),
        (
            _groove(kick="x.......x.x.....", snare="....x.......x...", hat="x.x.x.x.x.x.x.x."),
            _groove(kick="x..x....x.x....?", snare="....x.......x...", hat="x.x.x.x.x.x.x.x."),
        ),
    ),
    "house": Style(
        (119, 127),
        (0.0, 0.2),
        (
            _groove(kick=FOUR, clap="....x.......x...", open_hat="..x...x...x...x.", hat="?..??..??..??..?"),
            _groove(kick=FOUR, clap="....x.......x...", open_hat="..x...x...x...x.", rim="...x..x....x..?."),
        ),
    ),
    "techno": Style(
        (128, 138),
        (0.0, 0.05),
        (
            _groove(kick=FOUR, clap="............x...", hat="..x...x...x...x.", rim="..?..x..?....x.."),
            _groove(kick=FOUR, hat="xox.xox.xox.xox.", open_hat="..............x."),
        ),
    ),
    "garage": Style(
        (130, 137),
        (0.2, 0.35),
        (
            _groove(kick="x.........x.....", clap="....x.......x...", hat="..x..xx...x..xx.", rim="...?...x..?..x.."),
            _groove(kick="x.....x...x.....", snare="....x..?....x..o", hat="..x...x...x...x."),
        ),
    ),
    "breaks": Style(
        (134, 148),
        (0.0, 0.15),
        (
            _groove(kick="x.x.......xx....", snare="....x..o.o..x..o", hat="x.x.x.x.x.x.x.x."),
            _groove(kick="x.........x..x..", snare="....x.?..?..x.?.", hat="x.x.x.x.x.x.x.x."),
        ),
    ),
    "drum and bass": Style(
        (166, 174),
        (0.0, 0.0),
        (
            _groove(kick="x.........x.....", snare="....x.......x...", hat="x.x.x.x.x.x.x.x."),
            _groove(kick="x.x.......x.....", snare="....x..?.?..x..?", hat="x.x.x.x.x.x.x.x."),
        ),
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class DrumLoop:
    """samples: float32 mono at 48 kHz within -1..1; strokes_s: when each stroke falls, ascending."""

    style: str
    seed: int
    bpm: float
    samples: F32
    strokes_s: tuple[float, ...]

    @property
    def name(self) -> str:
        """Style, tempo and seed."""
        return f"{self.style} {self.bpm:.0f} bpm, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class _Stroke:
    time_s: float
    voice: str
    pitch: float
    gain: float


def loops(count: int, *, seconds: float, tuning: bool = False) -> Iterator[DrumLoop]:
    """Yield `count` loops, one style after the other, from the held-out seeds or those for tuning."""
    first, rack = TUNING_SEED if tuning else HELD_OUT_SEED, Rack()
    for index in range(count):
        turn, place = divmod(index, len(STYLES))
        yield drum_loop(list(STYLES)[place], first + turn, seconds=seconds, rack=rack)


def drum_loop(style: str, seed: int, *, seconds: float, rack: Rack | None = None) -> DrumLoop:
    """Return one loop; raises KeyError for a style that is not in STYLES. rack: notes made before, to be used again."""
    rng = np.random.default_rng([seed, zlib.crc32(style.encode())])
    bpm, rack = float(rng.uniform(*STYLES[style].bpm)), rack or Rack()
    track = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    strokes = [stroke for stroke in _strokes(STYLES[style], bpm, seconds, rng) if stroke.time_s < seconds]
    for stroke in strokes:
        start = round(stroke.time_s * SAMPLE_RATE_HZ)
        room = track[start:]
        sound = rack.sound(stroke.voice, stroke.pitch, 0.1)[: len(room)]
        room[: len(sound)] += np.float32(stroke.gain) * sound
    return DrumLoop(style, seed, bpm, np.tanh(track), tuple(sorted(stroke.time_s for stroke in strokes)))


def _strokes(style: Style, bpm: float, seconds: float, rng: np.random.Generator) -> Iterator[_Stroke]:
    groove = style.grooves[int(rng.integers(len(style.grooves)))]
    swing, step_s = float(rng.uniform(*style.swing)), 15.0 / bpm
    for bar in range(int(seconds / (STEPS * step_s)) + 1):
        for step, voice, pitch, gain in _bar(groove, bar, rng):
            late = swing * (step % 2) * step_s + float(np.clip(rng.normal(0, SLOP_S), -2 * SLOP_S, 2 * SLOP_S))
            yield _Stroke(
                LEAD_S + (bar * STEPS + step) * step_s + late, voice, pitch, GAINS[voice] * gain * rng.uniform(0.8, 1.1)
            )


def _bar(groove: Mapping[str, str], bar: int, rng: np.random.Generator) -> Iterator[tuple[int, str, float, float]]:
    """Yield (step, voice, pitch, gain); every fourth bar gives its last beat to a fill."""
    fill = bar % 4 == 3
    for voice, row in groove.items():
        for step, mark in enumerate(row[: 12 if fill else STEPS]):
            if mark == "x" or mark == "o" or (mark == "?" and rng.random() < CHANCE):
                yield step, voice, 84.0, 1.0 if mark == "x" else GHOST
    if fill:
        voice, row = FILLS[int(rng.integers(len(FILLS)))]
        for place, mark in enumerate(row):
            if mark != ".":
                yield 12 + place, voice, 55.0 - 4 * place, 1.0 if mark == "x" else 2 * GHOST
