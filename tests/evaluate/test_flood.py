"""The flood, smaller: nothing crashes, every loss is counted, the trigger after it counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.params import Registry
from livevis.evaluate.flood import GARBAGE_SHARE, datagrams, flood, main
from livevis.surfaces.incoming import Batch
from livevis.surfaces.osc import OscSurface


@pytest.fixture
def show() -> Iterator[OscSurface]:
    """A surface whose registry is applied by another thread, as a running stage does."""
    registry = Registry(CATALOGUE)
    surface = OscSurface(registry, port=0)
    surface.start()
    ended = threading.Event()

    def frames() -> None:
        while not ended.wait(1 / 60):
            registry.apply()

    stage = threading.Thread(target=frames)
    stage.start()
    yield surface
    ended.set()
    stage.join()
    surface.stop()


def test_a_flood_is_stood(show: OscSurface) -> None:
    report = flood(show.port, 2_000)
    assert report.passed and report.lost == report.dropped == show.dropped
    assert report.bad == report.garbage == 200 or report.dropped > 0
    assert report.received == report.sent - report.dropped
    assert show.subscribers == 0


def test_a_second_flood_is_stood_as_the_first(show: OscSurface) -> None:
    assert all(flood(show.port, 300, seed=seed).passed for seed in (1, 2))


def test_floods_are_reproducible_and_a_tenth_garbage() -> None:
    assert datagrams(500, seed=3) == datagrams(500, seed=3) != datagrams(500, seed=4)
    surface, batch = OscSurface(Registry(CATALOGUE)), Batch()
    for datagram in datagrams(500, seed=3):
        surface._read(datagram, ("127.0.0.1", 1), batch)
    assert (surface.received, surface.bad) == (500, round(500 * GARBAGE_SHARE))


def test_the_command_brings_its_own_surface(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--messages", "500", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["messages"], report["garbage"], report["passed"]) == (500, 50, True)


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"no livevis answers OSC at 127\.0\.0\.1 port 1;"):
        flood(1, 10)
