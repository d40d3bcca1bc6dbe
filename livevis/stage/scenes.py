"""The shader scenes: compiled when first asked for, and never a reason for the picture to stop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import moderngl

from livevis.core.errors import ShaderError, unknown
from livevis.core.types import Controls
from livevis.stage.chain import Moment, render
from livevis.stage.isf import Shader


class Scenes:
    """All scenes of one folder at one size each; persistent buffers belong to this object alone. `[main]`

    `problem` holds one line while the scene that was asked for cannot be drawn (the last good one plays on).
    """

    def __init__(self, ctx: moderngl.Context, folder: Path) -> None:
        self._ctx = ctx
        self._paths = {path.stem: path for path in sorted(folder.glob("*.fs"))}
        self._shaders: dict[str, Shader | None] = {}
        self._good = ""
        self._problems: dict[str, str] = {}
        self.problem = ""
        self._clock_s = 0.0
        self._seen_s: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scenes, sorted."""
        return tuple(self._paths)

    def draw(self, target: moderngl.Framebuffer, controls: Controls, moment: Moment) -> None:
        """Draw the current scene over all of `target`; black only if no scene at all compiles."""
        shader = self._current(controls.text("scene/name"))
        clock_s = self._advance(moment.time_s, controls.number("scene/speed"))
        if shader is None:
            target.clear(0.0, 0.0, 0.0, 1.0)
            return
        values = {
            "intensity": controls.number("scene/intensity"),
            "palette": controls.number("scene/palette"),
            "layout": controls.number("scene/layout"),
            "camera": controls.number("scene/camera"),
        }
        images = {"lv_spectrum": moment.sound}
        render(shader, target, moment=replace(moment, time_s=clock_s), values=values, images=images)

    def _advance(self, time_s: float, speed: float) -> float:
        """The scene's own clock: it runs at `speed` and never jumps when the speed is changed."""
        if self._seen_s is not None:
            self._clock_s += max(0.0, time_s - self._seen_s) * speed
        self._seen_s = time_s
        return self._clock_s

    def _current(self, name: str) -> Shader | None:
        wanted = self._compiled(name)
        if wanted is not None:
            self._good, self.problem = name, ""
            return wanted
        self.problem = self._problems[name]
        return self._fallback()

    def _fallback(self) -> Shader | None:
        for name in (self._good, *self._paths):
            shader = self._compiled(name) if name else None
            if shader is not None:
                self._good = name
                return shader
        return None

    def _compiled(self, name: str) -> Shader | None:
        if name not in self._shaders:
            try:
                self._shaders[name] = self._compile(name)
            except ShaderError as error:
                self._shaders[name], self._problems[name] = None, str(error)
        return self._shaders[name]

    def _compile(self, name: str) -> Shader:
        if name not in self._paths:
            raise ShaderError(unknown("scene", name, self._paths))
        return Shader(self._ctx, self._paths[name])

    def release(self) -> None:
        """Free every compiled scene."""
        for shader in self._shaders.values():
            if shader is not None:
                shader.release()
        self._shaders.clear()
