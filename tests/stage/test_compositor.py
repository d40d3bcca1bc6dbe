"""What a display frame must be: unchanged without effects, alive with them, never stuck, never white."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livevis.core.places import assets
from livevis.stage.chain import CHAIN
from livevis.stage.compositor import Compositor, internal_size
from livevis.stage.flash import FLASH
from livevis.stage.isf import read_header
from livevis.stage.isf_glsl import LIVE_FLOATS
from livevis.stage.offscreen import Offscreen
from livevis.stage.picture_lane import cover
from livevis.stage.uniforms import live_values

from .conftest import Player, controls, hearing
from .test_flash import most_flashes

SOUNDING = {"effect/zoom": 0.8, "effect/displace": 0.8, "effect/bloom": 0.8, "effect/flash": 0.8}


def noise(height: int = 180, width: int = 320, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def landscape() -> np.ndarray:
    """A picture like a picture: gradients, a bright disc, nothing pure white."""
    y, x = np.mgrid[0:180, 0:320]
    disc = np.hypot(x - 200, y - 70) < 30
    rgb = np.stack([40 + x * 0.3, 60 + y * 0.5, 120 + 40 * np.sin(x / 17) + 0 * y], axis=-1) + 80 * disc[..., None]
    return np.clip(rgb, 0, 240).astype(np.uint8)


def grey(level: int) -> np.ndarray:
    return np.full((180, 320, 3), level, np.uint8)


def settle(play: Player, picture: np.ndarray, picture_id: int = 0, **changed: object) -> np.ndarray:
    """Play until the lane has come in over the scene."""
    return play(picture, picture_id, count=12, fps=12.0, **changed)


def test_no_effect_is_no_change(play: Player) -> None:
    picture = noise()
    assert np.abs(settle(play, picture, loud=1.0) - picture).max() <= 1


def test_a_square_picture_covers_the_stage_without_distortion(play: Player) -> None:
    assert cover((256, 256), (1280, 720)) == (1.0, 0.5625)
    picture = noise(320, 320)
    assert np.abs(settle(play, picture) - picture[70:250]).max() <= 1


def test_a_small_picture_is_enlarged_smoothly_within_its_own_range(play: Player) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:] = 200
    shown = settle(play, picture)
    edge = shown[90, 120:200, 0]
    assert np.all(np.diff(edge) >= -12) and edge[0] <= 16 and abs(edge[-1] - 200) <= 16
    assert np.any((edge > 40) & (edge < 160)), "no staircase of nearest neighbours"


def test_a_crossfade_only_moves_towards_the_new_picture(play: Player) -> None:
    settle(play, grey(20), 1)
    means = [play(grey(220), 2, effect__crossfade=0.5).mean() for _ in range(20)]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(means))
    assert 20 <= means[0] < 60 and means[-1] == 220 and len(set(means)) > 10


def test_pictures_arriving_in_a_fade_never_jump(play: Player) -> None:
    settle(play, grey(0), 1)
    means = [play(grey(255 * (k % 2)), 2 + k, count=1, effect__crossfade=0.5).mean() for k in range(30)]
    step = 255 / (0.5 * 30)
    assert np.abs(np.diff(means)).max() <= step + 2


def test_a_picture_is_uploaded_when_its_id_is_new(play: Player) -> None:
    settle(play, grey(50), 7)
    assert play(grey(200), 7).mean() == 50
    assert play(grey(200), 8).mean() == 200


def test_without_a_generator_the_scene_plays_alone_and_hands_over(play: Player) -> None:
    alone = play(None, count=3, scene__speed=0.0)
    assert alone.std() > 3
    assert np.abs(settle(play, grey(90), 1, scene__speed=0.0) - 90).max() <= 1
    assert np.abs(play(None, count=12, fps=12.0, scene__speed=0.0) - alone).max() <= 1


def test_scene_mix_shows_the_scene_over_the_picture(play: Player) -> None:
    alone = play(None, scene__speed=0.0)
    settle(play, grey(90), 1, scene__speed=0.0)
    mixed = play(grey(90), 1, scene__speed=0.0, effect__scene_mix=1.0)
    assert np.abs(mixed - alone).max() <= 1
    half = play(grey(90), 1, scene__speed=0.0, effect__scene_mix=0.5)
    assert np.abs(half - (alone + 90) / 2).max() <= 2


def test_a_punch_comes_nearer_and_swings_back_to_where_it_was(play: Player) -> None:
    picture = landscape()
    still = settle(play, picture)
    assert np.abs(play(picture, effect__punch=1.0) - still).mean() > 3
    away = [np.abs(play(picture, effect__punch=amount) - still).mean() for amount in (0.6, 0.3, 0.1)]
    assert away == sorted(away, reverse=True)
    assert np.array_equal(play(picture), still)


def test_each_punch_goes_another_way_and_a_slow_rise_is_one_punch(play: Player) -> None:
    picture = landscape()
    settle(play, picture)
    first = play(picture, effect__punch=0.6)
    assert np.array_equal(play(picture, count=3, effect__punch=0.6), first), "held is held"
    play(picture, effect__punch=0.3)
    assert np.abs(play(picture, effect__punch=0.6) - first).mean() > 1
    play(picture, count=2)
    for amount in (0.1, 0.25, 0.4, 0.6):
        risen = play(picture, effect__punch=amount)
    assert np.array_equal(risen, first), "by hand, from rest: one punch, the first"


def test_a_punch_never_shows_the_edge(play: Player) -> None:
    picture = grey(90)
    picture[[0, -1], :] = picture[:, [0, -1]] = 255
    settle(play, picture)
    for amount in (1.0, 0.6, 0.9, 0.65, 0.7, 0.6, 1.0, 0.8):
        assert np.abs(play(picture, effect__punch=amount) - 90).max() <= 1


@pytest.mark.parametrize("effect", sorted(SOUNDING))
def test_every_effect_hears(play: Player, effect: str) -> None:
    name = effect.replace("/", "__")
    quiet = settle(play, landscape(), **{name: SOUNDING[effect]})
    loud = play(landscape(), count=3, loud=1.0, **{name: SOUNDING[effect]})
    assert np.abs(loud - quiet).mean() > 2.0


@pytest.mark.parametrize("effect", ["effect/displace", "effect/bloom"])
def test_effects_live_in_silence(play: Player, effect: str) -> None:
    name = effect.replace("/", "__")
    first = settle(play, landscape(), **{name: 0.8})
    later = play(landscape(), count=10, fps=10.0, **{name: 0.8})
    assert 0.1 < np.abs(later - first).mean() < 20


def test_nothing_whites_out(play: Player) -> None:
    everything = {effect.replace("/", "__"): 1.0 for effect in SOUNDING}
    shown = settle(play, landscape(), loud=1.0, **everything)
    assert shown.mean() < 215 and np.mean(shown.min(axis=2) >= 254) < 0.02


def test_trails_do_not_depend_on_the_frame_rate(play: Player) -> None:
    settle(play, grey(0), 1, effect__zoom=0.9)
    settle(play, landscape(), 2, effect__zoom=0.9)
    slow = play(landscape(), 2, count=30, fps=30.0, effect__zoom=0.9, loud=0.3)
    fast = play(landscape(), 2, count=60, fps=60.0, effect__zoom=0.9, loud=0.3)
    assert np.abs(slow - fast).mean() < 6


def test_hue_turns_the_wheel_and_saturation_zero_is_grey(play: Player) -> None:
    picture = landscape()
    turned = settle(play, picture, effect__hue=0.5)
    assert np.abs(turned - picture).mean() > 10
    luma = np.array([0.299, 0.587, 0.114])
    assert np.abs(turned @ luma - picture @ luma).max() < 4, "hue keeps lightness"
    flat = play(picture, effect__saturation=0.0)
    assert np.ptp(flat, axis=2).max() <= 1


def test_blackout_is_quick_works_on_a_frozen_picture_and_comes_back(play: Player) -> None:
    settle(play, grey(120))
    assert play(grey(120), count=6, output__blackout=True, output__freeze=True).max() == 0
    assert play(grey(120), count=15).min() == 120


def test_blackout_goes_through_the_flash_limiter(play: Player) -> None:
    for k in range(60):  # uses up every flash there is
        play(grey(255 * (k % 6 < 3)), k, output__flash_limit=True)
    assert play(grey(255), 99, count=6, output__flash_limit=True, output__blackout=True).max() == 0


def test_freeze_holds_the_picture_whatever_arrives(play: Player) -> None:
    held = settle(play, noise(seed=1), 1)
    frozen = play(noise(seed=2), 2, count=5, loud=1.0, output__freeze=True)
    assert np.array_equal(held, frozen)


def test_brightness_and_opacity_scale(play: Player) -> None:
    settle(play, grey(100))
    assert abs(play(grey(100), output__brightness=1.5).mean() - 150) <= 1
    assert abs(play(grey(100), output__opacity=0.5).mean() - 50) <= 1


def strobe(play: Player, *, limit: bool) -> list[float]:
    """Mean relative luminance, from the pixels on the surface, of a black and white strobe at 5 Hz."""
    settle(play, grey(0), 1000)
    levels = []
    for k in range(75):
        shown = play(grey(255 * (k % 6 < 3)), k, output__flash_limit=limit) / 255.0
        linear = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
        levels.append(float(linear.mean()))
    return levels


def test_the_stage_shows_at_most_three_flashes_a_second(play: Player) -> None:
    times_s = [k / 30 for k in range(75)]
    free = strobe(play, limit=False)
    assert most_flashes(free, times_s) == 5 and max(free) - min(free) > 5 * FLASH
    assert most_flashes(strobe(play, limit=True), times_s) == 3


def test_the_init_picture_is_the_scene_upright(compositor: Compositor) -> None:
    def draw(**changed: object) -> np.ndarray:
        return compositor.scene(controls(**changed), hearing(), time_s=1.0, frame=3, size=64)

    first = draw()
    assert first.shape == (64, 64, 3) and first.dtype == np.uint8 and first.std() > 3
    assert np.array_equal(first, draw())
    pictures = {draw(scene__name=name).tobytes() for name in compositor.scene_names}
    assert len(pictures) == len(compositor.scene_names) >= 8


def test_init_picture_and_display_agree_on_what_is_up(play: Player, compositor: Compositor) -> None:
    still = {"scene__speed": 0.0, "scene__name": "aurora"}
    shown = play(None, **still)
    seed = compositor.scene(controls(**still), hearing(), time_s=0.0, frame=0, size=180).astype(int)
    assert (shown[:30].mean() - shown[-30:].mean()) * (seed[:30].mean() - seed[-30:].mean()) > 0


def test_the_stage_follows_its_surface(offscreen: Offscreen, compositor: Compositor) -> None:
    from livevis.stage.passes import canvas, discard
    from livevis.stage.surface import read_picture

    offscreen.begin()
    for size in ((200, 120), (96, 160), (320, 180)):
        target = canvas(offscreen.ctx, size)
        for frame in range(2):
            compositor.draw(
                target, picture=None, picture_id=0, features=hearing(), controls=controls(), time_s=frame / 30,
                frame=frame,
            )  # fmt: skip
        assert read_picture(target).std() > 3
        discard(target)


def test_software_gl_composes_small_in_the_same_shape() -> None:
    assert internal_size((1280, 720), software=True) == (512, 288)
    assert internal_size((1280, 720), software=False) == (1280, 720)
    assert internal_size((320, 180), software=True) == (320, 180)
    width, height = internal_size((1080, 1920), software=True)
    assert width * height <= 1.02 * 512 * 288 and abs(width / height - 1080 / 1920) < 0.01


def test_a_broken_shader_is_named_and_the_picture_goes_on(offscreen: Offscreen, tmp_path: Path) -> None:
    shaders = tmp_path / "shaders"
    shutil.copytree(assets("shaders"), shaders)
    for broken in ("effects/grade.fs", "scenes/fire.fs"):
        path = shaders / broken
        path.write_text(path.read_text() + "\nthis is not GLSL\n")
    offscreen.begin()
    compositor = Compositor(offscreen.ctx, offscreen.size, shaders)
    for frame in range(2):
        compositor.draw(
            offscreen.framebuffer, picture=None, picture_id=0, features=hearing(),
            controls=controls(scene__name="fire", effect__hue=0.5), time_s=frame / 30, frame=frame,
        )  # fmt: skip
    assert offscreen.read().std() > 3
    said = " ".join(compositor.problems)
    assert "grade.fs:" in said and "fire.fs:" in said
    compositor.release()


def test_every_live_uniform_is_fed() -> None:
    assert set(live_values(hearing())) == set(LIVE_FLOATS)


def test_every_effect_of_the_chain_is_a_filter_with_the_inputs_it_is_given() -> None:
    assert len(CHAIN) >= 4
    for effect in CHAIN:
        header = read_header(assets("shaders") / "effects" / f"{effect.name}.fs")
        assert header.kind == "filter"
        defaults = {row.name: row.default for row in header.inputs}
        for name in effect.inputs:
            assert defaults[name] == effect.rest.get(name, 0.0), "an effect's default changes nothing"
