"""The monitors that a window can fill, by index or by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import glfw

from livevis.core.errors import StageError, choices


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor: index from 0 (0 is the primary one), the name its maker gave it, its size in pixels."""

    index: int
    name: str
    size: tuple[int, int]
    handle: Any


def monitors() -> list[Monitor]:
    """List the connected monitors; GLFW must have been started by a Window. `[main]`"""
    found = []
    for index, handle in enumerate(glfw.get_monitors()):
        name = glfw.get_monitor_name(handle)
        mode = glfw.get_video_mode(handle)
        found.append(
            Monitor(
                index,
                name.decode() if isinstance(name, bytes) else str(name),
                (mode.size.width, mode.size.height),
                handle,
            )
        )
    return found


def find_monitor(wanted: int | str) -> Monitor:
    """Return a monitor by index from 0 or by part of its name, whatever the case. Raises StageError listing them."""
    found = monitors()
    for monitor in found:
        by_name = isinstance(wanted, str) and wanted.lower() in monitor.name.lower()
        if by_name or wanted == monitor.index:
            return monitor
    legal = choices(f"{monitor.index} {monitor.name}" for monitor in found)
    raise StageError(f"no monitor {wanted!r}; choose from: {legal}")
