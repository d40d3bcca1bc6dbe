"""The card that travels with the ears: what they hear, how they learnt it, and how well they do it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CARD = """---
license: apache-2.0
library_name: transformers
pipeline_tag: zero-shot-audio-classification
---
# livevis pocket ears

A small CLAP (HTSAT audio tower, Roberta text tower, {parameters:,} parameters) that hears what livevis's procedural
world sounds like: its scenes, drums, bass, pads, babble and applause. Trained from nothing on the world's own
synthesisers; it knows those sounds and those words and nothing else.

```python
import torch
from transformers import ClapModel, ClapProcessor

model = ClapModel.from_pretrained("engines/pocket/clap", dtype=torch.float32).eval()
processor = ClapProcessor.from_pretrained("engines/pocket/clap")
inputs = processor(
    text=["a crackling fire", "heavy rain"], audio=wave, sampling_rate=48_000, padding=True, return_tensors="pt"
)
print(model(**inputs).logits_per_audio.softmax(-1))
```

It hears 5 s at once, 48 kHz mono. Shorter sounds are repeated; a longer one is cut at a random place by the extractor,
so give it exactly 240 000 samples where the answer has to be the same twice.

## Training
- Command: `{command}`: {steps} steps of {batch} pairs in {minutes} min, {hardware}.
- Sounds: {clips} clips of each of {sounds} sounds, 8 s with wandering intensity, and music (the jam; drums, bass and
  pads). Sounds of even seeds are trained on, of odd seeds never; the figures are of odd seeds.
- Each pair anew: one sound, two, or one with music -10 to +10 dB beside it; speed, equaliser, low- and high-pass,
  noise-tailed rooms, noise, level -30 to 0 dB, SpecAugment.
- Loss: symmetric InfoNCE with targets by how true each caption is of each clip (overlap of the sounds in both, and
  distance of intensity where it is stated), and each clip against one phrase of every sound.

## Figures
Prompt ensemble of each sound's phrases, `livevis eval ears`. Against music its names are no candidates, as it really
is there; in the strict row they are, and the scene has to come first of all.

{table}

What was taken for what:
{mistakes}

## Limits
- It has heard synthesisers only. How it does on recordings is not measured.
- Music is all it knows as background: speech over a scene is a mixture for it.

Licence: Apache-2.0, as the code.
"""


def write_card(folder: Path, facts: Mapping[str, Any], *, table: str, mistakes: str) -> None:
    """README.md beside the weights; `facts` as `clap.train_clap` gathers them."""
    (folder / "README.md").write_text(_CARD.format(**facts, table=table, mistakes=mistakes), encoding="utf-8")
