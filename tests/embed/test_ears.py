"""Who listens when: fixed places offline; live a thread that rests, never blocks, and says what is wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from livevis.core.errors import EngineError
from livevis.core.types import AudioEmbedding
from livevis.embed.ears import EVERY, LiveEars, SteppedEars, due


class Counting:
    """An embedder that keeps books instead of listening."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, float | None]] = []
        self.logit_scale = 14.0
        self.gate = threading.Event()
        self.gate.set()

    def sound(self, read: Any) -> Any:
        return read

    def embed(self, sound: Any, sample: int, *, span_s: float | None = None) -> AudioEmbedding | None:
        assert self.gate.wait(20)
        self.asked.append((sample, span_s))
        return AudioEmbedding(sample, np.ones(1, np.float32), "counting", span_s or 0.0) if sample else None

    def scores(self, embedding: AudioEmbedding, phrases: Iterable[str]) -> dict[str, float]:
        return {phrase: len(phrase) / 10 for phrase in phrases}


def until(done: Callable[[], object]) -> None:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < 20
        time.sleep(0.002)


def test_offline_the_places_do_not_depend_on_who_asks_when() -> None:
    for step in (401, 1_600, 7_000):
        embedder = Counting()
        ears = SteppedEars(lambda embedder=embedder: embedder, lambda start, n: None)  # type: ignore[arg-type,return-value,misc]
        heard = [ears.hear(sample, ("rain",), 2.5) for sample in range(0, 5 * EVERY, step)]
        assert [sample for sample, _ in embedder.asked] == [k * EVERY for k in range(5)]
        assert all(one is None or one.embedding.sample <= k * step for k, one in enumerate(heard))
        assert heard[0] is None and heard[-1] is not None and heard[-1].scores == {"rain": 0.4}
        assert heard[-1].logit_scale == 14.0


def test_offline_what_is_wrong_is_raised_at_the_first_question() -> None:
    def broken() -> Any:
        raise EngineError("no CLAP")

    ears = SteppedEars(broken, lambda start, n: None)
    with pytest.raises(EngineError, match="no CLAP"):
        ears.hear(0, (), 2.5)


def test_live_a_question_never_waits_and_the_newest_wins() -> None:
    embedder, newest = Counting(), [EVERY + 5]
    ears = LiveEars(lambda: embedder, lambda start, n: None, lambda: newest[0])  # type: ignore[arg-type,return-value]
    embedder.gate.clear()
    began = time.monotonic()
    assert all(ears.hear(0, ("rain",), 2.5) is None for _ in range(100))
    assert time.monotonic() - began < 5, "the embedder still waits at its gate"
    embedder.gate.set()
    until(lambda: ears.hear(0, ("rain",), 2.5))
    newest[0] = 9 * EVERY + 1
    until(lambda: ears.hear(0, ("rain",), 2.5).embedding.sample == 9 * EVERY)  # type: ignore[union-attr]
    until(lambda: "fire" in ears.hear(0, ("rain", "fire"), 2.5).scores)  # type: ignore[union-attr]
    assert [sample for sample, _ in embedder.asked] == [EVERY, 9 * EVERY], "nothing is heard twice"
    assert ears.notice == ""


def test_live_it_rests_while_nobody_asks() -> None:
    embedder, newest = Counting(), [EVERY]
    ears = LiveEars(lambda: embedder, lambda start, n: None, lambda: newest[0])  # type: ignore[arg-type,return-value]
    until(lambda: ears.hear(0, ("rain",), 2.5))
    time.sleep(0.05)
    for k in range(2, 12):
        newest[0] = k * EVERY
        time.sleep(0.02)
    assert len(embedder.asked) <= 2


def test_live_what_is_wrong_is_said_and_nothing_is_raised() -> None:
    def broken() -> Any:
        raise EngineError("no CLAP in here")

    ears = LiveEars(broken, lambda start, n: None, lambda: EVERY)
    assert ears.hear(0, ("rain",), 2.5) is None
    until(lambda: ears.notice)
    assert ears.notice == "no CLAP in here" and ears.hear(0, ("rain",), 2.5) is None


def test_live_opening_gives_notice_and_the_picture_need_not_wait() -> None:
    gate, embedder = threading.Event(), Counting()

    def slow() -> Any:
        ears.say("fetching somebody/ears from the hub ...")
        assert gate.wait(20)
        return embedder

    ears = LiveEars(slow, lambda start, n: None, lambda: EVERY)
    assert ears.hear(0, ("rain",), 2.5) is None
    until(lambda: ears.notice)
    assert ears.notice.startswith("fetching somebody/ears") and ears.hear(0, ("rain",), 2.5) is None
    gate.set()
    until(lambda: ears.hear(0, ("rain",), 2.5))
    assert ears.notice == ""


def test_live_what_was_heard_long_ago_is_not_what_is_heard_now() -> None:
    embedder, newest = Counting(), [EVERY]
    ears = LiveEars(lambda: embedder, lambda start, n: None, lambda: newest[0])  # type: ignore[arg-type,return-value]
    until(lambda: ears.hear(0, ("rain",), 2.5))
    time.sleep(0.05)  # the last question is answered, and the thread rests
    embedder.gate.clear()
    newest[0] = 60 * EVERY
    assert ears.hear(0, ("rain",), 2.5) is None
    embedder.gate.set()
    until(lambda: (now := ears.hear(0, ("rain",), 2.5)) is not None and now.embedding.sample == 60 * EVERY)


def test_live_a_listener_that_fails_is_heard_no_more() -> None:
    embedder, newest = Counting(), [EVERY]
    ears = LiveEars(lambda: embedder, lambda start, n: None, lambda: newest[0])  # type: ignore[arg-type,return-value]
    until(lambda: ears.hear(0, ("rain",), 2.5))
    embedder.scores = lambda embedding, phrases: 1 / 0  # type: ignore[assignment,method-assign]
    newest[0] = 2 * EVERY
    until(lambda: ears.hear(0, ("rain",), 2.5) is None)
    assert ears.notice.startswith("nothing is heard: ZeroDivisionError")


def test_due_is_at_or_before() -> None:
    assert [due(sample) for sample in (0, EVERY - 1, EVERY, 2 * EVERY + 3)] == [0, 0, EVERY, 2 * EVERY]
