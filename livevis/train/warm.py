"""Go on from an exported engine: its weights, as far as the networks to be trained have a place for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from livevis.core.errors import ConfigError
from livevis.train.networks import Networks

EMBEDDING = "token_embedding.weight"


def start_from(networks: Networks, folder: Path) -> dict[str, int]:
    """Put the weights of the engine in `folder` into `networks`; says how many words were known and how many were new.

    The words of the tokenizer may differ: rows of tokens that both know are carried over by their spelling, the others
    are drawn from the known ones' mean and deviation. Raises ConfigError where the folder is no engine of these sizes.
    """
    from diffusers import AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    for part in ("vae", "unet", "text_encoder", "tokenizer"):
        if not (folder / part).is_dir():
            raise ConfigError(f"{folder} has no {part}: --from takes an exported engine")
    vae = _load(AutoencoderTiny, folder / "vae", low_cpu_mem_usage=False)
    _copy(networks.vae, vae.state_dict(), folder / "vae")
    networks.vae.register_to_config(scaling_factor=vae.config.scaling_factor)
    unet = _load(UNet2DConditionModel, folder / "unet", low_cpu_mem_usage=False)
    _copy(networks.unet, unet.state_dict(), folder / "unet")
    before = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True).get_vocab()
    words = networks.tokenizer.get_vocab()
    weights = _load(CLIPTextModel, folder / "text_encoder").state_dict()
    (name,) = (name for name in weights if name.endswith(EMBEDDING))
    weights[name] = carried_over(weights[name], before, words)
    _copy(networks.text, weights, folder / "text_encoder")
    known = len(before.keys() & words.keys())
    return {"known_tokens": known, "new_tokens": len(words) - known}


def carried_over(rows: Tensor, before: dict[str, int], words: dict[str, int]) -> Tensor:
    """Embedding rows for the vocabulary `words` from those of `before`; unknown ones drawn like the known ones."""
    draws = torch.Generator().manual_seed(len(words))
    spread = torch.randn(len(words), rows.shape[1], generator=draws)
    fresh = rows.mean(dim=0) + rows.std(dim=0) * spread
    shared = sorted(before.keys() & words.keys())
    fresh[torch.tensor([words[word] for word in shared])] = rows[torch.tensor([before[word] for word in shared])]
    return fresh


def _load(kind: Any, path: Path, **more: Any) -> Any:
    return kind.from_pretrained(path, local_files_only=True, use_safetensors=True, **more).float()


def _copy(module: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:  # torch lists every key that does not fit; the first line says enough
        raise ConfigError(f"{path} has other sizes than are to be trained: {str(error).splitlines()[0]}") from error
