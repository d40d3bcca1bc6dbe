"""The two voices of TPoS and what each has heard: an engine's own encoder, or the texts of classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import AudioTokens, Heard
from livevis.methods import classes, tpos
from livevis.methods.classes import Read, SoundClass
from livevis.methods.sphere import between
from livevis.methods.tpos import Segment, Settings, Voice

F32 = npt.NDArray[np.float32]
Hear = Callable[[int], Heard | None]
"""sample (48 kHz) -> what CLAP heard last at or before it, scored against all phrases that were asked for."""


class Window(Protocol):
    """A window of livevis.embed.tpos.stream that has ended."""

    @property
    def sample(self) -> int: ...
    @property
    def states(self) -> F32: ...
    @property
    def logits(self) -> F32: ...
    @property
    def whole(self) -> bool: ...


class Windows(Protocol):
    """Who hears windows. segment: samples at 48 kHz from one whole window to the next."""

    @property
    def segment(self) -> int: ...

    def hear(self, sample: int) -> Sequence[Window]:
        """The newest windows that ended at or before `sample`, oldest first; live, those that are there."""
        ...

    def rows(self, vector: npt.NDArray[np.floating]) -> F32:
        """What is said of a vector: rows float32 [tokens - 1, text_width]."""
        ...


class Speaker(Protocol):
    """phrases: what CLAP must score for it; voice: None until it is ready; called: for the performer, in short."""

    phrases: tuple[str, ...]

    @property
    def voice(self) -> Voice | None: ...
    @property
    def called(self) -> str: ...

    def until(self, sample: int, hear: Hear) -> Sequence[Segment]:
        """The newest segments up to about `sample` (48 kHz), oldest first."""
        ...

    def around(self, sample: int, hear: Hear) -> Sequence[Segment]:
        """Segments that lie whole segments apart, up to the next after `sample`, which must be readable. [render]"""
        ...


class Trained:
    """An engine's own encoder and its map to rows."""

    phrases: tuple[str, ...] = ()
    called = "TPoS trained"

    def __init__(self, engine: str, ears: Windows) -> None:
        self._ears = ears
        self.voice = Voice(f"TPoS on {engine}: its trained encoder", ears.rows)

    def until(self, sample: int, hear: Hear) -> list[Segment]:
        """As `Speaker`."""
        return [_segment(window) for window in self._ears.hear(sample)]

    def around(self, sample: int, hear: Hear) -> list[Segment]:
        """As `Speaker`."""
        return [_segment(window) for window in self._ears.hear(sample + self._ears.segment) if window.whole]


class ByClasses:
    """Texts of classes, mixed as CLAP hears them; why: what is missing. Its texts are encoded by `prepare`."""

    def __init__(
        self, engine: str, why: str, table: Sequence[SoundClass], encode: Callable[[str], F32], read: Read
    ) -> None:
        self.why, self.phrases = why, classes.phrases(table)
        self.voice: Voice | None = None
        self._engine, self._table, self._encode, self._read = engine, table, encode, read
        self._rows: list[F32] = []
        self._mixed = np.empty(0, np.float32)
        self._newest: Segment | None = None
        self._placed: dict[int, Segment | None] = {}
        self._likeliest = ""

    @property
    def called(self) -> str:
        """As `Speaker`."""
        return f"TPoS classes: {self._likeliest}".rstrip(": ")

    def prepare(self, *, whole: bool) -> None:
        """Encode one more class's text, or the whole table: on stage no frame waits for all of them."""
        if self.voice is not None:
            return
        for one in self._table[len(self._rows) :][: None if whole else 1]:
            self._rows.append(self._encode(one.text))
        if len(self._rows) == len(self._table):
            self._mixed = np.stack(self._rows)
            self.voice = tpos.class_voice(self._mixed, engine=self._engine, why=self.why)

    def until(self, sample: int, hear: Hear) -> list[Segment]:
        """As `Speaker`."""
        heard = hear(sample)
        if heard is not None and (self._newest is None or self._newest.sample != heard.embedding.sample):
            self._newest = self._segment(heard)
        return [] if self._newest is None else [self._newest]

    def around(self, sample: int, hear: Hear) -> list[Segment]:
        """As `Speaker`: a second apart. Each place is listened to once."""
        before = sample // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ
        for at in (before, before + SAMPLE_RATE_HZ):
            if at not in self._placed:
                heard = hear(at)
                self._placed[at] = None if heard is None else self._segment(heard)
        self._placed = {at: segment for at, segment in self._placed.items() if at >= before}
        return [segment for segment in self._placed.values() if segment is not None]

    def _segment(self, heard: Heard) -> Segment | None:
        shares = classes.probabilities(heard, self._table)
        if shares is None:
            return None
        self._likeliest = self._table[int(np.argmax(shares))].text
        at = heard.embedding.sample
        return tpos.class_heard(at, shares, self._mixed, gain=classes.loudness_gain(self._read, at))


def ahead(speaker: Speaker, voice: Voice, sample: int, hear: Hear, settings: Settings) -> AudioTokens | None:
    """The released slerp: rows behind the voice as one vector, from the last segment's to the next one's. [render]

    Row 0 is no part of it here: it stays the text's own.
    """
    segments = speaker.around(sample, hear)
    if not segments:
        return None
    near = [one for one in segments if one.sample <= sample][-1:] + [one for one in segments if one.sample > sample][:1]
    points = [voice.rows(one.gain**settings.k * np.asarray(one.vector, np.float64)) for one in near]
    rows = between(points, [one.sample for one in near], sample)
    return AudioTokens(rows.astype(np.float32), float(near[0].gain ** settings.k), settings.amount)


def _segment(window: Window) -> Segment:
    return tpos.heard(window.sample, window.states, window.logits)
