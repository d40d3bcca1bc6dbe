"""Feedback: stillness is exact, motion is what its name says, and going round does not wear the picture out."""

from __future__ import annotations

import math

import pytest
import torch

from livevis.generate.latents import Motion, carry, catmull_rom, start, warp


def blob(x: float, y: float, side: int = 32) -> torch.Tensor:
    """A soft spot at (x, y), both -1..1, y downwards."""
    axis = (torch.arange(side) + 0.5) * 2 / side - 1
    spot = torch.exp(-((axis[None, :] - x) ** 2 + (axis[:, None] - y) ** 2) / 0.02)
    return spot[None, None].repeat(1, 4, 1, 1)


def centre(latent: torch.Tensor) -> tuple[float, float]:
    side = latent.shape[-1]
    axis = (torch.arange(side) + 0.5) * 2 / side - 1
    weight = latent[0, 0].clamp_min(0.05) - 0.05
    return float((weight.sum(0) * axis).sum() / weight.sum()), float((weight.sum(1) * axis).sum() / weight.sum())


def test_without_motion_the_latent_comes_back_bit_for_bit() -> None:
    latent = torch.randn(1, 4, 16, 16)
    assert carry(latent, Motion(), 0.1) is latent
    assert carry(latent, Motion(zoom=1.0, rotate_deg=90.0, shift_x=1.0), 0.0) is latent
    torch.testing.assert_close(warp(latent, Motion(), 0.1), latent, rtol=1e-4, atol=1e-4)


def test_sampling_reproduces_a_parabola_and_the_pixels_themselves() -> None:
    """Catmull-Rom is exact for second-degree polynomials; torch's own bicubic is not even for a ramp."""
    axis = torch.arange(16) + 0.5
    surface = (axis[None, :] ** 2 - 3 * axis[:, None] + axis[None, :] * axis[:, None])[None, None]
    points = torch.rand(5, 7, 2, generator=torch.Generator().manual_seed(1)) * 10 + 3
    x, y = points[..., 0], points[..., 1]
    torch.testing.assert_close(catmull_rom(surface, points)[0, 0], x**2 - 3 * y + x * y, rtol=1e-4, atol=1e-3)
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    torch.testing.assert_close(catmull_rom(surface, grid), surface, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("motion", "seconds", "to"),
    [
        (Motion(shift_x=0.25), 1.0, (0.5 + 0.3, 0.0)),
        (Motion(shift_y=0.25), 1.0, (0.3, 0.5)),
        (Motion(rotate_deg=90.0), 1.0, (0.0, 0.3)),
        (Motion(zoom=math.log(2.0)), 1.0, (0.6, 0.0)),
        (Motion(zoom=-math.log(2.0)), 0.5, (0.3 / math.sqrt(2), 0.0)),
    ],
    ids=["right", "down", "clockwise", "in", "out"],
)
def test_motion_goes_where_its_name_says(motion: Motion, seconds: float, to: tuple[float, float]) -> None:
    assert centre(warp(blob(0.3, 0.0), motion, seconds)) == pytest.approx(to, abs=0.03)


def test_motion_does_not_depend_on_the_frame_rate() -> None:
    motion = Motion(zoom=0.4, rotate_deg=40.0, decay=0.5)
    ends = []
    for frames in (5, 40):
        latent = blob(0.3, 0.2)
        for _ in range(frames):
            latent = carry(latent, motion, 1.0 / frames)
        ends.append((*centre(latent / latent.max()), float(latent.sum())))
    assert ends[0][:2] == pytest.approx(ends[1][:2], abs=0.02)
    assert ends[0][2] == pytest.approx(ends[1][2], rel=0.1)


def test_turning_for_ten_seconds_neither_washes_out_nor_blows_up() -> None:
    latent = torch.nn.functional.interpolate(
        torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)), (32, 32), mode="bicubic"
    )
    before = latent.std()
    for _ in range(300):
        latent = carry(latent, Motion(rotate_deg=30.0, zoom=0.05), 1 / 30)
    assert 0.6 < float(latent.std() / before) < 1.3


def test_decay_is_a_share_per_second() -> None:
    latent = torch.ones(1, 4, 8, 8)
    torch.testing.assert_close(carry(latent, Motion(decay=0.75), 0.5), latent * 0.5)
    assert not carry(latent, Motion(decay=1.0), 0.1).any()


def test_start_mixes_by_share_and_takes_what_there_is() -> None:
    scene, own = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    assert start(None, None, 0.5) is None and start(scene, None, 1.0) is scene and start(None, own, 0.0) is own
    torch.testing.assert_close(start(scene, own, 0.25), own * 0.25)
