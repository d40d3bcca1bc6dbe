"""Every error livevis raises: one line that names the thing, the value and the legal choices."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LivevisError(Exception):
    """Base of all livevis errors; `str(error)` is one line that a performer can act on."""


class ConfigError(LivevisError):
    """A parameter, preset, route or flag holds something illegal."""


class DeviceError(LivevisError):
    """An audio device or file cannot be opened or has gone."""


class ShaderError(LivevisError):
    """A shader cannot be read, compiled or run."""


class EngineError(LivevisError):
    """An engine's folder, recipe or weights cannot be used."""


class CapabilityError(LivevisError):
    """Something was asked that the chosen engine, runner or machine does not offer."""


class StageError(LivevisError):
    """No window or offscreen context can be made, or an output cannot be written."""


def choices(names: Iterable[str]) -> str:
    """List legal names for an error message, sorted and comma-separated."""
    return ", ".join(sorted(names)) or "none"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" for the closest legal name, or an empty string."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """Say in one line that a name is unknown, the nearest legal one and all legal ones."""
    legal = list(names)
    return f"unknown {kind} '{name}'{nearest(name, legal)}; choose from: {choices(legal)}"


def one_line(error: Exception, trouble: str) -> str:
    """Return what went wrong as one line: our own errors speak for themselves, others are named after `trouble`."""
    said = str(error) if isinstance(error, LivevisError) else f"{trouble}: {type(error).__name__}: {error}"
    return " ".join(said.split())
