"""Recordings and screenshots, read back by decoders that are not ours."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from livevis.core.errors import StageError
from livevis.stage.outputs import Recorder, screenshot

SIZE = (160, 90)


def moving(index: int) -> np.ndarray:
    """A bright bar that walks to the right, so that a frame's place in time can be read off it."""
    picture = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
    picture[:, index * 4 : index * 4 + 16] = (220, 120, 60)
    return picture


def tone(index: int, per_picture: int = 1600) -> np.ndarray:
    t = np.arange(index * per_picture, (index + 1) * per_picture) / 48_000
    return (0.5 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)


def bar_at(picture: np.ndarray) -> int:
    bright = np.flatnonzero(picture[45, :, 0].astype(int) > 130)
    return round((bright[0] + bright[-1] + 1) / 2 - 8) // 4


def decoded(path: Path) -> tuple[list[tuple[float, int]], np.ndarray]:
    """([(time of a picture in seconds, its bar's place)], the sound)."""
    with av.open(str(path)) as file:
        assert {stream.type for stream in file.streams} == {"video", "audio"}
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p"
        pictures = [(f.time, bar_at(f.to_ndarray(format="rgb24"))) for f in file.decode(video=0)]
    with av.open(str(path)) as file:
        sound = np.concatenate([f.to_ndarray()[0] for f in file.decode(audio=0)])
    return pictures, sound


def test_an_offline_recording_keeps_every_picture_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "show.mp4"
    recorder = Recorder(path, SIZE, fps=30, live=False)
    for k in range(30):
        recorder.picture(moving(k), k / 30)
    recorder.sound(np.concatenate([tone(k) for k in range(30)]), 0.0)
    done = recorder.close()
    assert (done.pictures, done.samples, done.dropped) == (30, 48_000, 0)
    pictures, sound = decoded(path)
    assert [place for _, place in pictures] == list(range(30))
    assert np.allclose([time for time, _ in pictures], np.arange(30) / 30, atol=1e-4)
    assert abs(len(sound) - 48_000) <= 2048
    pitch = np.argmax(np.abs(np.fft.rfft(sound[4096 : 4096 + 24_000]))) * 2
    assert abs(pitch - 440) <= 4
    head = path.read_bytes()[:4096]
    assert b"moov" in head, "the index comes first"


def test_uneven_times_are_kept_and_odd_sizes_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "live.mp4"
    recorder = Recorder(path, (161, 91), fps=30, live=False)
    times_s = [5.0, 5.031, 5.1, 5.35]
    for k, time_s in enumerate(times_s):
        recorder.picture(np.pad(moving(k), ((0, 1), (0, 1), (0, 0))), time_s)
        recorder.sound(tone(k), k / 30)
    recorder.close()
    pictures, _ = decoded(path)
    assert np.allclose([time for time, _ in pictures], np.array(times_s) - 5.0, atol=1e-3)


def test_missing_sound_becomes_silence_so_that_the_rest_stays_in_time(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "gap.mp4", SIZE, fps=30, live=False)
    recorder.picture(moving(0), 0.0)
    recorder.sound(np.ones(4800, np.float32), 10.0)
    recorder.sound(np.ones(4800, np.float32), 10.5)
    assert recorder.close().samples == 24_000 + 4800


def test_a_live_recording_drops_pictures_rather_than_wait(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "flood.mp4", (640, 360), fps=60, live=True)
    flood = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    for k in range(200):
        recorder.picture(flood, k / 60)
    done = recorder.close()
    assert done.dropped > 0 and done.pictures + done.dropped == 200


def test_a_live_recording_survives_the_death_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "crash.mp4"
    script = f"""
        import os, time
        import numpy as np
        from livevis.stage.outputs import Recorder
        recorder = Recorder({str(path)!r}, (160, 90), fps=30, live=True)
        for k in range(120):
            recorder.picture(np.full((90, 160, 3), k, np.uint8), k / 30)
            recorder.sound(np.zeros(1600, np.float32), k / 30)
            while recorder._room._value < 4:
                time.sleep(0.001)
        time.sleep(0.3)
        os._exit(9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)]).returncode == 9
    with av.open(str(path)) as file:
        times_s = [frame.time for frame in file.decode(video=0)]
    assert times_s[-1] >= 1.9, "four seconds were played; at most two are lost"


def test_where_nothing_can_be_written_the_path_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "show.mp4"
    with pytest.raises(StageError, match="missing"):
        Recorder(nowhere, SIZE, fps=30, live=False)
    with pytest.raises(StageError, match="missing"):
        screenshot(moving(0), nowhere.with_suffix(".png"))


def test_an_offline_recording_that_fails_says_so_at_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "bad.mp4", SIZE, fps=30, live=False)
    wrong = np.zeros((90, 160, 4), np.uint8)
    with pytest.raises(StageError, match=r"bad\.mp4"):
        for _ in range(30):
            recorder.picture(wrong, 0.0)
    with pytest.raises(StageError, match=r"bad\.mp4"):
        recorder.close()


def test_a_screenshot_is_exact_and_leaves_no_scraps(tmp_path: Path) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    path = screenshot(picture, tmp_path / "shot.png")
    assert np.array_equal(np.asarray(Image.open(path)), picture)
    assert [p.name for p in tmp_path.iterdir()] == ["shot.png"]
