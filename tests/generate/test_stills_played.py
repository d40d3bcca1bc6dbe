"""Stills through the whole generator: exact at rest, InfEdit's steps when they sound, and without any memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.types import Controls, Picture
from livevis.generate import schedule
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.noise import walk
from livevis.init_picture import InitPictures
from livevis.methods.words import condition
from tests.checkpoints import DEFAULTS, cue
from tests.runners_here import RUNNERS

pytestmark = pytest.mark.usefixtures("own_cache")

STILL = {"init__source": "still"}
GAIN = {"attention__word": "aurora", "attention__gain": 4.0}
SOUNDS: dict[str, dict[str, Any]] = {
    "own maps": GAIN,
    "base maps": {**GAIN, "attention__maps": "base"},
    "another wording": {"attention__edit": "burning waves"},
    "a place": {**GAIN, "attention__blend": "burning", "attention__blend_threshold": 0.98},
    "edit slots": {"guidance__text_1": "red city", "guidance__scale_1": 1.0, "guidance__momentum": 0.0},
    "guidance": {**GAIN, "diffusion__guidance": 2.5},
}
ROWS = {"own maps": 1, "base maps": 1, "another wording": 1, "a place": 1, "edit slots": 1, "guidance": 2}
"""Calls of a network for a frame, once the picture has been seen; rewordings take two rows in one call."""


@pytest.fixture(scope="module", params=RUNNERS)
def each(request: pytest.FixtureRequest, lcm: Engine) -> DiffusionGenerator:
    """The generator on every runner that is here."""
    return DiffusionGenerator(lcm, runner=request.param, strict=True)


@pytest.fixture(scope="module")
def generator(engine: Engine) -> DiffusionGenerator:
    return DiffusionGenerator(engine, runner="torch", strict=True)


def play(
    generator: DiffusionGenerator, picture: Picture, *, state: GeneratorState | None = None, **changed: Any
) -> tuple[GeneratorState, Picture]:
    state = state or generator.init(7)
    at = cue(state.frame, **{**STILL, **changed})
    return generator.step(state, at, condition(at.controls), picture)


def latent(generator: DiffusionGenerator, picture: Picture, **how: Any) -> Tensor:
    made = play(generator, picture, **how)[0].latent
    assert made is not None
    return made


def calls(generator: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with every run of a UNet."""
    seen: list[str] = []
    unets = {"denoise": generator.runners["denoise"], **generator.variants._opened}
    for name, runner in unets.items():
        run = runner.run
        monkeypatch.setattr(runner, "run", lambda tensors, name=name, run=run: seen.append(name) or run(tensors))
    return seen


