"""TPoS' audio guidance (Jeong et al. 2023) as settings of the same slots.

Its released PLMS sampler is SEGA with one threshold and scale for all concepts, no weights, a warm-up that is a
timestep, and momentum that starts there. (The released DDIM sampler halves the scale, has beta 0.8 and scale 0.2, and
then hands every step a velocity of 0: its momentum does nothing.)
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from livevis.generate.guidance import slots
from livevis.generate.guidance.momentum import Momentum
from livevis.generate.guidance.rows import base, split
from livevis.generate.schedule import Level

STEPS = 50
MOMENTUM = Momentum(beta=0.6, scale=0.3)


@dataclass(frozen=True, slots=True)
class AudioGuidance:
    """scale of the audio edit; threshold: its quantile; below: the timestep under which it is heard; guidance: CFG."""

    scale: float
    threshold: float
    below: float
    guidance: float = 7.5


PUBLISHED = {
    "default": AudioGuidance(4.0, 0.85, 800.0),
    "fine": AudioGuidance(5.0, 0.95, 800.0),
    "broad": AudioGuidance(7.0, 0.8, 900.0),
    "picture": AudioGuidance(10.0, 0.95, 950.0, guidance=1.5),
}
"""The released command line's default, its two examples from text, and its example from a picture."""


def slot(settings: AudioGuidance) -> slots.Slot:
    """Return the fader that plays `settings`; with far fewer than STEPS steps, mind `kappa_limit` of `slots.step`."""
    return slots.Slot(scale=settings.scale, weight=1.0, threshold=settings.threshold, warm_up=settings.below)


def step(
    state: slots.SlotState, rows: Tensor, settings: AudioGuidance, *, level: Level
) -> tuple[slots.SlotState, Tensor]:
    """Return the guided noise prediction [1, C, h, w] of one step from rows [2 + n, C, h, w], as released.

    Rows are unconditional, prompt, n concepts; the state has one step index, n slots, and is new for each picture.
    """
    count = rows.shape[0] - 2
    base_rows, edits = split(rows, count)
    faders = slots.pack([slot(settings)] * count, count=count, device=rows.device)
    # Its momentum mixes noise predictions of all steps as they are; "sample" is the type that is kept in its own units.
    return slots.step(
        state, base(base_rows, settings.guidance), edits, faders, MOMENTUM, index=0, level=level, prediction="sample"
    )
