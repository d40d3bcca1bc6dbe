"""What a picture can be shown on: one contract for windows and for no display at all, and the choice between them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Protocol

import moderngl

from livevis.core.errors import StageError, unknown
from livevis.core.types import Picture

SURFACES = ("auto", "window", "offscreen")
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "software", "gdi generic")


class Surface(Protocol):
    """A place to draw. `[main]`: every call belongs to the thread that opened it."""

    ctx: moderngl.Context
    chosen: str
    """What this is and why it was taken, for the log and the HUD."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, now."""
        ...

    @property
    def framebuffer(self) -> moderngl.Framebuffer:
        """What to draw into; ask again each frame, it changes with the size."""
        ...

    def begin(self) -> moderngl.Framebuffer:
        """Handle what the system reports, make the context current, return the framebuffer."""
        ...

    def present(self) -> None:
        """Show what was drawn; a window waits for the display here."""
        ...

    def should_close(self) -> bool:
        """True once the user has asked to leave."""
        ...

    def events(self) -> list[str]:
        """Return the key names (`KEYS` in stage.window) pressed since the last call."""
        ...

    def show(self, fullscreen: bool, monitor: int | str = 0) -> str:
        """Go to full screen on a monitor or back to a window; says what was done."""
        ...

    def read(self) -> Picture:
        """Return what is in the framebuffer, top row first. Waits for the GPU."""
        ...

    def close(self) -> None:
        """Free the context and the window."""
        ...


def renderer(ctx: moderngl.Context) -> str:
    """Name of the GL renderer, such as 'llvmpipe (LLVM 15)'."""
    return str(ctx.info["GL_RENDERER"])


def is_software(ctx: moderngl.Context) -> bool:
    """True where the processor draws, and every pixel counts."""
    return any(name in renderer(ctx).lower() for name in _SOFTWARE)


def read_picture(frame: moderngl.Framebuffer) -> Picture:
    """Read `frame` back as uint8 [height, width, 3], top row first. Waits for the GPU."""
    import numpy as np

    width, height = frame.size
    flat = np.frombuffer(frame.read(components=3, alignment=1), np.uint8)
    return np.ascontiguousarray(flat.reshape(height, width, 3)[::-1])


def has_display() -> tuple[bool, str]:
    """Say whether a window can be expected to open, and why."""
    if sys.platform in ("win32", "darwin"):
        return True, f"{sys.platform} always has a desktop"
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        if os.environ.get(name):
            return True, f"{name} is {os.environ[name]}"
    return False, "neither DISPLAY nor WAYLAND_DISPLAY is set"


def candidates() -> Iterator[tuple[str, str]]:
    """Yield (surface, reason) in the order in which `auto` tries them."""
    display, reason = has_display()
    if display:
        yield "window", reason
        yield "offscreen", "no window could be opened"
    else:
        yield "offscreen", reason


def open_surface(
    name: str = "auto", size: tuple[int, int] = (1280, 720), *, title: str = "livevis", vsync: bool = True
) -> Surface:
    """Open a surface of `size` pixels; `auto` tries `candidates()` and says in `.chosen` what it took and why.

    A named surface never falls back. Raises StageError.
    """
    if name not in SURFACES:
        raise StageError(unknown("surface", name, SURFACES))
    tries = candidates() if name == "auto" else iter([(name, "asked for")])
    failures: list[str] = []
    for kind, reason in tries:
        try:
            return _open(kind, size, title, vsync, "; ".join([reason, *failures]))
        except StageError as error:
            failures.append(str(error))
    raise StageError("; ".join(failures))


def _open(kind: str, size: tuple[int, int], title: str, vsync: bool, reason: str) -> Surface:
    if kind == "window":
        from livevis.stage.window import Window

        return Window(size, title=title, vsync=vsync, reason=reason)
    from livevis.stage.offscreen import Offscreen

    return Offscreen(size, reason=reason)
