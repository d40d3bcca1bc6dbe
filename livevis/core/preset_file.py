"""Presets: TOML files that hold only what differs from the defaults, and the routes.

schema = 1
doc = "one sentence"
[scene]
name = "fire"
[[route]]
source = "bass.level"
target = "scene/intensity"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livevis.core.errors import ConfigError, choices, nearest
from livevis.core.params import Change, Param
from livevis.core.routes import LIMIT, ROUTE_ROWS, Route, checked, differing
from livevis.core.types import Value

if TYPE_CHECKING:
    from tomlkit.items import Table
    from tomlkit.toml_document import TOMLDocument

SCHEMA = 1
SOURCE = "preset"
"""Who a change comes from when a preset makes it."""
_HEAD = ("schema", "doc")
Rows = Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class Preset:
    """A look: the values that differ from the defaults, and the routes that play with it.

    name: the file's, without its ending; path: where it was read, None before it is saved.
    """

    name: str
    values: Mapping[str, Value]
    routes: tuple[Route, ...] = ()
    doc: str = ""
    path: Path | None = None

    def complete(self, rows: Rows) -> dict[str, Value]:
        """Return a value for every saved row: the preset's own, else the default."""
        return {id: self.values.get(id, row.default) for id, row in rows.items() if row.saved}

    def changes(self, rows: Rows, *, since: Preset | None = None) -> list[Change]:
        """Return the one batch that brings a registry to this look, or just what differs from `since`."""
        before = since.complete(rows) if since else {}
        return [
            Change(id, value, source=SOURCE)
            for id, value in self.complete(rows).items()
            if id not in before or before[id] != value
        ]


def load(path: Path, rows: Rows) -> Preset:
    """Read one preset; raises ConfigError naming file, key, value, what is allowed and the nearest name."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return parse(text, rows, file=path)


def parse(text: str, rows: Rows, *, file: Path) -> Preset:
    """Read a preset from its text; `file` gives it its name and is named in errors."""
    try:
        return _read(tomllib.loads(text), rows, file)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _read(document: dict[str, Any], rows: Rows, file: Path) -> Preset:
    if document.get("schema") != SCHEMA:
        raise ConfigError(f"schema = {document.get('schema')!r}: this livevis reads schema = {SCHEMA}")
    doc, tables = document.get("doc", ""), document.get("route", [])
    if not isinstance(doc, str):
        raise ConfigError(f"doc = {doc!r} is not a text")
    if not isinstance(tables, list) or len(tables) > LIMIT:
        raise ConfigError(f"routes are written as [[route]], at most {LIMIT}")
    routes = tuple(_route(table, number, rows) for number, table in enumerate(tables, 1))
    return Preset(file.stem, dict(_values(document, rows)), routes, doc, file)


def _values(document: dict[str, Any], rows: Rows) -> Iterator[tuple[str, Value]]:
    groups = {row.group for row in rows.values() if row.saved}
    for group, table in document.items():
        if group in (*_HEAD, "route"):
            continue
        if group not in {row.group for row in rows.values()} or not isinstance(table, dict):
            raise ConfigError(f"unknown group '{group}'{nearest(group, groups)}; groups: {choices(groups)}")
        for key, value in table.items():
            yield f"{group}/{key}", _value(group, key, value, rows)


def _value(group: str, key: str, value: object, rows: Rows) -> Value:
    row = rows.get(f"{group}/{key}")
    names = [other.name for other in rows.values() if other.group == group and other.saved]
    if row is None:
        raise ConfigError(f"[{group}] has no key '{key}'{nearest(key, names)}; keys: {choices(names)}")
    if not row.saved:
        raise ConfigError(f"[{group}] {key} belongs to the session, not to a look; keys: {choices(names)}")
    return _exactly(row, value, f"[{group}] {key}")


def _exactly(row: Param, value: object, where: str) -> Value:
    """A file must mean what it says: nothing is clipped or converted, save a whole number for a float."""
    typed = isinstance(value, bool) == (row.kind == "bool") and isinstance(value, str | float | int)
    try:
        legal = row.coerce(value) if typed else None
    except ConfigError:
        legal = None
    if legal is None or legal != value:
        close = nearest(str(value), row.choices)
        raise ConfigError(f"{where} = {value!r}{close}: allowed {row.allowed()}")
    return legal


def _route(table: object, number: int, rows: Rows) -> Route:
    if not isinstance(table, dict) or not {"source", "target"} <= table.keys():
        raise ConfigError(f"route {number} needs a source and a target")
    for key, value in table.items():
        if key not in ROUTE_ROWS:
            close = nearest(key, ROUTE_ROWS)
            raise ConfigError(f"route {number} has no key '{key}'{close}; keys: {choices(ROUTE_ROWS)}")
        _exactly(ROUTE_ROWS[key], value, f"route {number}: {key}")
    try:
        return checked(Route(**table), rows)
    except ConfigError as error:
        raise ConfigError(f"route {number}: {error}") from None


def save(path: Path, preset: Preset, rows: Rows, *, template: Path | None = None) -> None:
    """Write a preset atomically: a reader, or a crash, finds the old file or the new one, never half of it.

    Comments and order of the file at `path`, else of `template`, are kept. Raises ConfigError when the folder
    cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        old = next((file for file in (path, template) if file and file.exists()), None)
        _replace(path, _legible(preset, rows, old.read_text(encoding="utf-8") if old else ""))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be saved: {error}") from None


