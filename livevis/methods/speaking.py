"""TPoS in a show: which voice speaks, what it has heard since the last frame, and how loudly it has its say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError, EngineError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import AudioTokens, Conditioning, Controls, Cue
from livevis.methods import audible, speakers, tpos
from livevis.methods.classes import Read, SoundClass
from livevis.methods.semantic import heard_scale
from livevis.methods.speakers import ByClasses, Hear, Speaker, Trained, Windows
from livevis.methods.tpos import Settings

F32 = npt.NDArray[np.float32]
STALE = 5 * SAMPLE_RATE_HZ
"""Where nobody asked for a while, what was heard before is not what is heard now."""
AHEAD = "tpos/path slerp looks ahead, which only a render can: follow plays"


class TposEars(Windows, Protocol):
    """What is needed of livevis.embed.tpos.ears. notice: trouble while it plays."""

    notice: str

    def lacks(self) -> str | None:
        """Why it cannot speak, an empty string where it can, None while that is being found out."""
        ...


@dataclass(frozen=True, slots=True)
class Voices:
    """Who may speak for an engine, and with what.

    engine: its name; trained: ears of its own encoder; classes: what may be heard instead; encode: a text's rows
    float32 [tokens - 1, text_width] by the engine's text encoder; read: the sound; render: offline, where the future
    can be read, all of a thing is waited for, and what is lacking raises.
    """

    engine: str
    trained: TposEars
    classes: Callable[[], Sequence[SoundClass]]
    encode: Callable[[str], F32]
    read: Read
    render: bool


@dataclass(slots=True)
class _Heard:
    """What one frame leaves to the next: who speaks, the follower, the newest segment and frame that it knows."""

    speaker: Speaker
    state: tpos.TposState
    segment: int = -1
    sample: int = 0


@dataclass(slots=True)
class Speaking:
    """Listens while tpos/amount or tpos/scale is played. `open_` is called when they first are. One thread calls it.

    notice: one line on what is lacking, or an empty string.
    """

    open_: Callable[[], Voices]
    notice: str = ""
    _voices: Voices | None = None
    _classes: ByClasses | None = None
    _speaker: Speaker | None = None
    _heard: _Heard | None = None
    _audible: audible.AudibleState = field(default_factory=audible.AudibleState)

    @property
    def heard(self) -> tuple[str, ...]:
        """Who speaks now and what it calls the sound, for the performer; empty while nobody does."""
        return (self._speaker.called,) if self._speaker is not None else ()

    def attend(self, asked: Conditioning, controls: Controls) -> tuple[str, ...] | None:
        """Choose who speaks in the coming frame; return the phrases that CLAP must score for it, None for none.

        In a render raises EngineError where the voice that is named is not there.
        """
        self.notice = ""
        self._speaker = self._chosen(controls.text("tpos/voice")) if plays(controls) else None
        if self._speaker is None or not self._speaker.phrases:
            return None
        return self._speaker.phrases

    def step(self, cue: Cue, hear: Hear, asked: Conditioning) -> Conditioning:
        """Return `asked` with what the sound says, as far as it can be heard; in silence and at rest without."""
        self._audible = audible.step(self._audible, cue.features)
        tokens = None
        if self._speaker is None:
            self._heard = None
        elif self._speaker.voice is not None:
            tokens = self._tokens(self._speaker, self._speaker.voice, cue, hear)
        return played(asked, tokens, self._audible.share)

    def _tokens(self, speaker: Speaker, voice: tpos.Voice, cue: Cue, hear: Hear) -> AudioTokens | None:
        settings, sample = read_settings(cue.controls), cue.features.sample
        if cue.controls.text("tpos/path") == "slerp":
            if self._voices is not None and self._voices.render:
                return speakers.ahead(speaker, voice, sample, hear, settings)
            self.notice = self.notice or AHEAD
        last = self._heard
        if last is None or last.speaker is not speaker or sample < last.sample:
            last = _Heard(speaker, tpos.init(voice))
        since = max(last.segment, sample - STALE)
        new = [one for one in speaker.until(sample, hear) if since < one.sample <= sample]
        state, tokens = tpos.step(last.state, new, sample=sample, settings=settings)
        self._heard = _Heard(speaker, state, new[-1].sample if new else last.segment, sample)
        return tokens

    def _chosen(self, wanted: str) -> Speaker | None:
        voices = self._voices = self._voices or self.open_()
        if wanted == "classes":
            return self._by_classes(voices, "tpos/voice is classes")
        lacks = voices.trained.lacks()
        if lacks == "":
            self.notice = voices.trained.notice
            return self._speaker if isinstance(self._speaker, Trained) else Trained(voices.engine, voices.trained)
        if lacks is not None and wanted == "auto":
            speaker = self._by_classes(voices, lacks)
            self.notice = speaker.voice.says if speaker.voice is not None else ""
            return speaker
        if lacks is not None and voices.render:
            raise EngineError(f"tpos/voice is trained: {lacks}")
        self.notice = lacks or ""
        return None

    def _by_classes(self, voices: Voices, why: str) -> ByClasses:
        if self._classes is None or self._classes.why != why:
            self._classes = ByClasses(voices.engine, why, voices.classes(), voices.encode, voices.read)
        self._classes.prepare(whole=voices.render)
        return self._classes


def plays(controls: Controls) -> bool:
    """Whether the performer wants to hear of the sound's rows at all."""
    return controls.number("tpos/amount") > 0 or heard_scale(controls.number("tpos/scale")) != 0


def read_settings(controls: Controls) -> Settings:
    """Read the method's share of the controls."""
    number = controls.number
    return Settings(amount=number("tpos/amount"), k=number("tpos/k"), follow_s=number("tpos/follow"))


def played(asked: Conditioning, tokens: AudioTokens | None, share: float) -> Conditioning:
    """`asked` with the sound's rows, amount and scale both times `share` 0..1; without rows neither is played."""
    edit = asked.edits.audio
    amount = tokens.amount * share if tokens is not None else 0.0
    scale = heard_scale(edit.scale * share) if tokens is not None else 0.0
    said = replace(tokens, amount=amount) if tokens is not None and (amount > 0 or scale != 0) else None
    if said is None and scale == edit.scale:
        return asked
    return replace(asked, tokens=said, edits=replace(asked.edits, audio=replace(edit, scale=scale)))


def silent() -> Voices:
    """Nobody speaks, where no voices were given. Raises ConfigError."""
    raise ConfigError("tpos: nobody speaks here")
