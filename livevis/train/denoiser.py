"""Stage 4: UNet and text encoder together, v-prediction (Salimans & Ho 2022) on the pool of latents."""

from __future__ import annotations

import torch
from torch import Tensor

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.data import PicturePool
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.networks import Networks
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions

BASE_RATE = 1.5e-3
NO_CAPTION = 0.1  # part of the batch that learns the empty prompt, for classifier-free guidance
LAST_STEP = 999


def sample_times(batch: int, draws: torch.Generator) -> Tensor:
    """int64 [batch]: a tenth the last step, where four-step pictures begin; a tenth low; the rest 200 to 999."""
    low = torch.randint(1, 200, (batch,), generator=draws)
    high = torch.randint(200, 1000, (batch,), generator=draws)
    lot = torch.rand(batch, generator=draws)
    times = torch.where(lot < 0.1, low, high)
    return torch.where(lot > 0.9, torch.full_like(times, LAST_STEP), times)


def noised(latents: Tensor, noise: Tensor, times: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy latents and the velocity to predict, each [B, 4, h, w].

    At the last step the input is noise alone. The schedule leaves 7 % of the picture there, enough to give its
    brightness away in training, which a sampler that starts from pure noise does not have (Lin et al. 2024).
    """
    kept = alphas[times].view(-1, 1, 1, 1)
    signal, spread = kept.sqrt(), (1 - kept).sqrt()
    mixed = signal * latents + spread * noise
    last = (times == LAST_STEP).view(-1, 1, 1, 1)
    return torch.where(last, noise, mixed), signal * noise - spread * latents


class LatentPool:
    """Batches of (latents, token ids) on a device, drawn from the pool by a step's own stream."""

    def __init__(self, latents: Tensor, pool: PicturePool, networks: Networks, device: torch.device):
        self._latents, self._device = latents, device
        texts = pool.captions[: len(latents)]
        flat = nets.tokens(networks, [text for wordings in texts for text in wordings])
        self._ids = flat.view(len(texts), -1, flat.shape[-1])
        self._empty = nets.tokens(networks, [""])[0]

    def batch(self, size: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """float32 [size, 4, h, w], channels last, and int64 [size, positions]."""
        rows = torch.randint(0, len(self._latents), (size,), generator=draws)
        sides = torch.randint(0, 2, (size,), generator=draws)
        wordings = torch.randint(0, self._ids.shape[1], (size,), generator=draws)
        ids = self._ids[rows, wordings]
        drop = torch.rand(size, 1, generator=draws) < NO_CAPTION
        latents = self._latents[rows, sides].float()
        return (
            latents.to(self._device, memory_format=torch.channels_last),
            torch.where(drop, self._empty, ids).to(self._device),
        )


def velocity(networks: Networks, noisy: Tensor, times: Tensor, ids: Tensor) -> Tensor:
    """The UNet's prediction under the text of `ids`, float32 [B, 4, h, w]."""
    text = networks.text(ids).last_hidden_state
    made: Tensor = networks.unet(noisy, times, text, return_dict=False)[0]
    return made.float()


def denoising_loss(networks: Networks, latents: Tensor, ids: Tensor, alphas: Tensor, draws: torch.Generator) -> Tensor:
    """Mean squared error of the velocity: weighs a picture error by 1/(1-ᾱ), flat over the times that are played."""
    noise = torch.randn(latents.shape, generator=draws).to(latents.device, memory_format=torch.channels_last)
    times = sample_times(len(latents), draws).to(latents.device)
    noisy, wanted = noised(latents, noise, times, alphas)
    with nets.autocast(latents.device):
        made = velocity(networks, noisy.contiguous(memory_format=torch.channels_last), times, ids)
    return (made - wanted).square().mean()


class DenoiserLearner(Learner):
    """Random noise levels of pooled latents through UNet and text encoder."""

    def __init__(self, networks: Networks, data: LatentPool, options: PocketOptions):
        self.networks, self.data, self.options = networks, data, options
        self.alphas = nets.alphas().to(networks.unet.device)
        self.optimiser = Optimiser(networks.unet, networks.text, lr=BASE_RATE)
        self.average = Average(networks.unet, networks.text, decay=0.998)
        self.parts = {"unet": networks.unet, "text": networks.text, "optimiser": self.optimiser}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.options.seed, "denoiser", place)
        latents, ids = self.data.batch(self.options.batch, draws)
        loss = denoising_loss(self.networks, latents, ids, self.alphas, draws)
        return {"loss": float(loss.detach()), "norm": self.optimiser.step(loss, rate(fraction, place))}


def train_denoiser(
    networks: Networks, data: LatentPool, options: PocketOptions, journal: Journal, look: Look
) -> dict[str, float]:
    """Train in place and leave the averaged weights in; returns steps and minutes."""
    learner = DenoiserLearner(networks, data, options)
    return learn(learner, "denoiser", options, journal, look=look, look_every_s=options.grid_every_s)
