"""An inverted picture as generator: the published edit written out, exact silence, and what it refuses."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.core.types import Attention, AudioTokens, Conditioning, Edit, Edits, Nag, Picture
from livevis.generate.engine import Engine
from livevis.generate.inversion import course, ddim
from livevis.generate.inversion.course import Base
from livevis.generate.inversion.generator import InversionGenerator
from livevis.generate.inversion.network import NoiseNetwork
from livevis.generate.prompt_to_prompt.processor import install
from tests.checkpoints import cue

STEPS, TOKENS, WORDS = 4, 32, (1, 2)
PROMPT = "burning aurora"
ASKED = Conditioning(((PROMPT, 1.0),))


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def near(ours: Tensor, wanted: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(ours, wanted, rtol=0, atol=tolerance * float(wanted.std()))


@pytest.fixture(scope="module")
def network(engine: Engine) -> NoiseNetwork:
    made = NoiseNetwork(engine, 64, device=torch.device("cpu"))
    with torch.no_grad():
        for name, part in made._unet.named_modules():
            if name.endswith("attn2"):
                part.to_v.weight.mul_(10.0)  # words must matter to random weights
    return made


@pytest.fixture(scope="module")
def base(network: NoiseNetwork) -> Base:
    levels = ddim.course(network.schedule, steps=STEPS, offset=1)
    text, *nulls = (normal(1, TOKENS, 24, seed=seed) for seed in range(STEPS + 1))
    with torch.no_grad():
        return course.play_back(network, normal(1, 4, 8, 8, seed=9), text, tuple(nulls), levels, 3.0)


def gain(*lifted: float) -> Tensor:
    row = torch.ones(1, TOKENS)
    row[0, list(WORDS)] = torch.tensor(lifted)
    return row


class Controller:
    """The paper's attention on written-out maps: rows [∅ base, ∅ edited, base, edited]; only the last is edited."""

    def __init__(self, equalizer: Tensor) -> None:
        self.equalizer = equalizer

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any) -> Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        parts = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        query, key, value = (attn.head_to_batch_dim(part) for part in parts)
        maps = (query @ key.transpose(1, 2) * attn.scale).softmax(-1)
        if encoder_hidden_states is not None:
            rows = maps.unflatten(0, (4, attn.heads))
            maps = torch.cat((rows[:3], rows[2:3] * self.equalizer)).flatten(0, 1)
        return attn.to_out[0](attn.batch_to_head_dim(maps @ value))


@torch.no_grad()
def published(network: NoiseNetwork, base: Base, text: Tensor, equalizer: Tensor) -> Tensor:
    """Prompt-to-Prompt's sampling with null-text embeddings: four rows a step from one start."""
    network._unet.set_attn_processor(Controller(equalizer))
    try:
        z = base.latents[0].expand(2, -1, -1, -1)
        for k, (at, to) in enumerate(zip(base.levels[:-1], base.levels[1:], strict=True)):
            assert base.nulls is not None
            texts = torch.cat((base.nulls[k], base.nulls[k], base.text, text))
            empty, prompt = network(torch.cat((z, z)), at, texts).chunk(2)
            z = ddim.move(z, empty + base.guidance * (prompt - empty), at, to)
    finally:
        install(network._unet)
    near(z[:1], base.latents[-1], 1e-5)
    return z[1:]


@pytest.mark.parametrize("lifted", [(4.0, 1.0), (0.0, 2.5), (-1.0, 5.0)])
@torch.no_grad()
def test_a_frame_is_the_published_edit(network: NoiseNetwork, base: Base, lifted: tuple[float, float]) -> None:
    wanted = published(network, base, base.text, gain(*lifted))
    recorded = course.record(network, base, WORDS, limit_bytes=10**9)
    assert recorded is not None
    near(course.play_recorded(network, base, recorded, gain(*lifted)), wanted, 1e-5)
    near(course.play_injected(network, base, base.text, gain(*lifted)), wanted, 1e-5)
    clamped = course.play_recorded(network, base, recorded, gain(*lifted), clamp=1.05)
    near(clamped, course.play_injected(network, base, base.text, gain(*lifted), clamp=1.05), 1e-5)
    assert (wanted - base.latents[-1]).abs().max() > 1e-2 * wanted.std(), "the edit must be heard"


@torch.no_grad()
def test_another_prompt_plays_on_the_base_maps(network: NoiseNetwork, base: Base) -> None:
    other = normal(1, TOKENS, 24, seed=20)
    wanted = published(network, base, other, gain(3.0, 1.0))
    near(course.play_injected(network, base, other, gain(3.0, 1.0)), wanted, 1e-5)


@torch.no_grad()
def test_gains_of_one_are_the_reconstruction_bit_for_bit(network: NoiseNetwork, base: Base) -> None:
    recorded = course.record(network, base, WORDS, limit_bytes=10**9)
    assert recorded is not None
    assert torch.equal(course.play_recorded(network, base, recorded, gain(1.0, 1.0)), base.latents[-1])


@pytest.fixture(scope="module")
def picture() -> Picture:
    ramp = np.linspace(0, 255, 64)
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], ramp[::-1, None]), -1).astype(np.uint8)


