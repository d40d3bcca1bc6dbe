"""Smoothing, gate and auto-gain, as properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.analysis.level import HOLD_S, AutoGain, Gate, Smooth
from livevis.core.features import HOP_S


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 1.0), st.floats(0.002, 1.0), st.integers(2, 16))
def test_smoothing_is_the_same_curve_at_any_frame_rate(attack_s, release_s, finer):
    coarse = Smooth(1, attack_s=attack_s, release_s=release_s, dt_s=0.016)
    fine = Smooth(1, attack_s=attack_s, release_s=release_s, dt_s=0.016 / finer)
    for step in range(40):
        target = np.array([1.0 if step < 20 else 0.0])
        for _ in range(finer):
            fine.step(target)
        np.testing.assert_allclose(coarse.step(target), fine.value, atol=1e-9)


def test_attack_is_faster_than_release():
    smooth = Smooth(1, attack_s=0.005, release_s=0.15)
    up = [float(smooth.step(np.ones(1))[0]) for _ in range(4)][-1]
    down = [float(smooth.step(np.zeros(1))[0]) for _ in range(4)][-1]
    assert up > 0.95 and down > 0.8


def test_the_gate_opens_at_once_and_closes_late():
    gate = Gate()
    assert gate.step(1e-4) and not gate.step(0.01)
    assert not gate.step(10 ** (-65 / 20)), "between the thresholds an open gate stays open"
    hops = 0
    while not gate.step(0.0):
        hops += 1
    assert hops * HOP_S == pytest.approx(HOLD_S, abs=2 * HOP_S)
    assert gate.step(10 ** (-65 / 20)), "between the thresholds a closed gate stays closed"


def test_auto_gain_does_not_depend_on_gain():
    rng = np.random.default_rng(0)
    amplitudes = np.abs(rng.normal(0, 0.2, (800, 3))) + 0.02
    amplitudes[:, 0] = amplitudes.sum(axis=1)
    loud, quiet = AutoGain([1, 0.01, 0.01]), AutoGain([1, 0.01, 0.01])
    for row in amplitudes:
        np.testing.assert_allclose(loud.step(row, False), quiet.step(row * 0.05, False), atol=1e-9)


def test_levels_stay_between_zero_and_one_and_reach_both():
    rng = np.random.default_rng(1)
    gain, levels = AutoGain([1, 0.01]), []
    for hop in range(2000):
        levels.append(gain.step(np.abs(rng.normal(0, 1, 2)) * (0.3 if hop % 60 < 10 else 0.01), False))
    assert np.min(levels) >= 0 and np.max(levels) == 1
    assert np.min(np.array(levels)[1000:]) < 0.01


def test_silence_freezes_floor_and_peak():
    gain = AutoGain([1])
    for _ in range(500):
        gain.step(np.array([0.2]), False)
    peak, floor = gain.peak.copy(), gain.floor.copy()
    for _ in range(5000):
        assert gain.step(np.array([1e-5]), True)[0] == 0
    assert np.array_equal(gain.peak, peak) and np.array_equal(gain.floor, floor)


def test_the_floor_is_a_percentile_of_the_recent_past():
    gain = AutoGain([1])
    for hop in range(3000):
        gain.step(np.array([0.5 if hop % 100 < 40 else 0.05]), False)
    assert gain.floor[0] == pytest.approx(0.05, rel=0.2)
