"""Sound and caption pairs, drawn anew each step: single sounds, mixtures, scenes before music.

A clip and a caption each have weights over the sounds (rows of the table, music last). How true a caption is of a clip
is the overlap of the two, so that clips of one class in a batch are no false negatives of each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from livevis.train.clap.networks import MELS
from livevis.train.clap.pool import MelPool, Stretch
from livevis.train.clap.rooms import F32, Rng

BAND_WORDS = ("music", "a piece of music", "dance music", "a band playing", "electronic music", "a song")
TEMPLATES = ("{}", "{}", "the sound of {}", "This is a sound of {}.", "a recording of {}", "{} can be heard")
MUSIC_TAILS = ("{} with music", "{} behind music", "{} and music", "music over {}", "{} with music in the background")
MUSIC_WEIGHT = 0.35
"""Weight of the music that stands behind a scene: there, but not what the clip is about."""
KINDS = {"single": 0.3, "mixture": 0.4, "over music": 0.26, "music": 0.04}
EASY = {"single": 0.9, "mixture": 0.0, "over music": 0.06, "music": 0.04}
"""What there is of each kind in training, and what it begins with: sounds are learnt alone before they are together."""
LEVELS_DB = (-48.0, -8.0)
"""RMS below full scale: peaks of about -30 to 0 dB."""
_FLOOR = 1e-10


@dataclass(frozen=True, slots=True)
class Pairs:
    """mels float32 [B, 1, frames, bands]; captions; heard and said: weights over sounds + music [B, K]; strengths:
    intensity of the clip [B], and stated: 1 where the caption says how strong it is [B]."""

    mels: Tensor
    captions: list[str]
    heard: F32
    said: F32
    strengths: F32
    stated: F32


@dataclass(frozen=True, slots=True)
class _Pair:
    """What sounds, each with its level in dB, and what is said."""

    layers: tuple[tuple[Stretch, float], ...]
    caption: str
    heard: Mapping[int, float]
    said: Mapping[int, float]
    strength: float = 0.0
    stated: bool = False


class Wording:
    """Captions of sounds, by their number in `names`; music is number len(names)."""

    def __init__(self, names: tuple[str, ...]):
        from livevis.world.sounds import SOUNDS, mix_caption, sound_caption

        self.names = names
        self.phrases = [*(SOUNDS[name].phrases for name in names), BAND_WORDS]
        self._single, self._mixed = sound_caption, mix_caption

    def phrase(self, place: int, rng: Rng) -> str:
        """One phrase of the class, plain or in a sentence."""
        said = str(rng.choice(np.array(self.phrases[place])))
        template = str(rng.choice(np.array(TEMPLATES[:2] if "sound" in said else TEMPLATES)))
        return _capitals(template.format(said), rng)

    def caption(self, place: int, strength: float, rng: Rng) -> str:
        """A caption that may say how strong the sound is."""
        return _capitals(self._single(self.names[place], strength, rng), rng)

    def mixture(self, a: int, b: int, rng: Rng) -> str:
        return _capitals(self._mixed(self.names[a], self.names[b], rng), rng)

    def corpus(self, rng: Rng, count: int) -> list[str]:
        """Captions of all kinds, for the tokenizer to learn its words from."""
        places = [*range(len(self.phrases))]
        every = [phrase for phrases in self.phrases for phrase in phrases]
        for _ in range(count):
            a, b = (int(place) for place in rng.choice(len(self.names), 2, replace=False))
            every += [self.caption(a, float(rng.random()), rng), self.mixture(a, b, rng)]
            every += [self.phrase(int(rng.choice(places)), rng), str(rng.choice(MUSIC_TAILS)).format("")]
        return every


def _capitals(caption: str, rng: Rng) -> str:
    return caption[:1].upper() + caption[1:] if rng.random() < 0.15 else caption


class PairSource:
    """Batches of `size` pairs from the pool, each a function of (seed, place) alone."""

    def __init__(
        self,
        pool: MelPool,
        wording: Wording,
        *,
        size: int,
        frames: int,
        seed: int,
        kinds: Mapping[str, float] = KINDS,
        easy: Mapping[str, float] = EASY,
    ):
        self._pool, self._wording = pool, wording
        self._kinds, self._easy = kinds, easy
        self._size, self._frames, self._seed = size, frames, seed
        self._music = len(wording.names)
        self._makers = {
            "single": self._draw_single,
            "mixture": self._draw_mixture,
            "over music": self._draw_over_music,
            "music": self._draw_music,
        }

    def batch(self, place: int, *, ease: float = 0.0) -> Pairs:
        """Batch number `place`; `ease` 1 is what a run begins with, 0 what it comes to."""
        rng = np.random.default_rng([self._seed, 0xE4_21, place])
        shares = [ease * self._easy.get(kind, 0.0) + (1 - ease) * self._kinds.get(kind, 0.0) for kind in self._makers]
        kinds = rng.choice(np.array([*self._makers]), self._size, p=shares)
        pairs = [self._makers[str(kind)](rng) for kind in kinds]
        return Pairs(
            mels=self._mixed(pairs, rng),
            captions=[pair.caption for pair in pairs],
            heard=self._weights([pair.heard for pair in pairs]),
            said=self._weights([pair.said for pair in pairs]),
            strengths=np.array([pair.strength for pair in pairs], np.float32),
            stated=np.array([pair.stated for pair in pairs], np.float32),
        )

    def captions(self, place: int) -> tuple[list[str], F32]:
        """Words without sounds: two phrases of every class and some mixtures, with what they say [captions, K]."""
        rng = np.random.default_rng([self._seed, 0xE4_23, place])
        singles = [number for number in range(self._music + 1) for _ in range(2)]
        captions = [self._wording.phrase(number, rng) for number in singles]
        said: list[Mapping[int, float]] = [{number: 1.0} for number in singles]
        for _ in range(self._size):
            a, b = (int(number) for number in rng.choice(self._music, 2, replace=False))
            captions.append(self._wording.mixture(a, b, rng))
            said.append({a: 1.0, b: 1.0})
        return captions, self._weights(said)

    def class_phrases(self, place: int) -> list[str]:
        """One phrase of every class and of music, another choice each step."""
        rng = np.random.default_rng([self._seed, 0xE4_22, place])
        return [self._wording.phrase(number, rng) for number in range(self._music + 1)]

    def _weights(self, rows: list[Mapping[int, float]]) -> F32:
        out = np.zeros((len(rows), self._music + 1), np.float32)
        for row, weights in zip(out, rows, strict=True):
            row[list(weights)] = list(weights.values())
        return out

    def _mixed(self, pairs: list[_Pair], rng: Rng) -> Tensor:
        """The layers of each pair added up in power behind one equaliser, noise on top, at some level; in decibels."""
        most = max(len(pair.layers) for pair in pairs)
        mels = np.full((len(pairs), most + 1, self._frames, MELS), -100, np.float16)
        gains_db = np.zeros((len(pairs), most + 1, 1, MELS), np.float32)
        for row, pair in enumerate(pairs):
            colour, level_db = colour_db(rng), rng.uniform(*LEVELS_DB)
            noise = self._pool.cut_noise(self._frames, rng), (-rng.uniform(3, 50) if rng.random() < 0.65 else -120.0)
            for layer, (stretch, db) in enumerate([*pair.layers, noise]):
                at = layer if layer < len(pair.layers) else most
                mels[row, at] = stretch.mel
                gains_db[row, at] = db + level_db - 10 * np.log10(stretch.energy) + (colour if at < most else 0)
        power = torch.pow(10.0, (torch.from_numpy(mels).float() + torch.from_numpy(gains_db)) / 10).sum(1, keepdim=True)
        return 10 * torch.log10(power.clamp_min(_FLOOR))

    def _draw_single(self, rng: Rng) -> _Pair:
        place = int(rng.integers(self._music))
        stretch = self._pool.cut(place, self._frames, rng)
        if rng.random() < 0.5:
            say = self._wording.caption(place, stretch.strength, rng)
            stated = say.lower() not in self._wording.phrases[place]
        else:
            say, stated = self._wording.phrase(place, rng), False
        return _Pair(((stretch, 0.0),), say, {place: 1.0}, {place: 1.0}, stretch.strength, stated)

    def _draw_mixture(self, rng: Rng) -> _Pair:
        a, b = (int(place) for place in rng.choice(self._music, 2, replace=False))
        first, second = (self._pool.cut(place, self._frames, rng) for place in (a, b))
        weights = {a: 1.0, b: 1.0}
        layers = ((first, 0.0), (second, float(rng.uniform(-6, 6))))
        return _Pair(layers, self._wording.mixture(a, b, rng), weights, weights)

    def _draw_over_music(self, rng: Rng) -> _Pair:
        """A sound with music 10 dB below to 10 dB above it; half of the captions name the music as well."""
        pair = self._draw_single(rng)
        music = self._pool.cut_music(self._frames, rng), float(rng.uniform(-10, 10))
        heard, said, caption = {**pair.heard, self._music: MUSIC_WEIGHT}, pair.said, pair.caption
        if rng.random() < 0.5:
            said, caption = heard, str(rng.choice(np.array(MUSIC_TAILS))).format(caption.rstrip("."))
        return _Pair((*pair.layers, music), caption, heard, said, pair.strength, pair.stated)

    def _draw_music(self, rng: Rng) -> _Pair:
        music = self._pool.cut_music(self._frames, rng)
        weights = {self._music: 1.0}
        return _Pair(((music, 0.0),), self._wording.phrase(self._music, rng), weights, weights)


def colour_db(rng: Rng) -> F32:
    """A random equaliser over the bands in dB [bands]: smooth, sometimes with the lowest or the highest cut away."""
    x = np.linspace(-1, 1, MELS)
    gains = np.interp(x, np.linspace(-1, 1, 6), rng.normal(0, 3, 6)) + rng.normal(0, 3) * x
    if rng.random() < 0.25:
        gains -= np.maximum(x - rng.uniform(0, 0.9), 0) * rng.uniform(40, 400)
    if rng.random() < 0.15:
        gains -= np.maximum(rng.uniform(-1, -0.5) - x, 0) * rng.uniform(20, 100)
    return gains.astype(np.float32)


def truth(heard: Any, said: Any) -> Any:
    """How true each caption is of each clip, 0..1 [B, B']: least over greatest of the weights, summed (Ruzicka 1958).

    `heard` [B, K] and `said` [B', K] are torch tensors of weights, no row all zero.
    """
    low = heard[:, None].minimum(said[None]).sum(-1)
    return low / heard[:, None].maximum(said[None]).sum(-1)
