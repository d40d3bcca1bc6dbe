"""The judge: a small convolutional network that says which scenes a picture shows, how strong, in which palette."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.core.errors import EngineError
from livevis.train.judge.pool import SIDE_PX, as_signal

FOUND = 0.5
"""A scene counts as found in a picture from this probability on."""


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """What a judge knows and how large it is.

    scenes: in the order of its answers; palettes: the labels of each scene; side: of the pictures that it sees, pixels;
    strides, widths, blocks: of each stage its step, its channels and the residual blocks after it; features: width of
    what distances are taken in.
    """

    scenes: tuple[str, ...]
    palettes: tuple[tuple[str, ...], ...]
    side: int = SIDE_PX
    strides: tuple[int, ...] = (2, 2, 2, 2, 1)
    widths: tuple[int, ...] = (24, 40, 72, 128, 176)
    blocks: tuple[int, ...] = (0, 0, 1, 1, 1)
    features: int = 96

    @classmethod
    def of_world(cls) -> JudgeConfig:
        """A judge of every scene that there is."""
        from livevis.world.scenes import SCENES

        return cls(tuple(SCENES), tuple(tuple(scene.palettes) for scene in SCENES.values()))


class Verdict(NamedTuple):
    """Of B pictures, float32: scenes [B, S] logits, intensity [B, S] about 0..1, palettes [B, S, P], features [B, F].

    Intensity and palette (logits) of a scene say something only where that scene is.
    """

    scenes: Tensor
    intensity: Tensor
    palettes: Tensor
    features: Tensor

    def best(self) -> Tensor:
        """int64 [B]: the likeliest scene."""
        return self.scenes.argmax(dim=1)

    def found(self) -> Tensor:
        """bool [B, S]: which scenes are in the picture."""
        return self.scenes.sigmoid() >= FOUND


class Residual(nn.Module):
    """x + SiLU(BatchNorm(3×3 x))."""

    def __init__(self, width: int):
        super().__init__()
        self.body = _layer(width, width, stride=1)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.body(x)
        return added


class Judge(nn.Module):
    """Pictures float32 [B, 3, side, side] in -1..1 → Verdict.

    Every place answers for itself; of each scene the places where it seems to be count most (its own soft maximum), so
    that what stands beside it matters little. To that comes an answer from the picture as a whole.
    """

    def __init__(self, config: JudgeConfig):
        super().__init__()
        self.config = config
        layers: list[nn.Module] = []
        width = 3
        for stride, wider, blocks in zip(config.strides, config.widths, config.blocks, strict=True):
            layers += [_layer(width, wider, stride=stride), *(Residual(wider) for _ in range(blocks))]
            width = wider
        answers = len(config.scenes) * (2 + max(len(labels) for labels in config.palettes))
        self.body = nn.Sequential(*layers)
        self.places = nn.Conv2d(width, answers, 1)
        self.squeeze = nn.Linear(2 * width, config.features)
        self.whole = nn.Linear(config.features, answers)

    def forward(self, pictures: Tensor) -> Verdict:
        body = self.body(pictures)
        by_place = self.places(body).float().flatten(2).unflatten(1, (len(self.config.scenes), -1))
        heed = by_place[:, :, :1].softmax(dim=-1)
        body = body.float()
        features = functional.silu(self.squeeze(torch.cat([body.mean((2, 3)), body.amax((2, 3))], dim=1)).float())
        answers = (heed * by_place).sum(-1) + self.whole(features).float().unflatten(1, (len(self.config.scenes), -1))
        return Verdict(answers[:, :, 0], 0.5 + 0.25 * answers[:, :, 1], answers[:, :, 2:], features)

    @torch.inference_mode()
    def look(self, pictures: npt.NDArray[np.uint8] | list[npt.NDArray[np.uint8]], *, batch: int = 64) -> Verdict:
        """Judge pictures uint8 [N, H, W, 3] of any size; larger ones are averaged down first."""
        parts = [
            self(_fitted(np.stack(list(pictures[at : at + batch])), self.config.side))
            for at in range(0, len(pictures), batch)
        ]
        return Verdict(*(torch.cat(rows) for rows in zip(*parts, strict=True)))


def _layer(width: int, wider: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, wider, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(wider), nn.SiLU()
    )


def _fitted(pixels: npt.NDArray[np.uint8], side: int) -> Tensor:
    signal = as_signal(pixels)
    fitted = signal if signal.shape[-1] == side else functional.interpolate(signal, side, mode="area")
    return fitted.contiguous(memory_format=torch.channels_last)


def save_judge(judge: Judge, folder: Path, *, card: str = "") -> None:
    """Write judge.safetensors in float16, config.json and, if given, its card to `folder`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (weight.half() if weight.is_floating_point() else weight).cpu().contiguous()
        for name, weight in judge.state_dict().items()
    }
    save_file(halves, folder / "judge.safetensors")
    (folder / "config.json").write_text(json.dumps(asdict(judge.config), indent=1) + "\n", encoding="utf-8")
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")


def load_judge(folder: Path | str) -> Judge:
    """The judge of a folder, in float32, ready to look. Raises EngineError where there is none."""
    from safetensors.torch import load_file

    folder = Path(folder)
    if not (folder / "config.json").is_file() or not (folder / "judge.safetensors").is_file():
        raise EngineError(f"no judge in {folder} (judge.safetensors, config.json); `livevis train judge` makes one")
    read = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    palettes = tuple(tuple(labels) for labels in read.pop("palettes"))
    rest = {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}
    judge = Judge(JudgeConfig(palettes=palettes, **rest))
    weights = load_file(folder / "judge.safetensors")
    judge.load_state_dict({name: w.float() if w.is_floating_point() else w for name, w in weights.items()})
    return judge.to(memory_format=torch.channels_last).eval()
