"""Classes as a voice: probabilities, the gain of loudness, texts encoded one a frame on stage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from livevis.core.types import AudioEmbedding, Heard
from livevis.methods import classes, sphere
from livevis.methods.classes import SoundClass
from livevis.methods.speakers import ByClasses, ahead
from livevis.methods.tpos import Settings

TABLE = (SoundClass("fire", ("fire", "crackle")), SoundClass("rain", ("rain",)), SoundClass("", ("drums", "fire")))
RATE = 48_000


def heard(sample: int, **scores: float) -> Heard:
    return Heard(AudioEmbedding(sample, np.ones(1, np.float32), "given", 2.5), scores)


def rows(text: str) -> np.ndarray:
    return np.random.default_rng(len(text)).standard_normal((2, 3)).astype(np.float32)


def speaker(wave: np.ndarray | None = None) -> ByClasses:
    return ByClasses(
        "tiny", "no weights", TABLE, rows, lambda start, n: None if wave is None else wave[start : start + n]
    )


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_probabilities_are_a_softmax_of_each_class_s_mean_cosine(cosines: list[float]) -> None:
    fire, crackle, rain, drums = cosines
    found = classes.probabilities(heard(0, fire=fire, crackle=crackle, rain=rain, drums=drums), TABLE)
    means = np.array([(fire + crackle) / 2, rain, (drums + fire) / 2])
    assert found is not None and np.abs(found - softmax(classes.SHARPNESS * means)).max() <= 1e-9


def test_a_phrase_that_was_not_scored_yet_is_no_probability() -> None:
    assert classes.probabilities(heard(0, fire=1.0, rain=0.0), TABLE) is None
    assert classes.phrases(TABLE) == ("fire", "crackle", "rain", "drums")
    with pytest.raises(ValueError, match="no phrase"):
        SoundClass("fire", ())


def test_the_gain_is_the_newest_second_over_the_mean_of_five() -> None:
    levels = [0.1, 0.2, 0.4, 0.1, 0.3, 0.8]
    wave = np.concatenate([np.full(RATE, level, np.float32) for level in levels])
    for end in range(1, 7):
        window = levels[max(end - 5, 0) : end]
        found = classes.loudness_gain(lambda start, n: wave[start : start + n], end * RATE)
        assert found == pytest.approx(window[-1] / np.mean(window), rel=1e-5)
    assert classes.loudness_gain(lambda start, n: wave[start : start + n], RATE // 2) == 1.0
    assert classes.loudness_gain(lambda start, n: None, 9 * RATE) == 1.0
    assert classes.loudness_gain(lambda start, n: np.zeros(n, np.float32), 9 * RATE) == 1.0


def test_on_stage_one_text_is_encoded_a_frame_and_in_a_render_all() -> None:
    staged, rendered = speaker(), speaker()
    for frame in range(3):
        assert staged.voice is None, frame
        staged.prepare(whole=False)
    rendered.prepare(whole=True)
    assert staged.voice is not None and rendered.voice is not None
    assert staged.voice.says == rendered.voice.says and "no weights" in staged.voice.says


def test_it_says_what_is_likeliest_and_mixes_the_rows() -> None:
    one = speaker()
    one.prepare(whole=True)
    assert one.called == "TPoS classes"
    sure = heard(7, fire=0.0, crackle=0.0, rain=1.0, drums=0.0)
    (segment,) = one.until(7, lambda sample: sure)
    assert one.called == "TPoS classes: rain" and segment.sample == 7 and segment.gain == 1.0
    assert np.abs(segment.vector.reshape(2, 3) - rows("rain")).max() <= 1e-5
    assert one.until(9, lambda sample: None) == [segment], "ears that skip a beat forget nothing"


def test_slerp_goes_from_place_to_place_and_each_is_listened_to_once() -> None:
    asked: list[int] = []

    def hear(sample: int) -> Heard | None:
        asked.append(sample)
        cosine = float(np.sin(sample))
        return heard(sample, fire=cosine, crackle=0.0, rain=-cosine, drums=0.0) if sample else None

    one = speaker(np.random.default_rng(0).standard_normal(9 * RATE).astype(np.float32))
    one.prepare(whole=True)
    assert one.voice is not None
    segments = {at: one._segment(hear(at * RATE)) for at in (1, 2, 3)}  # type: ignore[arg-type]
    asked.clear()
    for sample in range(0, 3 * RATE, 7_000):
        how = Settings(amount=0.5, k=0.7)
        tokens = ahead(one, one.voice, sample, hear, how)
        assert tokens is not None and tokens.amount == 0.5
        if sample >= RATE:
            start, end = segments[sample // RATE], segments[sample // RATE + 1]
            assert start is not None and end is not None
            ends = [(given.gain**0.7 * given.vector).reshape(2, 3) for given in (start, end)]
            expected = sphere.slerp(*(end.astype(np.float32) for end in ends), sample % RATE / RATE)
            assert np.abs(tokens.rows - expected).max() <= 1e-6
    assert sorted(asked) == [0, RATE, 2 * RATE, 3 * RATE]
