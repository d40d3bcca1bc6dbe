"""Log-mel columns as the samples come in: any block size in, the same columns out, bit for bit.

Column j is centred on sample j·hop and needs fft/2 samples more, which is all that it lags; before the stream there
is silence. It is what CLAP's extractor computes, without the reflection that it puts at a clip's two ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from livevis.embed.tpos.shape import TposShape

F32 = npt.NDArray[np.float32]
_FLOOR = 1e-10
SILENT_DB = float(10 * np.log10(np.float32(_FLOOR)))
"""What a column without sound holds in every band: -100 as float32 has it."""


@dataclass(frozen=True, slots=True, eq=False)
class MelState:
    """Samples not yet used up, float32 [fewer than fft], and how many columns have been made."""

    shape: TposShape
    pending: F32
    made: int = 0

    @property
    def sample(self) -> int:
        """One past the newest sample that a column has used, in the shape's own rate."""
        return self.made * self.shape.hop - self.shape.hop + self.shape.fft // 2 if self.made else 0


def init(shape: TposShape) -> MelState:
    """A stream that begins now."""
    return MelState(shape, np.zeros(shape.fft // 2, np.float32))


def step(state: MelState, samples: F32) -> tuple[MelState, F32]:
    """Take mono samples at the shape's rate, any number; return the columns that are now whole, dB [n, bands]."""
    size, hop = state.shape.fft, state.shape.hop
    held = np.concatenate([state.pending, np.asarray(samples, np.float32)])
    count = max(0, (len(held) - size) // hop + 1)
    # A column at a time: products of other sizes round otherwise, and the block size would be heard.
    columns = [_column(held[at : at + size], state.shape) for at in range(0, count * hop, hop)]
    made = np.stack(columns) if columns else np.empty((0, state.shape.bands), np.float32)
    return replace(state, pending=held[count * hop :].copy(), made=state.made + count), made


def columns_of(shape: TposShape, samples: F32) -> F32:
    """All columns of a stream that is known from its start, dB float32 [n, bands]."""
    return step(init(shape), samples)[1]


def _column(samples: F32, shape: TposShape) -> F32:
    window, bank = _tables(shape)
    spectrum = np.fft.rfft(samples * window)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(10 * np.log10(np.maximum(bank @ power, np.float32(_FLOOR))), np.float32)


@lru_cache(maxsize=4)
def _tables(shape: TposShape) -> tuple[F32, F32]:
    """Hann window [fft] and Slaney's filters [bands, bins]."""
    from transformers.audio_utils import mel_filter_bank

    bank = mel_filter_bank(
        num_frequency_bins=shape.fft // 2 + 1,
        num_mel_filters=shape.bands,
        min_frequency=shape.low_hz,
        max_frequency=shape.high_hz,
        sampling_rate=shape.rate_hz,
        norm="slaney",
        mel_scale="slaney",
    )
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(shape.fft) / shape.fft)
    return window.astype(np.float32), np.ascontiguousarray(bank.T, np.float32)
