"""A still picture played without inversion: InfEdit's first step, and exact rest."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from livevis.generate.guidance.stills import animate, hold
from livevis.generate.schedule import Level, clean, levels, read_schedule

SCHEDULE = read_schedule({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"})
AT = {level.timestep: level for level in levels(SCHEDULE, strength=0.8, steps=8)[:-1]}
LEVEL = AT[799]


def normal(seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seen(z: Tensor, condition: float, level: Level) -> tuple[Tensor, Tensor]:
    """A stand-in for the model: (x0, eps) at z under a condition."""
    eps = torch.tanh(z + condition * torch.roll(z, 1, -1))
    return clean("epsilon", z, eps, level)[0], eps


@pytest.mark.parametrize("level", AT.values(), ids=lambda level: f"t={level.timestep}")
def test_it_is_the_first_step_of_infedit(level: Level) -> None:
    picture, noise = normal(0, torch.float64), normal(1, torch.float64)
    still = hold(picture, noise, level, lambda z: seen(z, 0.0, level)[0])
    made = animate(still, seen(still.noisy, 0.7, level)[0])
    x_s = x_t = level.signal * picture + level.noise * noise
    e_s, e_t = seen(x_s, 0.0, level)[1], seen(x_t, 0.7, level)[1]
    wanted = picture + ((x_t - x_s) - level.noise * (e_t - e_s)) / level.signal
    torch.testing.assert_close(made, wanted, rtol=0, atol=1e-6)
    assert (made - picture).abs().max() > 0.05


@settings(max_examples=25, deadline=None)
@given(st.floats(-3.0, 3.0), st.integers(0, 99), st.booleans())
def test_the_picture_rests_bit_for_bit_when_the_condition_is_its_own(own: float, seed: int, masked: bool) -> None:
    picture = normal(seed)
    still = hold(picture, normal(1), LEVEL, lambda z: seen(z, own, LEVEL)[0])
    mask = torch.rand(1, 1, 8, 8) if masked else None
    assert torch.equal(animate(still, seen(still.noisy, own, LEVEL)[0], mask=mask), picture)


def test_the_mask_says_where() -> None:
    still = hold(normal(0), normal(1), LEVEL, lambda z: seen(z, 0.0, LEVEL)[0])
    estimate = seen(still.noisy, 0.7, LEVEL)[0]
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4], mask[..., 4] = 1.0, 0.5
    made, free = animate(still, estimate, mask=mask), animate(still, estimate)
    assert torch.equal(made[..., :4], free[..., :4])
    assert torch.equal(made[..., 5:], still.picture[..., 5:])
    torch.testing.assert_close(made[..., 4], (still.picture + free)[..., 4] / 2)


def test_the_source_is_seen_once() -> None:
    calls: list[Tensor] = []

    def estimate(z: Tensor) -> Tensor:
        calls.append(z)
        return z

    still = hold(normal(0), normal(1), LEVEL, estimate)
    for _ in range(3):
        animate(still, still.source)
    assert len(calls) == 1 and torch.equal(calls[0], still.noisy)
