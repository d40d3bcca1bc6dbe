"""Spectra against plain implementations written from the definitions."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d

from livevis.analysis.analyser import Analyser
from livevis.analysis.onset import spread
from livevis.analysis.spectrum import FALL, MEL_BANDS, WINDOW, Spectrum, mel_filters, texture_filters
from livevis.core.features import BANDS_HZ, HOP, SAMPLE_RATE_HZ


def sound(seed=0, n=WINDOW):
    rng = np.random.default_rng(seed)
    t = np.arange(n) / SAMPLE_RATE_HZ
    return (0.3 * np.sin(2 * np.pi * 330 * t) + 0.1 * np.sin(2 * np.pi * 5000 * t) + rng.normal(0, 0.05, n)).astype(
        np.float32
    )


def spectra_of(samples):
    spectrum = Spectrum()
    for start in range(0, len(samples), HOP):
        spectra = spectrum.step(samples[start : start + HOP])
    return spectra


def plain_magnitude(samples):
    """The definition: window, discrete Fourier transform, absolute value, scaled so that a sine reads 1."""
    rise, fall = WINDOW - FALL, FALL
    window = [0.5 - 0.5 * np.cos(np.pi * i / rise) for i in range(rise)]
    window += [0.5 + 0.5 * np.cos(np.pi * i / fall) for i in range(fall)]
    weighted = np.asarray(window) * samples.astype(np.float64)
    return np.abs(np.fft.fft(weighted)[: WINDOW // 2 + 1]) * 2 / np.sum(window)


def plain_mel(magnitude):
    """Each band as a loop over bins; bands narrower than a bin are widened to one bin on either side."""

    def to_hz(mel):
        return 700 * (10 ** (mel / 2595) - 1)

    low, high = (2595 * np.log10(1 + hz / 700) for hz in (30, 16_000))
    step = (high - low) / (MEL_BANDS + 1)
    bin_hz, bands = SAMPLE_RATE_HZ / WINDOW, []
    for band in range(MEL_BANDS):
        left, peak, right = (to_hz(low + step * (band + i)) for i in range(3))
        left, right = min(left, peak - bin_hz), max(right, peak + bin_hz)
        total = weight_sum = 0.0
        for i, value in enumerate(magnitude):
            hz = i * bin_hz
            weight = max(0.0, min((hz - left) / (peak - left), (right - hz) / (right - peak)))
            total, weight_sum = total + weight * value, weight_sum + weight
        bands.append(total / weight_sum)
    return np.array(bands)


@pytest.mark.parametrize("seed", [0, 1])
def test_parity_with_the_definitions(seed):
    samples = sound(seed)
    got, magnitude = spectra_of(samples), plain_magnitude(samples)
    hz = np.arange(len(magnitude)) * SAMPLE_RATE_HZ / WINDOW
    power = magnitude**2
    np.testing.assert_allclose(got.magnitude, magnitude, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(got.mel, plain_mel(magnitude), rtol=1e-4)
    assert got.centroid_hz == pytest.approx(np.sum(hz * magnitude) / np.sum(magnitude), rel=1e-4)
    assert got.flatness == pytest.approx(np.exp(np.mean(np.log(power))) / np.mean(power), rel=1e-3)


def test_rms_and_peak_of_the_hop():
    samples = sound(4)
    last = Analyser().feed(samples)[-1]
    hop = samples[-HOP:].astype(np.float64)
    assert last["rms"] == pytest.approx(np.sqrt(np.mean(hop**2)), rel=1e-5)
    assert last["peak"] == pytest.approx(np.abs(hop).max(), rel=1e-6)


@pytest.mark.parametrize(("band", "edges"), BANDS_HZ.items())
def test_a_sine_in_a_band_reads_its_rms(band, edges):
    t = np.arange(8192) / SAMPLE_RATE_HZ
    hz = np.sqrt(edges[0] * edges[1])
    got = spectra_of((0.4 * np.sin(2 * np.pi * hz * t)).astype(np.float32)).bands
    index = list(BANDS_HZ).index(band)
    assert int(np.argmax(got)) == index
    assert got[index] == pytest.approx(0.4 / np.sqrt(2), rel=0.35 if band == "sub" else 0.15)


def test_filters_are_averages_and_reach_every_frequency():
    for filters in (mel_filters(), texture_filters()):
        np.testing.assert_allclose(filters.sum(axis=1), 1)
        assert (filters >= 0).all()
    covered = texture_filters().sum(axis=0)
    assert (covered[1 : int(19_000 / SAMPLE_RATE_HZ * WINDOW)] > 0).all()


def test_spread_is_a_running_maximum():
    mel = np.random.default_rng(0).random(MEL_BANDS).astype(np.float32)
    np.testing.assert_array_equal(spread(mel), maximum_filter1d(mel, 5, mode="nearest"))


def test_flatness_tells_a_tone_from_noise():
    t = np.arange(WINDOW) / SAMPLE_RATE_HZ
    tone, noise = np.sin(2 * np.pi * 1000 * t), np.random.default_rng(0).normal(0, 0.2, WINDOW)
    assert spectra_of(tone.astype(np.float32)).flatness < 0.01 < 0.4 < spectra_of(noise.astype(np.float32)).flatness
