from __future__ import annotations

import pytest

from livevis.core.catalogue import CATALOGUE
from livevis.core.params import Registry
from livevis.core.types import Attention, Controls, Nag
from livevis.methods.attention import unread, windows
from livevis.methods.words import condition


def test_the_defaults_play_plain_attention() -> None:
    asked = condition(Registry(CATALOGUE).base())
    assert asked.attention == Attention() and asked.nag == Nag()
    assert not asked.edits.attention.heard and asked.edits.audio.scale == 0.0 and asked.tokens is None


@pytest.mark.parametrize(
    ("listed", "read"),
    [
        ("", ()),
        ("1", (("", 0, 1),)),
        ("2-4", (("", 1, 4),)),
        ("fire: 1, ocean waves:2 - 3", (("fire", 0, 1), ("ocean waves", 1, 3))),
    ],
)
def test_steps_are_counted_from_one_and_both_ends_are_in(listed: str, read: tuple[tuple[str, int, int], ...]) -> None:
    assert windows(listed) == read and unread(listed) == ()


def test_what_is_no_step_is_named() -> None:
    assert windows("fire, 0, 3-2, rain: 2") == (("rain", 1, 2),)
    assert unread("fire, 0, 3-2, rain: 2") == ("fire", "0", "3-2")


def test_what_is_no_step_reaches_the_generator_and_words_of_resting_prompts_do_not() -> None:
    asked = {
        "prompt/text_1": "a red city",
        "prompt/text_2": "black waves",
        "attention/steps": "waves: 1, city: 2, never, 3",
    }
    controls = Controls(1, {**Registry(CATALOGUE).base().values, **asked})
    how = condition(controls).attention
    assert how.unread == ("never",) and how.windows == (("city", 1, 2), ("", 2, 3))
