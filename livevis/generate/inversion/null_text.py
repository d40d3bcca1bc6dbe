"""Null-text optimisation (Mokady et al. 2023, algorithm 1): one embedding of the empty prompt for each step.

Guidance multiplies what an inversion at guidance 1 gets wrong. Here each step's empty prompt is bent until the guided
step lands where the inversion came from. The constants are those of the released code (google/prompt-to-prompt),
written for 50 steps: with another number, learning rate and patience follow the share of the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from livevis.core.errors import ConfigError
from livevis.generate.inversion.ddim import Noise, guided, move
from livevis.generate.schedule import Level

PUBLISHED_STEPS = 50


@dataclass(frozen=True, slots=True)
class Optimisation:
    """guidance above 1; rounds: of Adam a step, at most; rate: of learning, half of it at the end of the way.

    A step is good enough when the mean squared error is below tolerance + slack * (step of 50).
    """

    guidance: float = 7.5
    rounds: int = 10
    rate: float = 1e-2
    tolerance: float = 1e-5
    slack: float = 2e-5

    def __post_init__(self) -> None:
        if not self.guidance > 1.0:
            raise ConfigError(
                f"null-text inversion needs diffusion/guidance above 1, not {self.guidance:g}: without it the empty "
                "prompt is not asked"
            )


def optimise(
    noise: Noise,
    pivots: Sequence[Tensor],
    text: Tensor,
    empty: Tensor,
    levels: Sequence[Level],
    how: Optimisation | None = None,
    *,
    done: Callable[[int], object] = lambda step: None,
) -> tuple[Tensor, ...]:
    """Return an embedding [1, tokens, width] of the empty prompt for each step, noisiest first.

    pivots: `ddim.invert`'s; text and empty: embeddings [1, tokens, width] of the two prompts; `noise` must let
    gradients through to its text; done: called after each step with how many are done.
    """
    how = how or Optimisation()
    nulls: list[Tensor] = []
    z = pivots[0]
    for k, (at, to) in enumerate(pairwise(levels)):
        with torch.no_grad():
            prompt = noise(z, at, text)
        land = partial(_land, noise, z, prompt, at, to, how.guidance)
        empty = _bend(land, empty, pivots[k + 1], k * PUBLISHED_STEPS / (len(levels) - 1), how)
        nulls.append(empty)
        with torch.no_grad():
            z = land(empty)
        done(k + 1)
    return tuple(nulls)


def _land(noise: Noise, z: Tensor, prompt: Tensor, at: Level, to: Level, scale: float, empty: Tensor) -> Tensor:
    """Where the guided step from z ends; prompt: the noise seen under the prompt."""
    return move(z, guided(noise(z, at, empty), prompt, scale), at, to)


def _bend(land: Callable[[Tensor], Tensor], empty: Tensor, target: Tensor, place: float, how: Optimisation) -> Tensor:
    """Bend the embedding until `land` is at the target, or the rounds are over; place: of the step, 0..50."""
    empty = empty.clone().requires_grad_()
    adam = torch.optim.Adam([empty], lr=how.rate * (1.0 - place / (2 * PUBLISHED_STEPS)))
    with torch.enable_grad():
        for _ in range(how.rounds):
            loss = mse_loss(land(empty), target)
            adam.zero_grad()
            loss.backward()
            adam.step()
            if loss.item() < how.tolerance + place * how.slack:
                break
    return empty.detach()
