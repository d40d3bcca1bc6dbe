"""The callback: what it computes, and what it must never do."""

from __future__ import annotations

import ast
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import livevis
from livevis.audio.capture import Capture, Resampler, channel_weights, channels_to_open
from livevis.core.errors import ConfigError
from livevis.core.exchange import SampleRing

PACKAGE = Path(livevis.__file__).parent
ALLOWED = {
    "audio/capture.py": ("take", {"len", "np.dot", "self._sink.write"}),
    "audio/device.py": ("heard", {"capture.take"}),
    "audio/pyaudio.py": ("heard", {"capture.take", "np.frombuffer", "np.frombuffer(data, np.float32).reshape"}),
    "core/exchange.py": ("write", {"len", "min"}),
}
FORBIDDEN = (
    *(ast.With, ast.Try, ast.Raise, ast.Import, ast.ImportFrom, ast.Global, ast.Lambda, ast.Await, ast.Yield),
    *(ast.For, ast.While, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp),
    *(ast.List, ast.Dict, ast.Set, ast.JoinedStr),
)


def functions(file: str, name: str) -> list[ast.FunctionDef]:
    tree = ast.parse((PACKAGE / file).read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]


@pytest.mark.parametrize("file", ALLOWED)
def test_callback_calls_only_what_is_allowed(file: str) -> None:
    name, allowed = ALLOWED[file]
    found = functions(file, name)
    assert len(found) == 1 or file == "core/exchange.py"
    body = [node for statement in found[0].body for node in ast.walk(statement)]
    assert {ast.unparse(node.func) for node in body if isinstance(node, ast.Call)} <= allowed
    assert not [type(node).__name__ for node in body if isinstance(node, FORBIDDEN)]


def test_callback_makes_no_arrays(ring: SampleRing) -> None:
    """A hundred blocks leave less behind, and at their peak hold less, than one mono block would weigh."""
    capture = Capture(ring, channel="mix", channels=2)
    block = np.ones((256, 2), np.float32)
    capture.take(block, False)
    tracemalloc.start()
    try:
        for _ in range(100):
            capture.take(block, False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 256 * 4


@pytest.fixture
def ring() -> Iterator[SampleRing]:
    made = SampleRing.create(2)
    yield made
    made.close()


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.integers(1, 6), st.integers(0, 6), st.integers(0, 9))
def test_ring_holds_the_chosen_channels(sizes: list[int], channels: int, wanted: int, seed: int) -> None:
    channel = "mix" if wanted == 0 else min(wanted, channels)
    x = np.random.default_rng(seed).uniform(-1, 1, (sum(sizes), channels)).astype(np.float32)
    ring = SampleRing.create(1)
    try:
        capture = Capture(ring, channel=channel, channels=channels)
        for block in np.split(x, np.cumsum(sizes)[:-1]):
            capture.take(block, True)
        heard = ring.read(0, len(x))
    finally:
        ring.close()
    assert capture.blocks == capture.overflows == len(sizes)
    expected = x.mean(axis=1) if channel == "mix" else x[:, channel - 1]
    assert heard is not None
    np.testing.assert_allclose(heard, expected, atol=1e-6)


def test_channels_are_named_from_one() -> None:
    assert channels_to_open("mix", 1) == 1
    assert channels_to_open("mix", 32) == 2
    assert channels_to_open(1, 1) == 1
    assert channels_to_open(1, 2) == 2
    assert channels_to_open(3, 8) == 3
    np.testing.assert_array_equal(channel_weights(3, 3), [0, 0, 1])
    for bad in (0, 9, -1):
        with pytest.raises(ConfigError, match=r"choose 'mix' or 1\.\.8"):
            channels_to_open(bad, 8)


@given(st.lists(st.integers(1, 3_000), min_size=5, max_size=30))
def test_resampling_does_not_depend_on_blocks(sizes: list[int]) -> None:
    """However the driver cuts its blocks, a tone at 44.1 kHz is the tone at 48 kHz, less than a millisecond late."""
    n = sum(sizes)
    x = np.sin(2 * np.pi * 440 * np.arange(n) / 44_100).astype(np.float32)
    ring = SampleRing.create(4)
    resampler = Resampler(ring, 44_100)
    try:
        for block in np.split(x, np.cumsum(sizes)[:-1]):
            resampler.stage.write(block)
            resampler.drain()
        heard, gaps = ring.read(0, ring.written), ring.gaps
    finally:
        resampler.close()
        ring.close()
    assert heard is not None
    assert n * 48 / 44.1 - len(heard) < 48
    expected = np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 48_000)
    np.testing.assert_allclose(heard[60:], expected[60:], atol=2e-3)
    assert gaps == 0


def test_overtaken_resampler_owns_up(ring: SampleRing) -> None:
    resampler = Resampler(ring, 44_100)
    try:
        for _ in range(20):
            resampler.stage.write(np.ones(4_000, np.float32))
        resampler.drain()
    finally:
        resampler.close()
    assert (ring.gaps, ring.lost) == (1, 80_000)
