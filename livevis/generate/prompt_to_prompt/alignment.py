"""Whose map a token is given when two prompts differ: the two mappers of google/prompt-to-prompt's seq_aligner."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.prompt_to_prompt.words import pieces_of


def refine_mapper(source: Sequence[int], target: Sequence[int], *, tokens: int) -> tuple[Tensor, Tensor]:
    """Return mapper int64 [tokens] and aligned float32 [tokens]: for each target token its source token, or -1.

    source, target: token ids, start and end token included. Needleman–Wunsch with gap 0, match 1, mismatch −1; of
    alignments that score the same, seen from the end, one that leaves the target's token alone is taken first, then
    one that leaves the source's. Padding stands for itself. Raises ConfigError if a prompt exceeds `tokens`.
    """
    _fits(max(len(source), len(target)), tokens)
    score = _scores(source, target)
    mapper = torch.arange(tokens)
    mapper[: len(target)] = -1
    i, j = len(source), len(target)
    while i > 0 and j > 0:
        if score[i][j] == score[i][j - 1]:
            j -= 1
        elif score[i][j] == score[i - 1][j]:
            i -= 1
        else:
            i, j = i - 1, j - 1
            mapper[j] = i
    return mapper, (mapper >= 0).float()


def _scores(source: Sequence[int], target: Sequence[int]) -> list[list[int]]:
    """Return the best score of aligning source[:i] with target[:j]; gaps cost 0, so the borders are 0."""
    score = [[0] * (len(target) + 1)]
    for left in source:
        above, row = score[-1], [0]
        for j, right in enumerate(target):
            row.append(max(row[j], above[j + 1], above[j] + (1 if left == right else -1)))
        score.append(row)
    return score


def replacement_mapper(tokenizer: Any, source: str, target: str, *, tokens: int) -> Tensor:
    """Return M float32 [tokens, tokens] (row: source token, column: target token) for words that replace words.

    Words are what blanks delimit. A word of n tokens replaced by one of n passes its maps on token by token, else each
    of the m new tokens is given 1/m of each old one's map. As in the released code, what follows the last replaced word
    stands for the token of the same index, even where lengths differ. Raises ConfigError if the prompts differ in their
    number of words, or exceed `tokens`.
    """
    words = source.split(), target.split()
    if len(words[0]) != len(words[1]):
        raise ConfigError(f"word replacement needs prompts of equally many words, not {len(words[0])} ('{source}') "
                          f"and {len(words[1])} ('{target}')")  # fmt: skip
    ranges = [_ranges(tokenizer, part) for part in words]
    _fits(1 + max(part.stop for both in ranges for part in [range(1), *both]), tokens)
    mapper, i, j = torch.zeros(tokens, tokens), 0, 0
    for old, new, before, after in zip(*words, *ranges, strict=True):
        if old == new:
            continue
        kept = before.start - i
        mapper[i : before.start, j : after.start] = torch.eye(kept)
        block = torch.eye(len(before)) if len(before) == len(after) else torch.tensor(1.0 / max(len(after), 1))
        mapper[before.start : before.stop, after.start : after.stop] = block
        i, j = before.stop, after.stop
    rest = torch.arange(j, j + tokens - max(i, j))
    mapper[rest, rest] = 1.0
    return mapper


def _ranges(tokenizer: Any, words: Sequence[str]) -> list[range]:
    """Return the token indices of each word; blanks always part tokens, so words can be tokenised one by one."""
    ends = accumulate((len(pieces_of(tokenizer, word)) - 2 for word in words), initial=1)
    return [range(start, stop) for start, stop in pairwise(ends)]


def _fits(longest: int, tokens: int) -> None:
    if longest > tokens:
        raise ConfigError(f"a prompt of {longest} tokens does not fit the {tokens} that the text model reads")
