"""The model card that travels with the checkpoint: what it is, how it was made, and what it does not do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livevis.train.grid import ROWS
from livevis.train.options import COMMANDS, PocketOptions

_CARD = """---
license: apache-2.0
library_name: diffusers
pipeline_tag: image-to-image
---
# livevis pocket engine

A small latent-diffusion checkpoint ({size}×{size} pictures) that comes with livevis, so that the instrument plays with
no download and no GPU. It is trained from nothing on livevis's own procedural world: shader scenes with captions from
a grammar. It knows those scenes and those words and nothing else; it is no general text-to-image model.

![grid](grid.png)

Rows, from the top: {rows}.

## Use
It is in the standard layout, so diffusers' own pipelines run it unchanged:

```python
import torch
from diffusers import StableDiffusionImg2ImgPipeline

pipe = StableDiffusionImg2ImgPipeline.from_pretrained("engines/pocket", torch_dtype=torch.float32)
picture = pipe(
    prompt="{prompt}",
    image=start,
    strength=0.5,
    num_inference_steps=2,
    guidance_scale=1.0,
).images[0]
```

It is made for one step at strength 0.4 to 0.7 and for four steps from noise, and measured at guidance 1.0. An empty
prompt was trained on too, so guidance above 1 works and costs a second UNet row.

## Parts
| part | class | parameters | fp16 bytes |
|---|---|---|---|
{parts}

Latents: 4 channels, an eighth of each side. Schedule: scaled-linear β 0.00085 to 0.012, 1000 steps, v-prediction,
trailing.

Token gains: UNet and text encoder were trained with gains on the value rows of cross-attention, as
`livevis/generate/attention.py` plays them. Gain g on a noun, or on its intensity word, means intensity
1 − (1 − b)^g, where b is what the caption says: the middle of the word's band, 0.5 where nothing is said.

## Training
- Command: `{command}`
- Hardware: {hardware}. Wall time by stage: {minutes}.
- Data: {pictures} rendered draws of the procedural world with seed {seed} for the autoencoder; the first {latents} of
  them, with {wordings} wordings each of which half have a gain, for the denoiser. Every sixteenth draw is held out, and
  so are some palettes and some pairs of scenes (`livevis/world/split.py`). Nothing else: no photograph, no third-party
  weights.
- Autoencoder: {autoencoder_steps} steps of batch {batch} on {crop}² crops; L1, MSE, differences at three scales, and
  the local amount of detail.
- Denoiser with text encoder: {denoiser_steps} steps, v-prediction, bfloat16 autocast, Muon and AdamW, weights averaged;
  in batches of {batch}; a quarter of the noise levels are pure noise and half above 500; half of the pictures show two
  scenes. A linear reader asks the text encoder for scenes and palettes beside.
- Namer of scenes, where they lie, palettes and intensities in noisy latents, used while sharpening only:
  {naming_steps} steps.
- UNet against a judge of its own frozen features (as in LADD) and against the namer, mostly starting from other
  pictures, so that one step is crisp and is what was said; a push towards as much fine detail as real latents have:
  {sharpen_steps} steps.
- Decoder against a patch judge on encoded and on one-step latents, the encoder left as it was: {decoder_steps} steps.

## Figures
{figures}

## Limits
- Out-of-grammar words are split into bytes and mean nothing to it.
- Thin lines (lightning, rain) and small bright dots lose detail in a 48-fold autoencoder.
- Pictures that are fed back many times grow softer than one step from a crisp start.

Licence: Apache-2.0, as the code.
"""


_EXAMINED = """Held-out captions; an examiner fitted on training renders says which scene and palette it sees, coarsely:

| pictures | scene right | scene and palette right | crispness |
|---|---|---|---|"""


def write_card(options: PocketOptions, facts: Mapping[str, Any]) -> str:
    """README.md from the options and the run's facts (`pocket` gathers them); what has not run yet says so."""
    parts = "\n".join(f"| {name} | {kind} | {count:,} | {size:,} |" for name, kind, count, size in facts["parts"])
    steps = {f"{stage}_steps": facts.get(f"{stage}_steps", "no") for stage in COMMANDS["pocket"]}
    return _CARD.format(
        size=options.size,
        rows="; ".join(ROWS),
        prompt=facts["prompt"],
        parts=parts,
        command=_command(options),
        hardware=facts["hardware"],
        minutes=", ".join(f"{name} {value:.1f} min" for name, value in facts["minutes"].items()),
        pictures=f"{facts['pictures']:,}",
        seed=options.seed,
        wordings=facts["wordings"],
        latents=f"{facts['latents']:,}",
        crop=options.crop,
        batch=options.batch,
        figures=_figures(facts),
        **steps,
    )


def _command(options: PocketOptions) -> str:
    start = " --from engines/pocket" if options.start else ""
    return f"livevis train {options.command}{start} --minutes {options.minutes:g} --out engines/pocket"


def _figures(facts: Mapping[str, Any]) -> str:
    lines = [f"- {name}: {value}" for name, value in facts["figures"].items()]
    rows = ", ".join(f"{name} {value}" for name, value in facts["grid"].items())
    lines.append(f"- crispness of the grid's rows (mean absolute Laplacian, 1 is the renders'): {rows}")
    if facts.get("examined"):
        lines += ["", _EXAMINED, *(_row(name, marks) for name, marks in facts["examined"].items())]
    return "\n".join(lines)


def _row(name: str, marks: Mapping[str, float]) -> str:
    return f"| {name} | {marks['scene']:.2f} | {marks['scene_and_palette']:.2f} | {marks['crispness']:.2f} |"
