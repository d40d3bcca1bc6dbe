"""Live inputs against a real sound server: tone, channels, rates, and the plug being pulled."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livevis.core.features import SAMPLE_RATE_HZ

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))
from virtual_microphone import VirtualMicrophone, missing  # noqa: E402

sys.path.remove(str(TESTS))

TONE_HZ = 440.0
PYAUDIO = pytest.param(
    "pyaudio",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("pyaudio") is None, reason="PyAudio is not installed (extra livevis[pyaudio])"
    ),
)
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the virtual microphone is PulseAudio's"),
    pytest.mark.skipif(bool(missing()), reason=missing() or "present"),
]


def tone(hz: float = TONE_HZ, amplitude: float = 0.5) -> np.ndarray:
    """One second, which is a whole number of periods, so that it repeats without a seam."""
    return amplitude * np.sin(2 * np.pi * hz * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)


class Listener:
    """The listening process seen from the test."""

    def __init__(self, microphone: VirtualMicrophone, folder: Path, kind: str, channel: str = "mix") -> None:
        self._path = folder / f"heard-{channel}.npy"
        env = microphone.env | {"PYTHONPATH": str(TESTS.parent)}
        command = [sys.executable, str(Path(__file__).with_name("listener.py")), kind, channel, str(self._path)]
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, what: Callable[[dict[str, Any]], bool], tries: int = 400) -> dict[str, Any]:
        """Read statuses until one satisfies `what`; each comes 50 ms after the one before."""
        row: dict[str, Any] = {}
        for _ in range(tries):
            line = self._process.stdout.readline() if self._process.stdout else ""
            assert line, self._process.communicate()[1][-2000:]
            row = json.loads(line)
            if what(row):
                return row
        raise AssertionError(f"never came to pass; last: {row}")

    def stop(self) -> tuple[np.ndarray, dict[str, Any]]:
        """Return all that was heard, and the last status."""
        out, err = self._process.communicate("\n", timeout=30)
        assert self._process.returncode == 0, err[-2000:]
        return np.load(self._path), json.loads(out.splitlines()[-1])

    def kill(self) -> None:
        """End the process, whatever state it is in."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def listeners() -> Iterator[list[Listener]]:
    opened: list[Listener] = []
    yield opened
    for listener in opened:
        listener.kill()


def pitch_hz(x: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 1 << 19))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 19))


def breaks(x: np.ndarray, hz: float = TONE_HZ) -> int:
    """Count the places where a sine does not go on as its two samples before say that it must."""
    predicted = 2 * np.cos(2 * np.pi * hz / SAMPLE_RATE_HZ) * x[1:-1] - x[:-2]
    jumps = np.flatnonzero(np.abs(x[2:] - predicted) > 2e-3)
    return int(np.sum(np.diff(jumps, prepend=-1000) > 200))


def plays_for(seconds: float) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["state"] == "playing" and row["written"] > seconds * SAMPLE_RATE_HZ


@pytest.mark.parametrize(("kind", "rate_hz"), [("device", 48_000), ("native", 44_100)])
def test_tone_arrives_whole(kind: str, rate_hz: int, tmp_path: Path, listeners: list[Listener]) -> None:
    """440 Hz in, 440 Hz in the ring, at its amplitude, without a seam: directly, and through the resampler."""
    with VirtualMicrophone(tmp_path) as microphone:
        microphone.play(tone())
        listeners.append(listener := Listener(microphone, tmp_path, kind))
        listener.until(plays_for(2.0))
        heard, last = listener.stop()
    first = int(np.argmax(np.abs(heard) > 0.4))
    body = heard[first + 2_000 : -500]
    assert len(body) > SAMPLE_RATE_HZ
    assert abs(pitch_hz(body) - TONE_HZ) < 0.3
    assert abs(np.sqrt(np.mean(body**2)) - 0.5 / np.sqrt(2)) < 0.005
    assert breaks(body) <= last["overflows"]
    assert (last["gaps"], last["lost"], last["state"], last["rate_hz"]) == (0, 0, "ended", rate_hz)


@pytest.mark.parametrize("kind", ["device", PYAUDIO])
def test_pulled_plug_is_noticed_and_healed(kind: str, tmp_path: Path, listeners: list[Listener]) -> None:
    """The server ends the stream: lost, audio time goes on in zeros; back in: found again by name."""
    with VirtualMicrophone(tmp_path) as microphone:
        microphone.play(tone())
        listeners.append(listener := Listener(microphone, tmp_path, kind))
        listener.until(plays_for(0.5))
        microphone.unload()
        gone = listener.until(lambda row: row["state"] == "lost" and row["message"].startswith("waiting for"))
        assert gone["lost"] > 0
        later = listener.until(lambda row: row["lost"] > gone["lost"] + 0.5 * SAMPLE_RATE_HZ)
        assert later["written"] - gone["written"] == later["lost"] - gone["lost"]
        microphone.reload()
        back = listener.until(lambda row: row["state"] == "playing")
        assert back["reopened"] >= 1
        listener.until(lambda row: row["written"] > back["written"] + SAMPLE_RATE_HZ)
        heard, _ = listener.stop()
    assert not heard[later["written"] - 4_800 : later["written"]].any()
    assert abs(pitch_hz(heard[-24_000:]) - TONE_HZ) < 1.0


def test_silent_rerouting_is_seen_through(tmp_path: Path, listeners: list[Listener]) -> None:
    """Another source takes the stream over without a word: exact zeros give it away, and the tone comes back."""
    with VirtualMicrophone(tmp_path, rescue=True) as microphone:
        microphone.play(tone())
        listeners.append(listener := Listener(microphone, tmp_path, "device"))
        listener.until(plays_for(0.5))
        microphone.unload()
        listener.until(lambda row: row["state"] in ("silent", "lost"))
        microphone.reload()
        back = listener.until(lambda row: row["state"] == "playing" and row["reopened"] >= 1)
        listener.until(lambda row: row["written"] > back["written"] + SAMPLE_RATE_HZ)
        heard, _ = listener.stop()
    assert abs(pitch_hz(heard[-24_000:]) - TONE_HZ) < 1.0


@pytest.mark.parametrize("kind", ["device", PYAUDIO])
def test_channel_choice(kind: str, tmp_path: Path, listeners: list[Listener]) -> None:
    """440 Hz on the left and 1 kHz on the right: each alone by its number, both at half in the mix."""
    expected = {"1": (0.5, 0.0), "2": (0.0, 0.5), "mix": (0.25, 0.25)}
    with VirtualMicrophone(tmp_path, channels=2) as microphone:
        microphone.play(np.stack([tone(440), tone(1000)], axis=1))
        listeners += (Listener(microphone, tmp_path, kind, channel) for channel in expected)
        heard = []
        for listener in listeners:
            listener.until(plays_for(1.0))
            heard.append(listener.stop()[0][-24_000:])
    for body, (left, right) in zip(heard, expected.values(), strict=True):
        spectrum = np.abs(np.fft.rfft(body * np.hanning(24_000) * 2)) / 12_000
        assert abs(spectrum[440 // 2] - left) < 0.02
        assert abs(spectrum[1000 // 2] - right) < 0.02
