"""From a cue to what the generator is asked to show: the performer's words, then what the sound does to them."""

from __future__ import annotations

from typing import Protocol

from livevis.core.types import Conditioning, Cue, Heard
from livevis.methods import aadiff
from livevis.methods.words import condition


class Listens(Protocol):
    """What the conditioner needs of livevis.embed.ears."""

    notice: str

    def hear(self, sample: int, phrases: tuple[str, ...], span_s: float) -> Heard | None: ...


class Conditioner:
    """Steps the methods once for each generated frame, live and offline alike. One thread calls it.

    The ears are asked only while aadiff/amount is above 0; loudness is followed all the time, so that the method is
    there at once when it is faded in.
    """

    def __init__(self, ears: Listens) -> None:
        self._ears = ears
        self._aadiff = aadiff.init()
        self._listening = False

    @property
    def notice(self) -> str:
        """One line on what the methods that play lack, or an empty string."""
        return self._ears.notice if self._listening else ""

    @property
    def heard(self) -> tuple[str, ...]:
        """What the sound is called now, best first; empty while nobody listens."""
        return self._aadiff.chosen if self._listening else ()

    def step(self, cue: Cue) -> Conditioning:
        """Return what the frame of `cue` is asked to show."""
        asked, settings = condition(cue.controls), aadiff.read_settings(cue.controls)
        heard = None
        self._listening = settings.amount > 0
        if self._listening:
            phrases = aadiff.phrases(self._aadiff, asked, settings)
            heard = self._ears.hear(cue.features.sample, phrases, settings.listen_s)
        self._aadiff, asked = aadiff.step(self._aadiff, cue.features, heard, settings, asked)
        return asked
