"""Which prompt takes the blend over, from hand-made choices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.methods.choice import candidates
from livevis.methods.takeover import FAINTEST, claim, taken

PROMPTS = (("a calm ocean", 1.0), ("fire over rain", 0.01), ("a fire at night", 0.01), ("rain over misty hills", 0.01))
TEXTS = tuple(text for text, _ in PROMPTS)
FOUND = candidates(TEXTS, "a crackling fire: fire, rain falling: rain, people talking")


def shares(weights: dict[str, float], depth: float = 1.0) -> dict[str, float]:
    return dict(taken(PROMPTS, FOUND, weights, depth))


@pytest.mark.parametrize(
    ("weights", "winner"),
    [
        ({"fire": 1.0}, "a fire at night"),
        ({"rain": 1.0}, "rain over misty hills"),
        ({"fire": 1.0, "rain": 1.0}, "fire over rain"),
        ({"ocean": 1.0}, "a calm ocean"),
    ],
)
def test_the_prompt_that_names_what_is_heard_and_nothing_else_takes_over(
    weights: dict[str, float], winner: str
) -> None:
    found = shares(weights)
    assert found[winner] > 0.9
    assert all(share < 0.05 for text, share in found.items() if text != winner)


def test_words_that_the_bank_gives_no_sound_are_not_missed() -> None:
    assert shares({"rain": 1.0})["rain over misty hills"] > 0.95  # nobody heard hills


@pytest.mark.parametrize("weights", [{}, {"people talking": 1.0}, {"fire": 0.0}])
def test_what_no_prompt_names_takes_nothing_over(weights: dict[str, float]) -> None:
    assert taken(PROMPTS, FOUND, weights, 1.0) is PROMPTS


def test_no_depth_and_a_single_prompt_leave_the_prompts_themselves() -> None:
    assert taken(PROMPTS, FOUND, {"fire": 1.0}, 0.0) is PROMPTS
    assert taken(PROMPTS[1:2], FOUND, {"fire": 1.0}, 1.0) is not None
    single = PROMPTS[1:2]
    assert taken(single, FOUND, {"fire": 1.0}, 1.0) is single


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_shares_are_a_blend_in_which_nothing_is_lost(fire: float, rain: float, depth: float) -> None:
    found = shares({"fire": fire, "rain": rain}, depth)
    assert list(found) == list(TEXTS)
    assert all(share >= FAINTEST for share in found.values())
    total = sum(weight for _, weight in PROMPTS) if found == dict(PROMPTS) else 1.0
    assert sum(found.values()) == pytest.approx(total, abs=4 * FAINTEST)


def test_deeper_is_further() -> None:
    rising = [shares({"fire": 1.0}, depth / 10)["a fire at night"] for depth in range(1, 11)]
    assert rising == sorted(rising)
    assert rising[-1] > 0.9


def test_a_claim_is_all_for_exactly_what_is_heard_and_nothing_for_the_rest() -> None:
    names = frozenset({"fire", "rain"})
    assert claim(names, names, {"fire": 1.0, "rain": 1.0}) == 1.0
    assert claim(names, names, {"fire": 1.0}) == 0.5
    assert claim(names, names, {"thunder": 1.0}) == 0.0
