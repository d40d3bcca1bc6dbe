"""The flash limiter's one promise, against a count that knows nothing of how the limiter works."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.stage.flash import FLASH, FlashLimiter

luminances = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 0.45, 0.55, 0.4, 0.6]))
frames = st.lists(st.tuples(luminances, st.sampled_from([0.0, 1 / 120, 1 / 60, 1 / 30, 0.1, 0.3])), max_size=70)


def most_flashes(levels: list[float], times_s: list[float]) -> int:
    """Most pairs of opposing changes of at least FLASH among the frames of any one second, by exhaustive search."""
    values = np.array(levels)
    most = 0
    for first in range(len(levels)):
        last = next((k for k in range(first, len(levels)) if times_s[k] - times_s[first] > 1.0), len(levels))
        most = max(most, longest_alternation(values[first:last]) // 2)
    return most


def longest_alternation(values: np.ndarray) -> int:
    """Length of the longest chain of rises and falls of at least FLASH, alternating."""
    up, down = np.zeros(len(values), int), np.zeros(len(values), int)
    for k in range(1, len(values)):
        rises, falls = values[k] - values[:k] >= FLASH, values[:k] - values[k] >= FLASH
        up[k] = (down[:k][rises] + 1).max(initial=0)
        down[k] = (up[:k][falls] + 1).max(initial=0)
    return int(max(up.max(initial=0), down.max(initial=0)))


def played(wanted: list[float], times_s: list[float]) -> list[float]:
    limiter, shown = FlashLimiter(), []
    for luminance, time_s in zip(wanted, times_s, strict=True):
        gain = limiter.step(luminance, time_s)
        assert 0.0 <= gain <= 1.0
        before = shown[-1] if shown else luminance
        shown.append(before + gain * (luminance - before))
    return shown


@given(frames)
@settings(max_examples=150, deadline=None)
def test_no_second_holds_more_than_three_flashes(rows: list[tuple[float, float]]) -> None:
    times_s = list(np.cumsum([dt for _, dt in rows]))
    assert most_flashes(played([level for level, _ in rows], times_s), times_s) <= 3


def test_a_strobe_is_held_and_the_count_would_have_seen_it() -> None:
    times_s = [k / 60 for k in range(240)]
    strobe = [float(k % 6 < 3) for k in range(240)]
    assert most_flashes(strobe, times_s) >= 9
    assert most_flashes(played(strobe, times_s), times_s) == 3


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.34, 2.0))
def test_up_to_three_flashes_a_second_pass_untouched(low: float, high: float, period_s: float) -> None:
    limiter = FlashLimiter()
    for k in range(200):
        time_s = k / 50
        assert limiter.step(low if time_s % period_s < period_s / 2 else high, time_s) == 1.0


@given(st.lists(st.floats(0, 0.08), min_size=2, max_size=50), st.floats(0, 0.9))
def test_flicker_below_the_threshold_passes_untouched(flicker: list[float], base: float) -> None:
    limiter = FlashLimiter()
    assert all(limiter.step(base + extra, k / 60) == 1.0 for k, extra in enumerate(flicker))


def test_after_a_strobe_the_picture_comes_back_within_a_second() -> None:
    limiter = FlashLimiter()
    for k in range(120):
        limiter.step(float(k % 4 < 2), k / 60)
    for k in range(120, 190):
        limiter.step(0.7, k / 60)
    assert limiter.shown == 0.7
