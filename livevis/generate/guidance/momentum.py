"""SEGA's momentum, which is a one-pole filter, and its constants for any frame rate.

moved = push + scale * velocity; velocity' = beta * velocity + (1 - beta) * moved (Brack et al. 2023, section 3).
So velocity decays with the pole beta + (1 - beta) * scale, and a steady push is amplified by 1 / (1 - scale).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SETTLED = 2.0**-24
"""Velocities below this count as none: half a float32 step at 1, which no latent can show. Without it the tail
would last for ever, silence would never be exact, and CPUs would slow down on denormal numbers."""

LARGEST = 1024.0
"""Velocities are held within this, which is far outside of any latent: so it is known without a look at them, which
would halt the device, when a velocity that nothing pushes any more has decayed to less than SETTLED."""

LARGEST_SCALE = 0.99
"""At 1 the filter would be an integrator and run away."""


@dataclass(frozen=True, slots=True)
class Momentum:
    """beta: how slowly velocity follows, 0..1; scale: how much of it is added, 0..1 (both may be 0-d tensors)."""

    beta: float
    scale: float

    @property
    def pole(self) -> float:
        """What is left of the velocity after one step without a push."""
        return self.beta + (1.0 - self.beta) * self.scale

    @property
    def gain(self) -> float:
        """What a steady push grows to."""
        return 1.0 / (1.0 - self.scale)


NONE = Momentum(beta=0.0, scale=0.0)


def over_time(*, tau_s: float, gain: float, dt_s: float) -> Momentum:
    """Return the momentum that settles with time constant `tau_s` at `gain` >= 1, stepped every `dt_s` seconds.

    The same (tau_s, gain) answer a step alike at every frame rate, and swells of up to 1 Hz within 2 % from 15 to 60
    frames a second (velocity is heard one frame late). Where the two cannot both be had, because beta would have to
    be negative, the time constant is kept and the gain is lowered.
    """
    pole = math.exp(-dt_s / tau_s) if tau_s > 0.0 else 0.0
    scale = min(1.0 - 1.0 / max(gain, 1.0), pole, LARGEST_SCALE)
    return Momentum(beta=(pole - scale) / (1.0 - scale), scale=scale)


def push_through(velocity: Tensor, push: Tensor, momentum: Momentum) -> tuple[Tensor, Tensor]:
    """Return (velocity', moved) after one step of the filter, any shape."""
    moved = push + momentum.scale * velocity
    return momentum.beta * velocity + (1.0 - momentum.beta) * moved, moved


def settle(velocity: Tensor) -> Tensor:
    """Return the velocity within LARGEST, its imperceptible entries (below SETTLED) set to 0: so silence gets exact."""
    return torch.where(velocity.abs() < SETTLED, 0.0, velocity).clamp(-LARGEST, LARGEST)


def ringing(limit: float, momentum: Momentum) -> float:
    """Return the limit of a velocity within `limit` after one step without a push; 0 once `settle` has ended it.

    It ends after the first n steps with pole^n · limit below SETTLED / 2; the half is room for float32's rounding.
    """
    left = limit * momentum.pole
    return left if left >= SETTLED / 2 else 0.0
