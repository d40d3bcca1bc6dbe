"""DDIM down and up: diffusers' schedulers step for step, and a denoiser inverts alike whatever it predicts."""

from __future__ import annotations

from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate import schedule
from livevis.generate.inversion import ddim
from livevis.generate.schedule import PREDICTIONS, Level, Prediction

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
SHAPE = (1, 4, 8, 8)
TEXT = torch.zeros(1, 1, 1, dtype=torch.float64)


def normal(seed: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


PICTURE, MIXED = normal(0), normal(1)


def network(z: Tensor, timestep: int) -> Tensor:
    """Some smooth answer that depends on the latent and on the timestep."""
    return torch.tanh(0.7 * z.roll(1, dims=3) + MIXED) + 0.3 * torch.sin(torch.tensor(timestep / 200.0))


def schedulers(kind: str, steps: int, **changed: Any) -> tuple[Any, schedule.Schedule]:
    """diffusers' scheduler with our float64 alphas in place of its float32 ones, and ours."""
    theirs = getattr(diffusers, kind)(**{**SD, **changed})
    ours = schedule.read_schedule(dict(theirs.config) | {"_class_name": "DDIMScheduler"})
    torch.testing.assert_close(theirs.alphas_cumprod.double(), torch.from_numpy(ours.abar), rtol=1e-5, atol=0)
    theirs.alphas_cumprod = torch.from_numpy(ours.abar)
    for last in ("final_alpha_cumprod", "initial_alpha_cumprod"):
        if hasattr(theirs, last):
            setattr(theirs, last, torch.tensor(ours.final_abar, dtype=torch.float64))
    theirs.set_timesteps(steps)
    return theirs, ours


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize(("steps", "offset"), [(1, 0), (7, 0), (20, 1), (50, 0), (50, 1)])
def test_the_way_down_is_diffusers(prediction: Prediction, steps: int, offset: int, clean: bool) -> None:
    theirs, ours = schedulers(
        "DDIMScheduler", steps, prediction_type=prediction, steps_offset=offset, set_alpha_to_one=clean
    )
    levels = ddim.course(ours, steps=steps, offset=offset)
    assert [level.timestep for level in levels[:-1]] == theirs.timesteps.tolist()

    def ask(z: Tensor, k: int) -> Tensor:
        return ddim.as_noise(prediction, z, network(z, levels[k].timestep), levels[k])

    latents = ddim.replay(ask, PICTURE, levels)
    wanted = PICTURE
    for k, timestep in enumerate(theirs.timesteps):
        wanted = theirs.step(network(wanted, int(timestep)), timestep, wanted).prev_sample
        torch.testing.assert_close(latents[k + 1], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize(("steps", "offset"), [(7, 0), (50, 0), (50, 1)])
def test_the_way_up_is_diffusers_where_noise_is_predicted(steps: int, offset: int, clean: bool) -> None:
    theirs, ours = schedulers("DDIMInverseScheduler", steps, steps_offset=offset, set_alpha_to_one=clean)
    levels = ddim.course(ours, steps=steps, offset=offset)
    pivots = ddim.invert(lambda z, level, text: network(z, level.timestep), PICTURE, TEXT, levels)
    assert pivots[-1] is PICTURE
    wanted = PICTURE
    for k, timestep in enumerate(theirs.timesteps):
        wanted = theirs.step(network(wanted, int(timestep)), timestep, wanted).prev_sample
        torch.testing.assert_close(pivots[-2 - k], wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_denoiser_inverts_alike_whatever_it_predicts(prediction: Prediction) -> None:
    """The same belief about the noise, said as noise, as velocity or as the picture, even where there is none left."""
    _, ours = schedulers("DDIMScheduler", 20)
    levels = ddim.course(ours, steps=20)
    assert levels[-1].noise == 0.0

    def said(z: Tensor, level: Level, text: Tensor) -> Tensor:
        eps = network(z, level.timestep)
        x0 = (z - level.noise * eps) / level.signal
        velocity = level.signal * eps - level.noise * x0
        output = {"epsilon": eps, "v_prediction": velocity, "sample": x0}[prediction]
        return ddim.as_noise(prediction, z, output, level)

    wanted = ddim.invert(lambda z, level, text: network(z, level.timestep), PICTURE, TEXT, levels)
    for ours_at, theirs_at in zip(ddim.invert(said, PICTURE, TEXT, levels), wanted, strict=True):
        torch.testing.assert_close(ours_at, theirs_at, rtol=1e-9, atol=1e-9)


def test_noise_that_does_not_depend_on_the_latent_leads_back_exactly() -> None:
    _, ours = schedulers("DDIMScheduler", 50)
    levels = ddim.course(ours, steps=50)
    by_level = {level.timestep: normal(level.timestep) for level in levels[:-1]}
    done: list[int] = []
    pivots = ddim.invert(lambda z, level, text: by_level[level.timestep], PICTURE, TEXT, levels, done=done.append)
    back = ddim.replay(lambda z, k: by_level[levels[k].timestep], pivots[0], levels)
    assert done == list(range(1, 51))
    for up, down in zip(pivots, back, strict=True):
        torch.testing.assert_close(up, down, rtol=0, atol=1e-10)


def test_guidance_of_one_is_the_prompt_alone() -> None:
    torch.testing.assert_close(ddim.guided(normal(2), normal(3), 1.0), normal(3))
    torch.testing.assert_close(ddim.guided(normal(2), normal(3), 0.0), normal(2))


@pytest.mark.parametrize("steps", [0, 1000, 1001])
def test_steps_that_do_not_exist_are_refused(steps: int) -> None:
    _, ours = schedulers("DDIMScheduler", 1)
    with pytest.raises(ConfigError, match=rf"steps {steps} must be 1\.\.999"):
        ddim.course(ours, steps=steps, offset=1)
