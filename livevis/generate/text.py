"""Prompts as tensors: cached encodings, blends of up to four prompts, and which tokens a word is made of."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.errors import ConfigError, choices
from livevis.core.types import Attention, AudioTokens, Conditioning, Edits
from livevis.generate.guarded import Guard, guard, guarded
from livevis.generate.noise import slerp
from livevis.generate.prompt_to_prompt.words import (
    WORD_END,
    direction,
    gain_row,
    opened,
    pieces_of,
    spans,
    windowed,
    words_of,
)

LOG = logging.getLogger("livevis.generate")
CACHED_PROMPTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One encoded text: token ids and their pieces without padding, embedding float32 [1, tokens, width]."""

    text: str
    pieces: tuple[str, ...]
    embedding: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class TextRow:
    """One row of the UNet's text condition: text [1, tokens, width], token_gain [1, tokens].

    With windows token_gain is [steps, tokens]: one row of gains for each denoising step. guard: what the guarded
    denoiser is given with it, None where the plain one plays it.
    """

    text: Tensor
    token_gain: Tensor
    guard: Guard | None = None

    def gain_at(self, step: int) -> Tensor:
        """Return token_gain [1, tokens] of denoising step `step`."""
        return self.token_gain if len(self.token_gain) == 1 else self.token_gain[step : step + 1]


Shares = Sequence[tuple[Encoded, float]]
"""Prompts of a blend and their shares, which sum to 1."""


