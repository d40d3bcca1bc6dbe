"""The generator against diffusers' own pipeline, and its promises: determinism, restart, nothing stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from livevis.core.types import Conditioning, Picture
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.noise import walk
from livevis.methods.words import condition
from tests.checkpoints import controls, cue

LAYOUTS: dict[str, dict[str, Any]] = {
    "tiny-v-euler": {"prediction_type": "v_prediction"},
    "kl-eps-ddim-77": {
        "vae": "kl",
        "tokens": 77,
        "scheduler": "DDIMScheduler",
        "set_alpha_to_one": False,
        "clip_sample": False,
    },
    "tiny-sample-euler": {"prediction_type": "sample"},
    "tiny-eps-ancestral": {"scheduler": "EulerAncestralDiscreteScheduler"},
}

# Ancestral steps draw noise of their own, so only one step can be the same; test_schedule compares the step itself.
PARITY = [(name, steps) for name in LAYOUTS for steps in ((1,) if "ancestral" in name else (1, 2, 4))]


@pytest.fixture(scope="module")
def generator(engine: Engine) -> DiffusionGenerator:
    return DiffusionGenerator(engine, runner="torch")


def play(
    generator: DiffusionGenerator,
    pictures: list[Picture],
    *,
    seed: int = 7,
    state: GeneratorState | None = None,
    **changed: Any,
) -> list[Picture]:
    state = state or generator.init(seed)
    out = []
    for frame, picture in enumerate(pictures):
        at = cue(frame, **changed)
        state, made = generator.step(state, at, condition(at.controls), picture)
        out.append(made)
    return out


def peer(engine: Engine) -> Any:
    """The same checkpoint in diffusers' img2img pipeline, float32."""
    from transformers import CLIPTextModel, CLIPTokenizer

    vae = getattr(diffusers, engine.configs["vae"]["_class_name"]).from_pretrained(engine.folder / "vae")
    made = diffusers.StableDiffusionImg2ImgPipeline(
        vae=vae.float(),
        text_encoder=CLIPTextModel.from_pretrained(engine.folder / "text_encoder", dtype=torch.float32),
        tokenizer=CLIPTokenizer.from_pretrained(engine.folder / "tokenizer"),
        unet=diffusers.UNet2DConditionModel.from_pretrained(engine.folder / "unet").float(),
        scheduler=getattr(diffusers, engine.configs["scheduler"]["_class_name"]).from_pretrained(
            engine.folder / "scheduler"
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.set_progress_bar_config(disable=True)
    return made


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' Euler under numpy 2
@pytest.mark.parametrize("guidance", [1.0, 2.5])
@pytest.mark.parametrize(("layout", "steps"), PARITY)
def test_the_picture_is_the_one_that_diffusers_makes(
    make_engine: Callable[..., Engine],
    pictures: list[Picture],
    monkeypatch: pytest.MonkeyPatch,
    layout: str,
    steps: int,
    guidance: float,
) -> None:
    """Same checkpoint, same picture, same noise, same strength: at most one level of 255 apart."""
    engine = make_engine(**LAYOUTS[layout])
    shape = (1, 4, 8, 8)
    asked = Conditioning((("burning aurora", 1.0),), negative="red")
    module = "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img"
    monkeypatch.setattr(f"{module}.randn_tensor", lambda *a, **k: walk((7, 3, 0), 0.0, shape).clone())
    monkeypatch.setattr("diffusers.models.autoencoders.vae.randn_tensor", lambda size, **k: torch.zeros(size))
    theirs = peer(engine)(
        prompt="burning aurora",
        negative_prompt="red",
        image=torch.from_numpy(pictures[0]).permute(2, 0, 1)[None] / 255.0,
        strength=0.5,
        num_inference_steps=2 * steps,
        guidance_scale=guidance,
        output_type="np",
    ).images[0]
    generator = DiffusionGenerator(engine, runner="torch")
    at = cue(0, diffusion__steps=steps, diffusion__guidance=guidance)
    _, ours = generator.step(generator.init(7), at, asked, pictures[0])
    assert ours.std() > 2, "a flat picture would prove nothing"
    assert np.abs(ours.astype(float) - theirs * 255).max() <= 1.01


def test_the_same_play_gives_the_same_pictures(
    generator: DiffusionGenerator, engine: Engine, pictures: list[Picture]
) -> None:
    how = {"diffusion__steps": 2, "feedback__rotate": 20.0, "diffusion__walk": 1.5}
    first, again = play(generator, pictures, **how), play(generator, pictures, **how)
    fresh = play(DiffusionGenerator(engine, runner="torch"), pictures, **how)
    for one, two, three in zip(first, again, fresh, strict=True):
        assert np.array_equal(one, two) and np.array_equal(one, three)
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize(
    "changed",
    [
        {"diffusion__seed": 4},
        {"diffusion__strength": 0.8},
        {"diffusion__steps": 3},
        {"diffusion__walk": 3.0},
        {"diffusion__guidance": 3.0},
        {"prompt__text_1": "black waves"},
        {"prompt__text_2": "red city", "prompt__weight_2": 0.5},
        {"attention__word": "aurora", "attention__gain": 4.0},
        {"feedback__amount": 0.9},
        {"feedback__zoom": 1.5},
        {"feedback__rotate": 120.0},
        {"feedback__shift_x": 0.5},
        {"feedback__shift_y": 0.5},
        {"feedback__decay": 0.9},
        {"init__source": "self"},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_every_control_moves_the_picture(
    generator: DiffusionGenerator, pictures: list[Picture], changed: dict[str, Any]
) -> None:
    assert not np.array_equal(play(generator, pictures)[-1], play(generator, pictures, **changed)[-1])


def test_full_feedback_does_not_look_at_the_scene(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    other = [pictures[0], *reversed(pictures[1:])]
    ours, theirs = (play(generator, scenes, feedback__amount=1.0) for scenes in (pictures, other))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_an_unchanged_init_picture_is_encoded_once(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, calls = generator.runners["encode"], []
    run = encode.run
    monkeypatch.setattr(encode, "run", lambda tensors: calls.append(1) or run(tensors))
    still = [pictures[3].copy() for _ in range(4)]
    play(generator, still)
    assert len(calls) == 1
    still[0][0, 0, 0] ^= 1
    play(generator, still[:1])
    assert len(calls) == 2, "the same array with other pixels is another picture"


def test_a_restarted_generator_goes_on_from_the_last_picture(
    generator: DiffusionGenerator, pictures: list[Picture]
) -> None:
    state = generator.init(7, previous=pictures[1])
    latent = generator.encode(pictures[1])
    assert state.latent is not None and torch.equal(state.latent, latent)
    late = cue(50, init__source="self")
    state, _ = generator.step(state, late, condition(late.controls), None)
    assert state.phase == pytest.approx(5.0 * 0.2), "the walk is where an uninterrupted one would be"


def test_without_any_picture_it_dreams(generator: DiffusionGenerator) -> None:
    at = cue(0)
    state, picture = generator.step(generator.init(7), at, condition(at.controls), None)
    assert picture.shape == (64, 64, 3) and picture.dtype == np.uint8
    assert state.frame == 1 and state.latent is not None


@pytest.mark.parametrize("shape", [(32, 32, 3), (100, 80, 3), (64, 64, 3)])
def test_init_pictures_of_any_size_are_fitted(generator: DiffusionGenerator, shape: tuple[int, int, int]) -> None:
    flat = np.full(shape, 90, np.uint8)
    flat.flags.writeable = False  # as pictures in shared memory are
    wanted = generator.encode(np.full((64, 64, 3), 90, np.uint8)).clone()
    torch.testing.assert_close(generator.encode(flat), wanted)


def test_a_broken_latent_does_not_feed_itself(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    state = GeneratorState(7, 3, 0.3, 0.1, torch.full((1, 4, 8, 8), torch.nan))
    at = cue(4)
    state, _ = generator.step(state, at, condition(at.controls), pictures[0])
    assert state.latent is None
    _, healed = generator.step(state, at, condition(at.controls), pictures[0])
    assert healed.std() > 2


def test_knobs_at_their_ends_never_stop_the_picture(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    for strength in (0.0, 1.0):
        for steps in (1, 4):
            made = play(generator, pictures, diffusion__strength=strength, diffusion__steps=steps, feedback__decay=1.0)
            assert all(picture.shape == (64, 64, 3) for picture in made)
    assert play(generator, pictures, prompt__text_1="", attention__word="dog,,")[-1].shape == (64, 64, 3)


def test_time_that_stands_or_jumps_is_survived(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    state = generator.init(1)
    for moment in (5, 5, 2, 10_000):
        at = cue(moment, feedback__zoom=2.0)
        state, picture = generator.step(state, at, condition(at.controls), pictures[0])
        assert picture.std() > 0 and state.latent is not None
    assert state.phase is not None and state.phase < 2.0


def test_what_was_chosen_is_said(generator: DiffusionGenerator) -> None:
    assert generator.chosen.startswith("runner torch: as asked") and "decode: torch" in generator.chosen
    assert controls().number("diffusion/steps") == 1
