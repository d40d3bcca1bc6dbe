"""The jam's score: which note sounds when, as a pure function of (seed, tempo, bar).

The form turns every 48 bars: intro, groove, lift, breakdown, drop, peak, rest. Each turn draws its own key,
progression and patterns; every fourth bar varies and every part ends with a fill, so that pictures have form to follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from livevis.core.features import SAMPLE_RATE_HZ

STEPS = 16
BEATS = 4


@dataclass(frozen=True, slots=True)
class Note:
    """One sound: absolute start sample, voice of the rack, MIDI pitch, seconds held, gain."""

    start: int
    voice: str
    pitch: float
    seconds: float
    gain: float


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the form: how many bars, who plays, and how far the filters open from its first bar to its last."""

    name: str
    bars: int
    layers: frozenset[str]
    dark: float
    bright: float


def _part(name: str, bars: int, layers: str, dark: float, bright: float) -> Part:
    return Part(name, bars, frozenset(layers.split()), dark, bright)


FORM = (
    _part("intro", 4, "pad kick hat pluck", 0.1, 0.4),
    _part("groove", 8, "pad kick clap hat bass rim", 0.3, 0.5),
    _part("lift", 8, "pad kick clap hat open_hat bass pluck rim", 0.4, 0.8),
    _part("breakdown", 8, "pad bell pluck riser", 0.0, 1.0),
    _part("drop", 8, "crash kick snare clap hat open_hat bass stab rim", 0.7, 0.9),
    _part("peak", 8, "crash pad kick snare clap hat open_hat bass stab bell", 0.8, 1.0),
    _part("rest", 4, "pad kick hat bass", 0.5, 0.1),
)
TURN_BARS = sum(part.bars for part in FORM)

PROGRESSIONS = ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 2, 6, 3), (5, 6, 0, 0), (0, 0, 5, 6))
MODES = ((0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10))  # aeolian, dorian
# per sixteenth: o root, O octave, 5 fifth, each held until the next sign
BASS_LINES = (
    "..o...o...o...o.",
    "o..o..o.o..o..O.",
    "..oo..oO..oo..o5",
    "o.....o.o....oO.",
    "o.oO.oo..ooO.o5.",
)
KICKS = ("x...x...x...x...", "x...x...x...x..x", "x...x...x.x.x...")
RIMS = ("...x..x....x..x.", "..x..x..x..x.x..", "......x...x..x..")
STABS = ("...x..x.........", "x..x..x...x.....", "..x..x....x..x..", "...x......x..x..")
GAINS = {
    "kick": 0.85,
    "snare": 0.34,
    "clap": 0.4,
    "hat": 0.13,
    "open_hat": 0.13,
    "rim": 0.13,
    "tom": 0.4,
    "crash": 0.12,
    "riser": 0.3,
    "bass": 0.34,
    "bass_bright": 0.26,
    "pluck": 0.2,
    "bell": 0.14,
    "stab": 0.22,
    "pad_dark": 0.24,
    "pad_bright": 0.2,
}


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the form draws: key, mode, chords, patterns."""

    root: int
    mode: tuple[int, ...]
    chords: tuple[int, ...]
    bass: str
    kick: str
    rim: str
    stab: str
    arp: tuple[int, ...]
    call: tuple[tuple[int, int], ...]

    def pitch(self, degree: int) -> int:
        """Return the MIDI pitch of a scale degree above the root (degrees may exceed an octave)."""
        octave, step = divmod(degree, 7)
        return self.root + 12 * octave + self.mode[step]


def draw_turn(seed: int, number: int) -> Turn:
    """Draw the material of turn `number`."""
    rng = np.random.default_rng([seed, number, 1])

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.integers(len(options)))]

    arp = rng.integers(0, 6, STEPS)
    arp[rng.permutation(STEPS)[: int(rng.integers(6, 10))]] = -1
    arp[[0, 6]] = rng.integers(0, 3, 2)
    steps = np.sort(rng.permutation(np.arange(0, 28, 2))[: int(rng.integers(4, 7))])
    return Turn(
        root=int(rng.integers(31, 39)),
        mode=MODES[int(rng.integers(len(MODES)))],
        chords=PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))],
        bass=pick(BASS_LINES),
        kick=pick(KICKS),
        rim=pick(RIMS),
        stab=pick(STABS),
        arp=tuple(int(a) for a in arp),
        call=tuple((int(s), int(d)) for s, d in zip(steps, rng.choice([0, 2, 3, 4, 6], len(steps)), strict=True)),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bar stands in the form."""

    bar: int
    part: Part
    inside: int

    @property
    def last(self) -> bool:
        """Whether the part ends with this bar."""
        return self.inside == self.part.bars - 1

    @property
    def varied(self) -> bool:
        """Whether this is a fourth bar, which answers the three before it."""
        return self.inside % 4 == 3

    @property
    def open(self) -> float:
        """How far the filters are open, 0..1."""
        return self.part.dark + (self.part.bright - self.part.dark) * self.inside / max(1, self.part.bars - 1)

    def plays(self, layer: str) -> bool:
        """Whether a layer sounds in this bar."""
        return layer in self.part.layers


