"""Flicker: what moves is forgiven, what jumps is not."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.types import Conditioning, Controls, Cue, Picture
from livevis.evaluate.flicker import Fresh, flicker, warp_error, write_constant_sound

DRAW = np.random.default_rng(3)


def smooth_picture() -> Picture:
    """Soft blobs: something that a flow can hold on to."""
    coarse = DRAW.integers(0, 256, (12, 12, 3)).astype(np.float64)
    rows = np.linspace(0, 10.99, 96)
    low, share = rows.astype(int), rows - rows.astype(int)
    tall = coarse[low] * (1 - share)[:, None, None] + coarse[low + 1] * share[:, None, None]
    wide = tall[:, low] * (1 - share)[None, :, None] + tall[:, low + 1] * share[None, :, None]
    return wide.astype(np.uint8)


def noise_picture() -> Picture:
    return DRAW.integers(0, 256, (96, 96, 3), dtype=np.uint8)


def test_a_still_picture_does_not_flicker() -> None:
    picture = smooth_picture()
    assert warp_error(picture, picture) == 0.0


def test_motion_is_forgiven() -> None:
    picture = smooth_picture()
    moved = np.roll(picture, 3, axis=1)
    raw = float(np.square((picture.astype(float) - moved) / 255).mean())
    assert warp_error(picture, moved) < 0.1 * raw


def test_noise_is_not_forgiven() -> None:
    assert warp_error(noise_picture(), noise_picture()) > 0.02


def test_flicker_is_the_median_of_neighbours() -> None:
    still, other = smooth_picture(), noise_picture()
    assert flicker(iter([still] * 5 + [other])) == 0.0
    assert flicker(iter([still, other])) == warp_error(still, other)


def test_one_picture_is_too_few() -> None:
    with pytest.raises(ConfigError, match="two pictures"):
        flicker(iter([smooth_picture()]))


class Recording:
    """A generator that keeps what it was told."""

    size = 64

    def __init__(self) -> None:
        self.cues: list[Cue] = []

    def init(self, seed: int) -> int:
        return seed

    def step(self, state: int, cue: Cue, conditioning: Conditioning, init: Picture | None) -> tuple[int, None]:
        self.cues.append(cue)
        return state, None


def test_fresh_noise_takes_a_whole_bank_entry_a_frame_and_no_feedback() -> None:
    inner = Recording()
    controls = Controls(1, {row.id: row.default for row in CATALOGUE} | {"feedback/amount": 0.8})
    Fresh(inner, 24.0).step(0, Cue(0, 0, 0.0, controls), Conditioning(()), None)
    (cue,) = inner.cues
    assert cue.controls.number("diffusion/walk") / 24.0 == 1.0
    assert cue.controls.number("feedback/amount") == 0.0
    assert controls.number("feedback/amount") == 0.8


def test_the_constant_sound_is_constant(tmp_path: Path) -> None:
    path = tmp_path / "constant.wav"
    write_constant_sound(path, 2.0)
    with wave.open(str(path)) as file:
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    levels = np.sqrt(np.square(sound[:96_000].reshape(8, -1)).mean(axis=1))
    assert len(sound) == 96_000
    assert np.ptp(levels) < 0.2 * levels.mean()
