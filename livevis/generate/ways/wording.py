"""Another wording in tensors: whose maps its tokens are given, which gains reach them, and which words may change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from livevis.core.types import Attention, Conditioning
from livevis.generate.prompt_to_prompt.alignment import refine_mapper, replacement_mapper
from livevis.generate.prompt_to_prompt.words import opened, pieces_of
from livevis.generate.text import normalised, spans

Gains = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Whose maps the tokens of another wording are given.

    sources float32 [tokens, tokens]: row i, column j how much of base token i's map token j is given; aligned [tokens]:
    1 where it is given any; kind: "word replacement" or "refinement".
    """

    sources: Tensor
    aligned: Tensor
    kind: str


@lru_cache(maxsize=16)
def align(tokenizer: Any, source: str, target: str, tokens: int) -> Alignment:
    """Align two prompts: word by word if they have equally many words, else by the longest common sequence of tokens.

    Raises ConfigError if one of them exceeds `tokens`.
    """
    if len(source.split()) == len(target.split()):
        mapper = replacement_mapper(tokenizer, source, target, tokens=tokens)
        return Alignment(mapper, torch.ones(tokens), "word replacement")
    ids = (tokenizer(text)["input_ids"] for text in (source, target))
    found, aligned = refine_mapper(*ids, tokens=tokens)
    sources = torch.nn.functional.one_hot(found.remainder(tokens), tokens).mT.float()
    return Alignment(sources, aligned, "refinement")


def reworded(asked: Conditioning) -> bool:
    """Whether another wording is to be heard."""
    attention = asked.attention
    return bool(attention.edit) and attention.amount > 0.0 and attention.edit != heaviest(asked)


def heaviest(asked: Conditioning) -> str:
    """Return the prompt that counts most: the one that another wording is aligned with."""
    return max(normalised(asked.prompts), key=lambda prompt: prompt[1])[0]


@lru_cache(maxsize=256)
def places(tokenizer: Any, texts: tuple[str, ...], word: str) -> tuple[int, ...]:
    """Return the token indices of `word` in any of the texts, sorted; none if it is not there."""
    wanted = pieces_of(tokenizer, word)[1:-1]
    starts = {at for text in texts for at in spans(pieces_of(tokenizer, text), wanted)}
    return tuple(sorted({at + k for at in starts for k in range(len(wanted))}))


def split_words(tokenizer: Any, asked: Conditioning) -> tuple[Gains, Gains]:
    """Return the word gains of the prompts and those of the other wording; a word of both is in both.

    A word of neither stays with the prompts, where it is missed.
    """
    if not reworded(asked):
        return asked.word_gains, ()
    prompts = tuple(text for text, _ in normalised(asked.prompts))
    theirs = tuple(pair for pair in asked.word_gains if places(tokenizer, (asked.attention.edit,), pair[0]))
    ours = tuple(pair for pair in asked.word_gains if pair not in theirs or places(tokenizer, prompts, pair[0]))
    return ours, theirs


def only_theirs(tokenizer: Any, asked: Conditioning, word: str) -> bool:
    """Whether a word is in the other wording that is heard and in no prompt."""
    prompts = tuple(text for text, _ in normalised(asked.prompts))
    theirs = bool(word) and reworded(asked) and bool(places(tokenizer, (asked.attention.edit,), word))
    return theirs and not places(tokenizer, prompts, word)


def at_step(gains: Gains, attention: Attention, k: int) -> Gains:
    """Return the gains of step k: 1 where the word's windows (or, if it has none, those of all words) are shut."""
    return tuple((word, gain if opened(word, attention.windows, steps=k + 1)[k] else 1.0) for word, gain in gains)


def unwindowed(asked: Conditioning, gains: Gains) -> Conditioning:
    """Return the conditioning with these gains at every step."""
    return replace(asked, word_gains=gains, attention=replace(asked.attention, windows=()))
