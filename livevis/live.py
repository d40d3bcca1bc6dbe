"""The live show: one display frame after another, from the newest sound, controls and generated picture."""

from __future__ import annotations

import argparse
import gc
import signal
import sys

from livevis.core.clock import WallClock
from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.params import Change
from livevis.core.types import AudioFeatures, Controls, Cue, Frame
from livevis.desk import Desk
from livevis.guard import Guard
from livevis.init_picture import InitPictures
from livevis.measures import Measures
from livevis.report import Report
from livevis.rig import WINDOW_FPS, Closers, Rig, open_rig
from livevis.show import Show, overrides

_DOWN_PATIENCE_S = 3.0
_COLLECT_EVERY = 600
_SWITCH_S = 5e-4
"""Drawing keeps the interpreter busy; with the default of 5 ms a hop of 5.3 ms would wait as long as it lasts."""


class Live:
    """[main] One live run over an open rig."""

    def __init__(self, rig: Rig, measures: Measures, clock: WallClock, *, seconds: float | None) -> None:
        self.rig, self.measures = rig, measures
        self._clock, self._seconds = clock, seconds
        measures.interval_s = 0.0 if rig.fps >= WINDOW_FPS else 1 / rig.fps  # a window is paced by its monitor
        self._guard = Guard()
        self._desk = Desk(rig)
        self._inits = InitPictures(rig.compositor, rig.supervisor.size if rig.supervisor else 64)
        self.report = Report(rig, measures, self._guard, clock, notices=(self._desk, self._inits, rig.show))
        self._going = True
        self._frame = 0
        self._recorded = 0
        self._controls = rig.show.controls()
        self._picture: Frame | None = None
        self._lost_s: float | None = None
        rig.hearing.event = measures.onset

    def stop(self, *_: object) -> None:
        """End the run after this frame."""
        self._going = False

    def run(self) -> None:
        """Play until the window closes, the time is up or somebody stops it."""
        gc.collect()
        gc.freeze()
        gc.disable()  # an automatic collection would hold the interpreter while sound arrives
        sys.setswitchinterval(_SWITCH_S)
        begin_s = next_s = self._clock.now()
        self._recorded = self.rig.ring.written
        while self._going and not self.rig.surface.should_close():
            now_s = self._clock.now()
            if self._seconds and now_s - begin_s >= self._seconds:
                break
            self._draw(now_s - begin_s)
            if self._frame % _COLLECT_EVERY == 0:
                gc.collect()
            next_s = max(next_s + 1 / self.rig.fps, self._clock.now())
            self._clock.sleep_until(next_s)

    def _draw(self, time_s: float) -> None:
        rig, guard = self.rig, self._guard
        guard("desk", lambda: self._desk.obey(rig.show.tend(time_s)), None)
        self._controls = controls = guard("routes", rig.show.controls, self._controls)
        features = rig.hearing.latest
        generated = guard("generator", lambda: self._generated(controls, features, time_s), self._picture)
        guard("stage", lambda: self._compose(controls, features, generated, time_s), None)
        self._frame += 1
        guard.armed = True
        heard = generated.sample if generated else None
        self.measures.shown(features.sample, heard, generated.controls_version if generated else -1)
        if guard("keys", lambda: self._desk.press(rig.surface.events()), False):
            self.stop()
        if rig.osc is not None:
            osc = rig.osc
            guard("osc", lambda: osc.publish(features, self.report.numbers(self._frame), self._clock.now()), None)
        guard("recording", lambda: self._record(time_s), None)
        self.report.say()

    def _compose(self, controls: Controls, features: AudioFeatures, generated: Frame | None, time_s: float) -> None:
        surface = self.rig.surface
        target = surface.begin()
        self.rig.compositor.draw(
            target,
            picture=generated.image if generated else None,
            picture_id=generated.id if generated else 0,
            features=features,
            controls=controls,
            time_s=time_s,
            frame=self._frame,
        )
        if controls["output/hud"]:
            self.rig.hud.draw(target, self.report.hud())
        surface.present()

    def _generated(self, controls: Controls, features: AudioFeatures, time_s: float) -> Frame | None:
        """Cue the generator, return its newest frame; None once it has been away long and the scene plays alone."""
        supervisor = self.rig.supervisor
        if supervisor is None:
            return None
        supervisor.tend()
        self.measures.cued(controls.version)
        if supervisor.wants_init:
            picture = self._inits.draw(controls, features, time_s=time_s, frame=self._frame)
            supervisor.give_init(picture, features.sample)
        supervisor.cue(Cue(self._frame, features.sample, time_s, controls, features))
        newest = supervisor.newest()
        if newest is not None:
            self._picture = newest
            self.measures.generated(newest)
        return self._picture if self._away_s(supervisor.state == "playing") < _DOWN_PATIENCE_S else None

    def _away_s(self, playing: bool) -> float:
        now_s = self._clock.now()
        if playing:
            self._lost_s = None
        elif self._lost_s is None:
            self._lost_s = now_s
        return 0.0 if self._lost_s is None else now_s - self._lost_s

    def _record(self, time_s: float) -> None:
        rig = self.rig
        if rig.recorder is None:
            return
        rig.recorder.picture(rig.surface.read(), time_s)
        until, start = rig.ring.written, max(self._recorded, rig.ring.oldest)
        samples = rig.ring.read(start, until - start) if until > start else None
        if samples is not None:
            rig.recorder.sound(samples, start / SAMPLE_RATE_HZ)
        self._recorded = until


def run(options: argparse.Namespace) -> int:
    """Play live with the flags of `livevis run`; returns the exit code."""
    _check_outputs(options)
    clock = WallClock()
    measures = Measures(clock)
    show = Show(preset=options.preset, settings=overrides(options.set))
    show.registry.post([Change("output/monitor", options.monitor), Change("output/fullscreen", options.fullscreen)])
    closers = Closers()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the show runs, to end means to close what is open
    try:
        rig = open_rig(options, show, clock, closers)
        live = Live(rig, measures, clock, seconds=options.seconds)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, live.stop)
        print(live.report.opening(options), flush=True)
        live.run()
        live.report.leave_behind(stats=options.stats, screenshot=options.screenshot)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a close that hangs can be interrupted
        closers.close()
    return 0


def _check_outputs(options: argparse.Namespace) -> None:
    for path in (options.stats, options.screenshot, options.record):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"cannot write {path}: there is no folder {path.parent}")
