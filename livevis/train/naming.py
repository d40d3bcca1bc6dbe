"""What is in latents: a small judge of names, which the sharpened denoiser must convince when it starts from elsewhere.

A discriminator sees whether a picture is likely; which picture it is, it is slow to teach. This one is taught with
real latents only, at many noise levels, and then says what it sees: scenes, where they lie, their palettes and their
intensities.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.denoiser import LatentPool, noised
from livevis.train.journal import Journal
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions
from livevis.train.truth import ANSWERS, CELLS, Said, Truth, answer, naming_loss, placing_loss
from livevis.world.scenes import SCENES

BASE_RATE = 2e-3
BATCH = 64
PLACING = 1.0  # weight of which scene lies where beside which are there
NOISIEST = 500  # the namer sees latents from clean up to this time


class Namer(nn.Module):
    """Noisy latents [B, 4, h, w] → what is there (`Said`), and logits [B, S, CELLS, CELLS] of what lies where."""

    def __init__(self, width: int = 64):
        super().__init__()
        self.body = nn.Sequential(
            _block(4, width, stride=2),
            _block(width, width),
            _block(width, 2 * width, stride=2),
            _block(2 * width, 2 * width),
            _block(2 * width, 3 * width, stride=2),
            _block(3 * width, 3 * width),
        )
        self.head = nn.Linear(6 * width, ANSWERS)
        self.places = nn.Conv2d(3 * width, len(SCENES), 1)

    def forward(self, noisy: Tensor) -> tuple[Said, Tensor]:
        seen = self.body(noisy)
        flat = torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1)
        return answer(self.head(flat)), self.places(functional.adaptive_avg_pool2d(seen, CELLS))


def missed(
    seen: tuple[Said, Tensor], truth: Truth, palettes: Tensor | None = None, strengths: Tensor | None = None
) -> Tensor:
    """How wrong a namer is, [B], about what is there (see `naming_loss`) and where."""
    said, places = seen
    return naming_loss(said, truth, palettes, strengths) + PLACING * placing_loss(places, truth)


def _block(before: int, after: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.GroupNorm(8, after), nn.SiLU())


class NamingLearner(Learner):
    """Names of random latents under noise, full and half-size."""

    def __init__(self, namer: Namer, data: LatentPool, truth: Truth, options: PocketOptions):
        self.namer, self.data, self.truth, self.options = namer, data, truth, options
        self.device = next(namer.parameters()).device
        self.alphas = nets.alphas().to(self.device)
        self.optimiser = Optimiser(namer, lr=BASE_RATE)
        self.average = Average(namer, decay=0.995)
        self.parts = {"namer": namer, "optimiser": self.optimiser}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.options.seed, "naming", place)
        batch = self.data.batch(BATCH, draws)
        noisy = with_noise(batch.latents, self.alphas, draws)
        truth = self.truth.rows(batch.rows, self.device)
        with nets.autocast(self.device):
            seen = self.namer(noisy)
        loss, said = missed(seen, truth).mean(), seen[0]
        right = ((said[0] > 0) == (truth.scenes > 0.5)).all(dim=1).float().mean()
        norm = self.optimiser.step(loss, rate(fraction, place, warm_up=30))
        return {"loss": float(loss.detach()), "right": float(right), "norm": norm}


def with_noise(latents: Tensor, alphas: Tensor, draws: torch.Generator) -> Tensor:
    """The latents at random times up to NOISIEST, channels last."""
    times = torch.randint(0, NOISIEST, (len(latents),), generator=draws).to(latents.device)
    noise = torch.randn(latents.shape, generator=draws).to(latents.device)
    return noised(latents, noise, times, alphas)[0].contiguous(memory_format=torch.channels_last)


def train_namer(
    data: LatentPool, truth: Truth, options: PocketOptions, journal: Journal, device: torch.device
) -> tuple[Namer, dict[str, float]]:
    """A namer with frozen weights, and the steps and minutes it took."""
    torch.manual_seed(options.seed)
    namer = nets.layout(Namer(), device)
    assert isinstance(namer, Namer)
    done = learn(NamingLearner(namer, data, truth, options), "naming", options, journal)
    return namer.requires_grad_(False).eval(), done
