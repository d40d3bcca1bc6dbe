"""How rows of the parameter table are written: one function for each kind, with what is usual filled in."""

from __future__ import annotations

from livevis.core.coercion import Bounds, Curve
from livevis.core.params import COMMAND, SESSION, Apply, Param


def number(
    id: str,
    default: float,
    low: float,
    high: float,
    doc: str,
    *,
    unit: str = "",
    safe: tuple[float, float] | None = None,
    bounds: Bounds = "clip",
    curve: Curve = "lin",
    apply: Apply = "live",
    tags: tuple[str, ...] = (),
) -> Param:
    return Param(id, "float", float(default), low, high, curve, unit, 0.0, bounds, apply, safe, doc=doc, tags=tags)


def whole(id: str, default: int, low: int, high: int, doc: str, *, tags: tuple[str, ...] = ()) -> Param:
    return Param(id, "int", default, low, high, step=1, doc=doc, tags=tags)


def switch(id: str, doc: str, *, on: bool = False) -> Param:
    return Param(id, "bool", on, doc=doc, tags=(SESSION,))


def text(id: str, doc: str, *, default: str = "") -> Param:
    return Param(id, "text", default, apply="warm", doc=doc)


def command(id: str, doc: str) -> Param:
    return Param(id, "text", "", doc=doc, tags=(SESSION, COMMAND))


def choice(id: str, choices: tuple[str, ...], doc: str) -> Param:
    return Param(id, "enum", choices[0], choices=choices, doc=doc)


def trigger(id: str, doc: str) -> Param:
    return Param(id, "trigger", False, doc=doc, tags=(SESSION,))
