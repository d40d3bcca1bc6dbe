"""The picture autoencoder (AutoencoderTiny): an eighth of each side, four channels deep."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.data import PicturePool
from livevis.train.fidelity import fidelity
from livevis.train.journal import Journal
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions

BASE_RATE, TUNE_RATE = 2e-3, 8e-4
# Largest noise on the latents while training, so that decoding forgives an inexact denoiser.
NOISE = 0.2
TEXTURE = 4.0  # weight of `texture_loss`


def sharpness_loss(made: Tensor, wanted: Tensor, levels: int = 3) -> Tensor:
    """L1 between horizontal and vertical differences at `levels` scales: punishes the blur that plain L1 forgives."""
    total = made.new_zeros(())
    for level in range(levels):
        if level:
            made, wanted = functional.avg_pool2d(made, 2), functional.avg_pool2d(wanted, 2)
        gap = made - wanted
        total = total + gap.diff(dim=-1).abs().mean() + gap.diff(dim=-2).abs().mean()
    return total


def spread_loss(latents: Tensor) -> Tensor:
    """Pulls every latent channel to mean 0 and deviation 1, the range that the noise schedule expects."""
    mean, deviation = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    beyond = functional.relu(latents.abs() - 4).square().mean()
    return mean.square().mean() + (deviation - 1).square().mean() + beyond


def texture_loss(made: Tensor, wanted: Tensor, window: int = 8) -> Tensor:
    """L1 between the local amounts of fine detail (root mean square of the Laplacian over `window` pixels).

    Grain, stars and rain are not where the picture has them after eight pixels became one; they should at least be
    there, where a plain L1 would rather have none than misplaced ones.
    """
    gap = detail(made, window) - detail(wanted, window)
    return gap.abs().mean()


def detail(pictures: Tensor, window: int = 8, *, order: int = 1) -> Tensor:
    """The local amount of fine detail, [B, 1, h, w]: of the Laplacian, or at `order` 2 of the finest part of that."""
    fine = pictures.float().mean(1, keepdim=True)
    for _ in range(order):
        around = (fine[..., 1:-1, :-2] + fine[..., 1:-1, 2:] + fine[..., :-2, 1:-1] + fine[..., 2:, 1:-1]) / 4
        fine = fine[..., 1:-1, 1:-1] - around
    energy = functional.avg_pool2d(fine.square(), window, window // 2)
    return (energy + 1e-5).sqrt()  # the root has no slope at nothing


def picture_loss(made: Tensor, wanted: Tensor, texture: float = 0.0) -> Tensor:
    """L1, MSE and differences at three scales, and `texture` times the detail that is missing or too much."""
    gap = made - wanted
    loss = gap.abs().mean() + gap.square().mean() + sharpness_loss(made, wanted)
    return loss + texture * texture_loss(made, wanted) if texture else loss


def losses(vae: Any, pictures: Tensor, draws: torch.Generator) -> Tensor:
    """Training loss of a batch [B, 3, H, W] in -1..1."""
    latents = vae.encoder(pictures).float()
    strength = NOISE * torch.rand(len(pictures), 1, 1, 1, generator=draws)
    noise = torch.randn(latents.shape, generator=draws) * strength
    made = vae.decoder(latents + noise.to(latents.device)).float()
    loss = picture_loss(made, pictures, TEXTURE) + 0.02 * spread_loss(latents)
    # Half-size latents must decode to the half-size picture (Kouzelis et al. 2025): easier for the denoiser.
    small = vae.decoder(functional.avg_pool2d(latents[: len(latents) // 4], 2)).float()
    return loss + 0.25 * picture_loss(small, functional.avg_pool2d(pictures[: len(small)], 2))


class AutoencoderLearner(Learner):
    """Random crops through the whole autoencoder."""

    def __init__(self, vae: Any, pool: PicturePool, options: PocketOptions):
        self.vae, self.pool, self.options = vae, pool, options
        self.optimiser = Optimiser(vae, lr=TUNE_RATE if options.start else BASE_RATE)
        self.average = Average(vae, decay=0.998)
        self.parts = {"vae": vae, "optimiser": self.optimiser}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.options.seed, "autoencoder", place)
        pictures = self.pool.crops(self.options.batch, self.options.crop, draws)
        pictures = pictures.to(self.vae.device, memory_format=torch.channels_last)
        with nets.autocast(self.vae.device):
            loss = losses(self.vae, pictures, draws)
        return {"loss": float(loss.detach()), "norm": self.optimiser.step(loss, rate(fraction, place))}


def train_autoencoder(vae: Any, pool: PicturePool, options: PocketOptions, journal: Journal) -> dict[str, float]:
    """Train in place and leave the averaged weights in; returns steps, minutes and the held-out fidelity."""
    # Once there are latents, another autoencoder would make them foreign: a longer run leaves it as it is.
    frozen = checkpoint.exists(options.workdir, "latents")
    done = learn(AutoencoderLearner(vae, pool, options), "autoencoder", options, journal, frozen=frozen)
    return {**done, **fidelity(vae, pool.held_out())}


@torch.no_grad()
def measure_scale(vae: Any, pool: PicturePool) -> float:
    """Set the config's scaling factor so that held-out latents have deviation 1; returns it."""
    device = next(vae.parameters()).device
    parts = [vae.encoder(part.to(device)).float() for part in pool.held_out().split(8)]
    scale = 1.0 / float(torch.cat(parts).std())
    vae.register_to_config(scaling_factor=round(scale, 5))
    return float(vae.config.scaling_factor)
