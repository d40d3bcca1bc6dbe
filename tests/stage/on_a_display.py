"""The window on a real X display. Run by test_surface.py in a process of its own: Mesa does not survive a window after
an EGL context in one process, and the other tests of the stage have one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import ImageGrab

from livevis.core.errors import StageError
from livevis.stage.surface import Surface, has_display, open_surface


@pytest.fixture
def display() -> str:
    return os.environ["DISPLAY"]


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Surface]:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    surface = open_surface("auto", (400, 300), vsync=False)
    yield surface
    surface.close()


def show(window: Surface, colour: tuple[float, float, float], frames: int = 3) -> None:
    for _ in range(frames):
        window.begin().clear(*colour, 1.0)
        window.present()


def until(window: Surface, done: object, seconds: float = 10.0) -> list[str]:
    """Run the window until `done(names so far)`; returns the names of the keys that came."""
    names: list[str] = []
    end = time.monotonic() + seconds
    while not done(names) and time.monotonic() < end:  # type: ignore[operator]
        show(window, (0.1, 0.1, 0.1), frames=1)
        names += window.events()
        time.sleep(0.01)
    return names


def on_screen(display: str) -> np.ndarray:
    """What the X server shows, asked by another client."""
    return np.asarray(ImageGrab.grab(xdisplay=display).convert("RGB")).astype(int)


def test_auto_opens_a_window_where_there_is_a_display(window: Surface, display: str) -> None:
    assert has_display() == (True, f"DISPLAY is {display}")
    assert window.chosen.startswith("window 400x300") and display in window.chosen
    assert window.size == (400, 300)


def test_what_is_drawn_is_on_the_screen_and_can_be_read_after_it_was_shown(window: Surface, display: str) -> None:
    show(window, (1.0, 0.5, 0.0))
    read = window.read()
    assert read.shape == (300, 400, 3) and np.abs(read.astype(int) - (255, 128, 0)).max() <= 1
    screen = on_screen(display)
    assert (np.abs(screen - (255, 128, 0)).max(axis=2) <= 2).sum() == 400 * 300


def test_the_picture_is_upright_on_the_screen(window: Surface, display: str) -> None:
    for _ in range(3):
        frame = window.begin()
        frame.clear(0.0, 0.0, 1.0, 1.0)
        frame.clear(1.0, 0.0, 0.0, 1.0, viewport=(0, 150, 400, 150))  # GL counts from the bottom: the upper half
        window.present()
    assert window.read()[0, 0].tolist() == [255, 0, 0]
    screen = on_screen(display)
    red, blue = (np.abs(screen - colour).max(axis=2) <= 2 for colour in ((255, 0, 0), (0, 0, 255)))
    assert np.nonzero(red)[0].mean() < np.nonzero(blue)[0].mean()


def test_keys_arrive_as_names(window: Surface, display: str) -> None:
    keys = ["f", "b", "z", "space", "n", "p", "h", "t", "r", "q", "Escape", "x"]
    wanted = ["fullscreen", "blackout", "freeze", "freeze", "next", "previous", "hud", "tap", "resync", "quit", "quit"]
    until(window, lambda names: False, seconds=0.2)
    subprocess.run(["xdotool", "key", "--delay", "20", *keys], env=os.environ | {"DISPLAY": display}, check=True)
    assert until(window, lambda names: len(names) >= len(wanted)) == wanted
    assert window.events() == [] and not window.should_close()


def test_full_screen_by_index_and_name_and_back(window: Surface) -> None:
    from livevis.stage.monitors import monitors

    (monitor,) = monitors()
    for wanted in (0, monitor.name[:4].upper()):
        assert "full screen" in window.show(True, wanted)
        until(window, lambda names: window.size == monitor.size)
        assert window.size == monitor.size == (1024, 600)
        window.show(False)
        until(window, lambda names: window.size == (400, 300))
        assert window.size == (400, 300)
    with pytest.raises(StageError, match=r"no monitor 7; choose from: 0 "):
        window.show(True, 7)


def test_a_monitor_that_goes_leaves_a_window(window: Surface) -> None:
    import glfw

    from livevis.stage.window import Window

    assert isinstance(window, Window)
    window.show(True, 0)
    until(window, lambda names: window.size == (1024, 600))
    # What GLFW does by itself, before it tells anybody, when the monitor of a full-screen window is unplugged.
    glfw.set_window_monitor(window._window, None, 0, 0, 700, 500, 0)
    until(window, lambda names: window.size == (400, 300))
    assert window.size == (400, 300) and "is gone" in window.notice


def test_closing_the_window_ends_the_show(window: Surface) -> None:
    import glfw

    from livevis.stage.window import Window

    assert isinstance(window, Window) and not window.should_close()
    glfw.set_window_should_close(window._window, True)
    assert window.should_close()
