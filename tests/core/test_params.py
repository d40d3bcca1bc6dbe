"""Every row of the table, and the registry that holds the values."""

from __future__ import annotations

import math
import pickle
import threading
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.catalogue import CATALOGUE, SCENES
from livevis.core.errors import ConfigError
from livevis.core.params import Change, Param, Registry
from livevis.core.places import assets

ROWS = {row.id: row for row in CATALOGUE}
NUMERIC = [row for row in CATALOGUE if row.kind in ("float", "int")]
every_row = pytest.mark.parametrize("row", CATALOGUE, ids=lambda row: row.id)
every_number = pytest.mark.parametrize("row", NUMERIC, ids=lambda row: row.id)


@pytest.fixture
def registry() -> Registry:
    return Registry(CATALOGUE)


@every_row
def test_row_is_whole(row: Param) -> None:
    assert row.id.count("/") == 1 and row.id == row.id.lower()
    assert row.doc and not row.doc.endswith(".")
    if row.kind != "trigger":
        assert row.coerce(row.default) == row.default
        assert type(row.coerce(row.default)) is type(row.default)


@every_row
def test_knob_there_and_back(row: Param) -> None:
    if row.kind == "text":
        with pytest.raises(ConfigError, match="no position"):
            row.to_norm(row.default)
        with pytest.raises(ConfigError, match="no position"):
            row.from_norm(0.5)
        return
    for x in np.linspace(0, 1, 257):
        value = row.from_norm(float(x))
        back = row.from_norm(row.to_norm(value))
        assert back == (pytest.approx(value, abs=1e-12) if row.kind == "float" else value)
        if row.kind == "float" and not (row.bounds == "wrap" and x == 1):
            assert row.to_norm(value) == pytest.approx(x, abs=1e-12)


@every_number
def test_knob_ends_and_order(row: Param) -> None:
    assert row.from_norm(0) == row.low
    assert row.from_norm(1) == (row.low if row.bounds == "wrap" else row.high)
    values = [float(row.from_norm(x / 100)) for x in range(100)]
    assert values == sorted(values)
    assert row.from_norm(-3) == row.from_norm(0) and row.from_norm(7) == row.from_norm(1)


def test_exponential_knob() -> None:
    row = Param("a/b", "float", 100.0, 20, 20_000, curve="exp")
    assert row.from_norm(0.5) == pytest.approx(math.sqrt(20 * 20_000))
    assert [row.from_norm(x) for x in (0, 1)] == [20, 20_000]
    assert row.to_norm(row.from_norm(0.3)) == pytest.approx(0.3)


BAD: list[object] = [math.nan, math.inf, -math.inf, "nan", "inf", b"1", [1], {}, object()]


@every_row
def test_illegal_values_name_the_row(row: Param) -> None:
    for bad in BAD:
        if row.kind == "text" and isinstance(bad, str):
            continue
        with pytest.raises(ConfigError, match=row.id):
            row.coerce(bad)


@every_number
def test_numbers_are_bounded(row: Param) -> None:
    for value in (-1e300, row.low - 1, row.high + 1, 1e300):
        legal = float(row.coerce(value))
        assert row.low <= legal <= row.high
        if row.bounds == "clip":
            assert legal == (row.low if value < row.low else row.high)
    assert row.coerce(str(row.default)) == row.default


finite = st.floats(-1e6, 1e6)


@given(finite)
def test_wrap_and_fold(value: float) -> None:
    wrap = Param("a/wrap", "float", 0.0, -1, 2, bounds="wrap")
    fold = Param("a/fold", "float", 0.0, -1, 2, bounds="fold")
    wrapped, folded = float(wrap.coerce(value)), float(fold.coerce(value))
    assert -1 <= wrapped < 2 and -1 <= folded <= 2
    turns = (wrapped - value) / 3
    assert turns == pytest.approx(round(turns), abs=1e-6)
    assert float(fold.coerce(value + 6)) == pytest.approx(folded, abs=1e-6)
    assert float(fold.coerce(4 - value)) == pytest.approx(folded, abs=1e-6)  # mirrored at the upper end
    if -1 <= value < 2:
        assert wrapped == value and folded == pytest.approx(value, abs=1e-12)


def test_whole_numbers_wrap_through_all_values() -> None:
    row = Param("a/b", "int", 0, 0, 3, bounds="wrap")
    assert [row.coerce(v) for v in range(-2, 6)] == [2, 3, 0, 1, 2, 3, 0, 1]


