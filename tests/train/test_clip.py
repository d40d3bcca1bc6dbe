"""The pocket CLIP: its text tower is the engine's, it learns two colours, transformers' own classes load it."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from livevis.core.errors import EngineError
from livevis.train.clip.network import (
    CLIP_SHAPES,
    build_clip,
    load_clip,
    load_words,
    picture_features,
    pooled_pictures,
    save_clip,
    some_patches,
)
from livevis.train.clip.training import ClipLearner, agreement, embed, retrieval_at_1, same_text
from livevis.train.judge.pool import Truth, as_signal
from tests.checkpoints import write_checkpoint

WORDS = ("a red city", "black waves")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("engine") / "tiny")


def coloured(count: int, seed: int) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 90, (count, 32, 32, 3), dtype=np.uint8)
    pixels[::2, :, :, 0] += 150
    return pixels


@pytest.fixture(scope="module")
def learnt(engine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP that has seen a few red and dark pictures, on disk."""
    text, tokenizer = load_words(engine)
    torch.manual_seed(0)
    clip, pixels = build_clip(text, CLIP_SHAPES["tiny"]), coloured(32, 0)
    present = torch.eye(2).repeat(16, 1)
    truth = Truth(present, 0.5 * present, torch.where(present > 0, 0, -1))
    learner = ClipLearner(
        clip, tokenizer, lambda rows: as_signal(pixels[rows]), lambda row, rng: WORDS[row % 2], truth, seed=0, batch=8
    )
    figures = [learner.step(place, place / 30) for place in range(30)]
    assert figures[-1]["agreement"] < figures[0]["agreement"]
    folder = tmp_path_factory.mktemp("clip") / "clip"
    save_clip(clip, tokenizer, folder, card="card")
    return folder


def test_the_text_tower_is_the_engines_bit_for_bit(engine: Path, learnt: Path) -> None:
    from transformers import CLIPModel, CLIPTextModel

    clip = CLIPModel.from_pretrained(learnt, local_files_only=True)
    text = CLIPTextModel.from_pretrained(engine / "text_encoder", local_files_only=True)
    ours, theirs = clip.text_model.state_dict(), text.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items())
    ids = torch.randint(0, 50, (2, 32), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        mine, its = (model(input_ids=ids).last_hidden_state for model in (clip.text_model.eval(), text.eval()))
    assert torch.equal(mine, its)


def test_transformers_own_classes_tell_the_pictures_apart(learnt: Path) -> None:
    from transformers import CLIPModel, CLIPProcessor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own about optional back ends
        processor = CLIPProcessor.from_pretrained(learnt, local_files_only=True)
    clip = CLIPModel.from_pretrained(learnt, local_files_only=True).float().eval()
    pictures = coloured(8, 5).repeat(2, axis=1).repeat(2, axis=2)  # larger than it looks at
    inputs = processor(text=list(WORDS), images=list(pictures), return_tensors="pt", padding="max_length")
    with torch.inference_mode():
        told = clip(**inputs).logits_per_image.argmax(1)
    assert told.tolist() == [0, 1] * 4


def test_the_processor_gives_what_it_learnt_from(learnt: Path) -> None:
    from transformers import CLIPProcessor

    processor = CLIPProcessor.from_pretrained(learnt, local_files_only=True)
    pixels = coloured(2, 6)
    values = processor(images=list(pixels), text=["a"] * 2, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(values, as_signal(pixels).contiguous(), atol=1e-5, rtol=1e-5)


def test_pictures_and_texts_are_found_by_one_another(learnt: Path) -> None:
    clip, tokenizer = load_clip(learnt)
    pixels = coloured(4, 7)
    seen, read = embed(clip, tokenizer, lambda rows: as_signal(pixels[rows]), [*WORDS, *WORDS])
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(4))
    assert retrieval_at_1(seen, read, [*WORDS, *WORDS], among=2) == 1.0
    torch.testing.assert_close(seen[:2], picture_features(clip, as_signal(pixels[:2])))


def test_the_folder_ships(learnt: Path) -> None:
    names = {path.name for path in learnt.iterdir()}
    assert {"model.safetensors", "config.json", "preprocessor_config.json", "vocab.json", "merges.txt"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert str(learnt.parent) not in "".join(path.read_text() for path in learnt.glob("*.json"))


def test_retrieval_by_chance_and_by_knowledge() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(200, 24, generator=torch.Generator().manual_seed(0)), dim=1)
    texts = [str(place) for place in range(200)]
    assert retrieval_at_1(vectors, vectors, texts) == 1.0
    assert retrieval_at_1(vectors, vectors.roll(1, 0), texts) < 0.1


def test_captions_that_read_alike_are_one_answer() -> None:
    wanted = same_text(["fire", "rain", "fire"])
    assert wanted.tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5]]
    logits = 40 * (wanted > 0).float()
    assert float(agreement(logits, wanted)) == pytest.approx(np.log(2) * 2 / 3, abs=1e-4)


def test_a_missing_engine_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="text_encoder"):
        load_words(tmp_path)
    with pytest.raises(EngineError, match="train clip"):
        load_clip(tmp_path)


def test_the_vision_tower_is_run_as_transformers_runs_it_and_can_do_with_half_the_patches(learnt: Path) -> None:
    clip, _ = load_clip(learnt)
    pictures = as_signal(coloured(3, 8)).contiguous()
    with torch.inference_mode():
        wanted = clip.vision_model(pixel_values=pictures).pooler_output
        assert torch.equal(pooled_pictures(clip, pictures), wanted)
        all_of_them = torch.arange(4).expand(3, -1)
        assert torch.equal(pooled_pictures(clip, pictures, seen=all_of_them), wanted)
        half = some_patches(3, 4, torch.Generator().manual_seed(0))
        assert half.shape == (3, 2) and all(len(set(row)) == 2 for row in half.tolist())
        assert pooled_pictures(clip, pictures, seen=half).shape == wanted.shape
