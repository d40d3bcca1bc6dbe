"""A short adversarial finetune, so that one step gives a crisp picture and not the mean of all that fit.

Latent adversarial distillation in small (Sauer et al. 2024, LADD): the frozen denoiser's own features, seen at a
random noise level, are what small heads tell real and made latents apart by. Some of each batch starts from the
picture that the caption tells of, and the velocity loss holds it there; the rest starts from another picture or from
what was made a step ago, as live play does, and has only the judge to please, and a namer that looks for what was said.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.denoiser import LAST_STEP, Batch, LatentPool, gain_argument, noised, predict
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.naming import Namer, missed, with_noise
from livevis.train.networks import Networks
from livevis.train.optimisers import Average, Edge, Optimiser, balanced, rate
from livevis.train.options import PocketOptions
from livevis.train.truth import Truth

BASE_RATE, JUDGE_RATE = 2e-4, 2e-3
ADVERSARIAL = 1.0  # size of the judge's gradient beside the anchor's
DETAIL = 0.3  # size of the push towards as much fine detail as real latents have, as long as there is less
DETAIL_SLACK = 0.5  # how much less, as a logarithm, for its full push
NAMING = 0.8  # and of the namer's, as long as it misses more than it does in real latents
NAMING_SLACK = 2.0  # how much more it must miss for its full push
FROM_NOISE = 0.3  # weight of the anchor where a picture begins from noise alone
ANCHORED, FED = 3 / 8, 1 / 4  # parts of a batch that start from their own picture, and from what was made before


@dataclass(frozen=True, slots=True)
class Told:
    """What the networks are told of a batch: embeddings [B, tokens, width] and token gains [B, tokens]."""

    text: Tensor
    gains: Tensor

    def roll(self) -> Told:
        """Each row's words for the next row."""
        return Told(self.text.roll(1, 0), self.gains.roll(1, 0))

    def __getitem__(self, rows: slice) -> Told:
        return Told(self.text[rows], self.gains[rows])


class Judge(nn.Module):
    """Frozen denoiser features with one small convolutional head a level: how real noisy latents look under a text.

    One more head looks at the latents themselves, for grain that the denoiser's features pass over.
    """

    def __init__(self, unet: Any):
        super().__init__()
        self._body = (copy.deepcopy(unet).requires_grad_(False).eval(),)  # in a tuple: no part of the state
        widths = unet.config.block_out_channels
        strides = (2, *(1 for _ in widths))
        self.heads = nn.ModuleList(_head(w, s) for w, s in zip((*widths, widths[-1]), strides, strict=True))
        self.grain = nn.Sequential(nn.Conv2d(unet.config.in_channels, 64, 3, padding=1), nn.SiLU(), _head(64, 2))

    def forward(self, noisy: Tensor, times: Tensor, told: Told) -> Tensor:
        """Scores [B, places], each judging one patch; above 0 says real."""
        levels = features(self._body[0], noisy, times, told)
        scores = [head(level) for head, level in zip(self.heads, levels, strict=True)]
        return torch.cat([score.flatten(1) for score in (self.grain(noisy), *scores)], dim=1)


def features(unet: Any, noisy: Tensor, times: Tensor, told: Told) -> list[Tensor]:
    """Hidden maps of the way down, one a resolution, and the middle's: [B, width, h, w] each."""
    gain = gain_argument(noisy, told.gains)
    embedded = unet.time_embedding(unet.time_proj(times).to(noisy.dtype))
    hidden = unet.conv_in(noisy)
    levels = []
    for block in unet.down_blocks:
        crossed = getattr(block, "has_cross_attention", False)
        more = {"encoder_hidden_states": told.text, "cross_attention_kwargs": gain} if crossed else {}
        hidden, states = block(hidden, temb=embedded, **more)
        levels.append(states[-2] if block.downsamplers is not None else states[-1])
    middle = unet.mid_block(hidden, embedded, encoder_hidden_states=told.text, cross_attention_kwargs=gain)
    return [*levels, middle]


def _head(width: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(width, 64, 3, padding=1, stride=stride),
        nn.GroupNorm(8, 64),
        nn.SiLU(),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.GroupNorm(8, 64),
        nn.SiLU(),
        nn.Conv2d(64, 1, 1),
    )


def estimate(made: Tensor, noisy: Tensor, times: Tensor, alphas: Tensor) -> Tensor:
    """The clean latents that a velocity stands for."""
    kept = alphas[times].view(-1, 1, 1, 1)
    return kept.sqrt() * noisy - (1 - kept).sqrt() * made


