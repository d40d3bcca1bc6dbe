"""Semantic guidance played live: a fixed number of edit slots, each a fader, with momentum from frame to frame.

Every slot has its place in the tensors whether it is heard or not, so shapes never change; weight 0 switches it off,
and what is not heard is not asked of the network (`generate.semantic`).
Edits are held in x0 units: scale 1 goes all the way to the picture that the edited prompt alone would make, at any
timestep and for any prediction type. SEGA (Brack et al. 2023) runs its momentum over the fifty steps of one
picture; with one to four steps a frame there is nothing to run over, so here each step index keeps its own velocity and
carries it to the next frame. That needs noise that stays put, or the velocity would mix unrelated latents.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import astuple, dataclass, replace

import torch
from torch import Tensor

from livevis.core.catalogue import EDIT_SLOTS
from livevis.core.errors import ConfigError
from livevis.generate.guidance.mask import per_row, strongest_soft
from livevis.generate.guidance.momentum import LARGEST, Momentum, push_through, settle
from livevis.generate.guidance.rows import Base
from livevis.generate.schedule import Level, Prediction


@dataclass(frozen=True, slots=True)
class Slot:
    """One fader's settings for one frame; a new one is off.

    scale: how far towards (below 0: away from) the edit, in x0 units; weight: 0 switches off at once, momentum
    included; threshold: quantile 0..1 that entries must reach; softness: of that edge, 0 is hard; warm_up, cool_down:
    heard at timesteps cool_down <= t < warm_up.
    """

    scale: float = 0.0
    weight: float = 0.0
    threshold: float = 0.9
    softness: float = 0.0
    warm_up: float = 1000.0
    cool_down: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """All faders as tensors [K], in the meaning of `Slot`."""

    scale: Tensor
    weight: Tensor
    threshold: Tensor
    softness: Tensor
    warm_up: Tensor
    cool_down: Tensor


@dataclass(frozen=True, slots=True)
class Key:
    """What a velocity belongs to. shape: of one latent (C, h, w); concepts: what each slot edits, K of them."""

    prompt: Hashable
    seed: Hashable
    shape: tuple[int, ...]
    steps: int
    concepts: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SlotState:
    """velocity: [steps, K, C, h, w], momentum in x0 units per step index and slot; key: what it belongs to.

    limit: no velocity is larger, which is known without reading one back.
    """

    velocity: Tensor
    key: Key
    limit: float = LARGEST


def pack(slots: Sequence[Slot], *, count: int = EDIT_SLOTS, device: torch.device | str | None = None) -> Slots:
    """Put up to `count` faders into tensors [count], in one transfer; missing ones are off.

    Raises ConfigError if there are more.
    """
    if len(slots) > count:
        raise ConfigError(f"at most {count} edit slots can be played, not {len(slots)}")
    table = [astuple(slot) for slot in (*slots, *(Slot(),) * (count - len(slots)))]
    return Slots(*torch.tensor(table, dtype=torch.float32).T.contiguous().to(device, non_blocking=True).unbind(0))


def init(key: Key, device: torch.device | str | None = None) -> SlotState:
    """Return the state without momentum."""
    return SlotState(torch.zeros(key.steps, len(key.concepts), *key.shape, device=device), key, 0.0)


def follow(state: SlotState, key: Key, *, keep: float = 0.0) -> SlotState:
    """Carry the state over to `key`; the share `keep` 0..1 is left of momentum that was gathered for something else.

    Another prompt or seed touches all slots, another concept its own slot only; another size, step count or slot
    count leaves nothing.
    """
    old = state.key
    if key == old:
        return state
    if (key.shape, key.steps, len(key.concepts)) != (old.shape, old.steps, len(old.concepts)):
        return init(key, state.velocity.device)
    moved_on = (key.prompt, key.seed) != (old.prompt, old.seed)
    left = [keep if moved_on or new != was else 1.0 for new, was in zip(key.concepts, old.concepts, strict=True)]
    velocity = state.velocity * per_row(state.velocity.new_tensor(left), state.velocity[0])
    return SlotState(velocity, key, state.limit * max(left, default=0.0))


def x0_per_output(prediction: Prediction, level: Level) -> float:
    """Return what a change of the network's output by 1 changes in x0 (x0 as in `schedule.clean`)."""
    return {"epsilon": -kappa(level), "v_prediction": -level.noise, "sample": 1.0}[prediction]


def kappa(level: Level) -> float:
    """Return how much x0 magnifies a change of eps: sqrt((1 - abar) / abar), 14.6 at SD's t = 999, 1 near t = 350."""
    return level.noise / level.signal


def step(
    state: SlotState,
    base: Base,
    edits: Tensor,
    slots: Slots,
    momentum: Momentum,
    *,
    index: int,
    level: Level,
    prediction: Prediction = "epsilon",
    kappa_limit: float = math.inf,
) -> tuple[SlotState, Tensor]:
    """Return the guided output of denoising step `index` from the network's edit rows [K, C, h, w].

    base, edits and the result are network outputs of type `prediction` at `level`; with every weight 0 the result is
    base.plain, bit for bit, and with every scale 0 it becomes that once the momentum has settled.
    kappa_limit: where kappa is larger, scales are lowered by kappa_limit / kappa, so that no edit of eps is magnified
    more than that: for scales that were tuned over fifty steps (5 and more), which at t = 999 would tear one step
    apart. kappa at the warm-up bound (5.1 at t = 800) gives about the reach that fifty steps have below it.

    Half-precision outputs are edited in float32. Nothing here reads a tensor back or depends in shape on the faders.
    """
    to_x0 = x0_per_output(prediction, level)
    scale = slots.scale * (to_x0 * min(1.0, kappa_limit / kappa(level)))
    change = edits.to(torch.promote_types(edits.dtype, torch.float32)) - base.reference
    masked = strongest_soft(change * per_row(scale, edits), slots.threshold, slots.softness)
    on = per_row((slots.weight > 0.0) & heard(slots, level.timestep), edits)
    # A row that is off must not get through as 0 * inf, and one that is broken must not ring on.
    push = torch.where(on & masked.isfinite(), masked * per_row(slots.weight, edits), 0.0)
    velocity, moved = push_through(torch.where(on, state.velocity[index], 0.0), push, momentum)
    carried = torch.where(on, velocity, momentum.beta * state.velocity[index])
    kept = state.velocity.select_scatter(settle(carried).to(state.velocity.dtype), 0, index)
    return replace(state, velocity=kept, limit=LARGEST), (base.plain + moved.sum(0) / to_x0).to(base.plain.dtype)


def heard(slots: Slots, timestep: float) -> Tensor:
    """Return which slots [K] are within their warm-up and cool-down at `timestep`."""
    return (slots.warm_up > timestep) & (slots.cool_down <= timestep)
