"""Write the networks as a standard diffusers folder: fp16 safetensors, tokenizer files, scheduler, card."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from livevis.train import networks as nets
from livevis.train import words
from livevis.train.networks import Networks

PARTS = ("vae", "unet", "text_encoder", "tokenizer", "scheduler")
FOLDER_LIMIT_BYTES, FILE_LIMIT_BYTES = 48_000_000, 16_000_000


def export(networks: Networks, out: Path) -> dict[str, int]:
    """Write the checkpoint to `out`, replacing an older one once the new one is whole; returns bytes by file.

    Raises ValueError if a file or the folder would be too large to ship in the repository.
    """
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    halves = Networks(_half(networks.vae), _half(networks.unet), _half(networks.text), networks.tokenizer)
    nets.pipeline(halves).save_pretrained(fresh, safe_serialization=True)
    write_vocabulary(networks.tokenizer, fresh / "tokenizer")
    _strip_local_paths(fresh)
    sizes = {str(path.relative_to(fresh)): path.stat().st_size for path in sorted(fresh.rglob("*")) if path.is_file()}
    _check(sizes)
    _replace(fresh, out)
    return sizes


def export_vae(networks: Networks, out: Path) -> Path:
    """Write the autoencoder alone to `out`/vae; returns that folder."""
    folder = out / "vae"
    _half(networks.vae).save_pretrained(folder, safe_serialization=True)
    _strip_local_paths(out)
    return folder


def _half(module: Any) -> Any:
    return copy.deepcopy(module).to("cpu", torch.float16, memory_format=torch.contiguous_format).eval()


def write_vocabulary(tokenizer: Any, folder: Path) -> None:
    """The tokenizer as the files that every version of CLIPTokenizer reads."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, merges = words.vocabulary_files(tokenizer)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    special = {"bos_token": words.BOS, "eos_token": words.EOS, "pad_token": words.EOS, "unk_token": words.EOS}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")


def _strip_local_paths(folder: Path) -> None:
    """Configs remember the path that they were loaded from, and AutoencoderTiny a value that it will not read back."""
    for path in [*folder.rglob("config.json"), *folder.glob("*.json"), *folder.rglob("*_config.json")]:
        config = json.loads(path.read_text(encoding="utf-8"))
        dropped = [
            config.pop(name, None)
            for name in ("_name_or_path", "block_out_channels" if path.parent.name == "vae" else "")
        ]
        if any(dropped):
            path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _check(sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        if size > FILE_LIMIT_BYTES:
            raise ValueError(f"{name} has {size} bytes: at most {FILE_LIMIT_BYTES} can be shipped")
    if sum(sizes.values()) > FOLDER_LIMIT_BYTES:
        raise ValueError(f"the folder has {sum(sizes.values())} bytes: at most {FOLDER_LIMIT_BYTES} can be shipped")


def _replace(fresh: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        shutil.rmtree(out / part, ignore_errors=True)
        (fresh / part).rename(out / part)
    for path in fresh.iterdir():
        path.replace(out / path.name)
    fresh.rmdir()
