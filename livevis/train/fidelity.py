"""How true the autoencoder's copies are: peak signal-to-noise ratio and structural similarity."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def psnr_db(made: Tensor, wanted: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of each picture, [N]; pictures [N, C, H, W] in 0..1."""
    error = (made - wanted).square().mean(dim=(1, 2, 3)).clamp_min(1e-10)
    return -10 * error.log10()


def ssim(made: Tensor, wanted: Tensor) -> Tensor:
    """Structural similarity of each picture, [N] (Wang et al. 2004: Gaussian window 11×11, σ 1.5, valid places only).

    Pictures [N, C, H, W] in 0..1; the mean over channels and places.
    """
    mean_a, mean_b = _blur(made), _blur(wanted)
    spread_a = _blur(made.square()) - mean_a.square()
    spread_b = _blur(wanted.square()) - mean_b.square()
    both = _blur(made * wanted) - mean_a * mean_b
    above = (2 * mean_a * mean_b + K1**2) * (2 * both + K2**2)
    below = (mean_a.square() + mean_b.square() + K1**2) * (spread_a + spread_b + K2**2)
    return (above / below).mean(dim=(1, 2, 3))


def _blur(pictures: Tensor) -> Tensor:
    channels = pictures.shape[1]
    places = torch.arange(WINDOW, dtype=pictures.dtype, device=pictures.device) - WINDOW // 2
    row = torch.exp(-places.square() / (2 * SIGMA**2))
    row = (row / row.sum()).expand(channels, 1, 1, WINDOW)
    return functional.conv2d(functional.conv2d(pictures, row, groups=channels), row.mT, groups=channels)


@torch.no_grad()
def fidelity(vae: Any, pictures: Tensor) -> dict[str, float]:
    """Means of `psnr_db` and `ssim` of the round trip over pictures [N, 3, H, W] in -1..1."""
    rows: list[Tensor] = []
    for part in pictures.split(8):
        part = part.to(vae.device, memory_format=torch.channels_last)
        made = vae.decoder(vae.encoder(part)).float().clamp(-1, 1)
        made, wanted = (made.cpu() + 1) / 2, (part.float().cpu() + 1) / 2
        rows.append(torch.stack([psnr_db(made, wanted), ssim(made, wanted)]))
    psnr, similarity = torch.cat(rows, dim=1).mean(dim=1).tolist()
    return {"psnr_db": psnr, "ssim": similarity}
