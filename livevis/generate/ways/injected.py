"""Base maps (Hertz et al. 2022; AADiff): the row is told what the base row's maps mix, under its own gains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from livevis.generate.prompt_to_prompt.affine import AffineCache, Step
from livevis.generate.prompt_to_prompt.networks import FREE
from livevis.generate.schedule import Level
from livevis.generate.text import TextRow
from livevis.generate.ways.way import Answer, Ask, unweighted
from livevis.runners.runner import Runner


@dataclass(frozen=True, slots=True, eq=False)
class Faders:
    """The gains of one step. directions [W, tokens]: which tokens a fader reaches, and how far; gains [1, W].

    sounds: whether any gain is not 1 at this step; a step that is silent plays its own maps.
    """

    directions: Tensor
    gains: Tensor
    sounds: bool


@dataclass(frozen=True, slots=True, eq=False)
class Injected:
    """Two rows, of which the base row's is kept as long as it is the same: then one row a step, the cheaper one.

    row: the prompt's; faders: of each step; recorder, player: the networks "base-maps" and "injected"; cache: steps of
    the base row, filled here; clamp: limit of the norm as a multiple of the base row's, 0 is none.
    """

    network: Ask
    recorder: Runner
    player: Runner
    time: Callable[[int], Tensor]
    row: TextRow
    faders: Callable[[int], Faders]
    cache: AffineCache
    clamp: float
    neutral: bool = False
    kind: str = "injected"

    def ask(self, k: int, at: Level, z: Tensor, base: Tensor) -> Answer:
        faders = self.faders(k)
        if not faders.sounds:
            return Answer(self.network(z, at, k, unweighted(self.row)), self._silent(k, at, base))
        step = self._recorded(k, at, base, faders)
        return Answer(self._play(step, at, z, faders.gains, self.clamp or FREE), step.output)

    def rest(self, k: int, at: Level, base: Tensor) -> Tensor:
        faders = self.faders(k)
        if not faders.sounds:
            return self.network(base, at, k, unweighted(self.row))
        step = self._recorded(k, at, base, faders)
        return self._play(step, at, base, torch.ones_like(faders.gains), FREE)

    def settle(self, z: Tensor, base: Tensor) -> Tensor:
        return z

    def _silent(self, k: int, at: Level, base: Tensor) -> Tensor:
        if k not in self.cache.steps:
            self.cache.steps[k] = Step(self.network(base, at, k, unweighted(self.row)))
        return self.cache.steps[k].output

    def _recorded(self, k: int, at: Level, base: Tensor, faders: Faders) -> Step:
        if k not in self.cache.steps or self.cache.steps[k].moves is None:
            asked = {"latent": base, "time": self.time(at.timestep), "text": self.row.text}
            made = self.recorder.run({**asked, "directions": faders.directions})
            self.cache.steps[k] = Step(made["prediction"], made["base"], made["moves"])
        return self.cache.steps[k]

    def _play(self, step: Step, at: Level, z: Tensor, gains: Tensor, clamp: float) -> Tensor:
        assert step.base is not None and step.moves is not None
        asked = {"latent": z, "time": self.time(at.timestep), "gains": gains, "clamp": torch.tensor([clamp])}
        return self.player.run({**asked, "base": step.base, "moves": step.moves})["prediction"]
