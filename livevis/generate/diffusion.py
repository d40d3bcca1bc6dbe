"""The generator: few-step latent diffusion from the last picture and the scene, one frame a step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.types import Conditioning, Controls, Cue, Picture
from livevis.generate import latents, schedule, semantic
from livevis.generate.engine import Engine
from livevis.generate.guidance.rows import Base, base
from livevis.generate.guidance.slots import Key, SlotState
from livevis.generate.latents import Motion
from livevis.generate.networks import networks, time_features, variants
from livevis.generate.noise import walk
from livevis.generate.semantic import Guiding
from livevis.generate.text import PromptEncoder, TextRow, load_tokenizer, normalised
from livevis.runners.table import RunnerName, choose, open_runner, open_runners
from livevis.runners.waiting import Waiting

LONGEST_FRAME_S = 0.25
"""A frame that was late by more (a restart, a stall) moves the feedback by no more than this."""


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorState:
    """What one frame leaves to the next.

    seed: the session's; frame: frames made; time_s: audio time of the last one; phase: place on the noise walk
    (None before the first frame); latent: the last output [1, C, h, w]; slots: the edit slots' momentum, None at rest.
    """

    seed: int
    frame: int = 0
    time_s: float = 0.0
    phase: float | None = None
    latent: Tensor | None = None
    slots: SlotState | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """The controls that the generator obeys, read once per frame."""

    strength: float
    steps: int
    seed: int
    guidance: float
    walk: float
    amount: float
    motion: Motion = field(default_factory=Motion)


def read_play(controls: Controls) -> Play:
    """Read the generator's share of the controls; `init/source` self means all feedback."""
    number = controls.number
    return Play(
        strength=number("diffusion/strength"),
        steps=max(int(number("diffusion/steps")), 1),
        seed=int(number("diffusion/seed")),
        guidance=number("diffusion/guidance"),
        walk=max(number("diffusion/walk"), 0.0),
        amount=1.0 if controls.text("init/source") == "self" else number("feedback/amount"),
        motion=Motion(
            zoom=number("feedback/zoom"),
            rotate_deg=number("feedback/rotate"),
            shift_x=number("feedback/shift_x"),
            shift_y=number("feedback/shift_y"),
            decay=number("feedback/decay"),
        ),
    )


