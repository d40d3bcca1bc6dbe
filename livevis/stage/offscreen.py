"""A surface without a display: EGL, for servers, tests and offline renders."""

from __future__ import annotations

import sys
from typing import Any

import moderngl

from livevis.core.errors import StageError
from livevis.core.types import Picture
from livevis.stage.passes import canvas, discard
from livevis.stage.surface import read_picture, renderer


class Offscreen:
    """A framebuffer of `size` pixels in a context of its own; implements `Surface`. Raises StageError."""

    def __init__(self, size: tuple[int, int] = (1280, 720), *, reason: str = "asked for") -> None:
        self.ctx = standalone_context()
        self._frame = canvas(self.ctx, size)
        self.chosen = f"offscreen {size[0]}x{size[1]} on {renderer(self.ctx)} ({reason})"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self._frame.size
        return width, height

    @property
    def framebuffer(self) -> moderngl.Framebuffer:
        """The one framebuffer."""
        return self._frame

    def begin(self) -> moderngl.Framebuffer:
        """Make the context current."""
        self.ctx.__enter__()  # type: ignore[no-untyped-call]
        return self._frame

    def present(self) -> None:
        """Wait until the picture is drawn, as a window does: rates and latencies are then those of drawn frames."""
        self.ctx.finish()

    def should_close(self) -> bool:
        """Nobody can close it."""
        return False

    def events(self) -> list[str]:
        """Nobody can press a key."""
        return []

    def show(self, fullscreen: bool, monitor: int | str = 0) -> str:
        """There is no monitor; says so."""
        return "offscreen: there is no monitor to fill" if fullscreen else "offscreen"

    def read(self) -> Picture:
        """Return the picture, top row first."""
        return read_picture(self._frame)

    def close(self) -> None:
        """Free the context."""
        discard(self._frame)
        self.ctx.release()


def standalone_context() -> moderngl.Context:
    """Return an OpenGL 3.3 context that needs no display; raises StageError saying what to install."""
    # Linux without a display needs EGL; elsewhere the platform's own standalone context is the way.
    options: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    try:
        return moderngl.create_context(standalone=True, require=330, **options)
    except Exception as error:  # glcontext raises bare Exceptions of many wordings
        hint = " (Debian/Ubuntu: apt install libegl1 libgl1-mesa-dri)" if options else ""
        raise StageError(f"no offscreen OpenGL 3.3 context: {error}{hint}") from error