@pytest.mark.parametrize("steps", [1, 4])
def test_at_rest_the_picture_is_its_own_decode_and_costs_no_row(
    each: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    own = each.decode(each.encode(pictures[0]))
    seen = calls(each, monkeypatch)
    quiet: list[dict[str, Any]] = [
        {},
        {**GAIN, "attention__gain": 1.0, "attention__maps": "base"},
        {"attention__edit": "burning waves", "attention__edit_amount": 0.0},
        {"guidance__text_1": "red city"},
        {"feedback__amount": 0.9, "feedback__zoom": 1.0, "diffusion__walk": 2.0},
    ]
    for how in quiet:
        state, made = play(each, pictures[0], diffusion__steps=steps, **how)
        assert np.array_equal(made, own) and torch.equal(state.latent, each.encode(pictures[0]))  # type: ignore[arg-type]
    assert not seen


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("sound", SOUNDS)
def test_it_depends_on_picture_seed_and_conditioning_alone(
    generator: DiffusionGenerator, pictures: list[Picture], sound: str, steps: int
) -> None:
    look = {**SOUNDS[sound], "diffusion__steps": steps}
    wanted = latent(generator, pictures[0], **look)
    assert not torch.equal(wanted, generator.encode(pictures[0]))
    state, _ = play(generator, pictures[1], init__source="scene", diffusion__walk=3.0)
    moving = {"feedback__amount": 0.9, "feedback__rotate": 90.0, "diffusion__walk": 3.0}
    for _ in range(2):
        state, _ = play(generator, pictures[0], state=state, **look, **moving)
        assert torch.equal(state.latent, wanted)  # type: ignore[arg-type]
    for other in ({"diffusion__seed": 9}, {"diffusion__strength": 0.8}, {"prompt__text_1": "red aurora burning waves"}):
        assert not torch.equal(latent(generator, pictures[0], **{**look, **other}), wanted)
    assert torch.equal(latent(generator, pictures[0], **look), wanted), "and nothing of another picture was left"


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_frame_costs_the_sounding_row(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch, sound: str
) -> None:
    state, _ = play(generator, pictures[2], **SOUNDS[sound])
    seen = calls(generator, monkeypatch)
    for _ in range(3):
        state, _ = play(generator, pictures[2], state=state, **SOUNDS[sound])
    assert len(seen) == 3 * ROWS[sound]


@pytest.mark.parametrize("layout", [{"prediction_type": "v_prediction"}, {"scheduler": "LCMScheduler"}], ids=str)
@pytest.mark.parametrize("steps", [1, 4])
def test_sounding_it_is_infedit(
    make_engine: Callable[..., Engine], pictures: list[Picture], layout: dict[str, Any], steps: int
) -> None:
    """DDCM written out: at each step the source under that step's noise, and the target re-noised with the same."""
    generator = DiffusionGenerator(make_engine(**layout), runner="torch", strict=True)
    path = schedule.levels(generator._schedule, strength=0.7, steps=steps)
    x0 = generator.encode(pictures[0])
    plain, loud = (generator._text.rows(condition(cue(0, **how).controls), guided=False)[0] for how in ({}, GAIN))
    target = x0
    for k, (at, _) in enumerate(pairwise(path)):
        noise = walk((7, 3, k), 0.0, x0.shape)
        x_s, x_t = (at.signal * start + at.noise * noise for start in (x0, target))
        with torch.inference_mode():
            e_s, e_t = (
                schedule.clean(generator._schedule.prediction, x, generator._ask(x, at, k, row), at)[1]
                for x, row in ((x_s, plain), (x_t, loud))
            )
        target = x0 + ((x_t - x_s) - at.noise * (e_t - e_s)) / at.signal
    made = latent(generator, pictures[0], diffusion__strength=0.7, diffusion__steps=steps, **GAIN)
    torch.testing.assert_close(made, target, rtol=0, atol=1e-5 * float(target.std()) * 10)
    assert (made - x0).std() > 1e-3 * x0.std()


@pytest.mark.parametrize("sound", ["base maps", "another wording"])
def test_it_comes_out_of_rest_without_a_jump(each: DiffusionGenerator, pictures: list[Picture], sound: str) -> None:
    slight = {"attention__gain": 1.0 + 1e-5, "attention__edit_amount": 1e-5}
    rest, whole = each.encode(pictures[0]), latent(each, pictures[0], **SOUNDS[sound])
    made = latent(each, pictures[0], **{**SOUNDS[sound], **slight})
    assert (made - rest).abs().max() < 1e-3 * (whole - rest).abs().max()


def test_the_file_is_handed_out(tmp_path: Path) -> None:
    from PIL import Image

    drawn = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(drawn).save(tmp_path / "still.png")

    class NoScene:
        def scene(self, *_: Any, **__: Any) -> Picture:
            raise AssertionError("the scene was drawn in the still's place")

    inits = InitPictures(NoScene(), 32)  # type: ignore[arg-type]
    values = {**DEFAULTS, "init/image": str(tmp_path / "still.png")}
    still, image = (
        inits.draw(Controls(1, {**values, "init/source": source}), None, time_s=0.0, frame=0)  # type: ignore[arg-type]
        for source in ("still", "image")
    )
    assert still.shape == (32, 32, 3) and np.array_equal(still, image) and inits.notice == ""
