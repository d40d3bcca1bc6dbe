"""Sound on the knobs: effective value = bounds(base + sum of routes); the base is never overwritten.

Envelopes advance by audio hops, never by frames or the wall clock, so live and offline play the same. Each
consumer resolves a snapshot whenever it draws; a hit between two of its frames is still in the envelope.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from livevis.core.features import FEATURES, HOP, INDEX, SAMPLE_RATE_HZ, Feature
from livevis.core.params import Param
from livevis.core.routes import Route, RouteBank
from livevis.core.types import AudioFeatures, Controls, Value

Shape = Literal["level", "pulse", "clock"]


def shape_of(feature: Feature) -> Shape:
    """Say how a feature acts as a source: a level, a pulse at each count, or the ramp of a running clock."""
    if not feature.counter:
        return "level"
    return "clock" if feature.unit == "s" else "pulse"


@dataclass(frozen=True, slots=True)
class _Line:
    """One route, compiled: where its feature lies, how to read it, how far a full envelope reaches."""

    route: Route
    index: int
    shape: Shape
    low: float
    scale: float
    reach: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes compiled against the table: one line per enabled route, and the lines of each target."""

    routes: tuple[Route, ...]
    lines: tuple[_Line, ...]
    targets: tuple[tuple[Param, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class ModulationState:
    """What the envelopes remember after a hop.

    sample: end of the hop (48 kHz index), -1 before the first; envelopes: 0..1 per line; rising: which pulses
    still rise; counts: the sources as last seen, NaN before.
    """

    plan: Plan
    sample: int
    envelopes: tuple[float, ...]
    rising: tuple[bool, ...]
    counts: tuple[float, ...]


_REST = (0.0, False, math.nan)


def init(routes: Iterable[Route], rows: Mapping[str, Param]) -> ModulationState:
    """Compile checked routes and return a state at rest."""
    listed = tuple(routes)
    lines = tuple(_compile(route) for route in listed if route.enabled)
    by_target: dict[str, list[int]] = {}
    for i, line in enumerate(lines):
        by_target.setdefault(line.route.target, []).append(i)
    targets = tuple((rows[id], tuple(indices)) for id, indices in by_target.items())
    count = len(lines)
    return ModulationState(Plan(listed, lines, targets), -1, (0.0,) * count, (False,) * count, (math.nan,) * count)


def _compile(route: Route) -> _Line:
    feature = FEATURES[INDEX[route.source]]
    shape = shape_of(feature)
    height = _shaped(route, 1.0, route.gain) if shape == "pulse" else 1.0
    scale = 1.0 / (feature.high - feature.low)
    return _Line(route, INDEX[route.source], shape, feature.low, scale, (route.high - route.low) * height)


def step(state: ModulationState, features: AudioFeatures) -> ModulationState:
    """Advance every envelope to the end of the hop; the time passed is counted in samples.

    The first hop after `init` only takes note of the counters. A stream that starts over counts as one hop.
    """
    passed = features.sample - state.sample
    dt_s = (passed if state.sample >= 0 and passed > 0 else HOP) / SAMPLE_RATE_HZ
    values = features.values.tolist()
    counts = tuple([values[line.index] for line in state.plan.lines])
    envelopes, rising = [], []
    moments = zip(state.plan.lines, counts, state.counts, state.envelopes, state.rising, strict=True)
    for line, now, was, envelope, rises in moments:
        envelope, rises = _advance(line, now, was, envelope, rises, dt_s)
        envelopes.append(envelope)
        rising.append(rises)
    return ModulationState(state.plan, features.sample, tuple(envelopes), tuple(rising), counts)


def _advance(line: _Line, now: float, was: float, envelope: float, rising: bool, dt_s: float) -> tuple[float, bool]:
    route = line.route
    if line.shape == "clock":
        return _shaped(route, (now * route.gain) % 1.0, 1.0), False
    if line.shape == "level":
        target = _shaped(route, (now - line.low) * line.scale, route.gain)
        return _follow(envelope, target, route, dt_s), False
    envelope, rising = _ring(envelope, rising, route, dt_s)
    if now > was:  # the count went up at the end of the hop: without attack the pulse is at full there
        return (envelope, True) if route.attack_s > 0 else (1.0, False)
    return envelope, rising


def _shaped(route: Route, x: float, gain: float) -> float:
    # max(0.0, nan) is 0.0: a feature that is not a number moves nothing
    opened = (min(max(0.0, x * gain), 1.0) - route.threshold) / (1.0 - route.threshold)
    return opened**route.curve if opened > 0.0 else 0.0


def _follow(envelope: float, target: float, route: Route, dt_s: float) -> float:
    tau_s = route.attack_s if target > envelope else route.release_s
    return target + (envelope - target) * math.exp(-dt_s / tau_s) if tau_s > 0 else target


def _ring(envelope: float, rising: bool, route: Route, dt_s: float) -> tuple[float, bool]:
    """Let a pulse rise in a straight line, then fall exponentially; exact however `dt_s` is cut."""
    if rising:
        needed_s = (1.0 - envelope) * route.attack_s
        if dt_s < needed_s:
            return envelope + dt_s / route.attack_s, True
        envelope, dt_s = 1.0, dt_s - needed_s
    return _follow(envelope, 0.0, route, dt_s), False


def resolve(state: ModulationState, base: Controls) -> Controls:
    """Return the effective values as a new immutable snapshot of the same version; `base` stays as it is."""
    if not state.plan.targets:
        return base
    values = dict(base.values)
    for row, indices in state.plan.targets:
        values[row.id] = _effective(row, values[row.id], indices, state)
    return Controls(base.version, MappingProxyType(values), base.triggers)


def _effective(row: Param, base: Value, indices: tuple[int, ...], state: ModulationState) -> Value:
    anchor, factor, total = float(base), 1.0, 0.0
    for i in indices:
        line = state.plan.lines[i]
        output = line.route.low + line.reach * state.envelopes[i]
        if line.route.op == "add":
            total += output
        elif line.route.op == "multiply":
            factor *= output
        else:
            anchor = output
    return confine(row, float(base), anchor * factor + total)


def confine(row: Param, base: float, driven: float) -> Value:
    """Keep a driven value inside the row's bounds, and sound inside its safe range.

    Where the performer's own value lies outside the safe range, sound may bring it back but not push it on.
    """
    if row.bounds == "clip" and row.safe:
        driven = min(max(driven, min(row.safe[0], base)), max(row.safe[1], base))
    return row.bound(driven)


class Modulator:
    """Routes, played: step with every hop, resolve whenever a consumer wants its controls.

    bank: the routes, to be edited while they play. One thread steps; any thread resolves or edits, because
    bank and state are replaced whole.
    """

    def __init__(self, routes: Iterable[Route], rows: Mapping[str, Param]) -> None:
        self.bank = RouteBank(rows, routes)
        self._rows = rows
        self._state = init(self.bank.routes, rows)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of the bank. [any]"""
        return self.bank.routes

    def replace(self, routes: Iterable[Route]) -> None:
        """Put `routes` in place of all that play, at once; raises ConfigError. [any]"""
        self.bank.replace(routes)

    def step(self, features: AudioFeatures) -> None:
        """Advance by one hop, with the routes of the bank as it is now. [analysis]"""
        self._state = step(self._current(), features)

    def resolve(self, base: Controls) -> Controls:
        """Return the effective values of `base` under the newest hop and the bank as it is now. [any]"""
        return resolve(self._current(), base)

    def _current(self) -> ModulationState:
        state, routes = self._state, self.bank.routes
        return state if routes is state.plan.routes else carried(state, init(routes, self._rows))


def carried(old: ModulationState, new: ModulationState) -> ModulationState:
    """Return `new` with the envelopes of the routes it shares with `old`: an edit is not seen as a drop."""
    moments = zip(old.plan.lines, old.envelopes, old.rising, old.counts, strict=True)
    kept = {(line.route.source, line.route.target): moment for line, *moment in moments}
    lines = [kept.get((line.route.source, line.route.target), _REST) for line in new.plan.lines]
    envelopes, rising, counts = zip(*lines, strict=True) if lines else ((), (), ())
    return ModulationState(new.plan, old.sample, envelopes, rising, counts)
