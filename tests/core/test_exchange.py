"""Shared-memory hand-overs against plain models, torn reads and racing processes included."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.core.exchange import FrameMeta, Mailbox, SampleRing, SharedFrames

blocks = st.lists(st.integers(0, 700), max_size=30)


@settings(max_examples=60, deadline=None)
@given(blocks, st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 480)), min_size=1, max_size=10))
def test_ring_against_a_list(sizes: list[int], reads: list[tuple[int, int]]) -> None:
    ring = SampleRing.create(480 / 48000)
    try:
        heard: list[float] = []
        for n in (size for size in sizes if size <= 480):
            block = np.arange(len(heard), len(heard) + n, dtype=np.float32)
            ring.write(block)
            heard += block.tolist()
        for start, n in reads:
            got = ring.read(start, n)
            legal = start + n <= len(heard) and start >= len(heard) - 480
            assert (got is not None) == legal
            if got is not None:
                assert got.tolist() == heard[start : start + n]
    finally:
        ring.close()


def test_ring_counts_gaps_as_silence() -> None:
    ring = SampleRing.create(0.1)
    ring.write(np.ones(100, np.float32))
    ring.skip(7000)
    ring.write(np.ones(10, np.float32))
    assert (ring.written, ring.gaps, ring.lost) == (7110, 1, 7000)
    ring.skip(50)
    ring.skip(50)
    assert (ring.gaps, ring.lost) == (2, 7100), "an outage is one gap, however many skips it takes"
    tail = ring.read(7000, 110)
    assert tail is not None
    assert tail.tolist() == [0.0] * 100 + [1.0] * 10
    ring.close()


def _write_forever(name: str) -> None:
    ring = SampleRing.attach(name)
    for start in range(0, 48000 * 40, 480):
        ring.write(np.arange(start, start + 480, dtype=np.float32))
    ring.close()


def test_ring_reader_beside_a_racing_writer_never_sees_torn_samples() -> None:
    ring = SampleRing.create(0.05)
    writer = multiprocessing.get_context("spawn").Process(target=_write_forever, args=(ring.name,))
    writer.start()
    good = 0
    while writer.is_alive():
        start = max(0, ring.written - 600)
        got = ring.read(start, 500)
        if got is not None:
            good += 1
            assert np.array_equal(got, np.arange(start, start + 500, dtype=np.float32))
    writer.join()
    assert good > 0
    ring.close()


def test_mailbox_keeps_the_newest() -> None:
    box = Mailbox.create()
    other = Mailbox.attach(box.name)
    assert other.get() is None
    for value in range(10):
        box.put({"value": value})
    assert other.get() == (10, {"value": 9})
    with pytest.raises(ValueError, match="at most"):
        box.put(bytes(1 << 19))
    assert other.get() == (10, {"value": 9})
    other.close()
    box.close()


def _put_pictures(name: str, count: int) -> None:
    slots = SharedFrames.attach(name)
    for i in range(1, count + 1):
        slots.put(np.full((64, 48, 3), i % 251, np.uint8), FrameMeta(i, i * 2, i * 3, i * 0.5, i * 0.75))
    slots.close()


def test_frames_are_whole_newest_and_in_order() -> None:
    slots = SharedFrames.create(64, 48)
    writer = multiprocessing.get_context("spawn").Process(target=_put_pictures, args=(slots.name, 3000))
    writer.start()
    seen = last_id = 0
    deadline = time.monotonic() + 60
    while last_id < 3000 and time.monotonic() < deadline:
        got = slots.newest(seen)
        if got is None:
            continue
        seen, image, meta = got
        assert meta.id > last_id
        last_id = meta.id
        assert image.min() == image.max() == meta.id % 251
        assert (meta.controls_version, meta.sample) == (meta.id * 2, meta.id * 3)
    writer.join()
    assert last_id == 3000
    assert slots.newest(seen) is None
    slots.close()
