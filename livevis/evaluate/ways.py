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
    "base maps": GAINS | {"attention/maps": "base"},
    "clamped": GAINS | {"attention/clamp": 1.3},
    "NAG": {"nag/scale": 3.0, "prompt/negative": "smoke"},
    "another wording": {"attention/edit": "burning waves"},
    "TPoS rows": {"tpos/amount": 0.7},
    "one slot": slots(1),
    "four slots": slots(4),
    "attention slot": GAINS | {"attention/threshold": 0.5},
    "audio slot": {"tpos/scale": 0.5},
}
"""own gains: AADiff, which turns them by sound. TPoS rows: the sound's in the text's place, new ones each frame."""
STANDING = "standing"
STANDING_PATH: Changes = {"init/source": "image", "feedback/amount": 0.0, "diffusion/walk": 0.0}
"""One picture that stays: what base maps are made from is kept from frame to frame."""
STANDING_METHODS: dict[str, Changes] = {"base maps, kept": GAINS | {"attention/maps": "base"}}
"""AADiff as published, with cached base maps; as a multiple of the plain frame from the same picture."""


def paths(edits: Sequence[int] = (), *, methods: bool = False) -> dict[str, Changes]:
    """All paths by name: PATHS, and the plain one with so many edit slots each, and with each method."""
    more = {f"{PLAIN} edits={count}": slots(count) for count in edits}
    if methods:
        more |= {f"{PLAIN} {name}": how for name, how in METHODS.items()} | {STANDING: STANDING_PATH}
        more |= {f"{STANDING} {name}": {**STANDING_PATH, **how} for name, how in STANDING_METHODS.items()}
    return PATHS | {name: {**PATHS[PLAIN], **how} for name, how in more.items()}


def split(name: str) -> tuple[str, str]:
    """Return what a contestant "runner path method" is measured against, "runner path", and its method, or "" twice."""
    for plain in (PLAIN, STANDING):
        runner, found, method = name.partition(f" {plain} ")
        if found:
            return f"{runner} {plain}", method
    return "", ""


def controls(changed: Changes) -> Controls:
    """The parameters' defaults with the bench's prompt, changed."""
    return Controls(1, {row.id: row.default for row in CATALOGUE} | {"prompt/text_1": PROMPT} | dict(changed))


def asked(controls: Controls, rows: npt.NDArray[np.float32]) -> Conditioning:
    """What a frame is asked to show; where tpos/* is up the sound says `rows` [tokens - 1, width], as if just heard."""
    amount, said = controls.number("tpos/amount"), condition(controls)
    heard = amount > 0.0 or said.edits.audio.heard
    return replace(said, tokens=AudioTokens(rows.copy(), 1.0, amount) if heard else None)
