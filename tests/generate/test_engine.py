"""An engine is checked before it is loaded, and every error names the thing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from livevis.core.errors import CapabilityError, EngineError
from livevis.generate import engine as engines
from livevis.generate.engine import Engine, check_size, list_engines, load_engine

NEEDED = (
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "scheduler/scheduler_config.json",
)


@pytest.fixture
def copy(engine: Engine, tmp_path: Path) -> Path:
    return Path(shutil.copytree(engine.folder, tmp_path / "copy"))


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize("missing", NEEDED)
def test_a_missing_file_is_named_with_the_engines_found(copy: Path, missing: str) -> None:
    (copy / missing).unlink()
    with pytest.raises(EngineError, match=rf"{missing}.*engines found: .*pocket"):
        load_engine(copy)


def test_a_missing_tokenizer_is_named(copy: Path) -> None:
    (copy / "tokenizer/vocab.json").unlink()
    with pytest.raises(EngineError, match=r"tokenizer/tokenizer\.json"):
        load_engine(copy)


def test_sizes_are_read_from_the_configs(engine: Engine) -> None:
    assert (engine.latent_scale, engine.size_multiple, engine.size) == (8, 16, 64)
    assert (engine.channels, engine.text_width, engine.tokens) == (4, 24, 32)
    check_size(engine, 48)
    with pytest.raises(CapabilityError, match="size 72 must be a multiple of 16"):
        check_size(engine, 72)


def test_a_folder_without_a_recipe_plays_at_the_size_of_its_configs(copy: Path) -> None:
    vae = json.loads((copy / "vae/config.json").read_text())
    vae.pop("block_out_channels", None)  # AutoencoderTiny as diffusers writes it has no such key
    (copy / "vae/config.json").write_text(json.dumps(vae))
    change(copy / "unet/config.json", sample_size=8)
    assert load_engine(copy).size == 64


def test_fp16_variants_are_found(copy: Path) -> None:
    stem = copy / "unet/diffusion_pytorch_model"
    stem.with_suffix(".safetensors").rename(stem.with_suffix(".fp16.safetensors"))
    assert engines.weights_file(load_engine(copy).folder, "unet").name.endswith(".fp16.safetensors")


@pytest.mark.parametrize(
    ("part", "values", "said"),
    [
        ("unet", {"in_channels": 9}, "9 channels"),
        ("unet", {"cross_attention_dim": 768}, "width 768"),
        ("unet", {"addition_embed_type": "text_time"}, "only SD-1/2-style"),
        ("vae", {"_class_name": "VQModel"}, "VQModel"),
    ],
)
def test_layouts_that_cannot_be_played_say_why(copy: Path, part: str, values: dict[str, object], said: str) -> None:
    change(copy / part / "config.json", **values)
    with pytest.raises(CapabilityError, match=said):
        load_engine(copy)


def test_an_unknown_engine_names_the_nearest() -> None:
    with pytest.raises(EngineError, match=r"no engine 'poket' \(did you mean 'pocket'\?\)"):
        load_engine("poket")


def test_a_recipe_sets_how_the_folder_is_played(engine: Engine, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'folder = "{engine.folder.as_posix()}"\nsize = 32\nsteps = 2\nprecision = {{decode = "bf16"}}\n')
    mine = load_engine(recipe)
    assert (mine.name, mine.size, mine.steps, dict(mine.precision)) == ("mine", 32, 2, {"decode": "bf16"})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sise = 32", "did you mean 'size'"),
        ("steps = 9", "steps 9 must be 1..4"),
        ("size = 33", "multiple of 16"),
        ('precision = {decode = "int8"}', "precision.decode"),
        ("size = ", "mine.toml"),
    ],
)
def test_a_wrong_recipe_is_refused(engine: Engine, tmp_path: Path, line: str, said: str) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'folder = "{engine.folder.as_posix()}"\n{line}\n')
    with pytest.raises((EngineError, CapabilityError), match=said):
        load_engine(recipe)


def test_the_bundled_recipes_are_listed_and_a_broken_one_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "pocket" in {row.name for row in list_engines()}
    (tmp_path / "broken.toml").write_text('folder = "nowhere"\n')
    monkeypatch.setattr(engines, "assets", lambda kind: tmp_path)
    (broken,) = list_engines()
    assert broken.engine is None and "unet/config.json" in str(broken.as_row()["state"])
