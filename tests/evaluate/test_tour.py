"""The tour: every id it touches exists, what it plays is put back, a missed frame is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from livevis.core.catalogue import CATALOGUE
from livevis.core.clock import VirtualClock
from livevis.core.errors import ConfigError
from livevis.core.params import Registry
from livevis.core.types import silent_features
from livevis.evaluate.tour import LEGS, Leg, text, tour
from livevis.measures import Measures
from livevis.surfaces.osc import OscSurface

ROWS = {row.id: row for row in CATALOGUE}


def test_every_leg_plays_what_there_is() -> None:
    for leg in LEGS:
        for id, (low, high) in leg.swept.items():
            assert ROWS[id].low <= low < high <= ROWS[id].high, id
        for id, value in leg.put.items():
            assert isinstance(value, str) == (ROWS[id].kind in ("text", "enum")), id
            assert ROWS[id].kind != "enum" or value in ROWS[id].choices
    groups = {id.split("/")[0] for leg in LEGS for id in (*leg.put, *leg.swept)}
    assert {"attention", "nag", "guidance", "aadiff", "tpos"} <= groups


@pytest.fixture
def show() -> Iterator[tuple[OscSurface, Registry]]:
    """A surface that publishes the statistics of a show: five frames missed in all."""
    registry = Registry(CATALOGUE)
    surface = OscSurface(registry, port=0)
    surface.start()
    ended = threading.Event()

    def frames() -> None:
        frame = 0
        while not ended.wait(1 / 100):
            frame += 1
            registry.apply()
            stats = {
                "generator_playing": 1.0,
                "ai_fps": 12.0,
                "generator_restarts": 0.0,
                "generator_lacks": float(frame < 50),
            }
            numbers = stats | {"frames": float(frame), "dropped": 5.0 if frame > 20 else 0.0}
            surface.publish(silent_features(), numbers, time.monotonic())

    stage = threading.Thread(target=frames)
    stage.start()
    yield surface, registry
    ended.set()
    stage.join()
    surface.stop()


def test_all_is_put_back_and_counted(show: tuple[OscSurface, Registry]) -> None:
    surface, registry = show
    before = dict(registry.base().values)
    leg = Leg("gain", {"attention/word": "fire"}, {"attention/gain": (1.0, 5.0)})
    (passed,) = tour(surface.port, seconds=1.0, legs=[leg])
    time.sleep(0.1)
    assert dict(registry.base().values) == before
    assert passed.prepared and passed.frames > 20 and passed.restarts == 0 and passed.generated_fps == 12.0
    assert passed.sent >= 50 and "gain" in text([passed])


def test_nobody_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livevis.evaluate.tour.START_S", 0.3)
    with pytest.raises(ConfigError, match="no generator played at"):
        tour(1, seconds=1.0)


def test_a_frame_that_does_not_come_is_counted() -> None:
    clock = VirtualClock()
    measures = Measures(clock)
    measures.interval_s = 0.1
    for gap_s in (0.1, 0.1, 0.14, 0.06, 0.2, 0.31, 0.1):
        clock.advance(gap_s)
        measures.shown(0, None, -1)
    assert measures.live()["dropped"] == 1 + 2
    assert np.isfinite(measures.latency_ms())
