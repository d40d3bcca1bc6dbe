"""AV-Align's flow is OpenCV's, its peaks are strict, and files come in at a steady rate."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from livevis.core.errors import ConfigError
from livevis.evaluate.flicker import warp_error
from livevis.evaluate.sync.film import at_rate, open_film, sound_of
from livevis.evaluate.sync.motion import FARNEBACK, grey, mean_flow_px, peak_times, watch


def texture(seed: int = 0) -> np.ndarray:
    """Soft blobs in three colours, uint8 [96, 96, 3]."""
    noise = np.random.default_rng(seed).standard_normal((96, 96, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 3, borderType=cv2.BORDER_REFLECT)
    return np.clip(128 + 120 * soft / np.abs(soft).max(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(0, 0), (3, 0), (-1, 4)])
def test_the_flow_is_the_published_call(shift: tuple[int, int]) -> None:
    before, after = texture(), np.roll(texture(), shift, axis=(0, 1))
    one, other = (cv2.cvtColor(picture[..., ::-1].copy(), cv2.COLOR_BGR2GRAY) for picture in (before, after))
    flow = cv2.calcOpticalFlowFarneback(one, other, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    magnitude = cv2.magnitude(flow[..., 0], flow[..., 1])
    assert FARNEBACK == (0.5, 3, 15, 3, 5, 1.2, 0)
    # OpenCV's threads do not add in the same order from call to call.
    assert mean_flow_px(grey(before), grey(after)) == pytest.approx(cv2.mean(magnitude)[0], rel=1e-6, abs=1e-7)
    inner = magnitude[20:-20, 20:-20]  # away from the seam
    assert float(np.median(inner)) == pytest.approx(np.hypot(*shift), abs=0.3)


def test_watching_repeats_the_first_value_and_forgives_what_is_held() -> None:
    still, moved = texture(), np.roll(texture(), 4, axis=1)
    motion = watch([still, moved, moved, still])
    there, back = (mean_flow_px(grey(a), grey(b)) for a, b in ((still, moved), (moved, still)))
    assert motion.flow_px == pytest.approx(np.array([there, there, 0, back]), abs=0.01)
    assert motion.flow_px[0] == motion.flow_px[1]
    change = float(np.abs(grey(still).astype(float) - grey(moved)).mean() / 255)
    assert motion.luma == pytest.approx([change, change, 0, change])
    assert motion.warp == pytest.approx(np.array([warp_error(still, moved), warp_error(moved, still)]))
    with pytest.raises(ConfigError, match="two frames"):
        watch([still])


def test_a_flash_moves_nothing() -> None:
    dark = np.full((96, 96, 3), 20, np.uint8)
    plain = [np.full_like(dark, 220) if place % 6 == 3 else dark for place in range(30)]
    shade = texture() // 4
    textured = [np.clip(shade.astype(int) + 120 * (place % 6 == 3), 0, 255).astype(np.uint8) for place in range(30)]
    for pictures in (plain, textured):
        motion = watch(pictures)
        assert len(peak_times(motion.flow_px, fps=24, floor_px=0.1)) == 0
        assert motion.luma.max() > 0.3


def test_peaks_are_strict_inner_and_above_the_floor() -> None:
    flow = np.array([5, 0, 0.1, 0, 0.09, 0, 2, 2, 0, 1, 3, 0, 9.0])
    assert peak_times(flow, fps=24, floor_px=0.1) == pytest.approx(np.array([2, 10]) / 24)
    assert peak_times(flow, fps=24, floor_px=0.0) == pytest.approx(np.array([2, 4, 10]) / 24)


def steady(times: list[float], fps: float, hold_s: float) -> list[int]:
    named = [np.full((1, 1, 3), place, np.uint8) for place in range(len(times))]
    return [int(picture[0, 0, 0]) for picture in at_rate(zip(times, named, strict=True), fps=fps, hold_s=hold_s)]


def test_frames_at_the_rate_pass_as_they_are() -> None:
    for step in (1 / 24, 0.0417, 0.041):  # exact, and as containers round it
        times = [round(place / 24 / step) * step for place in range(24)]
        assert steady(times, 24, 1 / 24) == list(range(24))
    assert steady([7 + place / 24 for place in range(24)], 24, 1 / 24) == list(range(24))


def test_other_rates_are_held_or_skipped_by_time() -> None:
    assert steady([place / 12 for place in range(4)], 24, 1 / 12) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert steady([place / 48 for place in range(8)], 24, 1 / 48) == [0, 2, 4, 6]
    assert steady([place / 30 for place in range(10)], 24, 1 / 30) == [0, 1, 2, 3, 5, 6, 7, 8]
    assert steady([0, 0.5, 0.6], 10, 0.2) == [0, 0, 0, 0, 0, 1, 2, 2]


def test_what_is_no_film_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        open_film(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(ConfigError, match="cannot be read"):
        open_film(tmp_path / "text.mp4")
    with pytest.raises(ConfigError, match="cannot be read"):
        sound_of(tmp_path / "text.mp4")
