"""Every scene as pixels: it compiles, it shows something, it obeys its inputs, it moves smoothly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from livevis.core.errors import ConfigError
from livevis.world.render import SceneRenderer
from livevis.world.scenes import SCENES, draw

NAMES = sorted(SCENES)


@pytest.fixture(scope="module")
def renderer() -> Iterator[SceneRenderer]:
    with SceneRenderer(64) as made:
        yield made


def shown(
    renderer: SceneRenderer,
    name: str,
    k: float,
    palette: int = 0,
    layout: float = 0.3,
    time: float = 3.0,
    camera: float = 0.5,
) -> npt.NDArray:
    inputs = {"intensity": k, "palette": palette, "layout": layout, "camera": camera}
    return renderer.render_at(name, inputs, time).astype(np.float64)


def luminance(picture: npt.NDArray) -> float:
    return float((picture @ [0.2126, 0.7152, 0.0722]).mean())


@pytest.mark.parametrize("name", NAMES)
def test_every_scene_renders_something(renderer: SceneRenderer, name: str) -> None:
    for palette in range(4):
        picture = shown(renderer, name, 0.5, palette, layout=palette / 3)
        assert picture.shape == (64, 64, 3)
        assert picture.std() > 4.0
        assert 2.0 < picture.mean() < 235.0


@pytest.mark.parametrize("name", NAMES)
def test_every_input_changes_the_picture(renderer: SceneRenderer, name: str) -> None:
    base = shown(renderer, name, 0.4)
    for other in (
        shown(renderer, name, 1.0),
        shown(renderer, name, 0.4, palette=2),
        shown(renderer, name, 0.4, layout=0.8),
        shown(renderer, name, 0.4, time=4.5),
        shown(renderer, name, 0.4, camera=0.0),
        shown(renderer, name, 0.4, camera=1.0),
    ):
        assert np.abs(base - other).mean() > 1.0


@pytest.mark.parametrize("name", NAMES)
def test_motion_is_smooth(renderer: SceneRenderer, name: str) -> None:
    """One 60 Hz frame changes far less than half a second does: there is motion and no flicker."""
    for start in (2.0, 31.7):
        now = shown(renderer, name, 0.7, time=start)
        step = np.abs(shown(renderer, name, 0.7, time=start + 1 / 60) - now).mean()
        leap = np.abs(shown(renderer, name, 0.7, time=start + 0.5) - now).mean()
        assert 0.0 < step < 0.75 * leap


@pytest.mark.parametrize("name", NAMES)
def test_intensity_is_obvious(renderer: SceneRenderer, name: str) -> None:
    """Calm, middle and raging differ far more from each other than two arrangements of the same do in the mean."""
    calm, middle, raging = (
        np.mean([shown(renderer, name, k, layout=x, time=9.0 * x) for x in (0.1, 0.4, 0.7)], 0) for k in (0.0, 0.5, 1.0)
    )
    assert np.abs(raging - calm).mean() > 8.0
    assert np.abs(raging - calm).mean() > 0.8 * max(np.abs(middle - calm).mean(), np.abs(raging - middle).mean())


@pytest.mark.parametrize("name", NAMES)
def test_intensity_is_continuous(renderer: SceneRenderer, name: str) -> None:
    """Sound plays this knob, so a small turn may not jump."""
    whole = np.abs(shown(renderer, name, 0.2) - shown(renderer, name, 0.9)).mean()
    for k in (0.25, 0.5, 0.8):
        assert np.abs(shown(renderer, name, k) - shown(renderer, name, k + 0.005)).mean() < 0.25 * whole


def test_fire_grows_brighter_with_intensity(renderer: SceneRenderer) -> None:
    for palette in range(4):
        levels = [
            luminance(np.mean([shown(renderer, "fire", k, palette, time=t) for t in (1.0, 3.3, 8.1)], 0))
            for k in np.linspace(0, 1, 6)
        ]
        assert all(b > a for a, b in itertools.pairwise(levels)), levels
        assert levels[-1] > 2.5 * levels[0]


HUES = {
    "red": (2, -1, -1), "orange": (1, 0, -1), "golden": (1, 0, -1), "green": (-1, 2, -1), "emerald": (-1, 2, -1),
    "cyan": (-2, 1, 1), "turquoise": (-2, 1, 1), "blue": (-1, -1, 2), "violet": (1, -2, 1), "magenta": (1, -2, 1),
    "pink": (1, -2, 1),
}  # fmt: skip
"""Which way a colour word pulls red, green and blue."""


def test_corals_have_the_colour_they_are_called(renderer: SceneRenderer) -> None:
    """Theirs is not that of the water around them: at least a twentieth of the picture is plainly so."""
    for value, word in enumerate(SCENES["coral"].palettes):
        pull = shown(renderer, "coral", 0.7, value) @ np.array(HUES[word])
        assert np.quantile(pull, 0.95) > 40.0, word


@pytest.mark.parametrize("name", [name for name in NAMES if name != "coral"])
def test_palettes_have_the_colour_they_are_called(renderer: SceneRenderer, name: str) -> None:
    """Against the mean of its scene's four palettes, each is tinted towards its word."""
    tints = np.array([shown(renderer, name, 0.7, value).mean(axis=(0, 1)) for value in range(4)])
    tints /= tints.sum(axis=1, keepdims=True)
    for word, tint in zip(SCENES[name].palettes, tints - tints.mean(axis=0), strict=True):
        if word in HUES:
            assert tint @ HUES[word] > 0.0, (name, word, tints)


def test_draws_repeat_bit_for_bit_in_another_context(renderer: SceneRenderer) -> None:
    with SceneRenderer(64) as other:
        for index in range(6):
            np.testing.assert_array_equal(renderer.render(draw(1, index)), other.render(draw(1, index)))


def test_the_top_row_comes_first(renderer: SceneRenderer) -> None:
    picture = shown(renderer, "fire", 0.3)
    assert picture[40:].mean() > 3.0 * picture[:24].mean()


def test_supersampling_averages_a_larger_picture(renderer: SceneRenderer) -> None:
    with SceneRenderer(32, supersample=2) as small:
        fine = shown(renderer, "nebula", 0.5).reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(shown(small, "nebula", 0.5), fine, atol=0.51)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="size 0"):
        SceneRenderer(0)
