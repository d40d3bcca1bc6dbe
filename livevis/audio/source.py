"""The source contract and the table of sources: what can be heard, under which name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from livevis.core.clock import Clock, WallClock
from livevis.core.errors import ConfigError, DeviceError, unknown
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

Samples = npt.NDArray[np.float32]
State = Literal["waiting", "playing", "silent", "lost", "ended"]
Channel = Literal["mix"] | int


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One look at a source, for the HUD and the telemetry.

    state: waiting (opened, nothing heard yet), playing, silent (only exact zeros arrive), lost (gone; zeros
    are fed while it is looked for) or ended (file over, or stopped). rate_hz, channels: as device or file deliver.
    overflows: blocks the driver says it dropped; reopened: times it came back; message: one line for people.
    """

    name: str
    state: State = "waiting"
    rate_hz: int = SAMPLE_RATE_HZ
    channels: int = 1
    overflows: int = 0
    reopened: int = 0
    message: str = ""


class Source(Protocol):
    """Something that fills a SampleRing with mono sound at 48 kHz in real time."""

    name: str

    def start(self, ring: SampleRing) -> None:
        """[main] Begin to fill `ring`; raises DeviceError when the device cannot be opened."""
        ...

    def stop(self) -> None:
        """[main] Stop filling; nothing is written after it returns. Stopping twice is harmless."""
        ...

    def status(self) -> SourceStatus:
        """[any] Return how it goes; cheap, never raises."""
        ...


@runtime_checkable
class PullSource(Source, Protocol):
    """A source that also answers by sample index, so that offline renders are exact."""

    @property
    def length(self) -> int | None:
        """[main] Return how many samples there are at 48 kHz, None without an end."""
        ...

    def samples(self, start: int, n: int) -> Samples:
        """Return samples [start, start + n) as float32 [n] at 48 kHz: the same numbers in blocks of any size."""
        ...


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What was asked for.

    device: index, or part of a name, of an input (None = the system's default); channel: "mix" or a number from 1;
    file, loop: for `file`; tempo (bpm, None = the jam's own) and seed: for `jam`.
    """

    device: int | str | None = None
    channel: Channel = "mix"
    file: str | Path | None = None
    loop: bool = True
    tempo: float | None = None
    seed: int = 0
    clock: Clock = field(default_factory=WallClock)
    note: str = ""


def _device(spec: SourceSpec) -> Source:
    from livevis.audio.device import SoundDeviceDriver
    from livevis.audio.supervised import LiveSource

    return LiveSource(SoundDeviceDriver(), spec)


def _pyaudio(spec: SourceSpec) -> Source:
    from livevis.audio.pyaudio import PyAudioDriver
    from livevis.audio.supervised import LiveSource

    return LiveSource(PyAudioDriver(), spec)


def _file(spec: SourceSpec) -> Source:
    from livevis.audio.file import FileSource

    if spec.file is None:
        raise ConfigError("source 'file' needs a file: pass --file PATH")
    return FileSource(spec.file, loop=spec.loop, clock=spec.clock)


def _jam(spec: SourceSpec) -> Source:
    from livevis.audio.jam import JamSource

    return JamSource(tempo_bpm=spec.tempo, seed=spec.seed, clock=spec.clock, message=spec.note)


def _auto(spec: SourceSpec) -> Source:
    """A file or a device that was named is what is meant; else the default input; else the jam, saying so."""
    if spec.file is not None:
        return _file(spec)
    if spec.device is not None:
        return _device(spec)
    try:
        return _device(replace(spec, note="auto: the default input"))
    except DeviceError as error:
        return _jam(replace(spec, note=f"auto: the built-in jam plays, because {error}"))


SOURCES: dict[str, Callable[[SourceSpec], Source]] = {
    "auto": _auto,
    "device": _device,
    "pyaudio": _pyaudio,
    "file": _file,
    "jam": _jam,
}
"""Name -> factory; each raises DeviceError or ConfigError when it cannot deliver."""


def open_source(
    name: str = "auto",
    *,
    device: int | str | None = None,
    file: str | Path | None = None,
    channel: Channel = "mix",
    loop: bool = True,
    tempo: float | None = None,
    seed: int = 0,
    clock: Clock | None = None,
) -> Source:
    """[main] Return the source `name` of SOURCES, checked to be there but not yet started.

    `auto` never fails for want of a device: it returns the jam and `status().message` says why. A named source that
    cannot be had raises DeviceError, listing the devices; an unknown name raises ConfigError.
    """
    if name not in SOURCES:
        raise ConfigError(unknown("source", name, SOURCES))
    spec = SourceSpec(device, channel, file, loop, tempo, seed, clock or WallClock())
    return SOURCES[name](spec)
