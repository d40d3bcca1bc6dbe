"""The ears as transformers' own classes: ClapModel (HTSAT and Roberta, small), its tokenizer, extractor and folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livevis.core.features import SAMPLE_RATE_HZ

WINDOW_S = 5
"""Seconds that the ears hear at once; clips of exactly this length are never cropped or padded by the extractor."""
HOP = 960
MELS = 64
FRAMES = 1 + WINDOW_S * SAMPLE_RATE_HZ // HOP
FOLDER_LIMIT_BYTES = 10_000_000
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarShape:
    """Sizes of the two towers; `stages` and `heads` are layers and heads at each resolution of the audio tower.

    A patch spans a quarter of the bands, so that after two mergings a token has the whole spectrum: with the usual
    patches of four bands the tower, which knows no positions but relative ones, takes far longer to tell low from high.
    """

    width: int = 64
    window: int = 2
    patch: tuple[int, int] = (16, 8)  # bands, frames
    stages: tuple[int, ...] = (1, 2, 2)
    heads: tuple[int, ...] = (2, 4, 8)
    text_width: int = 128
    text_layers: int = 2
    text_heads: int = 4
    text_positions: int = 48
    vocabulary: int = 1024
    joint: int = 128


EAR_SHAPES: dict[str, EarShape] = {
    "pocket": EarShape(),
    "tiny": EarShape(
        width=16,
        stages=(1, 1, 1),
        heads=(1, 2, 4),
        text_width=32,
        text_layers=1,
        text_heads=2,
        vocabulary=400,
        joint=32,
    ),
}


@dataclass(frozen=True, slots=True)
class Ears:
    """`model` ClapModel, `tokenizer` RobertaTokenizer, `extractor` ClapFeatureExtractor."""

    model: Any
    tokenizer: Any
    extractor: Any


def build_extractor() -> Any:
    """Log mels as the published unfused CLAP takes them, over five seconds at 50 frames a second."""
    from transformers import ClapFeatureExtractor

    return ClapFeatureExtractor(
        feature_size=MELS,
        sampling_rate=SAMPLE_RATE_HZ,
        hop_length=HOP,
        # About twice the hop, so that a click between two frames is heard by both.
        fft_window_size=2048,
        max_length_s=WINDOW_S,
        frequency_min=50,
        frequency_max=14_000,
        truncation="rand_trunc",
        padding="repeatpad",
    )


def build_tokenizer(captions: Iterable[str], *, vocabulary: int, positions: int) -> Any:
    """Byte-level BPE learnt from the captions, in Roberta's layout; a word is the same first and in mid-sentence."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaTokenizer

    learnt = ByteLevelBPETokenizer(add_prefix_space=True)
    learnt.train_from_iterator(
        sorted(set(captions)),
        vocab_size=vocabulary,
        min_frequency=2,
        show_progress=False,
        special_tokens=_SPECIAL,
    )
    model = json.loads(learnt.to_str())["model"]
    merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
    return RobertaTokenizer(vocab=model["vocab"], merges=merges, add_prefix_space=True, model_max_length=positions)


def build_model(shape: EarShape, tokenizer: Any, *, seed: int) -> Any:
    """ClapModel with weights drawn from `seed`."""
    from transformers import ClapAudioConfig, ClapConfig, ClapModel, ClapTextConfig

    text = ClapTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.text_width,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=shape.text_heads,
        intermediate_size=4 * shape.text_width,
        max_position_embeddings=shape.text_positions + 2,  # Roberta counts positions from the padding's number on
    )
    audio = ClapAudioConfig(
        num_mel_bins=MELS,
        spec_size=2 * MELS,  # twice the mels: time is folded once, 256 frames
        window_size=shape.window,
        patch_size=list(shape.patch),
        patch_stride=list(shape.patch),
        patch_embeds_hidden_size=shape.width,
        depths=list(shape.stages),
        num_attention_heads=list(shape.heads),
        hidden_size=shape.width * 2 ** (len(shape.stages) - 1),
        num_hidden_layers=len(shape.stages),
        hidden_dropout_prob=0.0,
        drop_path_rate=0.05,
        enable_fusion=False,
    )
    torch.manual_seed(seed)
    return ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=shape.joint))


def build_ears(shape: EarShape, captions: Iterable[str], *, seed: int) -> Ears:
    """Tokenizer from the captions, extractor, and a fresh model."""
    tokenizer = build_tokenizer(captions, vocabulary=shape.vocabulary, positions=shape.text_positions)
    return Ears(build_model(shape, tokenizer, seed=seed), tokenizer, build_extractor())


def audio_embeddings(model: Any, mels: Tensor) -> Tensor:
    """Mels [B, 1, frames, bands] → unit vectors [B, joint]."""
    embeddings: Tensor = model.get_audio_features(input_features=mels).pooler_output
    return embeddings


def text_embeddings(ears: Ears, captions: list[str], device: torch.device) -> Tensor:
    """Captions → unit vectors [B, joint]."""
    tokens = ears.tokenizer(captions, padding=True, truncation=True, return_tensors="pt").to(device)
    inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    embeddings: Tensor = ears.model.get_text_features(**inputs).pooler_output
    return embeddings


def export_ears(ears: Ears, out: Path) -> dict[str, int]:
    """Write the folder that ClapModel and ClapProcessor load, fp16, replacing an older one; returns bytes by file.

    Raises ValueError above 10 MB, which is the ears' share of what the repository ships.
    """
    import copy

    from transformers import ClapProcessor

    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    copy.deepcopy(ears.model).to("cpu", torch.float16).eval().save_pretrained(fresh)
    ClapProcessor(feature_extractor=ears.extractor, tokenizer=ears.tokenizer).save_pretrained(fresh)
    ears.extractor.save_pretrained(fresh)  # where versions before 5 look for it
    sizes = {str(path.relative_to(fresh)): path.stat().st_size for path in sorted(fresh.rglob("*")) if path.is_file()}
    if sum(sizes.values()) > FOLDER_LIMIT_BYTES:
        raise ValueError(f"{out} has {sum(sizes.values())} bytes: at most {FOLDER_LIMIT_BYTES} can be shipped")
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh.rename(out)
    return sizes
