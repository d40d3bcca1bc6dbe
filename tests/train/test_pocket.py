"""A whole micro training: diffusers loads its export, a resumed run goes on, and the pool is a function of the seed."""

import json
import sys
import types
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from livevis.core.errors import ConfigError
from livevis.train import checkpoint, words
from livevis.train.data import PicturePool, chosen_draws
from livevis.train.journal import Journal
from livevis.train.options import COMMANDS, PocketOptions
from livevis.train.pocket import train

# diffusers reads a tensor as an array in the way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def micro(folder, **changes) -> PocketOptions:
    options = PocketOptions(
        command="unet",
        minutes=0.15,
        out=folder / "out",
        work=folder / "work",
        size=64,
        shape="tiny",
        pictures=40,
        held_out=12,
        batch=4,
        small_batch=8,
        processes=1,
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
    quiet_train(micro(folder, command="vae", minutes=0.05))
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
        name: checkpoint.load(trained / "work", name)
        for name in ("autoencoder", "denoiser", "naming", "sharpen", "decoder")
    }
    assert all(state["step"] > 0 for state in steps.values())
    rows = [json.loads(line) for line in (trained / "work/metrics.jsonl").read_text().splitlines()]
    assert {"autoencoder", "denoiser", "naming", "sharpen", "decoder", "examined"} <= {row["stage"] for row in rows}


def test_resume_goes_on_from_the_step_where_it_stopped(trained):
    before = {name: checkpoint.load(trained / "work", name) for name in ("autoencoder", "denoiser")}
    quiet_train(micro(trained, minutes=0.25, resume=True))
    after = checkpoint.load(trained / "work", "denoiser")
    assert after["step"] > before["denoiser"]["step"]
    assert after["spent_s"] >= 60 * 0.25 * COMMANDS["unet"]["denoiser"]
    assert (
        checkpoint.load(trained / "work", "autoencoder")["step"] == before["autoencoder"]["step"]
    )  # latents are of it
    latents = checkpoint.load(trained / "work", "latents")["latents"]
    assert latents.shape[1:] == (4, 8, 8)


def test_the_pool_is_a_function_of_its_seed(tmp_path):
    def pool(name, seed):
        options = micro(tmp_path, pictures=4, held_out=2, seed=seed, minutes=10.0, work=tmp_path / name)
        made = PicturePool(options.workdir, options)
        with Journal(options.workdir) as journal:
            made.render(journal)
        return made

    first, again, other = pool("a", 0), pool("b", 0), pool("c", 1)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.draws == again.draws
    assert not np.array_equal(first.pixels, other.pixels)


def test_going_on_with_other_pictures_is_refused(tmp_path):
    options = micro(tmp_path, pictures=4, held_out=2, minutes=10.0)
    with Journal(options.workdir) as journal:
        PicturePool(options.workdir, options).render(journal)
    assert PicturePool(options.workdir, replace(options, resume=True)).done == 6
    with pytest.raises(ConfigError, match="--resume"):
        PicturePool(options.workdir, replace(options, resume=True, seed=1))


def test_a_run_that_goes_on_keeps_its_vocabulary(trained):
    before = (trained / "work/tokenizer/vocab.json").read_text()
    assert before == (trained / "out/tokenizer/vocab.json").read_text()
    again = words.load_tokenizer(trained / "work/tokenizer", positions=32)
    assert again.model_max_length == 32
    assert again("a raging fire")["input_ids"] == load(trained / "out").tokenizer("a raging fire")["input_ids"]


def test_held_out_draws_are_never_trained_on():
    assert not set(chosen_draws(200, "train")) & set(chosen_draws(200, "held_out"))


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"size": 96}, {"command": "sing"}, {"shape": "huge"}])
def test_wrong_options_are_named(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong)))):
        PocketOptions(**wrong)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_stages_share_the_whole_budget(command):
    options = PocketOptions(command=command, minutes=10)
    assert sum(options.budget_s(stage) for stage in COMMANDS[command]) == pytest.approx(600)
    with pytest.raises(ConfigError, match="choose from"):
        options.budget_s("knitting")


def test_a_unet_without_an_autoencoder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="train vae"):
        quiet_train(micro(tmp_path, minutes=0.01))


def test_a_stage_of_its_own_module_is_found_late_and_told_the_options(tmp_path, monkeypatch):
    seen = []
    module = types.ModuleType("livevis.train.judge.training")
    module.train_judge = lambda options, journal: seen.append(options.command) or {"right": 1.0}
    monkeypatch.setitem(sys.modules, "livevis.train.judge.training", module)
    train(micro(tmp_path, command="judge"))
    assert seen == ["judge"]
    assert '"right": 1.0' in (tmp_path / "work/metrics.jsonl").read_text()


def test_the_autoencoder_alone_exports_itself_alone(tmp_path):
    quiet_train(micro(tmp_path, command="vae", minutes=0.02))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"vae"}
