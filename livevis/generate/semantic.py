"""Edit slots in the generator: which rows a frame asks the network for, and whose momentum it carries on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from livevis.core.types import Conditioning, Edits
from livevis.generate.guidance import slots
from livevis.generate.guidance.momentum import LARGEST, Momentum, over_time, ringing
from livevis.generate.guidance.rows import Base, as_edit
from livevis.generate.guidance.slots import Key, Slot, Slots, SlotState, pack
from livevis.generate.schedule import Level, Prediction
from livevis.generate.text import TextRow

Shares = Sequence[tuple[str, float]]
ATTENTION = -2
"""Where the word gains stand among the slots; the sound is the last one."""


@dataclass(frozen=True, slots=True, eq=False)
class Guiding:
    """The slots of one frame, from one denoising step to the next.

    rows: what each slot asks, None where it is not heard; faders: their settings; warm_up: heard at timesteps below;
    limit: of the momentum that the frame will leave.
    """

    state: SlotState
    rows: tuple[TextRow | None, ...]
    faders: Slots
    momentum: Momentum
    warm_up: float
    limit: float


def begin(
    state: SlotState | None, edits: Edits, rows: tuple[TextRow | None, ...], key: Key, *, dt_s: float
) -> Guiding | None:
    """Return the slots at the beginning of a frame, None if none is heard and none rings on.

    key: its prompt holds the blend's normalised shares; dt_s: seconds since the last frame.
    """
    heard = any(row is not None for row in rows)
    if state is None and not heard:
        return None
    device = next((row.text.device for row in rows if row is not None), None)
    state = slots.init(key, device) if state is None else carried(state, key)
    settings = [
        Slot(edit.scale, float(bool(edit.text)), edit.threshold, edits.softness, edits.warm_up) for edit in edits.faders
    ]
    faders = pack(settings, count=len(settings), device=state.velocity.device)
    momentum = over_time(tau_s=edits.momentum_s, gain=edits.gain, dt_s=dt_s)
    limit = LARGEST if heard else ringing(state.limit, momentum)
    return Guiding(state, rows, faders, momentum, edits.warm_up, limit)


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
    edits = torch.cat(list(_answers(guiding.rows, base, ask)) if heard else [base.reference] * len(guiding.rows))
    state, output = slots.step(
        guiding.state, base, edits, guiding.faders, guiding.momentum, index=index, level=level, prediction=prediction
    )
    return replace(guiding, state=state), output


def _answers(rows: Sequence[TextRow | None], base: Base, ask: Callable[[TextRow], Tensor]) -> Iterator[Tensor]:
    for place, row in enumerate(rows, start=-len(rows)):
        if row is None:
            yield base.reference
        else:
            yield as_edit(base, ask(row)) if place == ATTENTION else ask(row)


def end(guiding: Guiding | None) -> SlotState | None:
    """Return what the frame leaves to the next: None once nothing is heard and all that rang on has settled to 0.

    When that is follows from the momentum's constants: no tensor is read back.
    """
    return None if guiding is None or guiding.limit == 0.0 else replace(guiding.state, limit=guiding.limit)


def concepts(asked: Conditioning) -> tuple[Hashable, ...]:
    """Return what each slot's momentum belongs to: its text, the set of words that have a gain, and the sound."""
    words = frozenset(word for word, gain in asked.word_gains if gain != 1.0)
    return *(edit.text for edit in asked.edits.slots), words, "sound"


def carried(state: SlotState, key: Key) -> SlotState:
    """Carry momentum over to `key`: what was gathered for another seed, size, step count or concept is dropped.

    Of another blend of prompts, the share that stayed is kept: a cross-fade sheds momentum as it goes, at any frame
    rate, and a cut drops it at once. Words that fade into others are one concept from the first to the last, and
    while no word has a gain, what rings on is that of the words before.
    """
    kept = overlap(state.key.prompt, key.prompt)  # type: ignore[arg-type]
    was, now = state.key.concepts, key.concepts
    if len(was) == len(now) and (not now[ATTENTION] or was[ATTENTION] & now[ATTENTION]):  # type: ignore[operator]
        words = now[ATTENTION] or was[ATTENTION]
        key = replace(key, concepts=(*now[:ATTENTION], words, *now[ATTENTION + 1 :]))
        state = replace(state, key=replace(state.key, concepts=(*was[:ATTENTION], words, *was[ATTENTION + 1 :])))
    return slots.follow(slots.follow(state, replace(key, prompt=state.key.prompt)), key, keep=kept)


def overlap(old: Shares, new: Shares) -> float:
    """Return the share 0..1 that two blends with normalised shares have in common."""
    before = dict(old)
    return sum(min(share, before.get(text, 0.0)) for text, share in new)
