"""An inverted picture in the generator's place: each frame is an edit of it by the words' gains. `render` only."""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.core.types import Attention, Conditioning, Cue, Edits, Picture
from livevis.generate.diffusion import GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.guarded import pushed
from livevis.generate.inversion import course, ddim, null_text
from livevis.generate.inversion.course import Base, Recorded
from livevis.generate.inversion.network import NoiseNetwork
from livevis.generate.inversion.null_text import Optimisation
from livevis.generate.networks import networks
from livevis.generate.text import PromptEncoder, TextRow, load_tokenizer
from livevis.runners.table import RunnerName, choose, open_runners

LOG = logging.getLogger("livevis.generate")
Inversion = Literal["auto", "ddim", "null-text"]
Progress = Callable[[str, int, int], object]
"""(stage, how many done, of how many)."""
RECORDING_BYTES = 8 * 2**30
"""A recording of base maps may grow to this; Stable Diffusion's at 512 pixels and 50 steps takes 2.2 GB a token."""
PICTURES_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class Inverted:
    """How a picture was inverted and what comes back of it: through the autoencoder alone, and through all of it."""

    how: Literal["ddim", "null-text"]
    steps: int
    guidance: float
    original: Picture
    encoded: Picture
    reconstruction: Picture


class InversionGenerator:
    """Keeps the Generator contract with a picture that was inverted once; frames are edits of it by the words' gains.

    picture: uint8 [size, size, 3]; inversion: `auto` is null-text where guidance is above 1, else ddim; steps: of the
    trajectory; size: side in pixels (None: the engine's). Prompt and guidance are those of the first frame unless
    `invert` was called before. Words that are in no prompt, and what `_refuse` names, raise ConfigError: this is for
    offline. Gains of 1 give the reconstruction, equal gains the same picture without asking the network again.
    """

    def __init__(
        self,
        engine: Engine,
        picture: Picture,
        *,
        inversion: Inversion = "auto",
        steps: int = 50,
        runner: RunnerName = "auto",
        size: int | None = None,
    ) -> None:
        self.engine, self.size = engine, size or engine.size
        self._picture, self._inversion = picture, inversion
        name, why = choose(runner)
        described = networks(engine, self.size)
        self._runners = open_runners(name, {part: described[part] for part in ("text", "encode", "decode")})
        self._network = NoiseNetwork(engine, self.size)
        offset = int(engine.configs["scheduler"].get("steps_offset", 0))
        self._levels = ddim.course(self._network.schedule, steps=steps, offset=offset)
        self._text = PromptEncoder(
            load_tokenizer(engine.folder / "tokenizer"), self._encode_text, tokens=engine.tokens, strict=True
        )
        self.chosen = f"{why}; the UNet: torch {self._network.device.type} f32, for its gradients and its maps"
        self.limit_bytes = RECORDING_BYTES
        self._base: Base | None = None
        self._recorded: Recorded | None = None
        self._full = False
        self._pictures: OrderedDict[bytes, Picture] = OrderedDict()

    @torch.no_grad()
    def text_rows(self, text: str) -> npt.NDArray[np.float32]:
        """What the text encoder makes of `text` behind its first token: float32 [tokens - 1, text_width]."""
        rows: npt.NDArray[np.float32] = self._text.encoded(text).embedding[0, 1:].float().cpu().numpy().copy()
        return rows

    def init(self, seed: int, previous: Picture | None = None) -> GeneratorState:
        """Return the state before the first frame; no noise is drawn and no frame follows from another."""
        return GeneratorState(seed=seed)

    def step(
        self, state: GeneratorState, cue: Cue, conditioning: Conditioning, init_image: Picture | None
    ) -> tuple[GeneratorState, Picture]:
        """Make one frame: uint8 [size, size, 3] from the conditioning's prompts and gains alone."""
        if self._base is None:
            self.invert(conditioning, cue.controls.number("diffusion/guidance"))
        _refuse(conditioning)
        row = self._text.rows(conditioning, guided=False)[0]
        picture = self._shown(row, conditioning.attention.clamp)
        return replace(state, frame=state.frame + 1, time_s=cue.time_s), picture

    def invert(
        self, conditioning: Conditioning, guidance: float, progress: Progress = lambda stage, done, of: None
    ) -> Inverted:
        """Find the noise, and with null-text the empty prompts, that lead to the picture under the prompts.

        guidance: at most 1 is none. Raises ConfigError if null-text was asked for without guidance.
        """
        how = self._inversion if self._inversion != "auto" else "null-text" if guidance > 1.0 else "ddim"
        settings = Optimisation(guidance=guidance) if how == "null-text" else None
        silent = replace(conditioning, word_gains=(), edits=Edits(), attention=Attention(), tokens=None)
        rows = self._text.rows(silent, guided=guidance > 1.0)
        *empty, text = (self._own(row.text) for row in rows)
        levels, steps = self._levels, len(self._levels) - 1
        encoded = self._encoded()
        with torch.no_grad():
            pivots = ddim.invert(
                self._network, encoded, text, levels, done=lambda done: progress("inverting", done, steps)
            )
        nulls = tuple(empty) * steps or None
        if settings is not None:
            nulls = null_text.optimise(
                self._network, pivots, text, empty[0], levels, settings,
                done=lambda done: progress("null text", done, steps),
            )  # fmt: skip
        with torch.no_grad():
            self._base = course.play_back(self._network, pivots[0], text, nulls, levels, guidance)
        self._recorded, self._full = None, False
        self._pictures.clear()
        shown = self._decode(encoded), self._decode(self._base.latents[-1])
        return Inverted(how, steps, guidance, self._picture, *shown)

    def _shown(self, row: TextRow, clamp: float) -> Picture:
        """The picture of one text row; the last PICTURES_KEPT are kept, as silence and held gains come back."""
        text, gain = row.text.contiguous().cpu(), row.token_gain.cpu()
        key = hashlib.blake2b(text.numpy().tobytes() + gain.numpy().tobytes() + repr(clamp).encode()).digest()
        if key not in self._pictures:
            self._pictures[key] = self._decode(self._latent(self._own(text), self._own(gain), clamp))
            if len(self._pictures) > PICTURES_KEPT:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(key)
        return self._pictures[key]

    @torch.no_grad()
    def _latent(self, text: Tensor, gain: Tensor, clamp: float) -> Tensor:
        base = self._base
        assert base is not None
        if not torch.equal(text, base.text):
            return course.play_injected(self._network, base, text, gain, clamp=clamp)
        lifted = {int(token) for token in (gain[0] != 1.0).nonzero()}
        if not lifted:
            return base.latents[-1]
        recorded = self._recording(lifted)
        if recorded is None:
            return course.play_injected(self._network, base, text, gain, clamp=clamp)
        return course.play_recorded(self._network, base, recorded, gain, clamp=clamp)

    def _recording(self, lifted: set[int]) -> Recorded | None:
        """The recording, made anew when a token is lifted for the first time; None where it would be too large."""
        held = set(self._recorded.tokens) if self._recorded else set()
        if lifted <= held:
            return self._recorded
        if self._full:
            return None
        assert self._base is not None
        tokens = sorted(lifted | held)
        wider = course.record(self._network, self._base, tokens, limit_bytes=self.limit_bytes)
        if wider is None:
            self._full, limit = True, f"{self.limit_bytes / 2**30:.3g} GB"
            LOG.warning(
                "the maps of %d tokens would take over %s: the base row runs beside such frames", len(tokens), limit
            )
            return None
        self._recorded = wider
        return wider

    def _encoded(self) -> Tensor:
        return self._own(self._runners["encode"].run({"picture": torch.from_numpy(self._picture)[None]})["latent"])

    def _own(self, tensor: Tensor) -> Tensor:
        """A copy on the UNet's device that gradients may pass through."""
        return tensor.to(self._network.device).clone()

    def _decode(self, latent: Tensor) -> Picture:
        picture: Picture = self._runners["decode"].run({"latent": latent})["picture"][0].cpu().numpy()
        return picture

    def _encode_text(self, ids: Tensor) -> Tensor:
        return self._runners["text"].run({"ids": ids})["text"]


def _refuse(asked: Conditioning) -> None:
    """Raise ConfigError naming what is asked for and has no part in the edits of an inverted picture."""
    how = asked.attention
    found = {
        "edit slots (guidance/scale_1 to 4, attention/threshold, tpos/scale)": any(
            edit.heard for edit in asked.edits.faders
        ),
        "attention/maps renormalised": how.maps == "renormalised",
        "attention/steps": bool(how.windows or how.unread),
        "attention/edit": bool(how.edit),
        "attention/blend": bool(how.blend),
        "nag/scale": pushed(asked.nag),
    }
    if names := [name for name, heard in found.items() if heard]:
        raise ConfigError(f"an inverted picture is not moved by {', '.join(names)}; leave that at rest")
