"""Edit slots: the performer's faders for semantic guidance, moved by sound like any other parameter."""

from __future__ import annotations

from livevis.core.catalogue import EDIT_SLOTS
from livevis.core.types import Controls, Edit, Edits

SMALLEST_SCALE = 1e-3
"""Less moves no pixel by one level of 255: the endless tail of a release must not cost a network row for ever."""


def edits(controls: Controls) -> Edits:
    """Read guidance/* into Edits; every slot keeps its place, whether it is heard or not."""
    return Edits(
        slots=tuple(_slot(controls, n) for n in range(1, EDIT_SLOTS + 1)),
        momentum_s=controls.number("guidance/momentum"),
        gain=controls.number("guidance/gain"),
        softness=controls.number("guidance/softness"),
        warm_up=controls.number("guidance/warm_up"),
    )


def _slot(controls: Controls, n: int) -> Edit:
    scale = controls.number(f"guidance/scale_{n}")
    return Edit(
        text=controls.text(f"guidance/text_{n}").strip(),
        scale=scale if abs(scale) >= SMALLEST_SCALE else 0.0,
        threshold=controls.number(f"guidance/threshold_{n}"),
    )
