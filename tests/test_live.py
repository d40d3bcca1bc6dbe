"""The main job on real parts: a virtual microphone, a real window, real UDP, the pocket engine, and a murder."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from livevis.audio.jam import JamSource
from tests import virtual_display, virtual_microphone
from tests.virtual_display import VirtualDisplay
from tests.virtual_microphone import VirtualMicrophone

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 150.0


class Remote:
    """An OSC client on loopback: tells livevis, and keeps the newest of what it is told."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port = _free_port()
        self.heard: dict[str, Any] = {}

    def tell(self, address: str, *values: Any) -> None:
        message = OscMessageBuilder(address)
        for value in values:
            message.add_arg(value)
        self._socket.sendto(message.build().dgram, ("127.0.0.1", self.port))

    def listen(self) -> None:
        try:
            for _ in range(500):
                message = OscMessage(self._socket.recv(65536))
                self.heard[message.address] = message.params[0] if message.params else None
        except (TimeoutError, ConnectionRefusedError):
            pass

    def until(self, done: Callable[[dict[str, Any]], Any]) -> None:
        """Keep the subscription alive and listen until `done` says so."""
        began = renewed = time.monotonic() - 100
        began += 100
        while not done(self.heard):
            now = time.monotonic()
            assert now - began < PATIENCE_S, {k: v for k, v in self.heard.items() if "stats" in k}
            if now - renewed > 5:
                self.tell("/livevis/subscribe")
                renewed = now
            self.listen()

    def close(self) -> None:
        self._socket.close()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def generator_of(pid: int) -> int | None:
    """Find the generator among the children of a livevis process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if parent == pid and b"spawn_main" in words:
                return int(entry.name)
    return None


@pytest.fixture
def show(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Remote, Path]]:
    lacking = virtual_microphone.missing() or virtual_display.missing()
    if lacking:
        pytest.skip(lacking)
    remote = Remote()
    with VirtualDisplay() as display, VirtualMicrophone(tmp_path) as microphone:
        microphone.play(JamSource(seed=5, tempo_bpm=120).samples(48_000 * 8, 48_000 * 16))
        command = [
            sys.executable, "-m", "livevis", "run", "--source", "device", "--size", "640x360", "--fps", "20",
            "--osc-port", str(remote.port), "--set", "output/hud=on", "--set", "heard/bank=drums, rain, a crowd",
            "--stats", str(tmp_path / "stats.json"), "--screenshot", str(tmp_path / "last.png"),
            "--record", str(tmp_path / "show.mp4"),
        ]  # fmt: skip
        env = {**microphone.env, "DISPLAY": display.name, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process, remote, tmp_path
        finally:
            process.kill()
            process.wait()
            remote.close()


def test_a_set_on_real_parts(show: tuple[subprocess.Popen[str], Remote, Path]) -> None:
    process, remote, folder = show

    remote.until(lambda heard: heard.get("/livevis/stats/ai_fps", 0) > 0)
    remote.until(lambda heard: heard.get("/livevis/audio/onset", 0) > 4)

    remote.until(lambda heard: heard.get("/livevis/audio/heard_1", 0) > 0)
    assert 0 <= remote.heard["/livevis/stats/heard_age_s"] < 60 and remote.heard["/livevis/audio/heard_4"] == 0

    remote.tell("/livevis/preset/load", "tide")
    remote.tell("/livevis/scene/intensity/norm", float("nan"))
    remote.until(lambda heard: heard.get("/livevis/scene/name") == "ocean_waves")

    victim = generator_of(process.pid)
    assert victim is not None
    frames = remote.heard["/livevis/stats/frames"]
    remote.heard.pop("/livevis/stats/ai_fps")
    os.kill(victim, signal.SIGKILL)
    remote.until(lambda heard: heard["/livevis/stats/generator_restarts"] >= 1)
    remote.until(lambda heard: heard["/livevis/stats/frames"] > frames + 10)  # the stage goes on without it
    remote.until(
        lambda heard: heard["/livevis/stats/generator_playing"] == 1 and heard.get("/livevis/stats/ai_fps", 0) > 0
    )
    assert generator_of(process.pid) not in (None, victim)

    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    check_stats(json.loads((folder / "stats.json").read_text()))
    check_screenshot(folder / "last.png")
    check_recording(folder / "show.mp4")


def check_stats(stats: dict[str, Any]) -> None:
    assert stats["sound"]["state"] == "playing"
    assert stats["sound"]["onset"] > 4
    assert stats["sound"]["overflows"] == 0
    assert stats["generator"]["restarts"] == 1
    assert stats["faults"] == {}
    assert stats["generated"]["frames"] > 3
    assert stats["onset_to_display"]["count"] > 0
    assert stats["onset_to_generated"]["count"] > 0
    assert stats["control_to_generated"]["count"] > 0
    assert stats["osc"]["bad"] == 1, "the NaN, and nothing else"
    assert "window" in stats["stage"]["surface"]


def check_screenshot(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as image:
        picture = np.asarray(image.convert("RGB")).astype(float)
    assert picture.shape == (360, 640, 3)
    assert picture.std() > 10, "a picture, not a plain field"
    assert 5 < picture.mean() < 245


def check_recording(path: Path) -> None:
    import av

    with av.open(str(path)) as file:
        assert len(file.streams.video) == len(file.streams.audio) == 1
        pictures = sum(1 for _ in file.decode(video=0))
    with av.open(str(path)) as file:
        loudest = max(float(np.abs(frame.to_ndarray()).max()) for frame in file.decode(audio=0))
    assert pictures > 20
    assert loudest > 0.05, "the sound that was heard is in the file"
