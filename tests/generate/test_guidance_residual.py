"""Residual guidance against StreamDiffusion's update written out in numpy, frame after frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from livevis.generate.guidance import residual
from livevis.generate.guidance.residual import Kind, Ladder
from livevis.generate.schedule import Level, levels, read_schedule

SCHEDULE = read_schedule({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"})
KINDS: tuple[Kind, ...] = ("self", "initialize", "full")
Array = npt.NDArray[Any]


def network(rows: Any, times: Any, text: Any, *, like: Any = np) -> Any:
    """Stands for the UNet: bounded, nonlinear, heeds latent, time and text of each row."""
    return like.tanh(0.7 * rows + text) + 0.3 * like.sin(rows * (1 + times / 1000))


class StreamBatch:
    """pipeline.py's unet_step and predict_x0_batch, use_denoising_batch and do_add_noise on, one frame buffered."""

    def __init__(self, at: tuple[Level, ...], noise: Array, kind: Kind, guidance: float, delta: float) -> None:
        def column(values: Any) -> Array:
            return np.array(list(values), noise.dtype).reshape(-1, 1, 1, 1)

        self.alpha, self.beta = column(level.signal for level in at), column(level.noise for level in at)
        self.times = column(level.timestep for level in at)
        self.skip = 0.25 / ((10 * self.times) ** 2 + 0.25)
        self.out = 10 * self.times / np.sqrt((10 * self.times) ** 2 + 0.25)
        self.init_noise, self.stock = noise, np.zeros_like(noise)
        self.buffer = np.zeros_like(noise[1:])
        self.kind, self.guidance, self.delta = kind, guidance, delta

    def consistency(self, eps: Array, x: Array) -> Array:
        return self.out * (x - self.beta * eps) / self.alpha + self.skip * x

    def unet_step(self, x: Array) -> Array:
        rows, times, text = x, self.times, np.full_like(self.times, 0.5)
        if self.guidance > 1 and self.kind == "initialize":
            rows, times = np.concatenate((x[:1], x)), np.concatenate((times[:1], times))
            text = np.concatenate((np.zeros_like(text[:1]), text))
        elif self.guidance > 1 and self.kind == "full":
            rows, times = np.concatenate((x, x)), np.concatenate((times, times))
            text = np.concatenate((np.zeros_like(text), text))
        prediction = network(rows, times, text)
        cond = prediction[len(prediction) - len(x) :]
        if self.guidance > 1 and self.kind == "initialize":
            self.stock = np.concatenate((prediction[:1], self.stock[1:]))
        uncond = prediction[: len(x)] if self.kind == "full" else self.stock * self.delta
        guided = uncond + self.guidance * (cond - uncond) if self.guidance > 1 else cond
        denoised = self.consistency(guided, x)
        if self.kind != "full":
            change = self.consistency(guided, self.beta * self.stock)
            change = np.concatenate((self.alpha[1:], np.ones_like(self.alpha[:1]))) * change
            change = change / np.concatenate((self.beta[1:], np.ones_like(self.beta[:1])))
            self.stock = np.concatenate((self.init_noise[1:], self.init_noise[:1])) + change
        return denoised

    def frame(self, x: Array) -> Array:
        if len(self.alpha) > 1:
            x = np.concatenate((x, self.buffer))
            self.stock = np.concatenate((self.init_noise[:1], self.stock[:-1]))
        denoised = self.unet_step(x)
        self.buffer = self.alpha[1:] * denoised[:-1] + self.beta[1:] * self.init_noise[1:]
        return denoised[-1:]


class Ours:
    """The same stream batch on the functions under test."""

    def __init__(self, at: tuple[Level, ...], bank: Tensor, kind: Kind, guidance: float, delta: float) -> None:
        self.steps, self.bank = residual.ladder(at, bank, consistency=True), bank
        self.times = bank.new_tensor([level.timestep for level in at]).reshape(-1, 1, 1, 1)
        self.state, self.buffer = residual.init(bank), torch.zeros_like(bank[1:])
        self.kind: Kind = kind
        self.how: dict[str, Any] = {"guidance": guidance, "delta": delta}
        self.network_rows = 0

    def frame(self, z: Tensor) -> Tensor:
        z = torch.cat((z, self.buffer))
        self.state = residual.enter(self.state, self.bank)
        rows, times = residual.network_rows(self.kind, z), residual.network_rows(self.kind, self.times)
        text = self.bank.new_full((len(rows), 1, 1, 1), 0.5)
        text[: len(rows) - len(z)] = 0.0
        self.network_rows = len(rows)
        outputs = network(rows, times, text, like=torch)
        self.state, eps = residual.step(self.state, outputs, self.bank, self.steps, kind=self.kind, **self.how)
        x0 = residual.clean(eps, z, self.steps)
        self.buffer = self.steps.signal[1:] * x0[:-1] + self.steps.noise[1:] * self.bank[1:]
        return x0[-1:]