def place(bar: int) -> Place:
    """Return the part that `bar` belongs to, and the bar's number inside it."""
    inside = bar % TURN_BARS
    for part in FORM:
        if inside < part.bars:
            return Place(bar, part, inside)
        inside -= part.bars
    raise AssertionError("the parts of FORM add up to TURN_BARS")


Strike = tuple[float, str, float, float, float]
"""(sixteenth within the bar, voice, MIDI pitch, sixteenths held, gain relative to GAINS)"""


def _drums(at: Place, turn: Turn, rng: np.random.Generator) -> Iterator[Strike]:
    stop = 12 if at.last and not at.plays("riser") else STEPS  # the last beat of a part belongs to the fill
    if at.plays("kick"):
        pattern = turn.kick if at.varied or at.part.name in ("drop", "peak") else KICKS[0]
        yield from ((s, "kick", 0, 1, 1.0) for s in range(stop) if pattern[s] == "x")
    for voice in ("snare", "clap"):
        if at.plays(voice):
            yield from ((s, voice, 0, 1, 1.0) for s in (4, 12) if s < stop)
    if at.plays("snare"):
        yield from ((s, "snare", 0, 1, 0.22) for s in (7, 9, 15) if rng.random() < 0.5)
    if at.plays("hat"):
        level = 0.6 if at.part.name == "intro" else 1.0
        yield from (
            (s, "hat", 0, 1, level * (0.45, 0.3, 1.0, 0.35)[s % 4]) for s in range(STEPS) if rng.random() < 0.95
        )
    if at.plays("open_hat"):
        yield from ((s, "open_hat", 0, 1, 1.0) for s in (2, 6, 10, 14))
    if at.plays("rim"):
        yield from ((s, "rim", 84, 1, 1.0) for s in range(STEPS) if turn.rim[s] == "x" and rng.random() < 0.85)


def _ends(at: Place, turn: Turn) -> Iterator[Strike]:
    """What marks the form: a crash where a part begins, a fill or a build where it ends."""
    if at.inside == 0 and at.plays("crash"):
        yield 0, "crash", 0, 16, 1.0
    if at.plays("riser") and at.inside == at.part.bars - 4:
        yield 0, "riser", turn.root + 24, 4 * STEPS - 2, 1.0
    if at.plays("riser") and at.inside >= at.part.bars - 4:
        left = at.part.bars - at.inside
        every, until = (1, 14) if left == 1 else ((2, 16) if left == 2 else (4, 16))
        grow = 1 - left / 5
        yield from ((s, "snare", 0, 1, (0.35 + 0.6 * s / STEPS) * grow) for s in range(0, until, every))
    elif at.last and at.plays("kick"):
        yield from ((s, "tom", 55 - 4 * i, 1, 0.8) for i, s in enumerate((12, 13, 14, 15)))
    elif at.varied and at.plays("clap"):
        yield from ((s, "snare", 0, 1, g) for s, g in ((13, 0.4), (15, 0.7)))


