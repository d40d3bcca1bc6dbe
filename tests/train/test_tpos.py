"""A micro training of TPoS: its losses against torch's own, a loss that falls, a folder that loads and says things."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from livevis.core.errors import EngineError
from livevis.embed.tpos import folder as tpos_folder
from livevis.embed.tpos.shape import TPOS_SHAPES
from livevis.train import checkpoint
from livevis.train.clap.batches import PairSource, Wording
from livevis.train.clap.pool import MelPool, PoolPlan
from livevis.train.clip.network import load_words
from livevis.train.journal import Journal
from livevis.train.learner import recall
from livevis.train.options import PocketOptions
from livevis.train.tpos.training import TPOS_PLANS, TposLearner, begin, info_nce, train_tpos
from livevis.train.tpos.words import Told, picture_text
from livevis.world.captions import LONGEST_WORDS
from livevis.world.sounds import SOUNDS
from livevis.world.wordings import WORDINGS
from tests.checkpoints import write_tokenizer

NAMES = TPOS_PLANS["tiny"].names


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As much of an engine as TPoS is trained for: a text encoder and its tokenizer."""
    from transformers import CLIPTextConfig, CLIPTextModel

    made = tmp_path_factory.mktemp("engine")
    write_tokenizer(made / "tokenizer", 32)
    count = len(json.loads((made / "tokenizer" / "vocab.json").read_text()))
    torch.manual_seed(0)
    config = CLIPTextConfig(
        vocab_size=count,
        hidden_size=24,
        intermediate_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=32,
        bos_token_id=count - 2,
        eos_token_id=count - 1,
        pad_token_id=count - 1,
    )
    CLIPTextModel(config).save_pretrained(made / "text_encoder")
    return made


@pytest.fixture(scope="module")
def told(engine: Path) -> Told:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own deprecations
        return Told(*load_words(engine))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> MelPool:
    folder = tmp_path_factory.mktemp("pool")
    with Journal(folder) as journal:
        made = MelPool(folder, PoolPlan(names=NAMES, clips=2, pieces=1, views=1, seconds=1.5), seed=0)
        made.make(journal, budget_s=60, keep=False)
    return made


def learner(pool: MelPool, told: Told, seed: int = 0) -> TposLearner:
    shape = replace(TPOS_SHAPES["tiny"], tokens=told.tokens, text_width=told.width)
    source = PairSource(pool, Wording(NAMES), size=12, frames=shape.frames, seed=seed, kinds={"single": 1.0})
    model = begin(shape, told, NAMES, seed=seed)
    return TposLearner(model, told, source, NAMES, torch.device("cpu"), lr=1e-2, seed=seed)


def test_every_part_of_the_loss_falls(pool: MelPool, told: Told) -> None:
    learning = learner(pool, told)
    figures = [learning.step(place, 0.3) for place in range(30)]
    first, last = (
        {name: np.mean([row[name] for row in rows]) for name in ("loss", "text", "summary", "twin", "rows")}
        for rows in (figures[:5], figures[-5:])
    )
    assert last["loss"] < 0.85 * first["loss"]
    assert all(last[name] < first[name] for name in first), (first, last)


def test_a_step_is_a_function_of_its_place(pool: MelPool, told: Told) -> None:
    one, other = learner(pool, told), learner(pool, told)
    assert one.step(0, 0.0)["loss"] == other.step(0, 0.0)["loss"] != one.step(1, 0.0)["loss"]


def test_info_nce_is_cross_entropy_at_one_over_007_both_ways() -> None:
    ours, theirs = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    unit_a, unit_b = ours / ours.norm(dim=1, keepdim=True), theirs / theirs.norm(dim=1, keepdim=True)
    likeness, own = unit_a @ unit_b.T / 0.07, torch.arange(6)
    expected = (functional.cross_entropy(likeness, own) + functional.cross_entropy(likeness.T, own)) / 2
    assert float(info_nce(ours, theirs, torch.eye(6))) == pytest.approx(float(expected), rel=1e-5)
    assert float(info_nce(3 * ours, theirs, torch.eye(6))) == pytest.approx(float(expected), rel=1e-5)
    alike = torch.ones(6, 6)  # all captions are true of all clips: nothing is left to learn but evenness
    assert float(info_nce(ours[:1].expand(6, -1), theirs[:1].expand(6, -1), alike)) == pytest.approx(
        np.log(6), rel=1e-5
    )


