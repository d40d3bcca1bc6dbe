"""One frame's way down from noise: at each step the network is asked in the frame's way, guided, and followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor

from livevis.generate import schedule, semantic
from livevis.generate.guidance.rows import Base, base
from livevis.generate.guidance.stills import Still, animate
from livevis.generate.schedule import Level, Schedule
from livevis.generate.semantic import Guiding
from livevis.generate.text import TextRow
from livevis.generate.ways.way import Ask, Way


@dataclass(frozen=True, slots=True, eq=False)
class Resting:
    """One step of a still's own path: the still, and what the network saw in it with nothing edited."""

    still: Still
    seen: Base


@dataclass(frozen=True, slots=True, eq=False)
class Denoising:
    """One frame. path: its noise levels, the last one clean; noise: the entry of the noise bank for each step.

    rows: the prompt's text row, and before it the negative prompt's where `guidance` is above 1; network: the plain
    one; way: how the prompt's row is played; silent: the prompt's row without the sound's rows, where those play.
    """

    schedule: Schedule
    path: tuple[Level, ...]
    noise: Callable[[int], Tensor]
    network: Ask
    rows: tuple[TextRow, ...]
    guidance: float
    way: Way
    silent: TextRow | None = None

    def frame(self, x0: Tensor | None, guiding: Guiding | None) -> tuple[Tensor, Guiding | None]:
        """Noise x0 [1, C, h, w] (None: all is dreamt) and denoise it; guiding comes back with this frame's momentum.

        The unedited picture goes its own way from the same noise, where the frame's way needs one.
        """
        noise = self.noise(0)
        z = plain = schedule.add_noise(torch.zeros_like(noise) if x0 is None else x0, noise, self.path[0])
        for k, (at, to) in enumerate(pairwise(self.path)):
            found, beside = self._asked(k, at, z, plain)
            guiding, output = self._pushed(k, at, z, found, guiding)
            fresh = self.noise(k + 1) if self._stochastic(to) else noise
            z = self._moved(z, output, at, to, fresh)
            plain = plain if beside is None else self._moved(plain, beside, at, to, fresh)
            z = self.way.settle(z, plain)
        return z, guiding

    def still(
        self, picture: Tensor, held: dict[int, Resting], guiding: Guiding | None
    ) -> tuple[Tensor, Guiding | None]:
        """Animate a still's latent by DDCM (Xu et al. 2023, InfEdit), each step with a noise of its own that stays.

        Its own path is never denoised: at each level it is the picture under that level's noise, and what is seen there
        in silence is asked once and kept in `held`. A frame costs the sounding row alone, one a step, and depends on no
        frame before it. Where the sounding row sees what is seen in silence, the picture comes back bit for bit.
        """
        made = picture
        for k, at in enumerate(self.path[:-1]):
            if k not in held:
                held[k] = self._resting(k, at, picture)
            still = held[k].still
            if k == 0 and self.way.neutral:
                z, found = still.noisy, held[k].seen
            else:
                z = still.noisy if k == 0 else schedule.add_noise(made, self.noise(k), at)
                found, _ = self._asked(k, at, z, still.noisy)
            guiding, output = self._pushed(k, at, z, found, guiding)
            made = self.way.settle(animate(still, self._clean(z, output, at)), picture)
        return made, guiding

    def _resting(self, k: int, at: Level, picture: Tensor) -> Resting:
        noisy = schedule.add_noise(picture, self.noise(k), at)
        rest = self.way.rest(k, at, noisy) if self.silent is None else self.network(noisy, at, k, self.silent)
        seen = self._guided(k, at, noisy, rest)
        return Resting(Still(picture, noisy, self._clean(noisy, seen.plain, at)), seen)

    def _asked(self, k: int, at: Level, z: Tensor, plain: Tensor) -> tuple[Base, Tensor | None]:
        """Return what is seen in the frame, and the network's output for the plain picture (None: not asked)."""
        answer = self.way.ask(k, at, z, plain)
        beside = None if answer.base is None else self._guided(k, at, plain, answer.base).plain
        return self._guided(k, at, z, answer.edited), beside

    def _pushed(
        self, k: int, at: Level, z: Tensor, found: Base, guiding: Guiding | None
    ) -> tuple[Guiding | None, Tensor]:
        """Let the edit slots push what was found. They play own maps: that is what theirs is measured against."""
        ask = partial(self.network, z, at, k)
        if guiding is not None and self.way.kind != "own":
            own = self._guided(k, at, z, ask(self.rows[-1]))
            found = Base(found.plain, own.reference, own.guidance, own.plain)
        return semantic.guide(guiding, found, ask, index=k, level=at, prediction=self.schedule.prediction)

    def _guided(self, k: int, at: Level, z: Tensor, prompt: Tensor) -> Base:
        """Two rows are classifier-free guidance (Ho and Salimans 2022, eq. 6); the negative one plays its own maps."""
        return base(torch.cat([*(self.network(z, at, k, row) for row in self.rows[:-1]), prompt]), self.guidance)

    def _clean(self, z: Tensor, output: Tensor, at: Level) -> Tensor:
        return schedule.clean(self.schedule.prediction, z, output, at)[0]

    def _moved(self, z: Tensor, output: Tensor, at: Level, to: Level, fresh: Tensor) -> Tensor:
        estimate = schedule.clean(self.schedule.prediction, z, output, at)
        return schedule.step_to(self.schedule.rule, estimate, at, to, fresh)

    def _stochastic(self, to: Level) -> bool:
        return self.schedule.rule != "euler" and to.noise > 0.0
