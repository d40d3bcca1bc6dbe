"""Null-text optimisation: the released loop written out, on a small UNet; and that it brings the picture back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from livevis.core.errors import ConfigError
from livevis.generate import schedule
from livevis.generate.inversion import ddim
from livevis.generate.inversion.null_text import Optimisation, optimise
from livevis.generate.schedule import Level
from tests.checkpoints import build_unet

SD = {"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SCHEDULE = schedule.read_schedule({**SD, "set_alpha_to_one": False})
TOKENS, WIDTH, SIDE = 4, 8, 4


def normal(*shape: int, seed: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


PICTURE = normal(1, 4, SIDE, SIDE, seed=1)
TEXT, EMPTY = (normal(1, TOKENS, WIDTH, seed=seed) for seed in (2, 3))


@pytest.fixture(scope="module")
def unet() -> Any:
    """A small UNet to which words matter: in float64, because Adam's first step is the sign of a gradient."""
    network = build_unet(block_out_channels=(8, 16), cross_attention_dim=WIDTH, sample_size=SIDE)
    with torch.no_grad():
        network.conv_out.weight.mul_(0.1)
        for name, part in network.named_modules():
            if name.endswith("attn2"):
                part.to_v.weight.mul_(30.0)
    return network.double().requires_grad_(False)


@pytest.fixture(scope="module")
def noise(unet: Any) -> ddim.Noise:
    return lambda z, level, text: unet(z, level.timestep, text, return_dict=False)[0]


def inverted(noise: ddim.Noise, levels: tuple[Level, ...]) -> tuple[Tensor, ...]:
    with torch.no_grad():
        return ddim.invert(noise, PICTURE, TEXT, levels)


def back(noise: ddim.Noise, start: Tensor, levels: tuple[Level, ...], nulls: Any, guidance: float) -> Tensor:
    def ask(z: Tensor, k: int) -> Tensor:
        return ddim.guided(noise(z, levels[k], nulls[k]), noise(z, levels[k], TEXT), guidance)

    with torch.no_grad():
        return ddim.replay(ask, start, levels)[-1]


class Published:
    """google/prompt-to-prompt's NullInversion over a UNet: its ddim_loop and null_optimization, constants and all.

    inner and epsilon are arguments of its null_optimization: 10 and 1e-5 as it is called.
    """

    steps, guidance = 50, 7.5

    def __init__(self, unet: Any, *, inner: int = 10, epsilon: float = 1e-5) -> None:
        self.unet, self.alphas = unet, torch.from_numpy(SCHEDULE.abar)
        self.inner, self.epsilon = inner, epsilon
        self.timesteps = (np.arange(0, self.steps) * (1000 // self.steps))[::-1].copy()
        self.rounds: list[int] = []

    def alpha(self, timestep: int) -> Tensor:
        return self.alphas[timestep] if timestep >= 0 else self.alphas[0]

    def prev_step(self, noise: Tensor, timestep: int, sample: Tensor) -> Tensor:
        here, there = self.alpha(timestep), self.alpha(timestep - 1000 // self.steps)
        original = (sample - (1 - here) ** 0.5 * noise) / here**0.5
        return there**0.5 * original + (1 - there) ** 0.5 * noise

    def next_step(self, noise: Tensor, timestep: int, sample: Tensor) -> Tensor:
        here, there = self.alpha(min(timestep - 1000 // self.steps, 999)), self.alpha(timestep)
        original = (sample - (1 - here) ** 0.5 * noise) / here**0.5
        return there**0.5 * original + (1 - there) ** 0.5 * noise

    def ddim_loop(self, latent: Tensor) -> list[Tensor]:
        latents = [latent]
        for i in range(self.steps):
            t = int(self.timesteps[len(self.timesteps) - i - 1])
            latents.append(self.next_step(self.unet(latents[-1], t, TEXT).sample, t, latents[-1]))
        return latents

    def null_optimization(self, latents: list[Tensor]) -> list[Tensor]:
        uncond, found, latent_cur = EMPTY, [], latents[-1]
        for i in range(self.steps):
            uncond = uncond.clone().detach()
            uncond.requires_grad = True
            optimizer = torch.optim.Adam([uncond], lr=1e-2 * (1.0 - i / 100.0))
            latent_prev, t = latents[len(latents) - i - 2], int(self.timesteps[i])
            with torch.no_grad():
                cond = self.unet(latent_cur, t, TEXT).sample
            self.rounds.append(0)
            for _ in range(self.inner):
                self.rounds[-1] += 1
                noise = self.unet(latent_cur, t, uncond).sample
                noise = noise + self.guidance * (cond - noise)
                loss = mse_loss(self.prev_step(noise, t, latent_cur), latent_prev)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if loss.item() < self.epsilon + i * 2e-5:
                    break
            found.append(uncond[:1].detach())
            with torch.no_grad():
                noise = self.unet(latent_cur, t, uncond).sample
                latent_cur = self.prev_step(noise + self.guidance * (cond - noise), t, latent_cur)
        return found


def test_the_released_loop(unet: Any, noise: ddim.Noise) -> None:
    """All fifty steps; fewer rounds and an earlier stop than released, so that both ways out of a step are met soon."""
    published, levels = Published(unet, inner=3, epsilon=4e-3), ddim.course(SCHEDULE, steps=50)
    with torch.no_grad():
        wanted = published.ddim_loop(PICTURE)
    pivots = inverted(noise, levels)
    for ours, theirs in zip(reversed(pivots), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    nulls = optimise(noise, pivots, TEXT, EMPTY, levels, Optimisation(rounds=3, tolerance=4e-3))
    theirs = published.null_optimization(wanted)
    assert {1, 3} <= set(published.rounds), "both ways out must be met"
    for mine, other in zip(nulls, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-6)
    assert (nulls[-1] - EMPTY).abs().max() > 1e-2


def test_the_released_constants(unet: Any) -> None:
    ours, theirs = Optimisation(), Published(unet)
    assert (ours.guidance, ours.rounds, ours.tolerance) == (theirs.guidance, theirs.inner, theirs.epsilon)
    assert (ours.rate, ours.slack) == (1e-2, 2e-5)


@pytest.mark.parametrize("steps", [3, 6])
def test_it_brings_the_picture_back(noise: ddim.Noise, steps: int) -> None:
    levels, guidance = ddim.course(SCHEDULE, steps=steps), 4.0
    pivots, done = inverted(noise, levels), []
    nulls = optimise(noise, pivots, TEXT, EMPTY, levels, Optimisation(guidance=guidance), done=done.append)
    assert done == list(range(1, steps + 1)) and len(nulls) == steps
    before, after = (
        mse_loss(back(noise, pivots[0], levels, kind, guidance), PICTURE) for kind in ([EMPTY] * steps, nulls)
    )
    assert after < 0.95 * before
    assert not any(null.requires_grad for null in nulls)


def test_without_guidance_the_empty_prompt_is_not_asked(noise: ddim.Noise) -> None:
    levels = ddim.course(SCHEDULE, steps=5)
    start = inverted(noise, levels)[0]
    bent = [EMPTY + k for k in range(5)]
    torch.testing.assert_close(
        back(noise, start, levels, bent, 1.0), back(noise, start, levels, [EMPTY] * 5, 1.0), rtol=0, atol=1e-9
    )
    with pytest.raises(ConfigError, match="above 1, not 1"):
        Optimisation(guidance=1.0)
