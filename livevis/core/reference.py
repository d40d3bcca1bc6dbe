"""The table of parameters for readers: a page of markdown, and rows that become JSON."""

from __future__ import annotations

from collections.abc import Iterable

from livevis.core.features import FEATURES
from livevis.core.modulation import shape_of
from livevis.core.params import Param
from livevis.core.routes import ROUTE_ROWS, SOURCES

ADDRESS = "/livevis/"
_APPLY = {
    "live": "next frame",
    "warm": "text is encoded again",
    "reset": "history is dropped",
    "rebuild": "another engine is loaded",
}
_TYPES = {"float": "f", "int": "i", "bool": "T/F", "enum": "s or i", "text": "s", "trigger": "any"}


def reference(rows: Iterable[Param]) -> str:
    """Return the parameter page as markdown: one table per group, then the routes' fields and sources."""
    groups: dict[str, list[Param]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    parts = ["# Parameters", _INTRODUCTION, *(_group(group, listed) for group, listed in groups.items())]
    return "\n\n".join([*parts, _routes(), _sources()]) + "\n"


def rows_as_json(rows: Iterable[Param]) -> list[dict[str, object]]:
    """Return one JSON-able object per parameter."""
    return [_as_json(row) for row in rows]


def _as_json(row: Param) -> dict[str, object]:
    numeric = row.kind in ("float", "int")
    return {
        "id": row.id,
        "address": ADDRESS + row.id,
        "kind": row.kind,
        "default": None if row.kind == "trigger" else row.default,
        "low": row.low if numeric else None,
        "high": row.high if numeric else None,
        "unit": row.unit,
        "curve": row.curve,
        "bounds": row.bounds,
        "apply": row.apply,
        "safe": list(row.safe) if row.safe else None,
        "choices": list(row.choices),
        "saved": row.saved,
        "doc": row.doc,
    }


_INTRODUCTION = f"""\
Each row is an OSC address: `{ADDRESS}` and the id takes the value in natural units, the same with `/norm` a
knob position 0..1. *Sound* is the range to which routes may drive it; `-` means never. Rows marked `session`
belong to the room and the machine: presets neither hold nor touch them."""


def _group(group: str, rows: list[Param]) -> str:
    lines = [_table_row(row) for row in rows]
    return f"## {group}\n\n" + _table(["id", "OSC", "allowed", "default", "sound", "acts", "what it does"], lines)


def _table_row(row: Param) -> list[str]:
    default = {"trigger": "-", "text": f'"{row.default}"'}.get(row.kind, _shown(row.default))
    safe = f"{row.safe[0]:g}..{row.safe[1]:g}" if row.safe else "-"
    wraps = "" if row.bounds == "clip" else f" ({row.bounds}s)"
    doc = row.doc if row.saved or row.kind == "trigger" else f"{row.doc} · session"
    return [f"`{row.id}`", _TYPES[row.kind], row.allowed() + wraps, default, safe, _APPLY[row.apply], doc]


def _routes() -> str:
    lines = [
        [f"`{row.id}`", "a feature" if row.id == "source" else row.allowed(), _shown(row.default), row.doc]
        for row in ROUTE_ROWS.values()
    ]
    return "## Routes\n\n" + _table(["key", "allowed", "default", "what it does"], lines)


def _sources() -> str:
    listed = [row for row in FEATURES if row.name in SOURCES]
    lines = [[f"`{row.name}`", shape_of(row), row.doc] for row in listed]
    return "## Sources\n\n" + _table(["feature", "acts as", "what it says"], lines)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in [head, rule, *lines])
