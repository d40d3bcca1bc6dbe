"""The card of the judge: what it is, what it was taught, how right it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livevis.train.judge.network import JudgeConfig

_CARD = """---
license: apache-2.0
---
# livevis judge

A small convolutional network that says which of the world's {scenes} scenes a {side}² picture shows (each on its own,
so that mixtures can be told), how strong each of them is and in which palette. `livevis eval engine` asks it about the
pictures of an engine. It was taught by renders alone: no made picture was shown to it.

- {parameters:,} parameters; `judge.safetensors` in float16, `config.json` lists scenes and palettes in the order of its
  answers. Distances between sets of pictures are taken in its {features} features before the answers.
- Command: `livevis train judge`, {minutes:.1f} minutes, {steps:,} steps on {pictures:,} renders of training draws (seed
  {seed}), cut, mirrored, softened, grained, lit and tinted at random.

## Figures
On {held_out:,} renders of held-out draws (a third in palettes, and all mixtures in pairs, that training never shows):

| question | figure |
|---|---|
| single scenes named right | {single:.4f} |
| single scenes in which nothing else is found | {single_alone:.4f} |
| mixtures with both scenes found (probability 0.5 or more) | {both_found:.4f} |
| mixtures whose two likeliest scenes are the true ones | {both_first:.4f} |
| intensity of single scenes: mean absolute error, correlation | {intensity_mae:.3f}, {intensity_r:.3f} |
| palette of single scenes named right (held-out palettes cannot be) | {palette:.4f} |

Most frequent mistakes: {confused}.

Licence: Apache-2.0, as the code.
"""


def write_judge_card(config: JudgeConfig, facts: Mapping[str, Any], *, parameters: int) -> str:
    """README.md from what the run found."""
    confused = ", ".join(facts["confused"][:8]) or "none"
    about = {"scenes": len(config.scenes), "side": config.side, "features": config.features, "parameters": parameters}
    return _CARD.format(**{**facts, **about, "confused": confused})