def _legible(preset: Preset, rows: Rows, onto: str) -> str:
    """Write over `onto`, unless what is wrong in there (an edit that failed) would spoil the result."""
    text = dump(preset, rows, onto=onto)
    try:
        parse(text, rows, file=Path(preset.name))
    except ConfigError:
        return dump(preset, rows)
    return text


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def dump(preset: Preset, rows: Rows, *, onto: str = "") -> str:
    """Return the preset as TOML, written over the text `onto` so that its comments stay.

    On a blank page stands what differs from the defaults; a key that `onto` names stays, whatever its value.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(onto)
    except TOMLKitError:  # a broken file has no order worth keeping
        document = tomlkit.document()
    document.update({"schema": SCHEMA, "doc": preset.doc or document.get("doc", "")})
    groups: dict[str, dict[str, Value]] = {}
    for id, value in preset.complete(rows).items():
        named = document.get(rows[id].group)
        if value != rows[id].default or (isinstance(named, dict) and rows[id].name in named):
            groups.setdefault(rows[id].group, {})[rows[id].name] = value
    for group, wanted in groups.items():
        _write_group(document, group, wanted)
    _write_routes(document, preset.routes)
    return tomlkit.dumps(document)


def _write_group(document: TOMLDocument, group: str, wanted: Mapping[str, Value]) -> None:
    from tomlkit.items import Table

    table = document.get(group)
    if isinstance(table, Table):
        _rewrite(table, wanted)
    else:
        document[group] = dict(wanted)


def _rewrite(table: Table, wanted: Mapping[str, Value]) -> None:
    """Make `table` hold just `wanted`; what follows its last key (the next table's comment) stays last."""
    for key in [key for key in table if key not in wanted]:
        del table[key]
    body = table.value.body
    tail = len(body)
    while tail and body[tail - 1][0] is None:
        tail -= 1
    trailing = body[tail:]
    del body[tail:]
    table.update(wanted)
    body.extend(trailing)


def _write_routes(document: TOMLDocument, routes: tuple[Route, ...]) -> None:
    import tomlkit
    from tomlkit.items import AoT

    tables = document.get("route")
    if not isinstance(tables, AoT):
        document.pop("route", None)
        tables = tomlkit.aot()
    del tables[len(routes) :]
    for table, route in zip(tables, routes, strict=False):
        named = {key: value for key, value in asdict(route).items() if key in table}
        _rewrite(table, named | differing(route))
    for route in routes[len(tables) :]:
        table = tomlkit.table()
        table.update(differing(route))
        table.add(tomlkit.nl())
        tables.append(table)
    if "route" in document or not routes:
        return
    document["route"] = tables
