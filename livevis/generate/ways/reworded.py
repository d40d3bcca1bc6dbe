"""Two rows in one batch: another wording of the prompt played with its maps, and pictures kept outside of some words.

What a cross-attention of the edited row mixes is, with amount a, gains s and the maps' alignment M,
(1 - a) A_base diag(s) V_base + a (A_base M diag(s) + A diag(s - given)) V: at a = 0 the base picture, at a = 1
Prompt-to-Prompt's replacement or refinement. The share of the base row is mixed where the maps are the same, so the way
from one wording to the other is one of what words mean, and no cross-fade of two pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from livevis.core.types import Attention
from livevis.generate.prompt_to_prompt.blend import local_blend, word_mask
from livevis.generate.prompt_to_prompt.edits import reworded
from livevis.generate.prompt_to_prompt.networks import FREE
from livevis.generate.schedule import Level
from livevis.generate.ways.way import Answer
from livevis.generate.ways.wording import Alignment
from livevis.runners.runner import Runner

Gained = Callable[[int], Tensor]
"""Token gains [1, tokens] of a step."""


@dataclass(frozen=True, slots=True, eq=False)
class Reworded:
    """text [2, tokens, width]: base and edited row; base_gain, gain: token gains of the two wordings.

    alignment: None where the words are the same and only gains differ; columns [2, tokens, 1]: the words that may
    change, None for everything; maps: what has been read of them so far in this frame.
    """

    player: Runner
    time: Callable[[int], Tensor]
    text: Tensor
    base_gain: Gained
    gain: Gained
    alignment: Alignment | None
    columns: Tensor | None
    asked: Attention
    neutral: bool = False
    kind: str = "reworded"
    maps: list[Tensor] = field(default_factory=list)

    def ask(self, k: int, at: Level, z: Tensor, base: Tensor) -> Answer:
        made = self._play(at, torch.cat((base, z)), self._edit(k), self.asked.clamp or FREE, k < self.asked.inject_self)
        self.maps.append(made["maps"])
        return Answer(made["prediction"][1:], made["prediction"][:1])

    def rest(self, k: int, at: Level, base: Tensor) -> Tensor:
        gain, mixing, _ = self._edit(k)
        nothing = torch.zeros_like(gain), torch.zeros_like(mixing), torch.ones_like(gain)
        return self._play(at, torch.cat((base, base)), nothing, FREE, False)["prediction"][1:]

    def settle(self, z: Tensor, base: Tensor) -> Tensor:
        if self.columns is None:
            return z
        rows = torch.zeros(2, dtype=torch.int64, device=z.device)
        size = (z.shape[2], z.shape[3])
        mask = word_mask(sum(self.maps[1:], self.maps[0]), size=size, base=rows, threshold=self.asked.blend_threshold)
        return local_blend(torch.cat((base, z)), mask, base=rows)[1:]

    def _edit(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return gain, mixing and kept of the edited row at step k."""
        ours, theirs = self.base_gain(k), self.gain(k)
        amount, tokens = self.asked.amount, ours.shape[1]
        if self.alignment is None:
            alone, onto = (0.0, 1.0) if self.asked.maps == "base" else (1.0, 0.0)
            return theirs * alone, torch.zeros(1, tokens, tokens), ours * onto
        mixing, gain = reworded(
            self.alignment.sources[None], self.alignment.aligned[None], theirs, injected=float(k < self.asked.inject)
        )
        return gain * amount, mixing * amount, ours * (1.0 - amount)

    def _play(
        self, at: Level, latent: Tensor, edit: tuple[Tensor, Tensor, Tensor], clamp: float, injected: bool
    ) -> dict[str, Tensor]:
        gain, mixing, kept = edit
        return self.player.run(
            {
                "latent": latent,
                "time": self.time(at.timestep),
                "text": self.text,
                "gain": gain,
                "mixing": mixing,
                "kept": kept,
                "clamp": torch.tensor([clamp]),
                "self_base": torch.tensor([0, 0 if injected else 1]),
                "columns": torch.zeros(*self.text.shape[:2], 1) if self.columns is None else self.columns,
            }
        )