COERCIONS: list[tuple[str, Any, Any]] = [
    ("diffusion/strength", 1, 1.0),
    ("diffusion/strength", True, 1.0),
    ("diffusion/strength", "0.25", 0.25),
    ("diffusion/strength", np.float32(0.5), 0.5),
    ("diffusion/steps", 2.4, 2),
    ("diffusion/steps", 2.5, 3),
    ("diffusion/steps", "3", 3),
    ("diffusion/seed", 2**31 - 1, 2**31 - 1),
    ("effect/hue", 1.25, 0.25),
    ("effect/hue", -0.25, 0.75),
    ("output/blackout", 1, True),
    ("output/blackout", 0.49, False),
    ("output/blackout", "On", True),
    ("output/blackout", "off", False),
    ("output/blackout", "1", True),
    ("scene/name", "FIRE", "fire"),
    ("scene/name", 1, "ocean_waves"),
    ("scene/name", 1.6, "rain"),
    ("scene/name", "2", "rain"),
    ("prompt/text_1", "a sea\nat\tnight", "a sea at night"),
]


@pytest.mark.parametrize(("id", "value", "expected"), COERCIONS)
def test_coercion(id: str, value: object, expected: object) -> None:
    got = ROWS[id].coerce(value)
    assert got == expected and type(got) is type(expected)


def test_messages_say_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"^scene/name: no choice 'fyre' \(did you mean 'fire'\?\); allowed: fire"):
        ROWS["scene/name"].coerce("fyre")
    with pytest.raises(ConfigError, match=r"^audio/gain: 'loud' is not a number; allowed: -24..24 dB$"):
        ROWS["audio/gain"].coerce("loud")
    with pytest.raises(ConfigError, match=r"index 99 is outside 0\.\."):
        ROWS["scene/name"].coerce(99)
    with pytest.raises(ConfigError, match="501 characters"):
        ROWS["prompt/text_1"].coerce("a" * 501)


@pytest.mark.parametrize(
    "wrong",
    [
        {"default": 2.0},
        {"low": 1.0, "high": 1.0},
        {"curve": "exp"},
        {"safe": (0.0, 2.0)},
        {"kind": "enum", "default": ""},
        {"kind": "bool", "default": False, "safe": (0.0, 1.0)},
    ],
)
def test_a_row_that_contradicts_itself_raises(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="a/b"):
        Param(**{"id": "a/b", "kind": "float", "default": 0.5, **wrong})


def test_scenes_of_the_table_are_the_files() -> None:
    assert set(SCENES) == {file.stem for file in (assets("shaders") / "scenes").glob("*.fs")}
    assert ROWS["scene/name"].choices[: len(SCENES)] == SCENES


def test_one_batch_is_one_version(registry: Registry) -> None:
    first = registry.base()
    assert not registry.apply() and registry.base() is first
    registry.post([Change("diffusion/strength", 0.7), Change("effect/hue", 0.3), Change("preset/next")])
    assert registry.base() is first, "nothing is applied before the owner says so"
    assert registry.apply()
    after = registry.base()
    assert (after.version, after["diffusion/strength"], after.triggers["preset/next"]) == (1, 0.7, 1)
    registry.post([Change("effect/bloom", 0.9)])
    registry.post([Change("effect/bloom", 0.8)])
    assert registry.apply() and registry.base().version == 3
    assert first["diffusion/strength"] == ROWS["diffusion/strength"].default


