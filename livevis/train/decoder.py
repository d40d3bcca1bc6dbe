"""The decoder against a patch judge (Isola et al. 2017), for the glitter and grain that L1 averages away.

Only the decoder learns, so the latents, and all that was trained on them, stay true.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.autoencoder import NOISE, detail, picture_loss
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
TEXTURE, GLITTER = 5.0, 300.0  # weights of the mean and the mean square of the detail that is missing or too much
KNOWN, OWN = 3 / 8, 3 / 8  # parts of a batch that are encoded pictures, and redrawn ones that began as themselves


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
    the coarse picture and the amount of detail are held to it; where the step began at another picture, the amount.
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
        size = self.options.batch
        known, own = round(KNOWN * size), round(OWN * size)
        pictures = self.pool.crops(known, self.options.crop, draws).to(self.device)
        redrawn, shown = self._redrawn(own, size - known - own, draws)
        latents = torch.cat([self._encoded(pictures, draws), redrawn])
        pictures = torch.cat([pictures, shown]).contiguous(memory_format=torch.channels_last)
        with nets.autocast(self.device):
            made = self.vae.decoder(latents.contiguous(memory_format=torch.channels_last)).float()
        leaf = made.detach().requires_grad_()
        judged = self._judge_step(pictures, leaf.detach())
        parts = leaf.split([known, own, size - known - own])
        wanted = pictures.split([known, own, size - known - own])
        error = picture_loss(parts[0], wanted[0]) + coarse_loss(parts[1], wanted[1]) + glitter_loss(leaf, pictures)
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
    def _redrawn(self, own: int, other: int, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        """Squares of latents that one step made of training pictures and of others, and of the pictures meant."""
        kept, count = (own + 1) // 2, (own + 1) // 2 + (other + 1) // 2  # two squares of each
        batch = self.data.batch(count, draws)
        times = torch.randint(*REDRAWN_TIMES, (count,), generator=draws).to(self.device)
        noise = torch.randn(batch.latents.shape, generator=draws).to(self.device)
        starts = torch.cat([batch.latents[:kept], batch.latents[kept:].roll(1, 0)])
        noisy, _ = noised(starts, noise, times, self.alphas)
        with nets.autocast(self.device):
            text = self.networks.text(batch.ids).last_hidden_state
            made = predict(self.networks, noisy, times, text, batch.gains)
        whole = estimate(made, noisy, times, self.alphas) / self.vae.config.scaling_factor
        places = [row % kept for row in range(own)] + [kept + row % (count - kept) for row in range(other)]
        return self._squares(whole, places, batch.rows.tolist(), draws)

    def _squares(
        self, latents: Tensor, places: list[int], pictures: list[int], draws: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """A random square of the latents at each of `places`, and of the training picture that belongs there."""
        side = min(self.options.crop // 8, latents.shape[-1])
        cuts: list[Tensor] = []
        shown: list[Tensor] = []
        for place in places:
            top, left = torch.randint(0, latents.shape[-1] - side + 1, (2,), generator=draws).tolist()
            cuts.append(latents[place, :, top : top + side, left : left + side])
            shown.append(self.pool.square(pictures[place], 8 * top, 8 * left, 8 * side))
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
    """L1 of pictures a quarter as large."""
    return functional.avg_pool2d(made - wanted, 4).abs().mean()


def glitter_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Detail that is missing or too much. The square is there because it wants the mean of what may be, L1 the median.

    Where a star may be or not, the median of the energy is none. The finest detail counts for itself: there is so much
    less of it that it would not be missed.
    """
    gaps = [detail(made, order=order) - detail(wanted, order=order) for order in (1, 2)]
    return sum((TEXTURE * gap.abs().mean() + GLITTER * gap.square().mean() for gap in gaps), made.new_zeros(()))


def polish_decoder(
    networks: Networks, pool: PicturePool, data: LatentPool, options: PocketOptions, journal: Journal, look: Look
) -> dict[str, float]:
    """Finetune the decoder in place and leave the averaged weights in; returns steps, minutes and the fidelity."""
    learner = PolishLearner(networks, pool, data, options)
    done = learn(learner, "decoder", options, journal, look=look, look_every_s=options.grid_every_s / 2)
    return {**done, **fidelity(networks.vae, pool.held_out())}