class Trail:
    """What was made a step ago and under which words, to start from again as play does."""

    def __init__(self) -> None:
        self.kept: dict[str, Tensor] = {}

    def keep(self, batch: Batch, made: Tensor, rows: slice) -> None:
        self.kept = {name: getattr(batch, name)[rows] for name in ("ids", "gains", "rows", "wordings")}
        self.kept["made"] = made[rows]

    def follow(self, batch: Batch, starts: Tensor) -> tuple[Batch, Tensor]:
        """Put what was kept last in the batch: half of it under its own words, half under the batch's."""
        if not self.kept:
            return batch, starts
        made = self.kept["made"]
        same = len(made) // 2
        rows = slice(len(starts) - same, None)
        starts = torch.cat([starts[: -len(made)], made.roll(same, 0)])
        words = {
            name: _put(getattr(batch, name), part[:same], rows) for name, part in self.kept.items() if name != "made"
        }
        return replace(batch, **words), starts

    def state_dict(self) -> dict[str, Tensor]:
        return self.kept

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.kept = state


def _put(whole: Tensor, part: Tensor, rows: slice) -> Tensor:
    changed = whole.clone()
    if len(part):
        changed[rows] = part.to(whole)
    return changed


class SharpenLearner(Learner):
    """The UNet against the judge and the namer."""

    def __init__(self, networks: Networks, data: LatentPool, naming: tuple[Namer, Truth], options: PocketOptions):
        self.networks, self.data, self.options = networks, data, options
        self.namer, self.truth = naming
        self.device = networks.unet.device
        self.alphas = nets.alphas().to(self.device)
        self.judge = nets.layout(Judge(networks.unet), self.device)
        self.made_by = Optimiser(networks.unet, lr=BASE_RATE, muon=False)
        self.judged_by = Optimiser(self.judge, lr=JUDGE_RATE, muon=False)
        self.average = Average(networks.unet, decay=0.99)
        self.edge, self.missed, self.lacking, self.trail = Edge(), Edge(), Edge(), Trail()
        self.parts = {"unet": networks.unet, "judge": self.judge, "made_by": self.made_by}
        self.parts |= {
            "judged_by": self.judged_by,
            "edge": self.edge,
            "missed": self.missed,
            "lacking": self.lacking,
            "trail": self.trail,
        }

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws, scale = checkpoint.stream(self.options.seed, "sharpen", place), rate(fraction, place, warm_up=30)
        size = self.options.batch
        own, fed = round(ANCHORED * size), slice(size - max(1, round(FED * size)), None)
        batch = self.data.batch(size, draws)
        batch, starts = self.trail.follow(batch, torch.cat([batch.latents[:own], batch.latents[own:].roll(1, 0)]))
        times = played_times(size, own, draws).to(self.device)
        noisy, wanted = noised(starts, self._noise(starts, draws), times, self.alphas)
        told = self._told(batch)
        with nets.autocast(self.device):
            made = predict(self.networks, noisy, times, told.text, told.gains)
        leaf = made.detach().requires_grad_()
        clean = estimate(leaf, noisy, times, self.alphas)
        self.trail.keep(batch, clean.detach(), fed)
        judged = self._judge_step(batch.latents, clean.detach(), told, draws)
        pull = (made.detach() - wanted)[:own] * heed(times[:own])
        pushes, figures = self._pushes(leaf, clean, batch, told, draws)
        self.made_by.step((made * balanced(pull, *pushes)).sum(), scale)
        return {"anchor": float(pull.square().mean()), "judged": judged, **figures}

    def _pushes(
        self, leaf: Tensor, clean: Tensor, batch: Batch, told: Told, draws: torch.Generator
    ) -> tuple[list[tuple[Tensor, float]], dict[str, float]]:
        """Where the judge and the namer would have the velocity `leaf`, each with its amount; and what they think."""
        fooled, unsaid = -self._score(clean, told, draws).mean(), self._missed(clean, batch, draws)
        push = torch.autograd.grad(fooled, leaf, retain_graph=True)[0]
        names = torch.autograd.grad(unsaid.mean(), leaf, retain_graph=True)[0]
        lack = self._lack(clean, batch)
        detail = torch.autograd.grad(lack, leaf)[0]
        own, said = round(ANCHORED * len(clean)), unsaid.detach()
        pushes = [(push, ADVERSARIAL * self.edge.value), (names, NAMING * self.missed.value)]
        return [*pushes, (detail, DETAIL * self.lacking.value)], {
            "fooled": float(fooled.detach()),
            "edge": self.edge.value,
            "lack": float(lack.detach()),
            "missed_own": float(said[:own].mean()),
            "missed_other": float(said[own:].mean()),
            "names": self.missed.value,
        }

    def _told(self, batch: Batch) -> Told:
        with torch.no_grad(), nets.autocast(self.device):
            return Told(self.networks.text(batch.ids).last_hidden_state.float(), batch.gains)

    def _missed(self, clean: Tensor, batch: Batch, draws: torch.Generator) -> Tensor:
        """How far the namer is from finding in `clean` what the captions say, [B]; it learns nothing here."""
        truth = self.truth.rows(batch.rows, self.device)
        prompts, wordings = self.data.prompts, batch.wordings.clamp_min(0)
        palettes = truth.by_scene(prompts.palettes[batch.rows, wordings].to(self.device))
        strengths = truth.by_scene(prompts.strengths[batch.rows, wordings].to(self.device))
        with nets.autocast(self.device):
            seen = self.namer(with_noise(clean, self.alphas, draws))
            with torch.no_grad():
                known = self.namer(with_noise(batch.latents, self.alphas, draws))
        counts = (batch.wordings >= 0).to(self.device)  # nothing was said with the empty prompt
        losses = missed(seen, truth, palettes, strengths) * counts
        # Rows that follow the trail hold other latents than their words say: the first ones are enough to compare with.
        first = slice(0, round(ANCHORED * len(clean)))
        real = missed(known, truth, palettes, strengths)[first]
        self.missed.follow(float(losses.detach().mean() - real.mean()) / NAMING_SLACK)
        return losses

    def _lack(self, clean: Tensor, batch: Batch) -> Tensor:
        """How much less fine detail there is than in the pictures that the words are of, as a mean logarithm."""
        rows = slice(0, len(clean) - max(1, round(FED * len(clean))))  # the trail's words are of other pictures
        lack = (fineness(batch.latents[rows]).log() - fineness(clean[rows]).log()).mean()
        self.lacking.follow(float(lack.detach()) / DETAIL_SLACK)
        return lack

    def _judge_step(self, real: Tensor, made: Tensor, told: Told, draws: torch.Generator) -> float:
        """Real pictures against made ones, and against real ones under another's words, so that the words count."""
        # The rows of the trail have words that are not of `real`'s pictures.
        rows = slice(0, len(real) - max(1, round(FED * len(real))))
        real, words = real[rows], told[rows]
        says_real, says_made = self._score(real, words, draws), self._score(made, told, draws)
        says_other = self._score(real, words.roll(), draws)
        wrong = functional.relu(1 + says_made).mean() + functional.relu(1 + says_other).mean()
        loss = functional.relu(1 - says_real).mean() + 0.5 * wrong
        self.judged_by.step(loss, 1.0)
        self.edge.update(says_real, says_made)
        return float(loss.detach())

    def _score(self, clean: Tensor, told: Told, draws: torch.Generator) -> Tensor:
        times = (20 + 480 * torch.rand(len(clean), generator=draws).square()).long().to(self.device)  # mostly clear
        noisy, _ = noised(clean, self._noise(clean, draws), times, self.alphas)
        with nets.autocast(self.device):
            scores: Tensor = self.judge(noisy.contiguous(memory_format=torch.channels_last), times, told)
        return scores.float()

    def _noise(self, like: Tensor, draws: torch.Generator) -> Tensor:
        return torch.randn(like.shape, generator=draws).to(self.device)


