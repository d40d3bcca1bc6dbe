"""TPoS' audio guidance against its sampler's arithmetic written out, over the steps of a picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from livevis.generate.guidance import slots, tpos
from livevis.generate.schedule import Level

KEY = slots.Key("city", 7, (4, 8, 8), 1, ("audio", "text"))


class Released:
    """What plms.py does with the rows of one call, velocity kept as it keeps it."""

    def __init__(self, scale: float, threshold: float, below: float, guidance: float) -> None:
        self.scale, self.threshold, self.below, self.guidance = scale, threshold, below, guidance
        self.velocity: Tensor | float = 0.0

    def __call__(self, rows: Tensor, t: int) -> Tensor:
        uncond, prompt, concepts = rows[0:1], rows[1:2], rows[2:].split(1)
        guided = self.guidance * (prompt - uncond)
        if not t < self.below:
            return uncond + guided
        edit = torch.zeros_like(uncond)
        for concept in concepts:
            change = (concept - uncond) * self.scale
            cut = torch.quantile(change.abs().flatten(start_dim=2), self.threshold, dim=2)
            edit = edit + torch.where(change.abs() >= cut[:, :, None, None], change, torch.zeros_like(change))
        moved = edit + 0.3 * self.velocity
        self.velocity = 0.6 * self.velocity + 0.4 * moved
        return uncond + guided + moved


def calls(first: int) -> list[int]:
    """Timesteps in the order they are asked: the pseudo-Euler start looks at its second step before it takes it."""
    times = list(range(first, -1, -20))
    return [times[0], times[1], *times[1:]]


def level(t: int) -> Level:
    return Level(t, 0.6, 0.8)  # only the timestep is looked at


def rows(call: int, *, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(4, 4, 8, 8, generator=torch.Generator().manual_seed(call), dtype=dtype)


@pytest.mark.parametrize("name", tpos.PUBLISHED)
@pytest.mark.parametrize("first", [981, 781], ids=["from noise", "from a picture"])
def test_every_call_is_the_released_one(name: str, first: int) -> None:
    settings = tpos.PUBLISHED[name]
    released = Released(settings.scale, settings.threshold, settings.below, settings.guidance)
    state = slots.init(KEY)
    state = replace(state, velocity=state.velocity.double())
    for call, t in enumerate(calls(first)):
        asked = rows(call, dtype=torch.float64)
        state, eps = tpos.step(state, asked, settings, level=level(t))
        torch.testing.assert_close(eps, released(asked, t), rtol=0, atol=1e-6)
    assert state.velocity.abs().max() > 1.0


def test_single_precision_agrees_too() -> None:
    settings, state = tpos.PUBLISHED["default"], slots.init(KEY)
    released = Released(settings.scale, settings.threshold, settings.below, settings.guidance)
    for call, t in enumerate(calls(981)):
        state, eps = tpos.step(state, rows(call), settings, level=level(t))
        wanted = released(rows(call), t)
        assert float((eps - wanted).abs().max()) <= 1e-6 * float(wanted.abs().max())


@pytest.mark.parametrize("name", tpos.PUBLISHED)
def test_above_the_bound_there_is_only_the_prompt_and_no_momentum(name: str) -> None:
    settings, state = tpos.PUBLISHED[name], slots.init(KEY)
    for call, t in enumerate(range(999, int(settings.below) - 1, -50)):
        state, eps = tpos.step(state, rows(call), settings, level=level(t))
        plain = torch.lerp(rows(call)[:1], rows(call)[1:2], settings.guidance)
        assert torch.equal(eps, plain) and not state.velocity.any()
    _, eps = tpos.step(state, rows(99), settings, level=level(int(settings.below) - 1))
    assert not torch.equal(eps, torch.lerp(rows(99)[:1], rows(99)[1:2], settings.guidance))


def test_momentum_runs_on_over_the_steps() -> None:
    settings, state = tpos.PUBLISHED["default"], slots.init(KEY)
    lengths = [0.0]
    for t in range(781, 0, -20):
        state, _ = tpos.step(state, rows(0), settings, level=level(t))
        lengths.append(float(state.velocity.norm()))
    assert all(later >= earlier - 1e-4 for earlier, later in pairwise(lengths))
    assert lengths[-1] == pytest.approx(lengths[1] * (1 - 0.72**40) / (1 - 0.72), rel=1e-3)