class DiffusionGenerator:
    """Plays one engine on one runner. The only state that matters is GeneratorState; everything kept here is a cache.

    size: picture side in pixels (None: the engine's); threads: CPU threads (0: all); strict: a word that is not
    in the prompt raises ConfigError (offline) instead of being ignored with a warning. `chosen` says which runner
    was taken and why. Not thread-safe [generator process].
    """

    def __init__(
        self,
        engine: Engine,
        *,
        runner: RunnerName = "auto",
        size: int | None = None,
        threads: int = 0,
        strict: bool = False,
    ) -> None:
        self.engine, self.size = engine, size or engine.size
        self.runner, why = choose(runner)
        described = networks(engine, self.size)
        self.runners = open_runners(self.runner, described, threads=threads)
        self._more = Waiting(
            variants(engine, self.size), partial(open_runner, self.runner, threads=threads), at_once=strict
        )
        self.chosen = f"{why}; " + ", ".join(f"{name}: {r.chosen}" for name, r in self.runners.items())
        self._schedule = schedule.read_schedule(engine.configs["scheduler"])
        unet = engine.configs["unet"]
        self._time = partial(
            time_features,
            width=engine.time_width,
            flip=bool(unet.get("flip_sin_to_cos", True)),
            shift=float(unet.get("freq_shift", 0)),
        )
        self._latent_shape = described["decode"].inputs[0].shape
        self._text = PromptEncoder(
            load_tokenizer(engine.folder / "tokenizer"), self._encode_text, tokens=engine.tokens, strict=strict
        )
        self._encoded: tuple[Picture, Tensor] | None = None

    @property
    def notice(self) -> str:
        """One line on what this frame's way of playing lacks, or an empty string."""
        return self._more.notice

    @torch.inference_mode()
    def init(self, seed: int, previous: Picture | None = None) -> GeneratorState:
        """Return the state before the first frame of a session with `seed`; diffusion/seed picks among its noises.

        previous: the last picture of an earlier generator, so that play goes on from there after a restart.
        """
        return GeneratorState(seed=seed, latent=None if previous is None else self.encode(previous))

    @torch.inference_mode()
    def step(
        self, state: GeneratorState, cue: Cue, conditioning: Conditioning, init_image: Picture | None
    ) -> tuple[GeneratorState, Picture]:
        """Make one frame: uint8 [size, size, 3] from the cue's controls, the conditioning and the init picture.

        The same (seed, cues, conditionings, init pictures) give the same pictures, bit for bit, on the same runner.
        """
        play = read_play(cue.controls)
        dt_s = _passed(state, cue)
        phase = cue.time_s * play.walk if state.phase is None else state.phase + play.walk * dt_s
        own = None if state.latent is None else latents.carry(state.latent, play.motion, dt_s)
        wanted = init_image is not None and (own is None or play.amount < 1.0)
        scene = self.encode(init_image) if wanted and init_image is not None else None
        x0 = latents.start(scene, own, play.amount)
        rows = self._text.rows(conditioning, guided=play.guidance > 1.0, steps=play.steps)
        guiding = self._guiding(state, conditioning, play, dt_s)
        latent, guiding = self.denoise(x0, rows, play, (state.seed, play.seed), phase, guiding)
        picture = self.decode(latent)
        whole = bool(torch.isfinite(latent).all())  # a broken latent must not feed itself for ever
        kept, slots = (latent, semantic.end(guiding)) if whole else (None, None)
        return GeneratorState(state.seed, state.frame + 1, cue.time_s, phase, kept, slots), picture

    @torch.inference_mode()
    def text_rows(self, text: str) -> npt.NDArray[np.float32]:
        """What the text encoder makes of `text` behind its first token: float32 [tokens - 1, text_width]."""
        rows: npt.NDArray[np.float32] = self._text.encoded(text).embedding[0, 1:].float().cpu().numpy().copy()
        return rows

    def encode(self, picture: Picture) -> Tensor:
        """Encode a picture uint8 [H, W, 3] (resized if need be); an unchanged picture is not encoded again."""
        if self._encoded is not None and np.array_equal(self._encoded[0], picture):
            return self._encoded[1]
        fitted = torch.from_numpy(_fit(picture, self.size))[None]
        latent = self.runners["encode"].run({"picture": fitted})["latent"]
        self._encoded = (picture.copy(), latent)
        return latent

    def denoise(
        self,
        x0: Tensor | None,
        rows: tuple[TextRow, ...],
        play: Play,
        seed: tuple[int, int],
        phase: float,
        guiding: Guiding | None = None,
    ) -> tuple[Tensor, Guiding | None]:
        """Noise x0 and take `play.steps` denoising steps; without x0 the whole picture is dreamt from noise.

        guiding: the edit slots, which come back with the momentum of this frame.
        """
        strength = 1.0 if x0 is None else play.strength
        path = schedule.levels(self._schedule, strength=strength, steps=play.steps)
        noise = walk((*seed, 0), phase, self._latent_shape).to(rows[0].text.device)
        z = schedule.add_noise(torch.zeros_like(noise) if x0 is None else x0, noise, path[0])
        for k, (at, to) in enumerate(pairwise(path)):
            found = self._predict(z, at, k, rows, play.guidance)
            ask = partial(self._ask, z, at, k)
            guiding, output = semantic.guide(
                guiding, found, ask, index=k, level=at, prediction=self._schedule.prediction
            )
            fresh = walk((*seed, k + 1), phase, self._latent_shape).to(z.device) if self._stochastic(to) else noise
            estimate = schedule.clean(self._schedule.prediction, z, output, at)
            z = schedule.step_to(self._schedule.rule, estimate, at, to, fresh)
        return z, guiding

    def decode(self, latent: Tensor) -> Picture:
        """Decode a latent to a picture uint8 [size, size, 3]."""
        picture: Picture = self.runners["decode"].run({"latent": latent})["picture"][0].cpu().numpy()
        return picture

    def _stochastic(self, to: schedule.Level) -> bool:
        return self._schedule.rule != "euler" and to.noise > 0.0

    def _predict(self, z: Tensor, at: schedule.Level, k: int, rows: tuple[TextRow, ...], guidance: float) -> Base:
        """Run the UNet once per text row; two rows are classifier-free guidance (Ho and Salimans 2022, eq. 6)."""
        return base(torch.cat([self._ask(z, at, k, row) for row in rows]), guidance)

    def _ask(self, z: Tensor, at: schedule.Level, k: int, row: TextRow) -> Tensor:
        asked = {"latent": z, "time": self._time(at.timestep), "text": row.text, "token_gain": row.gain_at(k)}
        return self.runners["denoise"].run(asked)["prediction"]

    def _guiding(self, state: GeneratorState, conditioning: Conditioning, play: Play, dt_s: float) -> Guiding | None:
        guided = play.guidance > 1.0
        key = Key(
            prompt=tuple(normalised(conditioning.prompts)),
            seed=(state.seed, play.seed, guided),  # guidance measures edits against another row: another velocity
            shape=self._latent_shape[1:],
            steps=play.steps,
            concepts=semantic.concepts(conditioning),
        )
        rows = self._text.edit_rows(conditioning, guided=guided, steps=play.steps)
        return semantic.begin(state.slots, conditioning.edits, rows, key, dt_s=dt_s)

    def _encode_text(self, ids: Tensor) -> Tensor:
        return self.runners["text"].run({"ids": ids})["text"]


def _passed(state: GeneratorState, cue: Cue) -> float:
    """Seconds of music since the last frame, 0 for the first one."""
    if state.phase is None or not math.isfinite(cue.time_s):
        return 0.0
    return min(max(cue.time_s - state.time_s, 0.0), LONGEST_FRAME_S)


def _fit(picture: Picture, size: int) -> Picture:
    """Resize a picture to the engine's side, averaging where it shrinks."""
    picture = np.require(picture, requirements=("C", "W"))  # torch takes no read-only memory without a warning
    if picture.shape[:2] == (size, size):
        return picture
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    fitted = torch.nn.functional.interpolate(planes, (size, size), mode="bilinear", antialias=True)
    resized: Picture = fitted[0].round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return resized
