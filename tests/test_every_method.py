"""What holds for every method, on the bundled engine and real sound: the future is unknown, silence the plain loop.

The ways of playing are those of `livevis eval tour`, with every fader up.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any, cast

import numpy as np
import pytest

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.embed.mel import F32
from livevis.evaluate.tour import LEGS, Leg
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import load_engine
from livevis.offline import frames
from livevis.runners.table import RunnerName
from livevis.show import Show
from livevis.world.sounds import synthesise
from tests.runners_here import RUNNERS

FPS, COUNT = 6.0, 13
SIZE = 128
"""At 64 OpenVINO's bf16 answers the same question differently from time to time on several threads."""
CUT_S = 1.5
"""Late enough for the ears to have heard enough to choose a word and to say something."""


@lru_cache
def generator_on(runner: str) -> DiffusionGenerator:
    return DiffusionGenerator(load_engine("pocket"), runner=cast(RunnerName, runner), size=SIZE, strict=True)


class Sound:
    """Sound in memory, silence after its end: what a render asks of a PullSource."""

    def __init__(self, samples: F32) -> None:
        self._samples, self.length = samples, len(samples)

    def samples(self, start: int, n: int) -> F32:
        found = self._samples[max(start, 0) : start + n]
        return np.concatenate([np.zeros(max(-start, 0), np.float32), found, np.zeros(n, np.float32)])[:n]


def fire() -> F32:
    return synthesise("fire", seed=77, seconds=COUNT / FPS + 0.1, intensity=0.9)


def play(generator: DiffusionGenerator, sound: F32, settings: dict[str, str], *, preset: str = "hearth") -> list[str]:
    show = Show(preset=preset, settings=settings)
    source: Any = Sound(sound)
    played = frames(source, show, count=COUNT, fps=FPS, size=(64, 64), generator=generator, seed=4)
    return [sha256(frame.generated).hexdigest() for frame in played if frame.generated is not None]


def up(leg: Leg) -> dict[str, str]:
    """The way with all its faders up."""
    return {id: str(value) for id, value in (leg.put | {id: high for id, (_, high) in leg.swept.items()}).items()}


def down(leg: Leg) -> dict[str, str]:
    """The way with its faders where they change nothing: gains 1, scales 0; what only sound opens stays open."""
    rest = {id: low for id, (low, _) in leg.swept.items() if not id.startswith(("aadiff/", "tpos/"))}
    return {id: str(value) for id, value in (leg.put | rest).items()}


@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: leg.name)
def test_the_future_changes_nothing(leg: Leg) -> None:
    """Cut the sound at T: every picture up to T is unchanged, to the bit."""
    generator, sound = generator_on("auto"), fire()
    cut = sound.copy()
    cut[round(CUT_S * SAMPLE_RATE_HZ) :] = 0.0
    whole, early = play(generator, sound, up(leg)), play(generator, cut, up(leg))
    last = int(CUT_S * FPS)
    assert whole[: last + 1] == early[: last + 1]
    assert whole[last + 1 :] != early[last + 1 :], "the sound is heard"


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: leg.name)
def test_silence_is_the_plain_loop(runner: str, leg: Leg) -> None:
    """Gains 1, scales 0, and nothing to hear: the pictures of the loop without the method, to the bit, per runner."""
    generator, quiet = generator_on(runner), np.zeros(int((COUNT / FPS + 0.1) * SAMPLE_RATE_HZ), np.float32)
    prompt = {key: value for key, value in down(leg).items() if key.startswith(("prompt/text", "prompt/weight"))}
    assert play(generator, quiet, down(leg)) == play(generator, quiet, {**prompt, "attention/word": ""})
