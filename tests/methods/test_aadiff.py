"""AADiff as a method: gains from hand-made hearings, added to the performer's own, and nothing at all in silence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from livevis.core.features import FEATURES, INDEX, SAMPLE_RATE_HZ
from livevis.core.types import AudioEmbedding, AudioFeatures, Conditioning, Heard
from livevis.methods import aadiff
from livevis.methods.aadiff import AadiffState, Settings, read_settings
from livevis.show import Show

EVERY_S = 1 / 3
ASKED = Conditioning((("a raging fire beside heavy rain", 1.0),), word_gains=(("fire", 1.5),))
SETTINGS = Settings(
    amount=1.0, gain=3.0, words=1, form="window", window_s=2.5, hysteresis=0.05, crossfade_s=0.3, listen_s=2.5, bank=""
)
BLANK = np.zeros(1, np.float32)


def features(time_s: float, total: float, *, silent: bool = False) -> AudioFeatures:
    values = np.zeros(len(FEATURES))
    values[INDEX["rms.time"]], values[INDEX["silence"]] = total, silent
    return AudioFeatures(round(time_s * SAMPLE_RATE_HZ), values, BLANK, BLANK)


def heard(time_s: float, scores: Mapping[str, float]) -> Heard:
    return Heard(AudioEmbedding(round(time_s * SAMPLE_RATE_HZ), BLANK, "hand-made", 2.5), scores)


def total(t: float) -> float:
    """Integral of 0.1 (1.2 - cos(2 pi t / 6))."""
    return 0.1 * (1.2 * t - 6 / math.tau * math.sin(math.tau * t / 6))


def named(t: float) -> Mapping[str, float]:
    """Fire until 5 s, then rain."""
    return {"fire": 0.7, "rain": 0.1} if t < 5 else {"fire": 0.1, "rain": 0.7}


def play(
    seconds: float,
    *,
    fps: float = 30.0,
    settings: Settings = SETTINGS,
    asked: Conditioning = ASKED,
    quiet: bool = False,
) -> list[tuple[AadiffState, Conditioning]]:
    """A swelling sound that is fire, then rain, listened to three times a second."""
    state, out = aadiff.init(), []
    for k in range(round(seconds * fps) + 1):
        t = k / fps
        at = math.floor(t / EVERY_S + 1e-9) * EVERY_S
        sound = features(t, 0.0 if quiet else total(t), silent=quiet)
        state, made = aadiff.step(state, sound, heard(at, named(at)) if at else None, settings, asked)
        out.append((state, made))
    return out


def gain(made: Conditioning, word: str) -> float:
    """What the generator makes of a word that is asked for several times: each ask adds to 1."""
    return 1.0 + sum(gain - 1.0 for name, gain in made.word_gains if name == word)


def test_the_heard_word_is_lifted_beside_what_the_performer_asked() -> None:
    played = play(9)
    state, made = played[4 * 30]
    assert state.chosen == ("fire",) and made.word_gains[0] == ("fire", 1.5) and made.prompts == ASKED.prompts
    loud = aadiff.magnitude.level(state.magnitude)
    assert 0.5 < loud <= 1 and gain(made, "fire") == pytest.approx(1.5 + 2.0 * loud) and gain(made, "rain") == 1.0
    state, made = played[-1]
    assert state.chosen == ("rain",) and gain(made, "fire") == 1.5 and gain(made, "rain") > 1.0
    assert max(gain(made, "fire") for _, made in played) <= 1.5 + 2.0 + 1e-9


def test_a_switch_is_cross_faded_in_seconds() -> None:
    after = [state.weights for state, _ in play(6) if 5.0 < (state.magnitude.time_s or 0) < 5.28]
    assert all(0 < weights["fire"] < 1 and sum(weights.values()) == pytest.approx(1.0) for weights in after)
    assert [weights["rain"] for weights in after] == pytest.approx([k / 9 for k in range(1, len(after) + 1)], abs=1e-6)
    assert play(6)[-1][0].weights == {"rain": 1.0}


def test_amount_0_and_silence_are_what_was_asked() -> None:
    assert all(made is ASKED for _, made in play(6, settings=replace(SETTINGS, amount=0.0)))
    assert all(made is ASKED for _, made in play(6, quiet=True))
    assert all(made is ASKED for _, made in play(6, settings=replace(SETTINGS, gain=1.0)))
    assert any(made is not ASKED for _, made in play(6))


def test_silence_after_sound_comes_to_exactly_nothing_and_keeps_the_word() -> None:
    state = play(4)[-1][0]
    for k in range(1, 30 * 30):
        sound = features(4 + k / 30, total(4), silent=True)
        state, made = aadiff.step(state, sound, heard(4 + k / 30, {"fire": 0.0, "rain": 0.3}), SETTINGS, ASKED)
    assert made is ASKED and state.chosen == ("fire",)


@pytest.mark.parametrize("form", ["window", "ema", "follower"])
def test_gains_do_not_depend_on_the_frame_rate(form: aadiff.Form) -> None:
    settings = replace(SETTINGS, form=form)
    curves = {fps: play(12, fps=fps, settings=settings)[:: round(fps / 15)] for fps in (15.0, 30.0, 60.0)}
    for fps in (15.0, 30.0):
        for (state, ours), (_, finest) in zip(curves[fps], curves[60.0], strict=True):
            if (state.magnitude.time_s or 0) > 1:
                for word in ("fire", "rain"):
                    assert gain(ours, word) == pytest.approx(gain(finest, word), rel=0.02)


CALLED = Conditioning((("a calm ocean", 1.0), ("a fire at night", 0.01), ("rain over hills", 0.01)))


def shares(made: Conditioning) -> dict[str, float]:
    whole = sum(weight for _, weight in made.prompts)
    return {text: weight / whole for text, weight in made.prompts}


def test_the_prompt_of_what_is_heard_takes_over_and_changes_with_it() -> None:
    played = play(9, settings=replace(SETTINGS, takeover=1.0), asked=CALLED)
    assert shares(played[4 * 30][1])["a fire at night"] > 0.95
    assert shares(played[-1][1])["rain over hills"] > 0.95
    half = play(9, settings=replace(SETTINGS, takeover=0.5), asked=CALLED)[4 * 30][1]
    assert shares(half)["a fire at night"] == pytest.approx(0.5, abs=0.02)
    assert play(9, settings=replace(SETTINGS, amount=0.0, takeover=1.0), asked=CALLED)[-1][1] is CALLED


def test_a_takeover_ends_in_silence_exactly() -> None:
    settings = replace(SETTINGS, takeover=1.0)
    state = play(4, settings=settings, asked=CALLED)[-1][0]
    made = CALLED
    for k in range(1, 30 * 30):
        sound = features(4 + k / 30, total(4), silent=True)
        state, made = aadiff.step(state, sound, None, settings, CALLED)
    assert made is CALLED
    assert all(made is CALLED for _, made in play(6, quiet=True, settings=settings, asked=CALLED))


def test_the_fuller_the_later_a_takeover_is_whole() -> None:
    depths = [
        [
            shares(made)["a fire at night"]
            for _, made in play(4.9, settings=replace(SETTINGS, takeover=1.0, full=full), asked=CALLED)[90:]
        ]
        for full in (0.3, 1.0)
    ]
    assert all(early >= late - 1e-9 for early, late in zip(*depths, strict=True))
    assert min(depths[1]) < min(depths[0])


def test_two_words_at_once() -> None:
    state, made = play(4, settings=replace(SETTINGS, words=2))[-1]
    assert state.chosen == ("fire", "rain") and gain(made, "rain") == gain(made, "fire") - 0.5 > 1.0


def test_what_sounds_together_is_lifted_though_each_alone_is_called_something_else() -> None:
    """A mixture of fire and wind lies nearer to rain's name than to wind's, and nearest to both names at once."""
    settings, asked = replace(SETTINGS, words=2), Conditioning((("fire, rain, wind", 1.0),))
    scores = {"fire": 0.5, "rain": 0.4, "wind": 0.3, "fire + rain": 0.5, "fire + wind": 0.7, "rain + wind": 0.4}
    state = aadiff.init()
    assert set(aadiff.phrases(state, asked, settings)) == set(scores)
    assert set(aadiff.phrases(state, asked, SETTINGS)) == {"fire", "rain", "wind"}
    for k in range(60):
        sound = features(k / 30, total(k / 30))
        state, made = aadiff.step(state, sound, heard(k / 30, scores), settings, asked)
    assert state.chosen == ("fire", "wind") and {word for word, _ in made.word_gains} == {"fire", "wind"}


def test_something_else_is_heard_and_lifts_nothing() -> None:
    state, settings = aadiff.init(), replace(SETTINGS, bank="applause")
    for k in range(120):
        sound = features(k / 30, total(k / 30))
        scores = {"fire": 0.4, "rain": 0.1, "applause": 0.8}
        state, made = aadiff.step(state, sound, heard(k / 30, scores), settings, ASKED)
    assert state.chosen == ("applause",) and made is ASKED


def test_a_word_that_left_the_prompt_is_no_longer_asked_for() -> None:
    state = play(4)[-1][0]
    other = Conditioning((("heavy rain", 1.0), ("fire", 0.0)))
    now, made = aadiff.step(state, features(4.04, total(4.04)), heard(4, {"rain": 0.2}), SETTINGS, other)
    assert now.chosen == ("rain",) and {word for word, _ in made.word_gains} == {"rain"}


def test_settings_are_the_catalogue_s() -> None:
    show = Show(preset="hearth", settings={"aadiff/amount": "0.5", "aadiff/form": "ema", "aadiff/words": "2"})
    settings = read_settings(show.controls())
    assert (settings.amount, settings.form, settings.words, settings.window_s) == (0.5, "ema", 2, 2.5)
