"""The examination's arithmetic against closed forms and independent references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from livevis.evaluate.statistics import (
    frechet,
    high_frequency_energy,
    luma,
    psnr_db,
    spearman,
    ssim,
    wilson,
)  # fmt: skip


@given(st.integers(1, 400), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_the_interval_is_scipys_wilson(count: int, share: float) -> None:
    hits = round(share * count)
    low, high = wilson(hits, count)
    theirs = stats.binomtest(hits, count).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_frechet_is_the_closed_form_with_a_general_matrix_root() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6)), 1.5 * rng.normal(size=(200, 6)) + 0.4
    spread_a, spread_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(
        spread_a + spread_b - 2 * linalg.sqrtm(spread_a @ spread_b).real
    )
    assert frechet(a, b) == pytest.approx(float(wanted), rel=1e-6)
    assert frechet(b, a) == pytest.approx(float(wanted), rel=1e-6)


def test_frechet_of_one_dimension_and_of_a_set_with_itself() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, (500, 1)), rng.normal(3, 2, (500, 1))
    wanted = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet(a, b) == pytest.approx(float(wanted), rel=1e-9)
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-9)
    moved = a + 2.0
    assert frechet(a, moved) == pytest.approx(4.0, rel=1e-9)


def test_spearman_sees_ranks_alone() -> None:
    x = np.linspace(0, 3, 13)
    assert spearman(list(x), list(np.exp(x))) == pytest.approx(1.0)
    assert spearman(list(x), list(-(x**3))) == pytest.approx(-1.0)
    assert spearman(list(x), [1.0] * 13) == 0.0


def grating(cycles_a_pixel: float, side: int = 128) -> np.ndarray:
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * cycles_a_pixel * np.arange(side))
    return np.repeat((255 * np.tile(wave, (side, 1))).round().astype(np.uint8)[..., None], 3, axis=2)


def test_only_what_lies_above_half_nyquist_counts() -> None:
    fine, coarse = high_frequency_energy(grating(0.4)), high_frequency_energy(grating(0.1))
    assert fine == pytest.approx(0.4**2 / 2, rel=0.02)
    assert coarse < 1e-4 * fine
    assert high_frequency_energy(np.full((64, 64, 3), 90, np.uint8)) == pytest.approx(0.0, abs=1e-12)


def test_white_noise_has_the_share_of_the_spectrum_that_lies_there() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(128, 25, (256, 256, 1)).clip(0, 255).round().astype(np.uint8).repeat(3, axis=2)
    share = 1 - math.pi * 0.25**2
    assert high_frequency_energy(noise) == pytest.approx(luma(noise).var() * share, rel=0.05)


def test_psnr_and_ssim_of_known_pictures() -> None:
    a, b = np.full((32, 32, 3), 100, np.uint8), np.full((32, 32, 3), 110, np.uint8)
    assert psnr_db(a, a) == math.inf
    assert psnr_db(a, b) == pytest.approx(20 * math.log10(25.5))
    x, y = 100 / 255, 110 / 255
    assert ssim(a, b) == pytest.approx((2 * x * y + 1e-4) / (x * x + y * y + 1e-4), rel=1e-6)
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert ssim(noise, noise) == pytest.approx(1.0)
    assert abs(ssim(noise, noise[::-1])) < 0.2
