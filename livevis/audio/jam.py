"""The built-in music: it plays when there is nothing to hear, and it is the same on every machine.

A pure function of (seed, tempo, sample index): the score says which notes sound, the rack makes each once, and pages of
a tenth of a second add them up.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from livevis.audio.jam_score import BEATS, Note, Score
from livevis.audio.jam_voices import Rack
from livevis.audio.paced import PacedSource
from livevis.audio.source import Samples
from livevis.core.clock import Clock
from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ

DEFAULT_TEMPO_BPM = 122.0
TEMPO_BPM = (30.0, 300.0)

_PAGE = SAMPLE_RATE_HZ // 10
_TAIL_BARS = 4  # no note outlives the four bars of the riser by more than its room
_TAIL_S = 2.8
_DUCKED = frozenset({"bass", "bass_bright", "pad_dark", "pad_bright", "pluck", "stab"})
_DUCK_S = 0.35


class JamSource(PacedSource):
    """Kick, snare, hats, bass, pad and melodies in a form of 48 bars that never comes back the same."""

    def __init__(
        self, *, tempo_bpm: float | None = None, seed: int = 0, clock: Clock | None = None, message: str = ""
    ) -> None:
        """Make a jam; raises ConfigError when `tempo_bpm` is outside 30..300."""
        tempo = DEFAULT_TEMPO_BPM if tempo_bpm is None else float(tempo_bpm)
        if not TEMPO_BPM[0] <= tempo <= TEMPO_BPM[1]:
            raise ConfigError(f"jam tempo {tempo:g} bpm is outside {TEMPO_BPM[0]:g}..{TEMPO_BPM[1]:g}")
        super().__init__(f"jam {tempo:g} bpm, seed {seed}", clock=clock, message=message)
        self.score = Score(seed=abs(seed), tempo_bpm=tempo)
        self._rack = Rack()
        self._bar_samples = BEATS * 60.0 / tempo * SAMPLE_RATE_HZ
        self._page = lru_cache(maxsize=8)(self._render)

    @property
    def length(self) -> None:
        """The jam has no end."""
        return None

    def samples(self, start: int, n: int) -> Samples:
        """Return samples [start, start + n) as float32 [n] within -1..1; zeros before 0."""
        out = np.zeros(n, np.float32)
        at = max(0, -start)
        while at < n:
            page, inside = divmod(start + at, _PAGE)
            take = min(n - at, _PAGE - inside)
            out[at : at + take] = self._page(page)[inside : inside + take]
            at += take
        return out

    def prepare(self, start: int) -> None:
        """[pacer] Make one note of the coming bar that was never played yet, and the next page."""
        page = start // _PAGE
        bar = int(start // self._bar_samples)
        missing = (note for b in (bar, bar + 1) for note in self.score.bar(b) if not self._rack.has(*_key(note)))
        if start > 0 and (note := next(missing, None)):
            self._rack.sound(*_key(note))
        self._page(page)
        self._page(page + 1)

    def _sounding(self, start: int, stop: int) -> Iterator[Note]:
        first = int(start / self._bar_samples - _TAIL_BARS - _TAIL_S * SAMPLE_RATE_HZ / self._bar_samples)
        last = int(stop / self._bar_samples)
        for bar in range(max(0, first), last + 1):
            for note in self.score.bar(bar):
                if note.start < stop and note.start + (note.seconds + _TAIL_S) * SAMPLE_RATE_HZ > start:
                    yield note

    def _render(self, page: int) -> Samples:
        start = page * _PAGE
        dry, ducked = np.zeros(_PAGE, np.float32), np.zeros(_PAGE, np.float32)
        duck = np.ones(_PAGE, np.float32)
        for note in self._sounding(start, start + _PAGE):
            if note.voice == "kick":
                _press(duck, note.start - start)
            sound = self._rack.sound(*_key(note))
            _add(ducked if note.voice in _DUCKED else dry, sound, note.start - start, gain=note.gain)
        return np.tanh(dry + duck * ducked, dtype=np.float32)


def _key(note: Note) -> tuple[str, float, float]:
    return note.voice, note.pitch, note.seconds


def _add(page: Samples, sound: Samples, at: int, *, gain: float) -> None:
    """Add the part of `sound` that falls on the page when it begins at `at` (may be negative)."""
    first, last = max(0, at), min(len(page), at + len(sound))
    if first < last:
        page[first:last] += np.float32(gain) * sound[first - at : last - at]


def _press(duck: Samples, at: int) -> None:
    """Side-chain: bass and chords step back 6 ms before their time is up and return over a third of a second."""
    t = (np.arange(len(duck), dtype=np.float32) - np.float32(at)) / np.float32(SAMPLE_RATE_HZ)
    shape = np.where((t >= 0) & (t < _DUCK_S), 0.25 + 0.75 * np.clip(t / _DUCK_S, 0, 1) ** 1.5, 1.0)
    np.minimum(duck, shape.astype(np.float32), out=duck)