@pytest.fixture
def generator(engine: Engine, picture: Picture) -> InversionGenerator:
    return InversionGenerator(engine, picture, steps=STEPS, runner="torch", size=64)


def play(generator: InversionGenerator, *asked: Conditioning, **changed: Any) -> list[Picture]:
    state, shown = generator.init(1), []
    for frame, conditioning in enumerate(asked):
        state, made = generator.step(state, cue(frame, **changed), conditioning, None)
        shown.append(made)
    assert state.frame == len(asked)
    return shown


def lifted(**gains: float) -> Conditioning:
    return Conditioning(((PROMPT, 1.0),), word_gains=tuple(gains.items()))


def test_silence_and_held_gains_cost_nothing(generator: InversionGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    found = generator.invert(ASKED, 2.0)
    loud, quiet = lifted(aurora=3.0), lifted(aurora=1.0)
    first = play(generator, quiet, loud, ASKED)
    assert np.array_equal(first[0], found.reconstruction) and np.array_equal(first[2], found.reconstruction)
    asked: list[None] = []
    real = NoiseNetwork.__call__

    def counted(self: NoiseNetwork, *args: Any, **how: Any) -> Tensor:
        asked.append(None)
        return real(self, *args, **how)

    monkeypatch.setattr(NoiseNetwork, "__call__", counted)
    again = play(generator, loud, quiet, loud)
    assert not asked
    assert np.array_equal(again[0], first[1]) and np.array_equal(again[2], first[1])
    play(generator, lifted(aurora=2.0))
    assert len(asked) == 2 * STEPS, "the prompt's row and the empty one's"
    play(generator, lifted(burning=2.0))
    assert len(asked) == (2 + 1 + 2) * STEPS, "a new word is recorded once"
    play(generator, lifted(burning=3.0, aurora=0.5))
    assert len(asked) == (2 + 1 + 2 + 2) * STEPS


def test_guidance_decides_how_it_is_inverted(engine: Engine, generator: InversionGenerator, picture: Picture) -> None:
    stages: dict[str, list[int]] = {}
    plain = generator.invert(ASKED, 1.0, lambda stage, done, of: stages.setdefault(stage, []).append(done))
    assert plain.how == "ddim" and list(stages) == ["inverting"]
    bent = generator.invert(ASKED, 4.0, lambda stage, done, of: stages.setdefault(stage, []).append(done))
    assert bent.how == "null-text" and stages["null text"] == [1, 2, 3, 4]
    unbent = InversionGenerator(engine, picture, steps=STEPS, runner="torch", size=64, inversion="ddim")
    assert unbent.invert(ASKED, 4.0).how == "ddim"
    strict = InversionGenerator(engine, picture, steps=STEPS, runner="torch", size=64, inversion="null-text")
    with pytest.raises(ConfigError, match="guidance above 1"):
        strict.invert(ASKED, 1.0)

    def far(of: InversionGenerator) -> float:
        assert of._base is not None
        return float((of._base.latents[-1] - of._encoded()).square().mean())

    assert far(generator) < far(unbent)


def test_a_recording_that_would_be_too_large_is_not_made(
    engine: Engine, generator: InversionGenerator, picture: Picture, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = play(generator, lifted(aurora=4.0))[0].astype(int)
    small = InversionGenerator(engine, picture, steps=STEPS, runner="torch", size=64)
    small.limit_bytes = 1000
    with caplog.at_level(logging.WARNING):
        frames = play(small, lifted(aurora=4.0), lifted(aurora=3.0))
    assert np.abs(frames[0].astype(int) - wanted).max() <= 1
    assert [record.message for record in caplog.records if "base row runs beside" in record.message] == [
        "the maps of 1 tokens would take over 9.31e-07 GB: the base row runs beside such frames"
    ]


def test_prompts_may_change_on_the_way(generator: InversionGenerator) -> None:
    turned = Conditioning(((PROMPT, 0.5), ("black waves", 0.5)))
    spoken = replace(ASKED, tokens=AudioTokens(generator.text_rows("neon city"), gain=1.0, amount=0.5))
    first, other, sounding, back = play(generator, ASKED, turned, spoken, ASKED)
    assert np.array_equal(first, back)
    assert not np.array_equal(first, other) and not np.array_equal(first, sounding)


def test_what_cannot_be_played_raises(generator: InversionGenerator) -> None:
    for name, asked in {
        r"edit slots \(guidance/scale_1 to 4": replace(ASKED, edits=Edits((Edit("red", 1.0),))),
        "attention/maps renormalised": replace(ASKED, attention=Attention(maps="renormalised")),
        "attention/steps, attention/edit": replace(ASKED, attention=Attention(windows=(("", 0, 1),), edit="red city")),
        "attention/blend": replace(ASKED, attention=Attention(blend=("aurora",))),
        "nag/scale": replace(ASKED, nag=Nag(scale=2.0)),
    }.items():
        with pytest.raises(ConfigError, match=f"an inverted picture is not moved by {name}"):
            play(generator, asked)
    with pytest.raises(ConfigError, match=r"'neon' is not in the prompt; its words: aurora, burning"):
        play(generator, lifted(neon=2.0))
