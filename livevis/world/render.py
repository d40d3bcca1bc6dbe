"""Scenes as pixels, without a window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import moderngl
import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError, StageError
from livevis.stage.isf import Shader
from livevis.world.mixture import Mixer
from livevis.world.scenes import Draw, Inputs, Part, scene


def offscreen_context() -> moderngl.Context:
    """A standalone GL context: EGL on Linux (needs no display), the system's own elsewhere.

    Raises StageError where the machine has none.
    """
    backend: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    try:
        return moderngl.create_context(standalone=True, require=330, **backend)
    except Exception as error:  # moderngl and glcontext raise bare Exception
        raise StageError(f"no offscreen OpenGL 3.3 context: {error}") from error


class SceneRenderer:
    """Draws scenes at one size into memory. `[one thread]`: use it on the thread that made it.

    `size` is the picture's width and height in pixels; `supersample` draws that many times larger and
    averages. Raises ConfigError for an impossible size, StageError without OpenGL.
    """

    def __init__(self, size: int, *, supersample: int = 1) -> None:
        if size < 1 or supersample < 1:
            raise ConfigError(f"size {size} and supersample {supersample} must be at least 1")
        self.size, self._factor = size, supersample
        self._ctx = offscreen_context()
        drawn = size * supersample
        self._target = self._ctx.framebuffer([self._ctx.texture((drawn, drawn), 4)])
        self._shaders: dict[str, Shader] = {}
        self._mixer: Mixer | None = None

    def render(self, draw: Draw) -> npt.NDArray[np.uint8]:
        """One draw as RGB uint8 [size, size, 3], top row first."""
        return self.render_parts(draw.parts, draw.relation)

    def render_parts(self, parts: Sequence[Part], relation: str) -> npt.NDArray[np.uint8]:
        """One part with relation "", or the mixture of two, as RGB uint8 [size, size, 3], top row first."""
        with self._ctx:  # another context, a window's say, may be current on this thread
            if relation:
                if self._mixer is None:
                    self._mixer = Mixer(self._ctx)
                first, second = parts
                self._mixer.render((first, second), relation, self._target, self._draw)
            else:
                (part,) = parts
                self._draw(part, self._target)
            raw = self._target.read(components=4, alignment=1)
        drawn = self.size * self._factor
        pixels = np.frombuffer(raw, np.uint8).reshape(drawn, drawn, 4)[::-1, :, :3]
        return _average(pixels, self._factor)

    def render_part(self, part: Part) -> npt.NDArray[np.uint8]:
        """One part alone, over the whole picture, as RGB uint8 [size, size, 3], top row first."""
        return self.render_parts((part,), "")

    def render_at(self, name: str, inputs: Inputs, time: float) -> npt.NDArray[np.uint8]:
        """A scene with any inputs at `time` seconds, as RGB uint8 [size, size, 3], top row first."""
        return self.render_part(Part(name, inputs, time))

    def release(self) -> None:
        """Free the context and everything in it."""
        with self._ctx:
            for shader in self._shaders.values():
                shader.release()
            self._shaders.clear()
            if self._mixer is not None:
                self._mixer.release()
        self._ctx.release()

    def __enter__(self) -> SceneRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _draw(self, part: Part, target: moderngl.Framebuffer) -> None:
        self._shader(part.scene).render(target, time=part.time, time_delta=0.0, frame=0, values=part.inputs)

    def _shader(self, name: str) -> Shader:
        if name not in self._shaders:
            self._shaders[name] = Shader(self._ctx, scene(name).path)
        return self._shaders[name]


def _average(pixels: npt.NDArray[np.uint8], factor: int) -> npt.NDArray[np.uint8]:
    """Box-average `factor`×`factor` blocks; [n·factor, n·factor, 3] → [n, n, 3]."""
    if factor == 1:
        return np.ascontiguousarray(pixels)
    n = pixels.shape[0] // factor
    blocks = pixels.reshape(n, factor, n, factor, 3).astype(np.uint16).sum(axis=(1, 3), dtype=np.uint32)
    mean: npt.NDArray[np.uint8] = ((blocks + factor * factor // 2) // (factor * factor)).astype(np.uint8)
    return mean
