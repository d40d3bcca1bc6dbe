"""What the parts of an engine's examination share: held-out draws, their renders, made pictures, figures with goals."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from livevis.core.types import Picture
from livevis.evaluate.exam.player import Player
from livevis.evaluate.statistics import high_frequency_energy, wilson

SAY_EVERY = 64


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the examination.

    low, high: 95 % Wilson interval of a proportion; goal: what the value must reach, or with `at_most` must not exceed.
    """

    part: str
    name: str
    value: float
    count: int = 0
    low: float | None = None
    high: float | None = None
    goal: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def as_row(self) -> dict[str, Any]:
        """Return plain values for JSON, those that say nothing left out."""
        row = {key: value for key, value in asdict(self).items() if value not in (None, "", False)}
        return row if self.reached is None else {**row, "reached": self.reached}


def proportion(part: str, name: str, hits: Iterable[bool], *, goal: float | None = None, note: str = "") -> Figure:
    """Return the share of hits with its interval."""
    said = [bool(hit) for hit in hits]
    low, high = wilson(sum(said), len(said))
    return Figure(part, name, sum(said) / max(1, len(said)), len(said), low, high, goal, note=note)


def line(figure: Figure) -> str:
    """Return a figure as one line of the table."""
    interval = "" if figure.low is None or figure.high is None else f"[{figure.low:.3f}, {figure.high:.3f}]"
    count = f"n={figure.count}" if figure.count else ""
    goal = "" if figure.goal is None else f"{'<=' if figure.at_most else '>='} {figure.goal:g}"
    mark = {None: "", True: "yes", False: "NO"}[figure.reached]
    return f"{figure.name:52} {figure.value:9.4f} {interval:16} {count:8} {goal:9} {mark:4} {figure.note}".rstrip()


class Exam:
    """One engine before its judge. The pictures that several parts look at are made once.

    seed: of the world's draws and of the noise; count: held-out single scenes, and as many mixtures.
    """

    def __init__(self, player: Player, judge: Any, *, seed: int, count: int) -> None:
        self.player, self.judge, self.seed, self.count = player, judge, seed, count
        self.scenes: tuple[str, ...] = judge.config.scenes
        self._dreams: dict[int, list[Picture]] = {}
        self._redraws: dict[float, list[Picture]] = {}

    @cached_property
    def draws(self) -> list[Any]:
        """Held-out single scenes, `count` to ask for and as many others for comparison."""
        return self._chosen(2 * self.count, parts=1)

    @cached_property
    def mixtures(self) -> list[Any]:
        """Held-out mixtures: every one a pair of scenes that training never shows together."""
        return self._chosen(self.count, parts=2)

    @cached_property
    def renders(self) -> list[Picture]:
        """The world's own pictures of `draws`."""
        return self.rendered(self.draws)

    @cached_property
    def energies(self) -> list[float]:
        """High-frequency energy of the renders of `asked`."""
        return [high_frequency_energy(picture) for picture in self.renders[: self.count]]

    @cached_property
    def starts(self) -> list[Picture]:
        """For each draw of `asked` the render of the nearest later one that shows another scene."""
        names = [drawn.parts[0].scene for drawn in self.draws]
        ahead = [range(place + 1, place + len(names)) for place in range(self.count)]
        places = [next(at % len(names) for at in later if names[at % len(names)] != names[later.start - 1])
                  for later in ahead]  # fmt: skip
        return [self.renders[place] for place in places]

    @property
    def asked(self) -> list[Any]:
        """The draws whose captions are played."""
        return self.draws[: self.count]

    def rendered(self, draws: Sequence[Any]) -> list[Picture]:
        """Render draws as large as the engine's pictures."""
        from livevis.world.render import SceneRenderer

        with SceneRenderer(self.player.size) as renderer:
            return self.made("renders", draws, lambda place, drawn: renderer.render(drawn))

    def dreams(self, steps: int) -> list[Picture]:
        """Pictures of the captions of `asked`, from noise in `steps` steps."""
        if steps not in self._dreams:
            self._dreams[steps] = self.made(
                f"pictures from noise, {steps} steps",
                self.asked,
                lambda place, drawn: self.player.dream(drawn.caption.text, steps=steps, seed=self.seed + place),
            )
        return self._dreams[steps]

    def redraws(self, strength: float) -> list[Picture]:
        """Pictures of the captions of `asked`, in one step at `strength` from a render of another scene."""
        if strength not in self._redraws:
            self._redraws[strength] = self.made(
                f"one step at {strength} from another scene",
                self.asked,
                lambda place, drawn: self.player.redraw(
                    drawn.caption.text, self.starts[place], strength=strength, seed=self.seed + place
                ),
            )
        return self._redraws[strength]

    def made(self, what: str, over: Sequence[Any], make: Callable[[int, Any], Picture]) -> list[Picture]:
        """Make one picture for each item, and say on stderr how far it is."""
        pictures = []
        for place, item in enumerate(over):
            if place % SAY_EVERY == 0 and sys.stderr.isatty():
                print(f"\r{what}: {place}/{len(over)}   ", end="", file=sys.stderr, flush=True)
            pictures.append(make(place, item))
        if sys.stderr.isatty():
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr, flush=True)
        return pictures

    def look(self, pictures: Sequence[Picture]) -> Any:
        """Return the judge's verdict on pictures."""
        return self.judge.look(list(pictures))

    def column(self, scene: str) -> int:
        """Return the place of a scene in the judge's answers."""
        return self.scenes.index(scene)

    def _chosen(self, wanted: int, *, parts: int) -> list[Any]:
        from livevis.train.judge.pool import chosen_draws

        return chosen_draws(self.seed, wanted, kind="held_out", parts=parts)
