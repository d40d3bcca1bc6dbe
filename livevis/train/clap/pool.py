"""The pool that the ears learn from: log mels of clips in several rooms, made once and kept on disk.

Sounds that know nothing of each other add up in power, so mixtures, noise and levels can be had from the mels alone,
at a tenth of what they cost as waves; rooms and filters cannot, and so every clip is kept in a few of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.train.clap.clips import make_clip, make_music
from livevis.train.clap.mel import LogMel
from livevis.train.clap.networks import HOP, MELS, build_extractor
from livevis.train.clap.rooms import F32, Rng, Surroundings
from livevis.train.journal import Journal

F16 = npt.NDArray[np.float16]
_AUDIBLE = 1e-7
"""Mean square of a stretch (-70 dB) from which it counts as heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """How much to make: clips of each sound, pieces of music, seconds of each, views (dry, and so many rooms)."""

    names: tuple[str, ...]
    clips: int = 24
    pieces: int = 96
    views: int = 4
    seconds: float = 8.0
    first: int = 0  # index of the first clip: runs with another seed start elsewhere

    @property
    def frames(self) -> int:
        return 1 + round(self.seconds * SAMPLE_RATE_HZ) // HOP


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a clip: decibels float16 [frames, bands], its mean square, and its mean intensity."""

    mel: F16
    energy: float
    strength: float


class MelPool:
    """Mels [rounds, names, views, frames, bands] and music [pieces, views, frames, bands] on disk, and some noises."""

    def __init__(self, folder: Path, plan: PoolPlan, *, seed: int):
        self.folder, self.plan, self._seed = folder, plan, seed
        self._around = Surroundings(round(plan.seconds * SAMPLE_RATE_HZ), seed)
        self._mel = LogMel(build_extractor())
        self.rounds = self.pieces = 0
        self.noises = np.stack([self._mels(noise) for noise in self._around.noises])

    def make(self, journal: Journal, *, budget_s: float, keep: bool) -> None:
        """Fill until all is there or `budget_s` is over, at least a round; `keep` goes on from what is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.folder / "pool.json"
        plan = json.dumps({**asdict(self.plan), "seed": self._seed})
        done = json.loads(state.read_text()) if keep and state.exists() else {}
        if done.get("plan") != plan:
            done = {"plan": plan, "rounds": 0, "pieces": 0}
        self._open(fresh=not done["rounds"])
        self.rounds, self.pieces = done["rounds"], done["pieces"]
        started = time.monotonic()
        for rounds, pieces in self._fill(self.rounds, self.pieces):
            self.rounds, self.pieces = rounds, pieces
            state.write_text(json.dumps({"plan": plan, "rounds": self.rounds, "pieces": self.pieces}))
            if time.monotonic() - started > budget_s:
                break
        took_s = time.monotonic() - started
        made = f"{self.rounds} clips of each of {len(self.plan.names)} sounds, {self.pieces} pieces of music"
        journal.say(f"clap: {made}, {self.plan.views} views of each, {took_s:.0f} s")

    def _open(self, *, fresh: bool) -> None:
        plan = self.plan
        clips, music = (plan.clips, len(plan.names), plan.views, plan.frames), (plan.pieces, plan.views, plan.frames)
        shapes = {
            "mels": (np.float16, (*clips, MELS)),
            "energies": (np.float32, clips),
            "strengths": (np.float32, (*clips[:2], plan.frames)),
            "music": (np.float16, (*music, MELS)),
            "music_energies": (np.float32, music),
        }
        self._kept = {
            name: np.lib.format.open_memmap(self.folder / f"{name}.npy", "w+", kind, shape)
            if fresh
            else np.load(self.folder / f"{name}.npy", mmap_mode="r+")
            for name, (kind, shape) in shapes.items()
        }

    def _fill(self, rounds: int, pieces: int) -> Iterator[tuple[int, int]]:
        """Make round after round, with its share of the music; yields how many of each there are."""
        plan, kept = self.plan, self._kept
        while rounds < plan.clips:
            for place, name in enumerate(plan.names):
                wave, curve = make_clip(name, plan.first + rounds, plan.seconds, held_out=False)
                views = self._views(wave, np.random.default_rng([self._seed, 0xE4_11, rounds, place]))
                kept["mels"][rounds, place], kept["energies"][rounds, place] = views
                kept["strengths"][rounds, place] = np.interp(
                    np.linspace(0, 1, plan.frames), np.linspace(0, 1, len(curve)), curve
                )
            rounds += 1
            while pieces < max(1, round(plan.pieces * rounds / plan.clips)):
                wave = make_music(plan.first + pieces, plan.seconds, held_out=False)
                views = self._views(wave, np.random.default_rng([self._seed, 0xE4_12, pieces]))
                kept["music"][pieces], kept["music_energies"][pieces] = views
                pieces += 1
            yield rounds, pieces
        if rounds == plan.clips:
            yield rounds, pieces

    def _views(self, wave: F32, rng: Rng) -> tuple[F16, F32]:
        """Mels and mean squares by frame of the clip as it is, and of the clip in as many rooms and filters as asked.

        In one of three rooms the clip plays up to a sixth slower or faster, beginning again at its end.
        """
        waves = [wave]
        for _ in range(self.plan.views - 1):
            speed = 2 ** rng.uniform(-0.25, 0.25) if rng.random() < 0.33 else 1.0
            at = np.arange(len(wave)) * speed
            played = wave if speed == 1.0 else np.interp(at, np.arange(len(wave)), wave, period=len(wave))
            waves.append(self._around.pass_through(played.astype(np.float32), rng))
        energies = np.stack([_energies(view, self.plan.frames) for view in waves])
        return np.stack([self._mels(view) for view in waves]), energies

    def _mels(self, wave: F32) -> F16:
        return self._mel(torch.from_numpy(wave)[None])[0, 0].numpy().astype(np.float16)

    def cut(self, place: int, frames: int, rng: Rng) -> Stretch:
        """A random stretch of a random clip of sound number `place`: one that can be heard, if six tries find one."""
        for _ in range(6):
            where = int(rng.integers(self.rounds)), place, int(rng.integers(self.plan.views))
            span = self._span(frames, rng)
            energy = float(self._kept["energies"][(*where, span)].mean())
            if energy > _AUDIBLE:
                break
        strength = float(self._kept["strengths"][where[0], place, span].mean())
        return Stretch(self._kept["mels"][(*where, span)], max(energy, _AUDIBLE), strength)

    def cut_music(self, frames: int, rng: Rng) -> Stretch:
        where, span = (int(rng.integers(self.pieces)), int(rng.integers(self.plan.views))), self._span(frames, rng)
        energy = float(self._kept["music_energies"][(*where, span)].mean())
        return Stretch(self._kept["music"][(*where, span)], max(energy, _AUDIBLE), 0.0)

    def cut_noise(self, frames: int, rng: Rng) -> Stretch:
        """A stretch of stationary noise, of unit mean square."""
        return Stretch(self.noises[int(rng.integers(len(self.noises))), self._span(frames, rng)], 1.0, 0.0)

    def _span(self, frames: int, rng: Rng) -> slice:
        start = int(rng.integers(self.plan.frames - frames + 1))
        return slice(start, start + frames)


def _energies(wave: F32, frames: int) -> F32:
    """Mean square of the wave around each frame [frames]."""
    square = np.pad(np.square(wave), (HOP // 2, HOP))[: frames * HOP]
    return square.reshape(frames, HOP).mean(1)
