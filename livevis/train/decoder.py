"""The decoder against a patch judge (Isola et al. 2017), for the glitter and grain that L1 averages away.

Only the decoder learns, so the latents, and all that was trained on them, stay true.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.autoencoder import NOISE, picture_loss, texture_loss
from livevis.train.data import PicturePool
from livevis.train.denoiser import LatentPool, noised, predict
from livevis.train.fidelity import fidelity
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.networks import Networks
from livevis.train.optimisers import Average, Edge, Optimiser, balanced, rate
from livevis.train.options import PocketOptions
from livevis.train.sharpen import estimate

BASE_RATE, JUDGE_RATE = 3e-4, 1e-3
ADVERSARIAL = 0.8  # size of the judge's gradient beside the reconstruction's
REDRAWN_TIMES = (250, 750)
TEXTURE = 10.0  # weight of `texture_loss`: here the amount of detail comes first, the judge sees to its kind


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
    """The decoder against the judge, on encoded pictures and on what one step of the denoiser makes of them.

    The second is what it decodes in play. One step puts fine detail elsewhere than the picture has it, so there only
    the coarse picture and the amount of detail are held to it.
    """

    def __init__(self, networks: Networks, pool: PicturePool, data: LatentPool, options: PocketOptions):
        self.networks, self.pool, self.data, self.options = networks, pool, data, options
        self.vae, self.device = networks.vae, networks.vae.device
        self.alphas = nets.alphas().to(self.device)
        self.judge = nets.layout(patch_judge(), self.device)
        self.made_by = Optimiser(self.vae.decoder, lr=BASE_RATE, muon=False)
        self.judged_by = Optimiser(self.judge, lr=JUDGE_RATE, muon=False)
        self.average = Average(self.vae.decoder, decay=0.99)
        self.edge = Edge()
        self.parts = {"decoder": self.vae.decoder, "judge": self.judge, "edge": self.edge}
        self.parts |= {"made_by": self.made_by, "judged_by": self.judged_by}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws, scale = checkpoint.stream(self.options.seed, "decoder", place), rate(fraction, place, warm_up=30)
        known = self.options.batch // 2
        pictures = self.pool.crops(known, self.options.crop, draws).to(self.device)
        redrawn, shown = self._redrawn(self.options.batch - known, draws)
        latents = torch.cat([self._encoded(pictures, draws), redrawn])
        pictures = torch.cat([pictures, shown]).contiguous(memory_format=torch.channels_last)
        with nets.autocast(self.device):
            made = self.vae.decoder(latents.contiguous(memory_format=torch.channels_last)).float()
        leaf = made.detach().requires_grad_()
        judged = self._judge_step(pictures, leaf.detach())
        error = picture_loss(leaf[:known], pictures[:known], TEXTURE) + coarse_loss(leaf[known:], pictures[known:])
        fooled = -self._score(leaf).mean()
        pull, push = torch.autograd.grad(error, leaf)[0], torch.autograd.grad(fooled, leaf)[0]
        self.made_by.step((made * balanced(pull, (push, ADVERSARIAL * self.edge.value))).sum(), scale)
        return {
            "error": float(error.detach()),
            "fooled": float(fooled.detach()),
            "judged": judged,
            "edge": self.edge.value,
        }

    @torch.no_grad()
    def _encoded(self, pictures: Tensor, draws: torch.Generator) -> Tensor:
        """Latents of pictures, a little noisy, in the decoder's own scale."""
        with nets.autocast(self.device):
            latents = self.vae.encoder(pictures.contiguous(memory_format=torch.channels_last)).float()
        strength = NOISE * torch.rand(len(pictures), 1, 1, 1, generator=draws)
        return latents + (torch.randn(latents.shape, generator=draws) * strength).to(self.device)

    @torch.no_grad()
    def _redrawn(self, count: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """`count` squares of latents that one step made of training pictures, and of those pictures."""
        batch = self.data.batch((count + 1) // 2, draws)
        times = torch.randint(*REDRAWN_TIMES, (len(batch.latents),), generator=draws).to(self.device)
        noise = torch.randn(batch.latents.shape, generator=draws).to(self.device)
        noisy, _ = noised(batch.latents, noise, times, self.alphas)
        with nets.autocast(self.device):
            text = self.networks.text(batch.ids).last_hidden_state
            made = predict(self.networks, noisy, times, text, batch.gains)
        whole = estimate(made, noisy, times, self.alphas) / self.vae.config.scaling_factor
        return self._squares(whole, batch.rows.tolist(), count, draws)

    def _squares(self, latents: Tensor, places: list[int], count: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        side = min(self.options.crop // 8, latents.shape[-1])
        cuts: list[Tensor] = []
        shown: list[Tensor] = []
        for square in range(count):
            row = square % len(places)
            top, left = torch.randint(0, latents.shape[-1] - side + 1, (2,), generator=draws).tolist()
            cuts.append(latents[row, :, top : top + side, left : left + side])
            shown.append(self.pool.square(places[row], 8 * top, 8 * left, 8 * side))
        return torch.stack(cuts), torch.stack(shown).to(self.device)

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


def coarse_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """L1 of pictures a quarter as large, and of the amount of detail."""
    gap = functional.avg_pool2d(made - wanted, 4)
    return gap.abs().mean() + TEXTURE * texture_loss(made, wanted)


def polish_decoder(
    networks: Networks, pool: PicturePool, data: LatentPool, options: PocketOptions, journal: Journal, look: Look
) -> dict[str, float]:
    """Finetune the decoder in place and leave the averaged weights in; returns steps, minutes and the fidelity."""
    learner = PolishLearner(networks, pool, data, options)
    done = learn(learner, "decoder", options, journal, look=look, look_every_s=options.grid_every_s / 2)
    return {**done, **fidelity(networks.vae, pool.held_out())}
