"""Stage 5: a short adversarial finetune, so that one step gives a crisp picture and not the mean of all that fit.

Latent adversarial distillation in small (Sauer et al. 2024, LADD): the frozen denoiser's own features, seen at a
random noise level, are what small heads tell real and made latents apart by. Half of each batch starts from the
picture that the caption tells of, and the velocity loss holds it there; the other half starts from some other
picture, as live play does, and has only the judge to please.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.denoiser import LAST_STEP, LatentPool, noised
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.networks import Networks
from livevis.train.optimisers import Average, Edge, Optimiser, balanced, rate
from livevis.train.options import PocketOptions

BASE_RATE, JUDGE_RATE = 1.5e-4, 2e-3
ADVERSARIAL = 0.8  # size of the judge's gradient beside the anchor's


class Judge(nn.Module):
    """Frozen denoiser features with one small convolutional head a level: how real noisy latents look under a text."""

    def __init__(self, unet: Any):
        super().__init__()
        self._body = (copy.deepcopy(unet).requires_grad_(False).eval(),)  # in a tuple: no part of the state
        widths = unet.config.block_out_channels
        strides = (2, *(1 for _ in widths))
        self.heads = nn.ModuleList(_head(w, s) for w, s in zip((*widths, widths[-1]), strides, strict=True))

    def forward(self, noisy: Tensor, times: Tensor, text: Tensor) -> Tensor:
        """Scores [B, places], each judging one patch; above 0 says real."""
        levels = features(self._body[0], noisy, times, text)
        return torch.cat([head(level).flatten(1) for head, level in zip(self.heads, levels, strict=True)], dim=1)


def features(unet: Any, noisy: Tensor, times: Tensor, text: Tensor) -> list[Tensor]:
    """Hidden maps of the way down, one a resolution, and the middle's: [B, width, h, w] each."""
    embedded = unet.time_embedding(unet.time_proj(times).to(noisy.dtype))
    hidden = unet.conv_in(noisy)
    levels = []
    for block in unet.down_blocks:
        crossed = {"encoder_hidden_states": text} if getattr(block, "has_cross_attention", False) else {}
        hidden, states = block(hidden, temb=embedded, **crossed)
        levels.append(states[-2] if block.downsamplers is not None else states[-1])
    return [*levels, unet.mid_block(hidden, embedded, encoder_hidden_states=text)]


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


class SharpenLearner(Learner):
    """The UNet against the judge."""

    def __init__(self, networks: Networks, data: LatentPool, options: PocketOptions):
        self.networks, self.data, self.options = networks, data, options
        self.device = networks.unet.device
        self.alphas = nets.alphas().to(self.device)
        self.judge = nets.layout(Judge(networks.unet), self.device)
        self.made_by = Optimiser(networks.unet, lr=BASE_RATE, muon=False)
        self.judged_by = Optimiser(self.judge, lr=JUDGE_RATE, muon=False)
        self.average = Average(networks.unet, decay=0.99)
        self.parts = {"unet": networks.unet, "judge": self.judge}
        self.parts |= {"made_by": self.made_by, "judged_by": self.judged_by}
        self.edge = Edge()
        self._made: Tensor | None = None

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws, scale = checkpoint.stream(self.options.seed, "sharpen", place), rate(fraction, place, warm_up=30)
        latents, ids = self.data.batch(self.options.batch, draws)
        times = played_times(len(latents), draws).to(self.device)
        noisy, wanted = noised(self._starts(latents), self._noise(latents, draws), times, self.alphas)
        made, text = self._predict(noisy, times, ids)
        leaf = made.detach().requires_grad_()
        clean = estimate(leaf, noisy, times, self.alphas)
        self._made = clean.detach()
        judged = self._judge_step(latents, self._made, text, draws)
        fooled = -self._score(clean, text, draws).mean()
        pull = (made.detach() - wanted)[: len(latents) // 2]
        push = torch.autograd.grad(fooled, leaf)[0]
        self.made_by.step((made * balanced(pull, push, ADVERSARIAL * self.edge.value)).sum(), scale)
        return {
            "anchor": float(pull.square().mean()),
            "fooled": float(fooled.detach()),
            "judged": judged,
            "edge": self.edge.value,
        }

    def _predict(self, noisy: Tensor, times: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """The velocity, with its gradient, and the text that it was made under, without."""
        with nets.autocast(self.device):
            with torch.no_grad():
                text = self.networks.text(ids).last_hidden_state.float()
            noisy = noisy.contiguous(memory_format=torch.channels_last)
            made: Tensor = self.networks.unet(noisy, times, text, return_dict=False)[0]
        return made.float(), text

    def _starts(self, latents: Tensor) -> Tensor:
        """Half the captions' own pictures, a quarter others, and a quarter what was made a step ago (feedback)."""
        half, quarter = len(latents) // 2, len(latents) // 4
        other = latents[half:].roll(1, 0)
        if self._made is not None and quarter:
            other = torch.cat([other[quarter:], self._made[-quarter:].roll(1, 0)])
        return torch.cat([latents[:half], other])

    def _judge_step(self, real: Tensor, made: Tensor, text: Tensor, draws: torch.Generator) -> float:
        """Real pictures against made ones, and against real ones under another's words, so that the words count."""
        says_real, says_made = self._score(real, text, draws), self._score(made, text, draws)
        says_other = self._score(real, text.roll(1, 0), draws)
        wrong = functional.relu(1 + says_made).mean() + functional.relu(1 + says_other).mean()
        loss = functional.relu(1 - says_real).mean() + 0.5 * wrong
        self.judged_by.step(loss, 1.0)
        self.edge.update(says_real, says_made)
        return float(loss.detach())

    def _score(self, clean: Tensor, text: Tensor, draws: torch.Generator) -> Tensor:
        times = torch.randint(20, 500, (len(clean),), generator=draws).to(self.device)
        noisy, _ = noised(clean, self._noise(clean, draws), times, self.alphas)
        with nets.autocast(self.device):
            scores: Tensor = self.judge(noisy.contiguous(memory_format=torch.channels_last), times, text)
        return scores.float()

    def _noise(self, like: Tensor, draws: torch.Generator) -> Tensor:
        return torch.randn(like.shape, generator=draws).to(self.device)


def played_times(batch: int, draws: torch.Generator) -> Tensor:
    """Times that one-step and four-step play visit: a quarter the last step, the rest 200 to 799."""
    times = torch.randint(200, 800, (batch,), generator=draws)
    times[::4] = LAST_STEP
    return times


def sharpen_denoiser(
    networks: Networks, data: LatentPool, options: PocketOptions, journal: Journal, look: Look, *, base: int
) -> dict[str, float]:
    """Finetune the UNet in place and leave the averaged weights in; the text encoder stays. Returns steps and minutes.

    `base` is the step of the denoiser that is sharpened; what was reached on an older one is not gone on from.
    """
    learner = SharpenLearner(networks, data, options)
    return learn(learner, "sharpen", options, journal, look=look, look_every_s=options.grid_every_s / 2, base=base)
