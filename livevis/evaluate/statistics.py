"""The arithmetic behind an engine's figures: intervals, distances between sets of pictures, detail, likeness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

Z_95 = 1.959964
HIGH_FROM = 0.25
"""High frequencies begin at half the Nyquist frequency: 0.25 cycles a pixel, in any direction."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


def wilson(hits: int, count: int, *, z: float = Z_95) -> tuple[float, float]:
    """Return the interval of a proportion (Wilson 1927); (0, 1) when nothing was tried."""
    if count == 0:
        return 0.0, 1.0
    share, whole = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / whole
    reach = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / whole
    return max(0.0, middle - reach), min(1.0, middle + reach)


def frechet(a: F64, b: F64) -> float:
    """Return the Fréchet distance of Gaussians fitted to features [N, F] and [M, F] (Heusel et al. 2017, eq. 6).

    |mean_a - mean_b|² + tr(A + B - 2 (A B)^½), covariances A and B; needs at least two rows each.
    """
    spread_a, spread_b = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (a, b))
    half = _root(spread_a)
    # tr (A B)^½ is the sum of the roots of the eigenvalues of A^½ B A^½, which is symmetric.
    shared = np.sqrt(np.linalg.eigvalsh(half @ spread_b @ half).clip(min=0)).sum()
    apart = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    return max(0.0, apart + float(np.trace(spread_a) + np.trace(spread_b) - 2 * shared))


def _root(symmetric: F64) -> F64:
    values, vectors = np.linalg.eigh(symmetric)
    root: F64 = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    return root


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Spearman's rank correlation; 0 when either side does not move at all."""
    from scipy.stats import spearmanr

    if len(set(a)) < 2 or len(set(b)) < 2:
        return 0.0
    return float(spearmanr(a, b).statistic)


def luma(picture: Pixels) -> F64:
    """Return BT.709 luma 0..1 [H, W] of a picture uint8 [H, W, 3], without linearising."""
    grey: F64 = (picture / 255.0) @ _LUMA
    return grey


def high_frequency_energy(picture: Pixels) -> float:
    """Return the mean square of what lies above half the Nyquist frequency in the luma, under a Hann window.

    The sum of |FFT|² over radial frequencies of HIGH_FROM cycles a pixel and more, over pixels and the window's power:
    white noise of variance s² has about s² times the part of the spectrum that lies there (0.80).
    """
    grey = luma(picture)
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1]))
    mean = (grey * window).sum() / window.sum()
    spectrum = np.abs(np.fft.fft2((grey - mean) * window)) ** 2
    y, x = (np.fft.fftfreq(side) for side in grey.shape)
    high = np.hypot(y[:, None], x[None, :]) >= HIGH_FROM
    return float(spectrum[high].sum() / (grey.size * (window**2).sum()))


def psnr_db(a: Pixels, b: Pixels) -> float:
    """Return the peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(255.0**2 / error)


def ssim(a: Pixels, b: Pixels) -> float:
    """Return the mean structural similarity of the lumas, Gaussian window of 1.5 pixels (Wang et al. 2004)."""
    from scipy.ndimage import gaussian_filter

    def smooth(values: F64) -> F64:
        result: F64 = gaussian_filter(values, 1.5, truncate=3.5)
        return result

    x, y = luma(a), luma(b)
    mean_x, mean_y = smooth(x), smooth(y)
    spread_x, spread_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
    together = smooth(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_x * mean_y + c1) * (2 * together + c2)
    return float((top / ((mean_x**2 + mean_y**2 + c1) * (spread_x + spread_y + c2))).mean())