def test_an_illegal_batch_changes_nothing(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'diffusion/strength'"):
        registry.post([Change("effect/hue", 0.5), Change("difusion/strength", 1)])
    with pytest.raises(ConfigError, match="finite"):
        registry.post([Change("effect/hue", 0.5), Change("diffusion/strength", math.nan)])
    assert not registry.apply() and registry.base().version == 0


def test_what_does_not_change_is_no_version(registry: Registry) -> None:
    registry.post([Change("effect/hue", 0.0)])
    assert not registry.apply()
    for _ in range(2):  # an order counts each time
        registry.post([Change("preset/load", "tide", source="osc")])
        assert registry.apply()
    assert registry.base().version == 2


@pytest.mark.parametrize(
    ("value", "op", "fires"),
    [(None, "set", 1), (True, "set", 1), (1, "set", 1), (0.3, "set", 1), (None, "fire", 1), ("on", "set", 1),
     (0, "set", 0), (0.0, "set", 0), (False, "set", 0), ("off", "set", 0), (1, "norm", 1), (0, "norm", 0)],
)  # fmt: skip
def test_triggers_ignore_the_release(registry: Registry, value: object, op: Any, fires: int) -> None:
    registry.post([Change("preset/next", value, op)])
    assert registry.apply() is bool(fires)
    assert registry.read("preset/next") == fires
    assert "preset/next" not in registry.base().values


def test_relative_changes_act_on_what_is_there_when_applied(registry: Registry) -> None:
    registry.post([Change("diffusion/strength", 0.2), Change("diffusion/strength", 0.1, "+")])
    registry.post([Change("diffusion/strength", 2, "*"), Change("scene/palette", None, "+")])
    registry.post([Change("scene/palette", 9, "-"), Change("effect/hue", 1.75, "+")])
    registry.apply()
    assert registry.read("diffusion/strength") == pytest.approx(0.6)
    assert registry.read("scene/palette") == 0
    assert registry.read("effect/hue") == pytest.approx(0.75)
    registry.post([Change("diffusion/strength", None, "-")])
    registry.apply()
    assert registry.read("diffusion/strength") == pytest.approx(0.59)


@pytest.mark.parametrize(
    ("id", "value", "op"),
    [("scene/name", 1, "+"), ("prompt/text_1", "x", "+"), ("prompt/text_1", 0.5, "norm"),
     ("effect/hue", None, "fire"), ("diffusion/strength", "x", "+"), ("diffusion/strength", None, "*"),
     ("diffusion/strength", math.inf, "*")],
)  # fmt: skip
def test_operations_that_make_no_sense_raise(registry: Registry, id: str, value: object, op: Any) -> None:
    with pytest.raises(ConfigError, match=id):
        registry.post([Change(id, value, op)])


def test_norm_goes_through_the_knob(registry: Registry) -> None:
    registry.post([Change("audio/gain", 0.75, "norm"), Change("scene/name", 1.0, "norm")])
    registry.apply()
    assert registry.read("audio/gain") == 12.0
    assert registry.read("scene/name") == ROWS["scene/name"].choices[-1]


def test_feedback_knows_what_changed_and_by_whom(registry: Registry) -> None:
    registry.post([Change("effect/hue", 0.5, source="osc 1")])
    registry.apply()
    seen = registry.base().version
    registry.post([Change("effect/bloom", 0.5, source="midi"), Change("preset/next", source="web")])
    registry.apply()
    assert registry.changed_since(seen) == {"effect/bloom": 0.5}
    assert registry.changed_since(0) == {"effect/hue": 0.5, "effect/bloom": 0.5}
    assert registry.changed_since(registry.base().version) == {}
    sources = [registry.source_of(id) for id in ("effect/hue", "effect/bloom", "preset/next", "effect/zoom")]
    assert sources == ["osc 1", "midi", "web", ""]


def test_a_snapshot_cannot_be_written_and_travels(registry: Registry) -> None:
    base = registry.base()
    assert isinstance(base.values, MappingProxyType)
    with pytest.raises(TypeError):
        base.values["effect/hue"] = 1.0  # type: ignore[index]
    copy = pickle.loads(pickle.dumps(base))
    assert copy == base and isinstance(copy.values, MappingProxyType)


def test_unknown_ids_name_the_nearest(registry: Registry) -> None:
    for ask in (registry.row, registry.read):
        with pytest.raises(
            ConfigError, match=r"unknown parameter 'scene/intensty' \(did you mean 'scene/intensity'\?\)"
        ):
            ask("scene/intensty")


def test_two_rows_of_one_id_raise() -> None:
    with pytest.raises(ConfigError, match="share an id"):
        Registry([CATALOGUE[0], CATALOGUE[0]])


def test_many_threads_post_and_no_batch_is_torn(registry: Registry) -> None:
    def surface() -> None:
        for i in range(300):
            x = (i % 100) / 100
            registry.post([Change("effect/bloom", x), Change("effect/zoom", x), Change("preset/next")])

    threads = [threading.Thread(target=surface) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        registry.apply()
        base = registry.base()
        assert base["effect/bloom"] == base["effect/zoom"] or base.version == 0
    registry.apply()
    assert registry.read("preset/next") == 1200 and registry.base().version == 1200
