"""A TPoS on disk: config.json and model.safetensors, and the text encoder that its rows were made for."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from livevis.core.errors import EngineError
from livevis.embed.tpos.network import Tpos
from livevis.embed.tpos.shape import TposShape

FOLDER = "tpos"
KIND = "livevis-tpos"


def text_digest(engine: Path) -> str:
    """A name for the text encoder's weights in an engine's folder. Raises EngineError where there are none."""
    files = sorted((engine / "text_encoder").glob("*.safetensors"))
    if not files:
        raise EngineError(f"no text_encoder/*.safetensors in {engine}")
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def save(model: Tpos, folder: Path, *, text: str, card: str = "") -> int:
    """Write float16 weights, the sizes and `text` (see `text_digest`), replacing an older folder; returns bytes."""
    from safetensors.torch import save_file

    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {
        name: (part.half() if part.is_floating_point() else part).detach().cpu().contiguous()
        for name, part in model.state_dict().items()
    }
    save_file(weights, fresh / "model.safetensors", metadata={"format": "pt"})
    config = {"model_type": KIND, "text_encoder": text, **asdict(model.shape)}
    (fresh / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    if card:
        (fresh / "README.md").write_text(card, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return sum(path.stat().st_size for path in folder.iterdir())


def load(folder: Path, *, text: str | None = None) -> Tpos:
    """The model of a folder in float32 and evaluation mode; nothing is fetched.

    Raises EngineError where there is none, where its files do not fit each other, or where it was made for another
    text encoder than `text`: its rows would mean nothing there.
    """
    from safetensors.torch import load_file

    config = _config(folder)
    if text is not None and config["text_encoder"] != text:
        raise EngineError(f"{folder} speaks for another text encoder; `livevis train tpos` makes one for this engine")
    known = {field.name for field in fields(TposShape)}
    sizes: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in config.items() if key in known
    }
    model = Tpos(TposShape(**sizes))
    try:
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, RuntimeError) as error:
        raise EngineError(f"{folder}/model.safetensors does not fit its config.json: {_line(error)}") from error
    return model.to(torch.float32).eval()


def load_for(engine: Path) -> Tpos:
    """The TPoS of an engine's folder. Raises EngineError saying why there is none, for the fallback to say so too."""
    return load(engine / FOLDER, text=text_digest(engine))


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EngineError(f"no TPoS in {folder}; `livevis train tpos` makes one") from error
    if config.get("model_type") != KIND:
        raise EngineError(f"{folder}/config.json is a {config.get('model_type')!r}, not a {KIND!r}")
    return config


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
