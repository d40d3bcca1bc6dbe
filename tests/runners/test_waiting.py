from __future__ import annotations

import threading
from typing import Any

import pytest

from livevis.runners.waiting import Waiting

NETWORKS: dict[str, Any] = {"pair": object(), "nag": object()}


def test_offline_it_is_there_at_the_first_question_and_opened_once() -> None:
    opened: list[Any] = []
    waiting = Waiting(NETWORKS, lambda network: opened.append(network) or network, at_once=True)
    assert waiting.get("pair") is waiting.get("pair") is NETWORKS["pair"]
    assert opened == [NETWORKS["pair"]] and waiting.notice == ""


def test_offline_what_cannot_be_opened_raises() -> None:
    def fail(network: Any) -> Any:
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        Waiting(NETWORKS, fail, at_once=True).get("pair")


def test_on_stage_a_frame_never_waits_and_what_is_missing_is_said() -> None:
    go, came = threading.Event(), threading.Event()

    def slowly(network: Any) -> Any:
        go.wait(10)
        came.set()
        return network

    waiting = Waiting(NETWORKS, slowly, at_once=False)
    assert waiting.notice == ""
    assert waiting.get("pair") is None and waiting.get("pair") is None
    assert waiting.notice == "pair: being prepared"
    go.set()
    assert came.wait(10)
    for thread in threading.enumerate():
        if thread.name == "livevis-open-pair":
            thread.join(10)
    assert waiting.get("pair") is NETWORKS["pair"] and waiting.notice == ""


def test_on_stage_what_cannot_be_opened_is_said_and_not_tried_again() -> None:
    tried: list[Any] = []

    def fail(network: Any) -> Any:
        tried.append(network)
        raise RuntimeError("no\nroom")

    waiting = Waiting(NETWORKS, fail, at_once=False)
    waiting.get("nag")
    for thread in threading.enumerate():
        if thread.name == "livevis-open-nag":
            thread.join(10)
    assert waiting.get("nag") is None and len(tried) == 1
    assert waiting.notice == "nag cannot be played: RuntimeError: no room"
