"""A sheet of pictures that shows, honestly, what the networks can do at this moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from livevis.train import networks as nets
from livevis.train.data import PicturePool
from livevis.train.networks import Networks

COLUMNS, CELL_PX = 15, 96
BLOCKS = 2  # of COLUMNS pictures, one below the other: every scene once, then mixtures
IMG2IMG_TIME = 599  # one step from here is img2img at strength 0.6
ROUNDS = 6

ROWS = (
    "renders that were held out",
    "the same through the autoencoder",
    "four steps from noise, by the caption of the render",
    "one img2img step at strength 0.6, from the render in the next column, by the caption of this one",
    f"that step fed back {ROUNDS} times",
)


def pick_columns(pool: PicturePool) -> tuple[Tensor, list[str]]:
    """COLUMNS × BLOCKS held-out pictures, each scene alone once and then mixtures, and their captions."""
    draws = pool.held_out_draws
    first = {drawn.scenes: place for place, drawn in reversed(list(enumerate(draws))) if len(drawn.parts) == 1}
    mixed = [place for place, drawn in enumerate(draws) if len(drawn.parts) == 2]
    places = [*(first[names] for names in sorted(first)), *mixed][: COLUMNS * BLOCKS]
    return pool.held_out(len(draws))[places], [draws[place].caption.text for place in places]


def from_noise(networks: Networks, captions: list[str], *, seed: int, side: int) -> Tensor:
    """Four steps from noise through diffusers' pipeline: float32 [B, 3, side, side] in 0..1, on the CPU."""
    made = nets.pipeline(networks)(
        prompt=captions,
        height=side,
        width=side,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="pt",
    ).images
    return made.float().cpu()


def one_step(networks: Networks, pictures: Tensor, captions: list[str], *, seed: int) -> Tensor:
    """One img2img step from IMG2IMG_TIME through diffusers' pipeline; pictures in and out in 0..1, out on the CPU."""
    made = nets.pipeline(networks, "StableDiffusionImg2ImgPipeline")(
        prompt=captions,
        image=pictures,
        timesteps=[IMG2IMG_TIME],
        strength=1.0,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(seed),
        output_type="pt",
    ).images
    return made.float().cpu()


@torch.no_grad()
def make_rows(networks: Networks, pool: PicturePool, seed: int) -> list[Tensor]:
    """The rows that ROWS names, each float32 [columns, 3, size, size] in 0..1."""
    device = networks.unet.device
    renders, captions = pick_columns(pool)
    signal = renders.to(device, memory_format=torch.channels_last)
    with nets.autocast(device):
        rebuilt = networks.vae.decoder(networks.vae.encoder(signal)).float().cpu().add(1).div(2).clamp(0, 1)
        drawn = from_noise(networks, captions, seed=seed, side=renders.shape[-1])
        once = one_step(networks, (renders.roll(-1, 0) + 1) / 2, captions, seed=seed)
        fed = once
        for round_ in range(1, ROUNDS):
            fed = one_step(networks, fed, captions, seed=seed + round_)
    return [(renders + 1) / 2, rebuilt, drawn, once, fed]


def write_grid(rows: list[Tensor], path: Path) -> None:
    """The rows as one PNG of COLUMNS cells a row, block under block, replaced in one move."""
    from PIL import Image

    cells = [functional.interpolate(row.cpu(), CELL_PX, mode="area") for row in rows]
    blocks = [cell[first : first + COLUMNS] for first in range(0, len(cells[0]), COLUMNS) for cell in cells]
    lines = [torch.cat(list(block), dim=-1) for block in blocks]
    wide = max(line.shape[-1] for line in lines)
    sheet = torch.cat([functional.pad(line, (0, wide - line.shape[-1])) for line in lines], dim=-2)
    pixels = (sheet.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    fresh = path.with_name(path.name + ".new")
    Image.fromarray(np.ascontiguousarray(pixels)).save(fresh, format="PNG", optimize=True)
    fresh.replace(path)


def crispness(pictures: Tensor) -> float:
    """Mean absolute Laplacian of the grey picture, in 0..1 units."""
    grey = pictures.mean(1, keepdim=True)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return float(functional.conv2d(grey, kernel).abs().mean())


def detail(rows: list[Tensor]) -> dict[str, float]:
    """Crispness of each made row as a part of the renders': 1 is as crisp as the world itself."""
    names = ("autoencoder", "four_steps", "one_step", "fed_back")
    base = max(crispness(rows[0]), 1e-9)
    return {name: round(crispness(row) / base, 3) for name, row in zip(names, rows[1:], strict=True)}
