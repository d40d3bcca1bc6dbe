"""Which words can be chosen, and that the choice neither flutters nor jumps."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.methods.choice import SHORTLIST, Candidate, candidates, choose, choose_set, fade, named, together

NAMES = st.sampled_from(["fire", "rain", "wind", "sea"])
SCORES = st.fixed_dictionaries({name: st.floats(-1, 1) for name in ("fire", "rain", "wind", "sea")})


def test_content_words_of_the_prompts_at_play() -> None:
    found = candidates(("A raging, orange FIRE beside ocean waves at night", "the fire's smoke"), "")
    assert [one.phrase for one in found] == ["fire", "ocean", "waves", "smoke"]
    assert all(one.lifts and one.name == one.phrase for one in found)


def test_phrases_of_one_word_are_one_name_among_the_chosen() -> None:
    found = candidates(("a fire",), "crackle: fire, gusts: grass, wind: grass, drops: rain")
    scores = named(found, {"crackle": 0.2, "gusts": 0.9, "wind": 0.8, "drops": 0.5})
    assert choose(scores, (), count=2, margin=0.0) == ("grass", "rain")


def test_the_bank_names_phrases_words_and_what_is_not_in_the_prompt() -> None:
    found = candidates(("a dragon over a lava lamp",), "crackling fire: dragon, lava lamp, applause, rain: sea, ,:x")
    assert found[-4:] == (
        Candidate("crackling fire", "dragon", True),
        Candidate("lava lamp", "lava lamp", True),
        Candidate("applause", "applause", False),
        Candidate("rain", "sea", False),
    )
    assert candidates(("firework",), "fire: work")[-1].lifts is False, "only whole words are in a prompt"


def test_a_name_has_the_best_score_of_its_phrases() -> None:
    found = candidates(("a dragon in rain",), "fire: dragon")
    assert named(found, {"dragon": 0.1, "fire": 0.7, "rain": 0.2}) == {"dragon": 0.7, "rain": 0.2}
    assert named(found, {"rain": 0.2}) == {"rain": 0.2}


@given(SCORES, st.lists(NAMES, max_size=2, unique=True), st.integers(1, 4), st.floats(0, 0.5))
def test_one_that_is_chosen_gives_way_only_to_a_margin(
    scores: dict[str, float], chosen: list[str], count: int, margin: float
) -> None:
    found = choose(scores, chosen, count=count, margin=margin)
    assert len(found) == count == len(set(found))
    for lost in set(chosen) - set(found):
        assert all(scores[name] > scores[lost] + margin for name in set(found) - set(chosen))
    again = choose(scores, found, count=count, margin=margin)
    assert set(again) == set(found), "the same sound again changes nothing"


@given(SCORES, st.integers(1, 4))
def test_without_a_margin_it_is_the_top(scores: dict[str, float], count: int) -> None:
    found = choose(scores, (), count=count, margin=0.0)
    assert sorted((scores[name] for name in found), reverse=True) == sorted(scores.values(), reverse=True)[:count]


def test_hysteresis_in_figures() -> None:
    assert choose({"fire": 0.50, "rain": 0.54}, ("fire",), count=1, margin=0.05) == ("fire",)
    assert choose({"fire": 0.50, "rain": 0.55}, ("fire",), count=1, margin=0.05) in (("fire",), ("rain",))
    assert choose({"fire": 0.50, "rain": 0.56}, ("fire",), count=1, margin=0.05) == ("rain",)
    assert choose({"fire": 0.50, "rain": 0.56}, (), count=2, margin=0.05) == ("rain", "fire")


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(NAMES, st.floats(0.01, 1)),
    st.lists(NAMES, max_size=2, unique=True),
    st.floats(0, 1),
    st.integers(1, 9),
)
def test_a_fade_is_the_same_however_it_is_cut(
    weights: dict[str, float], chosen: list[str], share: float, cuts: int
) -> None:
    once, often = fade(weights, chosen, share), dict(weights)
    for _ in range(cuts):
        often = fade(often, chosen, share / cuts)
    for name in once.keys() | often.keys():
        assert abs(once.get(name, 0.0) - often.get(name, 0.0)) < 1e-9
    assert all(0 < weight <= 1 for weight in once.values())


def test_a_switch_crosses_over() -> None:
    half = fade({"fire": 1.0}, ("rain",), 0.5)
    assert half == {"rain": 0.5, "fire": 0.5} and fade(half, ("rain",), 0.5) == {"rain": 1.0}
    assert fade({"fire": 1.0}, ("rain",), 1.0) == {"rain": 1.0}


def test_what_may_sound_at_once_are_names_that_differ() -> None:
    found = candidates(("fire beside rain",), "crackling: fire, wind")
    assert together(found, {}, count=1) == {}
    assert together(found, {}, count=2) == {
        "fire + rain": ("fire", "rain"),
        "fire + wind": ("fire", "wind"),
        "rain + crackling": ("rain", "fire"),
        "rain + wind": ("rain", "wind"),
        "crackling + wind": ("fire", "wind"),
    }


def test_of_many_the_likeliest_are_listened_for_together() -> None:
    found = candidates(("",), ", ".join(f"sound {chr(97 + k)}" for k in range(20)))
    assert together(found, {}, count=2) == {}, "nothing was heard yet"
    scores = {one.phrase: k / 20 for k, one in enumerate(found)}
    sets = together(found, scores, count=2)
    assert len(sets) == SHORTLIST * (SHORTLIST - 1) // 2
    assert {name for names in sets.values() for name in names} == {one.name for one in found[-SHORTLIST:]}


@given(SCORES, st.dictionaries(st.sampled_from([("fire", "rain"), ("fire", "wind"), ("rain", "sea")]),
                               st.floats(-1, 1), min_size=1), st.floats(0, 0.5))  # fmt: skip
def test_a_set_gives_way_only_to_a_better_one(
    scores: dict[str, float], sets: dict[tuple[str, ...], float], margin: float
) -> None:
    found = choose_set(sets, scores, (), margin=margin)
    assert sets[next(names for names in sets if set(names) == set(found))] >= max(sets.values()) - 1e-9
    assert scores[found[0]] >= scores[found[1]], "the likeliest alone comes first"
    assert set(choose_set(sets, scores, found, margin=margin)) == set(found), "the same again changes nothing"
    for names in sets:
        kept = choose_set(sets, scores, names, margin=margin)
        if set(kept) != set(names):
            assert sets[next(n for n in sets if set(n) == set(kept))] >= sets[names] - 1e-9
