"""UNet and text encoder together, v-prediction (Salimans & Ho 2022) on the pool of latents, small ones first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.journal import Journal
from livevis.train.learner import Learner, Look, learn
from livevis.train.networks import Networks
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions
from livevis.train.prompts import Prompts
from livevis.train.truth import ANSWERS, Truth, answer, naming_loss

BASE_RATE, READER_RATE = 1.5e-3, 5e-3
NO_CAPTION = 0.1  # part of the batch that learns the empty prompt, for classifier-free guidance
LAST_STEP = 999
TIMES = (0.25, 0.5, 0.2, 0.05)
PAIRED = 1 / 3  # part of a batch drawn from pictures of two scenes alone: with the others that makes a half
READING = 0.05  # weight of what a linear reader finds in the text's embedding: scenes, and palettes that are told


def sample_times(batch: int, draws: torch.Generator) -> Tensor:
    """int64 [batch]: a quarter the last step, where nothing but the words tells what to paint and pictures begin.

    Half are 500 to 999, a fifth 200 to 499 and the rest below: the less noise there is, the less the words matter.
    """
    bounds = torch.tensor([[LAST_STEP, LAST_STEP + 1], [500, 1000], [200, 500], [1, 200]])
    kinds = torch.multinomial(torch.tensor(TIMES), batch, replacement=True, generator=draws)
    first, end = bounds[kinds].unbind(dim=1)
    return first + (torch.rand(batch, generator=draws) * (end - first)).long()


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


@dataclass(frozen=True, slots=True)
class Batch:
    """latents float32 [B, 4, h, w], channels last; ids int64 and gains float32 [B, positions]; the pool's rows [B].

    `wordings` int64 [B] says which of its wordings each picture got, -1 for the empty prompt.
    """

    latents: Tensor
    ids: Tensor
    gains: Tensor
    rows: Tensor
    wordings: Tensor


class LatentPool:
    """Batches on a device, drawn from the pool of latents by a step's own stream.

    `paired`, bool [N], says which pictures show two scenes: PAIRED of each batch are drawn from those alone.
    """

    def __init__(self, latents: Tensor, prompts: Prompts, networks: Networks, *, paired: Tensor | None = None):
        self._latents, self.prompts, self._device = latents, prompts, networks.unet.device
        self._empty = nets.tokens(networks, [""])[0]
        every = torch.arange(len(latents))
        pairs = every if paired is None else torch.nonzero(paired[: len(latents)]).flatten()
        self._pairs = pairs if len(pairs) else every

    def __len__(self) -> int:
        return len(self._latents)

    def batch(self, size: int, draws: torch.Generator, *, small: bool = False) -> Batch:
        """`size` random pictures, each under one of its wordings; `small` halves the latents' sides."""
        rows = self._rows(size, draws)
        wordings = torch.randint(0, self.prompts.ids.shape[1], (size,), generator=draws)
        drop = torch.rand(size, generator=draws) < NO_CAPTION
        ids = torch.where(drop[:, None], self._empty, self.prompts.ids[rows, wordings].long())
        gains = torch.where(drop[:, None], 1.0, self.prompts.gains[rows, wordings].float())
        latents = self._latents[rows].float()
        latents = functional.avg_pool2d(latents, 2) if small else latents
        return Batch(
            latents=latents.to(self._device, memory_format=torch.channels_last),
            ids=ids.to(self._device),
            gains=gains.to(self._device),
            rows=rows,
            wordings=torch.where(drop, -1, wordings),
        )

    def _rows(self, size: int, draws: torch.Generator) -> Tensor:
        """Random places in the pool; those of pictures of two scenes are drawn more often than the others."""
        number = torch.rand(size, generator=draws)
        any_row = (number * len(self._latents)).long()
        pair = self._pairs[(number * len(self._pairs)).long()]
        return torch.where(torch.rand(size, generator=draws) < PAIRED, pair, any_row)


