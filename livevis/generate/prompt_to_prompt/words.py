"""Which tokens a word is, how a gain reaches them, and at which steps: by text and whole numbers, not fractions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from livevis.core.errors import ConfigError, choices

Steps = tuple[int, int] | None
"""Denoising steps first..last + 1, counted from 0; None: never."""
WORD_END = "</w>"


def pieces_of(tokenizer: Any, text: str) -> tuple[str, ...]:
    """Return the token pieces of `text`, start and end token included, without padding and not cut."""
    return tuple(tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]))


def word_tokens(tokenizer: Any, pieces: Sequence[str], word: str) -> tuple[int, ...]:
    """Return the token indices of `word` wherever it stands in a prompt's `pieces` (index 0 is the start token).

    A word may be several tokens, or several words in a row. Punctuation that touches it is no part of it, and case
    does not matter (the paper's code wants the word exactly as blanks delimit it). Raises ConfigError naming the
    prompt's words if it is not among them.
    """
    wanted = pieces_of(tokenizer, word)[1:-1]
    places = spans(pieces, wanted)
    if not places:
        raise ConfigError(f"word '{word}' is not in the prompt; its words: {choices(set(words_of(pieces)))}")
    return tuple(sorted({at + k for at in places for k in range(len(wanted))}))


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


def direction(tokens: int, indices: Sequence[int], *, end: int | None = None, spread: float = 0.0) -> Tensor:
    """Return float32 [tokens], how far a word's gain reaches each token: 1 on its own, `spread` from `end` on, else 0.

    end: index of the end token; it and the padding after it have read the whole prompt (CLIP's text model is causal),
    so a word's meaning is there too and its own columns alone under-act. spread: 0..1. Raises ConfigError if it is not,
    or if there is a spread and no end.
    """
    if not 0.0 <= spread <= 1.0:
        raise ConfigError(f"attention spread is {spread:g}; it must be 0..1")
    if spread > 0.0 and end is None:
        raise ConfigError("attention spread needs the index of the prompt's end token")
    reach = torch.zeros(tokens)
    if end is not None:
        reach[end:] = spread
    reach[list(indices)] = 1.0
    return reach


def gain_row(gains: Tensor, directions: Tensor) -> Tensor:
    """Return 1 + Σ (gain − 1) · direction [..., tokens] for gains [..., words] and directions [words, tokens].

    Gains of words that share tokens add up; gains of 1 give exactly 1 everywhere.
    """
    return 1.0 + (gains - 1.0) @ directions


def windowed(gain: Tensor, window: Tensor) -> Tensor:
    """Return the gain [..., tokens] where window is 1, and 1 where it is 0: windows of edits on a row's own maps."""
    return 1.0 + window * (gain - 1.0)


def opened(word: str, listed: Iterable[tuple[str, int, int]], *, steps: int) -> tuple[bool, ...]:
    """Return for each denoising step whether `word` is played: in its own windows, else in those of "", else always.

    listed: (word, first step, stop), counted from 0. What lies beyond the last step does not open.
    """
    spans_of: dict[str, list[range]] = {}
    for name, first, stop in listed:
        spans_of.setdefault(" ".join(name.lower().split()), []).append(range(first, stop))
    spans = spans_of.get(" ".join(word.lower().split())) or spans_of.get("") or [range(steps)]
    return tuple(any(step in span for span in spans) for step in range(steps))


def windows(steps: int, tokens: int, *, default: Steps, words: Iterable[tuple[Sequence[int], Steps]] = ()) -> Tensor:
    """Return float32 [steps, tokens], 1 where a token is edited at a step: `default`, and some words at other steps.

    A later word wins over an earlier one where they share tokens. Raises ConfigError for steps that would edit nothing
    or do not exist: the paper's fractions round to nothing, or to everything, at one to four steps.
    """
    window = torch.zeros(steps, tokens)
    _open(window, slice(None), default)
    for indices, when in words:
        window[:, list(indices)] = 0.0
        _open(window, list(indices), when)
    return window


def _open(window: Tensor, tokens: slice | list[int], when: Steps) -> None:
    if when is None:
        return
    first, stop = when
    if not 0 <= first < stop <= len(window):
        raise ConfigError(
            f"attention window is steps {first} to {stop}; with {len(window)} steps the first is 0..{len(window) - 1} "
            f"and the end above it, at most {len(window)}"
        )
    window[first:stop, tokens] = 1.0
