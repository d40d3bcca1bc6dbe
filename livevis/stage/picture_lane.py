"""The generated lane: newest picture uploaded once, crossfaded from what was showing, enlarged to fill the stage."""

from __future__ import annotations

import moderngl
import numpy as np

from livevis.core.types import Picture
from livevis.stage import passes
from livevis.stage.passes import Pass, canvas, discard, texture_of

PRESENCE_S = 0.8
"""How long the lane takes to come in over the scene and to leave when the generator is gone."""
CRISP = 0.6
"""Sharpening of a picture that is enlarged three times and more."""
GRAIN = 0.016


def cover(picture: tuple[int, int], target: tuple[int, int]) -> tuple[float, float]:
    """Share (x, y) of a picture that shows when it fills a target of another shape without distortion."""
    ratio = (target[0] / target[1]) / (picture[0] / picture[1])
    return min(ratio, 1.0), min(1.0 / ratio, 1.0)


class PictureLane:
    """Holds the newest picture and what it replaces. `[main]`

    A picture that arrives in the middle of a fade starts from the mixture then showing, so nothing ever jumps.
    presence: how far the lane is over the scene, 0..1.
    """

    def __init__(self, ctx: moderngl.Context, *, presence: float = 0.0) -> None:
        self._ctx = ctx
        self._mix = Pass(ctx, passes.MIX)
        self._crispen = Pass(ctx, passes.CRISPEN)
        self._upscale = Pass(ctx, passes.UPSCALE)
        self._size = (0, 0)
        self._id: int | None = None
        self._t = 1.0
        self._stale = True
        self._before: moderngl.Texture | None = None
        self.presence = presence

    def step(self, picture: Picture | None, picture_id: int, *, crossfade_s: float, dt_s: float) -> None:
        """Advance by one display frame; uploads only when `picture_id` is new. `picture` is uint8 [h, w, 3]."""
        self._t = 1.0 if crossfade_s <= 0 else min(1.0, self._t + dt_s / crossfade_s)
        self._stale = True
        if picture is not None and picture_id != self._id:
            self._take(picture, picture_id, crossfade_s)
        towards = 1.0 if picture is not None else -1.0
        self.presence = min(1.0, max(0.0, self.presence + towards * dt_s / PRESENCE_S))

    def draw(
        self,
        target: moderngl.Framebuffer,
        *,
        scene: moderngl.Texture,
        scene_mix: float,
        frame: int,
        grain: bool,
    ) -> None:
        """Draw the lane over all of `target`, mixed with `scene` (0 none of it .. 1 only it)."""
        shown, enlarged = self._shown_now(), self._enlarged(target.size)
        if enlarged > 0:
            self._crispen.draw(self._crisp, {"image": shown}, amount=CRISP * enlarged)
        self._upscale.draw(
            target,
            {"image": texture_of(self._crisp) if enlarged > 0 else shown, "scene": scene},
            cover=cover(self._size, target.size),
            scene_mix=scene_mix,
            grain=GRAIN * enlarged if grain else 0.0,
            frame=frame & 0xFFFF,
        )

    def _take(self, picture: Picture, picture_id: int, crossfade_s: float) -> None:
        height, width = picture.shape[:2]
        fresh = self._id is None or (width, height) != self._size
        if fresh:
            self._allocate((width, height))
        else:
            self._before = self._shown_now()
        self._newest = next(texture for texture in self._uploads if texture is not self._before)
        self._newest.write(np.ascontiguousarray(picture, np.uint8))
        self._id = picture_id
        self._t = 1.0 if fresh or crossfade_s <= 0 else 0.0
        self._stale = True

    def _shown_now(self) -> moderngl.Texture:
        if self._t >= 1.0 or self._before is None:
            return self._newest
        if self._stale:
            self._shown = next(frame for frame in self._mixes if texture_of(frame) is not self._before)
            self._mix.draw(self._shown, {"before": self._before, "after": self._newest}, t=self._t)
            self._stale = False
        return texture_of(self._shown)

    def _enlarged(self, target: tuple[int, int]) -> float:
        """0 where the picture is shown at its own size or smaller, 1 from three times enlarged."""
        scale = max(target[0] / self._size[0], target[1] / self._size[1])
        return min(max(scale - 1.0, 0.0) / 2.0, 1.0)

    def _allocate(self, size: tuple[int, int]) -> None:
        self._free()
        self._size, self._before = size, None
        # Two of each: what a fade starts from must stay whole while the next picture or mixture is written.
        self._uploads = [self._ctx.texture(size, 3, alignment=1) for _ in range(2)]
        for texture in self._uploads:
            texture.repeat_x = texture.repeat_y = False
        self._mixes = [canvas(self._ctx, size) for _ in range(2)]
        self._crisp = canvas(self._ctx, size)

    def _free(self) -> None:
        if self._size != (0, 0):
            for texture in self._uploads:
                texture.release()
            discard(*self._mixes, self._crisp)

    def release(self) -> None:
        """Free everything on the GPU."""
        self._free()
        for part in (self._mix, self._crispen, self._upscale):
            part.release()
