"""DDIM with eta 0 (Song et al. 2021, eq. 12) over many steps: from noise to picture, and back up.

A network is asked as `noise(z, level, text)`: what noise it sees in the latent z when it is told `level`. Going up, it
is told the level that is gone to, as in the code of null-text inversion (Mokady et al. 2023): z is still a step
cleaner. Whatever a network predicts is turned into noise at the level it was told, so networks that predict noise,
velocity or the picture are inverted alike. (diffusers' DDIMInverseScheduler reads a velocity at the cleaner level: the
same for noise, not for the others, and it divides by zero where a picture is predicted.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.schedule import Level, Prediction, Schedule, add_noise, clean

Noise = Callable[[Tensor, Level, Tensor], Tensor]
"""(latent [B, C, h, w], the level told, text [B, tokens, width]) -> noise [B, C, h, w]."""


def course(schedule: Schedule, *, steps: int, offset: int = 0) -> tuple[Level, ...]:
    """Return steps + 1 levels, noisiest first and the clean one last, at diffusers' `leading` timesteps.

    offset: the scheduler's steps_offset; 0 is the published code's, 1 Stable Diffusion's own. Leading, because the last
    training timestep, where few-step models were shown nothing but noise, has no place for a picture. Raises
    ConfigError for more steps than there are timesteps.
    """
    stride = len(schedule.abar) // steps if steps >= 1 else 0
    noisy = [offset + k * stride for k in reversed(range(steps))]
    if not noisy or stride < 1 or noisy[0] >= len(schedule.abar):
        raise ConfigError(f"inversion steps {steps} must be 1..{len(schedule.abar) - offset}")
    abar = [*(float(schedule.abar[t]) for t in noisy), schedule.final_abar]
    return tuple(Level(t, math.sqrt(a), math.sqrt(1.0 - a)) for t, a in zip((*noisy, 0), abar, strict=True))


def as_noise(prediction: Prediction, z: Tensor, output: Tensor, level: Level) -> Tensor:
    """Return the noise that a network's output at z means when it was told `level`."""
    return clean(prediction, z, output, level)[1]


def move(z: Tensor, noise: Tensor, at: Level, to: Level) -> Tensor:
    """Take z from level `at` to `to`, up or down, along the noise seen in it."""
    return add_noise((z - at.noise * noise) * (1.0 / at.signal), noise, to)


def invert(
    noise: Noise,
    picture: Tensor,
    text: Tensor,
    levels: Sequence[Level],
    *,
    done: Callable[[int], object] = lambda step: None,
) -> tuple[Tensor, ...]:
    """Return the latents that lead to `picture` [1, C, h, w] under `text` without guidance, one per level.

    Noisiest first; the last is the picture. Each step takes the noise to be the same at both of its ends, so the way
    back is not quite the way up, and with guidance not at all. done: called after each step with how many are done.
    """
    pivots = [picture]
    for at, to in pairwise(reversed(levels)):
        pivots.append(move(pivots[-1], noise(pivots[-1], to, text), at, to))
        done(len(pivots) - 1)
    return tuple(reversed(pivots))


def replay(ask: Callable[[Tensor, int], Tensor], start: Tensor, levels: Sequence[Level]) -> tuple[Tensor, ...]:
    """Return the latents from `start`, one per level; ask(z, k) says the noise in z at step k, guidance included."""
    latents = [start]
    for k, (at, to) in enumerate(pairwise(levels)):
        latents.append(move(latents[-1], ask(latents[-1], k), at, to))
    return tuple(latents)


def guided(empty: Tensor, prompt: Tensor, scale: float) -> Tensor:
    """Return the noise of classifier-free guidance (Ho and Salimans 2022, eq. 6)."""
    return empty + scale * (prompt - empty)
