"""The split: fixed, disjoint, and obeyed by every draw."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from livevis.world.scenes import SCENES, Draw, draw
from livevis.world.split import held_out_pair, held_out_palette, split

seeds, indices = st.integers(0, 2**31), st.integers(0, 2**27)

HELD_OUT_PAIRS_OF_THE_FIRST_TWELVE = {
    ("aurora", "ocean_waves"), ("aurora", "snow"), ("city_night", "fire"), ("city_night", "snow"),
    ("fire", "ocean_waves"), ("jellyfish", "ocean_waves"), ("jellyfish", "volcano"),
    ("nebula", "underwater_bubbles"), ("ocean_waves", "snow"), ("underwater_bubbles", "volcano"),
}  # fmt: skip
HELD_OUT_PALETTES_OF_THE_FIRST_TWELVE = {"nebula": 3, "neon_tunnel": 2, "rain": 1, "snow": 2}
FIRST_TWELVE = (
    "aurora", "city_night", "fire", "jellyfish", "lightning", "nebula", "neon_tunnel", "ocean_waves", "rain", "snow",
    "underwater_bubbles", "volcano",
)  # fmt: skip


def odd_palettes(found: Draw) -> list[bool]:
    return [held_out_palette(part.scene, int(part.inputs["palette"])) for part in found.parts]


@given(seeds, indices)
def test_training_draws_hold_nothing_that_is_held_out(seed: int, number: int) -> None:
    index = number * 16 + number % 11
    assert split(index) == "train"
    found = draw(seed, index)
    assert not any(odd_palettes(found))
    assert not found.relation or not held_out_pair(*found.scenes)


@given(seeds, indices)
def test_held_out_mixtures_are_held_out_pairs(seed: int, number: int) -> None:
    index = number * 16 + 11
    assert split(index) == "held_out"
    found = draw(seed, index)
    assert not found.relation or held_out_pair(*found.scenes)
    assert not any(odd_palettes(found)[1:])


def test_a_third_of_held_out_draws_show_a_held_out_palette() -> None:
    found = [odd_palettes(draw(3, 16 * number + 11))[0] for number in range(1500)]
    assert 0.28 < sum(found) / len(found) < 0.39


def test_the_indices_are_split_for_ever() -> None:
    train = {i for i in range(1600) if split(i) == "train"}
    held_out = {i for i in range(1600) if split(i) == "held_out"}
    assert not train & held_out and train | held_out == set(range(1600))
    assert len(held_out) == 100 and min(held_out) == 11


def test_the_table_is_the_one_that_was_written_down() -> None:
    pairs = {pair for pair in combinations(FIRST_TWELVE, 2) if held_out_pair(*pair)}
    palettes = {name: v for name in FIRST_TWELVE for v in range(4) if held_out_palette(name, v)}
    assert pairs == HELD_OUT_PAIRS_OF_THE_FIRST_TWELVE
    assert palettes == HELD_OUT_PALETTES_OF_THE_FIRST_TWELVE


def test_pairs_have_no_order_and_about_a_sixth_are_held_out() -> None:
    pairs = list(combinations(SCENES, 2))
    assert all(held_out_pair(a, b) == held_out_pair(b, a) for a, b in pairs)
    assert 0.08 < sum(held_out_pair(*pair) for pair in pairs) / len(pairs) < 0.25


def test_some_scenes_have_one_held_out_palette() -> None:
    counts = [sum(held_out_palette(name, value) for value in range(4)) for name in SCENES]
    assert set(counts) == {0, 1}
    assert 0.2 < sum(counts) / len(counts) < 0.5


def test_a_held_out_palette_is_never_the_first_and_its_word_is_trained_elsewhere() -> None:
    table = {(name, value): held_out_palette(name, value) for name in SCENES for value in range(4)}
    trained = {SCENES[name].palettes[value] for (name, value), odd in table.items() if not odd}
    for (name, value), odd in table.items():
        assert not odd or (value > 0 and SCENES[name].palettes[value] in trained), (name, value)
