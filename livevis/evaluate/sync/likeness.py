"""Does the picture say its words louder when the sound is louder? AADiff's figure 4 (Lee et al. 2023) as a number.

Cosine of every frame with a text, by any CLIPModel folder, correlated with the smoothed magnitude of the sound.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livevis.core.errors import ConfigError
from livevis.core.types import Picture
from livevis.evaluate.excerpt import F32, F64
from livevis.evaluate.lagged import best_lag, correlation
from livevis.evaluate.sync.onsets import HOP, RATE_HZ, power

WINDOW_S = 2.5
"""AADiff's window for slow scenes: 75 frames at 30 fps."""
MOST_LAG_S = 2.0
_SHIFTS = 100


@dataclass(frozen=True, slots=True)
class Following:
    """r: correlation at lag_s (picture after sound: positive); r_at_0: without a lag; chance_p95: by chance."""

    r: float
    lag_s: float
    r_at_0: float
    chance_p95: float


class Likeness:
    """A CLIPModel folder that looks at pictures as they pass; raises ConfigError when it is none."""

    def __init__(self, folder: Path, texts: Sequence[str]) -> None:
        import torch
        from transformers import CLIPModel, CLIPProcessor

        self._torch = torch
        try:
            self._model = CLIPModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the library's own about optional back ends
                self._processor = CLIPProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise ConfigError(f"no CLIPModel in {folder}: {' '.join(str(error).split())}") from error
        self._texts = self._read(texts)
        self._seen: list[F32] = []
        self._last: Picture | None = None

    def looking(self, pictures: Iterable[Picture]) -> Iterator[Picture]:
        """Pass pictures on, remembering how like the texts each is; one that is held is looked at once."""
        for picture in pictures:
            self._seen.append(self._seen[-1] if picture is self._last else self._look(picture))
            self._last = picture
            yield picture

    @property
    def curves(self) -> F64:
        """Cosines float64 [texts, frames] of what has passed."""
        return np.array(self._seen, np.float64).reshape(-1, len(self._texts)).T

    def _read(self, texts: Sequence[str]) -> F32:
        positions = self._model.config.text_config.max_position_embeddings
        inputs = self._processor.tokenizer(
            list(texts), padding="max_length", max_length=positions, truncation=True, return_tensors="pt"
        )
        with self._torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
            )
        return _unit(found.pooler_output.numpy())

    def _look(self, picture: Picture) -> F32:
        inputs = self._processor.image_processor(picture, return_tensors="pt", input_data_format="channels_last")
        with self._torch.inference_mode():
            found = self._model.get_image_features(pixel_values=inputs["pixel_values"])
        likeness: F32 = (_unit(found.pooler_output.numpy()) @ self._texts.T)[0]
        return likeness


def _unit(vectors: F32) -> F32:
    unit: F32 = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def magnitude(sound: F32, *, frames: int, fps: float, window_s: float = WINDOW_S) -> F64:
    """Return the mean spectral magnitude at each frame of sound at 22.05 kHz, smoothed by a centred moving average.

    Centred, so that the lag found is the picture's own; the window shrinks at the ends.
    """
    loudness = np.sqrt(power(sound)).mean(axis=1, dtype=np.float64)
    at_frames = np.interp(np.arange(frames) / fps, np.arange(len(loudness)) * HOP / RATE_HZ, loudness)
    box = np.ones(min(max(1, round(window_s * fps)), 2 * frames - 1) // 2 * 2 + 1)
    middle = slice(len(box) // 2, len(box) // 2 + frames)
    smooth: F64 = np.convolve(at_frames, box)[middle] / np.convolve(np.ones(frames), box)[middle]
    return smooth


def follows(driver: F64, moved: F64, *, fps: float, seed: int) -> Following:
    """Correlate two series of one value a frame; chance is the 95th percentile over random circular shifts.

    A shift is at least twice the longest lag that is tried, so that no lag undoes it.
    """
    most = min(round(MOST_LAG_S * fps), len(driver) // 5)
    lag, r = best_lag(driver, moved, most, least=-most)
    turns = np.random.default_rng(seed).integers(2 * most, len(driver) - 2 * most + 1, _SHIFTS)
    by_chance = [best_lag(np.roll(driver, turn), moved, most, least=-most)[1] for turn in turns]
    return Following(r, lag / fps, correlation(driver, moved), float(np.percentile(by_chance, 95)))
