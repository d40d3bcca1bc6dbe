"""Small pictures of the world for the networks that only look: rendered once to disk, and what each of them shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.train.journal import Journal
from livevis.train.options import PocketOptions

SIDE_PX = 128
SUPERSAMPLE = 2  # a 256² render averaged, as the pictures of the engine are before they are looked at

Kind = Literal["train", "held_out"]


def chosen_draws(seed: int, wanted: int, *, kind: Kind, parts: int = 0) -> list[Any]:
    """The first `wanted` draws of a split; `parts` 1 or 2 keeps only single scenes or only mixtures."""
    from livevis.world.scenes import draw, split

    found: list[Any] = []
    for index in count():
        if len(found) == wanted:
            break
        if split(index) == kind:
            drawn = draw(seed, index)
            if parts in (0, len(drawn.parts)):
                found.append(drawn)
    return found


class Truth(NamedTuple):
    """What B pictures show of S scenes: present float32 [B, S] 0/1, intensity float32 [B, S], palette int64 [B, S].

    Intensity and palette mean something only where `present` is 1; elsewhere they are 0 and -1.
    """

    present: Tensor
    intensity: Tensor
    palette: Tensor

    def rows(self, places: Sequence[int] | Tensor) -> Truth:
        return Truth(*(part[places] for part in self))


def truth_of(draws: Sequence[Any], scenes: Sequence[str]) -> Truth:
    """The truth about draws, in the order of `scenes`."""
    shape, column = (len(draws), len(scenes)), {name: place for place, name in enumerate(scenes)}
    truth = Truth(torch.zeros(shape), torch.zeros(shape), torch.full(shape, -1, dtype=torch.int64))
    for row, drawn in enumerate(draws):
        for part in drawn.parts:
            place = row, column[part.scene]
            truth.present[place] = 1.0
            truth.intensity[place] = float(part.inputs["intensity"])
            truth.palette[place] = int(part.inputs["palette"])
    return truth


class Thumbnails:
    """`draws` as pixels uint8 [N, side, side, 3] in `<folder>/<name>.u8`; what was rendered before is kept."""

    def __init__(self, folder: Path, name: str, draws: Sequence[Any], *, seed: int, side: int = SIDE_PX):
        folder.mkdir(parents=True, exist_ok=True)
        self.draws, self.side, self._name = list(draws), side, name
        self._notes = folder / f"{name}.json"
        self._identity = {"seed": seed, "side": side, "count": len(self.draws), "last": repr(self.draws[-1])}
        known = json.loads(self._notes.read_text()) if self._notes.exists() else {}
        same = all(known.get(key) == value for key, value in self._identity.items())
        self.done = int(known["done"]) if same else 0
        shape = (len(self.draws), side, side, 3)
        self.pixels: npt.NDArray[np.uint8] = np.memmap(
            folder / f"{name}.u8", np.uint8, "r+" if self.done else "w+", shape=shape
        )

    def __len__(self) -> int:
        return self.done

    def take(self, larger: npt.NDArray[np.uint8]) -> None:
        """Average down pictures [M, n·side, n·side, 3] of the first M draws, where that many are not there yet."""
        times = larger.shape[1] // self.side
        while self.done < min(len(larger), len(self.draws)):
            self.pixels[self.done] = _averaged(larger[self.done], times)
            self.done += 1
        self._note()

    def render(self, journal: Journal, *, budget_s: float, least: int) -> None:
        """Render what is missing; stops early when the time is up, but not before `least` are there."""
        from livevis.world.render import SceneRenderer

        if self.done == len(self.draws):
            return
        stage = journal.stage(self._name, budget_s=budget_s)
        with SceneRenderer(self.side, supersample=SUPERSAMPLE) as renderer:
            while self.done < len(self.draws) and not (stage.over and self.done >= least):
                self.pixels[self.done] = renderer.render(self.draws[self.done])
                self.done += 1
                stage.tell(self.done)
        self._note()

    def _note(self) -> None:
        self._notes.write_text(json.dumps({**self._identity, "done": self.done}))

    def pictures(self, places: Sequence[int] | Tensor) -> Tensor:
        """float32 [B, 3, side, side] in -1..1, channels last."""
        return as_signal(self.pixels[np.asarray(places)])


def _averaged(picture: npt.NDArray[np.uint8], times: int) -> npt.NDArray[np.uint8]:
    """[n·times, n·times, 3] → [n, n, 3]; adding strided pictures is much faster than a mean over two axes."""
    shifts = [(row, column) for row in range(times) for column in range(times)]
    total = sum(picture[row::times, column::times].astype(np.uint16) for row, column in shifts)
    mean: npt.NDArray[np.uint8] = ((total + times * times // 2) // (times * times)).astype(np.uint8)
    return mean


def as_signal(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """uint8 [B, H, W, 3] → float32 [B, 3, H, W] in -1..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def painters_pool(options: PocketOptions, *, side: int = SIDE_PX) -> dict[Kind, npt.NDArray[np.uint8]]:
    """The pictures that the painting stages have left in the work folder, by split; {} where none are of this world.

    Both pools hold the first draws of their split, so that a large picture and a small one of one place are the same.
    """
    from livevis.train.data import PicturePool

    path = options.workdir / "pool.json"
    notes = json.loads(path.read_text()) if path.exists() else {}
    if notes.get("seed") != options.seed or notes["size"] % side:
        return {}
    sizes = {"size": notes["size"], "held_out": notes["held_out"], "pictures": notes["all"] - notes["held_out"]}
    try:
        pool = PicturePool(options.workdir, replace(options, resume=True, **sizes))
    except ConfigError:  # of another world: left alone, and small pictures are rendered instead
        return {}
    return {"held_out": pool.pixels[: notes["held_out"]], "train": pool.pixels[notes["held_out"] : pool.done]}
