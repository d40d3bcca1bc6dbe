"""ClapFeatureExtractor's log mels for a whole batch at once: the same figures at a small part of its time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_FLOOR = 1e-10
_ROWS = 4  # that the processor's cache holds


class LogMel:
    """The mel settings of a ClapFeatureExtractor whose `truncation` is not "fusion", as two matrices."""

    def __init__(self, extractor: Any, device: torch.device | None = None):
        self.size, self.hop = int(extractor.fft_window_size), int(extractor.hop_length)
        self._window = torch.hann_window(self.size, periodic=True, dtype=torch.float32, device=device)
        bands = torch.as_tensor(extractor.mel_filters_slaney, dtype=torch.float32, device=device)
        self._bands = bands[: int(bands.any(1).nonzero().max()) + 1]  # nothing is heard above the highest band

    def __call__(self, waves: Tensor) -> Tensor:
        """Sounds float32 [B, samples] → decibels float32 [B, 1, 1 + samples // hop, bands]."""
        return torch.cat([self._decibels(few) for few in waves.split(_ROWS)])[:, None]

    def _decibels(self, waves: Tensor) -> Tensor:
        spectra = torch.stft(waves, self.size, self.hop, window=self._window, return_complex=True)  # centred, reflected
        power = torch.view_as_real(spectra[:, : len(self._bands)]).square().sum(-1)
        return 10.0 * torch.log10((power.mT @ self._bands).clamp_min(_FLOOR))


def spec_augment(mels: Tensor, generator: torch.Generator, *, bands: int = 10, frames: int = 30) -> Tensor:
    """Two stripes of bands and two of frames set to the clip's mean (SpecAugment, Park et al. 2019); same shape."""
    out = mels.clone()
    for row, mel in zip(out[:, 0], mels[:, 0], strict=True):
        for axis, most in ((1, bands), (1, bands), (0, frames), (0, frames)):
            width = min(int(torch.randint(0, most + 1, (), generator=generator)), mel.shape[axis])
            start = int(torch.randint(0, mel.shape[axis] - width + 1, (), generator=generator))
            row.narrow(axis, start, width).fill_(float(mel.mean()))
    return out
