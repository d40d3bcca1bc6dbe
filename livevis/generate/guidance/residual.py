"""Residual classifier-free guidance (Kodaira et al. 2023, StreamDiffusion): CFG without unconditional rows.

The unconditional prediction is replaced by a stock of virtual noise that is kept up with each frame. Rows are the
steps of a stream batch: row k is the frame that entered k calls ago. "self" starts each frame's stock from its
own noise and costs n network rows, "initialize" asks the network once per frame, n + 1 rows, and "full" is ordinary
guidance with 2n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from livevis.generate.schedule import Level

Kind = Literal["self", "initialize", "full"]


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """The levels of a stream batch as columns [n, 1, 1, 1]; x0 = out * (z - noise * eps) / signal + skip * z."""

    signal: Tensor
    noise: Tensor
    skip: Tensor
    out: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ResidualState:
    """stock: virtual noise [n, C, h, w] that stands for the unconditional prediction of each row."""

    stock: Tensor


def ladder(levels: Sequence[Level], like: Tensor, *, consistency: bool) -> Ladder:
    """Build the columns of the noisy `levels`, noisiest first, in the type and on the device of `like`.

    consistency: with LCM's boundary condition (Luo et al. 2023; sigma 0.5, timestep scale 10); its skip is
    below 3e-7 from t = 99 on.
    """
    skips = [0.25 / ((10.0 * level.timestep) ** 2 + 0.25) if consistency else 0.0 for level in levels]
    columns = (
        [level.signal for level in levels],
        [level.noise for level in levels],
        skips,
        [(1.0 - skip) ** 0.5 for skip in skips],
    )
    return Ladder(*(like.new_tensor(column).reshape(-1, 1, 1, 1) for column in columns))


def init(bank: Tensor) -> ResidualState:
    """Return the empty stock for the fixed noises `bank` [n, C, h, w], one per row."""
    return ResidualState(torch.zeros_like(bank))


def enter(state: ResidualState, bank: Tensor) -> ResidualState:
    """Let a new frame in at row 0: the others move on by one, and its stock is its own noise (a lone row stays)."""
    return state if bank.shape[0] == 1 else ResidualState(torch.cat((bank[:1], state.stock[:-1])))


def network_rows(kind: Kind, z: Tensor) -> Tensor:
    """Return the latents to ask the network about; unconditional rows come first. (Timesteps go the same way.)"""
    return {"self": z, "initialize": torch.cat((z[:1], z)), "full": torch.cat((z, z))}[kind]


def step(
    state: ResidualState,
    outputs: Tensor,
    bank: Tensor,
    steps: Ladder,
    *,
    kind: Kind = "self",
    guidance: float | Tensor = 1.2,
    delta: float = 1.0,
) -> tuple[ResidualState, Tensor]:
    """Return the guided eps [n, C, h, w] from the network's answer to `network_rows`.

    guidance: 1 is none, bit for bit, and less counts as 1; delta: share of the stock that is subtracted, 0..1.
    """
    guidance = torch.as_tensor(guidance, dtype=bank.dtype, device=bank.device).clamp_min(1.0)
    count = bank.shape[0]
    cond = outputs[outputs.shape[0] - count :]
    if kind == "full":
        return state, torch.lerp(outputs[:count], cond, guidance)
    stock = torch.cat((outputs[:1], state.stock[1:])) if kind == "initialize" else state.stock
    guided = torch.lerp(delta * stock, cond, guidance)
    return ResidualState(_restock(stock, guided, bank, steps)), guided


def clean(eps: Tensor, z: Tensor, steps: Ladder) -> Tensor:
    """Return x0 of every row by the consistency function (Luo et al. 2023)."""
    return steps.out * (z - steps.noise * eps) / steps.signal + steps.skip * z


def _restock(stock: Tensor, guided: Tensor, bank: Tensor, steps: Ladder) -> Tensor:
    """What each row's stock is at the next level: that level's noise, and what the guided step did to the old stock."""
    one = torch.ones_like(steps.signal[:1])
    signal, noise = torch.cat((steps.signal[1:], one)), torch.cat((steps.noise[1:], one))
    fresh = torch.cat((bank[1:], bank[:1]))
    return fresh + signal * clean(guided, steps.noise * stock, steps) / noise
