"""Detectors that know nothing, or nearly: what any score must be read against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from livevis.core.features import HOP, HOP_S, SAMPLE_RATE_HZ
from livevis.evaluate.excerpt import F64, Excerpt

RATE_HZ = 2.0
ENERGY_RATIO, ENERGY_MEMORY, ENERGY_REST = 1.5, round(0.2 / HOP_S), round(0.1 / HOP_S)


def nothing(excerpt: Excerpt) -> F64:
    """Never say anything."""
    return np.zeros(0)


def periodic(excerpt: Excerpt) -> F64:
    """Say something twice a second, whatever is heard."""
    return np.arange(0.25, excerpt.seconds, 1 / RATE_HZ)


def random(excerpt: Excerpt) -> F64:
    """Say something twice a second on average, at random."""
    rng = np.random.default_rng(0)
    return np.sort(rng.uniform(0, excerpt.seconds, rng.poisson(RATE_HZ * excerpt.seconds)))


def energy(excerpt: Excerpt) -> F64:
    """Say something when a hop is 1.5 times as loud as the mean of the last 200 ms, then rest for 100 ms."""
    hops = len(excerpt.samples) // HOP
    rms = np.sqrt(np.mean(excerpt.samples[: hops * HOP].reshape(hops, HOP).astype(np.float64) ** 2, axis=1))
    found: list[float] = []
    rest = 0
    for hop in range(1, hops):
        rest -= 1
        usual = rms[max(0, hop - ENERGY_MEMORY) : hop].mean()
        if rest < 0 and rms[hop] > ENERGY_RATIO * usual + 1e-4:
            found.append((hop + 1) * HOP / SAMPLE_RATE_HZ)
            rest = ENERGY_REST
    return np.array(found)


BASELINES: dict[str, Callable[[Excerpt], F64]] = {
    "none": nothing,
    "periodic": periodic,
    "random": random,
    "energy threshold": energy,
}