def predict(networks: Networks, noisy: Tensor, times: Tensor, text: Tensor, gains: Tensor) -> Tensor:
    """The UNet's velocity [B, 4, h, w] under an embedding and token gains; gain 1 everywhere is the plain UNet."""
    noisy, crossed = noisy.contiguous(memory_format=torch.channels_last), gain_argument(noisy, gains)
    made: Tensor = networks.unet(noisy, times, text, cross_attention_kwargs=crossed, return_dict=False)[0]
    return made.float()


def gain_argument(noisy: Tensor, gains: Tensor) -> dict[str, Tensor]:
    """Token gains as the attention of `livevis.generate.attention` takes them, in the type that it computes in."""
    kind = noisy.device.type
    fast = torch.is_autocast_enabled(kind)
    return {"token_gain": gains.to(torch.get_autocast_dtype(kind) if fast else noisy.dtype)}


def denoising_loss(networks: Networks, batch: Batch, alphas: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mean squared error of the velocity, a picture error weighed by 1/(1-ᾱ); and the text's embedding."""
    noise = torch.randn(batch.latents.shape, generator=draws).to(batch.latents.device)
    times = sample_times(len(batch.latents), draws).to(batch.latents.device)
    noisy, wanted = noised(batch.latents, noise, times, alphas)
    with nets.autocast(noisy.device):
        text = networks.text(batch.ids).last_hidden_state
        made = predict(networks, noisy, times, text, batch.gains)
    return (made - wanted).square().mean(), text.float()


class DenoiserLearner(Learner):
    """Random noise levels of pooled latents through UNet and text encoder.

    The text encoder has a second teacher, which asks it for the scenes: through a young UNet it learns slowly that
    flames and a bonfire are one thing.
    """

    def __init__(self, networks: Networks, data: LatentPool, truth: Truth, options: PocketOptions):
        self.networks, self.data, self.truth, self.options = networks, data, truth, options
        self.device = networks.unet.device
        self.alphas = nets.alphas().to(self.device)
        torch.manual_seed(options.seed)
        self.reader = nn.Linear(networks.text.config.hidden_size, ANSWERS).to(self.device)
        self.read_by = Optimiser(self.reader, lr=READER_RATE, muon=False)
        self.optimiser = Optimiser(networks.unet, networks.text, lr=BASE_RATE)
        self.average = Average(networks.unet, networks.text, decay=0.998)
        self.parts = {"unet": networks.unet, "text": networks.text, "optimiser": self.optimiser}
        self.parts |= {"reader": self.reader, "read_by": self.read_by}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.options.seed, "denoiser", place)
        small = fraction < self.options.small_share
        size = self.options.small_batch if small else self.options.batch
        batch = self.data.batch(size, draws, small=small)
        loss, text = denoising_loss(self.networks, batch, self.alphas, draws)
        misread, scale = self._misread(text, batch), rate(fraction, place)
        self.read_by.zero()
        norm = self.optimiser.step(loss + READING * misread, scale)
        self.read_by.apply(scale)
        return {
            "small_loss" if small else "loss": float(loss.detach()),
            "misread": float(misread.detach()),
            "norm": norm,
        }

    def _misread(self, text: Tensor, batch: Batch) -> Tensor:
        truth = self.truth.rows(batch.rows, self.device)
        palettes = truth.by_scene(self.data.prompts.palettes[batch.rows, batch.wordings.clamp_min(0)].to(self.device))
        losses = naming_loss(answer(self.reader(text.mean(dim=1))), truth, palettes, torch.zeros_like(palettes))
        return (losses * (batch.wordings >= 0).to(losses)).mean()


def train_denoiser(learner: DenoiserLearner, journal: Journal, look: Look) -> dict[str, float]:
    """Train in place and leave the averaged weights in; returns steps and minutes."""
    options = learner.options
    return learn(learner, "denoiser", options, journal, look=look, look_every_s=options.grid_every_s)
