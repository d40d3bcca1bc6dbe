"""`train clap`: a ClapModel learns from the world's own sounds and their captions, for the instrument's ears."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.clap.batches import Pairs, PairSource, Wording, truth
from livevis.train.clap.card import write_card
from livevis.train.clap.mel import spec_augment
from livevis.train.clap.networks import (
    EAR_SHAPES,
    FRAMES,
    Ears,
    audio_embeddings,
    build_ears,
    export_ears,
    text_embeddings,
)
from livevis.train.clap.pool import MelPool, PoolPlan
from livevis.train.journal import Journal
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions

WORDS_DRAWS = 3_000
LARGEST_SCALE = 100.0
WORDS_STEPS, WORDS_RATE, WORDS_TEMPERATURE = 120, 2e-3, 0.07
EASED = 0.25
"""Part of the run in which mixtures and music come in."""
INTENSITY_SLOPE = 1.5
"""How fast a caption that says how strong a sound is becomes untrue as the clip's intensity moves away from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarPlan:
    """What a run makes and takes: clips of a sound, pieces of music, rooms of each, pairs a step, clips examined."""

    clips: int = 24
    pieces: int = 96
    views: int = 4
    batch: int = 64
    examined: int = 12
    rate: float = 4e-3
    pool_share: float = 0.2  # of the stage's minutes, at most
    names: tuple[str, ...] = ()  # the sounds; none: all of the table


EAR_PLANS: dict[str, EarPlan] = {
    "pocket": EarPlan(),
    "tiny": EarPlan(clips=3, pieces=2, views=2, batch=12, examined=2, names=("rain", "drums", "babble")),
}


def train_clap(options: PocketOptions, journal: Journal, *, plan: EarPlan | None = None) -> dict[str, float]:
    """Make the pool, learn for the stage's minutes, export to `options.out`/clap, and examine what was exported.

    Returns the figures of the examination by name (parts of 1), with steps and minutes. The same on CPU and CUDA.
    """
    from livevis.evaluate import ears as exam
    from livevis.world.sounds import SOUNDS

    plan = plan or EAR_PLANS[options.shape]
    names = plan.names or tuple(SOUNDS)
    device = nets.pick_device(options.device)
    shorter = replace(options, minutes=options.minutes * (1 - plan.pool_share))
    pool = _pool(names, plan, options, journal)
    ears, source = _ears_and_source(pool, names, plan, options)
    learner = EarLearner(ears, source, device, lr=plan.rate, seed=options.seed)
    if not checkpoint.exists(options.workdir, "clap"):
        learner.learn_words(WORDS_STEPS)
    done = learn(learner, "clap", shorter, journal)
    folder = options.out / "clap"
    sizes = export_ears(ears, folder)
    findings = exam.examine(folder, exam.ExamPlan(clips=plan.examined, names=names))
    table, mistakes = exam.as_table(findings), exam.as_mistakes(findings)
    journal.say(f"exported {sum(sizes.values()) / 1e6:.1f} MB to {folder}\n{table}\n{mistakes}")
    facts = {"clips": pool.rounds, "sounds": len(names), "batch": plan.batch, "steps": done["steps"]}
    facts |= {"minutes": f"{done['minutes']:.1f}", "parameters": nets.parameters(ears.model)}
    facts |= {"command": _command(options), "hardware": str(device)}
    write_card(folder, facts, table=table, mistakes=mistakes)
    return {**{finding.name: finding.share for finding in findings}, **done}


def _pool(names: tuple[str, ...], plan: EarPlan, options: PocketOptions, journal: Journal) -> MelPool:
    first = 10_000 * options.seed
    pool_plan = PoolPlan(names=names, clips=plan.clips, pieces=plan.pieces, views=plan.views, first=first)
    pool = MelPool(options.workdir / "clap_pool", pool_plan, seed=options.seed)
    pool.make(journal, budget_s=options.budget_s("clap") * plan.pool_share, keep=options.resume)
    return pool


def _ears_and_source(
    pool: MelPool, names: tuple[str, ...], plan: EarPlan, options: PocketOptions
) -> tuple[Ears, PairSource]:
    wording = Wording(names)
    captions = wording.corpus(np.random.default_rng([options.seed, 0xE4_01]), WORDS_DRAWS)
    ears = build_ears(EAR_SHAPES[options.shape], captions, seed=options.seed)
    return ears, PairSource(pool, wording, size=plan.batch, frames=FRAMES, seed=options.seed)


