"""The sounds that the ears learn from and are examined on: clips by seed, and music to stand behind them.

The split is by parity: a sound of an even seed may be trained on, one of an odd seed never is. That holds for scene
sounds, distractors, and for both kinds of music (the jam, and drums + bass + pads).
"""

from __future__ import annotations

import numpy as np

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.train.clap.rooms import F32, Rng, at_level, silent

CURVE_HZ = 100
"""Values of intensity a second."""
BAND = ("drums", "bass", "pads")


def clip_seed(index: int, *, held_out: bool) -> int:
    """The seed of clip `index`: odd where held out, even where trained on."""
    return 2 * index + int(held_out)


def intensity_curve(rng: Rng, seconds: float) -> F32:
    """Slow random intensity 0..1, one value per 10 ms: a start and a drift that differ from clip to clip."""
    count = round(seconds * CURVE_HZ)
    knots = rng.uniform(0, 1) + rng.normal(0, 0.2, max(2, round(seconds / 2) + 1)).cumsum()
    curve = np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots)
    return (1 - np.abs(1 - np.mod(curve, 2))).astype(np.float32)  # reflected at 0 and 1


def make_clip(name: str, index: int, seconds: float, *, held_out: bool) -> tuple[F32, F32]:
    """Clip `index` of the sound `name`, float32 [samples], with its intensity curve."""
    from livevis.world.sounds import synthesise

    seed = clip_seed(index, held_out=held_out)
    curve = intensity_curve(np.random.default_rng([seed, 0xE4_05]), seconds)
    return np.asarray(synthesise(name, seed=seed, seconds=seconds, intensity=curve), np.float32), curve


def make_music(index: int, seconds: float, *, held_out: bool) -> F32:
    """Music `index`: by turns the built-in jam at some place of its form, and drums, bass and pads together."""
    from livevis.audio.jam import JamSource

    seed, samples = clip_seed(index, held_out=held_out), round(seconds * SAMPLE_RATE_HZ)
    rng = np.random.default_rng([seed, 0xE4_06])
    if index % 2:
        parts = [at_level(make_clip(name, index, seconds, held_out=held_out)[0], rng.uniform(-6, 0)) for name in BAND]
        return np.tanh(np.sum(parts, axis=0) * np.float32(0.2))
    jam = JamSource(tempo_bpm=float(rng.uniform(90, 150)), seed=seed)
    for _ in range(8):
        music = jam.samples(int(rng.uniform(0, 90) * SAMPLE_RATE_HZ), samples)
        if not silent(music):
            break
    return music
