"""A micro training of the ears: the standard classes load the folder, and three sounds are told apart in seconds."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from livevis.evaluate import ears as exam
from livevis.train.clap.batches import PairSource, Wording
from livevis.train.clap.mel import LogMel
from livevis.train.clap.networks import EAR_SHAPES, FRAMES, build_ears, text_embeddings
from livevis.train.clap.pool import MelPool, PoolPlan
from livevis.train.clap.training import EAR_PLANS, EarLearner, train_clap
from livevis.train.journal import Journal
from livevis.train.options import PocketOptions

NAMES = EAR_PLANS["tiny"].names


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ears")
    options = PocketOptions(
        command="clap", minutes=0.06, out=folder / "out", work=folder / "work", shape="tiny", device="cpu", threads=1
    )
    with warnings.catch_warnings(), Journal(options.workdir) as journal:
        warnings.simplefilter("ignore")  # the libraries' own deprecations
        return options, train_clap(options, journal)


def test_the_standard_classes_load_the_folder_and_it_is_small(trained):
    from transformers import ClapModel, ClapProcessor

    folder = trained[0].out / "clap"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, processor = ClapModel.from_pretrained(folder).eval(), ClapProcessor.from_pretrained(folder)
    assert model.dtype == torch.float16
    assert sum(path.stat().st_size for path in folder.rglob("*")) <= 10_000_000
    wave = np.random.default_rng(0).standard_normal(240_000).astype(np.float32) * 0.1
    asked = {"text": ["rain", "Drums"], "audio": wave, "sampling_rate": 48_000, "return_tensors": "pt"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the processor hands the sound's max_length to the tokenizer too
        inputs = processor(**asked, padding=True)
    with torch.inference_mode():
        out = model.float()(**{**inputs, "input_features": inputs["input_features"].float()})
    assert out.logits_per_audio.shape == (1, 2)
    assert torch.isfinite(out.logits_per_audio).all()
    text = processor.tokenizer("heavy rain over drums")["input_ids"]
    assert processor.tokenizer.decode(text, skip_special_tokens=True).strip() == "heavy rain over drums"


def test_every_question_of_the_exam_is_answered_and_written_down(trained):
    options, figures = trained
    assert set(exam.QUESTIONS) <= set(figures)
    assert all(0 <= figures[question] <= 1 for question in exam.QUESTIONS)
    card = (options.out / "clap" / "README.md").read_text()
    assert all(question in card for question in exam.QUESTIONS)
    assert figures["steps"] >= 1


def test_an_exam_gives_the_same_answers_twice(trained):
    plan = exam.ExamPlan(names=NAMES, clips=1)
    folder = trained[0].out / "clap"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert exam.examine(folder, plan) == exam.examine(folder, plan)


@pytest.fixture(scope="module")
def source_and_ears(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    with Journal(folder) as journal:
        pool = MelPool(folder, PoolPlan(names=NAMES, clips=4, pieces=1, views=1, seconds=6.0), seed=0)
        pool.make(journal, budget_s=60, keep=False)
    wording = Wording(NAMES)
    corpus = wording.corpus(np.random.default_rng(0), 200)

    def fresh():
        source = PairSource(pool, wording, size=12, frames=FRAMES, seed=0, kinds={"single": 1.0})
        return source, build_ears(EAR_SHAPES["tiny"], corpus, seed=0)

    return fresh


def test_three_sounds_are_learnt_in_seconds(source_and_ears):
    source, ears = source_and_ears()
    learner = EarLearner(ears, source, torch.device("cpu"), lr=6e-3, seed=0)
    learner.learn_words(40)
    right = [learner.step(place, 0.3)["right"] for place in range(40)]
    assert np.mean(right[-10:]) > 0.6, right


def test_words_alone_come_to_mean_different_things(source_and_ears):
    source, ears = source_and_ears()
    learner = EarLearner(ears, source, torch.device("cpu"), lr=2e-3, seed=0)
    said = ["rain falling", "the sound of rain", "a drum beat", "the sound of drums"]

    def contrast() -> float:
        with torch.inference_mode():
            vectors = text_embeddings(ears, said, torch.device("cpu")).numpy()
        likeness = vectors @ vectors.T
        return float(likeness[0, 1] + likeness[2, 3] - likeness[0, 2] - likeness[1, 3])

    learner.learn_words(240)  # they first fall together, then part
    assert contrast() > 0.2


def test_mels_equal_the_extractors():
    extractor = build_ears(EAR_SHAPES["tiny"], ["rain"], seed=0).extractor
    rng = np.random.default_rng(3)
    waves = rng.standard_normal((2, 240_000)).astype(np.float32) * 0.2
    waves[1] *= np.linspace(0, 1, 240_000, dtype=np.float32) ** 4
    expected = extractor(list(waves), sampling_rate=48_000, return_tensors="pt")["input_features"]
    got = LogMel(extractor)(torch.from_numpy(waves))
    assert got.shape == expected.shape == (2, 1, 251, 64)
    assert float((got - expected).abs().max()) <= 1e-3
