"""The analysis thread hears what the analyser hears, hop for hop, and decays when sound stops arriving."""

from __future__ import annotations

import time

import numpy as np
import pytest

from livevis.analysis.analyser import Analyser
from livevis.audio.jam import JamSource
from livevis.core.clock import WallClock
from livevis.core.exchange import SampleRing
from livevis.core.features import HOP
from livevis.core.types import AudioFeatures, Recognition
from livevis.hearing import Hearing


def wait_for(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


@pytest.fixture
def heard():
    ring = SampleRing.create(8.0)
    features: list[AudioFeatures] = []
    hearing = Hearing(ring, listen=features.append, clock=WallClock())
    yield ring, hearing, features
    hearing.stop()
    ring.close()


def test_live_features_equal_offline_features(heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livevis.hearing._STARVED_S", 1e9)  # a busy machine must not be taken for a lost device
    ring, hearing, features = heard
    samples = JamSource(seed=3).samples(0, HOP * 400)
    hearing.start()
    position = 0
    for n in np.random.default_rng(1).integers(1, 3000, 1000):
        ring.write(samples[position : position + n])
        position = min(position + int(n), len(samples))
        wait_for(lambda: len(features) >= position // HOP)  # noqa: B023
    assert hearing.skipped == 0
    offline = Analyser().feed(samples)
    for live, exact in zip(features[:400], offline, strict=True):
        assert live.sample == exact.sample
        assert np.array_equal(live.values, exact.values)
        assert np.array_equal(live.spectrum, exact.spectrum)
        assert np.array_equal(live.waveform, exact.waveform)


def test_what_the_ears_found_is_merged_in_behind_the_analyser(heard) -> None:
    ring, _, _ = heard
    features: list[AudioFeatures] = []
    found = [Recognition(0, 2.5, (0.25, 0.75))]
    hearing = Hearing(ring, listen=features.append, clock=WallClock(), recognition=lambda: found[0])
    hearing.start()
    try:
        ring.write(JamSource(seed=3).samples(48_000, 24_064))
        wait_for(lambda: features and features[-1]["heard.2"] == 0.75)
        assert hearing.latest["heard.1"] == 0.25 and hearing.latest["heard.3"] == 0.0
        found[0] = None
        wait_for(lambda: features[-1]["heard.2"] == 0.0)
    finally:
        hearing.stop()


def test_levels_decay_when_nothing_arrives(heard) -> None:
    ring, hearing, features = heard
    hearing.start()
    ring.write(JamSource(seed=3).samples(48_000, 47_872))
    wait_for(lambda: any(heard["level"] > 0.1 for heard in features))
    wait_for(lambda: features[-1]["silence"] == 1.0 and features[-1]["level"] < 0.02)


def test_a_starved_reader_goes_on_with_what_is_new(heard) -> None:
    ring, hearing, features = heard
    hearing.start()
    for _ in range(12):  # more than the ring holds, faster than anybody could listen
        ring.write(np.ones(48_000, np.float32) * 0.1)
    wait_for(lambda: hearing.skipped > 0 and features)
    assert hearing.failure == ""
    assert features[-1].sample <= ring.written - hearing.skipped


def test_a_failing_listener_does_not_end_the_thread() -> None:
    ring = SampleRing.create(1.0)
    calls: list[int] = []

    def listen(features: AudioFeatures) -> None:
        calls.append(features.sample)
        raise RuntimeError("broken route")

    hearing = Hearing(ring, listen=listen, clock=WallClock())
    hearing.start()
    ring.write(np.zeros(HOP * 4, np.float32))
    wait_for(lambda: len(calls) >= 4)
    assert "broken route" in hearing.failure
    hearing.stop()
    ring.close()
