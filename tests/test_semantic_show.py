"""A preset of edit slots, rendered: sound moves the faders, silence is the plain picture, the future does nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from livevis.audio.jam import JamSource
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Picture
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.offline import frames
from livevis.show import Show
from tests.checkpoints import tiny_engine

FPS = 10.0
WORDS = {
    "prompt/text_1": "burning aurora",
    "attention/word": "aurora",
    "guidance/text_1": "red city",
    "guidance/text_2": "black waves",
}
"""The preset's prompts in the few words of a tiny engine."""


class CutJam(JamSource):
    """The jam up to `end_s`, then nothing."""

    def __init__(self, end_s: float) -> None:
        super().__init__(seed=4)
        self._end = round(end_s * SAMPLE_RATE_HZ)

    def samples(self, start: int, n: int) -> np.ndarray:
        heard = super().samples(start, n)
        heard[max(0, self._end - start) :] = 0.0
        return heard


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("engines") / "tiny")


def play(
    engine: Engine, source: JamSource, count: int, settings: Mapping[str, str] = WORDS
) -> tuple[list[Picture], list[GeneratorState]]:
    generator, states = DiffusionGenerator(engine, runner="torch", size=64), []
    step = generator.step

    def noted(*how: object) -> tuple[GeneratorState, Picture]:
        state, picture = step(*how)  # type: ignore[arg-type]
        states.append(state)
        return state, picture

    generator.step = noted  # type: ignore[method-assign]
    show = Show(preset="currents", settings=settings)
    rendered = frames(source, show, count=count, fps=FPS, size=(160, 96), generator=generator, seed=4)
    return [frame.image.copy() for frame in rendered], states


def test_sound_moves_the_slots_and_the_future_changes_nothing(engine: Engine) -> None:
    whole, states = play(engine, JamSource(seed=4), 16)
    cut, _ = play(engine, CutJam(1.0), 16)
    assert any(state.slots is not None and state.slots.velocity.any() for state in states)
    assert all(np.array_equal(a, b) for a, b in zip(whole[:11], cut[:11], strict=True))
    assert not np.array_equal(whole[15], cut[15])
    again, _ = play(engine, JamSource(seed=4), 16)
    assert all(np.array_equal(a, b) for a, b in zip(whole, again, strict=True))


def test_silence_is_the_picture_without_slots(engine: Engine) -> None:
    with_slots, states = play(engine, CutJam(0.0), 4)
    without, _ = play(engine, CutJam(0.0), 4, WORDS | {"guidance/text_1": "", "guidance/text_2": ""})
    assert all(np.array_equal(a, b) for a, b in zip(with_slots, without, strict=True))
    assert all(state.slots is None for state in states)
    loud, _ = play(engine, JamSource(seed=4), 4)
    assert not np.array_equal(with_slots[3], loud[3])
