"""The performer's and the bundled presets as one list of names; files edited while they play; morphing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from livevis.core.errors import ConfigError, choices, nearest
from livevis.core.params import Param, Registry
from livevis.core.places import assets, user_presets
from livevis.core.preset_file import Preset, Rows, load, save
from livevis.core.routes import Route
from livevis.core.types import Value

__all__ = ["Preset", "PresetFolder", "blend", "load", "save"]

_NAME = re.compile(r"\w[\w -]{0,63}")
_Stamp = tuple[int, int] | None


class PresetFolder:
    """Presets by name: a file in the performer's folder hides the bundled one of the same name. [owner]

    bundled, user: the folders, by default those of `core.places`; the user's need not exist before the first
    save. Names are listed afresh each time, so a file that is dropped in is there.
    """

    def __init__(self, registry: Registry, *, bundled: Path | None = None, user: Path | None = None) -> None:
        self._registry = registry
        self._bundled = bundled or assets("presets")
        self._user = user or user_presets()
        self._stamps: dict[Path, _Stamp] = {}

    def names(self) -> tuple[str, ...]:
        """Return all preset names, sorted."""
        folders = (self._user, self._bundled)
        return tuple(sorted({file.stem for folder in folders for file in folder.glob("[!.]*.toml")}))

    def path(self, name: str) -> Path:
        """Return the file of a preset by name, or a path that ends in .toml; ConfigError with the nearest."""
        if name.endswith(".toml"):
            try:
                return Path(name).expanduser()
            except RuntimeError as error:  # the home of somebody who does not exist
                raise ConfigError(f"preset '{name}': {error}") from None
        for folder in (self._user, self._bundled):
            file = folder / f"{_plain(name)}.toml"
            if os.path.isfile(file):  # unlike Path.is_file it never raises, whatever the name is made of
                return file
        names = self.names()
        raise ConfigError(f"unknown preset '{name}'{nearest(name, names)}; presets: {choices(names)}")

    def load(self, name: str) -> Preset:
        """Read a preset by name or file; raises ConfigError naming file, key, value and what is allowed."""
        path = self.path(name)
        self._stamps[path] = _stamp(path)  # before reading: a write in between is seen by changed()
        return load(path, self._registry.rows)

    def changed(self, preset: Preset) -> Preset | None:
        """Return the preset read again if its file was written since, else None.

        A bad edit raises ConfigError once and is then left alone until the next write, as is a file that is
        gone; the caller goes on with `preset`. Costs one stat of the file.
        """
        path = preset.path
        now = _stamp(path) if path else None
        if path is None or now is None or now == self._stamps.get(path):
            return None
        self._stamps[path] = now
        return load(path, self._registry.rows)

    def next(self, name: str) -> str:
        """Return the name after `name`, round the end; the first for a name that is not there."""
        return self._neighbour(name, +1)

    def previous(self, name: str) -> str:
        """Return the name before `name`, round the end; the last for a name that is not there."""
        return self._neighbour(name, -1)

    def _neighbour(self, name: str, by: int) -> str:
        names = self.names()
        if not names:
            raise ConfigError(f"no presets in {self._user} or {self._bundled}")
        if name in names:
            return names[(names.index(name) + by) % len(names)]
        return names[0 if by > 0 else -1]

    def save(self, name: str, routes: Iterable[Route], *, doc: str = "") -> Path:
        """Save the performer's present values and `routes` in the performer's folder and return the file.

        Comments of the file that is written over, else of the bundled one of that name, stay, and so does its
        `doc` when none is given. Raises ConfigError for a name with a path in it, or when writing fails.
        """
        path = self._user / f"{_plain(name)}.toml"
        base = self._registry.base().values
        rows = self._registry.rows
        values = {id: base[id] for id, row in rows.items() if row.saved and base[id] != row.default}
        preset = Preset(name, values, tuple(routes), doc, path)
        save(path, preset, rows, template=self._bundled / path.name)
        self._stamps[path] = _stamp(path)
        return path


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"'{name[:80]}' is no preset name: letters, digits, space, - and _ only, at most 64")
    return name


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def blend(rows: Rows, before: Mapping[str, Value], after: Mapping[str, Value], x: float) -> dict[str, Value]:
    """Return the way from `before` to `after` at `x` 0..1: floats glide along their knobs, all else jumps.

    A wrapping parameter takes the shorter way round.
    """
    return {id: _between(rows[id], before[id], value, x) for id, value in after.items()}


def _between(row: Param, before: Value, after: Value, x: float) -> Value:
    if row.kind != "float" or x >= 1 or before == after:
        return after
    start, way = row.to_norm(before), row.to_norm(after) - row.to_norm(before)
    if row.bounds == "wrap":
        way -= round(way)
        return row.from_norm((start + x * way) % 1.0)
    return row.from_norm(start + x * way)
