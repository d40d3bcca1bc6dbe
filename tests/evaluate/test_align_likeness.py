"""Likeness is CLIP's cosine, magnitude is what was put in, and the lag between two curves is found either way."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from livevis.core.errors import ConfigError
from livevis.evaluate.align import AlignPlan, align, as_json, lines
from livevis.evaluate.lagged import best_lag
from livevis.evaluate.sync.likeness import Likeness, follows, magnitude
from livevis.evaluate.sync.onsets import RATE_HZ
from livevis.evaluate.sync.plot import panels
from livevis.train.clip.network import CLIP_SHAPES, build_clip, save_clip
from tests.checkpoints import write_tokenizer

TEXTS = ("burning aurora", "a red city")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random CLIPModel folder in transformers' layout."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    home = tmp_path_factory.mktemp("clip")
    write_tokenizer(home / "tokenizer", 16)
    tokenizer = CLIPTokenizer.from_pretrained(home / "tokenizer", local_files_only=True)
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    text = CLIPTextModel(
        CLIPTextConfig(vocab_size=len(tokenizer), max_position_embeddings=16, **shape, **ends, pad_token_id=None)
    )
    save_clip(build_clip(text.eval(), CLIP_SHAPES["tiny"]), tokenizer, home / "clip")
    return home / "clip"


def test_likeness_is_the_models_own_cosine(folder: Path) -> None:
    from transformers import CLIPModel, CLIPProcessor

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (40, 64, 3), dtype=np.uint8) for _ in range(3)]
    eye = Likeness(folder, TEXTS)
    shown = [pictures[0], *pictures]  # the first is held for two frames
    assert all(passed is picture for passed, picture in zip(eye.looking(shown), shown, strict=True))

    model = CLIPModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)
    inputs = processor(text=list(TEXTS), images=pictures, return_tensors="pt", padding=True)
    with torch.inference_mode():
        out = model(**inputs)
    cosines = out.logits_per_text.numpy() / float(model.logit_scale.detach().exp())
    assert eye.curves.shape == (2, 4)
    np.testing.assert_allclose(eye.curves[:, 1:], cosines, atol=1e-5)
    np.testing.assert_array_equal(eye.curves[:, 0], eye.curves[:, 1])
    assert np.ptp(cosines) > 1e-4


def test_the_report_has_a_line_for_every_text(folder: Path) -> None:
    rng = np.random.default_rng(5)
    shown = [rng.integers(0, 256, (96, 96, 3), dtype=np.uint8) for _ in range(30)]
    sound = rng.standard_normal(30 * RATE_HZ // 24).astype(np.float32)
    report, curves = align(shown, sound, AlignPlan(clip=folder, texts=TEXTS, window_s=0.2, shifts=5))
    assert tuple(report["meaning"]) == TEXTS and curves.likeness.shape == (2, 30)
    expected = follows(curves.magnitude, curves.likeness[1], fps=24, seed=0)
    assert report["meaning"][TEXTS[1]] == asdict(expected)
    said = lines({"video": "a", "sound": "a", "video_fps": 24.0, **report})
    assert [line for line in said if TEXTS[1] in line and f"r = {expected.r:.2f}" in line]
    assert [panel for panel in panels(report, curves) if TEXTS[0] in panel.title]
    assert "NaN" not in as_json(report, curves)


def test_a_folder_that_is_no_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no CLIPModel"):
        Likeness(tmp_path, TEXTS)


def test_magnitude_is_the_smoothed_swell() -> None:
    rng, seconds, fps = np.random.default_rng(1), 8, 24
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(seconds * RATE_HZ) / (4 * RATE_HZ))
    sound = (0.3 * swell * rng.standard_normal(seconds * RATE_HZ)).astype(np.float32)
    frames = seconds * fps
    found = magnitude(sound, frames=frames, fps=fps, window_s=0.25)
    expected = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frames) / (4 * fps))
    assert found.shape == (frames,) and np.corrcoef(found, expected)[0, 1] > 0.99
    whole = magnitude(sound, frames=frames, fps=fps, window_s=100.0)
    assert np.ptp(whole) < 1e-9 * whole.mean()


def test_smoothing_is_the_mean_of_what_is_there() -> None:
    rng = np.random.default_rng(2)
    sound = rng.standard_normal(3 * RATE_HZ).astype(np.float32)
    raw, smooth = (magnitude(sound, frames=60, fps=20, window_s=window) for window in (1e-3, 0.5))
    expected = [raw[max(0, place - 5) : place + 6].mean() for place in range(60)]
    assert smooth == pytest.approx(np.array(expected))


@pytest.mark.parametrize("lag", [-9, 0, 1, 17])
def test_the_lag_is_found_either_way(lag: int) -> None:
    curve = np.random.default_rng(3).standard_normal(240).cumsum()
    driver, moved = curve[40:200], curve[40 - lag : 200 - lag]
    found, r = best_lag(driver, moved, 40, least=-40)
    assert found == lag and r == pytest.approx(1.0)


def test_following_is_told_from_chance() -> None:
    noise = np.random.default_rng(4).standard_normal(400)
    curve = np.convolve(noise, np.ones(12), "valid")
    driver, moved = curve[30:230], curve[25:225]
    followed = follows(driver, moved, fps=24, seed=0)
    assert followed.lag_s == pytest.approx(5 / 24) and followed.r == pytest.approx(1.0)
    assert followed.r_at_0 < 0.9 and followed.chance_p95 < 0.75
    assert followed == follows(driver, moved, fps=24, seed=0)


def test_a_still_picture_follows_nothing() -> None:
    assert follows(np.arange(50.0), np.ones(50), fps=24, seed=0).r == 0.0
