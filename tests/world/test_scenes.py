"""Draws: deterministic, independent, in range; headers all of one shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.world.captions import RELATIONS, band_of
from livevis.world.scenes import LONGEST_TIME_S, SCENES, captions_for, draw, draw_among, scene

seeds, indices = st.integers(0, 2**31), st.integers(0, 2**31)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_header_has_the_same_inputs(name: str) -> None:
    header = SCENES[name].header
    wanted = [("intensity", "float"), ("palette", "long"), ("layout", "float"), ("camera", "float")]
    assert [(i.name, i.type) for i in header.inputs] == wanted
    assert all((i.low, i.high) == (0.0, 1.0) for i in header.inputs if i.type == "float")
    assert SCENES[name].input("camera").default == 0.5
    assert SCENES[name].input("palette").labels == SCENES[name].palettes
    assert len(SCENES[name].palettes) == len(set(SCENES[name].palettes)) == 4
    assert SCENES[name].input("palette").values == (0, 1, 2, 3)
    assert (header.credit, header.categories, header.version) == ("livevis", ("livevis scene",), 2)
    assert header.description


@given(seeds, indices)
def test_draws_are_deterministic_and_in_range(seed: int, index: int) -> None:
    found = draw(seed, index)
    assert found == draw(seed, index)
    assert len(found.parts) == (2 if found.relation else 1) and found.relation in ("", *RELATIONS)
    assert len(set(found.scenes)) == len(found.parts) and set(found.scenes) <= set(SCENES)
    for part in found.parts:
        assert list(part.inputs) == ["intensity", "palette", "layout", "camera"]
        assert all(0.0 <= part.inputs[key] <= 1.0 for key in ("intensity", "layout", "camera"))
        assert part.inputs["palette"] in range(4)
        assert 0.0 <= part.time <= LONGEST_TIME_S
    assert len({(part.time, part.inputs["camera"]) for part in found.parts}) == 1


@given(seeds, indices)
def test_a_draws_caption_speaks_of_its_own_parts(seed: int, index: int) -> None:
    found = draw(seed, index)
    for part, noun, band in zip(found.parts, found.caption.nouns, found.caption.bands, strict=True):
        assert any(noun in own for own in SCENES[part.scene].wording.nouns)
        assert band in (None, band_of(float(part.inputs["intensity"])))


def test_draws_cover_every_scene_palette_relation_and_intensity() -> None:
    found = [draw(3, index) for index in range(6000)]
    parts = [part for one in found for part in one.parts]
    assert {(p.scene, p.inputs["palette"]) for p in parts} == {(n, v) for n in SCENES for v in range(4)}
    assert {band_of(float(p.inputs["intensity"])) for p in parts} == {0, 1, 2, 3}
    mixed = [one.relation for one in found if one.relation]
    assert 0.22 < len(mixed) / len(found) < 0.28
    assert all(mixed.count(relation) > 0.28 * len(mixed) for relation in RELATIONS)
    assert len({(p.scene, *p.inputs.values(), p.time) for p in parts}) == len(parts)
    assert draw(3, 0) != draw(4, 0)


@given(seeds, indices)
def test_other_wordings_are_of_the_same_picture(seed: int, index: int) -> None:
    found, rng = draw(seed, index), np.random.default_rng(seed)
    true = captions_for(found, rng)
    for part, band in zip(found.parts, true.bands, strict=True):
        assert band in (None, band_of(float(part.inputs["intensity"])))
    asked = captions_for(found, rng, bands=(2,) * len(found.parts))
    assert set(asked.bands) == {2} and all(asked.strengths)


def test_too_few_scenes_are_named() -> None:
    draws = [draw_among(("fire",), "train", np.random.default_rng(seed)) for seed in (0, 1)]
    assert {one.scenes for one in draws} == {("fire",)}
    with pytest.raises(ConfigError, match=r"too few scenes \(1\) for train draws of two parts"):
        for seed in range(50):
            draw_among(("fire",), "train", np.random.default_rng(seed))


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'volcano'"):
        scene("vulcano")
    with pytest.raises(ConfigError, match="intensity, layout, palette"):
        scene("fire").input("speed")
