"""From a cue to what the generator is asked to show: the performer's words, then what the sound does to them."""

from __future__ import annotations

from typing import Protocol

from livevis.core.types import Conditioning, Cue, Heard, Recognition
from livevis.methods import aadiff, recognition
from livevis.methods.words import condition


class Listens(Protocol):
    """What the conditioner needs of livevis.embed.ears."""

    notice: str

    def hear(self, sample: int, phrases: tuple[str, ...], span_s: float) -> Heard | None: ...


class Conditioner:
    """Steps the methods once for each generated frame, live and offline alike. One thread calls it.

    The ears are asked only while aadiff/amount is above 0 or heard/bank names something; loudness is followed all the
    time, so that the method is there at once when it is faded in. recognition: the bank's probabilities, None while
    there are none.
    """

    def __init__(self, ears: Listens) -> None:
        self._ears = ears
        self._aadiff = aadiff.init()
        self._listening = False
        self._called: tuple[str, ...] = ()
        self.recognition: Recognition | None = None

    @property
    def notice(self) -> str:
        """One line on what the methods that play lack, or an empty string."""
        return self._ears.notice if self._listening else ""

    @property
    def heard(self) -> tuple[str, ...]:
        """What the sound is called now, best first; empty while nobody listens."""
        return self._called

    def step(self, cue: Cue) -> Conditioning:
        """Return what the frame of `cue` is asked to show."""
        asked, settings = condition(cue.controls), aadiff.read_settings(cue.controls)
        heard, lifts = None, settings.amount > 0
        words = aadiff.phrases(self._aadiff, asked, settings) if lifts else ()
        bank = recognition.phrases(cue.controls)
        self._listening = lifts or bool(bank)
        if self._listening:
            phrases = tuple(dict.fromkeys((*words, *bank)))
            heard = self._ears.hear(cue.features.sample, phrases, settings.listen_s)
        self.recognition = recognition.recognise(heard, cue.controls)
        self._aadiff, asked = aadiff.step(self._aadiff, cue.features, heard if lifts else None, settings, asked)
        self._called = self._aadiff.chosen if lifts else recognition.likeliest(self.recognition, cue.controls)
        return asked
