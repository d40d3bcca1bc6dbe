"""The table of scenes, read from the shader headers, and the deterministic draws that engines learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.core.places import assets
from livevis.stage.isf_header import Header, Input, read_header
from livevis.world.captions import caption

FOLDER = assets("shaders") / "scenes"

Inputs = Mapping[str, float | int]
Split = Literal["train", "held_out"]

# One draw in HELD_OUT_EVERY is never trained on; both numbers are fixed for ever, or figures lose meaning.
HELD_OUT_EVERY = 16
HELD_OUT_REMAINDER = 11
LONGEST_TIME_S = 60.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One procedural scene: its shader file and what the header says of it."""

    name: str
    path: Path
    header: Header

    @property
    def palettes(self) -> tuple[str, ...]:
        """The caption words of the palette input, by its value."""
        return self.input("palette").labels

    def input(self, name: str) -> Input:
        """The header's row for one input. Raises ConfigError for an unknown name."""
        for row in self.header.inputs:
            if row.name == name:
                return row
        raise ConfigError(unknown(f"input of scene {self.name}", name, [r.name for r in self.header.inputs]))


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of the world: a scene, its inputs, a time in seconds, and a truthful caption."""

    scene: str
    inputs: Inputs
    time: float
    caption: str


def _read(folder: Path) -> Mapping[str, Scene]:
    found = {p.stem: Scene(p.stem, p, read_header(p)) for p in sorted(folder.glob("*.fs"))}
    if not found:
        raise ConfigError(f"no scene shaders (*.fs) in {folder}")
    return found


SCENES = _read(FOLDER)
"""Every scene by name, in alphabetical order."""


def scene(name: str) -> Scene:
    """One scene by name. Raises ConfigError with the nearest name."""
    if name not in SCENES:
        raise ConfigError(unknown("scene", name, SCENES))
    return SCENES[name]


def split(index: int) -> Split:
    """Whether a draw index is trained on or held out, whatever the seed."""
    return "held_out" if index % HELD_OUT_EVERY == HELD_OUT_REMAINDER else "train"


def draw(seed: int, index: int) -> Draw:
    """The `index`-th picture of the world `seed`: the same for ever, and independent of every other index."""
    rng = np.random.default_rng((seed, index))
    name = list(SCENES)[int(rng.integers(len(SCENES)))]
    chosen = SCENES[name]
    intensity = round(float(rng.random()), 4)
    palette = int(rng.integers(len(chosen.palettes)))
    layout = round(float(rng.random()), 4)
    time = round(float(rng.random() * LONGEST_TIME_S), 4)
    words = caption(name, intensity, chosen.palettes[palette], rng)
    return Draw(name, {"intensity": intensity, "palette": palette, "layout": layout}, time, words)
