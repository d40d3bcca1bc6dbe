"""The pocket CLIP: the engine's own text encoder, untouched, and a small vision transformer that learns to agree.

Locked-image tuning the other way round (Zhai et al. 2022, LiT): here the text tower is locked.
"""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from livevis.core.errors import EngineError
from livevis.train import words
from livevis.train.judge.pool import SIDE_PX

BOX = 4  # PIL's number for averaging, which is how the pictures that it learns from were made small


@dataclass(frozen=True, slots=True)
class ClipShape:
    """Sizes of the vision tower; `projection` is the width of the space that pictures and words share."""

    side: int = SIDE_PX
    patch: int = 16
    width: int = 128
    layers: int = 5
    heads: int = 4
    projection: int = 128


CLIP_SHAPES: dict[str, ClipShape] = {
    "pocket": ClipShape(),
    "tiny": ClipShape(side=32, patch=16, width=32, layers=1, heads=2, projection=16),
}


def load_words(engine: Path) -> tuple[Any, Any]:
    """The text encoder in float32 and the tokenizer of an exported engine. Raises EngineError where there is none."""
    from transformers import CLIPTextModel, CLIPTokenizer

    if not (engine / "text_encoder").is_dir():
        raise EngineError(f"no text_encoder in {engine}: train the engine first, or name one with --from")
    text = CLIPTextModel.from_pretrained(engine / "text_encoder", local_files_only=True, torch_dtype=torch.float32)
    return text.eval(), CLIPTokenizer.from_pretrained(engine / "tokenizer", local_files_only=True)


def build_clip(text: Any, shape: ClipShape) -> Any:
    """A CLIPModel around `text`; its text tower holds the same weights and does not learn."""
    from transformers import CLIPConfig, CLIPModel

    vision = {
        "hidden_size": shape.width,
        "intermediate_size": 4 * shape.width,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "image_size": shape.side,
        "patch_size": shape.patch,
        "projection_dim": shape.projection,
    }
    spoken = {key: value for key, value in text.config.to_dict().items() if key not in ("_name_or_path", "dtype")}
    clip = CLIPModel(CLIPConfig(text_config=spoken, vision_config=vision, projection_dim=shape.projection))
    clip.text_model.load_state_dict(text.state_dict())
    clip.text_model.requires_grad_(False).eval()
    return clip


def pooled_pictures(clip: Any, pictures: Tensor, *, seen: Tensor | None = None) -> Tensor:
    """What the vision tower makes of pictures [B, 3, side, side] in -1..1, before the projection: [B, width].

    `seen` int64 [B, K]: of each picture only these patches are looked at (Li et al. 2023, FLIP), which costs less.
    """
    vision = clip.vision_model
    patches = vision.embeddings(pictures)
    if seen is not None:
        rows = (seen + 1)[..., None].expand(-1, -1, patches.shape[-1])  # the first is no patch: it will hold the whole
        patches = torch.cat([patches[:, :1], patches.gather(1, rows)], dim=1)
    hidden = vision.encoder(inputs_embeds=vision.pre_layrnorm(patches)).last_hidden_state
    pooled: Tensor = vision.post_layernorm(hidden[:, 0])
    return pooled


def some_patches(count: int, patches: int, draws: torch.Generator) -> Tensor:
    """int64 [count, patches / 2]: a random half of the patches for each of `count` pictures."""
    return torch.rand(count, patches, generator=draws).argsort(dim=1)[:, : patches // 2]


def picture_features(clip: Any, pictures: Tensor) -> Tensor:
    """Unit vectors float32 [B, projection] of pictures [B, 3, side, side] in -1..1."""
    return as_unit(clip.visual_projection(pooled_pictures(clip, pictures)))


def text_features(clip: Any, ids: Tensor) -> Tensor:
    """Unit vectors float32 [B, projection] of token ids [B, positions]; the gradient stops at the projection."""
    with torch.no_grad():
        pooled = clip.text_model(input_ids=ids).pooler_output
    return as_unit(clip.text_projection(pooled))


def as_unit(vectors: Tensor) -> Tensor:
    """Vectors [B, F] in float32 and of length one."""
    return functional.normalize(vectors.float(), dim=-1)


def token_ids(tokenizer: Any, texts: list[str], positions: int) -> Tensor:
    """int64 [B, positions], padded and cut."""
    return torch.tensor(tokenizer(texts, padding="max_length", max_length=positions, truncation=True)["input_ids"])


def save_clip(clip: Any, tokenizer: Any, folder: Path, *, card: str = "") -> int:
    """Write a folder that CLIPModel and CLIPProcessor load: float16 safetensors; returns its bytes."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    half = copy.deepcopy(clip).to("cpu", torch.float16, memory_format=torch.contiguous_format).eval()
    half.save_pretrained(fresh, safe_serialization=True)
    side = int(clip.config.vision_config.image_size)
    _write_processor(tokenizer, side, fresh)
    _strip_paths(fresh)
    if card:
        (fresh / "README.md").write_text(card, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def load_clip(folder: Path) -> tuple[Any, Any]:
    """The CLIPModel of a folder in float32 and its tokenizer. Raises EngineError where there is none."""
    from transformers import CLIPModel, CLIPTokenizer

    if not (folder / "model.safetensors").is_file():
        raise EngineError(f"no CLIP in {folder}; `livevis train clip` makes one")
    clip = CLIPModel.from_pretrained(folder, local_files_only=True, torch_dtype=torch.float32)
    return clip.eval(), CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _write_processor(tokenizer: Any, side: int, folder: Path) -> None:
    """What CLIPProcessor reads, and the files that other readers of such folders look for."""
    from transformers import CLIPImageProcessorPil, CLIPProcessor

    size, half = {"height": side, "width": side}, [0.5, 0.5, 0.5]
    pictures = CLIPImageProcessorPil(
        size=size, crop_size=size, resample=BOX, do_center_crop=False, image_mean=half, image_std=half
    )
    CLIPProcessor(image_processor=pictures, tokenizer=tokenizer).save_pretrained(folder)
    pictures.save_pretrained(folder)
    vocabulary, merges = words.vocabulary_files(tokenizer)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")


def _strip_paths(folder: Path) -> None:
    """Configs remember the path that a part was loaded from."""
    for path in folder.glob("*config.json"):
        config = json.loads(path.read_text(encoding="utf-8"))
        for part in (config, *(value for value in config.values() if isinstance(value, dict))):
            part.pop("_name_or_path", None)
            part.pop("name_or_path", None)
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
