"""The pool of pictures, rendered once to disk, and the pool of latents made from it."""

from __future__ import annotations

import hashlib
import json
import math
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.journal import Journal
from livevis.train.options import PocketOptions


def chosen_draws(wanted: int, kind: str) -> list[int]:
    """The first `wanted` draw indices of the world's split `kind` (train | held_out)."""
    from livevis.world.scenes import split

    return list(islice((index for index in count() if split(index) == kind), wanted))


class PicturePool:
    """Pictures uint8 [N, size, size, 3] in one file, held-out draws first, so that they are always whole.

    Raises ConfigError where a run is to go on with pictures that are not there any more.
    """

    def __init__(self, folder: Path, options: PocketOptions):
        from livevis.world.scenes import draw

        folder.mkdir(parents=True, exist_ok=True)
        self._options = options
        self._indices = chosen_draws(options.held_out, "held_out") + chosen_draws(options.pictures, "train")
        draws = [draw(options.seed, index) for index in self._indices]
        self.held_out_draws, self.draws = draws[: options.held_out], draws[options.held_out :]
        self._notes = folder / "pool.json"
        identity = {"seed": options.seed, "size": options.size, "held_out": options.held_out}
        self._identity = identity | {"all": len(draws), "draws": _digest(draws)}
        notes = json.loads(self._notes.read_text()) if self._notes.exists() else {}
        known = all(notes.get(name) == value for name, value in self._identity.items())
        if notes and not known and options.resume:
            raise ConfigError(f"{self._notes} is of other pictures: the world or an option changed; leave out --resume")
        self.done = int(notes["done"]) if known else 0
        shape = (len(draws), options.size, options.size, 3)
        self._path = folder / "pool.u8"
        self.pixels: npt.NDArray[np.uint8] = np.memmap(self._path, np.uint8, "r+" if self.done else "w+", shape=shape)

    @property
    def train_count(self) -> int:
        """Training pictures that are rendered."""
        return max(0, self.done - self._options.held_out)

    def render(self, journal: Journal) -> None:
        """Render what is missing; stops early at the stage's budget with whatever is there by then."""
        from livevis.world.batch import render_many

        options, before, shape = self._options, self.done, self.pixels.shape
        if before == shape[0]:
            return
        stage = journal.stage("pictures", budget_s=options.budget_s("pictures"))
        rest = np.memmap(
            self._path, np.uint8, "r+", before * math.prod(shape[1:]), shape=(shape[0] - before, *shape[1:])
        )
        for done in render_many(options.seed, self._indices[before:], rest, processes=options.processes):
            self.done = before + done
            stage.tell(self.done)
            if stage.over and self.train_count >= options.small_batch:
                break
        self._notes.write_text(json.dumps({**self._identity, "done": self.done}))

    def pictures(self, places: list[int]) -> Tensor:
        """Training pictures, float32 [B, 3, size, size] in -1..1."""
        return _to_float(self.pixels[[place + self._options.held_out for place in places]])

    def square(self, place: int, top: int, left: int, side: int) -> Tensor:
        """A square of one training picture, float32 [3, side, side] in -1..1."""
        row = place + self._options.held_out
        return _to_float(self.pixels[row : row + 1, top : top + side, left : left + side])[0]

    def crops(self, batch: int, side: int, draws: torch.Generator) -> Tensor:
        """Random square crops, half of them mirrored, float32 [batch, 3, side, side] in -1..1."""
        side = min(side, self._options.size)
        free = self._options.size - side + 1
        parts = []
        for _ in range(batch):
            place, top, left, mirror = torch.randint(0, 1 << 30, (4,), generator=draws).tolist()
            part = self.square(place % self.train_count, top % free, left % free, side)
            parts.append(part.flip(-1) if mirror % 2 else part)
        return torch.stack(parts)

    def held_out(self, most: int = 64) -> Tensor:
        """Up to `most` pictures that nothing is trained on, float32 [N, 3, size, size] in -1..1."""
        return _to_float(self.pixels[: min(most, self._options.held_out)])


def _to_float(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def _digest(draws: list[Any]) -> str:
    """What the pictures depend on: the world may have changed since they were rendered."""
    shown = repr([(drawn.parts, drawn.relation) for drawn in draws])
    return hashlib.blake2b(shown.encode(), digest_size=8).hexdigest()


def encode_latents(vae: Any, pool: PicturePool, options: PocketOptions, journal: Journal) -> Tensor:
    """Scaled latents of the training pictures, float16 [pictures, 4, size/8, size/8]."""
    kept = checkpoint.load(options.workdir, "latents")
    if kept is not None:
        return kept["latents"]
    device = next(vae.parameters()).device
    stage = journal.stage("latents", budget_s=options.budget_s("latents"))
    encoded: list[Tensor] = []
    with torch.no_grad(), nets.autocast(device):
        for first in range(0, pool.train_count, 16):
            part = pool.pictures(list(range(first, min(first + 16, pool.train_count))))
            latents = vae.encoder(part.to(device, memory_format=torch.channels_last)).float()
            encoded.append((latents.cpu() * vae.config.scaling_factor).half())
            stage.tell(first + len(part))
            if stage.over and first >= options.small_batch:
                break
    latents = torch.cat(encoded).contiguous()
    checkpoint.save(options.workdir, "latents", {"latents": latents})
    return latents
