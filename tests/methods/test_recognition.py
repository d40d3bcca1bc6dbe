"""heard/bank to heard.n: a softmax over the bank, by place, and nothing of the analyser's touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from livevis.core.features import FEATURES, HEARD, HEARD_PHRASES, INDEX
from livevis.core.routes import Route
from livevis.core.types import AudioEmbedding, AudioFeatures, Controls, Heard, silent_features
from livevis.methods.recognition import lacking, likeliest, merged, phrases, places, recognise

BLANK = np.zeros(1, np.float32)


def bank(text: str) -> Controls:
    return Controls(1, {"heard/bank": text})


def heard(scale: float = 12.0, **scores: float) -> Heard:
    return Heard(AudioEmbedding(48_000, BLANK, "hand-made", 2.5), scores, scale)


def sounding() -> AudioFeatures:
    values = np.random.default_rng(0).random(len(FEATURES))
    values[HEARD] = values[INDEX["silence"]] = 0.0
    return replace(silent_features(), values=values)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(0, 100))
def test_probabilities_are_the_softmax_at_the_model_s_own_scale(cosines: list[float], scale: float) -> None:
    named = {f"p{k}": cosine for k, cosine in enumerate(cosines)}
    found = recognise(heard(scale, other=1.0, **named), bank(",".join(named)))
    assert found is not None and (found.sample, found.window_s, found.age_s(96_000)) == (48_000, 2.5, 1.0)
    exact = softmax(scale * np.array(cosines))
    assert np.abs(np.array(found.probabilities) - exact[:HEARD_PHRASES]).max() < 1e-12
    assert all(0.0 <= one <= 1.0 for one in found.probabilities)


def test_a_place_is_a_number_whatever_stands_in_it() -> None:
    assert places(" Rain, ,a Fire ,rain,") == ("rain", "", "a fire", "rain", "")
    assert phrases(bank(" Rain, ,a Fire ,rain,")) == ("rain", "a fire") and phrases(bank(" , ")) == ()
    found = recognise(heard(**{"rain": 0.5, "a fire": 0.5}), bank("Rain, ,a fire,rain,"))
    assert found is not None and found.probabilities == (0.5, 0.0, 0.5, 0.5, 0.0)


def test_the_ninth_competes_without_a_feature() -> None:
    names = [f"p{k}" for k in range(9)]
    scores = {**dict.fromkeys(names, 0.0), "p8": 1.0}
    found = recognise(heard(50.0, **scores), bank(",".join(names)))
    assert found is not None and len(found.probabilities) == HEARD_PHRASES and sum(found.probabilities) < 1e-6


def test_nothing_is_known_until_all_are_scored() -> None:
    assert recognise(None, bank("rain, fire")) is None
    assert recognise(heard(rain=0.5), bank("rain, fire")) is None
    assert recognise(heard(rain=0.5), bank("")) is None
    assert recognise(heard(rain=float("nan"), fire=0.1), bank("rain, fire")) is None


def test_the_likeliest_is_named() -> None:
    asked = bank("rain, , fire")
    assert likeliest(recognise(heard(rain=0.1, fire=0.3), asked), asked) == ("fire",)
    assert likeliest(None, asked) == () and likeliest(recognise(heard(a=0.1), bank(",,,,,,,,a")), bank("")) == ()


def test_what_stays_at_0_for_a_reason_is_said() -> None:
    routes = [Route("bass.level", "effect/hue"), Route("heard.3", "effect/hue"), Route("heard.2", "effect/hue")]
    assert lacking(bank("rain, fire, wind"), routes) == "" == lacking(bank(""), routes[:1], listener=False)
    assert "heard.3, and heard/bank names no phrase" in lacking(bank("rain, fire"), routes)
    assert "heard.2, and heard/bank names no phrase" in lacking(bank("rain,, fire"), routes)
    assert lacking(bank("rain,, fire"), [replace(routes[2], enabled=False)]) == ""
    assert "without one nobody does" in lacking(bank("rain"), [], listener=False)


def test_merging_fills_in_the_phrases_and_touches_nothing_else() -> None:
    features = sounding()
    before = features.values.copy()
    both = merged(features, recognise(heard(rain=0.1, fire=0.3), bank("rain, fire")))
    assert both["heard.1"] == pytest.approx(1 - both["heard.2"]) and both["heard.2"] > 0.8 and both["heard.3"] == 0.0
    assert np.array_equal(np.delete(both.values, range(*HEARD.indices(len(before)))), before[: HEARD.start])
    assert np.array_equal(features.values, before) and both.sample == features.sample
    assert both.spectrum is features.spectrum and both.waveform is features.waveform


def test_in_silence_and_while_nobody_listens_the_features_are_the_analyser_s_own() -> None:
    features, quiet = sounding(), silent_features()
    assert merged(features, None) is features
    assert merged(quiet, recognise(heard(rain=0.1, fire=0.3), bank("rain, fire"))) is quiet
