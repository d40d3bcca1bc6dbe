"""`livevis eval align` on real files: a texture that jumps with clicks scores near 1, with other clicks near chance."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from livevis import cli
from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.align import AlignPlan, align, lines, measure
from livevis.evaluate.sync.film import open_film, pictures, sound_of
from livevis.evaluate.sync.onsets import RATE_HZ, onset_strength, onset_times
from livevis.stage.outputs import Recorder

FPS, SECONDS = 24, 6
BEATS = np.cumsum(np.random.default_rng(6).integers(6, 16, 12))
"""Frames of the beats: 0.25 to 0.6 s apart, in no rhythm."""


def jumping(beats: Sequence[int]) -> list[np.ndarray]:
    """Six seconds of a soft texture that jumps six pixels in each frame of `beats` and else stands still."""
    noise = np.random.default_rng(0).standard_normal((96, 96, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 3, borderType=cv2.BORDER_REFLECT)
    texture = np.clip(128 + 120 * soft / np.abs(soft).max(), 0, 255).astype(np.uint8)
    jumps = np.cumsum(np.isin(np.arange(FPS * SECONDS), beats))
    return [np.roll(texture, 6 * jump, axis=1) for jump in jumps]


def clicks(times_s: np.ndarray) -> np.ndarray:
    """Noise clicks of 30 ms, float32 at 48 kHz."""
    sound = 1e-4 * np.random.default_rng(1).standard_normal(SECONDS * SAMPLE_RATE_HZ)
    grain = np.random.default_rng(2).standard_normal(1440) * np.exp(-np.arange(1440) / 300)
    for at in np.round(times_s * SAMPLE_RATE_HZ).astype(int):
        room = sound[at : at + len(grain)]
        room += 0.3 * grain[: len(room)]
    return sound.astype(np.float32)


def write_film(path: Path, shown: Sequence[np.ndarray], sound: np.ndarray, *, fps: float = FPS) -> Path:
    recorder = Recorder(path, (96, 96), fps=fps, live=False)
    for place, picture in enumerate(shown):
        recorder.picture(picture, place / fps)
    recorder.sound(sound, 0.0)
    recorder.close()
    return path


def write_wav(path: Path, sound: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "jump.mp4", jumping(BEATS), clicks(BEATS / FPS))


@pytest.fixture(scope="module")
def report(film: Path) -> dict[str, Any]:
    return measure(film)[0]


def test_a_picture_that_jumps_on_the_beat_scores_near_one(report: dict[str, Any]) -> None:
    assert report["frames"] == FPS * SECONDS and report["video_fps"] == FPS
    assert report["onsets"] == report["peaks"] == len(BEATS)
    score = report["av_align"]
    assert score["raw"] >= 0.9 and score["compensated"] == 1.0
    assert score["raw_chance"] < 0.25 and score["compensated_chance"] < 0.5
    assert abs(score["lag_ms"]) < 1000 / FPS


def test_its_latency_is_under_a_frame_and_all_is_answered(report: dict[str, Any]) -> None:
    assert report["latency"]["answered"] == report["latency"]["onsets"] == len(BEATS)
    assert abs(report["latency"]["median_frames"]) < 0.25 and report["latency"]["p90_frames"] < 0.5


def test_a_picture_that_is_late_is_found_out(film: Path) -> None:
    late = BEATS + 3
    found = measure(film, None, AlignPlan(shifts=20))[0]
    moved, _ = align(jumping(late), sound_of(film), AlignPlan(shifts=20))
    assert moved["av_align"]["raw"] < 0.3 < found["av_align"]["raw"]
    assert moved["av_align"]["compensated"] == 1.0
    assert moved["av_align"]["lag_ms"] == pytest.approx(found["av_align"]["lag_ms"] + 125, abs=10)
    assert moved["latency"]["median_frames"] == pytest.approx(3, abs=0.25)


def test_clicks_of_another_piece_score_near_chance(film: Path, tmp_path: Path) -> None:
    other = np.sort((BEATS / FPS + 2.71) % (SECONDS - 0.2))
    found, _ = measure(film, write_wav(tmp_path / "other.wav", clicks(other)))
    score = found["av_align"]
    assert score["raw"] < score["raw_chance"] + 0.15
    assert score["compensated"] < score["compensated_chance"] + 0.2


def test_a_films_own_sound_is_where_the_wav_is(film: Path, tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "same.wav", clicks(BEATS / FPS))
    own = onset_times(onset_strength(sound_of(film, zero_s=open_film(film).start_s)))
    assert own == pytest.approx(onset_times(onset_strength(sound_of(wav))), abs=0.001)


def test_sound_past_the_last_picture_does_not_count(report: dict[str, Any], film: Path) -> None:
    sound = sound_of(film)
    found, _ = align(pictures(open_film(film), fps=FPS), np.concatenate([sound, sound]), AlignPlan())
    assert found["onsets"] == report["onsets"] and found["av_align"] == report["av_align"]


def test_a_film_at_48_frames_a_second_is_read_at_24(tmp_path: Path) -> None:
    doubled = [picture for picture in jumping(BEATS) for _ in range(2)]
    film = write_film(tmp_path / "fast.mp4", doubled, clicks(BEATS / FPS), fps=2 * FPS)
    found, _ = measure(film)
    assert found["video_fps"] == 2 * FPS and found["frames"] == FPS * SECONDS
    assert found["peaks"] == len(BEATS) and found["av_align"]["raw"] >= 0.9


def test_flashes_score_nothing_but_have_a_latency() -> None:
    flashes = [np.full((96, 96, 3), 200 if place in BEATS else 30, np.uint8) for place in range(FPS * SECONDS)]
    sound = np.interp(
        np.arange(SECONDS * RATE_HZ) / RATE_HZ,
        np.arange(SECONDS * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ,
        clicks(BEATS / FPS),
    )
    found, _ = align(flashes, sound.astype(np.float32), AlignPlan(shifts=5))
    assert found["peaks"] == 0 and found["av_align"]["raw"] == 0.0
    assert found["latency"]["answered"] == found["latency"]["onsets"] > 0


def test_silence_over_a_still_is_no_score_and_null_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    still = write_film(tmp_path / "still.mp4", jumping([])[:48], np.zeros(2 * SAMPLE_RATE_HZ, np.float32))
    assert cli.main(["eval", "align", str(still), "--json", "--plot", str(tmp_path / "still.png")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["av_align"]["raw"] is None and found["latency"]["median_ms"] is None
    assert found["onsets"] == found["peaks"] == 0 and found["flicker"] < 1e-4


def test_the_command_prints_the_scores_and_draws_them(
    film: Path, report: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "plot.png"
    assert cli.main(["eval", "align", str(film), "--plot", str(plot)]) == 0
    assert capsys.readouterr().out.splitlines() == lines(report)
    drawn = np.asarray(Image.open(plot))
    assert drawn.shape[1] == 1400 and len(np.unique(drawn.reshape(-1, 3), axis=0)) > 5
    assert cli.main(["eval", "align", str(film), "--json", "--rule", "original-2023"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rule"] == "original-2023" and found["peaks"] >= len(BEATS)
    assert len(found["curves"]["flow_px"]) == found["frames"]
    assert len(found["curves"]["peaks_s"]) == found["peaks"]


def test_what_is_asked_wrongly_is_said(film: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one-to-one"):
        AlignPlan(rule="one-two-one")
    with pytest.raises(ConfigError, match="go together"):
        AlignPlan(texts=("fire",))
    silent = tmp_path / "silent.mp4"
    write_film(silent, jumping(BEATS)[:24], np.zeros(0, np.float32))
    with pytest.raises(ConfigError, match="audio"):
        measure(silent)
