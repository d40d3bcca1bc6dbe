"""Where the files that come with livevis lie, and where the performer's own are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

from livevis.core.errors import ConfigError

AssetKind = Literal["shaders", "presets", "engines"]
_PACKAGE = Path(__file__).resolve().parents[1]


def candidates(kind: AssetKind) -> tuple[Path, Path]:
    """Return the two folders in which `kind` may lie: inside the wheel, beside the package."""
    return _PACKAGE / "_assets" / kind, _PACKAGE.parent / kind


def assets(kind: AssetKind) -> Path:
    """Return the folder of bundled `kind`, in a checkout, an editable install or a wheel.

    Raises ConfigError naming both places when neither exists.
    """
    places = candidates(kind)
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"no {kind} folder: neither {places[0]} nor {places[1]} exists; reinstall livevis")


def user_presets() -> Path:
    """Return where the performer's presets are kept: LIVEVIS_PRESETS, else the platform's settings folder.

    The folder need not exist.
    """
    chosen = os.environ.get("LIVEVIS_PRESETS", "")
    return Path(chosen).expanduser() if chosen else _settings() / "livevis" / "presets"


def _settings() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "") or Path.home() / "AppData" / "Roaming")
    return Path(os.environ.get("XDG_CONFIG_HOME", "") or Path.home() / ".config")
