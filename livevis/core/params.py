"""One row per parameter, and the registry that holds the performer's values.

A row is at once an OSC address, a MIDI target, a web slider, a preset key, a flag and a modulation target.
Surfaces post changes from any thread; the owner applies them between frames, so a snapshot is never torn.
"""

from __future__ import annotations

import copyreg
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from livevis.core import coercion
from livevis.core.coercion import Bounds, Curve, Kind
from livevis.core.errors import ConfigError, nearest
from livevis.core.types import Controls, Value

Apply = Literal["live", "warm", "reset", "rebuild"]
"""When a change acts: next frame, after re-encoding text, by dropping history, by building another engine."""
Op = Literal["set", "norm", "+", "-", "*", "fire"]

SESSION = "session"
"""Tag of rows that belong to the room and the machine, not to a look: presets neither hold nor touch them."""
COMMAND = "command"
"""Tag of rows that order something: setting them counts as a change even when the value stays the same."""
_NUMERIC = ("float", "int")
_LISTED = 32


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: what it is called, what it may hold, how a knob maps to it, when a change acts.

    low, high: natural units, inclusive. curve: knob position 0..1 to value. step: one detent of a relative
    control, 0 = a hundredth of the range. bounds: what becomes of a value outside. safe: the range to which
    sound may drive it, None = never. choices: labels of an enum, in index order. Raises ConfigError on a row
    that contradicts itself.
    """

    id: str
    kind: Kind
    default: Value
    low: float = 0.0
    high: float = 1.0
    curve: Curve = "lin"
    unit: str = ""
    step: float = 0.0
    bounds: Bounds = "clip"
    apply: Apply = "live"
    safe: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    doc: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.curve == "exp" and self.low <= 0):
            raise ConfigError(f"{self.id}: range {self.low}..{self.high} does not fit a {self.curve} curve")
        if self.kind == "enum" and not self.choices:
            raise ConfigError(f"{self.id}: an enum needs choices")
        if self.safe and (self.kind not in _NUMERIC or not self.low <= self.safe[0] < self.safe[1] <= self.high):
            raise ConfigError(f"{self.id}: safe range {self.safe} does not lie in {self.allowed()}")
        if self.kind != "trigger" and self.coerce(self.default) != self.default:
            raise ConfigError(f"{self.id}: default {self.default!r} is outside {self.allowed()}")

    @property
    def group(self) -> str:
        """The part of the id before its last slash."""
        return self.id.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The part of the id after its last slash."""
        return self.id.rpartition("/")[2]

    @property
    def saved(self) -> bool:
        """Whether presets hold it."""
        return self.kind != "trigger" and SESSION not in self.tags

    def allowed(self) -> str:
        """Say in a few words what the row may hold."""
        if self.kind in _NUMERIC:
            unit = f" {self.unit}" if self.unit else ""
            whole = "whole numbers " if self.kind == "int" else ""
            return f"{whole}{self.low:g}..{self.high:.10g}{unit}"
        if self.kind == "enum":
            many = len(self.choices) > _LISTED
            return f"one of {len(self.choices)} names" if many else ", ".join(self.choices)
        words = {"bool": "on or off", "text": f"a text of up to {coercion.TEXT_LIMIT} characters"}
        return words.get(self.kind, "anything but 0 fires it")

    def coerce(self, value: object) -> Value:
        """Return `value` in the row's type and bounds; raises ConfigError on NaN, infinity or a wrong type.

        A trigger returns whether the value fires it.
        """
        try:
            return self._coerce(value)
        except ConfigError as error:
            raise ConfigError(f"{self.id}: {error}; allowed: {self.allowed()}") from None

    def _coerce(self, value: object) -> Value:
        match self.kind:
            case "float" | "int":
                return self.bound(coercion.number(value))
            case "bool":
                return coercion.switch(value)
            case "enum":
                return coercion.label(value, self.choices)
            case "text":
                return coercion.text(value)
            case _:
                return coercion.fires(value)

    def bound(self, value: float) -> float | int:
        """Bring a finite number into the row's range and type: clip, wrap or fold, rounded for an int."""
        whole = self.kind == "int"
        bounded = coercion.bound(value, self.low, self.high, bounds=self.bounds, whole=whole)
        return int(bounded) if whole else float(bounded)

    def to_norm(self, value: object) -> float:
        """Return where `value` lies on the knob, 0..1; raises ConfigError for a text."""
        if self.kind == "text":
            raise ConfigError(f"{self.id}: a text has no position on a knob")
        legal = self.coerce(value)
        if self.kind == "enum":
            return self.choices.index(str(legal)) / max(1, len(self.choices) - 1)
        return coercion.unmap(float(legal), *self._ends(), self.curve)

    def from_norm(self, x: object) -> Value:
        """Return the value at knob position `x`, clipped to 0..1; raises ConfigError for a text or NaN."""
        if self.kind == "text":
            raise ConfigError(f"{self.id}: a text has no position on a knob")
        try:
            position = min(max(coercion.number(x), 0.0), 1.0)
        except ConfigError as error:
            raise ConfigError(f"{self.id}: {error}; allowed: 0..1") from None
        if self.kind == "enum":
            return self.coerce(position * (len(self.choices) - 1))
        return self.coerce(coercion.map_(position, *self._ends(), self.curve))

    def _ends(self) -> tuple[float, float]:
        return (self.low, self.high) if self.kind in _NUMERIC else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Change:
    """One wish of one surface: set a value, a knob position 0..1 (norm) or a step, or fire a trigger."""

    id: str
    value: object = None
    op: Op = "set"
    source: str = ""