def load_tokenizer(folder: Any) -> Any:
    """Load the CLIP tokenizer of a diffusers folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


class PromptEncoder:
    """Turns Conditioning into text rows; texts are encoded once and kept.

    strict: a word that is in no prompt raises ConfigError (offline); otherwise it is ignored with one warning
    (on stage). notice: what was said last, for the generator to clear before a frame.
    """

    def __init__(
        self, tokenizer: Any, encode: Callable[[Tensor], Tensor], *, tokens: int, strict: bool = False
    ) -> None:
        self._tokenizer, self._encode, self._tokens, self._strict = tokenizer, encode, tokens, strict
        self._cache: OrderedDict[str, Encoded] = OrderedDict()
        self._warned: set[str] = set()
        self.notice = ""
        self._spoken: tuple[npt.NDArray[np.float32], Tensor] | None = None
        self._places = lru_cache(maxsize=256)(self._find)

    def encoded(self, text: str) -> Encoded:
        """Return the encoding of `text`, from the cache when it was met before."""
        if text in self._cache:
            self._cache.move_to_end(text)
            return self._cache[text]
        ids = self._ids(text)
        pieces = tuple(self._tokenizer.convert_ids_to_tokens(ids))
        padded = self._tokenizer(text, padding="max_length", max_length=self._tokens, truncation=True)
        embedding = self._encode(torch.tensor([padded["input_ids"]]))
        self._cache[text] = Encoded(text, pieces, embedding)
        if len(self._cache) > CACHED_PROMPTS:
            self._cache.popitem(last=False)
        return self._cache[text]

    def rows(self, conditioning: Conditioning, *, guided: bool, steps: int = 1) -> tuple[TextRow, ...]:
        """Return the prompt's row, and before it the negative prompt's row when guidance is on.

        In the prompt's row the sound's rows stand over the text's, by `tokens.amount` (TPoS); its first row is kept.
        steps: how many denoising steps there are; windows (attention/steps) are of these.
        """
        shares = normalised(conditioning.prompts)
        prompts = [(self.encoded(text), share) for text, share in shares]
        text = self._sounding(blend(prompts), conditioning.tokens)
        asked = guarded(conditioning.attention, conditioning.nag)
        held = guard(conditioning, self.encoded(conditioning.negative).embedding) if asked else None
        row = TextRow(text, self._gains(prompts, conditioning, steps), held)
        if not guided:
            return (row,)
        negative = self.encoded(conditioning.negative).embedding
        return TextRow(negative, torch.ones(1, self._tokens)), row

    def edit_rows(self, conditioning: Conditioning, *, guided: bool, steps: int = 1) -> tuple[TextRow | None, ...]:
        """Return the row of each edit slot, None where it is not heard: those with texts, attention, and the sound.

        Without guidance a row is the prompt with the slot's text behind it ("prompt, text"; each one of a blend), under
        the same word gains and rows of the sound: such models have no unconditional answer to measure an edit against,
        so it is measured against the prompt, and full scale is the picture of the longer prompt. With guidance it is
        the text alone, measured against the negative prompt, as SEGA does.
        Attention: the prompt's own row with the word gains. The sound: its rows in full, in the prompt's row without
        guidance, in the negative prompt's with it (TPoS).
        """
        slots, tokens = conditioning.edits.slots, conditioning.tokens
        if tokens is not None and tokens.amount >= 1.0:
            self._unheard(conditioning, guided)
        texts = (self._edit_row(conditioning, edit.text, guided, steps) if edit.heard else None for edit in slots)
        return *texts, self._attention_row(conditioning, steps), self._audio_row(conditioning, guided)

    def _edit_row(self, conditioning: Conditioning, text: str, guided: bool, steps: int) -> TextRow:
        if guided:
            return TextRow(self.encoded(text).embedding, torch.ones(1, self._tokens))
        prompts = tuple((joined(prompt, text), share) for prompt, share in normalised(conditioning.prompts))
        return self.rows(replace(conditioning, prompts=prompts), guided=False, steps=steps)[0]

    def _attention_row(self, conditioning: Conditioning, steps: int) -> TextRow | None:
        """Return the prompt's row with its gains, None where they are not heard as an edit or change nothing."""
        reweighted = replace(conditioning, edits=Edits())
        if not conditioning.edits.attention.heard or all(gain == 1.0 for _, gain in own_gains(reweighted)):
            return None
        return self.rows(reweighted, guided=False, steps=steps)[0]

    def _audio_row(self, conditioning: Conditioning, guided: bool) -> TextRow | None:
        """Return the row that the sound alone speaks, None where it is not heard or is the prompt's row already."""
        tokens = conditioning.tokens
        if tokens is None or not conditioning.edits.audio.heard or (tokens.amount >= 1.0 and not guided):
            return None
        asked = replace(conditioning, tokens=replace(tokens, amount=1.0), word_gains=(), attention=Attention())
        if guided:
            asked = replace(asked, prompts=((conditioning.negative, 1.0),))
        return self.rows(asked, guided=False)[0]

    def _sounding(self, text: Tensor, tokens: AudioTokens | None) -> Tensor:
        """Return the text [1, tokens, width] with the sound's rows over its own; at amount 0 the text itself."""
        rows = None if tokens is None or tokens.amount == 0.0 else self._on_device(tokens.rows, text)
        if tokens is None or rows is None:
            return text
        amount = float(np.float32(tokens.amount))
        return torch.cat((text[:, :1], (1.0 - amount) * text[:, 1:] + amount * rows), dim=1)

    def _on_device(self, rows: npt.NDArray[np.float32], text: Tensor) -> Tensor | None:
        """Return the sound's rows beside `text`, taken there once a frame; None, which is said, if they do not fit."""
        if rows.shape != (text.shape[1] - 1, text.shape[2]):
            self._refuse(f"tpos: rows of shape {rows.shape} in a text of {tuple(text.shape[1:])}; one less is legal")
            return None
        if self._spoken is None or self._spoken[0] is not rows:
            host = torch.from_numpy(np.require(rows, np.float32, ("C", "W")))  # torch warns of read-only memory
            self._spoken = rows, host.to(text.device, text.dtype, non_blocking=True)
        return self._spoken[1]

    def _unheard(self, conditioning: Conditioning, guided: bool) -> None:
        """Say what has nothing to act on where the sound has replaced the whole text."""
        if conditioning.word_gains:
            self._say("tpos/amount 1 leaves no word of the prompt that attention could lift")
        if not guided and any(edit.heard for edit in conditioning.edits.slots):
            self._say("tpos/amount 1 leaves nothing of the texts, guidance/text_1 to 4 among them")

    def words(self, text: str) -> tuple[str, ...]:
        """Return the words of `text` as the tokenizer splits them."""
        return words_of(self.encoded(text).pieces)

    def _ids(self, text: str) -> list[int]:
        whole = self._tokenizer(text)["input_ids"]
        if len(whole) > self._tokens:
            cut = self._tokenizer.convert_ids_to_tokens(whole[self._tokens - 1 : -1])
            kept = "".join(cut).replace(WORD_END, " ").strip()
            self._say(f"prompt is longer than {self._tokens} tokens; not read: '{kept}'")
            return [*whole[: self._tokens - 1], whole[-1]]
        return list(whole)

    def _gains(self, prompts: Shares, conditioning: Conditioning, steps: int) -> Tensor:
        """Return token_gain [1, tokens], with windows [steps, tokens]: each prompt's gains, by the prompts' shares."""
        asked, words = conditioning.attention, own_gains(conditioning)
        self._check_windows(prompts, asked)
        if not words:
            return torch.ones(1, self._tokens)
        gains = torch.tensor([[gain for _, gain in words]], dtype=torch.float64)
        if asked.windows:
            gains = windowed(gains, torch.tensor([self._opened(word, asked, steps) for word, _ in words]).mT)
        reach = torch.stack([self._reach(word, prompts, asked.spread) for word, _ in words])
        return gain_row(gains, reach.double()).float()

    def _reach(self, word: str, prompts: Shares, spread: float) -> Tensor:
        """Return float32 [tokens], how far the word's gain reaches each token: 0 all over where no prompt has it."""
        found = [(prompt, share, self._places(prompt.text, word)) for prompt, share in prompts]
        if not any(places for _, _, places in found):
            self._absent("attention/word", word, prompts)
        reach = torch.zeros(self._tokens)
        for prompt, share, places in found:
            if places:
                reach += share * direction(self._tokens, places, end=len(prompt.pieces) - 1, spread=spread)
        return reach

    def _find(self, text: str, word: str) -> tuple[int, ...]:
        wanted = pieces_of(self._tokenizer, word)[1:-1]
        return tuple(at + k for at in spans(self.encoded(text).pieces, wanted) for k in range(len(wanted)))

    def _opened(self, word: str, asked: Attention, steps: int) -> tuple[bool, ...]:
        opened_at = opened(word, asked.windows, steps=steps)
        if not any(opened_at):
            self._refuse(f"the gain on '{word}' acts at none of steps 1..{steps}: see attention/steps, diffusion/steps")
        return opened_at

    def _check_windows(self, prompts: Shares, asked: Attention) -> None:
        for entry in asked.unread:
            self._refuse(f"attention/steps '{entry}' is no step; write '1', '2-4' or 'fire: 1, rain: 2-4'")
        for word, _, _ in asked.windows:
            if word and not any(self._places(prompt.text, word) for prompt, _ in prompts):
                self._absent("attention/steps", word, prompts)

    def _absent(self, control: str, word: str, prompts: Shares) -> None:
        there = choices({word for prompt, _ in prompts for word in words_of(prompt.pieces)})
        wanted = pieces_of(self._tokenizer, word)[1:-1]
        if any(spans(pieces_of(self._tokenizer, prompt.text), wanted) for prompt, _ in prompts):
            self._say(f"{control} '{word}' is in what is not read of the prompt; ignored")
        elif wanted:
            self._refuse(f"{control} '{word}' is not in the prompt; its words: {there}")

    def _refuse(self, message: str) -> None:
        if self._strict:
            raise ConfigError(message)
        self._say(f"{message}; ignored")

    def _say(self, message: str) -> None:
        self.notice = message
        if message not in self._warned:
            self._warned.add(message)
            LOG.warning(message)