def test_every_scene_that_sounds_has_its_picture_and_other_sounds_say_nothing() -> None:
    names = tuple(SOUNDS)
    for place, name in enumerate(names):
        text = picture_text({place: 1.0}, names)
        assert (SOUNDS[name].kind == "scene") == bool(text) == (name in WORDINGS)
        if text:
            strong = picture_text({place: 1.0, len(names): 0.35}, names, 0.9)
            assert strong.endswith(text) and strong.split(" ")[0] in WORDINGS[name].bands[3]
            assert len(strong.split()) <= LONGEST_WORDS
    rain, fire, drums = (names.index(name) for name in ("rain", "fire", "drums"))
    assert picture_text({rain: 1.0, fire: 1.0}, names, 0.0) in ("fire beside rain", "rain beside fire")
    assert picture_text({rain: 1.0, drums: 1.0}, names, 0.9) == "rain"
    assert picture_text({len(names): 1.0}, names, 0.9) == ""


def test_states_are_the_encoders_own_without_the_first(engine: Path, told: Told) -> None:
    from transformers import CLIPTextModel, CLIPTokenizer

    model, tokenizer = (
        kind.from_pretrained(engine / part)
        for kind, part in ((CLIPTextModel, "text_encoder"), (CLIPTokenizer, "tokenizer"))
    )
    ids = tokenizer(["red city", "waves"], padding="max_length", max_length=32, return_tensors="pt").input_ids
    with torch.no_grad():
        expected = model(ids)
    rows = told.rows(["red city", "waves", "red city"])
    assert rows.shape == (3, 31, 24) and torch.equal(rows[0], rows[2])
    assert torch.allclose(rows[:2], expected.last_hidden_state[:, 1:], atol=1e-5)
    assert torch.allclose(told.pooled(["red city", "waves"]), expected.pooler_output, atol=1e-5)


def test_map_begins_at_the_mean_of_what_is_said(told: Told) -> None:
    shape = replace(TPOS_SHAPES["tiny"], tokens=told.tokens, text_width=told.width)
    model = begin(shape, told, NAMES, seed=0)
    texts = [picture_text({place: 1.0}, NAMES, b) for place in range(len(NAMES)) for b in (0.1, 0.3, 0.6, 0.9)]
    assert torch.allclose(model.map.outer.bias.view(31, 24), told.rows(texts).mean(0), atol=1e-6)


def test_the_whole_stage_runs_resumes_and_leaves_a_folder_for_this_engine(engine: Path, tmp_path: Path) -> None:
    options = PocketOptions(
        command="tpos", minutes=0.02, start=engine, out=tmp_path / "out", work=tmp_path / "work", shape="tiny",
        device="cpu", threads=1,
    )  # fmt: skip
    with warnings.catch_warnings(), Journal(options.workdir) as journal:
        warnings.simplefilter("ignore")
        figures = train_tpos(options, journal)
        kept = checkpoint.load(options.workdir, "tpos")
        assert kept is not None and kept["step"] == figures["steps"]
        longer_s = (kept["spent_s"] + 1) / (1 - TPOS_PLANS["tiny"].pool_share)
        again = train_tpos(replace(options, resume=True, minutes=longer_s / 60), journal)
    assert 0 <= figures["named"] <= 1 and figures["chance"] == 1 / 2 and figures["steps"] >= 1
    assert again["steps"] > figures["steps"]
    kept = checkpoint.load(options.workdir, "tpos")
    assert kept is not None and kept["step"] == again["steps"]
    folder = options.out / "tpos"
    model = tpos_folder.load(folder, text=tpos_folder.text_digest(engine))
    assert "license: apache-2.0" in (folder / "README.md").read_text()
    tpos_folder.save(model, tmp_path / "twice", text=tpos_folder.text_digest(engine))
    assert (tmp_path / "twice" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_averaged_weights_come_back_from_the_checkpoint(pool: MelPool, told: Told, tmp_path: Path) -> None:
    learning, fresh = learner(pool, told), learner(pool, told, seed=1)
    learning.step(0, 0.0)
    learning.average.update(0)
    options = PocketOptions(command="tpos", out=tmp_path, shape="tiny")
    checkpoint.save(options.workdir, "tpos", {**learning.state(), "step": 1, "spent_s": 6.0})
    assert recall(fresh, "tpos", options) == {"steps": 1, "minutes": 0.1}
    learning.average.swap()
    for one, other in zip(
        learning.parts["tpos"].state_dict().values(), fresh.parts["tpos"].state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


def test_an_engine_without_a_text_encoder_is_refused(tmp_path: Path) -> None:
    options = PocketOptions(command="tpos", out=tmp_path / "none", work=tmp_path / "work", shape="tiny")
    with Journal(options.workdir) as journal, pytest.raises(EngineError, match="text_encoder"):
        train_tpos(options, journal)
