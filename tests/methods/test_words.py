"""What the performer typed is what is asked for."""

from __future__ import annotations

from livevis.methods.words import condition
from tests.checkpoints import controls


def test_prompts_without_text_or_weight_are_left_out() -> None:
    asked = condition(
        controls(prompt__text_1=" red city ", prompt__text_2="neon", prompt__text_3="  ", prompt__weight_3=1.0)
    )
    assert asked.prompts == (("red city", 1.0),)
    assert condition(controls(prompt__text_4="neon", prompt__weight_4=0.25)).prompts[-1] == ("neon", 0.25)


def test_several_words_share_the_gain() -> None:
    asked = condition(
        controls(attention__word="aurora, black waves ,,", attention__gain=2.5, prompt__negative=" grey ")
    )
    assert asked.word_gains == (("aurora", 2.5), ("black waves", 2.5)) and asked.negative == "grey"


def test_no_word_no_gain() -> None:
    assert condition(controls(attention__word="", attention__gain=3.0)).word_gains == ()


def test_a_word_of_a_prompt_at_rest_waits_with_it() -> None:
    look = {
        "prompt__text_1": "violet nebula",
        "prompt__text_2": "clouds of gas",
        "attention__word": "nebula, clouds, sea",
    }
    assert [word for word, _ in condition(controls(**look)).word_gains] == ["nebula", "sea"]
    playing = condition(controls(**look, prompt__weight_2=0.1))
    assert [word for word, _ in playing.word_gains] == ["nebula", "clouds", "sea"]
