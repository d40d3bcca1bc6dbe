"""The window: GLFW on the main thread, vsync, full screen on any monitor and back, keys as names."""

from __future__ import annotations

import os
import sys
from typing import Any

import glfw
import moderngl

from livevis.core.errors import StageError
from livevis.core.types import Picture
from livevis.stage.monitors import Monitor, find_monitor
from livevis.stage.passes import canvas, discard
from livevis.stage.surface import read_picture, renderer

KEYS: dict[int, str] = {
    glfw.KEY_F: "fullscreen",
    glfw.KEY_B: "blackout",
    glfw.KEY_Z: "freeze",
    glfw.KEY_SPACE: "freeze",
    glfw.KEY_N: "next",
    glfw.KEY_P: "previous",
    glfw.KEY_H: "hud",
    glfw.KEY_T: "tap",
    glfw.KEY_R: "resync",
    glfw.KEY_Q: "quit",
    glfw.KEY_ESCAPE: "quit",
}
"""Key -> what it asks for, by position on a US keyboard."""


class Window:
    """A window of `size` pixels; implements `Surface`. `[main]` Raises StageError.

    Everything is drawn into a framebuffer of the window's own and copied to the screen by `present`, so that `read`
    returns the picture after it was shown, when a window's back buffer holds anything at all.
    Open it before any offscreen context of the same process: Mesa does not survive the other order.
    """

    def __init__(
        self, size: tuple[int, int], *, title: str = "livevis", vsync: bool = True, reason: str = "asked for"
    ) -> None:
        platform = _start()
        self._window = _create(size, title)
        glfw.make_context_current(self._window)
        glfw.swap_interval(1 if vsync else 0)
        self.ctx = moderngl.create_context(require=330)
        self._frame = canvas(self.ctx, self._pixels())
        self._pressed: list[str] = []
        self._place = (*glfw.get_window_pos(self._window), *size)
        self._monitor: Monitor | None = None
        self.notice = ""
        glfw.set_key_callback(self._window, self._on_key)
        self.chosen = f"window {size[0]}x{size[1]} on {platform}, {renderer(self.ctx)} ({reason})"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, now."""
        return self._frame.width, self._frame.height

    @property
    def framebuffer(self) -> moderngl.Framebuffer:
        """What to draw into; a new one after every change of size."""
        return self._frame

    def begin(self) -> moderngl.Framebuffer:
        """Handle events, follow the window's size and monitors, make the context current."""
        glfw.poll_events()
        glfw.make_context_current(self._window)
        if self._monitor is not None and not glfw.get_window_monitor(self._window):
            self._to_window(f"monitor {self._monitor.name} is gone")
        pixels = self._pixels()
        if pixels != self.size and min(pixels) > 0:  # 0 while minimised
            discard(self._frame)
            self._frame = canvas(self.ctx, pixels)
        return self._frame

    def present(self) -> None:
        """Copy to the screen and swap, which waits for the display's vsync without holding the interpreter."""
        screen = self.ctx.screen
        if screen is not None and min(self._pixels()) > 0:
            screen.viewport = (0, 0, *self.size)
            self.ctx.copy_framebuffer(screen, self._frame)
        glfw.swap_buffers(self._window)

    def should_close(self) -> bool:
        """True once the user has closed the window."""
        return bool(glfw.window_should_close(self._window))

    def events(self) -> list[str]:
        """Return the names (values of KEYS) of keys pressed since the last call."""
        pressed, self._pressed = self._pressed, []
        return pressed

    def show(self, fullscreen: bool, monitor: int | str = 0) -> str:
        """Fill a monitor, by index from 0 or by part of its name, or go back to the window; says what was done."""
        if not fullscreen:
            return self._to_window("asked for")
        chosen = find_monitor(monitor)
        if self._monitor is None:
            self._place = (*glfw.get_window_pos(self._window), *glfw.get_window_size(self._window))
        mode = glfw.get_video_mode(chosen.handle)
        glfw.set_window_monitor(self._window, chosen.handle, 0, 0, *mode.size, mode.refresh_rate)
        glfw.set_input_mode(self._window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        self._monitor = chosen
        self.notice = f"full screen on {chosen.name}, {mode.size.width}x{mode.size.height}"
        return self.notice

    def read(self) -> Picture:
        """Return the picture last drawn, top row first. Waits for the GPU."""
        return read_picture(self._frame)

    def close(self) -> None:
        """Free the context and destroy the window."""
        discard(self._frame)
        self.ctx.release()
        glfw.destroy_window(self._window)

    def _to_window(self, why: str) -> str:
        glfw.set_window_monitor(self._window, None, *self._place, 0)  # type: ignore[arg-type]  # None: no monitor
        glfw.set_input_mode(self._window, glfw.CURSOR, glfw.CURSOR_NORMAL)
        self._monitor = None
        self.notice = f"window ({why})"
        return self.notice

    def _pixels(self) -> tuple[int, int]:
        width, height = glfw.get_framebuffer_size(self._window)
        return width, height

    def _on_key(self, window: Any, key: int, scancode: int, action: int, mods: int) -> None:
        if action == glfw.PRESS and key in KEYS:
            self._pressed.append(KEYS[key])


def _start() -> str:
    """Start GLFW; returns the platform's name. Calling it again does no harm."""
    glfw.set_error_callback(_remember)
    _complaint.clear()
    platform = sys.platform
    if sys.platform.startswith("linux") and os.environ.get("DISPLAY"):
        # A Wayland client cannot choose its full-screen monitor reliably; through XWayland it can.
        glfw.init_hint(glfw.PLATFORM, glfw.PLATFORM_X11)
        platform = "XWayland" if os.environ.get("WAYLAND_DISPLAY") else "X11"
    if not glfw.init():
        raise StageError(f"no window: GLFW did not start: {_why()}")
    return platform


def _create(size: tuple[int, int], title: str) -> Any:
    glfw.default_window_hints()
    hints = {
        glfw.CONTEXT_VERSION_MAJOR: 3,
        glfw.CONTEXT_VERSION_MINOR: 3,
        glfw.OPENGL_PROFILE: glfw.OPENGL_CORE_PROFILE,
        glfw.OPENGL_FORWARD_COMPAT: True,
        glfw.AUTO_ICONIFY: False,  # the show stays up when the performer clicks on another monitor
        glfw.DEPTH_BITS: 0,
        glfw.STENCIL_BITS: 0,
    }
    for hint, value in hints.items():
        glfw.window_hint(hint, value)
    window = glfw.create_window(*size, title, None, None)
    if not window:
        raise StageError(f"no window of {size[0]}x{size[1]}: {_why()}")
    return window


_complaint: list[str] = []
"""GLFW reports errors through one callback for the whole process; the last one explains a failed call."""


def _remember(code: int, message: str | bytes) -> None:
    _complaint[:] = [message.decode(errors="replace") if isinstance(message, bytes) else message]


def _why() -> str:
    return _complaint[0] if _complaint else "it gives no reason"
