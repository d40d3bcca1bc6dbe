"""Mixtures: both parts are there, where the relation says, and the seam is soft."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.world.captions import RELATIONS, Part
from livevis.world.mixture import first_share, seam
from livevis.world.render import SceneRenderer
from livevis.world.scenes import draw

SIZE = 96
Picture = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def renderer() -> Iterator[SceneRenderer]:
    with SceneRenderer(SIZE) as made:
        yield made


def made(name: str, palette: int, layout: float = 0.3) -> Part:
    return Part(name, {"intensity": 0.7, "palette": palette, "layout": layout, "camera": 0.5}, 4.0)


RED, BLUE = made("volcano", 0), made("nebula", 1)
"""A red and a blue picture, both blue and red all over."""


def redness(picture: Picture) -> Picture:
    return np.asarray(picture[..., 0] - picture[..., 2], np.float64)


def shown(renderer: SceneRenderer, relation: str, first: Part, second: Part) -> Picture:
    return renderer.render_parts((first, second), relation).astype(np.float64)


def halves(picture: Picture, first: Part, relation: str) -> tuple[Picture, Picture]:
    """The regions well inside the first and the second part."""
    if relation == "over":
        return picture[: SIZE // 4], picture[-SIZE // 4 :]
    if relation == "beside":
        left, right = picture[:, : SIZE // 4], picture[:, -SIZE // 4 :]
        return (left, right) if float(first.inputs["layout"]) < 0.5 else (right, left)
    middle = slice(SIZE * 2 // 5, SIZE * 3 // 5)
    return picture[middle, middle], picture[:, [0, 1, 2, -3, -2, -1]]


@pytest.mark.parametrize("layout", [0.1, 0.9])
@pytest.mark.parametrize("relation", RELATIONS)
def test_each_part_has_its_place(renderer: SceneRenderer, relation: str, layout: float) -> None:
    for first, second, sign in ((made("volcano", 0, layout), BLUE, 1), (made("nebula", 1, layout), RED, -1)):
        a, b = halves(shown(renderer, relation, first, second), first, relation)
        assert sign * (redness(a).mean() - redness(b).mean()) > 30.0


@pytest.mark.parametrize("relation", RELATIONS)
def test_one_scene_with_itself_leaves_no_dark_seam(renderer: SceneRenderer, relation: str) -> None:
    """Around the seam the mixture is as light as its parts: nothing fades to black there."""
    picture = shown(renderer, relation, made("nebula", 1), made("nebula", 1, 0.4))
    band = picture[SIZE * 2 // 5 : SIZE * 3 // 5] if relation == "over" else picture
    assert band.mean() > 0.7 * picture.mean()
    assert band.max(axis=2).mean(axis=1).min() > 8.0


def test_a_part_is_drawn_as_it_is_alone(renderer: SceneRenderer) -> None:
    """Around the disc the second part is the plain picture, bit for bit but for the glow of the seam."""
    plain = renderer.render_part(RED).astype(np.float64)
    picture = shown(renderer, "inside", BLUE, RED)
    edge = np.ones((SIZE, SIZE), bool)
    edge[4:-4, 4:-4] = False
    assert np.abs(picture - plain)[edge].mean() < 4.0
    assert np.abs(picture - plain)[SIZE // 3 : -SIZE // 3, SIZE // 3 : -SIZE // 3].mean() > 20.0


@pytest.mark.parametrize("relation", RELATIONS)
def test_the_seam_is_soft_and_ragged(renderer: SceneRenderer, relation: str) -> None:
    """Swapping one part for another changes some points wholly, some in part; the border is no straight line."""
    first, other = made("neon_tunnel", 1), made("snow", 3)
    change = np.abs(shown(renderer, relation, first, RED) - shown(renderer, relation, other, RED)).max(axis=2)
    inner = change > 6.0
    border = inner.sum(axis=0 if relation == "over" else 1)
    assert len(set(border.tolist())) > 4


@given(st.sampled_from(RELATIONS), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_regions_lie_in_the_picture_and_cover_it(relation: str, a: float, b: float) -> None:
    where = seam(relation, made("fire", 0, a), made("rain", 0, b))
    for x, y, width, height in (where.first, where.second):
        assert x >= -1e-9 and y >= -1e-9 and x + width <= 1 + 1e-9 and y + height <= 1 + 1e-9
    if relation != "inside":
        assert sum(w * h for _, _, w, h in (where.first, where.second)) > 1.2


@pytest.mark.parametrize("relation", RELATIONS)
def test_layout_moves_the_seam(relation: str) -> None:
    places = {seam(relation, made("fire", 0, a), RED).shape for a in (0.02, 0.13, 0.31, 0.44, 0.58, 0.67, 0.81, 0.97)}
    assert len(places) == 8


def test_mixtures_repeat_bit_for_bit_in_another_context(renderer: SceneRenderer) -> None:
    mixed = [found for index in range(60) if (found := draw(1, index)).relation][:5]
    with SceneRenderer(SIZE) as other:
        for found in mixed:
            np.testing.assert_array_equal(renderer.render(found), other.render(found))
            alone = other.render_part(found.parts[0])
            assert alone.std() >= 0.0  # a single part in between leaves nothing behind
            np.testing.assert_array_equal(renderer.render(found), other.render(found))


def test_mixtures_move_smoothly(renderer: SceneRenderer) -> None:
    def at(time: float) -> Picture:
        first, second = (Part(p.scene, p.inputs, time) for p in (RED, BLUE))
        return shown(renderer, "over", first, second)

    step, leap = np.abs(at(5.0 + 1 / 60) - at(5.0)).mean(), np.abs(at(5.5) - at(5.0)).mean()
    assert 0.0 < step < 0.75 * leap


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_mixture_is_the_same_at_another_size(renderer: SceneRenderer, relation: str) -> None:
    with SceneRenderer(SIZE // 2, supersample=4) as other:
        small = shown(other, relation, RED, BLUE)
    large = shown(renderer, relation, RED, BLUE).reshape(SIZE // 2, 2, SIZE // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - large).mean() < 6.0


@pytest.mark.parametrize("layout", [0.1, 0.9])
@pytest.mark.parametrize("relation", RELATIONS)
def test_the_share_of_a_cell_says_where_the_first_part_is_seen(
    renderer: SceneRenderer, relation: str, layout: float
) -> None:
    first = made("volcano", 0, layout)
    share = first_share((first, BLUE), relation, 8)
    cells = redness(shown(renderer, relation, first, BLUE)).reshape(8, SIZE // 8, 8, SIZE // 8).mean((1, 3))
    assert cells[share == 1].mean() - cells[share == 0].mean() > 30.0
    assert np.corrcoef(share.ravel(), cells.ravel())[0, 1] > 0.7


@given(st.sampled_from(RELATIONS), st.floats(0, 1), st.floats(0, 1))
def test_coarse_shares_are_the_means_of_fine_ones(relation: str, a: float, b: float) -> None:
    parts = made("volcano", 0, a), made("nebula", 1, b)
    fine = first_share(parts, relation, 8).reshape(4, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(first_share(parts, relation, 4, fine=16), fine, atol=1e-6)
    assert (first_share(parts[:1], "", 4) == 1).all()
