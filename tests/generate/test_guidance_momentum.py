"""Momentum is a one-pole filter: its closed form, its constants at any frame rate, and its end."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.generate.guidance import momentum
from livevis.generate.guidance.momentum import LARGEST, SETTLED, Momentum, over_time, push_through, ringing, settle

PUBLISHED = [(0.4, 0.1, 0.46, 1.11), (0.6, 0.3, 0.72, 1.43), (0.8, 0.2, 0.84, 1.25)]


@pytest.mark.parametrize(("beta", "scale", "pole", "gain"), PUBLISHED)
def test_published_constants(beta: float, scale: float, pole: float, gain: float) -> None:
    played = Momentum(beta, scale)
    assert played.pole == pytest.approx(pole) and played.gain == pytest.approx(gain, abs=5e-3)


@given(st.floats(0.0, 0.99), st.floats(0.0, 0.9), st.integers(1, 40))
def test_closed_form(beta: float, scale: float, steps: int) -> None:
    played, push = Momentum(beta, scale), torch.tensor(1.7, dtype=torch.float64)
    velocity = torch.zeros((), dtype=torch.float64)
    for _ in range(steps):
        velocity, moved = push_through(velocity, push, played)
    left = played.pole ** (steps - 1)  # the last step still heard the velocity of the one before
    assert float(moved) == pytest.approx(1.7 * (1 + scale * played.gain * (1 - left)), abs=1e-9)


@given(st.floats(0.02, 5.0), st.floats(1.0, 20.0), st.floats(1 / 240, 0.25))
def test_asked_time_constant_and_gain(tau_s: float, gain: float, dt_s: float) -> None:
    played = over_time(tau_s=tau_s, gain=gain, dt_s=dt_s)
    assert played.pole == pytest.approx(math.exp(-dt_s / tau_s), abs=1e-9)
    assert 0.0 <= played.beta <= 1.0 and 0.0 <= played.scale < 1.0
    assert played.gain == pytest.approx(min(gain, 1 / (1 - math.exp(-dt_s / tau_s))), rel=1e-6)


def test_the_constants_that_were_worked_out() -> None:
    for fps, beta in ((15, 0.666), (30, 0.822), (60, 0.908)):
        assert over_time(tau_s=0.25, gain=1.43, dt_s=1 / fps).beta == pytest.approx(beta, abs=1e-3)


@pytest.mark.parametrize(("tau_s", "gain", "dt_s"), [(0.0, 1.43, 0.03), (0.25, 0.0, 0.03), (0.25, 1e9, 0.0)])
def test_ends_of_the_knobs(tau_s: float, gain: float, dt_s: float) -> None:
    played = over_time(tau_s=tau_s, gain=gain, dt_s=dt_s)
    assert 0.0 <= played.beta <= 1.0 and 0.0 <= played.scale <= momentum.LARGEST_SCALE
    if not tau_s:
        assert played == momentum.NONE, "no time constant is no momentum"


def follow(push: Callable[[float], float], fps: int, *, gain: float, seconds: float = 3.0) -> dict[float, float]:
    velocity, heard = torch.zeros((), dtype=torch.float64), {}
    played = over_time(tau_s=0.25, gain=gain, dt_s=1 / fps)
    for frame in range(int(seconds * fps)):
        velocity, moved = push_through(velocity, torch.tensor(push(frame / fps), dtype=torch.float64), played)
        heard[round(frame / fps, 6)] = float(moved)
    return heard


SOUNDS: dict[str, Callable[[float], float]] = {
    "step": lambda t: 1.0,
    "release": lambda t: float(t < 1.0),
    "slow swell": lambda t: 0.5 - 0.5 * math.cos(math.pi * t),
    "swell of a second": lambda t: 0.5 - 0.5 * math.cos(2 * math.pi * t),
}


@pytest.mark.parametrize("sound", SOUNDS)
def test_the_same_at_every_frame_rate(sound: str) -> None:
    runs = [follow(SOUNDS[sound], fps, gain=1.43) for fps in (15, 30, 60)]
    times = sorted(set.intersection(*(set(run) for run in runs)))
    assert len(times) >= 40
    curves = np.array([[run[t] for t in times] for run in runs])
    assert np.ptp(curves, axis=0).max() <= 0.02 * curves.max()
    still = np.array([SOUNDS[sound](t) for t in times])
    assert np.abs(curves[0] - still).max() > 0.2, "momentum must be heard"


def test_a_tail_ends_in_silence() -> None:
    played, velocity = over_time(tau_s=0.25, gain=1.43, dt_s=1 / 30), torch.full((3,), 4.0)
    for _ in range(30 * 6):
        velocity = settle(push_through(velocity, torch.zeros(3), played)[0])
    assert torch.equal(velocity, torch.zeros(3))


def test_what_can_be_seen_is_not_settled() -> None:
    velocity = torch.tensor([1e-6, -1e-6, 1e-9, -1e-9, 1.0])
    assert torch.equal(settle(velocity), torch.tensor([1e-6, -1e-6, 0.0, 0.0, 1.0]))


def test_no_velocity_is_larger_than_is_known() -> None:
    assert settle(torch.tensor([1e9, -1e9, 2.0])).tolist() == [LARGEST, -LARGEST, 2.0]


@given(tau_s=st.floats(0, 4), gain=st.floats(1, 4), fps=st.sampled_from([10, 30, 60]), drift=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_tail_has_ended_when_it_is_counted_out(tau_s: float, gain: float, fps: int, drift: float) -> None:
    """From the largest velocity there is, at a frame rate that need not stay; and no sooner than it must."""
    velocity, limit, frames = torch.tensor([LARGEST, -LARGEST]), LARGEST, 0
    while limit:
        last, played = velocity, over_time(tau_s=tau_s, gain=gain, dt_s=(1 + drift * (frames % 2)) / fps)
        velocity = settle(push_through(velocity, torch.zeros(2), played)[0])
        limit, frames = ringing(limit, played), frames + 1
    assert not velocity.any() and (tau_s == 0 or played.pole * float(last.abs().max()) < SETTLED)
    assert frames <= 2 + tau_s * fps * math.log(2 * LARGEST / SETTLED)
