"""The generator process: newest cue and init picture in, pictures out. The only process that loads networks."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livevis.conditioner import Conditioner
from livevis.core.exchange import FrameMeta, Mailbox, SampleRing, SharedFrames
from livevis.core.types import Picture, Recognition

if TYPE_CHECKING:
    from livevis.embed.ears import LiveEars
    from livevis.generate.diffusion import DiffusionGenerator
    from livevis.methods.speaking import Voices

_IDLE_S = 0.002
_NICE = 19


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What a generator process is started with: names of shared channels and what to load.

    sound: the SampleRing, "" where there is none; clap: the listener's folder or hub name, "" = the engine's own.
    """

    engine: str
    runner: str
    size: int
    seed: int
    cues: str
    pictures_in: str
    pictures_out: str
    status: str
    threads: int = 0
    first_frame: int = 0
    sound: str = ""
    clap: str = ""


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What the generator says of itself.

    state: loading | playing | failed; beat_s: monotonic seconds of this report; init_seen: newest init picture taken;
    heard: what the sound is called now; recognition: of the phrases of heard/bank; notice: what is lacking, though it
    plays.
    """

    state: str
    beat_s: float
    pid: int
    step_ms: float = 0.0
    detail: str = ""
    init_seen: int = 0
    heard: tuple[str, ...] = ()
    recognition: Recognition | None = None
    notice: str = ""


class _Channels:
    """The shared channels of one worker, seen from inside the worker."""

    def __init__(self, spec: WorkerSpec) -> None:
        self.cues = Mailbox.attach(spec.cues)
        self.pictures_in = SharedFrames.attach(spec.pictures_in)
        self.pictures_out = SharedFrames.attach(spec.pictures_out)
        self._status = Mailbox.attach(spec.status)

    def report(self, state: str, **more: Any) -> None:
        self._status.put(WorkerStatus(state, time.monotonic(), os.getpid(), **more))

    def last_output(self) -> Picture | None:
        """The picture that an earlier worker left behind, so that play goes on where it was."""
        newest = self.pictures_out.newest()
        return newest[1] if newest else None


def _ears(spec: WorkerSpec, engine: Path) -> LiveEars:
    """Listens to the stage's ring; nothing is loaded before the first question."""
    from livevis.embed.clap import ClapEmbedder, clap_folder
    from livevis.embed.ears import LiveEars

    ring = SampleRing.attach(spec.sound) if spec.sound else None
    ears = LiveEars(
        lambda: ClapEmbedder(clap_folder(engine, spec.clap, say=ears.say)),
        lambda start, n: ring.read(start, n) if ring else None,
        lambda: ring.written if ring else 0,
    )
    return ears


def _voices(spec: WorkerSpec, generator: DiffusionGenerator) -> Voices:
    """Who says what sounds in the stage's ring."""
    from livevis.voices import live

    ring = SampleRing.attach(spec.sound) if spec.sound else None
    return live(
        generator.engine,
        generator.text_rows,
        lambda start, n: ring.read(start, n) if ring else None,
        lambda: ring.written if ring else 0,
    )


def serve(spec: WorkerSpec) -> None:
    """[generator] Load the engine, then make a picture for each new cue until the parent has gone."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stage decides when to stop
    if hasattr(os, "nice"):  # sound, controls and display come first where they share cores with the network
        os.nice(_NICE)
    channels = _Channels(spec)
    channels.report("loading")
    try:
        _play(spec, channels)
    except Exception as error:
        channels.report("failed", detail=f"{type(error).__name__}: {error}")
        raise SystemExit(3) from error


def _play(spec: WorkerSpec, channels: _Channels) -> None:
    from livevis.generate.diffusion import DiffusionGenerator
    from livevis.generate.engine import load_engine

    engine = load_engine(spec.engine)
    generator = DiffusionGenerator(engine, runner=spec.runner, size=spec.size, threads=spec.threads)
    state = generator.init(spec.seed, previous=channels.last_output())
    conditioner = Conditioner(_ears(spec, engine.folder), partial(_voices, spec, generator))
    cue_seen, picture_seen, frame, heard, step_ms = 0, 0, spec.first_frame, 0, 0.0
    init: Picture | None = None

    def report() -> None:
        notice = conditioner.notice or generator.notice
        said = {"heard": conditioner.heard, "recognition": conditioner.recognition, "notice": notice}
        channels.report("playing", step_ms=step_ms, detail=generator.chosen, init_seen=picture_seen, **said)

    report()
    stage = multiprocessing.parent_process()
    while stage is None or stage.is_alive():
        got = channels.cues.get()
        if got is None or got[0] == cue_seen:
            report()
            time.sleep(_IDLE_S)
            continue
        cue_seen, cue = got
        if (newer := channels.pictures_in.newest(picture_seen)) is not None:
            picture_seen, init, taken = newer
            heard = taken.sample
        asked = conditioner.step(cue)
        # Said before the step: meanwhile the stage draws the next init picture and plays what was recognised.
        report()
        frame += 1
        started_s = time.monotonic()
        state, picture = generator.step(state, replace(cue, frame=frame), asked, init)
        done_s = time.monotonic()
        # A frame has heard no more than the older of its two halves, the controls and the picture it began with.
        meta = FrameMeta(frame, cue.controls.version, min(cue.sample, heard), started_s, done_s)
        channels.pictures_out.put(picture, meta)
        step_ms = (done_s - started_s) * 1000
