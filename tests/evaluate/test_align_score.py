"""AV-Align's matcher is the published loop; lag and chance are what they were made to be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livevis.evaluate.sync.score import RULES, av_align, chance, matches, sweep

NEW, OLD = RULES["one-to-one"], RULES["original-2023"]
NOTHING = np.zeros(0)


def loop(onsets: list[float], peaks: list[float], fps: float, *, reuse: bool) -> int:
    """The definition: every onset takes the first peak within a frame, a free one unless peaks may be used again."""
    used: set[int] = set()
    met = 0
    for onset in onsets:
        for place, peak in enumerate(peaks):
            if (reuse or place not in used) and peak - 1 / fps < onset < peak + 1 / fps:
                used.add(place)
                met += 1
                break
    return met


def drawn(turn: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Random ascending lists, some empty; every second pair lies on frames and hops, where differences tie."""
    rng = np.random.default_rng(turn)
    fps = float(rng.choice([24, 25, 29.97, 30, 60]))
    onsets, peaks = (np.sort(rng.uniform(0, 4, rng.integers(0, 60))) for _ in range(2))
    if turn % 2:
        onsets, peaks = np.unique(np.round(onsets * fps)) / fps, np.unique(np.round(peaks * fps)) / fps
    return onsets, peaks, fps


def test_matches_are_those_of_the_loop() -> None:
    total = 0
    for turn in range(300):
        onsets, peaks, fps = drawn(turn)
        for rule in RULES.values():
            expected = loop(onsets.tolist(), peaks.tolist(), fps, reuse=not rule.one_to_one)
            assert matches(onsets, peaks, fps=fps, rule=rule) == expected
            total += expected
            if len(onsets) + len(peaks):
                union = len(onsets) + len(peaks) - expected
                assert av_align(onsets, peaks, fps=fps, rule=rule) == expected / union
    assert total > 5000


def test_nothing_against_nothing_is_no_score() -> None:
    for rule in RULES.values():
        assert math.isnan(av_align(NOTHING, NOTHING, fps=24, rule=rule))
        assert math.isnan(sweep(NOTHING, NOTHING, fps=24, rule=rule).best)
        assert av_align(np.ones(1), NOTHING, fps=24, rule=rule) == av_align(NOTHING, np.ones(1), fps=24, rule=rule) == 0


def test_the_window_is_open_and_a_frame_wide() -> None:
    onset = np.array([1.0])
    assert av_align(onset, onset + 1 / 32, fps=32, rule=NEW) == 0.0
    assert av_align(onset, onset - 1 / 32, fps=32, rule=NEW) == 0.0
    assert av_align(onset, onset + 1 / 33, fps=32, rule=NEW) == 1.0


def test_only_the_first_code_let_a_peak_answer_twice() -> None:
    onsets, peak = np.array([0.98, 1.0, 1.02]), np.array([1.0])
    assert av_align(onsets, peak, fps=24, rule=NEW) == pytest.approx(1 / 3)
    assert av_align(onsets, peak, fps=24, rule=OLD) == 3.0


@pytest.mark.parametrize("lag_s", [-0.2, -0.07, 0.0, 0.033, 0.1, 0.21])
def test_the_sweep_finds_an_injected_lag(lag_s: float) -> None:
    rng = np.random.default_rng(3)
    onsets = np.cumsum(rng.uniform(0.3, 0.9, 20))
    swept = sweep(onsets, onsets + lag_s + rng.normal(0, 0.008, 20), fps=24, rule=NEW)
    assert swept.best_s == pytest.approx(lag_s, abs=1 / 24)
    assert swept.best == 1.0
    raw = float(swept.scores[len(swept.scores) // 2])
    assert raw == (1.0 if abs(lag_s) < 0.02 else pytest.approx(raw)) and (abs(lag_s) < 0.06 or raw < 0.2)


def test_without_a_best_lag_there_is_none() -> None:
    assert sweep(np.ones(1), NOTHING, fps=24, rule=NEW).best_s == 0.0


def test_chance_is_seeded_and_what_the_window_covers() -> None:
    """20 peaks, each answering to 2 of 24 frames a second: an onset put anywhere in 60 s meets one in 1/36 of them."""
    rng = np.random.default_rng(4)
    peaks = np.sort(rng.choice(np.arange(0, 60, 0.5), 20, replace=False))
    onsets = np.sort(rng.uniform(0, 60, 20))

    def score(turned: np.ndarray) -> float:
        return matches(turned, peaks, fps=24, rule=NEW) / 20

    found = chance(onsets, score, seconds=60, shifts=2000, seed=1)
    assert found == pytest.approx(20 * (2 / 24) / 60, rel=0.15)
    assert found == chance(onsets, score, seconds=60, shifts=2000, seed=1)
    assert found != chance(onsets, score, seconds=60, shifts=2000, seed=2)


def test_chance_only_turns_the_onsets() -> None:
    onsets, seen = np.array([0.5, 1.0, 3.5]), []
    chance(onsets, lambda turned: float(seen.append(turned) or 0), seconds=4.0, shifts=10, seed=0)
    for turned in seen:
        gaps = np.diff(np.append(turned, turned[0] + 4.0))
        assert sorted(gaps) == pytest.approx([0.5, 1.0, 2.5]) and (turned >= 0).all() and (turned < 4).all()
