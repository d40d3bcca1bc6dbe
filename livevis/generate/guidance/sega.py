"""Semantic guidance over the steps of one picture, exactly as diffusers' SemanticStableDiffusionPipeline computes it.

The reference of what is played (`slots`); not played itself. Brack et al. 2023, "SEGA: Instructing
Text-to-Image Models using Semantic Guidance", section 3, with the two habits of the released code: momentum gathers
over all concepts while some are still warming up, and meanwhile the warm ones share their weights out to sum 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.guidance.mask import per_row, strongest
from livevis.generate.guidance.momentum import Momentum, push_through

MOMENTUM = Momentum(beta=0.4, scale=0.1)
"""diffusers' default: 1.3 steps long, gain 1.11."""


@dataclass(frozen=True, slots=True)
class Concept:
    """One semantic edit; the defaults are diffusers'.

    scale: of the difference to the unconditional prediction; threshold: quantile 0..1 below which entries stay put;
    weight: share in the sum, below 0 counts as 0; warm_up, cool_down: first step that is edited and first that no
    longer is (None: all); reverse: away from the concept instead of towards it.
    """

    scale: float = 5.0
    threshold: float = 0.9
    weight: float = 1.0
    warm_up: int = 10
    cool_down: int | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Sega:
    """All edits of a picture.

    guidance: classifier-free guidance scale; normalise_partial: while only some concepts are warm, their weights are
    divided by the sum, as diffusers does (the edit's level then jumps when the last one joins). False leaves them
    as they are.
    """

    concepts: tuple[Concept, ...]
    guidance: float = 7.5
    momentum: Momentum = MOMENTUM
    normalise_partial: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class SegaState:
    """velocity: momentum so far, shaped like one prediction; step: how many denoising steps were taken."""

    velocity: Tensor
    step: int = 0


def init(like: Tensor) -> SegaState:
    """Return the state before the first step of a picture whose predictions are shaped `like`."""
    return SegaState(torch.zeros_like(like))


def step(state: SegaState, rows: Tensor, sega: Sega) -> tuple[SegaState, Tensor]:
    """Return the guided noise prediction of one step from rows [2 + n, ..., h, w]: unconditional, prompt, edits.

    A batch of B pictures is rows [2 + n, B, C, h, w]. Raises ConfigError if the rows are not two more than the
    concepts.
    """
    if rows.shape[0] != 2 + len(sega.concepts):
        raise ConfigError(f"{len(sega.concepts)} concepts need {2 + len(sega.concepts)} rows, not {rows.shape[0]}")
    uncond, prompt, edits = rows[0], rows[1], rows[2:]
    scale = rows.new_tensor([-c.scale if c.reverse else c.scale for c in sega.concepts])
    threshold = rows.new_tensor([c.threshold for c in sega.concepts])
    masked = strongest((edits - uncond) * per_row(scale, edits), threshold)
    weight = rows.new_tensor([_weight(concept, state.step) for concept in sega.concepts])
    velocity, moved = push_through(state.velocity, _weigh(weight, masked), sega.momentum)
    heard = _heard(sega, state.step, weight, masked, moved)
    return SegaState(velocity, state.step + 1), uncond + (sega.guidance * (prompt - uncond) + heard)


def _weight(concept: Concept, step: int) -> float:
    cooled = concept.cool_down is not None and step >= concept.cool_down
    return 0.0 if cooled else max(concept.weight, 0.0)


def _weigh(weight: Tensor, rows: Tensor) -> Tensor:
    return (per_row(weight, rows) * rows).sum(0)


def _heard(sega: Sega, step: int, weight: Tensor, masked: Tensor, moved: Tensor) -> Tensor:
    """What is added at this step: everything with momentum once all are warm, before that only the warm ones."""
    warm = [step >= concept.warm_up for concept in sega.concepts]
    if all(warm):
        return moved
    partial = weight * weight.new_tensor(warm)
    if sega.normalise_partial:  # if all warm ones have cooled down, diffusers divides 0 by 0 here; this adds nothing
        partial = partial / partial.sum().clamp_min(torch.finfo(partial.dtype).tiny)
    return _weigh(partial, masked)
