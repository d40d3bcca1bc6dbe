"""What a picture is called while it is learnt from: token ids, and gains on tokens under which the words are true.

Half the wordings of a picture say another intensity than it has (or none), with the token gain g on a noun or on the
intensity word that makes up for it: 1 - (1 - b)^g is the picture's own. That is the gain that play turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from livevis.generate.text import spans
from livevis.world.captions import HIGHEST_GAIN, Caption, Part, band_of, bands_for, gain_for
from livevis.world.scenes import Draw, captions_for, scene

PLAIN, GAINED = 3, 3
WORDINGS_EACH = PLAIN + GAINED
NOUN = 0.7  # part of the gained wordings whose gain lies on a noun; the others' on an intensity word
SAYS_STRENGTH = 0.6  # how often the part that has no gain says its intensity


@dataclass(frozen=True, slots=True)
class Wording:
    """A caption, and the gain on one word of it; gain 1 with an empty word is the plain caption."""

    caption: Caption
    word: str = ""
    gain: float = 1.0


def wordings(drawn: Draw, rng: np.random.Generator) -> list[Wording]:
    """PLAIN true wordings of a draw, its own caption first, and GAINED ones that a gain makes true."""
    plain = [drawn.caption, *(captions_for(drawn, rng) for _ in range(PLAIN - 1))]
    return [*map(Wording, plain), *(gained(drawn, rng) for _ in range(GAINED))]


def gained(drawn: Draw, rng: np.random.Generator) -> Wording:
    """A wording of another intensity for one part, and the gain 0..HIGHEST_GAIN that gives the true one back."""
    place = int(rng.integers(len(drawn.parts)))
    on_noun = bool(rng.random() < NOUN)
    bands = [_true_band(part, rng) for part in drawn.parts]
    intensity = float(drawn.parts[place].inputs["intensity"])
    bands[place] = band = _other_band(intensity, on_noun, rng)
    caption = captions_for(drawn, rng, bands=bands)
    word = caption.nouns[place] if on_noun else caption.strengths[place]
    return Wording(caption, word, min(gain_for(intensity, band), HIGHEST_GAIN))


def _true_band(part: Part, rng: np.random.Generator) -> int | None:
    return band_of(float(part.inputs["intensity"])) if rng.random() < SAYS_STRENGTH else None


def _other_band(intensity: float, may_be_silent: bool, rng: np.random.Generator) -> int | None:
    """A band that some gain can bring to `intensity`; None half the time where nothing need be said."""
    if may_be_silent and gain_for(intensity, None) <= HIGHEST_GAIN and rng.random() < 0.5:
        return None
    able = bands_for(intensity)
    return able[int(rng.integers(len(able)))]


def told_palettes(drawn: Draw, caption: Caption) -> tuple[bool, ...]:
    """Of each part, whether the caption says its palette."""
    return tuple(_says_palette(part, noun, caption.text) for part, noun in zip(drawn.parts, caption.nouns, strict=True))


def told_strengths(wording: Wording) -> tuple[bool, ...]:
    """Of each part, whether the wording tells its intensity, by a word or by the gain on its noun."""
    caption = wording.caption
    pairs = zip(caption.nouns, caption.strengths, strict=True)
    return tuple(bool(strength) or (bool(wording.word) and noun == wording.word) for noun, strength in pairs)


def _says_palette(part: Part, noun: str, text: str) -> bool:
    wording = scene(part.scene).wording
    palette = wording.palettes[int(part.inputs["palette"])]
    return f"{palette} {noun}" in text or any(f"{noun} {said}" in text for said in wording.behind.get(palette, ()))


@dataclass(frozen=True, slots=True)
class Prompts:
    """Of N pictures, W wordings each: ids int16 and gains float16 [N, W, positions].

    `palettes` and `strengths`, bool [N, W, 2]: whether a wording tells the palette and the intensity of each part.
    """

    ids: Tensor
    gains: Tensor
    palettes: Tensor
    strengths: Tensor


def gain_row(pieces: list[str], wanted: list[str], gain: float) -> list[float]:
    """`gain` on every token of the word `wanted` where it stands in `pieces`, 1 elsewhere, as play sets it."""
    row = [1.0] * len(pieces)
    for at in spans(pieces, wanted):
        row[at : at + len(wanted)] = [gain] * len(wanted)
    return row


def prompts(tokenizer: Any, draws: Sequence[Draw], *, positions: int, seed: int) -> Prompts:
    """The wordings of every draw as the networks take them."""
    shape = (len(draws), WORDINGS_EACH)
    ids, gains = np.zeros((*shape, positions), np.int16), np.ones((*shape, positions), np.float16)
    palettes, strengths = np.zeros((*shape, 2), bool), np.zeros((*shape, 2), bool)
    words: dict[str, list[str]] = {}
    for row, drawn in enumerate(draws):
        said = wordings(drawn, np.random.default_rng((seed, row, 1)))
        texts = [wording.caption.text for wording in said]
        ids[row] = tokenizer(texts, padding="max_length", max_length=positions, truncation=True)["input_ids"]
        for column, wording in enumerate(said):
            parts = len(drawn.parts)
            palettes[row, column, :parts] = told_palettes(drawn, wording.caption)
            strengths[row, column, :parts] = told_strengths(wording)
            if wording.word:
                pieces = tokenizer.convert_ids_to_tokens(ids[row, column].tolist())
                wanted = words.setdefault(wording.word, tokenizer.tokenize(wording.word))
                gains[row, column] = gain_row(pieces, wanted, wording.gain)
    return Prompts(*map(torch.from_numpy, (ids, gains, palettes, strengths)))
