"""How true the autoencoder's copies are: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.evaluate.statistics import psnr_db, ssim


@torch.no_grad()
def fidelity(vae: Any, pictures: Tensor) -> dict[str, float]:
    """Mean PSNR in dB and SSIM of the round trip over pictures [N, 3, H, W] in -1..1, as 8-bit pictures."""
    rows: list[tuple[float, float]] = []
    for part in pictures.split(8):
        part = part.to(vae.device, memory_format=torch.channels_last)
        made = vae.decoder(vae.encoder(part)).float()
        rows += [(psnr_db(a, b), ssim(a, b)) for a, b in zip(_pixels(made), _pixels(part), strict=True)]
    psnr, similarity = np.mean(rows, axis=0)
    return {"psnr_db": float(psnr), "ssim": float(similarity)}


def _pixels(pictures: Tensor) -> npt.NDArray[np.uint8]:
    """float [N, 3, H, W] in -1..1 → uint8 [N, H, W, 3]."""
    levels = (pictures.float().cpu().clamp(-1, 1) + 1) * 127.5
    pixels: npt.NDArray[np.uint8] = levels.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return pixels