class Registry:
    """The performer's values: posted from any thread, applied by the owner, read as immutable snapshots."""

    def __init__(self, rows: Iterable[Param]) -> None:
        listed = tuple(rows)
        self._rows = MappingProxyType({row.id: row for row in listed})
        if len(self._rows) != len(listed):
            raise ConfigError("two parameters share an id")
        self._posted: deque[tuple[Change, ...]] = deque()
        values = {row.id: row.default for row in listed if row.kind != "trigger"}
        triggers = {row.id: 0 for row in listed if row.kind == "trigger"}
        self._base = _snapshot(0, values, triggers)
        self._changed: Mapping[str, int] = MappingProxyType({})
        self._sources: Mapping[str, str] = MappingProxyType({})

    @property
    def rows(self) -> Mapping[str, Param]:
        """All rows by id, in table order. [any]"""
        return self._rows

    def row(self, id: str) -> Param:
        """Return one row; raises ConfigError naming the nearest id. [any]"""
        try:
            return self._rows[id]
        except KeyError:
            raise ConfigError(unknown_param(id, self._rows)) from None

    def post(self, changes: Sequence[Change]) -> None:
        """Queue one batch, which will be applied as one version; never blocks. [any]

        All of it is checked first: an illegal change raises ConfigError and nothing of the batch is kept.
        """
        checked = tuple(legal for change in changes if (legal := self._check(change)))
        if checked:
            self._posted.append(checked)

    def _check(self, change: Change) -> Change | None:
        row = self.row(change.id)
        if row.kind == "trigger":
            fired = row.coerce(change.value) if change.op != "norm" else row.from_norm(change.value)
            return replace(change, op="fire", value=None) if fired else None
        match change.op:
            case "set":
                return replace(change, value=row.coerce(change.value))
            case "norm":
                return replace(change, op="set", value=row.from_norm(change.value))
            case "+" | "-" | "*" if row.kind in _NUMERIC:
                return replace(change, value=_operand(row, change))
        raise ConfigError(f"{row.id}: '{change.op}' does not apply to a {row.kind}; allowed: {row.allowed()}")

    def apply(self) -> bool:
        """Apply all queued batches, one version each; return whether anything changed. [owner]"""
        before = self._base
        while self._posted:
            self._apply(self._posted.popleft())
        return self._base is not before

    def _apply(self, batch: tuple[Change, ...]) -> None:
        values, triggers = dict(self._base.values), dict(self._base.triggers)
        touched: dict[str, str] = {}
        for change in batch:
            if change.op == "fire":
                triggers[change.id] += 1
                touched[change.id] = change.source
                continue
            row = self._rows[change.id]
            value = _operate(row, values[change.id], change)
            if value != values[change.id] or COMMAND in row.tags:
                values[change.id] = value
                touched[change.id] = change.source
        if touched:
            self._publish(values, triggers, touched)

    def _publish(self, values: dict[str, Value], triggers: dict[str, int], touched: dict[str, str]) -> None:
        version = self._base.version + 1
        self._sources = MappingProxyType({**self._sources, **touched})
        self._changed = MappingProxyType({**self._changed, **dict.fromkeys(touched, version)})
        self._base = _snapshot(version, values, triggers)

    def base(self) -> Controls:
        """Return the performer's values: the same immutable object until something changes. [any]"""
        return self._base

    def read(self, id: str) -> Value:
        """Return one base value, or how often a trigger has fired; ConfigError for an unknown id. [any]"""
        row = self.row(id)
        return self._base.triggers[id] if row.kind == "trigger" else self._base.values[id]

    def changed_since(self, version: int) -> Mapping[str, Value]:
        """Return the base values that changed after `version`; triggers hold none and are left out. [any]"""
        values = self._base.values
        return {id: values[id] for id, at in self._changed.items() if at > version and id in values}

    def source_of(self, id: str) -> str:
        """Return who last changed `id`, or an empty string. [any]"""
        return self._sources.get(id, "")


def unknown_param(id: str, ids: Iterable[str]) -> str:
    """Say in one line that no parameter has this id, and which comes nearest."""
    return f"unknown parameter '{id}'{nearest(id, ids)}; `livevis params` lists them all"


def _operand(row: Param, change: Change) -> float:
    if change.value is None and change.op != "*":
        return row.step or (1.0 if row.kind == "int" else (row.high - row.low) / 100)
    try:
        return coercion.number(change.value)
    except ConfigError as error:
        raise ConfigError(f"{row.id}: {error}; '{change.op}' needs a number") from None


def _operate(row: Param, now: Value, change: Change) -> Value:
    operand = change.value
    assert isinstance(operand, float | int | bool | str)  # coerced by post()
    match change.op:
        case "+":
            return row.bound(float(now) + float(operand))
        case "-":
            return row.bound(float(now) - float(operand))
        case "*":
            return row.bound(min(max(float(now) * float(operand), -1e300), 1e300))
    return operand


def _snapshot(version: int, values: dict[str, Value], triggers: dict[str, int]) -> Controls:
    return Controls(version, MappingProxyType(values), MappingProxyType(triggers))


def _frozen(items: dict[str, object]) -> MappingProxyType[str, object]:
    return MappingProxyType(items)


# Snapshots travel to the generator's process; the standard library leaves a mapping proxy without a pickle.
copyreg.pickle(MappingProxyType, lambda proxy: (_frozen, (dict(proxy),)))
