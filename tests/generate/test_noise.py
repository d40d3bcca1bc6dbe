"""The noise walk: a place, not a clock."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livevis.generate.noise import bank, slerp, walk

SHAPE = (1, 4, 32, 32)
shares = st.floats(0, 1)


def unit(seed: int) -> torch.Tensor:
    vector = torch.randn(7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return vector / vector.norm()


@given(st.integers(0, 99), st.integers(100, 199), shares)
def test_slerp_stays_on_the_sphere_at_the_right_angle(i: int, j: int, share: float) -> None:
    a, b = unit(i), unit(j)
    between = slerp(a, b, share, dims=(0,))
    whole = math.acos(float(a @ b))
    assert abs(float(between.norm()) - 1) < 1e-9
    assert abs(math.acos(min(float(a @ between), 1.0)) - share * whole) < 1e-6
    torch.testing.assert_close(between, slerp(b, a, 1 - share, dims=(0,)))


def test_slerp_ends_are_exact_and_parallel_or_zero_vectors_are_mixed() -> None:
    a, b = unit(1), unit(2)
    torch.testing.assert_close(slerp(a, b, 0.0, dims=(0,)), a, rtol=0, atol=1e-15)
    torch.testing.assert_close(slerp(a, b, 1.0, dims=(0,)), b, rtol=0, atol=1e-15)
    torch.testing.assert_close(slerp(a, 3 * a, 0.5, dims=(0,)), 2 * a)
    assert torch.isfinite(slerp(a, torch.zeros_like(a), 0.3, dims=(0,))).all()


def test_the_same_place_is_the_same_noise_and_other_streams_are_others() -> None:
    first = walk((1, 2, 0), 3.25, SHAPE)
    bank.cache_clear()
    assert torch.equal(first, walk((1, 2, 0), 3.25, SHAPE))
    for other in ((1, 2, 1), (1, 3, 0), (2, 2, 0)):
        correlation = float((first * walk(other, 3.25, SHAPE)).mean())
        assert abs(correlation) < 0.06


@given(st.floats(0, 50))
def test_noise_is_standard_normal_everywhere_and_moves_little_in_little(phase: float) -> None:
    noise = walk((5, 5, 0), phase, SHAPE)
    assert abs(float(noise.mean())) < 0.06 and abs(float(noise.std()) - 1) < 0.06
    near = walk((5, 5, 0), phase + 0.01, SHAPE)
    assert float((noise - near).square().mean().sqrt()) < 0.02  # an angle of 0.01 * 90 degrees


def test_the_walk_goes_all_the_way() -> None:
    assert torch.equal(walk((5, 5, 0), 2.0, SHAPE), bank((5, 5, 0), 2, SHAPE))
    with pytest.raises(ValueError, match="non-negative"):
        walk((-1,), 0.0, SHAPE)
