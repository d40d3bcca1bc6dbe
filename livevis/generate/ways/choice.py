"""Which way a frame is played, by its attention controls; and what is kept of the base row from frame to frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.core.types import Attention, Conditioning
from livevis.generate.guarded import pushed
from livevis.generate.prompt_to_prompt.affine import AffineCache, AffineKey, renewed
from livevis.generate.prompt_to_prompt.blend import word_columns
from livevis.generate.prompt_to_prompt.networks import WORDS
from livevis.generate.text import PromptEncoder, TextRow, normalised
from livevis.generate.ways import wording
from livevis.generate.ways.injected import Faders, Injected
from livevis.generate.ways.reworded import Reworded
from livevis.generate.ways.way import Ask, Own, Way
from livevis.generate.ways.wording import Gains
from livevis.runners.waiting import Waiting

LOG = logging.getLogger("livevis.generate")


@dataclass(slots=True, eq=False)
class Ways:
    """[generator] Chooses the way of each frame. notice: why the last one is not the way that was asked for.

    text and tokenizer: the engine's; networks: where the networks of base maps are opened; network: the plain one;
    time: what a timestep is told as; strict: what cannot be played raises ConfigError.
    """

    text: PromptEncoder
    tokenizer: Any
    networks: Waiting
    network: Ask
    time: Callable[[int], Tensor]
    strict: bool = False
    notice: str = ""
    _cache: AffineCache = field(default_factory=AffineCache)
    _reach: tuple[Any, Tensor] | None = None
    _said: set[str] = field(default_factory=set)

    def of_prompts(self, asked: Conditioning) -> Conditioning:
        """Return the conditioning without the gains and windows of words that only the other wording has."""
        windows = tuple(
            one for one in asked.attention.windows if not wording.only_theirs(self.tokenizer, asked, one[0])
        )
        ours = wording.split_words(self.tokenizer, asked)[0]
        return replace(asked, word_gains=ours, attention=replace(asked.attention, windows=windows))

    def choose(self, asked: Conditioning, row: TextRow, key: AffineKey | None) -> Way:
        """Return the way of one frame.

        asked: with the gains of all words; row: the prompt's, with gains on own maps; key: what the base row depends
        on but the words, None where that changes from frame to frame anyway.
        """
        self.notice = ""
        if asked.edits.attention.heard:  # gains that play as an edit slot are not played twice
            asked = replace(asked, word_gains=())
            if asked.attention.maps == "base":
                self._lacking("attention/threshold plays gains on own maps: not with attention/maps base")
        attention, way = asked.attention, None
        if attention.edit or (attention.blend and (asked.word_gains or pushing(asked))):
            way = self._reworded(asked, row)
        if way is None and attention.maps == "base" and asked.word_gains:
            way = self._injected(self.of_prompts(asked), row, key)
        if way is not None and pushed(asked.nag):
            self._lacking("nag/scale plays on own maps only: not with attention/maps base, attention/edit or blend")
        return way or Own(self.network, row, neutral=silent(asked))

    def _injected(self, asked: Conditioning, row: TextRow, key: AffineKey | None) -> Way | None:
        recorder, player = self.networks.get("base-maps"), self.networks.get("injected")
        if recorder is None or player is None or not sounds(asked.word_gains):
            return None
        words = tuple(dict.fromkeys(word for word, _ in asked.word_gains))
        if key is not None and not spoken(asked):
            key = replace(key, words=words, spread=asked.attention.spread)
            self._cache = renewed(self._cache, key, words=WORDS)
        else:
            self._cache = AffineCache()
        held = words if self._cache.key is None else self._cache.key.words
        faders = self._faders(asked, held) if len(words) <= WORDS else self._one_fader(asked)
        clamp = asked.attention.clamp
        return Injected(self.network, recorder, player, self.time, row, faders, self._cache, clamp)

    def _faders(self, asked: Conditioning, words: tuple[str, ...]) -> Callable[[int], Faders]:
        """A fader for each word; those of the cache that are not asked for rest at 1."""
        directions = self._directions(asked, words)

        def at_step(k: int) -> Faders:
            gains = [1.0] * WORDS
            heard = wording.at_step(asked.word_gains, asked.attention, k)
            for word, gain in heard:
                gains[words.index(word)] += gain - 1.0
            return Faders(directions, torch.tensor([gains]), sounds(heard))

        return at_step

    def _directions(self, asked: Conditioning, words: tuple[str, ...]) -> Tensor:
        """Return [WORDS, tokens], what one more of each word's gain adds to the tokens' gains."""
        about = asked.prompts, words, asked.attention.spread, asked.tokens.amount if asked.tokens else 0.0
        if self._reach is None or self._reach[0] != about:
            rows = torch.cat([self._gained(asked, ((word, 2.0),)) - 1.0 for word in words])
            self._reach = about, torch.cat((rows, torch.zeros(WORDS - len(words), rows.shape[1])))
        return self._reach[1]

    def _one_fader(self, asked: Conditioning) -> Callable[[int], Faders]:
        """More words than faders: all their gains on one, which goes with these very gains."""

        def at_step(k: int) -> Faders:
            heard = wording.at_step(asked.word_gains, asked.attention, k)
            whole = self._gained(asked, heard) - 1.0
            directions = torch.cat((whole, torch.zeros(WORDS - 1, whole.shape[1])))
            return Faders(directions, torch.tensor([[2.0] + [1.0] * (WORDS - 1)]), sounds(heard))

        return at_step

    def _reworded(self, asked: Conditioning, row: TextRow) -> Way | None:
        player = self.networks.get("rewording")
        blended = bool(asked.attention.blend) and pushing(asked)
        if player is None or not (sounds(asked.word_gains) or wording.reworded(asked) or blended):
            return None
        try:
            return self._two_rows(asked, row, player)
        except ConfigError as error:
            if self.strict:
                raise
            self.notice = str(error)
            return None

    def _two_rows(self, asked: Conditioning, row: TextRow, player: Any) -> Way:
        ours, theirs = wording.split_words(self.tokenizer, asked)
        attention, text, other, alignment = asked.attention, row.text, asked, None
        if wording.reworded(asked):
            alignment = self._aligned(asked, row)
            other = replace(asked, prompts=((attention.edit, 1.0),))
            text = self.text.rows(replace(other, word_gains=(), attention=Attention()), guided=False)[0].text
        if attention.maps == "renormalised" and sounds(asked.word_gains):
            self._lacking("attention/maps renormalised is not played with attention/edit or blend")
        gains = theirs if alignment is not None else ours
        return Reworded(
            player, self.time, torch.cat((row.text, text)),
            base_gain=lambda k: self._gained(asked, wording.at_step(ours, attention, k)),
            gain=lambda k: self._gained(other, wording.at_step(gains, attention, k)),
            alignment=alignment, columns=self._columns(asked, row.token_gain.shape[1]), asked=attention,
        )  # fmt: skip

    def _aligned(self, asked: Conditioning, row: TextRow) -> wording.Alignment:
        source, target = wording.heaviest(asked), asked.attention.edit
        found = wording.align(self.tokenizer, source, target, row.token_gain.shape[1])
        self._say(f"attention/edit: '{source}' -> '{target}' by {found.kind}")
        return found

    def _columns(self, asked: Conditioning, tokens: int) -> Tensor | None:
        """Read the words that may change from the maps of both wordings; a word need only be in one of them."""
        words = asked.attention.blend
        if not words:
            return None
        prompts = tuple(text for text, _ in normalised(asked.prompts))
        both = prompts, (asked.attention.edit,) if wording.reworded(asked) else prompts
        found = [[at for word in words for at in wording.places(self.tokenizer, texts, word)] for texts in both]
        if not any(found):
            raise ConfigError(f"attention/blend '{', '.join(words)}' is not in the prompt '{wording.heaviest(asked)}'")
        return word_columns(tokens, [[at for at in places if at < tokens] for places in found])

    def _gained(self, asked: Conditioning, gains: Gains) -> Tensor:
        return self.text.rows(wording.unwindowed(asked, gains), guided=False)[0].token_gain

    def _lacking(self, said: str) -> None:
        if self.strict:
            raise ConfigError(said)
        self.notice = said

    def _say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            LOG.info(message)


def pushing(asked: Conditioning) -> bool:
    """Whether an edit slot is heard."""
    return any(edit.heard for edit in asked.edits.faders)


def sounds(gains: Gains) -> bool:
    """Whether any gain is not 1."""
    return any(gain != 1.0 for _, gain in gains)


def silent(asked: Conditioning) -> bool:
    """Whether the prompt's row is the plain one: no gain, no row of the sound, nothing that pushes it away."""
    return not sounds(asked.word_gains) and not spoken(asked) and not pushed(asked.nag)


def spoken(asked: Conditioning) -> bool:
    """Whether the sound's rows stand in the prompt's."""
    return asked.tokens is not None and asked.tokens.amount > 0.0
