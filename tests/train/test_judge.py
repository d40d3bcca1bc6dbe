"""The judge: what it may see unharmed, that it learns, that it comes back from disk as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.core.errors import EngineError
from livevis.train.journal import Journal
from livevis.train.judge.augment import augment, crop, retint, tint
from livevis.train.judge.mixing import allowed_pairs, join, mix
from livevis.train.judge.network import Judge, JudgeConfig, Verdict, load_judge, save_judge
from livevis.train.judge.pool import Thumbnails, Truth, chosen_draws, truth_of
from livevis.train.judge.training import JudgeLearner, confusions, marks

TINY = JudgeConfig(
    ("red", "blue"), (("day", "night"),) * 2, side=32, strides=(2, 2), widths=(8, 16), blocks=(0, 1), features=8
)


def coloured(count: int, seed: int) -> tuple[np.ndarray, Truth]:
    """Grainy pictures that are red, blue or red above blue; the strength of a colour is its intensity."""
    rng = np.random.default_rng(seed)
    pixels, truth = (
        rng.integers(0, 60, (count, 32, 32, 3), dtype=np.uint8),
        Truth(torch.zeros(count, 2), torch.zeros(count, 2), torch.full((count, 2), -1)),
    )
    for row in range(count):
        for scene in ((0,), (1,), (0, 1))[row % 3]:
            strength = rng.random()
            rows = slice(0, 32) if row % 3 < 2 else slice(16 * scene, 16 * scene + 16)
            pixels[row, rows, :, 2 * scene] = 100 + int(150 * strength)
            truth.present[row, scene], truth.intensity[row, scene], truth.palette[row, scene] = 1, strength, 0
    return pixels, truth


@pytest.fixture(scope="module")
def taught() -> Judge:
    from livevis.train.judge.pool import as_signal

    torch.manual_seed(0)
    pixels, truth = coloured(192, 0)
    learner = JudgeLearner(Judge(TINY), lambda places: as_signal(pixels[places]), truth, seed=0, batch=48)
    for place in range(60):
        learner.step(place, place / 60)
    return learner.judge.eval()


def test_it_learns_two_colours_and_their_strength(taught: Judge) -> None:
    pixels, truth = coloured(96, 1)
    found = marks(taught.look(pixels), truth)
    assert found["single"] >= 0.95
    assert found["both_first"] == 1.0
    assert found["both_found"] >= 0.9
    assert found["intensity_r"] > 0.8


def test_it_comes_back_from_disk_as_it_was(taught: Judge, tmp_path) -> None:
    save_judge(taught, tmp_path, card="card")
    back, pixels = load_judge(tmp_path), coloured(12, 2)[0]
    assert back.config == TINY
    assert {path.name for path in tmp_path.iterdir()} == {"judge.safetensors", "config.json", "README.md"}
    for ours, theirs in zip(taught.look(pixels), back.look(pixels), strict=True):
        torch.testing.assert_close(ours, theirs, atol=0.05, rtol=0.02)


def test_a_missing_judge_is_named(tmp_path) -> None:
    with pytest.raises(EngineError, match="train judge"):
        load_judge(tmp_path)


def test_larger_pictures_are_averaged_before_they_are_looked_at(taught: Judge) -> None:
    small = coloured(4, 3)[0]
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    torch.testing.assert_close(taught.look(large).features, taught.look(small).features)


def test_it_is_small_enough() -> None:
    judge = Judge(JudgeConfig(tuple("abcdefghijklmnopqrstuvwxyz123"), (("a", "b", "c", "d"),) * 29))
    assert sum(weight.numel() for weight in judge.parameters()) <= 1_500_000


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_what_a_picture_goes_through_is_a_function_of_the_draws_and_stays_finite(seed: int) -> None:
    pictures = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    first = augment(pictures, torch.Generator().manual_seed(seed))
    again = augment(pictures, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(first, again, atol=0, rtol=0)
    assert first.shape == pictures.shape
    assert bool(first.isfinite().all())
    assert float(first.abs().max()) < 4


def test_a_crop_keeps_a_plain_picture_and_a_turn_of_nothing_every_picture() -> None:
    draws = torch.Generator().manual_seed(1)
    plain = torch.full((3, 3, 16, 16), 0.3)
    torch.testing.assert_close(crop(plain, draws), plain)
    pictures = torch.rand(3, 3, 8, 8, generator=draws)
    torch.testing.assert_close(tint(pictures, torch.zeros(3), torch.ones(3)), pictures)
    grey = torch.rand(3, 1, 8, 8, generator=draws).expand(-1, 3, -1, -1)
    torch.testing.assert_close(tint(grey, torch.full((3,), 1.3), torch.full((3,), 0.7)), grey)


def test_pictures_of_another_hue_have_no_palette_and_the_others_keep_theirs() -> None:
    pictures = 2 * torch.rand(200, 3, 4, 4, generator=torch.Generator().manual_seed(3)) - 1
    truth = Truth(
        torch.eye(2).repeat(100, 1), torch.rand(200, 2), torch.eye(2, dtype=torch.int64).repeat(100, 1) * 3 - 1
    )
    tinted, told = retint(pictures, truth, torch.Generator().manual_seed(4))
    turned = (told.palette == -1).all(1)
    assert 0.3 < float(turned.float().mean()) < 0.7
    assert torch.equal(told.palette[~turned], truth.palette[~turned])
    assert torch.equal(told.present, truth.present) and torch.equal(told.intensity, truth.intensity)
    torch.testing.assert_close(tinted[~turned].mean(1), pictures[~turned].mean(1), atol=1e-5, rtol=1e-4)
    assert bool(tinted.isfinite().all()) and not torch.allclose(tinted[turned], pictures[turned], atol=0.1)


def test_a_third_of_a_turn_moves_every_colour_to_the_next() -> None:
    pictures = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    turned = tint(pictures, torch.full((2,), 2 * torch.pi / 3), torch.ones(2))
    torch.testing.assert_close(turned, pictures.roll(1, 1), atol=1e-5, rtol=1e-4)


def test_marks_count_what_is_right_and_confusions_name_what_is_not() -> None:
    truth = Truth(
        torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1]]), torch.full((3, 3), 0.5), torch.zeros(3, 3, dtype=torch.int64)
    )
    verdict = Verdict(
        torch.tensor([[5.0, -5, -5], [4, 3, -5], [2, -5, -1]]),
        torch.tensor([[0.4, 0, 0], [0, 0.7, 0], [0, 0, 0]]),
        torch.zeros(3, 3, 4),
        torch.zeros(3, 2),
    )
    found = marks(verdict, truth)
    assert (found["single"], found["single_alone"], found["both_found"], found["both_first"]) == (0.5, 0.5, 0.0, 1.0)
    assert found["intensity_mae"] == pytest.approx(0.15)
    assert confusions(verdict, truth, ("a", "b", "c")) == ["b→a ×1"]


def test_chosen_draws_keep_to_their_split_and_their_number_of_parts(tmp_path) -> None:
    single = chosen_draws(3, 4, kind="held_out", parts=1)
    double = chosen_draws(3, 2, kind="train", parts=2)
    assert [len(drawn.parts) for drawn in (*single, *double)] == [1] * 4 + [2] * 2
    from livevis.world.scenes import SCENES

    truth = truth_of(double, tuple(SCENES))
    assert truth.present.sum(1).tolist() == [2, 2]
    assert bool((truth.palette[truth.present > 0] >= 0).all())


def test_thumbnails_are_kept_and_go_on_where_they_stopped(tmp_path) -> None:
    draws = chosen_draws(5, 3, kind="train", parts=1)
    with Journal(tmp_path) as journal:
        pool = Thumbnails(tmp_path, "pool", draws, seed=5, side=16)
        pool.render(journal, budget_s=1e-9, least=2)
        assert len(pool) == 2
        again = Thumbnails(tmp_path, "pool", draws, seed=5, side=16)
        assert len(again) == 2
        first = again.pixels[:2].copy()
        again.render(journal, budget_s=60, least=3)
    assert len(again) == 3
    np.testing.assert_array_equal(again.pixels[:2], first)
    assert again.pixels[2].std() > 0
    assert len(Thumbnails(tmp_path, "pool", draws[:2], seed=5, side=16)) == 0


def test_the_painters_pictures_are_taken_where_they_are_of_the_same_draws(tmp_path) -> None:
    from dataclasses import replace

    from livevis.train.data import PicturePool
    from livevis.train.judge.training import judge_pools
    from livevis.train.options import PocketOptions
    from livevis.world.render import SceneRenderer

    options = PocketOptions(out=tmp_path / "out", work=tmp_path, size=256, pictures=2, held_out=1, processes=1)
    with Journal(tmp_path) as journal:
        assert [len(pool) for pool in judge_pools(options)] == [0, 0]
        PicturePool(tmp_path, options).render(journal)
    learning, kept_out = judge_pools(options)
    assert (len(learning), len(kept_out)) == (2, 1)
    with SceneRenderer(128, supersample=2) as renderer:
        wanted = renderer.render(learning.draws[1]).astype(int)
    assert np.abs(wanted - learning.pixels[1]).max() <= 1
    assert [len(pool) for pool in judge_pools(replace(options, seed=1))] == [0, 0]
    notes = tmp_path / "pool.json"
    notes.write_text(notes.read_text().replace('"draws": "', '"draws": "another world '))
    (tmp_path / "thumbs.json").unlink()
    before = (tmp_path / "pool.u8").read_bytes()
    assert len(judge_pools(options)[0]) == 0
    assert (tmp_path / "pool.u8").read_bytes() == before


def test_two_pictures_are_laid_over_beside_and_inside_one_another() -> None:
    draws = torch.Generator().manual_seed(0)
    red, blue = torch.zeros(64, 3, 32, 32), torch.zeros(64, 3, 32, 32)
    red[:, 0], blue[:, 2] = 1.0, 1.0
    joined = join(red, blue, draws)
    torch.testing.assert_close(joined.sum(1), torch.ones(64, 32, 32))
    shares = joined[:, 0].mean((1, 2))
    assert 0.1 < float(shares.min()) < 0.35 < 0.45 < float(shares.max()) < 0.65
    rows, columns = joined[:, 0].mean(2), joined[:, 0].mean(1)
    assert bool(((rows[:, 0] > 0.9) & (rows[:, -1] < 0.1)).any())  # over
    assert bool(((columns[:, 0] > 0.9) & (columns[:, -1] < 0.1)).any())  # beside, one way
    assert bool(((columns[:, 0] < 0.1) & (columns[:, -1] > 0.9)).any())  # and the other
    assert bool(((rows[:, 0] < 0.1) & (rows[:, -1] < 0.1)).any())  # inside


def test_only_single_pictures_of_allowed_pairs_are_mixed_and_both_truths_hold() -> None:
    draws = torch.Generator().manual_seed(0)
    present = torch.zeros(60, 3)
    present[:30, 0], present[30:, 1], present[50:, 2] = 1, 1, 1
    truth = Truth(present, 0.5 * present, torch.where(present > 0, 2, -1))
    pictures = torch.rand(60, 3, 16, 16)
    allowed = torch.zeros(3, 3, dtype=torch.bool)
    same, unmixed = mix(pictures, truth, allowed, draws)
    assert torch.equal(same, pictures) and torch.equal(unmixed.present, present)
    allowed[0, 1] = allowed[1, 0] = True
    mixed, told = mix(pictures, truth, allowed, draws)
    changed = (mixed != pictures).flatten(1).any(1)
    assert 0 < int(changed.sum()) < 50 and not bool(changed[50:].any())
    assert torch.equal(told.present[changed], torch.tensor([[1.0, 1, 0]]).expand(int(changed.sum()), -1))
    assert torch.equal(told.present[~changed], present[~changed])
    assert torch.equal(told.palette, torch.where(told.present > 0, 2, -1))
    assert torch.equal(told.intensity, 0.5 * told.present)


def test_held_out_pairs_are_not_mixed() -> None:
    from livevis.world.scenes import SCENES
    from livevis.world.split import held_out_pair

    names = tuple(SCENES)
    allowed = allowed_pairs(names)
    assert torch.equal(allowed, allowed.T) and not bool(allowed.diagonal().any())
    assert not any(bool(allowed[a, b]) for a, x in enumerate(names) for b, y in enumerate(names) if held_out_pair(x, y))
