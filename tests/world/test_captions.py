"""Captions: the same for ever, true, and open about where their words come from."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.world.captions import (
    HIGHEST_GAIN,
    JOINTS,
    LONGEST_WORDS,
    MIDDLES,
    RELATIONS,
    STYLES,
    Caption,
    Part,
    band_of,
    bands_for,
    caption,
    gain_for,
    intensity_words,
    played_intensity,
)
from livevis.world.wordings import WORDINGS

unit = st.floats(0.0, 1.0)
seeds = st.integers(0, 2**32 - 1)
some_bands = st.sampled_from([None, 0, 1, 2, 3])


@st.composite
def lone(draw: st.DrawFn) -> Part:
    name = draw(st.sampled_from(sorted(WORDINGS)))
    values = {"intensity": draw(unit), "palette": draw(st.integers(0, 3)), "layout": 0.5, "camera": draw(unit)}
    return Part(name, values, 1.0)


pairs = st.lists(lone(), min_size=2, max_size=2, unique_by=lambda part: part.scene)


def spoken(part: Part, seed: int, *, band: int | None) -> Caption:
    return caption([part], "", np.random.default_rng(seed), bands=[band])


def made(name: str, k: float = 0.9, palette: int = 0, camera: float = 0.5) -> Part:
    return Part(name, {"intensity": k, "palette": palette, "layout": 0.1, "camera": camera}, 0.0)


def said(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def spare_words(name: str) -> str:
    """Everything a caption of the scene may hold besides intensity words."""
    wording = WORDINGS[name]
    behind = [phrase for phrases in wording.behind.values() for phrase in phrases]
    return " ".join([*wording.nouns, *wording.settings, *behind, *wording.palettes, *STYLES, "close-up wide shot"])


def check_its_words(found: Caption, parts: list[Part]) -> None:
    """Nouns and intensity words stand in the text in the order of the parts, and name the band they say."""
    at = 0
    for part, noun, strength, band in zip(parts, found.nouns, found.strengths, found.bands, strict=True):
        assert noun in {re.sub(r"^an? ", "", n) for n in WORDINGS[part.scene].nouns}
        assert (strength == "") == (band is None)
        if band is not None:
            assert strength in WORDINGS[part.scene].bands[band]
            at = re.compile(rf"\b{strength}\b").search(found.text, at).end()  # type: ignore[union-attr]
        at = re.compile(rf"\b{noun}\b").search(found.text, at).end()  # type: ignore[union-attr]


@given(lone(), seeds)
def test_a_lone_caption_is_true_short_and_repeatable(part: Part, seed: int) -> None:
    found, again = (caption([part], "", np.random.default_rng(seed)) for _ in range(2))
    assert found == again and found.text == found.text.lower() and found.text.split()[0]
    assert len(found.text.split()) <= LONGEST_WORDS
    check_its_words(found, [part])
    k, wording = float(part.inputs["intensity"]), WORDINGS[part.scene]
    assert found.bands[0] in (None, band_of(k))
    for word in {w for band in wording.bands for w in band} - set(intensity_words(part.scene, k)):
        assert not said(found.text, word) or said(spare_words(part.scene), word)
    fixed = " ".join([*wording.nouns, *wording.settings, *found.strengths])
    for word in set(wording.palettes) - {wording.palettes[int(part.inputs["palette"])]}:
        assert not said(found.text, word) or said(fixed, word)


@given(pairs, st.sampled_from(RELATIONS), seeds)
def test_a_mixed_caption_names_both_in_order(parts: list[Part], relation: str, seed: int) -> None:
    found = caption(parts, relation, np.random.default_rng(seed))
    assert found == caption(parts, relation, np.random.default_rng(seed))
    assert len(found.text.split()) <= LONGEST_WORDS and len(found.nouns) == 2
    check_its_words(found, parts)
    between = found.text[found.text.index(found.nouns[0]) + len(found.nouns[0]) :]
    assert any(said(between[: between.index(found.nouns[1])], joint) for joint in JOINTS[relation])
    for part, band in zip(parts, found.bands, strict=True):
        assert band in (None, band_of(float(part.inputs["intensity"])))


@given(lone(), unit, seeds)
def test_the_camera_is_never_misnamed(part: Part, camera: float, seed: int) -> None:
    text = caption([Part(part.scene, {**part.inputs, "camera": camera}, 0.0)], "", np.random.default_rng(seed)).text
    assert not said(text, "close-up") or camera < 0.25
    assert not said(text, "wide shot") or camera > 0.75


@given(lone(), some_bands, seeds)
def test_a_band_can_be_asked_for(part: Part, band: int | None, seed: int) -> None:
    found = spoken(part, seed, band=band)
    assert found.bands == (band,)
    assert found.said == ((0.5,) if band is None else (MIDDLES[band],))
    check_its_words(found, [part])


@given(pairs, st.sampled_from(RELATIONS), st.lists(some_bands, min_size=2, max_size=2), seeds)
def test_bands_can_be_asked_for_in_mixtures(parts: list[Part], relation: str, bands: list, seed: int) -> None:
    found = caption(parts, relation, np.random.default_rng(seed), bands=bands)
    assert list(found.bands) == bands
    check_its_words(found, parts)


@given(st.floats(0.0, 0.9999), some_bands)
def test_gain_and_played_intensity_are_inverses(intensity: float, band: int | None) -> None:
    gain = gain_for(intensity, band)
    assert gain >= 0.0
    assert played_intensity(band, gain) == pytest.approx(intensity, abs=1e-12)


@given(st.floats(0.0, 3.0), some_bands)
def test_played_intensity_and_gain_are_inverses(gain: float, band: int | None) -> None:
    assert gain_for(played_intensity(band, gain), band) == pytest.approx(gain, abs=1e-6)


def test_gain_one_says_what_the_word_says_and_gain_zero_says_calm() -> None:
    for band, middle in enumerate(MIDDLES):
        assert played_intensity(band, 1.0) == pytest.approx(middle)
        assert played_intensity(band, 0.0) == 0.0
    assert played_intensity(None, 1.0) == 0.5
    assert np.isfinite(gain_for(1.0, 0))


@given(unit)
def test_bands_for_are_those_within_reach(intensity: float) -> None:
    found = bands_for(intensity)
    assert 3 in found
    assert all((gain_for(intensity, band) <= HIGHEST_GAIN) == (band in found) for band in range(3))
    if intensity <= 0.998:
        assert gain_for(intensity, 3) <= HIGHEST_GAIN


def test_bands_follow_the_value() -> None:
    for name in WORDINGS:
        calm, raging = intensity_words(name, 0.0), intensity_words(name, 1.0)
        assert "calm" in calm and "raging" in raging
        assert intensity_words(name, 0.24) == calm != intensity_words(name, 0.26)


def test_all_forms_occur() -> None:
    rng = np.random.default_rng(0)
    texts = {caption([made("fire", palette=1)], "", rng).text for _ in range(1500)}
    assert {"fire", "blue fire", "raging fire", "raging blue fire"} <= texts
    assert any(t.startswith("a raging blue ") and " at night" in t and "," in t for t in texts)
    mixed = [made("fire", 0.1, camera=0.1), made("ocean_waves", 0.9, 2, 0.1)]
    texts = {caption(mixed, "over", rng).text for _ in range(1500)}
    assert any(t.endswith("at night, close-up") and " over a " in t for t in texts)
    assert any("small" in t and "raging" in t for t in texts)


def test_one_wide_part_is_no_wide_shot() -> None:
    rng = np.random.default_rng(0)
    mixed = [made("fire", camera=0.9), made("rain", camera=0.1)]
    assert not any(re.search("close-up|wide shot", caption(mixed, "over", rng).text) for _ in range(300))


def test_articles_suit_the_next_word() -> None:
    rng = np.random.default_rng(1)
    names = sorted(WORDINGS)
    for index in range(3000):
        parts = [made(names[(index * step) % len(names)], rng.random(), index % 4) for step in (1, 5)]
        text = caption(parts, "beside", rng).text
        assert not re.search(r"\ba [aeio]|\ban [^aeiou]", text), text


def test_wrong_requests_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="did you mean 'fire'"):
        caption([made("fires")], "", rng)
    with pytest.raises(ConfigError, match="did you mean 'over'"):
        caption([made("fire"), made("rain")], "overs", rng)
    for parts, relation in (([made("fire")], "over"), ([made("fire")] * 3, "over"), ([], "")):
        with pytest.raises(ConfigError, match="parts with relation"):
            caption(parts, relation, rng)
    with pytest.raises(ConfigError, match="2 bands for 1 parts"):
        caption([made("fire")], "", rng, bands=(1, 2))
