"""The generator: few-step latent diffusion from the last picture and the scene, one frame a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.types import Conditioning, Controls, Cue, Picture
from livevis.generate import latents, schedule, semantic
from livevis.generate.denoising import Denoising, Resting
from livevis.generate.engine import Engine
from livevis.generate.guarded import GUARDED
from livevis.generate.guidance.slots import Key, SlotState
from livevis.generate.latents import Motion
from livevis.generate.networks import networks, time_features, variants
from livevis.generate.noise import walk
from livevis.generate.prompt_to_prompt.affine import AffineKey
from livevis.generate.semantic import Guiding
from livevis.generate.text import PromptEncoder, TextRow, load_tokenizer, normalised
from livevis.generate.ways.choice import Ways, spoken
from livevis.generate.ways.way import unweighted
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
    still: bool = False
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
        still=controls.text("init/source") == "still",
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
    was taken and why; runners: the networks that every frame needs, variants: those of some ways of playing. Not
    thread-safe [generator process].
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
        self.variants = Waiting(
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
        tokenizer = load_tokenizer(engine.folder / "tokenizer")
        self._text = PromptEncoder(tokenizer, self._encode_text, tokens=engine.tokens, strict=strict)
        self._ways = Ways(self._text, tokenizer, self.variants, self._ask, self._time, strict=strict)
        self._encoded: tuple[Picture, Tensor] | None = None
        self._encodings = 0
        self._held: tuple[Hashable, dict[int, Resting]] = (None, {})

    @property
    def notice(self) -> str:
        """One line on what this frame's way of playing lacks, or an empty string."""
        return self._ways.notice or self._text.notice or self.variants.notice

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
        play, self._text.notice = read_play(cue.controls), ""
        dt_s = _passed(state, cue)
        phase = cue.time_s * play.walk if state.phase is None else state.phase + play.walk * dt_s
        ours = self._ways.of_prompts(conditioning)
        rows = self._text.rows(ours, guided=play.guidance > 1.0, steps=play.steps)
        guiding = self._guiding(state, ours, play, dt_s)
        x0, source = self._start(state, play, dt_s, init_image)
        still = play.still and x0 is not None
        path = schedule.levels(self._schedule, strength=1.0 if x0 is None else play.strength, steps=play.steps)
        seed = (state.seed, play.seed, 0.0 if still else phase)
        key = None if source is None else self._key(conditioning, play, seed, source, path)
        way = self._ways.choose(conditioning, rows[-1], key)
        noise = self._noise(seed, rows[0].text.device)
        one = Denoising(self._schedule, path, noise, self._ask, rows, play.guidance, way, self._silent(conditioning))
        if still and x0 is not None:
            latent, guiding = self._animate(one, x0, (key, way.kind), guiding)
        else:
            latent, guiding = one.frame(x0, guiding)
        picture = self.decode(latent)
        whole = bool(torch.isfinite(latent).all())  # a broken latent must not feed itself for ever
        kept, slots = (latent, semantic.end(guiding)) if whole else (None, None)
        return GeneratorState(state.seed, state.frame + 1, cue.time_s, phase, kept, slots), picture

    @torch.inference_mode()
    def text_rows(self, text: str) -> npt.NDArray[np.float32]:
        """What the text encoder makes of `text` behind its first token: float32 [tokens - 1, text_width]."""
        rows: npt.NDArray[np.float32] = self._text.encoded(text).embedding[0, 1:].float().cpu().numpy().copy()
        return rows

    def _start(
        self, state: GeneratorState, play: Play, dt_s: float, init_image: Picture | None
    ) -> tuple[Tensor | None, Hashable]:
        """Return the latent that the frame starts from, and what it is while it stays the same; None: it moves on."""
        if play.still and init_image is not None:
            return self.encode(init_image), ("still", self._encodings)
        own = None if state.latent is None else latents.carry(state.latent, play.motion, dt_s)
        wanted = init_image is not None and (own is None or play.amount < 1.0)
        scene = self.encode(init_image) if wanted and init_image is not None else None
        fed_back = own is not None and (scene is None or play.amount > 0.0)
        return latents.start(scene, own, play.amount), None if fed_back else self._encodings if wanted else "noise"

    def _animate(
        self, one: Denoising, picture: Tensor, about: Hashable, guiding: Guiding | None
    ) -> tuple[Tensor, Guiding | None]:
        """Animate a still; where nothing sounds it is itself and the network is not asked."""
        if one.way.neutral and guiding is None:
            return picture, None
        about = about, one.silent is not None
        if self._held[0] != about:
            self._held = about, {}
        return one.still(picture, self._held[1], guiding)

    def encode(self, picture: Picture) -> Tensor:
        """Encode a picture uint8 [H, W, 3] (resized if need be); an unchanged picture is not encoded again."""
        if self._encoded is not None and np.array_equal(self._encoded[0], picture):
            return self._encoded[1]
        fitted = torch.from_numpy(_fit(picture, self.size))[None]
        latent = self.runners["encode"].run({"picture": fitted})["latent"]
        self._encoded, self._encodings = (picture.copy(), latent), self._encodings + 1
        return latent

    def decode(self, latent: Tensor) -> Picture:
        """Decode a latent to a picture uint8 [size, size, 3]."""
        picture: Picture = self.runners["decode"].run({"latent": latent})["picture"][0].cpu().numpy()
        return picture

    def _ask(self, z: Tensor, at: schedule.Level, k: int, row: TextRow) -> Tensor:
        asked = {"latent": z, "time": self._time(at.timestep), "text": row.text, "token_gain": row.gain_at(k)}
        guarded = None if row.guard is None else self.variants.get(GUARDED)
        if guarded is None and row.guard is not None and row.guard.heard:  # gains stay held until it is there
            asked["token_gain"] = torch.minimum(asked["token_gain"], row.guard.inputs["clamp"])
        if guarded is None or row.guard is None or not row.guard.heard:
            return self.runners["denoise"].run(asked)["prediction"]
        return guarded.run({**asked, **row.guard.inputs})["prediction"]

    def _silent(self, asked: Conditioning) -> TextRow | None:
        """Return the prompt's row without the sound's rows, None if there are none."""
        if not spoken(asked):
            return None
        return unweighted(self._text.rows(replace(asked, word_gains=(), tokens=None), guided=False)[0])

    def _noise(self, seed: tuple[int, int, float], device: torch.device) -> Callable[[int], Tensor]:
        """Return the noise bank of (session's seed, diffusion/seed) at a place on the walk, by step."""
        session, own, phase = seed
        return lambda k: walk((session, own, k), phase, self._latent_shape).to(device)

    def _key(
        self,
        asked: Conditioning,
        play: Play,
        seed: tuple[int, int, float],
        source: Hashable,
        path: tuple[schedule.Level, ...],
    ) -> AffineKey:
        """Return all that the picture without edits depends on."""
        guided = ((asked.negative, play.guidance),) if play.guidance > 1.0 else ()
        rows = (*normalised(asked.prompts), *guided)
        times = tuple(float(level.timestep) for level in path[:-1])
        return AffineKey(str(self.engine.folder), rows, (), 0.0, seed, source, self.size, times)

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
