"""A still picture brought to life without inversion: the first step of DDCM (Xu et al. 2023, InfEdit).

The picture is noised once with a noise that never changes. What the model sees in it under its own description is
kept; a frame adds only how that differs under the sounding conditioning. So a frame costs one network row, and in
silence, when both conditionings are the same, the picture comes back exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from livevis.generate.schedule import Level, add_noise


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """picture: its latent [1, C, h, w]; noisy: the same at the level it is edited at; source: x0 seen there."""

    picture: Tensor
    noisy: Tensor
    source: Tensor


def hold(picture: Tensor, noise: Tensor, level: Level, estimate: Callable[[Tensor], Tensor]) -> Still:
    """Keep a picture's latent for animation at `level` (timesteps 499..799 leave room to change and keep the layout).

    estimate: asks the model for x0 at a noisy latent under the picture's own description; it is called once.
    """
    noisy = add_noise(picture, noise, level)
    return Still(picture, noisy, estimate(noisy))


def animate(still: Still, estimate: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Return the frame's latent: picture + mask * (estimate - source), all [1, C, h, w].

    estimate: x0 that the model sees in `still.noisy` under the sounding conditioning; mask: where the picture may
    change, 0..1 (None: everywhere). Where the estimate is the source the picture stays, bit for bit.
    """
    change = estimate - still.source
    return still.picture + (change if mask is None else mask * change)
