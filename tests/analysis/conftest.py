"""Short sounds shared by the analysis tests."""

import numpy as np
import pytest

from livevis.evaluate.excerpt import Excerpt
from livevis.evaluate.loops import Loop, play


@pytest.fixture(scope="session")
def loop() -> Excerpt:
    """Four seconds of drums, bass and pad with known onsets."""
    return play(Loop("rock", 118.0, 4.0), np.random.default_rng(5))
