"""Routes as data: which feature of the sound drives which parameter, how far and how fast."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal

from livevis.core.errors import ConfigError, choices, nearest, unknown
from livevis.core.features import FEATURES
from livevis.core.params import Param, unknown_param
from livevis.core.types import Value

RouteOp = Literal["add", "multiply", "replace"]
SOURCES = tuple(row.name for row in FEATURES if row.name != "next_beat_time")
"""Every feature but the one that is a date rather than a level, a count or a clock."""
LIMIT = 64
"""Most routes that play at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the modulation table.

    The source, brought to 0..1 by its natural range, times gain, less threshold (the rest stretched to 0..1),
    to the power of curve, follows attack and release, then spans low..high in the target's units (low > high
    inverts) and is added to, multiplied with or put in place of the performer's value. A count (onset, beat)
    acts as a pulse that rises in attack_s and then releases; a clock (bass.time) as a ramp 0..1 that turns
    gain times for each second the clock counts.
    """

    source: str
    target: str
    gain: float = 1.0
    threshold: float = 0.0
    attack_s: float = 0.0
    release_s: float = 0.2
    curve: float = 1.0
    low: float = 0.0
    high: float = 1.0
    op: RouteOp = "add"
    enabled: bool = True


ROUTE_ROWS: Mapping[str, Param] = {
    row.id: row
    for row in (
        Param("source", "enum", "level", choices=SOURCES, doc="the feature of the sound"),
        Param("target", "text", "", doc="the id of the parameter that it drives"),
        Param("gain", "float", 1.0, 0, 16, doc="pre-scale of the source; turns a second for a clock"),
        Param("threshold", "float", 0.0, 0, 0.99, doc="what is quieter does nothing"),
        Param("attack_s", "float", 0.0, 0, 30, unit="s", doc="time constant of rising; a pulse rises in it"),
        Param("release_s", "float", 0.2, 0, 60, unit="s", doc="time constant of falling"),
        Param("curve", "float", 1.0, 0.1, 10, "exp", doc="exponent: above 1 only loud parts count"),
        Param("low", "float", 0.0, -1000, 1000, doc="what is sent at rest, in the target's units"),
        Param("high", "float", 1.0, -1000, 1000, doc="what is sent at full, in the target's units"),
        Param("op", "enum", "add", choices=("add", "multiply", "replace"), doc="how it meets the base value"),
        Param("enabled", "bool", True, doc="whether it plays"),
    )
}


def checked(route: Route, rows: Mapping[str, Param]) -> Route:
    """Return `route` with its numbers in bounds; raises ConfigError for a source or target that cannot be."""
    if route.source not in SOURCES:
        raise ConfigError(unknown("route source", route.source, SOURCES))
    if route.target not in rows:
        raise ConfigError("route target: " + unknown_param(route.target, rows))
    if rows[route.target].safe is None:
        legal = [id for id, row in rows.items() if row.safe]
        close = nearest(route.target, legal)
        raise ConfigError(f"'{route.target}' is not for sound to drive{close}; targets: {choices(legal)}")
    return Route(**{field: ROUTE_ROWS[field].coerce(value) for field, value in asdict(route).items()})  # type: ignore[arg-type]


class RouteBank:
    """The routes that play: edited from any thread, swapped whole, so a reader never sees half a preset.

    Numbers out of range are clipped; ConfigError for what cannot be. Indices count from 0.
    """

    def __init__(self, rows: Mapping[str, Param], routes: Iterable[Route] = ()) -> None:
        self._rows = rows
        self._edits = threading.Lock()  # between writers; readers only take the tuple
        self._routes: tuple[Route, ...] = ()
        self.replace(routes)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The present routes: a new tuple after each edit, the same one otherwise. [any]"""
        return self._routes

    def replace(self, routes: Iterable[Route]) -> None:
        """Put `routes` in place of all that play. [any]"""
        with self._edits:
            self._set([checked(route, self._rows) for route in routes])

    def add(self, route: Route) -> int:
        """Append one route and return its index. [any]"""
        with self._edits:
            self._set([*self._routes, checked(route, self._rows)])
            return len(self._routes) - 1

    def remove(self, index: int) -> Route:
        """Take out one route and return it. [any]"""
        with self._edits:
            route = self._at(index)
            self._set([other for i, other in enumerate(self._routes) if i != index])
            return route

    def edit(self, index: int, field: str, value: object) -> Route:
        """Change one field of one route and return the new row. [any]"""
        if field not in ROUTE_ROWS:
            raise ConfigError(unknown("route field", field, ROUTE_ROWS))
        with self._edits:
            changed = replace(self._at(index), **{field: ROUTE_ROWS[field].coerce(value)})  # type: ignore[arg-type]
            routes = list(self._routes)
            routes[index] = checked(changed, self._rows)
            self._set(routes)
            return routes[index]

    def _at(self, index: int) -> Route:
        if not 0 <= index < len(self._routes):
            raise ConfigError(f"no route {index}; there are {len(self._routes)}, counted from 0")
        return self._routes[index]

    def _set(self, routes: list[Route]) -> None:
        if len(routes) > LIMIT:
            raise ConfigError(f"{len(routes)} routes are more than {LIMIT}")
        self._routes = tuple(routes)


def differing(route: Route) -> dict[str, Value]:
    """Return the fields of `route` that are not at their default, source and target first."""
    return {
        field.name: getattr(route, field.name) for field in fields(Route) if getattr(route, field.name) != field.default
    }
