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
        attention=_attention(controls),
        audio=Edit("sound", heard_scale(controls.number("tpos/scale")), controls.number("tpos/threshold")),
        momentum_s=controls.number("guidance/momentum"),
        gain=controls.number("guidance/gain"),
        softness=controls.number("guidance/softness"),
        warm_up=controls.number("guidance/warm_up"),
    )


def _slot(controls: Controls, n: int) -> Edit:
    return Edit(
        text=controls.text(f"guidance/text_{n}").strip(),
        scale=heard_scale(controls.number(f"guidance/scale_{n}")),
        threshold=controls.number(f"guidance/threshold_{n}"),
    )


def _attention(controls: Controls) -> Edit:
    """Thresholded attention: at threshold 0 the gains play in the prompt's own row, which is the same and cheaper."""
    threshold = controls.number("attention/threshold")
    return Edit("attention", 1.0 if threshold > 0 else 0.0, threshold)


def heard_scale(scale: float) -> float:
    """A scale as it is played: 0 where it would move nothing."""
    return scale if abs(scale) >= SMALLEST_SCALE else 0.0
