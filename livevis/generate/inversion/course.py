"""The inverted picture's trajectory and its edits: AADiff as published, word gains on the base picture's maps.

Every frame starts from the same noise and takes the same steps, under the same empty prompts; what differs is how
strongly the maps of its words are played, at every step, and the maps are the base picture's (Hertz et al. 2022,
section 3.2, not renormalised). While the prompt is the one that was inverted, what those maps mix is affine in the
gains, so it is recorded once (`prompt_to_prompt.affine`) and a frame asks one row of the prompt and, with guidance, one
of the empty prompt. Under another prompt, or where the recording would be too large, the base row runs beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from livevis.generate.inversion.ddim import guided, replay
from livevis.generate.inversion.network import NoiseNetwork
from livevis.generate.prompt_to_prompt.affine import Recording
from livevis.generate.prompt_to_prompt.edits import Edit
from livevis.generate.schedule import Level


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """The picture as the model plays it back.

    levels: n + 1, noisiest first; text [1, tokens, width]: of the inverted prompt; nulls: the empty prompt's embedding
    at each step, None without guidance; latents [1, C, h, w]: one per level, the last is the reconstruction.
    """

    levels: tuple[Level, ...]
    text: Tensor
    nulls: tuple[Tensor, ...] | None
    guidance: float
    latents: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What each cross-attention of the base row mixes at each step, and how gains on `tokens` move it."""

    tokens: tuple[int, ...]
    steps: tuple[Recording, ...]

    def outputs(self, step: int, gains: Tensor, clamp: float = 0.0) -> dict[str, Tensor]:
        """Return what each site mixes [1, n, C] for gains [1, len(tokens)]; gains 1 give the base row's bits.

        clamp: limit of the norm as a multiple of the base row's, 0 is none.
        """
        return {site: layer.at(gains, clamp or None) for site, layer in self.steps[step].sites.items()}


def play_back(
    network: NoiseNetwork,
    start: Tensor,
    text: Tensor,
    nulls: tuple[Tensor, ...] | None,
    levels: tuple[Level, ...],
    guidance: float,
) -> Base:
    """Return the trajectory from `start`, the noisiest pivot, to the reconstruction."""
    empty = Base(levels, text, nulls, guidance, (start,))
    latents = _along(network, empty, lambda z, k: network(z, levels[k], text))
    return Base(levels, text, nulls, guidance, latents)


def record(network: NoiseNetwork, base: Base, tokens: Sequence[int], *, limit_bytes: int) -> Recorded | None:
    """Run the base row once more and keep what gains on `tokens` would do; None if that exceeds `limit_bytes`."""
    directions = one_hot(torch.tensor(tokens), base.text.shape[1]).to(base.text)
    steps: list[Recording] = []
    for latent, level in zip(base.latents, base.levels[:-1], strict=False):
        steps.append(Recording(directions))
        network(latent, level, base.text, recording=steps[-1])
        if _bytes(steps[0]) * (len(base.levels) - 1) > limit_bytes:
            return None
    return Recorded(tuple(tokens), tuple(steps))


def play_recorded(network: NoiseNetwork, base: Base, recorded: Recorded, gain: Tensor, *, clamp: float = 0.0) -> Tensor:
    """Return the latent of a frame under the inverted prompt; gain [1, tokens] is 1 but at the recorded tokens."""
    gains = gain[:, list(recorded.tokens)]

    def prompt(z: Tensor, k: int) -> Tensor:
        return network(z, base.levels[k], base.text, outputs=recorded.outputs(k, gains, clamp))

    return _along(network, base, prompt)[-1]


def play_injected(network: NoiseNetwork, base: Base, text: Tensor, gain: Tensor, *, clamp: float = 0.0) -> Tensor:
    """Return the latent of a frame under any prompt [1, tokens, width], on the base row's maps token by token."""
    edit = Edit(
        mixing=torch.cat((torch.ones_like(gain), gain)),
        base=torch.zeros(2, dtype=torch.int64, device=gain.device),
        clamp=gain.new_full((2,), clamp) if clamp else None,
    )
    texts = torch.cat((base.text, text))

    def prompt(z: Tensor, k: int) -> Tensor:
        return network(torch.cat((base.latents[k], z)), base.levels[k], texts, edit=edit)[1:]

    return _along(network, base, prompt)[-1]


def _along(network: NoiseNetwork, base: Base, prompt: Callable[[Tensor, int], Tensor]) -> tuple[Tensor, ...]:
    """Replay from the base's start; prompt(z, k): the noise seen under the prompt."""

    def ask(z: Tensor, k: int) -> Tensor:
        found = prompt(z, k)
        if base.nulls is None:
            return found
        return guided(network(z, base.levels[k], base.nulls[k]), found, base.guidance)

    return replay(ask, base.latents[0], base.levels)


def _bytes(step: Recording) -> int:
    return sum(layer.base.nbytes + layer.moves.nbytes for layer in step.sites.values())
