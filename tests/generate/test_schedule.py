"""The schedule is the checkpoint's own: compared with diffusers' schedulers, and held by its algebra."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import CapabilityError
from livevis.generate import schedule
from livevis.generate.schedule import Level

# diffusers' Euler schedulers under numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SD = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "timestep_spacing": "trailing",
    "steps_offset": 1,
}
WHOLE = [(n, total) for n in range(1, 5) for total in range(n, 21) if int(total * (n / total)) == n]


def config(name: str = "EulerDiscreteScheduler", **values: Any) -> dict[str, Any]:
    return dict(getattr(diffusers, name)(**{**SD, **values}).config) | {"_class_name": name}


def level(signal: float) -> Level:
    return Level(0, signal, (1.0 - signal**2) ** 0.5)


@pytest.mark.parametrize(("steps", "total"), WHOLE)
def test_timesteps_equal_diffusers_img2img(steps: int, total: int) -> None:
    theirs = diffusers.EulerDiscreteScheduler(**SD)
    theirs.set_timesteps(total)
    ours = schedule.timesteps(schedule.read_schedule(config()), strength=steps / total, steps=steps)
    assert ours == tuple(int(t) for t in theirs.timesteps[total - steps :])


@pytest.mark.parametrize(
    "name", ["EulerDiscreteScheduler", "DDIMScheduler", "LCMScheduler", "EulerAncestralDiscreteScheduler"]
)
@pytest.mark.parametrize("zero_snr", [False, True])
def test_noise_levels_equal_diffusers(name: str, zero_snr: bool) -> None:
    theirs = getattr(diffusers, name)(**SD, rescale_betas_zero_snr=zero_snr)
    ours = schedule.read_schedule(config(name, rescale_betas_zero_snr=zero_snr))
    np.testing.assert_allclose(ours.abar, theirs.alphas_cumprod.numpy(), rtol=2e-4, atol=1e-7)


@given(st.floats(0, 1), st.integers(1, 4))
def test_timesteps_fall_and_noise_with_them(strength: float, steps: int) -> None:
    path = schedule.levels(schedule.read_schedule(config()), strength=strength, steps=steps)
    assert len(path) == steps + 1 and path[-1].noise == 0.0
    assert all(a.timestep >= b.timestep and a.noise >= b.noise for a, b in pairwise(path))
    assert all(abs(at.signal**2 + at.noise**2 - 1) < 1e-12 for at in path)


@given(st.floats(0.05, 0.999), st.sampled_from(schedule.PREDICTIONS))
def test_a_perfect_network_gives_back_the_picture_and_the_noise(signal: float, prediction: schedule.Prediction) -> None:
    at, x0, eps = level(signal), 0.7, -1.3
    z = schedule.add_noise(x0, eps, at)
    truth = {"epsilon": eps, "sample": x0, "v_prediction": at.signal * eps - at.noise * x0}
    np.testing.assert_allclose(schedule.clean(prediction, z, truth[prediction], at), (x0, eps), atol=1e-6)


@pytest.mark.parametrize(
    "name", ["EulerDiscreteScheduler", "DDIMScheduler", "EulerAncestralDiscreteScheduler", "LCMScheduler"]
)
def test_one_step_equals_the_scheduler_of_diffusers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From t=999 to t=499, in the scheduler's own scale, with its own fresh noise."""
    monkeypatch.setattr(f"diffusers.schedulers.{_module(name)}.randn_tensor", lambda *a, **k: torch.full((8,), 0.4))
    theirs = getattr(diffusers, name)(**SD, **({"clip_sample": False} if name == "DDIMScheduler" else {}))
    theirs.set_timesteps(2, **({"original_inference_steps": 2} if name == "LCMScheduler" else {}))
    assert [int(t) for t in theirs.timesteps] == [999, 499]
    ours = schedule.read_schedule(config(name))
    first, second, _ = schedule.levels(ours, strength=1.0, steps=2)
    z, output = torch.linspace(-2, 2, 8), torch.linspace(1, -1, 8)
    in_sigmas = name.startswith("Euler")
    theirs_z = theirs.step(output, theirs.timesteps[0], z / first.signal if in_sigmas else z).prev_sample
    estimate = schedule.clean(ours.prediction, z, output, first)
    ours_z = schedule.step_to(ours.rule, estimate, first, second, torch.full((8,), 0.4))
    torch.testing.assert_close(ours_z, theirs_z * (second.signal if in_sigmas else 1.0), rtol=1e-3, atol=1e-3)


def _module(name: str) -> str:
    return getattr(diffusers, name).__module__.rsplit(".", 1)[1]


@pytest.mark.parametrize(
    "wrong", [{"_class_name": "EDMEulerScheduler"}, {"prediction_type": "flow"}, {"beta_schedule": "squaredcos_cap_v2"}]
)
def test_what_is_not_played_is_refused_by_name(wrong: dict[str, str]) -> None:
    with pytest.raises(CapabilityError, match=next(iter(wrong.values()))):
        schedule.read_schedule(config() | wrong)
