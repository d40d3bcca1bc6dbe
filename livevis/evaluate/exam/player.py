"""An engine played as on stage, one picture a call: the same generator, schedule, gains and runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livevis.core.catalogue import CATALOGUE
from livevis.core.types import Conditioning, Controls, Cue, Picture, Value
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import Engine
from livevis.runners.table import RunnerName

Gains = Sequence[tuple[str, float]]

# Each picture stands alone: nothing is fed back, and the noise is the seed's first.
_STILL: Mapping[str, Value] = {
    "diffusion/guidance": 1.0,
    "diffusion/walk": 0.0,
    "diffusion/seed": 0,
    "init/source": "scene",
    "feedback/amount": 0.0,
    "feedback/zoom": 0.0,
    "feedback/rotate": 0.0,
    "feedback/shift_x": 0.0,
    "feedback/shift_y": 0.0,
    "feedback/decay": 0.0,
}


class Player:
    """Pictures of one engine. Raises ConfigError where a word with a gain is not in the text."""

    def __init__(self, engine: Engine, *, runner: RunnerName = "auto", threads: int = 0) -> None:
        self.generator = DiffusionGenerator(engine, runner=runner, threads=threads, strict=True)
        self.size = self.generator.size
        self.chosen = self.generator.chosen
        self._base = {row.id: row.default for row in CATALOGUE} | dict(_STILL)

    def dream(self, text: str, *, steps: int, seed: int, gains: Gains = ()) -> Picture:
        """Make a picture of `text` from noise in 1..4 steps."""
        return self._play(text, None, {"diffusion/steps": steps}, seed, gains)

    def redraw(self, text: str, picture: Picture, *, strength: float, seed: int, gains: Gains = ()) -> Picture:
        """Make a picture of `text` from another picture in one step at `strength` 0..1."""
        return self._play(text, picture, {"diffusion/steps": 1, "diffusion/strength": strength}, seed, gains)

    def rebuild(self, picture: Picture) -> Picture:
        """Return a picture as the autoencoder gives it back."""
        return self.generator.decode(self.generator.encode(picture))

    def _play(self, text: str, start: Picture | None, changed: Mapping[str, Value], seed: int, gains: Gains) -> Picture:
        cue = Cue(0, 0, 0.0, Controls(1, {**self._base, **changed}))
        conditioning = Conditioning(((text, 1.0),), word_gains=tuple(gains))
        return self.generator.step(self.generator.init(seed), cue, conditioning, start)[1]