def _low(at: Place, turn: Turn) -> Iterator[Strike]:
    if not at.plays("bass"):
        return
    root = turn.pitch(turn.chords[at.bar % 4])
    root -= 12 if root > 43 else 0
    voice = "bass_bright" if at.part.name in ("drop", "peak") else "bass"
    struck = [s for s in range(STEPS) if turn.bass[s] != "."]
    for s, after in zip(struck, [*struck[1:], STEPS + struck[0]], strict=True):
        up = {"o": 0, "O": 12, "5": 7}[turn.bass[s]]
        yield s, voice, root + up, min(after - s, 3) * 0.9, 1.0


def _chord(turn: Turn, degree: int) -> list[int]:
    """A seventh chord with every tone folded into the octave above 55, so that voices move little between chords."""
    return [55 + (turn.pitch(degree + third) - 55) % 12 for third in (0, 2, 4, 6)]


def _harmony(at: Place, turn: Turn, rng: np.random.Generator) -> Iterator[Strike]:
    degree = turn.chords[at.bar % 4]
    chord = sorted(_chord(turn, degree))
    if at.plays("pad"):
        for pitch in chord:
            yield 0, "pad_dark", pitch, STEPS, 1 - 0.8 * at.open
            if at.open > 0.05:
                yield 0, "pad_bright", pitch, STEPS, at.open
    if at.plays("stab"):
        hits = [s for s in range(STEPS) if turn.stab[s] == "x"]
        yield from ((s, "stab", pitch, 1, 0.7) for s in hits for pitch in chord[1:])
    if at.plays("pluck"):
        ladder = [*chord, *(p + 12 for p in chord)]
        shift = 1 if at.varied else 0
        for s, rung in enumerate(turn.arp):
            if rung >= 0:
                pitch = ladder[(rung + shift * (s > 8)) % 8] + 12
                gain = (1.0 if s % 4 == 0 else 0.7) * (0.6 + 0.4 * at.open)
                yield s, "pluck", pitch, 1, gain
                yield s + 3, "pluck", pitch, 1, 0.35 * gain  # a dotted-eighth echo
    if at.plays("bell"):
        for s, tone in turn.call:
            if s // STEPS == at.bar % 2:
                yield s % STEPS, "bell", 79 + (turn.pitch(degree + tone) - 79) % 12, 1, 0.8 + 0.2 * rng.random()


class Score:
    """Bars of notes for one seed and one tempo."""

    def __init__(self, *, seed: int, tempo_bpm: float, swing: float = 0.1) -> None:
        self.seed = seed
        self.tempo_bpm = tempo_bpm
        self._swing = swing
        self._step_s = 60.0 / tempo_bpm / (STEPS / BEATS)
        self.bar = lru_cache(maxsize=16)(self._bar)

    def beat_sample(self, beat: int) -> int:
        """Return the sample at which beat `beat` (0 = first) falls."""
        return round(beat * 60.0 / self.tempo_bpm * SAMPLE_RATE_HZ)

    def _sample(self, bar: int, step: float) -> int:
        late = self._swing if step % 2 == 1 else 0.0
        return round((bar * STEPS + step + late) * self._step_s * SAMPLE_RATE_HZ)

    def _bar(self, bar: int) -> tuple[Note, ...]:
        """Return the notes that begin in `bar`, by start."""
        at, turn = place(bar), draw_turn(self.seed, bar // TURN_BARS)
        rng = np.random.default_rng([self.seed, bar, 2])
        strikes = (*_drums(at, turn, rng), *_ends(at, turn), *_low(at, turn), *_harmony(at, turn, rng))
        return tuple(
            sorted(
                (
                    Note(self._sample(bar, step), voice, pitch, round(held * self._step_s, 6), gain * GAINS[voice])
                    for step, voice, pitch, held, gain in strikes
                ),
                key=lambda note: note.start,
            )
        )
