"""Engines: a recipe (engines/*.toml) or a diffusers folder, checked before any network is loaded. No torch here."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from livevis.core.errors import CapabilityError, EngineError, LivevisError, choices, nearest
from livevis.core.places import assets

DEFAULT_ENGINE = "pocket"
STEPS = range(1, 5)
PARTS: dict[str, str] = {
    "unet": "unet/config.json",
    "vae": "vae/config.json",
    "text_encoder": "text_encoder/config.json",
    "scheduler": "scheduler/scheduler_config.json",
}
WEIGHT_PARTS = ("unet", "vae", "text_encoder")
TOKENIZER_FILES = ("tokenizer/tokenizer.json", "tokenizer/vocab.json")
AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")
PRECISIONS = ("f32", "bf16")
NETWORKS = ("text", "encode", "denoise", "decode")
RECIPE_KEYS = ("doc", "folder", "size", "steps", "strength", "notes", "precision")


@dataclass(frozen=True, slots=True)
class Engine:
    """A checked SD-1/2-style checkpoint and how to play it.

    folder: diffusers layout; size: picture side in pixels; steps 1..4 and strength 0..1: what suits it;
    precision: network ("encode", "denoise", "decode", "text") -> "f32" | "bf16" where the runtime offers it;
    configs: part ("unet", "vae", "text_encoder", "scheduler") -> its config.json.
    """

    name: str
    folder: Path
    size: int
    steps: int
    strength: float
    notes: str
    precision: Mapping[str, str]
    configs: Mapping[str, Mapping[str, Any]]

    @property
    def latent_scale(self) -> int:
        """Pixels per latent along one side."""
        vae = self.configs["vae"]  # AutoencoderTiny names its widths apart for each direction
        return int(2 ** (len(vae.get("encoder_block_out_channels") or vae["block_out_channels"]) - 1))

    @property
    def size_multiple(self) -> int:
        """A legal picture side is a multiple of this: every halving of the UNet must come out even."""
        return int(self.latent_scale * 2 ** (len(self.configs["unet"]["block_out_channels"]) - 1))

    @property
    def channels(self) -> int:
        """Channels of a latent."""
        return int(self.configs["unet"]["in_channels"])

    @property
    def text_width(self) -> int:
        """Width of one token's embedding."""
        return int(self.configs["unet"]["cross_attention_dim"])

    @property
    def time_width(self) -> int:
        """Sinusoids that tell the UNet the timestep."""
        return int(self.configs["unet"]["block_out_channels"][0])

    @property
    def tokens(self) -> int:
        """Tokens of a prompt, padding included."""
        return int(self.configs["text_encoder"]["max_position_embeddings"])


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of `livevis engines`: a recipe, and its engine or what is wrong with it."""

    name: str
    engine: Engine | None
    problem: str = ""

    def as_row(self) -> dict[str, str | int | float]:
        """Return what to print, plain values by column."""
        if self.engine is None:
            return {"name": self.name, "state": self.problem}
        e = self.engine
        row = {"name": e.name, "state": "ready", "size": e.size, "steps": e.steps, "strength": e.strength}
        return {**row, "folder": str(e.folder), "notes": e.notes}


def recipes() -> dict[str, Path]:
    """Return name -> recipe for every engines/*.toml, sorted by name."""
    return {path.stem: path for path in sorted(assets("engines").glob("*.toml"))}


def list_engines() -> list[Listed]:
    """Check every recipe; a broken one is listed with its problem instead of raising."""
    return [_listed(name, path) for name, path in recipes().items()]


def _listed(name: str, path: Path) -> Listed:
    try:
        return Listed(name, _from_recipe(path))
    except LivevisError as error:
        return Listed(name, None, str(error))


def load_engine(name_or_path: str | Path = DEFAULT_ENGINE) -> Engine:
    """Find and check an engine by its recipe's name, its recipe's path or its folder; loads no weights.

    Raises EngineError naming the missing file or the nearest engine, CapabilityError for a layout that cannot
    be played.
    """
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return _check(Engine(path.resolve().name, path.resolve(), 0, 1, 0.5, "", {}, {}))
    if path.suffix == ".toml" and path.is_file():
        return _from_recipe(path.resolve())
    found = recipes()
    if str(name_or_path) in found:
        return _from_recipe(found[str(name_or_path)])
    hint = nearest(str(name_or_path), found)
    raise EngineError(f"no engine '{name_or_path}'{hint}: engines found: {choices(found)}; or give a diffusers folder")


def weights_file(folder: Path, part: str) -> Path:
    """Return the weights (or the index of their shards) of one part; raises EngineError naming the missing file."""
    stem = "model" if part == "text_encoder" else "diffusion_pytorch_model"
    for middle in ("", ".fp16"):
        for name in (f"{stem}{middle}.safetensors", f"{stem}.safetensors.index{middle}.json"):
            if (folder / part / name).is_file():
                return folder / part / name
    raise EngineError(f"engine folder {folder} has no {part}/{stem}.safetensors; engines found: {_found()}")


def _from_recipe(path: Path) -> Engine:
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise EngineError(f"engine recipe {path}: {error}") from None
    for key in recipe:
        if key not in RECIPE_KEYS:
            raise EngineError(f"engine recipe {path}: unknown key '{key}'{nearest(key, RECIPE_KEYS)}")
    folder = (path.parent / Path(str(recipe.get("folder", path.stem))).expanduser()).resolve()
    precision = dict(recipe.get("precision", {}))
    for network, value in precision.items():
        if network not in NETWORKS or value not in PRECISIONS:
            raise EngineError(
                f"engine recipe {path}: precision.{network} = {value!r}: "
                f"networks {choices(NETWORKS)}, each {choices(PRECISIONS)}"
            )
    return _check(
        Engine(
            name=path.stem,
            folder=folder,
            size=int(recipe.get("size", 0)),
            steps=int(recipe.get("steps", 1)),
            strength=float(recipe.get("strength", 0.5)),
            notes=str(recipe.get("notes", recipe.get("doc", ""))),
            precision=precision,
            configs={},
        )
    )


def _check(engine: Engine) -> Engine:
    configs = {part: _read_config(engine.folder, relative) for part, relative in PARTS.items()}
    for part in WEIGHT_PARTS:
        weights_file(engine.folder, part)
    if not any((engine.folder / name).is_file() for name in TOKENIZER_FILES):
        raise EngineError(f"engine folder {engine.folder} has no {TOKENIZER_FILES[0]}; engines found: {_found()}")
    read = replace(engine, configs=configs)
    size = engine.size or int(configs["unet"].get("sample_size") or 64) * read.latent_scale
    checked = replace(read, size=size)
    _check_layout(checked)
    check_size(checked, size)
    return checked


def _check_layout(engine: Engine) -> None:
    unet, vae, text = (engine.configs[part] for part in ("unet", "vae", "text_encoder"))
    where = f"engine {engine.name}"
    if engine.steps not in STEPS or not 0 <= engine.strength <= 1:
        raise EngineError(f"{where}: steps {engine.steps} must be 1..4 and strength {engine.strength} 0..1")
    if vae.get("_class_name") not in AUTOENCODERS:
        raise CapabilityError(f"{where}: autoencoder {vae.get('_class_name')}; playable: {choices(AUTOENCODERS)}")
    if unet["in_channels"] != vae["latent_channels"]:
        raise CapabilityError(
            f"{where}: UNet takes {unet['in_channels']} channels, autoencoder gives {vae['latent_channels']} "
            "(inpainting and depth models are not played)"
        )
    if unet["cross_attention_dim"] != text["hidden_size"]:
        raise CapabilityError(
            f"{where}: UNet reads text of width {unet['cross_attention_dim']}, text encoder gives {text['hidden_size']}"
        )
    if unet.get("time_embedding_type") not in (None, "positional"):
        raise CapabilityError(f"{where}: time embedding {unet['time_embedding_type']}; playable: positional")
    if unet.get("addition_embed_type") or unet.get("time_cond_proj_dim") or unet.get("class_embed_type"):
        raise CapabilityError(
            f"{where}: its UNet wants more than (latent, timestep, text): only SD-1/2-style models play"
        )


def check_size(engine: Engine, size: int) -> None:
    """Raise CapabilityError unless `size` pixels is a side that this engine can draw."""
    if size < engine.size_multiple or size % engine.size_multiple:
        raise CapabilityError(f"engine {engine.name}: size {size} must be a multiple of {engine.size_multiple} pixels")


def _read_config(folder: Path, relative: str) -> Mapping[str, Any]:
    path = folder / relative
    if not path.is_file():
        raise EngineError(f"engine folder {folder} has no {relative}; engines found: {_found()}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise EngineError(f"engine file {path}: {error}") from None
    return dict(config)


def _found() -> str:
    return choices(recipes())
