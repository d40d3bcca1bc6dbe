"""Prompts as tensors: cached encodings, blends of up to four prompts, and which tokens a word is made of."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from livevis.core.errors import ConfigError, choices
from livevis.core.types import Conditioning
from livevis.generate.noise import slerp

LOG = logging.getLogger("livevis.generate")
WORD_END = "</w>"
CACHED_PROMPTS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """One encoded text: token ids and their pieces without padding, embedding float32 [1, tokens, width]."""

    text: str
    pieces: tuple[str, ...]
    embedding: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class TextRow:
    """One row of the UNet's text condition: text [1, tokens, width], token_gain [1, tokens]."""

    text: Tensor
    token_gain: Tensor


def load_tokenizer(folder: Any) -> Any:
    """Load the CLIP tokenizer of a diffusers folder."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


class PromptEncoder:
    """Turns Conditioning into text rows; texts are encoded once and kept.

    strict: a word that is in no prompt raises ConfigError (offline); otherwise it is ignored with one warning
    (on stage).
    """

    def __init__(
        self, tokenizer: Any, encode: Callable[[Tensor], Tensor], *, tokens: int, strict: bool = False
    ) -> None:
        self._tokenizer, self._encode, self._tokens, self._strict = tokenizer, encode, tokens, strict
        self._cache: OrderedDict[str, Encoded] = OrderedDict()
        self._warned: set[str] = set()

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

    def rows(self, conditioning: Conditioning, *, guided: bool) -> tuple[TextRow, ...]:
        """Return the prompt's row, and before it the negative prompt's row when guidance is on."""
        shares = normalised(conditioning.prompts)
        prompts = [(self.encoded(text), share) for text, share in shares]
        row = TextRow(blend(prompts), self._gains(prompts, conditioning.word_gains))
        if not guided:
            return (row,)
        negative = self.encoded(conditioning.negative).embedding
        return TextRow(negative, torch.ones_like(row.token_gain)), row

    def edit_rows(self, conditioning: Conditioning, *, guided: bool) -> tuple[TextRow | None, ...]:
        """Return the row of each edit slot, None where it is not heard.

        Without guidance a row is the prompt with the slot's text behind it ("prompt, text"; each one of a blend), under
        the same word gains: such models have no unconditional answer to measure an edit against, so it is measured
        against the prompt, and full scale is the picture of the longer prompt. With guidance it is the text alone,
        measured against the negative prompt, as SEGA does.
        """
        slots = conditioning.edits.slots
        return tuple(self._edit_row(conditioning, edit.text, guided) if edit.heard else None for edit in slots)

    def _edit_row(self, conditioning: Conditioning, text: str, guided: bool) -> TextRow:
        if guided:
            return TextRow(self.encoded(text).embedding, torch.ones(1, self._tokens))
        prompts = tuple((joined(prompt, text), share) for prompt, share in normalised(conditioning.prompts))
        return self.rows(replace(conditioning, prompts=prompts), guided=False)[0]

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

    def _gains(self, prompts: Sequence[tuple[Encoded, float]], gains: Iterable[tuple[str, float]]) -> Tensor:
        """Return token_gain [1, tokens]: each prompt's gains, mixed by the prompts' shares."""
        row = [1.0] * self._tokens
        for word, gain in gains:
            wanted = self._tokenizer.convert_ids_to_tokens(self._tokenizer(word)["input_ids"])[1:-1]
            places = [(span, share) for prompt, share in prompts for span in spans(prompt.pieces, wanted)]
            if not places and wanted:
                self._absent(word, [prompt.text for prompt, _ in prompts])
            for at, share in places:
                for token in range(at, at + len(wanted)):
                    row[token] += share * (gain - 1.0)
        return torch.tensor([row])

    def _absent(self, word: str, texts: Sequence[str]) -> None:
        there = choices({word for text in texts for word in self.words(text)})
        message = f"attention/word '{word}' is not in the prompt; its words: {there}"
        if self._strict:
            raise ConfigError(message)
        self._say(f"{message}; ignored")

    def _say(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            LOG.warning(message)


def spans(pieces: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return where the token pieces `wanted` stand in `pieces` as whole words."""
    size = len(wanted)
    return [
        at
        for at in range(1, len(pieces) - size)
        if size and tuple(pieces[at : at + size]) == tuple(wanted) and (at == 1 or pieces[at - 1].endswith(WORD_END))
    ]


def words_of(pieces: Sequence[str]) -> tuple[str, ...]:
    """Return the words that token pieces (start and end token included) spell."""
    return tuple(word for word in "".join(pieces[1:-1]).split(WORD_END) if word)


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
