"""The card that travels with a TPoS: what it says, what it was taught, how right it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CARD = """---
license: apache-2.0
---
# livevis TPoS

Sound as rows of the text condition of the engine beside it (after Jeong et al., *The Power of Sound*, ICCV 2023): mel
segments, ResNet18, an LSTM over five of them, temporal attention, and a map to token rows 1..T-1. {parameters:,}
parameters; float16 `model.safetensors`, sizes and the text encoder it was made for in `config.json`
(`livevis.embed.tpos.folder.load`). With another text encoder it is refused.

## Training
- `livevis train tpos --seed {seed}`: {steps} steps of {batch} clips in {minutes:.1f} min, {hardware}.
- {clips} clips of each of {sounds} sounds and music, made by the world's synthesisers; sounds of even seeds are trained
  on, of odd seeds never. Mixtures, music behind, rooms, equalisers, noise, levels and SpecAugment as for the ears.
- Its rows are told in the words of pictures ("raging fire"); a sound that has no scene says the empty text.

## Figures
Held-out clips whose rows come nearest to the states of their own scene's noun: {named:.3f} (chance {chance:.3f}).

## Limits
- It has heard synthesisers only. How it does on recordings is not measured.
- It learns rows at length 1 or less and is played at up to N times that: how far the gain may go is the ear's choice.

Licence: Apache-2.0, as the code.
"""


def write_card(folder: Path, facts: Mapping[str, Any], figures: Mapping[str, float]) -> None:
    """README.md beside the weights; `facts` and `figures` as `tpos.train_tpos` gathers them."""
    (folder / "README.md").write_text(_CARD.format(**facts, **figures), encoding="utf-8")
