"""Edit slots in the generator: which rows a frame asks the network for, and whose momentum it carries on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from livevis.core.types import Edits
from livevis.generate.guidance import slots
from livevis.generate.guidance.momentum import Momentum, over_time
from livevis.generate.guidance.rows import Base
from livevis.generate.guidance.slots import Key, Slot, Slots, SlotState, pack
from livevis.generate.schedule import Level, Prediction
from livevis.generate.text import TextRow

Shares = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Guiding:
    """The slots of one frame, from one denoising step to the next.

    rows: what each slot asks, None where it is not heard; faders: their settings; warm_up: heard at timesteps below.
    """

    state: SlotState
    rows: tuple[TextRow | None, ...]
    faders: Slots
    momentum: Momentum
    warm_up: float


def begin(
    state: SlotState | None, edits: Edits, rows: tuple[TextRow | None, ...], key: Key, *, dt_s: float
) -> Guiding | None:
    """Return the slots at the beginning of a frame, None if none is heard and none rings on.

    key: its prompt holds the blend's normalised shares; dt_s: seconds since the last frame.
    """
    if all(row is None for row in rows) and (state is None or not rows):
        return None
    device = next((row.text.device for row in rows if row is not None), None)
    state = slots.init(key, device) if state is None else carried(state, key)
    settings = [
        Slot(edit.scale, float(bool(edit.text)), edit.threshold, edits.softness, edits.warm_up) for edit in edits.slots
    ]
    faders = pack(settings, count=len(settings), device=state.velocity.device)
    momentum = over_time(tau_s=edits.momentum_s, gain=edits.gain, dt_s=dt_s)
    return Guiding(state, rows, faders, momentum, edits.warm_up)


def guide(
    guiding: Guiding | None,
    base: Base,
    ask: Callable[[TextRow], Tensor],
    *,
    index: int,
    level: Level,
    prediction: Prediction,
) -> tuple[Guiding | None, Tensor]:
    """Return the guided network output of denoising step `index`; `ask` runs the network on one text row.

    A slot at scale 0, or one that is not heard at this timestep, pushes nothing whatever its row says: the reference
    stands in for it, and the network is not run. So what is kept quiet costs nothing and changes no bit.
    """
    if guiding is None:
        return None, base.plain
    heard = level.timestep < guiding.warm_up
    edits = torch.cat([ask(row) if heard and row is not None else base.reference for row in guiding.rows])
    state, output = slots.step(
        guiding.state, base, edits, guiding.faders, guiding.momentum, index=index, level=level, prediction=prediction
    )
    return replace(guiding, state=state), output


def end(guiding: Guiding | None) -> SlotState | None:
    """Return what the frame leaves to the next: None once nothing is heard and nothing rings on."""
    if guiding is None:
        return None
    heard = any(row is not None for row in guiding.rows)
    return guiding.state if heard or bool(guiding.state.velocity.any()) else None


def carried(state: SlotState, key: Key) -> SlotState:
    """Carry momentum over to `key`: what was gathered for another seed, size, step count or concept is dropped.

    Of another blend of prompts, the share that stayed is kept: a cross-fade sheds momentum as it goes, at any frame
    rate, and a cut drops it at once.
    """
    kept = overlap(state.key.prompt, key.prompt)  # type: ignore[arg-type]
    return slots.follow(slots.follow(state, replace(key, prompt=state.key.prompt)), key, keep=kept)


def overlap(old: Shares, new: Shares) -> float:
    """Return the share 0..1 that two blends with normalised shares have in common."""
    before = dict(old)
    return sum(min(share, before.get(text, 0.0)) for text, share in new)
