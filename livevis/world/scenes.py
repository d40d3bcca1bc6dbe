"""The table of scenes, read from the shader headers, and the deterministic draws that engines learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.stage.isf_header import Header, Input, read_header
from livevis.world.captions import RELATIONS, Caption, Inputs, Part, caption
from livevis.world.split import Split, held_out_pair, held_out_palette, split
from livevis.world.wordings import FOLDER, WORDINGS, Wording, read_wording

__all__ = [
    "RELATIONS",
    "SCENES",
    "Draw",
    "Inputs",
    "Part",
    "Scene",
    "captions_for",
    "draw",
    "draw_among",
    "scene",
    "split",
]

LONGEST_TIME_S = 60.0
MIXED = 0.25
HELD_OUT_PALETTES = 1 / 3


@dataclass(frozen=True, slots=True)
class Scene:
    """One procedural scene: its shader file, what the header says of it, and how it is spoken of."""

    name: str
    path: Path
    header: Header
    wording: Wording

    @property
    def palettes(self) -> tuple[str, ...]:
        """The caption words of the palette input, by its value."""
        return self.wording.palettes

    def input(self, name: str) -> Input:
        """The header's row for one input. Raises ConfigError for an unknown name."""
        for row in self.header.inputs:
            if row.name == name:
                return row
        raise ConfigError(unknown(f"input of scene {self.name}", name, [r.name for r in self.header.inputs]))


@dataclass(frozen=True, slots=True)
class Draw:
    """One picture of the world and a truthful caption: one part with relation "", or two and one of RELATIONS."""

    parts: tuple[Part, ...]
    relation: str
    caption: Caption

    @property
    def scenes(self) -> tuple[str, ...]:
        """The names of the parts' scenes."""
        return tuple(part.scene for part in self.parts)


def read_scene(path: Path) -> Scene:
    """One scene's file. Raises ConfigError or ShaderError naming the file where its header is not whole."""
    found = Scene(path.stem, path, read_header(path), read_wording(path))
    for name in ("intensity", "palette", "layout", "camera"):
        try:
            found.input(name)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
    return found


SCENES: Mapping[str, Scene] = {name: read_scene(FOLDER / f"{name}.fs") for name in WORDINGS}
"""Every scene by name, in alphabetical order."""


def scene(name: str) -> Scene:
    """One scene by name. Raises ConfigError with the nearest name."""
    if name not in SCENES:
        raise ConfigError(unknown("scene", name, SCENES))
    return SCENES[name]


def draw(seed: int, index: int) -> Draw:
    """The `index`-th picture of the world `seed`: the same for ever, and independent of every other index.

    What it shows obeys `split(index)`, see livevis.world.split.
    """
    return draw_among(tuple(SCENES), split(index), np.random.default_rng((seed, index)))


def draw_among(scenes: tuple[str, ...], kind: Split, rng: np.random.Generator) -> Draw:
    """One picture of these scenes that obeys the split. Raises ConfigError where they are too few for it."""
    mixed, odd = bool(rng.random() < MIXED), kind == "held_out" and bool(rng.random() < HELD_OUT_PALETTES)
    table = _castings(scenes, mixed, kind, odd)
    names = table[int(rng.integers(len(table)))]
    camera, time = _unit(rng), round(float(rng.random() * LONGEST_TIME_S), 4)
    parts = tuple(_part(name, rng, camera, time, odd and place == 0) for place, name in enumerate(names))
    relation = RELATIONS[int(rng.integers(len(RELATIONS)))] if mixed else ""
    return Draw(parts, relation, caption(parts, relation, rng))


def captions_for(drawn: Draw, rng: np.random.Generator, *, bands: Sequence[int | None] | None = None) -> Caption:
    """Another true wording of a draw; with `bands`, one that says these intensity bands instead of the true ones."""
    return caption(drawn.parts, drawn.relation, rng, bands=bands)


@lru_cache
def _castings(scenes: tuple[str, ...], mixed: bool, kind: Split, odd: bool) -> tuple[tuple[str, ...], ...]:
    """Which scenes may meet in a draw; `odd` asks for a first one that has a held-out palette."""
    lone = [(name,) for name in scenes]
    pairs = [pair for pair in permutations(scenes, 2) if held_out_pair(*pair) == (kind == "held_out")]
    found = tuple(names for names in (pairs if mixed else lone) if not odd or _held_out_palettes(names[0]))
    if not found:
        raise ConfigError(f"too few scenes ({len(scenes)}) for {kind} draws of {'two parts' if mixed else 'one part'}")
    return found


def _held_out_palettes(name: str) -> list[int]:
    return [value for value in range(len(SCENES[name].palettes)) if held_out_palette(name, value)]


def _part(name: str, rng: np.random.Generator, camera: float, time: float, odd: bool) -> Part:
    """A part with its own intensity, palette and layout; one picture has one camera and one clock."""
    withheld = _held_out_palettes(name)
    palettes = withheld if odd else [v for v in range(len(SCENES[name].palettes)) if v not in withheld]
    palette = palettes[int(rng.integers(len(palettes)))]
    return Part(name, {"intensity": _unit(rng), "palette": palette, "layout": _unit(rng), "camera": camera}, time)


def _unit(rng: np.random.Generator) -> float:
    return round(float(rng.random()), 4)
