"""The loop that every learning stage shares: step, average, report, save, look, until the stage's minutes are used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch

from livevis.train import checkpoint
from livevis.train.journal import Journal, Stage
from livevis.train.optimisers import Average
from livevis.train.options import PocketOptions

Look = Callable[[Stage, int], None]


class Learner(ABC):
    """Something that learns a step at a time: networks and optimisers in `parts`, and the average of what is kept.

    `parts` holds by name whatever has `state_dict` and `load_state_dict`; those names are the checkpoint's keys.
    """

    parts: dict[str, Any]
    average: Average

    @abstractmethod
    def step(self, place: int, fraction: float) -> dict[str, float]:
        """Learn from batch number `place`, with `fraction` of the stage's time gone; returns figures to report."""

    def state(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, part in self.parts.items()} | {"average": self.average.weights}

    def load(self, kept: dict[str, Any]) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(kept[name])
        with torch.no_grad():
            for mine, saved in zip(self.average.weights, kept["average"], strict=True):
                mine.copy_(saved)


def recall(learner: Learner, name: str, options: PocketOptions) -> dict[str, float]:
    """Put in the averaged weights that stage `name` has left; returns its steps and minutes, {} if there is none."""
    kept = checkpoint.load(options.workdir, name)
    if kept is None:
        return {}
    learner.load(kept)
    learner.average.swap()
    return {"steps": int(kept["step"]), "minutes": float(kept["spent_s"]) / 60}


def learn(
    learner: Learner,
    name: str,
    options: PocketOptions,
    journal: Journal,
    *,
    look: Look | None = None,
    look_every_s: float = 0.0,
    base: int = 0,
    frozen: bool = False,
) -> dict[str, float]:
    """Run stage `name` to the end of its budget, from its checkpoint if any, and leave the averaged weights in.

    `look(stage, step)` is called every `look_every_s` with the averaged weights in. `base` names what the stage builds
    on: a checkpoint with another base is not gone on from. A `frozen` stage only loads. Returns steps and minutes.
    """
    kept = checkpoint.load(options.workdir, name) or {}
    if kept.get("base", base) != base:
        kept = {}
    if kept:
        learner.load(kept)
    step = int(kept.get("step", 0))
    stage = journal.stage(name, budget_s=options.budget_s(name), spent_s=float(kept.get("spent_s", 0.0)))

    def save() -> None:
        state = {**learner.state(), "base": base, "step": step, "spent_s": stage.spent_s}
        checkpoint.save(options.workdir, name, state)

    while not frozen and (not stage.over or step == 0):
        figures = learner.step(step, stage.fraction)
        learner.average.update(step)
        step += 1
        stage.tell(step, **figures)
        if stage.every("save", options.save_every_s):
            save()
        if look is not None and stage.every("look", look_every_s):
            learner.average.swap()
            look(stage, step)
            learner.average.swap()
    minutes = stage.spent_s / 60
    if not frozen:
        save()
    learner.average.swap()
    return {"steps": step, "minutes": minutes}
