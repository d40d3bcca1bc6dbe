"""Does TPoS say what sounds? Held-out clips, each heard as it is when played, and the scene whose rows come nearest."""

from __future__ import annotations

import numpy as np
import torch

from livevis.embed.tpos import mel
from livevis.embed.tpos.network import Tpos
from livevis.train.clap.clips import make_clip
from livevis.train.tpos.words import Told, picture_text


@torch.inference_mode()
def examine(model: Tpos, told: Told, names: tuple[str, ...], *, clips: int) -> dict[str, float]:
    """`named`: part of the clips (held-out seeds, a window each) for which MAP(s_N) is nearest to the states of their
    own scene's noun among all scenes; `chance` beside it. Sounds without a scene are not asked about."""
    texts = {name: text for place, name in enumerate(names) if (text := picture_text({place: 1.0}, names))}
    wanted = told.rows(list(texts.values())).flatten(1)
    right = []
    for place, name in enumerate(texts):
        for index in range(clips):
            said = model.map(model.encoder(model.segments(_window(model, name, index))).states[:, -1])
            right.append(float(torch.cdist(said.flatten(1), wanted).argmin() == place))
    return {"named": float(np.mean(right)), "chance": 1 / len(texts)}


def _window(model: Tpos, name: str, index: int) -> torch.Tensor:
    shape = model.shape
    seconds = (shape.frames * shape.hop + shape.fft) / shape.rate_hz
    wave, _ = make_clip(name, index, seconds, held_out=True)
    return torch.from_numpy(mel.columns_of(shape, wave)[-shape.frames :])[None]
