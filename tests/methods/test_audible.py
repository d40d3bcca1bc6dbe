"""How far a sound can be heard: nothing in silence, everything when it plays, no clicks, at any frame rate."""

from __future__ import annotations

import numpy as np
import pytest

from livevis.analysis.analyser import Analyser
from livevis.core.features import HOP, SAMPLE_RATE_HZ
from livevis.core.types import AudioFeatures
from livevis.methods import audible


def noise(seconds: float, level: float) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (level * rng.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)


def hops(sound: np.ndarray) -> list[AudioFeatures]:
    analyser = Analyser()
    return [analyser.step(sound[at : at + HOP]) for at in range(0, len(sound) - HOP + 1, HOP)]


def shares(heard: list[AudioFeatures], fps: float) -> np.ndarray:
    """The share at the newest hop of every frame."""
    state, out = audible.AudibleState(), []
    for frame in range(int(heard[-1].time_s * fps)):
        place = int(frame / fps * SAMPLE_RATE_HZ) // HOP
        state = audible.step(state, heard[max(place - 1, 0)])
        out.append(state.share)
    return np.array(out)


@pytest.fixture(scope="module")
def heard() -> list[AudioFeatures]:
    """Silence, a sound with a short pause, silence: from 0.5 to 1.5 s and 1.7 to 2.5 s."""
    parts = (0.5, 0.0), (1.0, 0.1), (0.2, 0.0), (0.8, 0.1), (1.5, 0.0)
    return hops(np.concatenate([noise(seconds, level) for seconds, level in parts]))


def test_silence_is_exactly_nothing_and_a_sound_everything(heard: list[AudioFeatures]) -> None:
    found = shares(heard, 60)
    assert (found[:30] == 0).all() and (found[45:90] == 1).all()
    assert (found[90:145] > 0.9).all(), "a pause is not an end"
    assert (found[-12:] == 0).all(), "0.8 s after the end nothing is left"


def test_nothing_clicks(heard: list[AudioFeatures]) -> None:
    found = np.diff(shares(heard, 60))
    assert found.max() <= 1 / 60 / audible.RISE_S + 0.06 and -found.min() <= 1 / 60 / audible.FALL_S + 0.02


def test_the_same_at_15_30_and_60_frames_a_second(heard: list[AudioFeatures]) -> None:
    slow, middle, fast = (shares(heard, fps) for fps in (15, 30, 60))
    still = np.abs(np.diff(fast, append=0))[::4][: len(slow)] < 0.02
    assert still.sum() > 30
    assert np.abs(slow - fast[::4][: len(slow)])[still].max() <= 0.1
    assert np.abs(middle - fast[::2][: len(middle)]).max() <= 0.35 and (slow[-3:] == fast[-1]).all()


def test_what_is_hardly_heard_hardly_counts() -> None:
    quiet, louder = (shares(hops(noise(1.5, level)), 30)[-1] for level in (2e-3, 4e-3))
    assert 0 < quiet < louder < 1


def test_a_stream_that_starts_over_starts_anew(heard: list[AudioFeatures]) -> None:
    state = audible.AudibleState()
    for features in heard[:200]:
        state = audible.step(state, features)
    assert state.share == 1 and audible.step(state, heard[200]) != state
    assert audible.step(state, heard[10]).share == 0
