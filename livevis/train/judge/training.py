"""`livevis train judge`: taught by renders alone, so that what it says of made pictures is evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.journal import Journal
from livevis.train.judge.augment import augment, retint
from livevis.train.judge.card import write_judge_card
from livevis.train.judge.mixing import allowed_pairs, mix
from livevis.train.judge.network import Judge, JudgeConfig, Verdict, load_judge, save_judge
from livevis.train.judge.pool import Kind, Thumbnails, Truth, chosen_draws, painters_pool, truth_of
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions

PICTURES, HELD_OUT = 12_000, 1_024
BATCH = 64
BASE_RATE = 3e-3
HALVED_UNTIL = 0.5  # part of the stage in which pictures of half the side are shown: four times as many a second
RENDERING = 0.3  # of the stage's time at most goes into the pictures
INTENSITY, PALETTE = 6.0, 0.25  # weights of the two lesser questions beside "which scenes"

Pictures = Callable[[list[int]], Tensor]


class JudgeLearner(Learner):
    """The judge over pictures that `pictures(places)` gives as float32 [B, 3, side, side] in -1..1."""

    def __init__(self, judge: Judge, pictures: Pictures, truth: Truth, *, seed: int, batch: int = BATCH):
        self.judge, self.pictures, self.truth = judge, pictures, truth
        self.seed, self.batch = seed, batch
        self.allowed = allowed_pairs(judge.config.scenes)
        self.device = next(judge.parameters()).device
        self.optimiser = Optimiser(judge, lr=BASE_RATE)
        self.average = Average(judge, decay=0.99)
        self.parts = {"judge": judge, "optimiser": self.optimiser}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.seed, "judge", place)
        rows = torch.randint(0, len(self.truth.present), (self.batch,), generator=draws).tolist()
        shown = self.pictures(rows)
        shown = functional.avg_pool2d(shown, 2) if fraction < HALVED_UNTIL else shown
        mixed, truth = mix(*retint(shown, self.truth.rows(rows), draws), self.allowed, draws)
        truth = Truth(*(part.to(self.device) for part in truth))
        changed = augment(mixed, draws).to(self.device, memory_format=torch.channels_last)
        with nets.autocast(self.device):
            verdict = self.judge(changed)
        losses = judged(verdict, truth)
        self.optimiser.step(losses["scenes"] + INTENSITY * losses["intensity"] + PALETTE * losses["palette"],
                            rate(fraction, place, warm_up=30))  # fmt: skip
        right = truth.present[torch.arange(self.batch), verdict.best()].mean()
        return {name: float(loss.detach()) for name, loss in losses.items()} | {"right": float(right)}


def judged(verdict: Verdict, truth: Truth) -> dict[str, Tensor]:
    """The three losses; intensity and palette count where a scene is, the palette only where it is known."""
    there = truth.present > 0
    scenes = functional.binary_cross_entropy_with_logits(verdict.scenes, truth.present, reduction="none").sum(1).mean()
    intensity = functional.mse_loss(verdict.intensity[there], truth.intensity[there])
    known = truth.palette >= 0
    palettes = verdict.palettes[known].new_zeros(())
    if bool(known.any()):
        palettes = functional.cross_entropy(verdict.palettes[known], truth.palette[known])
    return {"scenes": scenes, "intensity": intensity, "palette": palettes}


def marks(verdict: Verdict, truth: Truth) -> dict[str, float]:
    """How right a judge is: single scenes named, both scenes of mixtures found, intensity, palette.

    `single_alone`: part of single scenes in which nothing else is found. `intensity_r`: correlation over single scenes.
    """
    there, count = truth.present > 0, truth.present.sum(1)
    single, double = count == 1, count == 2
    rows = torch.arange(len(count))
    named, found = there[rows, verdict.best()], verdict.found()
    results = {
        "single": _mean(named[single]),
        "single_alone": _mean((found == there).all(1)[single]),
        "both_found": _mean((found | ~there).all(1)[double]),
        "both_first": _mean((there.gather(1, verdict.scenes.topk(2).indices)).all(1)[double]),
        "palette": _mean((verdict.palettes.argmax(2) == truth.palette)[there & single[:, None]]),
    }
    of = there & single[:, None]
    told, true = verdict.intensity[of], truth.intensity[of]
    results["intensity_mae"] = float((told - true).abs().mean())
    results["intensity_r"] = float(torch.corrcoef(torch.stack([told, true]))[0, 1])
    return results


def confusions(verdict: Verdict, truth: Truth, scenes: tuple[str, ...]) -> list[str]:
    """ "true→told ×times" of single scenes that are named wrongly, the most frequent first."""
    single = truth.present.sum(1) == 1
    pairs: dict[str, int] = {}
    for true, told in zip(truth.present.argmax(1)[single].tolist(), verdict.best()[single].tolist(), strict=True):
        if true != told:
            name = f"{scenes[true]}→{scenes[told]}"
            pairs[name] = pairs.get(name, 0) + 1
    return [f"{name} ×{times}" for name, times in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))]


def _mean(values: Tensor) -> float:
    return float(values.float().mean()) if len(values) else float("nan")


def judge_folder(options: PocketOptions) -> Path:
    """Where the judge goes: beside the engine that it will judge."""
    return options.out if options.out.name == "judge" else options.out.with_name("judge")


def train_judge(options: PocketOptions, journal: Journal) -> dict[str, Any]:
    """Render, learn for the stage's minutes, write `engines/judge/`; returns steps, minutes and the held-out marks."""
    budget_s = options.budget_s("judge")
    config = JudgeConfig.of_world()
    torch.manual_seed(options.seed)
    judge = Judge(config)
    nets.layout(judge, nets.pick_device(options.device))
    learning, kept_out = judge_pools(options)
    for pool, least in ((kept_out, len(kept_out.draws)), (learning, BATCH)):
        pool.render(journal, budget_s=RENDERING * budget_s, least=least)
    truth = truth_of(learning.draws[: len(learning)], config.scenes)
    learner = JudgeLearner(judge, learning.pictures, truth, seed=options.seed)
    result: dict[str, Any] = learn(learner, "judge", options, journal)
    folder = judge_folder(options)
    save_judge(judge.eval(), folder)
    verdict = load_judge(folder).look(kept_out.pixels)  # of the judge as it is shipped, in float16
    whole = truth_of(kept_out.draws, config.scenes)
    result |= {name: round(value, 4) for name, value in marks(verdict, whole).items()}
    wrong = confusions(verdict, whole, config.scenes)
    facts = {**result, "pictures": len(learning), "held_out": len(kept_out), "seed": options.seed, "confused": wrong}
    save_judge(judge, folder, card=write_judge_card(config, facts, parameters=nets.parameters(judge)))
    return result


def judge_pools(options: PocketOptions) -> tuple[Thumbnails, Thumbnails]:
    """Small pictures to learn from and to be marked on, both in the work folder; not rendered yet."""
    pools = []
    larger = painters_pool(options)
    rows: tuple[tuple[str, Kind, int], ...] = (
        ("thumbs", "train", min(options.pictures, PICTURES)),
        ("thumbs_held_out", "held_out", min(4 * options.held_out, HELD_OUT)),
    )
    for name, kind, count in rows:
        pool = Thumbnails(options.workdir, name, chosen_draws(options.seed, count, kind=kind), seed=options.seed)
        if kind in larger:
            pool.take(larger[kind])
        pools.append(pool)
    return pools[0], pools[1]
