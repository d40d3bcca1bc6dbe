"""A real generator process on a tiny checkpoint: killed, stopped, broken, it comes back with the state of play."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from livevis.core.clock import WallClock
from livevis.core.types import Cue, Frame
from livevis.show import Show
from livevis.supervisor import GeneratorSupervisor
from tests.checkpoints import tiny_engine


class Stage:
    """Cues a supervisor as the display loop does."""

    def __init__(self, engine: str) -> None:
        self.clock = WallClock()
        self.show = Show(preset="hearth", settings={})
        self.supervisor = GeneratorSupervisor(engine=engine, runner="torch", size=64, seed=1, clock=self.clock)
        self.frames: list[Frame] = []
        self._frame = 0
        self._picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)

    def until(self, done: Callable[[], bool], seconds: float = 90.0) -> None:
        began_s = self.clock.now()
        while not done():
            assert self.clock.now() - began_s < seconds, self.supervisor.report()
            self.supervisor.tend()
            if self.supervisor.wants_init:
                self.supervisor.give_init(self._picture, self._frame * 1600)
            self.supervisor.cue(Cue(self._frame, self._frame * 1600, self.clock.now(), self.show.controls()))
            self._frame += 1
            if (frame := self.supervisor.newest()) is not None:
                self.frames.append(frame)
            time.sleep(0.01)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(str(tiny_engine(tmp_path / "engine").folder))
    stage.supervisor.start()
    yield stage
    stage.supervisor.stop()


def test_killed_and_hung_generators_come_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.until(lambda: len(stage.frames) >= 3)
    first_pid = stage.supervisor.pid
    os.kill(first_pid, signal.SIGKILL)
    stage.until(lambda: stage.supervisor.restarts == 1)
    last = stage.frames[-1]
    stage.until(lambda: stage.frames[-1].id > last.id)
    assert stage.supervisor.pid != first_pid
    assert [frame.id for frame in stage.frames] == sorted({frame.id for frame in stage.frames})

    monkeypatch.setattr("livevis.supervisor._STUCK_S", 1.0)
    hung = stage.supervisor.pid
    os.kill(hung, signal.SIGSTOP)
    stage.until(lambda: stage.supervisor.restarts == 2)
    monkeypatch.undo()
    last = stage.frames[-1]
    stage.until(lambda: stage.frames[-1].id > last.id)
    stage.until(lambda: not Path(f"/proc/{hung}").exists())


def test_frames_say_what_they_obeyed(stage: Stage) -> None:
    stage.until(lambda: len(stage.frames) >= 2)
    frame = stage.frames[-1]
    assert frame.image.shape == (64, 64, 3)
    assert frame.controls_version == stage.show.controls().version
    assert frame.sample > 0
    assert 0 < frame.done_s - frame.started_s < 60


def test_an_engine_that_cannot_load_is_reported_and_retried_with_back_off(tmp_path: Path) -> None:
    stage = Stage(str(tmp_path / "nothing-here"))
    stage.supervisor.start()
    try:
        stage.until(lambda: stage.supervisor.restarts >= 2)
        assert "nothing-here" in stage.supervisor.detail
        assert stage.frames == []
    finally:
        stage.supervisor.stop()
