"""The end of the stage's chain: master brightness, and the flash limiter's hand on the picture."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import moderngl

from livevis.stage import passes
from livevis.stage.flash import FlashLimiter
from livevis.stage.passes import Pass, canvas, discard, texture_of

FADE_OUT_S = 0.12
FADE_IN_S = 0.4
"""Out fast, because a blackout must be obeyed; back gently, so toggling it cannot strobe."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A framebuffer and the brightness it is to be shown with."""

    frame: moderngl.Framebuffer
    scale: float


class Light:
    """Scales and limits the composed picture. `[main]`

    The GPU measures a frame and limits it in the same frame by the bounds of the limiter, which knows every earlier
    frame; what was shown comes back by a buffer read one frame late (16 bytes), so nothing stalls.
    """

    def __init__(self, ctx: moderngl.Context, size: tuple[int, int]) -> None:
        self._limiter = FlashLimiter()
        self._measure, self._allow = Pass(ctx, passes.MEASURE), Pass(ctx, passes.ALLOW)
        self._limit = Pass(ctx, passes.LIMIT)
        self._grid = canvas(ctx, (16, 16), "f4", 1)
        self._allowed = canvas(ctx, (1, 1), "f4")
        self._back = ctx.buffer(reserve=16)
        self._pending_s: float | None = None
        self._ctx = ctx
        self._frames = self._pair(size)
        self._fade = 1.0
        self.shown = Shown(self._frames[0], 0.0)
        self.luminance = 0.0
        self.gain = 1.0

    def draw(
        self,
        composed: moderngl.Framebuffer,
        *,
        time_s: float,
        dt_s: float,
        brightness: float,
        blackout: bool,
        limit: bool,
    ) -> Shown:
        """Return what may be shown of `composed` at `time_s`; its framebuffer must stay whole for one more frame."""
        self._read_back()
        self._fade = min(1.0, max(0.0, self._fade + dt_s / (-FADE_OUT_S if blackout else FADE_IN_S)))
        scale = brightness * self._fade
        low, high = self._limiter.limits(time_s) if limit else (0.0, 1.0)
        bounds = (0.0 if blackout else low, high, self._limiter.shown or 0.0)
        self._measure.draw(self._grid, {"image": texture_of(composed)}, brightness=scale)
        self._allow.draw(self._allowed, {"image": texture_of(self._grid)}, limits=bounds)
        self._allowed.read_into(self._back, components=4, dtype="f4")
        self._pending_s = time_s
        fresh = Shown(composed, scale)
        self.shown = fresh if bounds[:2] == (0.0, 1.0) else self._limited(fresh)
        return self.shown

    def _limited(self, fresh: Shown) -> Shown:
        into = next(frame for frame in self._frames if frame is not self.shown.frame)
        images = {
            "image": texture_of(fresh.frame),
            "shown": texture_of(self.shown.frame),
            "allowed": texture_of(self._allowed),
        }
        self._limit.draw(into, images, scale=fresh.scale, shown_scale=self.shown.scale)
        return Shown(into, 1.0)

    def resize(self, size: tuple[int, int]) -> None:
        """Take new buffers; the limiter's memory stays."""
        discard(*self._frames)
        self._frames = self._pair(size)
        self.shown = Shown(self._frames[0], 0.0)

    def _read_back(self) -> None:
        if self._pending_s is not None:
            self.luminance, self.gain = array("f", self._back.read())[:2]
            self._limiter.note(min(max(self.luminance, 0.0), 1.0), self._pending_s)

    def _pair(self, size: tuple[int, int]) -> tuple[moderngl.Framebuffer, moderngl.Framebuffer]:
        return canvas(self._ctx, size), canvas(self._ctx, size)

    def release(self) -> None:
        """Free everything on the GPU."""
        discard(self._grid, self._allowed, *self._frames)
        for part in (self._measure, self._allow, self._limit, self._back):
            part.release()
