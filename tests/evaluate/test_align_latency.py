"""Delays that were put in are read out; attacks are found to a few milliseconds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livevis.evaluate.sync.latency import attacks, latency, threshold
from livevis.evaluate.sync.motion import Motion
from livevis.evaluate.sync.onsets import RATE_HZ, onset_strength, onset_times

FPS = 24.0
HITS_S = np.array([0.503, 1.21, 1.9, 2.77, 3.4])


def motion(at_s: np.ndarray, *, flow: bool, height: float = 3.0) -> Motion:
    """4.5 s of a restless picture whose flow (or luma) jumps in the first frame at or after each time."""
    rng = np.random.default_rng(1)
    frames = round(4.5 * FPS)
    series = [np.abs(rng.normal(level, level / 10, frames)) for level in (0.2, 0.01)]
    series[0 if flow else 1][np.ceil(at_s * FPS).astype(int)] *= height
    return Motion(series[0], series[1], np.zeros(0))


@pytest.mark.parametrize("flow", [True, False])
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15])
def test_an_injected_delay_is_read_to_the_frame(flow: bool, delay_s: float) -> None:
    found = latency(HITS_S, motion(HITS_S + delay_s, flow=flow), fps=FPS)
    expected = np.ceil((HITS_S + delay_s) * FPS) / FPS - HITS_S
    assert found.asked == 5
    assert found.delays_s == pytest.approx(expected)
    assert found.percentile_s(50) == pytest.approx(np.median(expected))


def test_whichever_comes_first_counts() -> None:
    early, late = motion(HITS_S, flow=True), motion(HITS_S + 0.2, flow=False)
    both = Motion(early.flow_px, late.luma, np.zeros(0))
    assert latency(HITS_S, both, fps=FPS).percentile_s(90) < 1 / FPS


def test_what_stays_within_its_recent_level_is_no_answer() -> None:
    found = latency(HITS_S, motion(HITS_S, flow=True, height=1.0), fps=FPS)
    assert found.asked == 5 and len(found.delays_s) == 0 and math.isnan(found.percentile_s(50))


def test_an_answer_after_the_next_onset_or_half_a_second_is_none() -> None:
    onsets = np.array([1.0, 1.1, 3.0])
    found = latency(onsets, motion(np.array([1.15, 3.7]), flow=True), fps=FPS)
    assert found.asked == 3
    assert found.delays_s == pytest.approx([np.ceil(1.15 * FPS) / FPS - 1.1])


def test_an_onset_before_anything_was_seen_is_not_asked() -> None:
    assert latency(np.array([0.05]), motion(np.array([0.06]), flow=True), fps=FPS).asked == 0


def test_the_threshold_is_above_median_spread_and_floor() -> None:
    assert threshold(np.zeros(12), 0.1) == 0.1
    assert threshold(np.full(12, 4.0), 0.1) == 6.0
    noisy = np.array([1.0, 3.0] * 6)
    assert threshold(noisy, 0.1) == pytest.approx(2 + 3 * 1.4826)


def test_attacks_are_found_where_they_were_put() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(round(4.5 * RATE_HZ)) / RATE_HZ
    sound = 0.2 * np.sin(2 * np.pi * 55 * t) + 1e-3 * rng.standard_normal(len(t))  # a loud bass under everything
    for hit in HITS_S:
        start = round(hit * RATE_HZ)
        sound[start : start + 3000] += 0.3 * rng.standard_normal(3000) * np.exp(-np.arange(3000) / 500)
    sound = sound.astype(np.float32)
    onsets = onset_times(onset_strength(sound))
    assert len(onsets) == 5 and (np.abs(onsets - HITS_S) < 0.04).all()
    assert attacks(sound, onsets) == pytest.approx(HITS_S, abs=0.0035)
    assert attacks(np.zeros(100, np.float32), np.zeros(0)).tolist() == []
