"""What `livevis bench` plays: paths through the networks, and ways to steer the picture, each as what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.catalogue import CATALOGUE
from livevis.core.types import AudioTokens, Conditioning, Controls
from livevis.methods.words import condition

Changes = Mapping[str, Any]
"""Parameter id -> value."""

PROMPT = "burning aurora"
PATHS: dict[str, Changes] = {
    "full": {"feedback/amount": 0.0},
    "default": {},
    "self": {"init/source": "self"},
}
"""full: encode, denoise, decode, a new init picture each frame. default: the controls' defaults, which feed back too.
self: only its own output, nothing to encode."""
PLAIN = "default"
"""The path that edit slots and methods are added to."""
CONCEPTS = ("black waves", "neon city", "red fire", "blue smoke")
GAINS: Changes = {"attention/word": "aurora", "attention/gain": 3.0}


def slots(count: int) -> Changes:
    """So many edit slots half up."""
    heard = range(1, count + 1)
    return {f"guidance/text_{n}": CONCEPTS[n - 1] for n in heard} | {f"guidance/scale_{n}": 0.5 for n in heard}


METHODS: dict[str, Changes] = {
    "own gains": GAINS,
    "TPoS rows": {"tpos/amount": 0.7},
    "one slot": slots(1),
    "four slots": slots(4),
    "attention slot": GAINS | {"attention/threshold": 0.5},
    "audio slot": {"tpos/scale": 0.5},
}
"""own gains: AADiff, which turns them by sound. TPoS rows: the sound's in the text's place, new ones each frame."""


def paths(edits: Sequence[int] = (), *, methods: bool = False) -> dict[str, Changes]:
    """All paths by name: PATHS, and the plain one with so many edit slots each, and with each method."""
    more = {f"{PLAIN} edits={count}": slots(count) for count in edits}
    more |= {f"{PLAIN} {name}": how for name, how in METHODS.items()} if methods else {}
    return PATHS | {name: {**PATHS[PLAIN], **how} for name, how in more.items()}


def controls(changed: Changes) -> Controls:
    """The parameters' defaults with the bench's prompt, changed."""
    return Controls(1, {row.id: row.default for row in CATALOGUE} | {"prompt/text_1": PROMPT} | dict(changed))


def asked(controls: Controls, rows: npt.NDArray[np.float32]) -> Conditioning:
    """What a frame is asked to show; where tpos/* is up the sound says `rows` [tokens - 1, width], as if just heard."""
    amount, said = controls.number("tpos/amount"), condition(controls)
    heard = amount > 0.0 or said.edits.audio.heard
    return replace(said, tokens=AudioTokens(rows.copy(), 1.0, amount) if heard else None)
