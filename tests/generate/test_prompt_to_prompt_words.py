"""Words as tokens, gains and windows, and tokens of one prompt as those of another."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.generate.prompt_to_prompt.alignment import refine_mapper, replacement_mapper
from livevis.generate.prompt_to_prompt.words import (
    direction,
    gain_row,
    pieces_of,
    windowed,
    windows,
    word_tokens,
)
from livevis.generate.text import load_tokenizer
from tests.checkpoints import write_tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("words") / "tokenizer"
    write_tokenizer(folder, 32)
    return load_tokenizer(folder)


# Which tokens: `neon` is four tokens (n e o n), every other word is one.


@pytest.mark.parametrize(
    ("text", "word", "wanted"),
    [
        ("burning aurora, black waves", "aurora", (2,)),
        ("burning aurora, black waves", "waves", (5,)),  # 3 is the comma
        ("red neon city", "neon", (2, 3, 4, 5)),
        ("red neon city", "Neon CITY", (2, 3, 4, 5, 6)),
        ("black city of black waves", "black", (1, 4)),
        ("red red red", "red red", (1, 2, 3)),
    ],
)
def test_a_word_is_its_tokens(tokenizer: Any, text: str, word: str, wanted: tuple[int, ...]) -> None:
    assert word_tokens(tokenizer, pieces_of(tokenizer, text), word) == wanted


@pytest.mark.parametrize("word", ["dog", "eon", "", "aurora waves"])
def test_an_absent_word_names_those_that_are_there(tokenizer: Any, word: str) -> None:
    pieces = pieces_of(tokenizer, "burning aurora of neon")
    with pytest.raises(ConfigError, match=f"word '{word}' is not in the prompt; its words: aurora, burning, neon, of"):
        word_tokens(tokenizer, pieces, word)


# How much.


def test_a_gain_reaches_its_word_and_as_asked_the_end(tokenizer: Any) -> None:
    alone, spread = direction(8, (2, 3)), direction(8, (2, 3), end=5, spread=0.25)
    assert alone.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert spread.tolist() == [0, 0, 1, 1, 0, 0.25, 0.25, 0.25]
    assert gain_row(torch.tensor([3.0]), spread[None]).tolist() == [1, 1, 3, 3, 1, 1.5, 1.5, 1.5]
    both = gain_row(torch.tensor([3.0, 0.5]), torch.stack((spread, direction(8, (1,)))))
    assert both.tolist() == [1, 0.5, 3, 3, 1, 1.5, 1.5, 1.5]


@given(st.lists(st.floats(-2, 5, width=32), min_size=3, max_size=3), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_gains_are_affine_and_one_is_silence(gains: list[float], seed: int) -> None:
    directions = torch.rand(3, 7, generator=torch.Generator().manual_seed(seed))
    row = gain_row(torch.tensor(gains), directions)
    by_hand = [1 + sum((g - 1) * float(d[t]) for g, d in zip(gains, directions, strict=True)) for t in range(7)]
    torch.testing.assert_close(row, torch.tensor(by_hand), rtol=1e-5, atol=1e-5)
    assert torch.equal(gain_row(torch.ones(3), directions), torch.ones(7))
    assert gain_row(torch.ones(2, 3), directions).shape == (2, 7)


def test_a_spread_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"1\.5; it must be 0\.\.1"):
        direction(8, (1,), end=4, spread=1.5)
    with pytest.raises(ConfigError, match="end token"):
        direction(8, (1,), spread=0.5)


# When.


def test_windows_are_explicit_steps() -> None:
    window = windows(4, 5, default=(0, 3), words=[((1, 2), (2, 4)), ((4,), None)])
    assert window.tolist() == [[1, 0, 0, 1, 0], [1, 0, 0, 1, 0], [1, 1, 1, 1, 0], [0, 1, 1, 0, 0]]
    assert windows(1, 2, default=None).sum() == 0
    gain = torch.tensor([2.0, 3.0, 1.0, 0.5, 4.0])
    assert windowed(gain, window)[3].tolist() == [1, 3, 1, 1, 1]


@pytest.mark.parametrize(("steps", "fraction"), [(1, 0.8), (2, 0.8), (4, 0.8), (4, 0.4), (50, 0.8), (50, 0.4)])
def test_windows_can_say_what_the_papers_fractions_said(steps: int, fraction: float) -> None:
    """The released code has steps + 1 rows and ends a window at the fraction of those, rounded down."""
    end = int(fraction * (steps + 1))
    theirs = [[float(0 <= step < end)] * 3 for step in range(steps)]
    assert windows(steps, 3, default=(0, end)).tolist() == theirs


@pytest.mark.parametrize("when", [(0, 0), (2, 2), (1, 0), (-1, 2), (0, 3), (2, 3)])
def test_a_window_of_no_step_is_refused(when: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match=r"with 2 steps the first is 0\.\.1 and the end above it, at most 2"):
        windows(2, 5, default=(0, 2), words=[((1,), when)])


# Refinement: tokens added to a prompt.


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        ([7, 1, 2, 9], [7, 1, 2, 9], [0, 1, 2, 3, 4, 5]),
        ([7, 1, 9], [7, 5, 1, 9], [0, -1, 1, 2, 4, 5]),  # a word inserted
        ([7, 1, 9], [7, 1, 5, 6, 9], [0, 1, -1, -1, 2, 5]),  # two words appended
        ([7, 1, 2, 9], [7, 2, 9], [0, 2, 3, 3, 4, 5]),  # a word left out: padding from 3 on stands for itself
        ([7, 1, 9], [7, 2, 9], [0, -1, 2, 3, 4, 5]),  # a mismatch costs more than two gaps
        ([7, 1, 1, 9], [7, 1, 9], [0, 1, 3, 3, 4, 5]),  # of two equal source tokens the first
        ([7, 1, 9], [7, 1, 1, 9], [0, 1, -1, 2, 4, 5]),  # of two equal target tokens the first
        ([7, 1, 2, 9], [7, 2, 1, 9], [0, 2, -1, 3, 4, 5]),  # swapped: the last one is left alone
    ],
)
def test_refinement_by_hand(source: list[int], target: list[int], wanted: list[int]) -> None:
    mapper, aligned = refine_mapper(source, target, tokens=6)
    assert mapper.tolist() == wanted
    assert aligned.tolist() == [float(token >= 0) for token in wanted]


def all_matchings(source: list[int], target: list[int]) -> list[list[int]]:
    """Every order-preserving pairing of equal tokens, as a source index or -1 for each target token."""
    found = []
    for size in range(min(len(source), len(target)) + 1):
        for chosen in combinations(range(len(target)), size):
            for origin in combinations(range(len(source)), size):
                if all(source[i] == target[j] for i, j in zip(origin, chosen, strict=True)):
                    of = dict(zip(chosen, origin, strict=True))
                    found.append([of.get(j, -1) for j in range(len(target))])
    return found


@given(*[st.lists(st.integers(1, 3), min_size=1, max_size=6)] * 2)
@settings(max_examples=150, deadline=None)
def test_refinement_is_the_best_of_all_matchings(source: list[int], target: list[int]) -> None:
    """With free gaps and dear mismatches the most matches win; ties go to what is smallest read from the end."""
    matchings = all_matchings(source, target)
    most = max(sum(i >= 0 for i in matching) for matching in matchings)
    best = min((m for m in matchings if sum(i >= 0 for i in m) == most), key=lambda m: m[::-1])
    mapper, aligned = refine_mapper(source, target, tokens=7)
    assert mapper.tolist() == best + list(range(len(target), 7))
    assert aligned.tolist() == [float(token >= 0) for token in mapper]


# Replacement: words swapped for words.


def cells(matrix: torch.Tensor) -> dict[tuple[int, int], float]:
    return {(i, j): float(matrix[i, j]) for i, j in matrix.nonzero().tolist()}


def diagonal(*tokens: int) -> dict[tuple[int, int], float]:
    return {(t, t): 1.0 for t in tokens}


@pytest.mark.parametrize(
    ("source", "target", "wanted"),
    [
        ("red city", "red city", diagonal(*range(9))),
        ("red city", "black city", diagonal(*range(9))),  # one token for one
        # city (2) -> neon (2..5): each a quarter; after it index by index, up to the end of the longer prompt
        ("red city", "red neon", diagonal(0, 1, 6, 7, 8) | {(2, j): 0.25 for j in (2, 3, 4, 5)}),
        # neon (1..4) -> red (1): the sum of four; then from index 2 on, as many as are left of the source
        ("neon city", "red city", diagonal(0, 2, 3, 4, 5) | {(i, 1): 1.0 for i in (1, 2, 3, 4)}),
        # between two replaced words the shift counts: of (5) is now 2
        (
            "neon of a",
            "red of city",
            diagonal(0) | {(i, 1): 1.0 for i in (1, 2, 3, 4)} | {(5, 2): 1.0, (6, 3): 1.0} | diagonal(4, 5),
        ),
        ("neon a", "neon, a", diagonal(0, 6, 7, 8) | {(i, j): 0.2 for i in (1, 2, 3, 4) for j in (1, 2, 3, 4, 5)}),
    ],
)
def test_replacement_by_hand(tokenizer: Any, source: str, target: str, wanted: dict[Any, float]) -> None:
    got = cells(replacement_mapper(tokenizer, source, target, tokens=9))
    assert got == pytest.approx(wanted)


SIZES = {"red": 1, "city": 1, "of": 1, "neon": 4, "neon,": 5}


def mapped(source: list[str], target: list[str], tokens: int, i: int, j: int) -> float:
    """How much of the map of source token i target token j is given, by where the two stand."""
    places: list[tuple[range, range, bool]] = []
    a = b = 1
    for old, new in zip(source, target, strict=True):
        places.append((range(a, a + SIZES[old]), range(b, b + SIZES[new]), old != new))
        a, b = a + SIZES[old], b + SIZES[new]
    changed = [place for place in places if place[2]]
    last = (changed[-1][0][-1], changed[-1][1][-1]) if changed else (-1, -1)
    if j > last[1]:
        return float(i == j and j - last[1] + max(last) < tokens)
    for before, after, new in places:
        if j in after:
            if new and len(before) != len(after):
                return (i in before) / len(after)
            return float(i in before and i - before[0] == j - after[0])
    return float(i == j)


@given(st.lists(st.tuples(*[st.sampled_from(sorted(SIZES))] * 2), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_replacement_is_told_by_where_words_stand(tokenizer: Any, pairs: list[tuple[str, str]]) -> None:
    source, target = [old for old, _ in pairs], [new for _, new in pairs]
    ours = replacement_mapper(tokenizer, " ".join(source), " ".join(target), tokens=24)
    wanted = torch.tensor([[mapped(source, target, 24, i, j) for j in range(24)] for i in range(24)])
    torch.testing.assert_close(ours, wanted)


def test_prompts_that_cannot_be_mapped_are_refused(tokenizer: Any) -> None:
    with pytest.raises(ConfigError, match=r"equally many words, not 2 \('red city'\) and 1 \('city'\)"):
        replacement_mapper(tokenizer, "red city", "city", tokens=9)
    with pytest.raises(ConfigError, match="prompt of 7 tokens does not fit the 6"):
        replacement_mapper(tokenizer, "red city", "red neon", tokens=6)
    with pytest.raises(ConfigError, match="prompt of 4 tokens does not fit the 3"):
        refine_mapper([1, 2], [1, 2, 3, 4], tokens=3)
