"""Everything a live show is made of, opened in one place and closed in reverse order."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from livevis.core.clock import Clock
from livevis.core.errors import ConfigError, DeviceError
from livevis.core.exchange import SampleRing
from livevis.core.machine import cores
from livevis.core.places import assets
from livevis.hearing import Hearing
from livevis.show import Show

if TYPE_CHECKING:
    from livevis.audio.source import Source
    from livevis.stage.compositor import Compositor
    from livevis.stage.hud import Hud
    from livevis.stage.outputs import Recorder
    from livevis.stage.surface import Surface
    from livevis.supervisor import GeneratorSupervisor
    from livevis.surfaces.osc import OscSurface

HEADLESS_FPS = 30.0
SOFTWARE_FPS = 24.0
"""Where the processor draws, it must also think: more display frames would be taken from the generator."""
WINDOW_FPS = 240.0
"""A window is paced by vsync; where a driver does not wait, this keeps the loop from running flat out."""
_RECORDED_FPS = 60.0


@dataclass(slots=True)
class Rig:
    """[main] The parts of one run.

    fps: cap of the display rate, where vsync does not wait; speaker: where what is played can be heard, or why not.
    """

    show: Show
    ring: SampleRing
    hearing: Hearing
    source: Source
    surface: Surface
    compositor: Compositor
    hud: Hud
    supervisor: GeneratorSupervisor | None
    osc: OscSurface | None
    recorder: Recorder | None
    fps: float
    speaker: str


@dataclass(slots=True)
class Closers:
    """What has been opened and how to close it; one part's failure does not keep the others open."""

    steps: list[Callable[[], Any]] = field(default_factory=list)

    def add(self, close: Callable[[], Any]) -> None:
        """Remember how to close what was just opened."""
        self.steps.append(close)

    def close(self) -> None:
        """Close everything, newest first."""
        while self.steps:
            try:
                self.steps.pop()()
            except Exception as error:
                print(f"livevis: while stopping: {error}", file=sys.stderr)


def open_rig(options: argparse.Namespace, show: Show, clock: Clock, closers: Closers) -> Rig:
    """Open generator, stage, sound and surfaces, in the order in which they take long to get ready.

    Raises the LivevisError of whatever cannot be opened; `closers` then holds what already was.
    """
    ring = SampleRing.create()
    closers.add(ring.close)
    supervisor = None if options.no_generator else _supervisor(options, clock, ring, closers)
    surface, compositor, hud, fps = _stage(options, closers)
    if supervisor is not None:
        from livevis.stage.surface import is_software

        supervisor.start(threads=spare_cores() if is_software(surface.ctx) else 0)
    recognition = (lambda: supervisor.recognition) if supervisor is not None else (lambda: None)
    hearing = Hearing(ring, listen=show.hear, clock=clock, base=show.registry.base, recognition=recognition)
    source = _started(options, clock, ring)
    closers.add(source.stop)
    speaker = _speaker(source, ring, closers) if not options.mute else "muted"
    hearing.start()
    closers.add(hearing.stop)
    osc = _osc(options, show, clock, closers) if options.osc_port != 0 else None
    recorder = _recorder(options, surface, fps, closers) if options.record else None
    return Rig(show, ring, hearing, source, surface, compositor, hud, supervisor, osc, recorder, fps, speaker)


def _supervisor(options: argparse.Namespace, clock: Clock, ring: SampleRing, closers: Closers) -> GeneratorSupervisor:
    from livevis.generate.engine import check_size, load_engine
    from livevis.supervisor import GeneratorSupervisor

    engine = load_engine(options.engine)
    size = options.generate_size or engine.size
    check_size(engine, size)
    supervisor = GeneratorSupervisor(
        engine=options.engine, runner=options.runner, size=size, seed=options.seed, clock=clock,
        sound=ring.name, clap=options.clap or "",
    )  # fmt: skip
    closers.add(supervisor.stop)
    return supervisor


def spare_cores() -> int:
    """Where the processor draws too, a network on all cores waits for the one that draws: 13 frames a second for 19."""
    return max(1, cores() - 1)


def _started(options: argparse.Namespace, clock: Clock, ring: SampleRing) -> Source:
    source = _source(options, clock, options.source)
    try:
        source.start(ring)
    except DeviceError as error:
        if options.source != "auto" or options.device or options.file:
            raise
        print(f"livevis: {error}; the built-in jam plays", flush=True)  # it is there, but somebody else holds it
        source = _source(options, clock, "jam")
        source.start(ring)
    return source


def _source(options: argparse.Namespace, clock: Clock, kind: str) -> Source:
    from livevis.audio.source import open_source

    device = int(options.device) if (options.device or "").isdecimal() else options.device
    return open_source(
        kind,
        device=device,
        file=options.file,
        channel=options.channel or "mix",
        tempo=options.tempo,
        seed=options.seed,
        clock=clock,
    )


def _speaker(source: Source, ring: SampleRing, closers: Closers) -> str:
    """Make a file or the jam audible; what comes in from a device is in the room already."""
    from livevis.audio.source import PullSource
    from livevis.audio.speaker import Speaker

    if not isinstance(source, PullSource):
        return ""
    speaker = Speaker(ring)
    closers.add(speaker.stop)
    try:
        speaker.start()
    except DeviceError as error:
        return str(error)
    return "played aloud"


def _osc(options: argparse.Namespace, show: Show, clock: Clock, closers: Closers) -> OscSurface | None:
    """Listen where asked, or at the usual port; when only that one is taken the show goes on without OSC."""
    from livevis.surfaces.osc import DEFAULT_PORT, OscSurface

    osc = OscSurface(show.registry, host=options.osc_host, port=options.osc_port or DEFAULT_PORT, clock=clock)
    try:
        osc.start()
    except ConfigError as error:
        if options.osc_port is not None:
            raise
        print(f"livevis: no OSC: {error}", file=sys.stderr)
        return None
    closers.add(osc.stop)
    return osc


def _stage(options: argparse.Namespace, closers: Closers) -> tuple[Surface, Compositor, Hud, float]:
    from livevis.stage.compositor import Compositor
    from livevis.stage.hud import Hud
    from livevis.stage.offscreen import Offscreen
    from livevis.stage.surface import is_software, open_surface

    os.environ.setdefault("LP_NUM_THREADS", str(max(1, cores() // 2)))  # Mesa's software rasteriser, if it is that
    surface = open_surface("offscreen" if options.headless else "auto", options.size)
    closers.add(surface.close)
    compositor = Compositor(surface.ctx, surface.size, assets("shaders"))
    closers.add(compositor.release)
    hud = Hud(surface.ctx)
    closers.add(hud.release)
    windowless = isinstance(surface, Offscreen)
    cap = SOFTWARE_FPS if is_software(surface.ctx) else HEADLESS_FPS if windowless else WINDOW_FPS
    return surface, compositor, hud, options.fps or cap


def _recorder(options: argparse.Namespace, surface: Surface, fps: float, closers: Closers) -> Recorder:
    from livevis.stage.outputs import Recorder

    recorder = Recorder(options.record, surface.size, fps=min(fps, _RECORDED_FPS), live=True)
    closers.add(recorder.close)
    return recorder
