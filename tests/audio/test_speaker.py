"""The loudspeaker follows the ring: what was written comes out whole, in order, and late by a fixed distance."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from livevis.audio.speaker import BEHIND, Speaker
from livevis.core.exchange import SampleRing


@pytest.fixture
def ring() -> Iterator[SampleRing]:
    ring = SampleRing.create(1.0)
    yield ring
    ring.close()


def test_what_was_written_comes_out_in_order(ring: SampleRing) -> None:
    speaker, heard, written = Speaker(ring), [], 0
    for n in np.random.default_rng(2).integers(200, 824, 300):
        ring.write(np.arange(written + 1, written + 1 + n, dtype=np.float32))
        written += n
        out = np.zeros((512, 1), np.float32)
        speaker.fill(out)
        heard.append(out[:, 0])
    sounded = np.concatenate(heard)
    steps = np.diff(sounded[np.flatnonzero(sounded)])
    assert (steps == 1).mean() > 0.999, "the two clocks agree on average, so it hardly ever jumps"
    assert written - sounded[-1] < 3 * BEHIND


def test_silence_before_and_after(ring: SampleRing) -> None:
    speaker = Speaker(ring)
    out = np.ones((512, 1), np.float32)
    speaker.fill(out)
    assert not out.any()


def test_a_reader_left_behind_catches_up(ring: SampleRing) -> None:
    speaker = Speaker(ring)
    ring.write(np.ones(9000, np.float32))
    out = np.zeros((512, 1), np.float32)
    speaker.fill(out)
    ring.write(np.ones(48_000, np.float32))
    speaker.fill(out)
    assert out.all()
