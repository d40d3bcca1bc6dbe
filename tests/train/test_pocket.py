"""A whole micro training: diffusers loads its export, a resumed run goes on, and the pool is a function of the seed."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from livevis.train import checkpoint
from livevis.train.data import PicturePool, chosen_draws
from livevis.train.journal import Journal
from livevis.train.options import STAGES, PocketOptions
from livevis.train.pocket import train

# diffusers reads a tensor as an array in the way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def micro(folder, **changes) -> PocketOptions:
    options = PocketOptions(
        minutes=0.08,
        out=folder / "out",
        work=folder / "work",
        size=64,
        shape="tiny",
        pictures=24,
        held_out=6,
        batch=4,
        crop=32,
        threads=1,
    )
    return replace(options, **changes)


def quiet_train(options: PocketOptions) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' own deprecations, none of them ours
        train(options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("micro")
    quiet_train(micro(folder))
    return folder


def load(folder):
    from diffusers import StableDiffusionImg2ImgPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipe = StableDiffusionImg2ImgPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_diffusers_loads_the_export_and_plays_one_step(trained):
    start = torch.rand(1, 3, 64, 64)
    picture = load(trained / "out")(
        prompt="a fire", image=start, strength=0.5, num_inference_steps=2, guidance_scale=1.0, output_type="np"
    ).images[0]
    assert picture.shape == (64, 64, 3)
    assert np.isfinite(picture).all()
    assert picture.std() > 0


def test_the_export_is_whole_and_free_of_pickles(trained):
    names = {str(path.relative_to(trained / "out")) for path in (trained / "out").rglob("*") if path.is_file()}
    assert {"model_index.json", "README.md", "grid.png", "tokenizer/vocab.json", "tokenizer/merges.txt"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".ckpt", ".pkl"))]
    index = json.loads((trained / "out/model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert index["safety_checker"] == [None, None]
    assert str(trained) not in "".join(path.read_text() for path in (trained / "out").rglob("*.json"))


def test_every_stage_left_its_state_and_its_metrics(trained):
    steps = {
        name: checkpoint.load(trained / "work", name) for name in ("autoencoder", "denoiser", "sharpen", "decoder")
    }
    assert all(state["step"] > 0 for state in steps.values())
    rows = [json.loads(line) for line in (trained / "work/metrics.jsonl").read_text().splitlines()]
    assert {"autoencoder", "denoiser", "sharpen"} <= {row["stage"] for row in rows}


def test_resume_goes_on_from_the_step_where_it_stopped(trained):
    before = {name: checkpoint.load(trained / "work", name) for name in ("autoencoder", "denoiser")}
    quiet_train(micro(trained, minutes=0.16, resume=True))
    after = checkpoint.load(trained / "work", "denoiser")
    assert after["step"] > before["denoiser"]["step"]
    assert after["spent_s"] >= 60 * 0.16 * STAGES["denoiser"]
    assert (
        checkpoint.load(trained / "work", "autoencoder")["step"] == before["autoencoder"]["step"]
    )  # latents are of it
    latents = checkpoint.load(trained / "work", "latents")["latents"]
    assert latents.shape[1:] == (2, 4, 8, 8)


def test_the_pool_is_a_function_of_its_seed(tmp_path):
    def pool(name, seed):
        options = micro(tmp_path, pictures=4, held_out=2, seed=seed, minutes=1.0, work=tmp_path / name)
        made = PicturePool(options.workdir, options)
        with Journal(options.workdir) as journal:
            made.render(journal)
        return made

    first, again, other = pool("a", 0), pool("b", 0), pool("c", 1)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.captions == again.captions
    assert not np.array_equal(first.pixels, other.pixels)


def test_held_out_draws_are_never_trained_on():
    assert not set(chosen_draws(200, "train")) & set(chosen_draws(200, "held_out"))


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"size": 100}, {"shape": "huge"}, {"device": "tpu"}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong)))):
        PocketOptions(**wrong)


def test_the_stages_share_the_whole_budget():
    options = PocketOptions(minutes=10)
    assert sum(options.budget_s(stage) for stage in STAGES) == pytest.approx(600)
