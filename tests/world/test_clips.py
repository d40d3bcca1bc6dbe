"""Clips: the curve that moves the picture is the one that is heard."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.world.captions import RELATIONS
from livevis.world.clips import SHAPES, Clip, clip, sounding
from livevis.world.render import SceneRenderer
from livevis.world.split import held_out_pair

seeds = st.integers(0, 2**31)


def find(shape: str, *, parts: int = 1, scenes: tuple[str, ...] = ()) -> Clip:
    """The first clip of one part (or two) whose first curve has this shape."""
    found = (clip(1, index, seconds=4.0) for index in range(3000))
    return next(c for c in found if c.shapes[0] == shape and len(c.parts) == parts and c.parts[0].scene in scenes)


@given(seeds, seeds)
@settings(max_examples=40)
def test_clips_are_deterministic_and_in_range(seed: int, index: int) -> None:
    found, again = clip(seed, index, seconds=3.0), clip(seed, index, seconds=3.0)
    assert (found.parts, found.relation, found.caption, found.shapes, found.seed) == (
        again.parts, again.relation, again.caption, again.shapes, again.seed,
    )  # fmt: skip
    assert len(found.parts) == len(found.curves) == (2 if found.relation in RELATIONS else 1)
    for curve, same in zip(found.curves, again.curves, strict=True):
        np.testing.assert_array_equal(curve, same)
        assert curve.shape == (300,) and curve.dtype == np.float32
        assert curve.min() >= 0.0 and curve.max() <= 1.0
    assert set(found.caption.bands) == {None}
    assert {part.scene for part in found.parts} <= set(sounding())


def test_training_clips_never_hold_a_held_out_pair() -> None:
    mixed = [c for index in range(0, 800, 16) if (c := clip(4, index)).relation]
    assert mixed and not any(held_out_pair(*(part.scene for part in c.parts)) for c in mixed)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_moves_and_never_leaps(shape: str) -> None:
    for seed in range(20):
        curve = np.clip(SHAPES[shape](np.arange(1000) / 100, np.random.default_rng(seed)), 0.0, 1.0)
        assert np.ptp(curve) > 0.3
        assert np.abs(np.diff(curve)).max() <= 0.4


def test_parts_follow_the_curve() -> None:
    found = clip(2, 5, seconds=3.0)
    for step in (0, 117, 299):
        parts = found.parts_at(step / 100)
        for part, base, curve in zip(parts, found.parts, found.curves, strict=True):
            assert part.inputs["intensity"] == pytest.approx(float(curve[step]))
            assert part.time == pytest.approx(base.time + step / 100)
            assert {**part.inputs, "intensity": 0} == {**base.inputs, "intensity": 0}


def test_frames_are_the_parts_at_their_times() -> None:
    found = clip(2, 5, seconds=1.0)
    with SceneRenderer(32) as renderer:
        frames = list(found.frames(renderer, 6.0))
        assert len(frames) == 6
        np.testing.assert_array_equal(frames[3], renderer.render_parts(found.parts_at(0.5), found.relation))
        assert np.abs(frames[0].astype(float) - frames[5]).mean() > 0.5


@pytest.mark.parametrize("scene", ["fire", "rain", "ocean_waves"])
def test_what_is_seen_to_rage_is_heard_to_rage(scene: str) -> None:
    found = find("steps", scenes=(scene,))
    sound = found.sound()
    assert sound.shape == (4 * 48_000,) and sound.dtype == np.float32
    assert 0.01 < np.abs(sound).max() <= 1.0
    np.testing.assert_array_equal(sound, found.sound())
    loudness = np.sqrt((sound.reshape(-1, 4800) ** 2).mean(axis=1))
    levels = found.curves[0].reshape(-1, 10).mean(axis=1)
    loud, soft = loudness[levels >= np.quantile(levels, 0.8)], loudness[levels <= np.quantile(levels, 0.2)]
    assert loud.mean() > 1.3 * soft.mean()


def test_a_mixture_is_heard_as_both() -> None:
    found = find("swells", parts=2, scenes=sounding())
    sound = found.sound()
    assert sound.shape == (4 * 48_000,) and 0.0 < np.abs(sound).max() <= 1.0
