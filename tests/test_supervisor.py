"""A real generator process on a tiny checkpoint: killed, stopped, broken, it comes back with the state of play."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livevis.core.clock import WallClock
from livevis.core.exchange import SampleRing
from livevis.core.features import INDEX
from livevis.core.params import Change
from livevis.core.places import assets
from livevis.core.types import Cue, Frame, silent_features
from livevis.embed.tpos import folder
from livevis.embed.tpos.network import build
from livevis.embed.tpos.shape import TPOS_SHAPES
from livevis.generate.engine import Engine
from livevis.methods.speaking import AHEAD
from livevis.show import Show
from livevis.supervisor import GeneratorSupervisor
from livevis.world.sounds import synthesise
from tests.checkpoints import tiny_engine
from tests.hub import cache

CLAP = assets("engines") / "pocket" / "clap"
SOUNDING = silent_features().values.copy()
SOUNDING[INDEX["silence"]] = 0.0


class Stage:
    """Cues a supervisor as the display loop does."""

    def __init__(self, engine: str, **listening: str) -> None:
        self.clock = WallClock()
        self.show = Show(preset="hearth", settings={})
        self.supervisor = GeneratorSupervisor(
            engine=engine, runner="torch", size=64, seed=1, clock=self.clock, **listening
        )
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
            self.show.tend(self.clock.now())
            heard = replace(silent_features(), sample=self._frame * 1600, values=SOUNDING)
            self.supervisor.cue(Cue(self._frame, heard.sample, self.clock.now(), self.show.controls(), heard))
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


def test_the_generator_listens_and_says_what_it_hears(tmp_path: Path) -> None:
    ring = SampleRing.create()
    ring.write(synthesise("fire", seed=77, seconds=4, intensity=0.8))
    stage = Stage(str(tiny_engine(tmp_path / "engine").folder), sound=ring.name, clap=str(CLAP))
    stage.supervisor.start()
    try:
        stage.until(lambda: len(stage.frames) >= 1)
        assert stage.supervisor.heard == (), "nobody asked"
        stage.show.registry.post([Change("aadiff/amount", 1.0)])
        stage.until(lambda: stage.supervisor.heard == ("fire",))
        assert stage.supervisor.notice == "" and stage.supervisor.restarts == 0
    finally:
        stage.supervisor.stop()
        ring.close()


def test_a_bank_alone_is_listened_for_with_a_model_of_the_hub_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    cache(tmp_path / "home", "somebody/ears", CLAP)
    ring = SampleRing.create()
    ring.write(synthesise("fire", seed=77, seconds=4, intensity=0.8))
    stage = Stage(str(tiny_engine(tmp_path / "engine").folder), sound=ring.name, clap="somebody/ears")
    stage.show.registry.post([Change("heard/bank", "rain, fire")])
    supervisor = stage.supervisor
    supervisor.start()
    try:
        stage.until(lambda: supervisor.recognition is not None)
        found = supervisor.recognition
        assert found is not None and found.probabilities[1] > 0.5 and sum(found.probabilities) == pytest.approx(1.0)
        assert 0 <= found.age_s(ring.written) < 0.5 and found.window_s == 2.5
        stage.until(lambda: supervisor.heard == ("fire",))
        stage.show.registry.post([Change("heard/bank", "")])
        stage.until(lambda: supervisor.recognition is None)
        assert supervisor.heard == () and supervisor.notice == ""
        stage.show.registry.post([Change("heard/bank", "wind, fire, rain")])
        stage.until(lambda: supervisor.recognition is not None and len(supervisor.recognition.probabilities) == 3)
        os.kill(supervisor.pid, signal.SIGKILL)
        stage.until(lambda: supervisor.restarts == 1)
        assert supervisor.recognition is None
    finally:
        supervisor.stop()
        ring.close()


@pytest.fixture
def ring() -> Iterator[SampleRing]:
    """Four seconds of fire."""
    ring = SampleRing.create()
    ring.write(synthesise("fire", seed=77, seconds=4, intensity=0.8))
    yield ring
    ring.close()


@contextmanager
def playing(engine: Engine, **listening: str) -> Iterator[Stage]:
    stage = Stage(str(engine.folder), **listening)
    stage.supervisor.start()
    try:
        yield stage
    finally:
        stage.supervisor.stop()


def test_tpos_says_that_classes_speak_and_a_named_voice_never_falls_back(tmp_path: Path, ring: SampleRing) -> None:
    with playing(tiny_engine(tmp_path / "engine"), sound=ring.name, clap=str(CLAP)) as stage:
        stage.show.registry.post([Change("tpos/amount", 1.0)])
        stage.until(lambda: stage.supervisor.heard == ("TPoS classes: fire",))
        assert "livevis train tpos" in stage.supervisor.notice
        stage.show.registry.post([Change("tpos/voice", "trained")])
        stage.until(lambda: stage.supervisor.heard == () and "livevis train tpos" in stage.supervisor.notice)
        assert stage.supervisor.restarts == 0


def test_tpos_speaks_from_the_engine_s_folder_and_will_not_look_ahead(tmp_path: Path, ring: SampleRing) -> None:
    engine = tiny_engine(tmp_path / "engine")
    shape = replace(TPOS_SHAPES["tiny"], tokens=engine.tokens, text_width=engine.text_width)
    folder.save(build(shape, seed=1), engine.folder / "tpos", text=folder.text_digest(engine.folder))
    with playing(engine, sound=ring.name) as stage:
        stage.show.registry.post([Change("tpos/amount", 1.0)])
        stage.until(lambda: stage.supervisor.heard == ("TPoS trained",))
        assert stage.supervisor.notice == ""
        stage.show.registry.post([Change("tpos/path", "slerp")])
        stage.until(lambda: stage.supervisor.notice == AHEAD)
        made = len(stage.frames)
        stage.until(lambda: len(stage.frames) > made + 2)
        assert stage.supervisor.restarts == 0


def test_without_a_listener_the_picture_goes_on_and_one_line_says_so(stage: Stage) -> None:
    stage.show.registry.post([Change("aadiff/amount", 1.0)])
    stage.until(lambda: stage.supervisor.notice != "")
    assert "no CLAP in" in stage.supervisor.notice and "\n" not in stage.supervisor.notice
    made = len(stage.frames)
    stage.until(lambda: len(stage.frames) > made + 2)
    stage.show.registry.post([Change("aadiff/amount", 0.0)])
    stage.until(lambda: stage.supervisor.notice == "")
    assert stage.supervisor.restarts == 0


def test_an_engine_that_cannot_load_is_reported_and_retried_with_back_off(tmp_path: Path) -> None:
    stage = Stage(str(tmp_path / "nothing-here"))
    stage.supervisor.start()
    try:
        stage.until(lambda: stage.supervisor.restarts >= 2)
        assert "nothing-here" in stage.supervisor.detail
        assert stage.frames == []
    finally:
        stage.supervisor.stop()
