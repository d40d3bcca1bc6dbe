"""The correlation command on series whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from livevis.evaluate.lagged import best_lag
from livevis.evaluate.rise import compare, height_of, light_of


def beat(n: int = 400) -> np.ndarray:
    return np.random.default_rng(1).random(n).cumsum() % 1.0


def test_a_follower_is_found_with_its_lag() -> None:
    driver = beat()
    lag, r = best_lag(driver, np.roll(driver, 3) * 0.5 + 0.1)
    assert lag == 3
    assert r == pytest.approx(1.0, abs=1e-6)


def test_noise_stays_at_chance() -> None:
    found = compare(beat(), np.random.default_rng(2).random(400))
    assert abs(found["r"]) < 0.2
    assert found["best_r"] < found["chance_p95"] + 0.15


def test_a_constant_follows_nothing() -> None:
    assert compare(beat(), np.ones(400))["best_r"] == 0.0


def test_light_and_height_of_a_made_picture() -> None:
    picture = np.zeros((100, 60, 3), np.uint8)
    assert light_of(picture) == height_of(picture) == 0.0
    picture[60:] = 255
    assert light_of(picture) == pytest.approx(0.4)
    assert height_of(picture) == pytest.approx(0.4)
