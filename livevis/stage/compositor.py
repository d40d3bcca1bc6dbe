"""One display frame: picture lane and scene, through the effects, under the light, onto the surface."""

from __future__ import annotations

from pathlib import Path

import moderngl

from livevis.core.types import AudioFeatures, Controls, Picture
from livevis.stage import passes
from livevis.stage.chain import Chain, Moment
from livevis.stage.light import Light, Shown
from livevis.stage.passes import Pass, canvas, discard, texture_of
from livevis.stage.picture_lane import PictureLane
from livevis.stage.scenes import Scenes
from livevis.stage.surface import is_software, read_picture, renderer
from livevis.stage.uniforms import SoundTexture, live_values

SOFTWARE_PIXELS = 512 * 288
LONGEST_STEP_S = 0.1
"""After a stall the fades and trails go on from where they were instead of jumping."""


class Compositor:
    """Owns every GL object of the stage but the surface. `[main]`

    size: width and height in pixels of what is drawn on; follows the target when that changes.
    shaders: the folder holding scenes/ and effects/. internal: pixels to compose at, where they are not to be chosen
    by `internal_size` (an offline render takes its time and all of them). fade_in: the first generated picture comes in
    over the scene, as live, where it comes late; else it is there at once.
    chosen: one line on the internal resolution and why; problems: what is not as it should be, one line each.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        size: tuple[int, int],
        shaders: Path,
        *,
        internal: tuple[int, int] | None = None,
        fade_in: bool = True,
    ) -> None:
        self._ctx = ctx
        self._software = is_software(ctx)
        self._sound = SoundTexture(ctx)
        self._scenes = Scenes(ctx, shaders / "scenes")
        self._seeds = Scenes(ctx, shaders / "scenes")  # the init pictures: other sizes, other persistent buffers
        self._chain = Chain(ctx, shaders / "effects")
        self._lane = PictureLane(ctx, presence=0.0 if fade_in else 1.0)
        self._copy, self._enlarge = Pass(ctx, passes.COPY), Pass(ctx, passes.ENLARGE)
        self._internal = internal
        self._size = self._inside(size)
        self._light = Light(ctx, self._size)
        self._pool = self._frames(3)
        self._composed = self._pool[0]
        (self._scene,) = self._frames(1)
        self._seed: moderngl.Framebuffer | None = None
        self._last_s: float | None = None

    @property
    def chosen(self) -> str:
        """The internal resolution and why."""
        why = "software GL, where every pixel counts" if self._software else "the surface's own size"
        why = "asked for" if self._internal else why
        return f"{self._size[0]}x{self._size[1]} inside ({why}: {renderer(self._ctx)})"

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, one line each, for the HUD's list of degraded parts."""
        return [line for line in (*self._chain.problems, self._scenes.problem) if line]

    @property
    def scene_names(self) -> tuple[str, ...]:
        """The scenes that can be drawn."""
        return self._scenes.names

    @property
    def luminance(self) -> float:
        """Mean relative luminance 0..1 of the frame shown before this one."""
        return self._light.luminance

    @property
    def limited(self) -> bool:
        """True while the flash limiter holds the brightness."""
        return self._light.gain < 1.0

    def draw(
        self,
        target: moderngl.Framebuffer,
        *,
        picture: Picture | None,
        picture_id: int,
        features: AudioFeatures,
        controls: Controls,
        time_s: float,
        frame: int,
    ) -> None:
        """Draw one display frame into all of `target`.

        picture: the newest generated picture, uint8 [h, w, 3], uploaded when `picture_id` is new; None while there is
        no generator, and the scene plays alone. time_s: display time, never decreasing; frame: its index.
        """
        self._fit((target.width, target.height))
        moment = self._moment(features, time_s, frame)
        if not controls["output/freeze"]:
            crossfade_s = controls.number("effect/crossfade")
            self._lane.step(picture, picture_id, crossfade_s=crossfade_s, dt_s=moment.dt_s)
            self._compose(controls, moment)
        shown = self._light.draw(
            self._composed,
            time_s=time_s,
            dt_s=moment.dt_s,
            brightness=controls.number("output/brightness") * controls.number("output/opacity"),
            blackout=bool(controls["output/blackout"]),
            limit=bool(controls["output/flash_limit"]),
        )
        self._present(target, shown)

    def scene(self, controls: Controls, features: AudioFeatures, *, time_s: float, frame: int, size: int) -> Picture:
        """Draw the current scene alone as the generator's init picture: uint8 [size, size, 3], top row first."""
        if self._seed is None or self._seed.size != (size, size):
            discard(self._seed)
            self._seed = canvas(self._ctx, (size, size))
        self._sound.write(features)
        moment = Moment(time_s, 1 / 60, frame, live_values(features), self._sound.texture)
        self._seeds.draw(self._seed, controls, moment)
        return read_picture(self._seed)

    def _moment(self, features: AudioFeatures, time_s: float, frame: int) -> Moment:
        passed_s = 1 / 60 if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        self._sound.write(features)
        dt_s = min(max(passed_s, 0.0), LONGEST_STEP_S)
        return Moment(time_s, dt_s, frame, live_values(features), self._sound.texture)

    def _compose(self, controls: Controls, moment: Moment) -> None:
        # The frame last shown stays whole: the flash limiter may have to mix it into this one.
        source, spare = [frame for frame in self._pool if frame is not self._light.shown.frame][:2]
        scene_mix = 1.0 - self._lane.presence * (1.0 - controls.number("effect/scene_mix"))
        alone = scene_mix >= 1.0
        if scene_mix > 0.0:
            self._scenes.draw(source if alone else self._scene, controls, moment)
        if not alone:
            scene, grain = texture_of(self._scene), bool(self._internal) or not self._software
            self._lane.draw(source, scene=scene, scene_mix=scene_mix, frame=moment.frame, grain=grain)
        self._composed = self._chain.draw(source, spare, controls=controls, moment=moment)

    def _present(self, target: moderngl.Framebuffer, shown: Shown) -> None:
        # Software GL has no time for a bicubic enlargement; the picture is already smooth by then.
        live = self._software and not self._internal
        plain = live or shown.frame.size == (target.width, target.height)
        (self._copy if plain else self._enlarge).draw(target, {"image": texture_of(shown.frame)}, scale=shown.scale)

    def _fit(self, size: tuple[int, int]) -> None:
        inside = self._inside(size)
        if inside == self._size:
            return
        old, self._size = [*self._pool, self._scene], inside
        self._pool = self._frames(3)
        (self._scene,) = self._frames(1)
        self._light.resize(inside)
        # A frozen picture survives a new size.
        self._copy.draw(self._pool[0], {"image": texture_of(self._composed)}, scale=1.0)
        self._composed = self._pool[0]
        discard(*old)

    def _inside(self, size: tuple[int, int]) -> tuple[int, int]:
        return self._internal or internal_size(size, software=self._software)

    def _frames(self, count: int) -> list[moderngl.Framebuffer]:
        return [canvas(self._ctx, self._size) for _ in range(count)]

    def release(self) -> None:
        """Free everything on the GPU."""
        discard(*self._pool, self._scene, self._seed)
        parts = (
            self._sound,
            self._scenes,
            self._seeds,
            self._chain,
            self._lane,
            self._light,
            self._copy,
            self._enlarge,
        )
        for part in parts:
            part.release()


def internal_size(size: tuple[int, int], *, software: bool) -> tuple[int, int]:
    """Pixels to compose at for a surface of `size`: all of them, or about 512 x 288 in its shape on software GL."""
    width, height = max(size[0], 16), max(size[1], 16)
    shrink = (SOFTWARE_PIXELS / (width * height)) ** 0.5 if software else 1.0
    if shrink >= 1.0:
        return width, height
    return max(16, round(width * shrink / 2) * 2), max(16, round(height * shrink / 2) * 2)