def _command(options: PocketOptions) -> str:
    return f"livevis train {options.command} --minutes {options.minutes:g} --seed {options.seed}"


class EarLearner(Learner):
    """Both towers against each other: CLAP's symmetric InfoNCE (Elizalde et al. 2023) with soft, set-wise targets."""

    def __init__(self, ears: Ears, source: PairSource, device: torch.device, *, lr: float, seed: int):
        self._ears, self._source, self._device, self._seed = ears, source, device, seed
        model = ears.model.to(device).train()
        optimiser = Optimiser(model, lr=lr)
        self.parts = {"ears": model, "optimiser": optimiser}
        self.average = Average(model, decay=0.99)
        self._optimiser = optimiser

    def learn_words(self, steps: int) -> float:
        """Text tower alone: captions that say the same come together, others part; returns the last loss.

        Two towers that both say one thing about everything have next to no gradient; with the words apart, the sounds
        have somewhere to go from the first step on.
        """
        model = self._ears.model
        optimiser = Optimiser(model.text_model, model.text_projection, lr=WORDS_RATE)
        loss = torch.zeros(())
        for place in range(steps):
            captions, said = self._source.captions(place)
            weights = torch.from_numpy(said).to(self._device)
            others = 1 - torch.eye(len(captions), device=self._device)
            with nets.autocast(self._device):
                words = text_embeddings(self._ears, captions, self._device)
            likeness = words.float() @ words.float().T / WORDS_TEMPERATURE - 1e4 * (1 - others)
            loss = _cross_entropy(likeness, truth(weights, weights) * others)
            optimiser.step(loss, rate(0.0, place, warm_up=10))
        return float(loss.detach())

    def step(self, place: int, fraction: float) -> dict[str, float]:
        started = time.monotonic()
        pairs = self._source.batch(place, ease=max(0.0, 1 - fraction / EASED))
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + place)
        mels = spec_augment(pairs.mels, generator).to(self._device)
        made_s = time.monotonic() - started
        with nets.autocast(self._device):
            heard = audio_embeddings(self._ears.model, mels)
            phrases = self._source.class_phrases(place)
            words = text_embeddings(self._ears, [*pairs.captions, *phrases], self._device)
        loss, figures = self._loss(heard.float(), words.float(), pairs)
        norm = self._optimiser.step(loss, rate(fraction, place, warm_up=40))
        with torch.no_grad():
            for scale in (self._ears.model.logit_scale_a, self._ears.model.logit_scale_t):
                scale.clamp_(max=math.log(LARGEST_SCALE))
        return {"loss": float(loss.detach()), **figures, "norm": norm, "making_s": made_s}

    def _loss(self, heard: Tensor, words: Tensor, pairs: Pairs) -> tuple[Tensor, dict[str, float]]:
        """Clips against captions both ways, and clips against one phrase of every class."""
        count, device = len(heard), self._device
        audio_scale, text_scale = self._ears.model.logit_scale_a.exp(), self._ears.model.logit_scale_t.exp()
        clip_weights = torch.from_numpy(pairs.heard).to(device)
        true = truth(clip_weights, torch.from_numpy(pairs.said).to(device)) * _strength_match(pairs).to(device)
        likeness = heard @ words[:count].T
        pair = _cross_entropy(audio_scale * likeness, true) + _cross_entropy(text_scale * likeness.T, true.T)
        classes = audio_scale * heard @ words[count:].T
        class_loss = _cross_entropy(classes, clip_weights)
        hit = clip_weights.gather(1, classes.argmax(1, keepdim=True)).eq(1).float().mean()
        return pair / 2 + class_loss, {"classes": float(class_loss.detach()), "right": float(hit)}


def _cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Mean cross-entropy of each row against its weights, which are scaled to sum to 1."""
    return -(weights / weights.sum(1, keepdim=True) * log_softmax(logits, 1)).sum(1).mean()


def _strength_match(pairs: Pairs) -> Tensor:
    """Factor on a caption's truth [clips, captions]: 1 where it says no strength, less the further it is off."""
    strengths, stated = torch.from_numpy(pairs.strengths), torch.from_numpy(pairs.stated)
    off = (strengths[:, None] - strengths[None]).abs()
    return 1 - stated[None] * (1 - torch.exp(-INTENSITY_SLOPE * off))
