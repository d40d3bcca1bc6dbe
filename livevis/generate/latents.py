"""Where a frame starts: the last picture's latent, moved and faded, mixed with the encoded init picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


@dataclass(frozen=True, slots=True)
class Motion:
    """How fed-back latents move, per second so that any frame rate looks alike.

    zoom: > 0 grows (natural log of the scale); rotate_deg: clockwise; shift_x: widths to the right; shift_y:
    heights downwards; decay: share that fades away, 0..1.
    """

    zoom: float = 0.0
    rotate_deg: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    decay: float = 0.0

    @property
    def still(self) -> bool:
        """Whether nothing moves (fading is not moving)."""
        return not (self.zoom or self.rotate_deg or self.shift_x or self.shift_y)


def carry(latent: Tensor, motion: Motion, dt_s: float) -> Tensor:
    """Move and fade a latent [1, C, h, w] by `dt_s` seconds of `motion`; without motion it comes back bit for bit."""
    if not motion.still and dt_s > 0:
        latent = warp(latent, motion, dt_s)
    if motion.decay > 0:
        latent = latent * max(1.0 - motion.decay, 0.0) ** dt_s
    return latent


def warp(latent: Tensor, motion: Motion, dt_s: float) -> Tensor:
    """Resample the latent once, mirrored at the edges, and give it the contrast that it had.

    Fed back thirty times a second, the slightest blur would wash the picture out within seconds, the slightest
    overshoot blow it up.
    """
    moved = catmull_rom(latent, _sources(motion, dt_s, latent))
    mean = moved.mean((2, 3), keepdim=True)
    lost = latent.std((2, 3), keepdim=True) / moved.std((2, 3), keepdim=True).clamp_min(1e-6)
    return mean + (moved - mean) * lost.clamp(0.9, 1.1)


def _sources(motion: Motion, dt_s: float, latent: Tensor) -> Tensor:
    """Return [h, w, 2]: where each output pixel comes from, in pixels (x, y), the first centre at 0.5."""
    height, width = latent.shape[-2:]
    shrink, angle = math.exp(-motion.zoom * dt_s), math.radians(motion.rotate_deg) * dt_s
    cos, sin = shrink * math.cos(angle), shrink * math.sin(angle)
    right, down = width * motion.shift_x * dt_s, height * motion.shift_y * dt_s
    # Undone in the reverse order: shift back, then turn and scale back about the middle.
    x = torch.arange(width, device=latent.device) + (0.5 - width / 2 - right)
    y = (torch.arange(height, device=latent.device) + (0.5 - height / 2 - down))[:, None]
    return torch.stack((cos * x + sin * y + width / 2, cos * y - sin * x + height / 2), -1)


def catmull_rom(latent: Tensor, points: Tensor) -> Tensor:
    """Sample a latent [1, C, h, w] at `points` [h', w', 2] in pixels with the Catmull-Rom cubic (Keys 1981, a = -1/2).

    Its four taps an axis are three bilinear ones, so nine of torch's bilinear samples do it. torch's own bicubic
    has a = -3/4, which does not reproduce a ramp: small motions would come out half as large again.
    """
    size = points.new_tensor((latent.shape[3], latent.shape[2]))
    base = (points - 0.5).floor() + 0.5
    f = points - base
    first, last = f * (f * (1.0 - 0.5 * f) - 0.5), f * f * (0.5 * f - 0.5)
    middle = 1.0 - first - last
    taps = torch.stack((base - 1.0, base + f * (0.5 + f * (2.0 - 1.5 * f)) / middle, base + 2.0))
    weights = torch.stack((first, middle, last))
    # All nine pairs of an x tap and a y tap, one below the other in one call.
    grid = torch.stack(torch.broadcast_tensors(taps[:, None, ..., 0], taps[None, :, ..., 1]), -1) * (2.0 / size) - 1.0
    samples = grid_sample(
        latent, grid.flatten(0, 2)[None], mode="bilinear", padding_mode="reflection", align_corners=False
    )
    pairs = (weights[:, None, ..., 0] * weights[None, :, ..., 1]).flatten(0, 1)
    return (samples.unflatten(2, (9, points.shape[0])) * pairs).sum(2)


def start(encoded: Tensor | None, own: Tensor | None, share: float) -> Tensor | None:
    """Mix the init picture's latent with `share` 0..1 of one's own; where one is missing the other is all."""
    if encoded is None or own is None:
        return own if encoded is None else encoded
    return torch.lerp(encoded, own, share)
