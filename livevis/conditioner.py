"""From a cue to what the generator is asked to show: the performer's words, then what the sound does to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from livevis.core.types import Conditioning, Controls, Cue, Heard, Recognition
from livevis.methods import aadiff, recognition
from livevis.methods.speakers import Hear
from livevis.methods.speaking import Speaking, Voices, silent
from livevis.methods.words import condition


class Listens(Protocol):
    """What the conditioner needs of livevis.embed.ears."""

    notice: str

    def hear(self, sample: int, phrases: tuple[str, ...], span_s: float) -> Heard | None: ...


class Method(Protocol):
    """What sound does to the conditioning, one frame after another; methods add up.

    notice: one line on what it lacks, or an empty string; heard: what it calls the sound, empty at rest.
    """

    notice: str

    @property
    def heard(self) -> tuple[str, ...]: ...

    def attend(self, asked: Conditioning, controls: Controls) -> tuple[str, ...] | None:
        """Get ready for a frame; return the phrases that the ears must score, None where they are not needed."""
        ...

    def step(self, cue: Cue, hear: Hear, asked: Conditioning) -> Conditioning:
        """Return `asked` with what this method makes of the sound."""
        ...


class _Lifting:
    """AADiff. Loudness is followed all the time, so that it is there at once when it is faded in."""

    notice = ""

    def __init__(self) -> None:
        self._state = aadiff.init()
        self._plays = False

    @property
    def heard(self) -> tuple[str, ...]:
        return self._state.chosen if self._plays else ()

    def attend(self, asked: Conditioning, controls: Controls) -> tuple[str, ...] | None:
        settings = aadiff.read_settings(controls)
        self._plays = settings.amount > 0
        return aadiff.phrases(self._state, asked, settings) if self._plays else None

    def step(self, cue: Cue, hear: Hear, asked: Conditioning) -> Conditioning:
        heard = hear(cue.features.sample) if self._plays else None
        settings = aadiff.read_settings(cue.controls)
        self._state, asked = aadiff.step(self._state, cue.features, heard, settings, asked)
        return asked


class _Recognising:
    """heard/bank: moves nothing by itself; how probable each phrase is goes back to the stage, for routes."""

    notice = ""

    def __init__(self) -> None:
        self.found: Recognition | None = None
        self.heard: tuple[str, ...] = ()

    def attend(self, asked: Conditioning, controls: Controls) -> tuple[str, ...] | None:
        return recognition.phrases(controls) or None

    def step(self, cue: Cue, hear: Hear, asked: Conditioning) -> Conditioning:
        heard = hear(cue.features.sample) if recognition.phrases(cue.controls) else None
        self.found = recognition.recognise(heard, cue.controls)
        self.heard = recognition.likeliest(self.found, cue.controls)
        return asked


class Conditioner:
    """Steps the methods once for each generated frame, live and offline alike. One thread calls it.

    The ears are asked only while a method needs them, once for all: they score what any of them listens for. voices:
    opens what TPoS speaks with, at its first frame.
    """

    def __init__(self, ears: Listens, voices: Callable[[], Voices] = silent) -> None:
        self._ears = ears
        self._recognising = _Recognising()
        self._methods: tuple[Method, ...] = (_Lifting(), Speaking(voices), self._recognising)
        self._listening = False

    @property
    def notice(self) -> str:
        """One line on what the methods that play lack, or an empty string."""
        said = (self._ears.notice if self._listening else "", *(method.notice for method in self._methods))
        return next((line for line in said if line), "")

    @property
    def heard(self) -> tuple[str, ...]:
        """What the sound is called now, best first; empty while nobody listens."""
        return tuple(dict.fromkeys(name for method in self._methods for name in method.heard))

    @property
    def recognition(self) -> Recognition | None:
        """How probable each phrase of heard/bank is, None while nothing is named or heard."""
        return self._recognising.found

    def step(self, cue: Cue) -> Conditioning:
        """Return what the frame of `cue` is asked to show."""
        asked = condition(cue.controls)
        wanted = [method.attend(asked, cue.controls) for method in self._methods]
        self._listening = any(phrases is not None for phrases in wanted)
        every = tuple(dict.fromkeys(phrase for phrases in wanted for phrase in phrases or ()))
        span_s = cue.controls.number("aadiff/listen")
        for method in self._methods:
            asked = method.step(cue, lambda sample: self._ears.hear(sample, every, span_s), asked)
        return asked
