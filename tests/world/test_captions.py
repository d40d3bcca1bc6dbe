"""Captions: the same for ever, and true."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.world.captions import LONGEST_WORDS, WORDINGS, caption, intensity_words
from livevis.world.scenes import SCENES

scene_names = st.sampled_from(sorted(WORDINGS))
unit = st.floats(0.0, 1.0)
seeds = st.integers(0, 2**32 - 1)


def said(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"\b{re.escape(w)}\b", text) for w in words)


def spare_words(name: str) -> str:
    """Everything a caption of the scene may hold besides intensity words."""
    wording = WORDINGS[name]
    behind = [phrase for phrases in wording.behind.values() for phrase in phrases]
    return " ".join([*wording.nouns, *wording.settings, *behind, *SCENES[name].palettes])


def test_every_scene_has_words() -> None:
    assert set(WORDINGS) == set(SCENES)


@given(scene_names, unit, st.integers(0, 3), seeds)
def test_captions_are_deterministic_and_short(name: str, k: float, palette: int, seed: int) -> None:
    word = SCENES[name].palettes[palette]
    first, again = (caption(name, k, word, np.random.default_rng(seed)) for _ in range(2))
    assert first == again
    assert first == first.lower()
    assert 1 <= len(first.split()) <= LONGEST_WORDS


@given(scene_names, unit, st.integers(0, 3), seeds)
def test_captions_never_name_another_value(name: str, k: float, palette: int, seed: int) -> None:
    palettes = SCENES[name].palettes
    text = caption(name, k, palettes[palette], np.random.default_rng(seed))
    allowed = intensity_words(name, k)
    for band in WORDINGS[name].bands:
        for word in set(band) - set(allowed):
            assert not said(text, (word,)) or said(spare_words(name), (word,))
    fixed = " ".join([*WORDINGS[name].nouns, *WORDINGS[name].settings])
    for word in set(palettes) - {palettes[palette]}:
        assert not said(text, (word,)) or said(fixed, (word,))


def test_bands_follow_the_value() -> None:
    for name in WORDINGS:
        calm, raging = intensity_words(name, 0.0), intensity_words(name, 1.0)
        assert "calm" in calm and "raging" in raging
        assert intensity_words(name, 0.24) == calm != intensity_words(name, 0.26)


def test_both_short_and_long_forms_occur() -> None:
    rng = np.random.default_rng(0)
    texts = {caption("fire", 0.9, "blue", rng) for _ in range(500)}
    assert {"fire", "blue fire", "raging fire", "raging blue fire"} <= texts
    assert any(t.startswith("a raging blue ") and " at night" in t and "," in t for t in texts)


def test_articles_suit_the_next_word() -> None:
    rng = np.random.default_rng(1)
    for index in range(3000):
        name = sorted(WORDINGS)[index % len(WORDINGS)]
        text = caption(name, rng.random(), SCENES[name].palettes[index % 4], rng)
        assert not re.search(r"\ba [aeio]|\ban [^aeiou]", text), text


def test_unknown_scene_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'fire'"):
        caption("fires", 0.5, "blue", np.random.default_rng(0))
