"""Draws: deterministic, independent, split for good; headers all of one shape."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.world.captions import WORDINGS
from livevis.world.scenes import LONGEST_TIME_S, SCENES, draw, scene, split

seeds, indices = st.integers(0, 2**31), st.integers(0, 2**31)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_header_has_the_same_inputs(name: str) -> None:
    header = SCENES[name].header
    wanted = [("intensity", "float"), ("palette", "long"), ("layout", "float")]
    assert [(i.name, i.type) for i in header.inputs] == wanted
    assert all((i.low, i.high) == (0.0, 1.0) for i in header.inputs if i.type == "float")
    assert len(SCENES[name].palettes) == len(set(SCENES[name].palettes)) == 4
    assert SCENES[name].input("palette").values == (0, 1, 2, 3)
    assert (header.credit, header.categories, header.version) == ("livevis", ("livevis scene",), 2)
    assert header.description


@given(seeds, indices)
def test_draws_are_deterministic_and_in_range(seed: int, index: int) -> None:
    found = draw(seed, index)
    assert found == draw(seed, index)
    assert found.scene in SCENES
    assert 0.0 <= found.inputs["intensity"] <= 1.0 and 0.0 <= found.inputs["layout"] <= 1.0
    assert found.inputs["palette"] in range(4)
    assert 0.0 <= found.time <= LONGEST_TIME_S


@given(seeds, indices)
def test_a_draws_caption_speaks_of_its_own_inputs(seed: int, index: int) -> None:
    found = draw(seed, index)
    wording = WORDINGS[found.scene]
    cores = [re.sub(r"^an? ", "", noun) for noun in wording.nouns]
    assert any(core in found.caption for core in cores)
    raging = re.search(r"\braging\b", found.caption)
    assert not raging or found.inputs["intensity"] >= 0.75
    calm = re.search(r"\bcalm\b", found.caption)
    assert not calm or found.inputs["intensity"] < 0.25


def test_draws_cover_every_scene_palette_and_intensity() -> None:
    found = [draw(3, index) for index in range(2000)]
    assert {(d.scene, d.inputs["palette"]) for d in found} == {(n, p) for n in SCENES for p in range(4)}
    assert {int(d.inputs["intensity"] * 4) for d in found} == {0, 1, 2, 3}
    assert len({(d.scene, *d.inputs.values(), d.time) for d in found}) == len(found)
    assert draw(3, 0) != draw(4, 0)


def test_the_split_is_disjoint_fixed_and_about_a_sixteenth() -> None:
    train = {i for i in range(1600) if split(i) == "train"}
    held_out = {i for i in range(1600) if split(i) == "held_out"}
    assert not train & held_out and train | held_out == set(range(1600))
    assert len(held_out) == 100 and min(held_out) == 11


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'volcano'"):
        scene("vulcano")
    with pytest.raises(ConfigError, match="intensity, layout, palette"):
        scene("fire").input("speed")
