"""From OSC messages to registry changes and query replies."""

from __future__ import annotations

from collections.abc import Sequence

from livevis.core import coercion
from livevis.core.errors import ConfigError
from livevis.core.params import Change, Op, Param, Registry
from livevis.core.types import Value
from livevis.surfaces.addresses import ROOT, Target
from livevis.surfaces.packets import Argument, encode

QUERY = "?"
_STEPS: dict[object, Op] = {"+": "+", "-": "-", "*": "*"}


class Batch:
    """The changes of one drain: the last absolute value per parameter, every step and every trigger."""

    def __init__(self) -> None:
        self._changes: list[Change | None] = []
        self._standing: dict[str, list[int]] = {}

    def add(self, change: Change) -> None:
        """Append one change; an absolute one makes all earlier ones of its parameter void."""
        if change.op == "set":
            for at in self._standing.pop(change.id, ()):
                self._changes[at] = None
        if change.op != "fire":
            self._standing.setdefault(change.id, []).append(len(self._changes))
        self._changes.append(change)

    def changes(self) -> list[Change]:
        """Return what is left, in order of arrival."""
        return [change for change in self._changes if change]


def is_query(args: Sequence[Argument]) -> bool:
    """Say whether a message asks for the value rather than sets it."""
    return len(args) > 0 and args[0] == QUERY


def arguments_used(args: Sequence[Argument]) -> int:
    """Return how many arguments a message may have: two for a step, else one."""
    return 2 if args and args[0] in _STEPS else 1


def reply(registry: Registry, target: Target) -> bytes:
    """Encode the present value of one parameter at its own address: a trigger's is how often it has fired."""
    value = registry.read(target.id)
    row = registry.row(target.id)
    if target.norm and row.kind != "trigger":
        return encode(f"{ROOT}{target.id}/norm", row.to_norm(value))
    return encode(ROOT + target.id + ("/norm" if target.norm else ""), value)


def change(registry: Registry, target: Target, args: Sequence[Argument], *, source: str = "") -> Change | None:
    """Return what a message asks of one parameter, already legal; None for the release of a trigger.

    Raises ConfigError where the row refuses: NaN, a wrong type, a missing argument.
    """
    row = registry.row(target.id)
    if row.kind == "trigger":
        return Change(row.id, None, "fire", source) if row.coerce(args[0] if args else None) else None
    if not args:
        raise ConfigError(f"{row.id}: the message has no argument; allowed: {row.allowed()}")
    if row.kind != "text" and args[0] in _STEPS:
        return _step(registry, row, _STEPS[args[0]], args[1:], norm=target.norm, source=source)
    value = row.from_norm(args[0]) if target.norm else row.coerce(args[0])
    return Change(row.id, value, "set", source)


def _step(registry: Registry, row: Param, op: Op, rest: Sequence[Argument], *, norm: bool, source: str) -> Change:
    if row.kind not in ("float", "int"):
        raise ConfigError(f"{row.id}: '{op}' does not apply to a {row.kind}; allowed: {row.allowed()}")
    if not rest:
        if op == "*":
            raise ConfigError(f"{row.id}: '*' needs a number")
        return Change(row.id, None, op, source)
    amount = coercion.number(rest[0])
    if not norm:
        return Change(row.id, amount, op, source)
    if op != "*" and row.curve == "lin":  # exact even when many steps arrive before the registry applies them
        return Change(row.id, amount * (row.high - row.low), op, source)
    return Change(row.id, _moved(row, registry.read(row.id), op, amount), "set", source)


def _moved(row: Param, now: Value, op: Op, amount: float) -> Value:
    knob = row.to_norm(now)
    return row.from_norm(knob * amount if op == "*" else knob + amount if op == "+" else knob - amount)