def own_gains(asked: Conditioning) -> tuple[tuple[str, float], ...]:
    """Return the word gains of the prompt's own row: none where they are played as an edit (thresholded attention).

    What the sound's rows have replaced of a word is no longer that word: a gain acts on the share of the text that is
    left, as 1 + (1 - amount) (gain - 1).
    """
    if asked.edits.attention.heard:
        return ()
    if asked.tokens is None or asked.tokens.amount == 0.0:
        return asked.word_gains
    left = 1.0 - asked.tokens.amount
    return tuple((word, 1.0 + left * (gain - 1.0)) for word, gain in asked.word_gains)


def joined(prompt: str, text: str) -> str:
    """Return the prompt with `text` behind it."""
    return f"{prompt}, {text}" if prompt else text


def normalised(prompts: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return the prompts with a weight above 0, weights summing to 1; the empty prompt if there is none."""
    heard = [(text, weight) for text, weight in prompts if weight > 0]
    total = sum(weight for _, weight in heard)
    return [(text, weight / total) for text, weight in heard] or [("", 1.0)]


def blend(prompts: Sequence[tuple[Encoded, float]]) -> Tensor:
    """Blend embeddings [1, tokens, width] on the sphere, token by token, each prompt by its share of those so far."""
    result, mass = prompts[0][0].embedding, prompts[0][1]
    for prompt, share in prompts[1:]:
        mass += share
        result = slerp(result, prompt.embedding, share / mass, dims=(-1,))
    return result
