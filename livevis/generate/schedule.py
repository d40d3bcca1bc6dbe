"""The noise schedule and its arithmetic: plain numbers and pure functions, variance-preserving throughout.

Euler in sigma space and DDIM with eta 0 are the same step once the latent is scaled by sqrt(abar), so one code
serves both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from livevis.core.errors import CapabilityError, choices

Prediction = Literal["epsilon", "v_prediction", "sample"]
Rule = Literal["euler", "ancestral", "consistency"]
T = TypeVar("T")
"""Anything with +, - and * by a float: a torch tensor, a numpy array, a number."""

RULES: dict[str, Rule] = {
    "EulerDiscreteScheduler": "euler",
    "DDIMScheduler": "euler",
    "TCDScheduler": "euler",  # TCD at gamma 0, its deterministic member
    "EulerAncestralDiscreteScheduler": "ancestral",
    "LCMScheduler": "consistency",
    # Multistep solvers start with a first-order step, and at 1..4 steps that is all that is taken here.
    "PNDMScheduler": "euler",
    "DPMSolverMultistepScheduler": "euler",
}
PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """abar: float64 [T] cumulative alphas; final_abar: where the last step lands (1 = clean)."""

    abar: npt.NDArray[np.float64]
    final_abar: float
    prediction: Prediction
    rule: Rule


@dataclass(frozen=True, slots=True)
class Level:
    """One noise level: z = signal * x0 + noise * eps; timestep is what the UNet is told."""

    timestep: int
    signal: float
    noise: float


def read_schedule(config: Mapping[str, Any]) -> Schedule:
    """Build the schedule of a diffusers scheduler_config.json; raises CapabilityError for kinds that are not played."""
    name = str(config.get("_class_name", "EulerDiscreteScheduler"))
    if name not in RULES:
        raise CapabilityError(f"scheduler {name} is not played; choose from: {choices(RULES)}")
    prediction = config.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise CapabilityError(f"prediction type {prediction} is not played; choose from: {choices(PREDICTIONS)}")
    abar = np.cumprod(1.0 - _betas(config))
    clean = name.startswith("Euler") or bool(config.get("set_alpha_to_one", True))
    return Schedule(abar, 1.0 if clean else float(abar[0]), prediction, RULES[name])


def _betas(config: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    start, end = float(config.get("beta_start", 0.0001)), float(config.get("beta_end", 0.02))
    count, kind = int(config.get("num_train_timesteps", 1000)), config.get("beta_schedule", "linear")
    if config.get("trained_betas") is not None:
        betas = np.asarray(config["trained_betas"], np.float64)
    elif kind == "linear":
        betas = np.linspace(start, end, count)
    elif kind == "scaled_linear":
        betas = np.linspace(math.sqrt(start), math.sqrt(end), count) ** 2
    else:
        raise CapabilityError(f"beta schedule {kind} is not played; choose from: linear, scaled_linear")
    return _zero_snr(betas) if config.get("rescale_betas_zero_snr") else betas


def _zero_snr(betas: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shift and scale sqrt(abar) to end at zero (Lin et al. 2023, algorithm 1); the last one is kept just above it."""
    root = np.sqrt(np.cumprod(1.0 - betas))
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    abar = root**2
    abar[-1] = 2.0**-24  # an exact zero would make eps-prediction divide by zero; diffusers keeps the same floor
    return 1.0 - np.concatenate([abar[:1], abar[1:] / abar[:-1]])


def timesteps(schedule: Schedule, *, strength: float, steps: int) -> tuple[int, ...]:
    """Return the `steps` timesteps, noisiest first, of img2img at `strength` 0..1.

    Trailing spacing (Lin et al. 2023, table 2) continued to real strengths: equal to diffusers' img2img with
    num_inference_steps = steps / strength wherever that is whole. Checkpoints whose config says `leading` or
    `linspace` are played with trailing steps too: theirs would put a single step at t = 0 or 1, where nothing
    is redrawn.
    """
    count = len(schedule.abar)
    top = count * min(max(strength, 0.0), 1.0)
    return tuple(max(round(top - k * top / steps) - 1, 0) for k in range(steps))


def levels(schedule: Schedule, *, strength: float, steps: int) -> tuple[Level, ...]:
    """Return steps + 1 levels: the noisy ones of `timesteps` and the last, clean one."""
    noisy = timesteps(schedule, strength=strength, steps=steps)
    abar = [*(float(schedule.abar[t]) for t in noisy), schedule.final_abar]
    return tuple(Level(t, math.sqrt(a), math.sqrt(1.0 - a)) for t, a in zip((*noisy, 0), abar, strict=True))


def add_noise(x0: T, noise: T, level: Level) -> T:
    """Return z_t = sqrt(abar) x0 + sqrt(1 - abar) noise (Ho et al. 2020, eq. 4)."""
    return level.signal * x0 + level.noise * noise  # type: ignore[operator, no-any-return]


def clean(prediction: Prediction, z: T, output: T, level: Level) -> tuple[T, T]:
    """Turn the network's output at z into (x0, eps); v as in Salimans and Ho 2022, appendix D."""
    a, s = level.signal, level.noise
    if prediction == "epsilon":
        return (z - s * output) * (1.0 / a), output  # type: ignore[operator, return-value]
    if prediction == "v_prediction":
        return a * z - s * output, s * z + a * output  # type: ignore[operator, return-value]
    return output, (z - a * output) * (1.0 / max(s, 1e-8))  # type: ignore[operator, return-value]


def step_to(rule: Rule, estimate: tuple[T, T], at: Level, to: Level, fresh: T) -> T:
    """Go from level `at` to `to` with the estimate (x0, eps); `fresh` is the noise of stochastic rules.

    euler: DDIM with eta 0 (Song et al. 2020, eq. 12). ancestral: k-diffusion's split of sigma into down and up.
    consistency: re-noise the clean estimate (Luo et al. 2023, algorithm 3).
    """
    x0, eps = estimate
    if rule == "euler" or to.noise == 0.0:
        return add_noise(x0, eps, to)
    if rule == "consistency":
        return add_noise(x0, fresh, to)
    here, there = (at.noise / at.signal) ** 2, (to.noise / to.signal) ** 2
    up = there * (here - there) / here
    down = math.sqrt(there - up)
    return to.signal * (x0 + down * eps + math.sqrt(up) * fresh)  # type: ignore[operator, no-any-return]
