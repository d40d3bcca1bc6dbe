"""CLAP (Elizalde et al. 2022; Wu et al. 2023) over any checkpoint of ClapModel: sounds and words as unit vectors."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.errors import CapabilityError, EngineError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import TOGETHER, AudioEmbedding
from livevis.embed.hub import Say, hub_name, snapshot
from livevis.embed.mel import F32, Read, RollingMel

TEMPLATES = ("{}", "This is a sound of {}.")
SHORTEST_S = 0.5
_CACHED_PHRASES = 512
_CONFIG = "config.json"


def clap_folder(engine: Path, named: str | None = None, *, say: Say = lambda line: None) -> Path:
    """The ClapModel folder that was named, else the engine's own `clap`; it need not exist yet.

    A name `owner/name[@revision]` that is no folder is the hub's: taken from the local cache or fetched, which may take
    minutes and is told to `say`; raises EngineError where that fails. Nothing else ever goes to the hub.
    """
    if named and hub_name(named):
        return snapshot(named, check=check_folder, say=say)
    return Path(named).expanduser() if named else engine / "clap"


def check_folder(folder: Path) -> None:
    """Raise EngineError or CapabilityError in one line where `folder` holds no CLAP that can be played."""
    config = folder / _CONFIG
    if not config.is_file():
        raise EngineError(f"nothing is heard: no CLAP in {folder}; --clap FOLDER or OWNER/NAME names a ClapModel")
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise EngineError(f"nothing is heard: {config}: {error}") from None
    if found.get("model_type") != "clap":
        raise EngineError(f"nothing is heard: {folder} holds a {found.get('model_type')}, not a ClapModel")
    if found.get("audio_config", {}).get("enable_fusion"):
        raise CapabilityError(f"nothing is heard: {folder} is a fused CLAP, which crops at random; take an unfused one")


def model_name(folder: Path) -> str:
    """The model's id: owner/name@commit for a snapshot of the hub's, else the last two parts of its path."""
    whole = folder.resolve()
    kept, _, repo = whole.parent.parent.name.partition("--")
    if whole.parent.name == "snapshots" and kept == "models":
        return f"{repo.replace('--', '/', 1)}@{whole.name}"
    return f"{whole.parent.name}/{whole.name}"


class ClapEmbedder:
    """A fixed window of sound, and words, as unit vectors of one model; deterministic, nothing is cropped at random.

    name: the model's id; samples: its window, hop: of its mel, both at 48 kHz; logit_scale: what it multiplies cosines
    with before its softmax over phrases. Not thread-safe. Raises EngineError or CapabilityError.
    """

    def __init__(self, folder: Path) -> None:
        check_folder(folder)
        import torch
        from transformers import ClapModel, ClapProcessor
        from transformers.utils import logging

        logging.disable_progress_bar()
        self._torch = torch
        try:
            self._model = ClapModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
            processor = ClapProcessor.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # of the libraries below, each with classes of its own
            raise EngineError(f"nothing is heard: {folder}: {' '.join(str(error).split())}") from error
        extractor = processor.feature_extractor
        if extractor.sampling_rate != SAMPLE_RATE_HZ:
            raise CapabilityError(f"nothing is heard: {folder} takes {extractor.sampling_rate} Hz, sound is 48000 Hz")
        self._tokenizer: Any = processor.tokenizer
        self.name = model_name(folder)
        self._extractor: Any = extractor
        self.samples, self.hop = int(extractor.nb_max_samples), int(extractor.hop_length)
        self.logit_scale = float(self._model.logit_scale_a.detach().exp())
        self._phrases: OrderedDict[str, F32] = OrderedDict()

    def stretch(self, sample: int, span_s: float | None = None) -> tuple[int, int] | None:
        """(start, length) of what is heard at `sample`: whole hops, the newest `span_s` seconds (None: the window).

        At the beginning of the sound it is what there is; None below half a second.
        """
        hop = self.hop
        wanted = self.samples if span_s is None else min(round(span_s * SAMPLE_RATE_HZ), self.samples)
        if sample >= wanted == self.samples:
            return (sample - wanted) // hop * hop, wanted
        length = min(wanted, sample) // hop * hop
        return (sample // hop * hop - length, length) if length >= SHORTEST_S * SAMPLE_RATE_HZ else None

    def sound(self, read: Read) -> RollingMel:
        """Return one sound to be listened to from place to place; what it remembers belongs to that sound alone."""
        return RollingMel(self._extractor, read)

    def embed(self, sound: RollingMel, sample: int, *, span_s: float | None = None) -> AudioEmbedding | None:
        """What `sound` is in the newest `span_s` seconds before absolute index `sample`, as a unit vector [width].

        Equal to ClapProcessor and ClapModel on the same samples. None when they cannot be read or are too few.
        """
        stretch = self.stretch(sample, span_s)
        mel = None if stretch is None else sound.window(*stretch)
        if stretch is None or mel is None:
            return None
        torch = self._torch
        with torch.inference_mode():
            found = self._model.get_audio_features(
                input_features=torch.from_numpy(mel)[None, None], is_longer=torch.zeros(1, 1, dtype=torch.bool)
            )
        start, length = stretch
        vector = _unit(found.pooler_output[0].numpy())
        return AudioEmbedding(start + length, vector, self.name, length / SAMPLE_RATE_HZ)

    def phrase(self, phrase: str) -> F32:
        """The mean direction of a phrase in all templates, a unit vector [width]; encoded once and kept.

        "fire + rain" lies between what "fire and rain" says and the middle of the two alone: a sound of both is called
        neither's name alone, and not every CLAP has learnt captions of two.
        """
        if phrase not in self._phrases:
            self._phrases[phrase] = self._encoded(phrase)
            if len(self._phrases) > _CACHED_PHRASES:
                self._phrases.popitem(last=False)
        self._phrases.move_to_end(phrase)
        return self._phrases[phrase]

    def _encoded(self, phrase: str) -> F32:
        parts = phrase.split(TOGETHER)
        if len(parts) == 1:
            return self._said([phrase])
        apart = _unit(np.sum([self.phrase(part) for part in parts], axis=0))
        return _unit(self._said([" and ".join(parts), " and ".join(reversed(parts))]) + apart)

    def _said(self, phrases: list[str]) -> F32:
        texts = [template.format(phrase) for phrase in phrases for template in TEMPLATES]
        inputs = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with self._torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
            )
        return _unit(found.pooler_output.numpy().mean(0))

    def scores(self, embedding: AudioEmbedding, phrases: Iterable[str]) -> dict[str, float]:
        """Cosine of the sound with each phrase, -1..1."""
        return {phrase: float(embedding.vector @ self.phrase(phrase)) for phrase in phrases}


def _unit(vector: F32) -> F32:
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length, np.float32) if length > 0 else np.zeros_like(vector)
