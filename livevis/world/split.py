"""What is never trained on: draw indices, palettes of some scenes, and pairs of scenes.

Fixed for ever, or figures lose their meaning:

- of the draw indices, every 16th: those that leave 11;
- of the unordered pairs of scenes, about a sixth: those whose hash leaves 0 by 6;
- of the scenes, about a third have one palette held out, never their first: where the hash of "colours:<name>" leaves
  0 by 3, it is palette 1 + (hash / 3) mod 3.

The hash is the first four bytes, little-endian, of BLAKE2b; a pair's is over both names in alphabetical order, joined
by "+". It looks at names alone, so a scene that is added later changes nothing for the others.

A training draw holds none of these. A held-out draw of two parts always holds a held-out pair, and a third of all
held-out draws show their first part in its held-out palette; every other palette in them is a trained one.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal

Split = Literal["train", "held_out"]

HELD_OUT_EVERY = 16
HELD_OUT_REMAINDER = 11
ONE_PAIR_IN = 6
ONE_SCENE_IN = 3
PALETTES = 4


def split(index: int) -> Split:
    """Whether a draw index is trained on or held out, whatever the seed."""
    return "held_out" if index % HELD_OUT_EVERY == HELD_OUT_REMAINDER else "train"


def held_out_pair(a: str, b: str) -> bool:
    """Whether two scenes are never trained on in one picture, in either order."""
    return _hash("+".join(sorted((a, b)))) % ONE_PAIR_IN == 0


def held_out_palette(scene: str, palette: int) -> bool:
    """Whether a scene's palette (0..3) is never trained on."""
    number = _hash(f"colours:{scene}")
    return number % ONE_SCENE_IN == 0 and 1 + number // ONE_SCENE_IN % (PALETTES - 1) == palette


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode()).digest()[:4], "little")
