"""What is said of sounds: lower case, with the scene's noun, and no word of strength that is not true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.world.sounds import SOUNDS, mix_caption, sound_caption
from livevis.world.sounds.captions import strength_words
from livevis.world.sounds.words import WORDINGS, said

NOUNS = {
    "fire": "fire", "ocean_waves": "ocean", "rain": "rain", "lightning": "thunder", "underwater_bubbles": "bubbl",
    "volcano": "volcano", "waterfall": "waterfall", "squishing_mud": "mud", "wind_grass": "grass",
    "splashing_water": "water", "forest": "forest", "snow": "snow", "city_night": "city", "desert": "desert",
    "crystal": "crystal", "circuit": "circuit", "nebula": "nebula", "neon_tunnel": "tunnel", "lava_lamp": "lava lamp",
    "coral": "coral", "mandala": "mandala", "aurora": "aurora",
}  # fmt: skip
names, seeds = st.sampled_from(sorted(SOUNDS)), st.integers(0, 2**31)


def test_every_sound_has_words_and_every_phrase_its_noun() -> None:
    assert set(WORDINGS) == set(SOUNDS)
    for name, sound in SOUNDS.items():
        assert 3 <= len(sound.phrases) <= 5 and len(set(sound.phrases)) == len(sound.phrases)
        assert all(form.count("{}") == 1 for form in WORDINGS[name].forms)
        if sound.kind == "scene":
            assert all(NOUNS[name] in phrase for phrase in sound.phrases), name


def test_phrases_differ_between_sounds() -> None:
    phrases = [phrase for sound in SOUNDS.values() for phrase in sound.phrases]
    assert len(set(phrases)) == len(phrases)


def test_bands_begin_calm_and_end_raging_and_share_no_word() -> None:
    for name, wording in WORDINGS.items():
        assert "calm" in wording.bands[0] and "raging" in wording.bands[3], name
        words = [word for band in wording.bands for word in band]
        assert len(set(words)) == len(words), name


@given(names, st.floats(0, 1), seeds)
def test_captions_are_true_of_the_intensity(name: str, intensity: float, seed: int) -> None:
    text = sound_caption(name, intensity, np.random.default_rng(seed))
    assert text == sound_caption(name, intensity, np.random.default_rng(seed))
    assert text == text.lower().strip() and "  " not in text and "{" not in text
    true = strength_words(name, intensity)
    made = {said(form, word) for form in WORDINGS[name].forms for word in ("", *true)}
    assert text in made


@given(names, names, seeds)
def test_mixtures_name_both(a: str, b: str, seed: int) -> None:
    text = mix_caption(a, b, np.random.default_rng(seed))
    assert any(phrase in text for phrase in SOUNDS[a].phrases)
    assert any(phrase in text for phrase in SOUNDS[b].phrases)


def test_mixtures_take_captions_too() -> None:
    text = mix_caption("a huge fire", "light rain", np.random.default_rng(0))
    assert "a huge fire" in text and "light rain" in text


def test_articles_follow_the_next_word() -> None:
    assert said("a {} electric circuit", "") == "an electric circuit"
    assert said("a {} electric circuit", "busy") == "a busy electric circuit"
    assert said("a {} circuit", "idle") == "an idle circuit"
    assert said("{} rain", "") == "rain"


def test_an_unknown_sound_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="rain"):
        strength_words("rian", 0.5)
