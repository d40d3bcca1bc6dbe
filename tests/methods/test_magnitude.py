"""Loudness over seconds: the three forms against their definitions, at any frame rate, looking back only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.methods import magnitude
from livevis.methods.magnitude import Form, MagnitudeState, level, presence

FORMS: tuple[Form, ...] = ("window", "ema", "follower")


def play(
    total: Callable[[float], float], times: list[float], form: Form, window_s: float = 2.5, silent_from: float = 1e9
) -> list[MagnitudeState]:
    """The state at each of `times`, with `total(t)` the integral of the rms."""
    state, out = MagnitudeState(), []
    for t in times:
        silent = t >= silent_from
        state = magnitude.step(state, time_s=t, total=total(t), silent=silent, form=form, window_s=window_s)
        out.append(state)
    return out


def frames(fps: float, seconds: float) -> list[float]:
    return [k / fps for k in range(round(seconds * fps) + 1)]


def swell(t: float) -> float:
    """Integral of 0.1 (1.2 - cos(2 pi t / 6)): up and down in six seconds, never silent."""
    return 0.1 * (1.2 * t - 6 / math.tau * math.sin(math.tau * t / 6))


def test_window_is_the_exact_running_mean_at_uneven_frames() -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.01, 0.08, 600)).tolist()
    for state in play(swell, [0.0, *times], "window", 2.5)[200:]:
        assert state.time_s is not None
        wanted = (swell(state.time_s) - swell(state.time_s - 2.5)) / 2.5
        assert state.smooth == pytest.approx(wanted, rel=2e-3), "up to the curve's bend between two frames"


def test_ema_is_its_formula() -> None:
    fps, window_s = 30.0, 2.5
    alpha, wanted = 1 - math.exp(-2 / (window_s * fps)), 0.0
    times = frames(fps, 6)
    states = play(swell, times, "ema", window_s)
    for before, now, state in zip(times, times[1:], states[1:], strict=False):
        wanted += alpha * ((swell(now) - swell(before)) * fps - wanted)
        assert state.smooth == pytest.approx(wanted, rel=1e-9)


def test_follower_rises_at_once_and_falls_slowly() -> None:
    def burst(t: float) -> float:
        return 0.2 * min(max(t - 1.0, 0.0), 0.5)

    states = {round(s.time_s or 0, 3): s.smooth for s in play(burst, frames(50, 4), "follower", 2.0)}
    assert states[1.0] == pytest.approx(0, abs=1e-9) and states[1.1] > 0.95 * 0.2
    assert states[2.5] == pytest.approx(states[1.5] * math.exp(-1.0), rel=0.02)


@pytest.mark.parametrize("form", FORMS)
def test_frame_rate_does_not_matter(form: Form) -> None:
    curves = {fps: play(swell, frames(fps, 18), form)[:: round(fps / 15)] for fps in (15.0, 30.0, 60.0)}
    full = max(state.smooth for state in curves[60.0])
    for fps in (15.0, 30.0):
        for ours, finest in zip(curves[fps], curves[60.0], strict=True):
            assert abs(ours.smooth - finest.smooth) < 0.02 * full
            assert abs(level(ours) - level(finest)) < 0.02 or (finest.time_s or 0) < 1.0


@pytest.mark.parametrize("form", FORMS)
def test_the_future_changes_nothing(form: Form) -> None:
    times = frames(24, 8)
    whole = play(swell, times, form)
    cut = play(lambda t: swell(min(t, 5.0)), times, form)
    assert cut[: 5 * 24 + 1] == whole[: 5 * 24 + 1] and cut[-1] != whole[-1]


@pytest.mark.parametrize("form", FORMS)
def test_silence_comes_to_rest_at_exactly_zero(form: Form) -> None:
    assert all(level(state) == 0.0 for state in play(lambda t: 0.0, frames(30, 20), form, silent_from=0.0))
    faded = play(lambda t: 0.3 * min(t, 6.0), frames(30, 30), form, silent_from=6.0)
    assert level(faded[6 * 30]) > 0.9 and level(faded[-1]) == 0.0
    ticks = faded[6 * 30].ticks
    assert faded[-1].ticks in (ticks, ticks[: len(faded[-1].ticks)]), "what silence is does not enter the percentiles"


def test_a_steady_sound_is_loud_and_a_swelling_one_uses_the_whole_range() -> None:
    assert level(play(lambda t: 0.05 * t, frames(30, 12), "window")[-1]) > 0.95
    levels = [level(state) for state in play(swell, frames(30, 24), "window", 0.5)][12 * 30 :]
    assert min(levels) == 0.0 and max(levels) == 1.0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 1.0)), min_size=1, max_size=40),
    st.sampled_from(FORMS),
    st.floats(0.05, 10.0),
)
def test_the_level_stays_in_its_range(steps: list[tuple[float, float]], form: Form, window_s: float) -> None:
    state, t, total = MagnitudeState(), 0.0, 0.0
    for dt_s, rms in steps:
        t, total = t + dt_s, total + dt_s * rms
        state = magnitude.step(state, time_s=t, total=total, silent=rms == 0, form=form, window_s=window_s)
        assert 0.0 <= level(state) <= 1.0 and -1e-9 <= state.smooth <= 1.0 + 1e-9
        assert len(state.ticks) <= magnitude.TICKS


@pytest.mark.parametrize("form", FORMS)
def test_presence_is_the_share_of_the_recent_top_and_nothing_at_rest(form: Form) -> None:
    steady = play(lambda t: 0.05 * t, frames(30, 20), form)[-1]
    assert presence(steady, 1.0) == pytest.approx(1.0, abs=0.02)
    halved = play(lambda t: 0.05 * min(t, 14.0) + 0.0125 * max(t - 14.0, 0.0), frames(30, 19), form, 1.0)[-1]
    assert presence(halved, 1.0) == pytest.approx(0.25, abs=0.03)
    assert presence(halved, 0.5) == pytest.approx(0.5, abs=0.06)
    assert presence(halved, 0.2) == 1.0
    assert presence(MagnitudeState(), 0.5) == 0.0
    faded = play(lambda t: 0.3 * min(t, 6.0), frames(30, 30), form, silent_from=6.0)[-1]
    assert presence(faded, 0.05) == 0.0


def test_a_stream_that_starts_over_starts_anew() -> None:
    state = play(swell, frames(30, 5), "ema")[-1]
    again = magnitude.step(state, time_s=0.1, total=0.0, silent=False, form="ema", window_s=2.5)
    assert again == MagnitudeState(0.1, 0.0, past=((0.1, 0.0),))
