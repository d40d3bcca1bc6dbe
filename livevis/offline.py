"""Offline rendering: the stages of the live show called in order under a virtual clock; nothing is dropped."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, TextIO

from livevis.analysis.analyser import Analyser
from livevis.audio.source import PullSource, open_source
from livevis.conditioner import Conditioner
from livevis.core.clock import VirtualClock
from livevis.core.errors import ConfigError, ShaderError
from livevis.core.features import FEATURES, HOP, SAMPLE_RATE_HZ
from livevis.core.places import assets
from livevis.core.types import AudioFeatures, Conditioning, Controls, Cue, Picture, Recognition, silent_features
from livevis.embed.clap import ClapEmbedder, clap_folder
from livevis.embed.ears import SteppedEars
from livevis.init_picture import InitPictures
from livevis.methods.recognition import lacking, merged, phrases, recognise
from livevis.session import AnalysisSettings
from livevis.show import Show, overrides
from livevis.voices import stepped


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """One finished video frame and what it was made from.

    generated: the model's picture, asked: what it was asked to show; None on the shader lane alone. heard: what the
    sound is called, best first; empty while no method listens.
    """

    index: int
    time_s: float
    image: Picture
    features: AudioFeatures
    controls: Controls
    generated: Picture | None
    asked: Conditioning | None = None
    heard: tuple[str, ...] = ()


class Hearer:
    """Feeds whole hops of a pull source to analyser, ears and routes, up to a moment.

    ears: who scores heard/bank, at fixed samples at or before each hop. A bank that nobody listens for and a route that
    nobody names raise ConfigError.
    """

    def __init__(self, source: PullSource, show: Show, ears: SteppedEars | None = None) -> None:
        self._source, self._show, self._ears = source, show, ears
        self._analyser = Analyser()
        self._settings = AnalysisSettings()
        self._next = 0
        self.latest = silent_features()

    def upto(self, sample: int) -> AudioFeatures:
        """Hear every hop that ends at or before `sample`; return the newest features."""
        while self._next + HOP <= sample:
            self._settings.obey(self._show.registry.base(), self._analyser)
            features = self._analyser.step(self._source.samples(self._next, HOP) * self._settings.gain)
            self.latest = merged(features, self._recognised(features.sample))
            self._show.hear(self.latest)
            self._next += HOP
        return self.latest

    def _recognised(self, sample: int) -> Recognition | None:
        base = self._show.registry.base()
        if said := lacking(base, self._show.routes.routes, listener=self._ears is not None):
            raise ConfigError(said)
        asked = phrases(base)
        if self._ears is None or not asked:
            return None
        return recognise(self._ears.hear(sample, asked, base.number("aadiff/listen")), base)


def frames(
    source: PullSource,
    show: Show,
    *,
    count: int,
    fps: float,
    size: tuple[int, int],
    generator: Any = None,
    seed: int = 1,
    clap: str | None = None,
    fade_in: bool = True,
) -> Iterator[Rendered]:
    """Yield `count` frames at `fps`; the same inputs give the same pictures, bit for bit, on one machine.

    Frame k shows what was heard before k / fps. generator: anything that keeps the Generator contract, or None for
    the shader lane alone. clap: the ClapModel that names sounds, folder or hub name (None: the engine's own), opened
    when a method or heard/bank asks for it. fade_in: the generated picture comes in over the scene, else it is there at
    once. Raises at once whatever a stage raises.
    """
    from livevis.stage.compositor import Compositor
    from livevis.stage.surface import open_surface

    with ExitStack() as stack:
        surface = open_surface("offscreen", size)
        stack.callback(surface.close)
        compositor = Compositor(surface.ctx, surface.size, assets("shaders"), internal=size, fade_in=fade_in)
        stack.callback(compositor.release)
        inits = InitPictures(compositor, generator.size if generator is not None else 64)
        ears = _ears(source, generator, clap) if generator is not None else None
        hearer = Hearer(source, show, ears)
        picture: Picture | None = None
        asked: Conditioning | None = None
        conditioner = _conditioner(source, generator, ears) if ears is not None else None
        state, told = generator.init(seed) if generator is not None else None, ""
        for index in range(count):
            time_s = index / fps
            features = hearer.upto(round(time_s * SAMPLE_RATE_HZ))
            show.tend(time_s)
            if show.notice:
                raise ConfigError(show.notice)
            controls = show.controls()
            if conditioner is not None:
                init = inits.draw(controls, features, time_s=time_s, frame=index)
                if inits.notice:
                    raise ConfigError(inits.notice)
                cue = Cue(index, features.sample, time_s, controls, features)
                asked = conditioner.step(cue)
                state, picture = generator.step(state, cue, asked, init)
                told = _once(conditioner.notice or getattr(generator, "notice", ""), told)
            compositor.draw(
                surface.begin(), picture=picture, picture_id=index + 1, features=features, controls=controls,
                time_s=time_s, frame=index,
            )  # fmt: skip
            if compositor.problems:
                raise ShaderError(compositor.problems[0])
            surface.present()
            heard = conditioner.heard if conditioner is not None else ()
            yield Rendered(index, time_s, surface.read(), features, controls, picture, asked, heard)


def _conditioner(source: PullSource, generator: Any, ears: SteppedEars) -> Conditioner:
    """The methods of the render; who listens and speaks for them is opened when it is first played."""
    return Conditioner(ears, lambda: stepped(generator.engine, generator.text_rows, source.samples))


def _ears(source: PullSource, generator: Any, clap: str | None) -> SteppedEars:
    """The sound of the render, heard with the CLAP that was named or the engine's own."""
    own = generator.engine.folder
    return SteppedEars(lambda: ClapEmbedder(clap_folder(own, clap, say=_tell)), source.samples)


def _once(said: str, told: str) -> str:
    """Tell what is said now if it is anything new; return what was told last."""
    if said and said != told:
        _tell(said)
    return said or told


def _tell(line: str) -> None:
    print(f"livevis: {line}", file=sys.stderr, flush=True)


def open_pull_source(audio: str, *, tempo: float, seed: int) -> PullSource:
    """Open a sound file, or the jam for the word 'jam'; raises DeviceError for what cannot be read."""
    clock = VirtualClock()
    if audio == "jam":
        source = open_source("jam", tempo=tempo, seed=seed, clock=clock)
    else:
        source = open_source("file", file=audio, loop=False, clock=clock)
    assert isinstance(source, PullSource)
    return source


def render(options: argparse.Namespace) -> int:
    """Render with the flags of `livevis render`; prints the hash of all frames; returns the exit code."""
    from livevis.stage.sheet import ContactSheet

    source = open_pull_source(options.audio, tempo=options.tempo, seed=options.seed)
    seconds = _seconds(source, options)
    count = max(1, round(seconds * options.fps))
    show = Show(preset=options.preset, settings=overrides(options.set))
    generator = _generator(options, show)
    digest = hashlib.sha256()
    played = frames(
        source, show, count=count, fps=options.fps, size=options.size, generator=generator, seed=options.seed,
        clap=options.clap, fade_in=options.still is None,
    )  # fmt: skip
    with ExitStack() as stack:
        writer = _writer(options, stack)
        sheet = ContactSheet(count, options.size)
        trace = stack.enter_context(options.trace.open("w")) if options.trace else None
        sounded = 0
        for frame in _with_progress(played, count, stack):
            digest.update(frame.image)
            writer.picture(frame.image, frame.time_s)
            sheet.add(frame.index, frame.image)
            until = round((frame.index + 1) / options.fps * SAMPLE_RATE_HZ)
            writer.sound(source.samples(sounded, until - sounded), sounded / SAMPLE_RATE_HZ)
            sounded = until
            if trace is not None:
                _trace(trace, frame)
    if options.sheet:
        sheet.save(options.sheet)
    print(f"{options.output}: {count} frames at {options.fps:g} fps, sha256 of the frames {digest.hexdigest()}")
    return 0


def _seconds(source: PullSource, options: argparse.Namespace) -> float:
    if source.length is None:
        if options.seconds is None:
            raise ConfigError("the jam has no end: pass --seconds N")
        return float(options.seconds)
    whole = source.length / SAMPLE_RATE_HZ
    return whole if options.seconds is None else min(float(options.seconds), whole)


def _generator(options: argparse.Namespace, show: Show) -> Any:
    if options.still is None:
        for flag, value in (("--inversion", options.inversion), ("--inversion-steps", options.inversion_steps)):
            if value is not None:
                raise ConfigError(f"{flag} {value} is of --still PICTURE, which is missing")
        return None if options.no_generator else open_generator(options)
    if options.no_generator:
        raise ConfigError(f"--still {options.still} needs the generator that --no-generator leaves out")
    from livevis.still import open_still

    return open_still(options, show)


def open_generator(options: argparse.Namespace) -> Any:
    """Load the generator that the flags name; offline a word that is not in the prompt raises."""
    from livevis.generate.diffusion import DiffusionGenerator
    from livevis.generate.engine import load_engine

    return DiffusionGenerator(
        load_engine(options.engine), runner=options.runner, size=options.generate_size, strict=True
    )


def _writer(options: argparse.Namespace, stack: ExitStack) -> Any:
    from livevis.stage.outputs import Recorder

    writer = Recorder(options.output, options.size, fps=options.fps, live=False)
    stack.callback(writer.close)
    return writer


def _with_progress(played: Iterator[Rendered], count: int, stack: ExitStack) -> Iterator[Rendered]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = stack.enter_context(Progress(*columns))
    return iter(progress.track(played, total=count))


def _trace(file: TextIO, frame: Rendered) -> None:
    heard = {row.name: frame.features[row.name] for row in FEATURES}
    line = {
        "frame": frame.index,
        "time_s": frame.time_s,
        "features": heard,
        "controls": dict(frame.controls.values),
        "word_gains": dict(frame.asked.word_gains) if frame.asked else {},
    }
    file.write(json.dumps(line) + "\n")
