"""The effect chain: which shaders the picture goes through, and which parameters drive them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import moderngl

from livevis.core.errors import ShaderError
from livevis.core.types import Controls
from livevis.stage.isf import Shader
from livevis.stage.passes import texture_of


@dataclass(frozen=True, slots=True)
class Effect:
    """One ISF filter: its file stem, ISF input -> parameter id, and the values at which it changes nothing."""

    name: str
    inputs: Mapping[str, str]
    rest: Mapping[str, float] = field(default_factory=dict)

    def is_at_rest(self, values: Mapping[str, float]) -> bool:
        """True when every input has its value of no effect (0 unless `rest` says otherwise)."""
        return all(abs(value - self.rest.get(name, 0.0)) < 1e-4 for name, value in values.items())


CHAIN: tuple[Effect, ...] = (
    Effect("displace", {"amount": "effect/displace"}),
    Effect("feedback_zoom", {"amount": "effect/zoom"}),
    Effect("punch", {"amount": "effect/punch"}),
    Effect("bloom", {"amount": "effect/bloom", "flash": "effect/flash"}),
    Effect("grade", {"hue": "effect/hue", "saturation": "effect/saturation"}, rest={"saturation": 1.0}),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """What every shader is told for one display frame."""

    time_s: float
    dt_s: float
    frame: int
    live: Mapping[str, float]
    sound: moderngl.Texture


class Chain:
    """The effects, compiled; those at rest are skipped, so no effect means no work and no change. `[main]`

    An effect whose file is broken is left out and named in `problems`; the rest of the chain plays.
    """

    def __init__(self, ctx: moderngl.Context, folder: Path, effects: tuple[Effect, ...] = CHAIN) -> None:
        self.problems: list[str] = []
        self._rows: list[tuple[Effect, Shader]] = []
        self._slept = {effect.name: True for effect in effects}
        for effect in effects:
            try:
                self._rows.append((effect, Shader(ctx, folder / f"{effect.name}.fs")))
            except ShaderError as error:
                self.problems.append(str(error))

    def draw(
        self, source: moderngl.Framebuffer, spare: moderngl.Framebuffer, *, controls: Controls, moment: Moment
    ) -> moderngl.Framebuffer:
        """Take the picture in `source` through the chain and back and forth; returns the framebuffer it ended in."""
        for effect, shader in self._rows:
            values = {name: controls.number(id) for name, id in effect.inputs.items()}
            if effect.is_at_rest(values):
                self._slept[effect.name] = True
                continue
            self._wake(effect.name, shader)
            images = {"inputImage": texture_of(source), "lv_spectrum": moment.sound}
            render(shader, spare, moment=moment, values=values, images=images)
            source, spare = spare, source
        return source

    def _wake(self, name: str, shader: Shader) -> None:
        if self._slept[name]:  # trails from before it slept would flash up
            shader.reset()
            self._slept[name] = False

    def release(self) -> None:
        """Free every shader."""
        for _, shader in self._rows:
            shader.release()


def render(
    shader: Shader,
    target: moderngl.Framebuffer,
    *,
    moment: Moment,
    values: Mapping[str, float],
    images: Mapping[str, moderngl.Texture],
) -> None:
    """Draw one ISF shader with the sound of this moment."""
    shader.render(
        target,
        time=moment.time_s,
        time_delta=moment.dt_s,
        frame=moment.frame,
        values={**moment.live, **values},
        images=images,
    )