def fineness(latents: Tensor) -> Tensor:
    """Root mean square [B, 4] of what a latent differs by from the mean of its surroundings."""
    around = functional.avg_pool2d(latents, 3, stride=1)
    return ((latents[..., 1:-1, 1:-1] - around).square().mean(dim=(2, 3)) + 1e-4).sqrt()


def heed(times: Tensor) -> Tensor:
    """How much the anchor counts at each time, [B, 1, 1, 1]: from noise alone it is the mean of all that fit."""
    return torch.where(times == LAST_STEP, FROM_NOISE, 1.0).view(-1, 1, 1, 1)


def played_times(batch: int, own: int, draws: torch.Generator) -> Tensor:
    """Times that play visits: of the first `own` rows a third the last step, else 200 to 799; of the others 350 on."""
    times = torch.randint(350, 800, (batch,), generator=draws)
    times[:own] = torch.randint(200, 800, (own,), generator=draws)
    times[:own:3] = LAST_STEP
    return times


def sharpen_denoiser(learner: SharpenLearner, journal: Journal, look: Look, *, base: int) -> dict[str, float]:
    """Finetune the UNet in place and leave the averaged weights in; the text encoder stays. Returns steps and minutes.

    `base` is the step of the denoiser that is sharpened; what was reached on an older one is not gone on from.
    """
    options = learner.options
    return learn(learner, "sharpen", options, journal, look=look, look_every_s=options.grid_every_s / 2, base=base)
