"""Stage 6: the decoder against a patch judge (Isola et al. 2017), for the glitter and grain that L1 averages away.

Only the decoder learns, so the latents, and all that was trained on them, stay true.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.autoencoder import NOISE, picture_loss, psnr_db
from livevis.train.data import PicturePool
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.optimisers import Average, Edge, Optimiser, balanced, rate
from livevis.train.options import PocketOptions

BASE_RATE, JUDGE_RATE = 3e-4, 1e-3
ADVERSARIAL = 0.8  # size of the judge's gradient beside the reconstruction's


def patch_judge(width: int = 32) -> nn.Module:
    """Scores of overlapping patches 22 pixels wide, [B, 3, H, W] → [B, 1, H/4, W/4]; above 0 says real."""
    return nn.Sequential(
        nn.Conv2d(3, width, 4, stride=2, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.GroupNorm(8, 2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.GroupNorm(8, 2 * width),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 3, padding=1),
    )


class PolishLearner(Learner):
    """The decoder against the judge."""

    def __init__(self, vae: Any, pool: PicturePool, options: PocketOptions):
        self.vae, self.pool, self.options, self.device = vae, pool, options, vae.device
        self.judge = nets.layout(patch_judge(), self.device)
        self.made_by = Optimiser(vae.decoder, lr=BASE_RATE, muon=False)
        self.judged_by = Optimiser(self.judge, lr=JUDGE_RATE, muon=False)
        self.average = Average(vae.decoder, decay=0.99)
        self.edge = Edge()
        self.parts = {"decoder": vae.decoder, "judge": self.judge}
        self.parts |= {"made_by": self.made_by, "judged_by": self.judged_by}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws, scale = checkpoint.stream(self.options.seed, "decoder", place), rate(fraction, place, warm_up=30)
        pictures = self.pool.crops(self.options.batch, self.options.crop, draws)
        pictures = pictures.to(self.device, memory_format=torch.channels_last)
        made = self._decode(pictures, draws)
        leaf = made.detach().requires_grad_()
        judged = self._judge_step(pictures, leaf.detach())
        error = picture_loss(leaf, pictures)
        fooled = -self._score(leaf).mean()
        pull, push = torch.autograd.grad(error, leaf)[0], torch.autograd.grad(fooled, leaf)[0]
        self.made_by.step((made * balanced(pull, push, ADVERSARIAL * self.edge.value)).sum(), scale)
        return {
            "error": float(error.detach()),
            "fooled": float(fooled.detach()),
            "judged": judged,
            "edge": self.edge.value,
        }

    def _decode(self, pictures: Tensor, draws: torch.Generator) -> Tensor:
        with torch.no_grad(), nets.autocast(self.device):
            latents = self.vae.encoder(pictures).float()
        strength = NOISE * torch.rand(len(pictures), 1, 1, 1, generator=draws)
        noise = (torch.randn(latents.shape, generator=draws) * strength).to(self.device)
        with nets.autocast(self.device):
            made: Tensor = self.vae.decoder((latents + noise).contiguous(memory_format=torch.channels_last))
        return made.float()

    def _judge_step(self, real: Tensor, made: Tensor) -> float:
        says_real, says_made = self._score(real), self._score(made)
        loss = functional.relu(1 - says_real).mean() + functional.relu(1 + says_made).mean()
        self.judged_by.step(loss, 1.0)
        self.edge.update(says_real, says_made)
        return float(loss.detach())

    def _score(self, pictures: Tensor) -> Tensor:
        with nets.autocast(self.device):
            scores: Tensor = self.judge(pictures)
        return scores.float()


def polish_decoder(
    vae: Any, pool: PicturePool, options: PocketOptions, journal: Journal, look: Look
) -> dict[str, float]:
    """Finetune the decoder in place and leave the averaged weights in; returns steps, minutes and the held-out PSNR."""
    learner = PolishLearner(vae, pool, options)
    done = learn(learner, "decoder", options, journal, look=look, look_every_s=options.grid_every_s / 2)
    return {**done, "psnr_db": psnr_db(vae, pool.held_out(), vae.device)}
