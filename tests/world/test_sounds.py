"""Sounds: the same samples from the same seed, within full scale, and stronger as the intensity grows."""

from __future__ import annotations

import numpy as np
import pytest

from livevis.core.errors import ConfigError
from livevis.world.sounds import SOUNDS, synthesise
from livevis.world.sounds.acoustics import SAMPLE_RATE_HZ, Take, poisson, walk, wander
from livevis.world.sounds.place import CALM_DB, RAGING_DB

DISTRACTORS = {"drums", "bass", "pads", "babble", "applause"}
EVERY = sorted(SOUNDS)


def rms_db(x: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(x.astype(np.float64) ** 2) + 1e-12))


def centroid_hz(x: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(x)) ** 2
    return float(np.sum(power * np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE_HZ)) / np.sum(power))


def onsets(x: np.ndarray) -> int:
    """Rises of 9 dB and more over the median of the last 100 ms, in blocks of 5 ms above 1 kHz."""
    high = np.diff(x, prepend=x[:1])
    level = 10 * np.log10(np.mean(high[: len(high) // 240 * 240].reshape(-1, 240) ** 2, axis=1) + 1e-12)
    before = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(level, (20, 0), mode="edge")[:-1], 20), axis=1)
    over = level > before + 9
    return int(np.sum(over[1:] & ~over[:-1]))


def take(intensity: float, *, seconds: float = 4.0, seed: int = 0) -> Take:
    curve = np.full(round(seconds * 100), intensity, np.float32)
    return Take(curve, round(seconds * SAMPLE_RATE_HZ), np.random.default_rng(seed))


def test_the_table_has_scenes_and_distractors() -> None:
    kinds = {kind: {s.name for s in SOUNDS.values() if s.kind == kind} for kind in ("scene", "distractor")}
    assert kinds["distractor"] == DISTRACTORS
    assert len(kinds["scene"]) >= 18
    assert all(name == sound.name for name, sound in SOUNDS.items())


@pytest.mark.parametrize("name", EVERY)
def test_deterministic_finite_and_within_full_scale(name: str) -> None:
    first = synthesise(name, seed=7, seconds=0.834, intensity=0.7)
    assert first.dtype == np.float32 and first.shape == (round(0.834 * SAMPLE_RATE_HZ),)
    assert np.all(np.isfinite(first)) and np.max(np.abs(first)) <= 1.0
    assert np.array_equal(first, synthesise(name, seed=7, seconds=0.834, intensity=0.7))
    other = synthesise(name, seed=8, seconds=0.834, intensity=0.7)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.8


@pytest.mark.parametrize("name", EVERY)
def test_level_follows_a_steady_intensity(name: str) -> None:
    levels = [rms_db(synthesise(name, seed=3, seconds=1.5, intensity=i)) for i in (0.0, 0.5, 1.0)]
    assert levels[0] + 3 < levels[1] < levels[2] - 3
    assert levels[0] > CALM_DB - 4 and levels[2] < RAGING_DB + 4


@pytest.mark.parametrize("name", EVERY)
def test_a_curve_makes_the_sound_swell_inside_the_clip(name: str) -> None:
    """The synthesiser itself follows the curve: the place's level is one number for the whole clip."""
    curve = np.repeat([0.1, 0.9], 150)
    rises = []
    for seed in (0, 1, 2):
        x = synthesise(name, seed=seed, seconds=3, intensity=curve)
        half = len(x) // 2
        rises.append(rms_db(x[half:]) - rms_db(x[:half]))
    assert np.mean(rises) > 4


def calm_and_wild(name: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Four seeds at intensity 0.1, and at 0.95: what is measured of them is no matter of level."""
    calm, wild = ([synthesise(name, seed=seed, seconds=2, intensity=i) for seed in range(4)] for i in (0.1, 0.95))
    return calm, wild


@pytest.mark.parametrize("name", ["rain", "waterfall", "lightning", "nebula", "neon_tunnel", "pads", "circuit"])
def test_wilder_is_brighter(name: str) -> None:
    calm, wild = ([centroid_hz(x) for x in clips] for clips in calm_and_wild(name))
    assert np.mean(np.log(wild)) > np.mean(np.log(calm)) + 0.05


@pytest.mark.parametrize("name", ["fire", "squishing_mud", "splashing_water", "circuit", "mandala"])
def test_wilder_is_busier(name: str) -> None:
    calm, wild = (sum(map(onsets, clips)) for clips in calm_and_wild(name))
    assert wild > 1.2 * calm


@pytest.mark.parametrize("name", ["squishing_mud", "splashing_water", "underwater_bubbles", "crystal", "snow"])
def test_half_a_second_and_an_odd_length_are_made_too(name: str) -> None:
    assert synthesise(name, seed=0, seconds=0.5017, intensity=0.0).shape == (24082,)


def test_shortest_sounds_of_every_kind() -> None:
    for name in EVERY:
        assert np.all(np.isfinite(synthesise(name, seed=1, seconds=0.1, intensity=1.0))), name


def test_errors_name_the_choices() -> None:
    with pytest.raises(ConfigError, match="fire"):
        synthesise("fier", seed=0, seconds=1)
    with pytest.raises(ConfigError, match="one value per 10 ms"):
        synthesise("fire", seed=0, seconds=1, intensity=np.zeros(50))
    with pytest.raises(ConfigError, match="too short"):
        synthesise("fire", seed=0, seconds=0.01)
    with pytest.raises(ConfigError, match="not numbers"):
        synthesise("fire", seed=0, seconds=1, intensity=np.full(100, np.nan))


def test_poisson_keeps_its_rate_and_walk_its_beat() -> None:
    recording = take(0.5, seconds=100)
    times = poisson(recording, recording.rising(20, 40))
    assert len(times) == pytest.approx(3000, rel=0.1)
    steps = walk(recording, np.full(10_000, 4.0, np.float32), 0.05)
    assert np.diff(steps).mean() == pytest.approx(0.25, rel=0.02)
    assert np.all(np.diff(steps) > 0)


def test_wander_stays_in_its_range_and_moves() -> None:
    curve = wander(take(0.0, seconds=20), 3.0, 0.2, 0.8)
    assert curve.min() >= 0.2 and curve.max() <= 0.8 and np.ptp(curve) > 0.3
    assert np.abs(np.diff(curve)).max() < 0.6 * 3.0 / 100 * 1.6
