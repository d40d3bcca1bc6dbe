"""Stages 1 and 3: the pool of pictures, rendered once to disk, and the pool of latents made from it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.journal import Journal
from livevis.train.options import PocketOptions

CAPTIONS_EACH = 6  # wordings kept of each picture; one is picked at random each time it is shown
SUPERSAMPLE = 1


def chosen_draws(wanted: int, kind: str) -> list[int]:
    """The first `wanted` draw indices of the world's split `kind` (train | held_out)."""
    from livevis.world.scenes import split

    found: list[int] = []
    for index in count():
        if len(found) == wanted:
            return found
        if split(index) == kind:
            found.append(index)
    raise AssertionError("unreachable")


def captions_of(seed: int, index: int, how_many: int = CAPTIONS_EACH) -> list[str]:
    """The draw's own caption first, then other true wordings of the same picture."""
    from livevis.world.captions import caption
    from livevis.world.scenes import draw, scene

    drawn = draw(seed, index)
    palette = scene(drawn.scene).palettes[int(drawn.inputs["palette"])]
    rng = np.random.default_rng((seed, index, 1))
    others = [caption(drawn.scene, float(drawn.inputs["intensity"]), palette, rng) for _ in range(how_many - 1)]
    return [drawn.caption, *others]


class PicturePool:
    """Pictures uint8 [N, size, size, 3] in one file, training draws first, held-out ones last; their captions."""

    def __init__(self, folder: Path, options: PocketOptions):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._options = folder, options
        draws = chosen_draws(options.pictures, "train") + chosen_draws(options.held_out, "held_out")
        self._draws = draws
        self._notes = folder / "pool.json"
        self._identity = {
            "seed": options.seed,
            "size": options.size,
            "train": options.pictures,
            "all": len(draws),
        }
        notes = json.loads(self._notes.read_text()) if self._notes.exists() else {}
        known = all(notes.get(name) == value for name, value in self._identity.items())
        self.order = [
            *range(options.pictures, len(draws)),
            *range(options.pictures),
        ]  # held out first: always whole
        self.done = int(notes["done"]) if known else 0
        shape = (len(draws), options.size, options.size, 3)
        self.pixels: npt.NDArray[np.uint8] = np.memmap(
            folder / "pool.u8", np.uint8, "r+" if self.done else "w+", shape=shape
        )
        self.captions = [captions_of(options.seed, index) for index in draws]

    @property
    def train_count(self) -> int:
        """Training pictures that are rendered."""
        return max(0, self.done - self._options.held_out)

    def render(self, journal: Journal) -> None:
        """Render what is missing; stops early at the stage's budget with whatever is there by then.

        Raises RuntimeError where not even 16 training pictures fitted the budget.
        """
        from livevis.world.render import SceneRenderer
        from livevis.world.scenes import draw

        options = self._options
        stage = journal.stage("pictures", budget_s=options.budget_s("pictures"))
        with SceneRenderer(options.size, supersample=SUPERSAMPLE) as renderer:
            while self.done < len(self.order) and not (stage.over and self.train_count >= options.batch):
                place = self.order[self.done]
                self.pixels[place] = renderer.render(draw(options.seed, self._draws[place]))
                self.done += 1
                stage.tell(self.done)
        self._notes.write_text(json.dumps({**self._identity, "done": self.done}))

    def pictures(self, places: list[int]) -> Tensor:
        """float32 [B, 3, size, size] in -1..1."""
        return _to_float(self.pixels[places])

    def crops(self, batch: int, side: int, draws: torch.Generator) -> Tensor:
        """Random square crops, half of them mirrored, float32 [batch, 3, side, side] in -1..1."""
        side = min(side, self._options.size)
        free = self._options.size - side + 1
        parts = []
        for _ in range(batch):
            place, top, left, mirror = torch.randint(0, 1 << 30, (4,), generator=draws).tolist()
            top, left = top % free, left % free
            part = self.pixels[place % self.train_count, top : top + side, left : left + side]
            parts.append(part[:, ::-1] if mirror % 2 else part)
        return _to_float(np.stack(parts))

    def held_out(self, most: int = 64) -> Tensor:
        """Up to `most` pictures that nothing is trained on, float32 [N, 3, size, size] in -1..1."""
        first = self._options.pictures
        return self.pictures(list(range(first, first + min(most, self._options.held_out))))

    def label(self, place: int, *, held_out: bool = False) -> str:
        """ "scene/palette" of the `place`-th training or held-out picture."""
        from livevis.world.scenes import draw, scene

        drawn = draw(self._options.seed, self._draws[place + (self._options.pictures if held_out else 0)])
        return f"{drawn.scene}/{scene(drawn.scene).palettes[int(drawn.inputs['palette'])]}"

    def held_out_captions(self) -> list[str]:
        return [texts[0] for texts in self.captions[self._options.pictures :]]


def _to_float(pixels: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def encode_latents(vae: Any, pool: PicturePool, options: PocketOptions, journal: Journal) -> Tensor:
    """Scaled latents of the training pictures, float16 [pictures, 2, 4, size/8, size/8], each plain and mirrored.

    The world's captions say nothing of left and right, so a mirrored picture keeps its caption.
    """
    kept = checkpoint.load(options.workdir, "latents")
    if kept is not None:
        return kept["latents"]
    device = next(vae.parameters()).device
    stage = journal.stage("latents", budget_s=options.budget_s("latents"))
    encoded: list[Tensor] = []
    with torch.no_grad(), nets.autocast(device):
        for first in range(0, pool.train_count, 16):
            part = pool.pictures(list(range(first, min(first + 16, pool.train_count))))
            both = torch.cat([part, part.flip(-1)]).to(device, memory_format=torch.channels_last)
            latents = vae.encoder(both).float() * vae.config.scaling_factor
            encoded.append(torch.stack(latents.cpu().chunk(2), dim=1).half())
            stage.tell(first + len(part))
            if stage.over and first >= options.batch:
                break
    latents = torch.cat(encoded).contiguous()
    checkpoint.save(options.workdir, "latents", {"latents": latents})
    return latents
