"""Ears of TPoS: the same windows whoever asks when, after a late start, a gap, at another rate, on a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from livevis.core.errors import EngineError
from livevis.core.exchange import SampleRing
from livevis.embed.tpos import causal
from livevis.embed.tpos.ears import LiveTpos, SteppedTpos
from livevis.embed.tpos.network import Tpos, build
from livevis.embed.tpos.shape import TPOS_SHAPES
from livevis.embed.tpos.stream import BLOCK, Listened, Stream, grid, segment_samples

TINY = TPOS_SHAPES["tiny"]
OTHER_RATE = replace(TINY, rate_hz=44_100, hop=882, columns=8, stride=4, segments=2)
RATE = 48_000


@cache
def model() -> Tpos:
    return build(TINY, seed=3).eval()


def sound(seed: int, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    swell = np.interp(np.arange(count), np.linspace(0, count, 12), rng.uniform(0, 0.5, 12))
    return (rng.standard_normal(count) * swell).astype(np.float32)


def reader(samples: np.ndarray) -> Callable[[int, int], np.ndarray | None]:
    return lambda start, n: samples[start : start + n] if start + n <= len(samples) else None


def heard(samples: np.ndarray, step: int, first: int = 0) -> dict[int, Listened]:
    """Every window that somebody gets who asks every `step` samples, by its sample."""
    ears = SteppedTpos(model, reader(samples))
    found: dict[int, Listened] = {}
    for sample in range(first, len(samples) + 1, step):
        for window in ears.hear(sample):
            assert window.sample <= sample
            found[window.sample] = window
    return found


def same(one: Listened, other: Listened) -> bool:
    equal = np.array_equal(one.states, other.states) and np.array_equal(one.logits, other.logits)
    return equal and (one.sample, one.whole) == (other.sample, other.whole)


@cache
def played() -> tuple[np.ndarray, dict[int, Listened]]:
    samples = sound(0, 3.0)
    return samples, heard(samples, 1_600)


def test_a_window_is_the_encoder_s_own_and_stamped_after_what_was_fed_for_it() -> None:
    samples, found = played()
    whole = causal.step(model(), causal.init(model()), samples)[1]
    assert len(found) == len(whole) > 20
    for window, expected in zip(found.values(), whole, strict=True):
        assert 0 <= window.sample - expected.sample < BLOCK
        assert np.array_equal(window.states, expected.states) and np.array_equal(window.logits, expected.logits)


@pytest.mark.parametrize(("step", "first"), [(401, 0), (9_000, 0), (1_600, 1_600), (1_600, 100_001)])
def test_windows_do_not_depend_on_who_asks_when(step: int, first: int) -> None:
    samples, found = played()
    other = heard(samples, step, first)
    assert len(other) >= len(found) // 3 and all(same(window, found[at]) for at, window in other.items())


def test_whole_segments_lie_a_segment_apart_from_the_beginning() -> None:
    places = [window.sample for window in played()[1].values() if window.whole]
    assert places and set(np.diff(places)) == {segment_samples(TINY)}
    assert abs(places[0] - segment_samples(TINY)) <= BLOCK


def test_the_future_changes_nothing() -> None:
    samples, found = played()
    cut = samples.copy()
    cut[80_000:] = 0
    other = heard(cut, 1_600)
    before = [at for at in found if at <= 80_000]
    assert before and all(same(found[at], other[at]) for at in before)
    assert not all(same(found[at], other[at]) for at in found)


@pytest.mark.parametrize("hold", [2.0, 1.0])
def test_overtaken_by_the_ring_it_begins_anew_and_ends_up_the_same(hold: float) -> None:
    """A reader that comes back after samples have gone; where too few are left, it waits until it knows enough."""
    samples, found = played()
    ring = SampleRing.create(hold)
    try:
        stream, got = Stream(model(), ring.read), list[Listened]()
        for start in range(0, len(samples), 4_800):
            ring.write(samples[start : start + 4_800])
            if not 10_000 < start < 120_000:
                got += stream.upto(ring.written)
        late = [window for window in got if window.sample > 120_000]
        assert all(same(window, found[window.sample]) for window in got)
        assert [window.sample for window in late[-1:]] == list(found)[-1:]
        assert (late[0].sample < 124_800) == (hold > 1.5)
    finally:
        ring.close()


def test_lost_sound_is_silence_in_the_ring_and_needs_no_beginning() -> None:
    samples = played()[0].copy()
    samples[60_000:70_000] = 0
    ring = SampleRing.create(4.0)
    try:
        ring.write(samples[:60_000])
        ring.skip(10_000)
        ring.write(samples[70_000:])
        stream = Stream(model(), ring.read)
        got = [window for sample in (50_000, ring.written) for window in stream.upto(sample)]
    finally:
        ring.close()
    expected = heard(samples, 1_600)
    assert len(got) > 5 and all(same(window, expected[window.sample]) for window in got)


def test_another_rate_is_converted_on_the_way_and_hears_no_more_than_it_was_fed() -> None:
    samples, other = sound(1, 4.0), build(OTHER_RATE, seed=5).eval()
    assert grid(OTHER_RATE) * OTHER_RATE.rate_hz % (RATE * OTHER_RATE.hop * OTHER_RATE.stride) == 0

    def listen(read: Callable[[int, int], np.ndarray | None]) -> list[Listened]:
        stream = Stream(other, read)
        return [window for sample in range(0, len(samples) + 1, 4_800) for window in stream.upto(sample)]

    whole = listen(reader(samples))
    assert len(whole) == pytest.approx(4 * 44_100 / 3_528, abs=3)
    changed = samples.copy()
    changed[100_000:] = 0
    pairs = list(zip(whole, listen(reader(changed)), strict=True))
    assert all(same(one, two) for one, two in pairs if one.sample <= 100_000)
    assert not any(same(one, two) for one, two in pairs if one.sample > 105_000)
    late = listen(lambda start, n: reader(samples)(start, n) if start >= 90_000 else None)
    assert len(late) > 10
    for window in late:  # the converter hands over in parcels that begin where it began
        twin = min(whole, key=lambda one, at=window.sample: abs(one.sample - at))  # type: ignore[misc]
        assert abs(twin.sample - window.sample) <= 3 * BLOCK and twin.whole == window.whole
        assert np.abs(window.states - twin.states).max() <= 1e-5


def until(done: Callable[[], object]) -> None:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < 60
        time.sleep(0.002)


def test_live_hears_what_a_render_hears_and_no_question_waits() -> None:
    samples, found = played()
    gate, newest = threading.Event(), [20_000]

    def opened() -> Tpos:
        assert gate.wait(60)
        return model()

    ears = LiveTpos(opened, reader(samples), lambda: newest[0])
    assert ears.lacks() is None and ears.hear(0) == (), "still opening"
    gate.set()
    until(lambda: ears.lacks() == "" and ears.hear(0))
    for written in (50_000, 51_000, 100_000, 144_000):
        newest[0] = written
        until(lambda written=written: ears.hear(0)[-1].sample == max(at for at in found if at <= written))  # type: ignore[misc]
    got = ears.hear(0)
    assert len(got) > 20 and all(same(window, found[window.sample]) for window in got)
    assert np.array_equal(ears.rows(got[-1].states[-1]), causal.speak(model(), got[-1].states[-1]))
    assert ears.notice == "" and ears.segment == segment_samples(TINY)


def test_live_it_rests_while_nobody_asks() -> None:
    asked = [0]

    def newest() -> int:
        asked[0] += 1
        return asked[0] * BLOCK

    ears = LiveTpos(model, lambda start, n: np.zeros(n, np.float32), newest)
    until(lambda: ears.lacks() == "")
    time.sleep(0.1)
    count = asked[0]
    time.sleep(0.1)
    assert asked[0] <= count + 1


def test_what_is_wrong_is_said_live_and_in_a_render() -> None:
    def broken() -> Any:
        raise EngineError("no TPoS in here")

    live = LiveTpos(broken, lambda start, n: None, lambda: BLOCK)
    until(live.lacks)
    stepped = SteppedTpos(broken, lambda start, n: None)
    for ears in (live, stepped):
        assert ears.lacks() == "no TPoS in here" and ears.hear(BLOCK) == ()


def test_live_trouble_on_the_way_is_a_notice_that_passes() -> None:
    trouble = [True]

    def read(start: int, n: int) -> np.ndarray:
        if trouble[0]:
            raise RuntimeError("the ring is gone")
        return np.zeros(n, np.float32)

    count = [0]

    def newest() -> int:
        count[0] += BLOCK
        return count[0]

    ears = LiveTpos(model, read, newest)
    until(lambda: ears.lacks() == "" and ears.notice)
    assert "the ring is gone" in ears.notice and "\n" not in ears.notice
    trouble[0] = False
    until(lambda: ears.lacks() == "" and not ears.notice)
