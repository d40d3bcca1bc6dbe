"""Routes and envelopes: what sound may do to a value, and that no hit is ever lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.features import FEATURES, HOP, HOP_S, INDEX
from livevis.core.modulation import Modulator, confine, init, resolve, shape_of, step
from livevis.core.params import Change, Param, Registry
from livevis.core.routes import LIMIT, ROUTE_ROWS, SOURCES, Route, RouteBank, differing
from livevis.core.types import AudioFeatures, Controls

ROWS = {row.id: row for row in CATALOGUE}
TARGETS = [row for row in CATALOGUE if row.safe]
SILENT = np.zeros(512, np.float32)


def heard(hop: int, **values: float) -> AudioFeatures:
    """Return the features at the end of hop `hop`; dots in names are written as two underscores."""
    vector = np.zeros(len(FEATURES))
    for name, value in values.items():
        vector[INDEX[name.replace("__", ".")]] = value
    return AudioFeatures((hop + 1) * HOP, vector, SILENT, SILENT)


def play(routes: Sequence[Route], stream: Sequence[AudioFeatures]) -> list[Controls]:
    """Return the controls after each hop, over the defaults."""
    modulator, base = Modulator(routes, ROWS), Registry(CATALOGUE).base()
    out = []
    for features in stream:
        modulator.step(features)
        out.append(modulator.resolve(base))
    return out


def track(route: Route, stream: Sequence[AudioFeatures]) -> list[float]:
    return [controls.number(route.target) for controls in play([route], stream)]


def test_the_base_is_added_to_and_never_overwritten() -> None:
    registry = Registry(CATALOGUE)
    registry.post([Change("scene/intensity", 0.2)])
    registry.apply()
    base = registry.base()
    modulator = Modulator([Route("bass.level", "scene/intensity", release_s=0, high=0.5)], ROWS)
    modulator.step(heard(0, bass__level=0.8))
    effective = modulator.resolve(base)
    assert effective["scene/intensity"] == pytest.approx(0.6)
    assert base["scene/intensity"] == 0.2 and registry.read("scene/intensity") == 0.2
    assert effective.version == base.version and effective.triggers is base.triggers
    assert isinstance(effective.values, MappingProxyType)
    assert {id for id in base.values if base[id] != effective[id]} == {"scene/intensity"}


def test_without_routes_the_base_comes_back_as_it_is() -> None:
    base = Registry(CATALOGUE).base()
    assert Modulator([], ROWS).resolve(base) is base
    assert Modulator([Route("level", "effect/bloom", enabled=False)], ROWS).resolve(base) is base


@pytest.mark.parametrize(
    ("route", "level", "expected"),
    [
        (Route("level", "effect/bloom", high=0.5), 1.0, 0.2 + 0.5),
        (Route("level", "effect/bloom", high=0.5, gain=2), 0.4, 0.2 + 0.4),
        (Route("level", "effect/bloom", high=0.5, threshold=0.5), 0.5, 0.2),
        (Route("level", "effect/bloom", high=0.5, threshold=0.5), 0.75, 0.2 + 0.25),
        (Route("level", "effect/bloom", high=0.5, curve=2), 0.5, 0.2 + 0.125),
        (Route("level", "effect/bloom", low=0.5, high=0.0), 0.25, 0.2 + 0.375),
        (Route("level", "effect/bloom", low=0.0, high=3.0, op="multiply"), 0.5, 0.2 * 1.5),
        (Route("level", "effect/bloom", low=0.9, high=0.1, op="replace"), 0.25, 0.7),
        (Route("spectral_centroid", "effect/bloom", high=0.6), 12_000, 0.2 + 0.3),
        (Route("level", "effect/bloom", high=-1.0), 1.0, 0.0),
    ],
)
def test_shape_of_a_route(route: Route, level: float, expected: float) -> None:
    instant = Route(**{**differing(route), "release_s": 0.0})  # type: ignore[arg-type]
    features = heard(0, **{route.source: level})
    assert track(instant, [features]) == pytest.approx([expected])


def test_routes_to_one_target_sum_whatever_their_order() -> None:
    routes = [
        Route("level", "scene/speed", high=0.5, release_s=0),
        Route("level", "scene/speed", high=3.0, op="multiply", release_s=0),
        Route("level", "scene/speed", high=1.5, op="replace", release_s=0),
        Route("bass.level", "scene/speed", high=-0.25, release_s=0),
    ]
    stream = [heard(0, level=0.5, bass__level=1.0)]
    forwards, backwards = play(routes, stream), play(routes[::-1], stream)
    assert forwards[0]["scene/speed"] == pytest.approx(0.75 * 1.5 + 0.25 - 0.25)
    assert backwards[0]["scene/speed"] == pytest.approx(forwards[0].number("scene/speed"))


any_target = st.sampled_from(TARGETS)
reach = st.floats(-1000, 1000)
ways = st.lists(st.tuples(st.sampled_from(["add", "multiply", "replace"]), reach, reach), max_size=4)
any_levels = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=6)


@given(any_target, st.floats(0, 1), reach)
def test_nothing_leaves_its_bounds(row: Param, knob: float, driven: float) -> None:
    assert row.safe
    base = float(row.coerce(row.from_norm(knob)))
    value = float(confine(row, base, driven))
    assert row.low <= value <= row.high
    if row.bounds == "clip":
        assert min(row.safe[0], base) <= value <= max(row.safe[1], base)
        assert confine(row, base, base) == base, "sound that adds nothing changes nothing"


@settings(max_examples=60)
@given(any_target, ways, any_levels)
def test_whatever_is_heard_the_controls_are_legal(
    row: Param, ways: list[tuple[str, float, float]], levels: list[float]
) -> None:
    routes = [Route("level", row.id, low=low, high=high, op=op) for op, low, high in ways]  # type: ignore[arg-type]
    routes += [Route("bass.time", row.id), Route("onset", row.id)]
    stream = [heard(i, level=x, bass__time=x, onset=x) for i, x in enumerate(levels)]
    for controls in play(routes, stream):
        value = controls[row.id]
        assert type(value) is type(row.default) and row.low <= float(value) <= row.high


def test_a_knob_outside_the_safe_range_stays_where_the_performer_put_it() -> None:
    row = ROWS["diffusion/strength"]
    assert row.safe == (0.15, 0.9)
    assert confine(row, 1.0, 1.0) == 1.0 and confine(row, 0.05, 0.05) == 0.05
    assert confine(row, 1.0, 0.5) == 0.5 and confine(row, 1.0, 3.0) == 1.0
    assert confine(row, 0.5, 3.0) == 0.9


def test_attack_and_release_are_the_one_pole_curves() -> None:
    route = Route("level", "scene/speed", attack_s=0.05, release_s=0.2, high=1.0)
    stream = [heard(i, level=1.0 if i < 40 else 0.0) for i in range(120)]
    got = np.array(track(route, stream)) - 1.0
    hops = np.arange(1, 41) * HOP_S
    np.testing.assert_allclose(got[:40], 1 - np.exp(-hops / 0.05), atol=1e-12)
    fall = np.arange(1, 81) * HOP_S
    np.testing.assert_allclose(got[40:], got[39] * np.exp(-fall / 0.2), atol=1e-12)


@pytest.mark.parametrize("every", [2, 5, 16])
@pytest.mark.parametrize("attack_s", [0.0, 0.03])
def test_envelopes_do_not_depend_on_the_hop(every: int, attack_s: float) -> None:
    """Held levels and counted hits give the same curve whether every hop is heard or every n-th."""
    routes = [
        Route("level", "scene/speed", attack_s=0.1, release_s=0.3),
        Route("onset", "effect/bloom", attack_s=attack_s, release_s=0.2, high=0.5),
    ]
    hops = 40 * every
    stream = [heard(i, level=1.0, onset=float(i >= every - 1) + float(i >= 20 * every - 1)) for i in range(hops)]
    lead = heard(-1, level=1.0)
    fine = play(routes, [lead, *stream])[every::every]
    coarse = play(routes, [lead, *stream[every - 1 :: every]])[1:]
    for id in ("scene/speed", "effect/bloom"):
        np.testing.assert_allclose([c.number(id) for c in fine], [c.number(id) for c in coarse], atol=1e-9)
    assert max(c.number("effect/bloom") for c in fine) > 0.5


@pytest.mark.parametrize("frame_hops", [1, 3, 7, 31])
def test_no_hit_is_missed_by_a_slow_consumer(frame_hops: int) -> None:
    """Every onset is seen by a consumer that draws only every n-th hop."""
    rng = np.random.default_rng(7)
    gaps = rng.integers(40, 90, 50)
    onsets = set(np.cumsum(gaps).tolist())
    modulator = Modulator([Route("onset", "effect/flash", release_s=0.1, high=0.8)], ROWS)
    base, count, level, rises = Registry(CATALOGUE).base(), 0, 0.0, 0
    for hop in range(int(gaps.sum()) + 60):
        count += hop in onsets
        modulator.step(heard(hop, onset=float(count)))
        if hop % frame_hops == 0:
            now = modulator.resolve(base).number("effect/flash")
            rises += now > level
            level = now
    assert rises == len(onsets)


def test_a_pulse_rises_in_its_attack_and_is_full_at_once_without() -> None:
    stream = [heard(i, beat=float(i >= 1)) for i in range(30)]
    at_once = track(Route("beat", "effect/zoom", release_s=0.2), stream)
    assert at_once[:2] == [0.0, 1.0] and at_once[2] == pytest.approx(math.exp(-HOP_S / 0.2))
    ramp = track(Route("beat", "effect/zoom", attack_s=10 * HOP_S, release_s=0.2), stream)
    np.testing.assert_allclose(ramp[1:12], np.arange(11) / 10, atol=1e-9)
    assert ramp[12] == pytest.approx(math.exp(-HOP_S / 0.2))
    soft = track(Route("beat", "effect/zoom", release_s=0.2, gain=0.5), stream)
    assert soft[1] == pytest.approx(0.5)


def test_counts_at_the_start_and_at_a_restart_are_no_hits() -> None:
    route = Route("onset", "effect/flash", release_s=0)
    counts = [5, 5, 6, 0, 0, 1]
    got = track(route, [heard(i, onset=float(n)) for i, n in enumerate(counts)])
    assert got == [0, 0, pytest.approx(0.8), 0, 0, pytest.approx(0.8)]  # 0.8: the safe limit of the flash


def test_a_clock_turns_and_holds_in_silence() -> None:
    route = Route("bass.time", "effect/hue", gain=0.5)
    got = track(route, [heard(i, bass__time=t) for i, t in enumerate([0.0, 0.5, 1.0, 1.0, 1.0, 2.5])])
    assert got == pytest.approx([0, 0.25, 0.5, 0.5, 0.5, 0.25])


def test_the_modulator_is_its_pure_functions() -> None:
    routes = (Route("level", "effect/bloom", attack_s=0.1), Route("onset", "effect/flash"))
    modulator, state, base = Modulator(routes, ROWS), init(routes, ROWS), Registry(CATALOGUE).base()
    for i in range(50):
        features = heard(i, level=i / 50, onset=float(i // 10))
        before = state
        state = step(state, features)
        modulator.step(features)
        assert before.sample != state.sample, "a state is never written to"
        assert modulator.resolve(base) == resolve(state, base)


def test_routes_play_live() -> None:
    kept = Route("onset", "effect/flash", release_s=1.0, high=0.5)
    modulator, base = (
        Modulator([kept, Route("level", "effect/bloom", release_s=0)], ROWS),
        Registry(CATALOGUE).base(),
    )
    modulator.step(heard(0, level=1.0))
    modulator.step(heard(1, level=1.0, onset=1.0))
    ringing = modulator.resolve(base).number("effect/flash")
    assert ringing == 0.5
    modulator.bank.remove(1)
    index = modulator.bank.add(Route("onset", "effect/zoom", release_s=1.0))
    modulator.bank.edit(0, "high", 0.4)
    assert modulator.resolve(base).number("effect/flash") == 0.4, "an edit plays at once, also without sound"
    modulator.step(heard(2, level=1.0, onset=1.0))
    after = modulator.resolve(base)
    assert after.number("effect/flash") == pytest.approx(0.4 * math.exp(-HOP_S))
    assert after["effect/bloom"] == base["effect/bloom"]
    assert after["effect/zoom"] == 0, "an onset before the route was there is not its hit"
    assert modulator.routes[index].target == "effect/zoom"
    modulator.step(heard(3, onset=2.0))
    assert modulator.resolve(base)["effect/zoom"] == 1.0
    modulator.replace([])
    modulator.step(heard(4, onset=3.0))
    assert modulator.resolve(base) is base


def test_the_bank_checks_what_it_is_given() -> None:
    bank = RouteBank(ROWS, [Route("level", "effect/bloom")])
    before = bank.routes
    for wrong, message in [
        (
            Route("bas.level", "effect/bloom"),
            r"unknown route source 'bas.level' \(did you mean 'bass.level'\?\)",
        ),
        (Route("next_beat_time", "effect/bloom"), "unknown route source"),
        (Route("level", "effect/blom"), r"did you mean 'effect/bloom'\?"),
        (Route("level", "scene/name"), "not for sound to drive"),
        (Route("level", "output/blackout"), "not for sound to drive"),
        (Route("level", "effect/bloom", gain=math.nan), "gain: nan is not a finite number"),
        (Route("level", "effect/bloom", op="divide"), "no choice 'divide'"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(ConfigError, match=message):
            bank.add(wrong)
        with pytest.raises(ConfigError, match=message):
            bank.replace([Route("level", "effect/hue"), wrong])
    with pytest.raises(ConfigError, match=r"unknown route field 'hight' \(did you mean 'high'\?\)"):
        bank.edit(0, "hight", 1)
    with pytest.raises(ConfigError, match="no route 1; there are 1"):
        bank.remove(1)
    with pytest.raises(ConfigError, match=f"more than {LIMIT}"):
        bank.replace([Route("level", "effect/bloom")] * (LIMIT + 1))
    assert bank.routes is before
    assert bank.edit(0, "gain", 99).gain == 16.0, "played numbers are clipped"


def test_the_route_table_is_the_route() -> None:
    assert list(ROUTE_ROWS) == list(Route.__dataclass_fields__)
    route = Route("level", "effect/bloom")
    for field, row in ROUTE_ROWS.items():
        if field not in ("source", "target"):
            assert getattr(route, field) == row.default
    assert differing(Route("level", "effect/bloom", high=0.5)) == {
        "source": "level", "target": "effect/bloom", "high": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_drives_over_its_range(source: str) -> None:
    row = FEATURES[INDEX[source]]
    route = Route(source, "scene/layout", release_s=0, low=-1, high=1)
    full = {"level": row.high, "pulse": 1.0, "clock": 0.999}[shape_of(row)]
    got = track(route, [heard(0), heard(1, **{source: full})])
    assert got == [0.0, 1.0 if shape_of(row) != "clock" else pytest.approx(1.0, abs=2e-3)]


def test_the_work_per_hop_does_not_grow_with_the_table() -> None:
    """Twelve routes touch twelve lines: nothing loops over all parameters or all features in Python."""
    state = init([Route("level", "effect/bloom")] * 12, ROWS)
    assert len(state.envelopes) == len(state.plan.lines) == 12
    assert [row.id for row, _ in state.plan.targets] == ["effect/bloom"]