def both(
    kind: Kind, *, steps: int = 4, guidance: float = 1.4, delta: float = 0.8, dtype: Any = np.float32
) -> tuple[StreamBatch, Ours]:
    at = levels(SCHEDULE, strength=0.8, steps=steps)[:-1]
    draw = np.random.default_rng(0)
    noise = draw.standard_normal((steps, 4, 8, 8)).astype(dtype)
    return (
        StreamBatch(at, noise, kind, guidance, delta),
        Ours(at, torch.from_numpy(noise.copy()), kind, guidance, delta),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("steps", "guidance"), [(4, 1.4), (4, 1.0), (2, 1.2), (1, 1.2)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_frames_are_those_of_streamdiffusion(kind: Kind, steps: int, guidance: float, dtype: Any) -> None:
    """Float64 to 1e-5, float32 to 1e-5 of the largest value (a random network's latents grow to 40)."""
    theirs, ours = both(kind, steps=steps, guidance=guidance, dtype=dtype)
    draw = np.random.default_rng(1)
    for _ in range(3 * steps):
        entering = draw.standard_normal((1, 4, 8, 8)).astype(dtype)
        wanted = theirs.frame(entering)
        made = ours.frame(torch.from_numpy(entering)).numpy()
        assert np.abs(made - wanted).max() <= 1e-5 * (1.0 if dtype == np.float64 else np.abs(wanted).max())
        if kind == "self" or (kind == "initialize" and guidance > 1):
            assert np.abs(ours.state.stock.numpy() - theirs.stock).max() <= 1e-5 * np.abs(theirs.stock).max()


@pytest.mark.parametrize(("kind", "rows"), [("self", 4), ("initialize", 5), ("full", 8)])
def test_the_rows_that_each_kind_costs(kind: Kind, rows: int) -> None:
    _, ours = both(kind)
    ours.frame(torch.zeros(1, 4, 8, 8))
    assert ours.network_rows == rows


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("guidance", [1.0, 0.0])
def test_guidance_one_and_less_is_the_prompt_bit_for_bit(kind: Kind, guidance: float) -> None:
    _, ours = both(kind)
    draw = torch.Generator().manual_seed(0)
    outputs = torch.randn({"self": 4, "initialize": 5, "full": 8}[kind], 4, 8, 8, generator=draw)
    state = residual.ResidualState(torch.randn(4, 4, 8, 8, generator=draw))
    _, eps = residual.step(state, outputs, ours.bank, ours.steps, kind=kind, guidance=guidance)
    assert torch.equal(eps, outputs[-4:])


def test_guidance_and_delta_are_heard() -> None:
    made = []
    for guidance, delta in ((1.0, 0.8), (1.4, 0.8), (1.4, 0.2)):
        _, ours = both("self", guidance=guidance, delta=delta)
        made.append([ours.frame(torch.zeros(1, 4, 8, 8)) for _ in range(5)][-1])
    assert (made[0] - made[1]).abs().max() > 1e-2 and (made[1] - made[2]).abs().max() > 1e-3


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_boundary_condition_is_that_of_diffusers() -> None:
    from diffusers import LCMScheduler

    scheduler = LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    at = levels(SCHEDULE, strength=1.0, steps=4)
    made = residual.ladder(at, torch.zeros(1), consistency=True)
    for k, level in enumerate(at):
        skip, out = scheduler.get_scalings_for_boundary_condition_discrete(level.timestep)
        assert float(made.skip[k]) == pytest.approx(float(skip)) and float(made.out[k]) == pytest.approx(float(out))
    plain: Ladder = residual.ladder(at, torch.zeros(1), consistency=False)
    assert not plain.skip.any() and (plain.out == 1.0).all()
