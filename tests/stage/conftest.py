"""One offscreen context for all stage tests, and controls and features to feed it."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from livevis.core.catalogue import CATALOGUE
from livevis.core.features import INDEX
from livevis.core.places import assets
from livevis.core.types import AudioFeatures, Controls, Value
from livevis.stage.compositor import Compositor
from livevis.stage.offscreen import Offscreen

NO_EFFECT: dict[str, Value] = {"effect/bloom": 0.0, "effect/crossfade": 0.0, "output/flash_limit": False}


def controls(**changed: Value) -> Controls:
    """The catalogue's defaults, effects off, with `effect__zoom=0.5` and the like changed."""
    values: dict[str, Value] = {row.id: row.default for row in CATALOGUE if row.kind != "trigger"}
    values |= NO_EFFECT | {name.replace("__", "/"): value for name, value in changed.items()}
    return Controls(1, values)


def hearing(loud: float = 0.0) -> AudioFeatures:
    """Everything at once at `loud` (0 silence .. 1), spectrum and hits included."""
    values = np.zeros(len(INDEX))
    for name, at in INDEX.items():
        if name.endswith((".level", ".hit")) or name in ("level", "rms", "peak"):
            values[at] = loud
    values[INDEX["silence"]] = 1.0 - loud
    values[INDEX["tempo"]] = 120.0
    values[INDEX["spectral_centroid"]] = 100.0 + 4000.0 * loud
    shape = loud * np.exp(-np.arange(512) / 200.0)
    return AudioFeatures(0, values, shape.astype(np.float32), np.zeros(512, np.float32))


@pytest.fixture(scope="session")
def offscreen() -> Iterator[Offscreen]:
    surface = Offscreen((320, 180))
    yield surface
    surface.close()


@pytest.fixture
def compositor(offscreen: Offscreen) -> Iterator[Compositor]:
    offscreen.begin()
    made = Compositor(offscreen.ctx, offscreen.size, assets("shaders"))
    yield made
    made.release()


Player = Callable[..., np.ndarray]


@pytest.fixture
def play(offscreen: Offscreen, compositor: Compositor) -> Player:
    """Draw frames one after another at `fps`; returns the last one as int [180, 320, 3]."""
    clock = {"frame": 0, "time_s": 0.0}

    def play(
        picture: np.ndarray | None,
        picture_id: int = 0,
        *,
        count: int = 1,
        fps: float = 30.0,
        loud: float = 0.0,
        **changed: Value,
    ) -> np.ndarray:
        for _ in range(count):
            compositor.draw(
                offscreen.begin(),
                picture=picture,
                picture_id=picture_id,
                features=hearing(loud),
                controls=controls(**changed),
                time_s=clock["time_s"],
                frame=int(clock["frame"]),
            )
            clock["frame"] += 1
            clock["time_s"] += 1.0 / fps
        return offscreen.read().astype(int)

    return play


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """A virtual X display of 1024 x 600 on a free number."""
    if not all(shutil.which(program) for program in ("Xvfb", "xdotool")):
        pytest.skip("needs Xvfb and xdotool")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x600x24", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        number = _line(reading)
        if not number:
            pytest.skip("Xvfb did not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()
        os.close(reading)


def _line(pipe: int) -> str:
    """One line from a pipe, without its end; empty when nothing came within 20 s."""
    text = b""
    while not text.endswith(b"\n") and select.select([pipe], [], [], 20)[0]:
        part = os.read(pipe, 16)
        if not part:
            return ""
        text += part
    return text.decode().strip()
