"""Window and offscreen behind one contract, on a real X display and on none."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from livevis.core.errors import StageError
from livevis.stage.surface import Surface, open_surface


def run_apart(script: str, **env: str) -> str:
    """Run a script in a process of its own, without a display unless `env` names one."""
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=bare | env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_display_auto_is_offscreen_and_says_why() -> None:
    said = run_apart("""
        import sys
        from livevis.stage.surface import open_surface
        surface = open_surface("auto", (64, 32))
        frame = surface.begin()
        frame.clear(1.0, 0.0, 0.0, 1.0)
        surface.present()
        print(surface.chosen, surface.read().tolist()[0][0], surface.read().shape)
        print(sorted({"torch", "glfw"} & set(sys.modules)))
    """)
    assert "offscreen 64x32" in said and "neither DISPLAY nor WAYLAND_DISPLAY" in said
    assert "[255, 0, 0] (32, 64, 3)" in said and "[]" in said


def test_with_a_dead_display_auto_tries_says_so_and_goes_on() -> None:
    said = run_apart(
        "from livevis.stage.surface import open_surface; print(open_surface('auto', (64, 32)).chosen)", DISPLAY=":987"
    )
    assert "offscreen" in said and "no window" in said


def test_a_named_window_never_falls_back() -> None:
    said = run_apart("""
        from livevis.core.errors import StageError
        from livevis.stage.surface import open_surface
        try:
            open_surface("window", (64, 32))
        except StageError as error:
            print("refused:", error)
    """)
    assert "refused: no window" in said


def test_every_surface_keeps_the_whole_contract() -> None:
    from livevis.stage.offscreen import Offscreen
    from livevis.stage.window import Window

    for name, member in inspect.getmembers(Surface):
        if name.startswith("_"):
            continue
        for kind in (Window, Offscreen):
            assert hasattr(kind, name), f"{kind.__name__} lacks {name}"
            if inspect.isfunction(member):
                assert inspect.signature(getattr(kind, name)) == inspect.signature(member)


def test_unknown_surface_names_the_choices() -> None:
    with pytest.raises(StageError, match=r"windo.*did you mean 'window'.*offscreen"):
        open_surface("windo")


def test_the_window_on_a_display(display: str) -> None:
    tests = Path(__file__).with_name("on_a_display.py")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(tests)]
    root = Path(__file__).parents[2]
    env = os.environ | {"DISPLAY": display}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout
