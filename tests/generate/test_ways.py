"""Base maps, other wordings and LocalBlend through the whole generator, against attention that writes its maps out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.core.types import Picture
from livevis.generate import schedule
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.networks import variants
from livevis.generate.noise import walk
from livevis.generate.prompt_to_prompt.blend import word_mask
from livevis.generate.prompt_to_prompt.processor import install
from livevis.generate.prompt_to_prompt.sites import cross_sites, read_side
from livevis.generate.ways.wording import align
from livevis.methods.words import condition
from livevis.runners.waiting import Waiting
from tests.checkpoints import build_unet, cue
from tests.runners_here import RUNNERS

pytestmark = pytest.mark.usefixtures("own_cache")

STAY: dict[str, Any] = {"diffusion__walk": 0.0, "feedback__amount": 0.0, "diffusion__steps": 4}
GAIN = {"attention__word": "aurora", "attention__gain": 4.0}
BASE = {**GAIN, "attention__maps": "base"}
REPLACE = {"attention__edit": "burning waves"}
REFINE = {"attention__edit": "burning red aurora of neon"}


@pytest.fixture(scope="module", params=RUNNERS)
def each(request: pytest.FixtureRequest, lcm: Engine) -> DiffusionGenerator:
    """The generator on every runner that is here."""
    return DiffusionGenerator(lcm, runner=request.param, strict=True)


@pytest.fixture(scope="module")
def generator(lcm: Engine) -> DiffusionGenerator:
    return DiffusionGenerator(lcm, runner="torch", strict=True)


def play(
    generator: DiffusionGenerator,
    start: Picture | None,
    *,
    frames: int = 1,
    seed: int = 7,
    state: GeneratorState | None = None,
    **changed: Any,
) -> tuple[GeneratorState, Picture]:
    state = state or generator.init(seed)
    for _ in range(frames):
        at = cue(state.frame, **changed)
        state, picture = generator.step(state, at, condition(at.controls), start)
    return state, picture


def latent(generator: DiffusionGenerator, start: Picture | None, **how: Any) -> Tensor:
    made = play(generator, start, **{**STAY, **how})[0].latent
    assert made is not None
    return made


def near(ours: Tensor, wanted: Tensor, tolerance: float) -> None:
    """Compare latents relative to their own standard deviation."""
    torch.testing.assert_close(ours, wanted, rtol=0, atol=tolerance * float(wanted.std()))


@dataclass
class WrittenOut:
    """The paper's controller on stored maps, of two rows: the base and the edited one.

    sources, aligned, gain, base_gain as tensors of tokens; amount of the way; injected, self_injected: at this step.
    """

    sources: Tensor
    aligned: Tensor
    gain: Tensor
    base_gain: Tensor
    amount: float
    injected: bool
    self_injected: bool
    seen: list[Tensor] = field(default_factory=list)

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any) -> Tensor:
        cross = encoder_hidden_states is not None
        context = encoder_hidden_states if cross else hidden_states
        query, key, value = (
            attn.head_to_batch_dim(part) for part in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        maps = (query @ key.transpose(1, 2) * attn.scale).softmax(-1).unflatten(0, (-1, attn.heads))
        value = value.unflatten(0, (-1, attn.heads))
        if not cross:
            mixed = maps[[0, 0]] @ value if self.self_injected else maps @ value
        else:
            given = maps[0] @ self.sources * self.aligned + maps[1] * (1 - self.aligned)
            edited = (given if self.injected else maps[1]) * self.gain
            kept = maps[0] * self.base_gain
            self.seen.append(torch.stack((maps[0], edited)))
            mixed = torch.stack(
                (maps[0] @ value[0], (1 - self.amount) * (kept @ value[0]) + self.amount * (edited @ value[1]))
            )
        return attn.to_out[0](attn.batch_to_head_dim(mixed.flatten(0, 1)))


def written(
    generator: DiffusionGenerator, start: Picture, controls: list[WrittenOut], edit: str, blend: float | None = None
) -> tuple[Tensor, Tensor]:
    """LCM sampling (Luo et al. 2023, alg. 1) of base and edited row with a stock UNet; returns both latents.

    blend: threshold of LocalBlend by the last word of both prompts.
    """
    unet = build_unet().half().float()
    encode = generator._text.encoded
    text = torch.cat((encode("burning aurora").embedding, encode(edit).embedding))
    path = schedule.levels(generator._schedule, strength=0.5, steps=len(controls))
    noises = [walk((7, 3, k), 0.0, (1, 4, 8, 8)) for k in range(len(controls) + 1)]
    z = schedule.add_noise(generator.encode(start), noises[0], path[0]).expand(2, -1, -1, -1)
    total = torch.zeros(2, 1, 8, 8)
    for k, (at, to) in enumerate(pairwise(path)):
        unet.set_attn_processor(controls[k])
        with torch.inference_mode():
            output = unet(z, at.timestep, text).sample
        z = (z - at.noise * output) / at.signal
        z = to.signal * z + to.noise * noises[k + 1] if to.noise else z
        if blend is not None:
            large = [maps for maps in controls[k].seen if maps.shape[2] == 64]
            read = [torch.stack([maps[row][..., 2] for maps in large]) for row in (0, 1)]
            total = total + torch.stack([one.mean((0, 1)).view(1, 8, 8) for one in read])
            mask = word_mask(total, size=(8, 8), base=torch.zeros(2, dtype=torch.int64), threshold=blend)
            z = z[:1] + mask * (z - z[:1])
    return z[:1], z[1:]


def controls(
    generator: DiffusionGenerator, edit: str, *, amount: float = 1.0, inject: int = 4, inject_self: int = 0
) -> list[WrittenOut]:
    """The plan of four steps in which `aurora` has gain 4 in both wordings."""
    found = align(generator._ways.tokenizer, "burning aurora", edit, 32)
    gains = [torch.ones(32), torch.ones(32)]
    for gain, text in zip(gains, ("burning aurora", edit), strict=True):
        for at, piece in enumerate(generator._text.encoded(text).pieces):
            gain[at] = 4.0 if piece == "aurora</w>" else 1.0
    return [
        WrittenOut(found.sources, found.aligned, gains[1], gains[0], amount, k < inject, k < inject_self)
        for k in range(4)
    ]


def test_base_maps_are_the_written_out_ones(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    plan = controls(generator, "burning aurora")
    base, wanted = written(generator, pictures[0], plan, "burning aurora")
    near(latent(generator, pictures[0], **BASE), wanted, 1e-5)
    near(latent(generator, pictures[0]), base, 1e-5)
    own = latent(generator, pictures[0], **GAIN)
    assert (wanted - own).std() > 5e-5 * wanted.std(), "own maps are another method, near as it is in a random network"
    assert (wanted - base).std() > 1e-2 * wanted.std()


@pytest.mark.parametrize(
    "how",
    [{}, {"amount": 0.4}, {"inject": 2}, {"inject_self": 3, "inject": 1}, {"inject": 0, "amount": 0.7}],
    ids=str,
)
@pytest.mark.parametrize("edit", [REPLACE, REFINE], ids=lambda edit: edit["attention__edit"])
def test_another_wording_is_the_written_out_one(
    generator: DiffusionGenerator, pictures: list[Picture], edit: dict[str, str], how: dict[str, Any]
) -> None:
    text = edit["attention__edit"]
    base, wanted = written(generator, pictures[0], controls(generator, text, **how), text)
    settings = {f"attention__{'edit_amount' if key == 'amount' else key}": value for key, value in how.items()}
    near(latent(generator, pictures[0], **GAIN, **edit, **settings), wanted, 1e-5)
    assert (wanted - base).std() > 1e-3 * wanted.std()


@pytest.mark.parametrize("threshold", [0.3, 0.985])
def test_local_blend_is_the_papers(generator: DiffusionGenerator, pictures: list[Picture], threshold: float) -> None:
    """A word of either wording is looked for in both; outside of its mask the picture is the unedited one."""
    plan = controls(generator, "burning waves")
    base, wanted = written(generator, pictures[0], plan, "burning waves", threshold)
    words = {"attention__blend": "aurora, waves", "attention__blend_threshold": threshold}
    made = latent(generator, pictures[0], **GAIN, **REPLACE, **words)
    near(made, wanted, 1e-5)
    kept = (wanted == base).all(1, keepdim=True)
    assert 0 < int(kept.sum()) < 64 if threshold > 0.5 else not kept.any()
    near(made.where(kept, 0.0), base.where(kept, 0.0), 1e-5)


@pytest.mark.parametrize("clamp", [0.0, 1.1])
def test_one_kept_row_is_the_two_rows(generator: DiffusionGenerator, pictures: list[Picture], clamp: float) -> None:
    """A mask that holds everything makes the same edit take the way of two rows."""
    look = {**BASE, "attention__clamp": clamp}
    all_over = {"attention__blend": "burning", "attention__blend_threshold": 0.0}
    recorded, kept = latent(generator, pictures[0], **look), latent(generator, pictures[0], frames=2, **look)
    assert torch.equal(recorded, kept)
    near(kept, latent(generator, pictures[0], **look, **all_over), 5e-6)
    assert torch.equal(kept, latent(generator, pictures[0], **BASE)) == (clamp == 0.0)


LOOKS: dict[str, dict[str, Any]] = {
    "base": BASE,
    "replace": {**REPLACE, **GAIN, "attention__inject_self": 1},
    "refine": {**REFINE, "attention__edit_amount": 0.6},
    "blend": {**GAIN, "attention__blend": "burning"},
    "guided": {**BASE, "diffusion__guidance": 2.5},
    "still": {**BASE, "init__source": "still"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_every_runner_plays_the_same(
    lcm: Engine, generator: DiffusionGenerator, each: DiffusionGenerator, pictures: list[Picture], look: str
) -> None:
    near(latent(each, pictures[0], frames=2, **LOOKS[look]), latent(generator, pictures[0], **LOOKS[look]), 1e-4)
    assert not torch.equal(latent(each, pictures[0], **LOOKS[look]), latent(each, pictures[0]))


@pytest.mark.parametrize(
    "quiet",
    [
        {**BASE, "attention__gain": 1.0},
        {**BASE, "attention__gain": 1.0, "attention__blend": "aurora", "attention__clamp": 1.2},
        {**REPLACE, "attention__edit_amount": 0.0},
        {**REFINE, "attention__edit_amount": 0.0, **BASE, "attention__gain": 1.0},
        {"attention__edit": "burning aurora"},
    ],
    ids=str,
)
def test_silence_is_the_plain_picture_bit_for_bit(
    each: DiffusionGenerator, pictures: list[Picture], quiet: dict[str, Any]
) -> None:
    """With feedback and walk on, one and four steps."""
    for steps in (1, 4):
        plain, heard = (play(each, pictures[0], frames=3, diffusion__steps=steps, **how) for how in ({}, quiet))
        assert torch.equal(plain[0].latent, heard[0].latent) and np.array_equal(plain[1], heard[1])


def test_the_amount_is_continuous(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    amounts = (0.0, 1e-4, 0.5, 0.5001, 0.9999, 1.0)
    made = [latent(generator, pictures[0], **REFINE, attention__edit_amount=amount) for amount in amounts]
    whole = (made[-1] - made[0]).abs().max()
    for one, other in (made[:2], made[2:4], made[4:]):
        assert (one - other).abs().max() < 0.01 * whole
    assert (made[2] - made[0]).abs().max() > 0.05 * whole


def asked(generator: DiffusionGenerator, name: str, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Return a list that grows with every run of one of the networks."""
    runner = generator.runners.get(name) or generator.variants.get(name)
    assert runner is not None
    run, calls = runner.run, []
    monkeypatch.setattr(runner, "run", lambda tensors: calls.append(None) or run(tensors))
    return calls


OTHER: dict[str, dict[str, Any]] = {
    "prompt": {"prompt__text_1": "black aurora"},
    "blend of prompts": {"prompt__text_2": "red city", "prompt__weight_2": 0.5},
    "noise": {"diffusion__seed": 4},
    "levels": {"diffusion__strength": 0.7},
    "steps": {"diffusion__steps": 2},
    "guidance": {"diffusion__guidance": 2.0},
    "another word": {"attention__word": "aurora, burning"},
    "spread": {"attention__spread": 0.5},
    "picture": {},
    "session": {},
    "feedback": {"feedback__amount": 0.2},
    "walk": {"diffusion__walk": 1.0},
    "still": {"init__source": "still", "diffusion__steps": 2},
}


@pytest.mark.parametrize("changed", OTHER)
def test_what_the_base_row_depends_on_has_it_recorded_anew(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    recorded = asked(generator, "base-maps", monkeypatch)
    look = {**STAY, **BASE, "diffusion__steps": 1}
    generator._ways._cache = type(generator._ways._cache)()
    state, _ = play(generator, pictures[0], **look)
    state, _ = play(generator, pictures[0], state=state, frames=3, **{**look, "attention__gain": 2.0})
    assert len(recorded) == 1, "gains move without the base row"
    other = {**look, **OTHER[changed]}
    picture = pictures[1] if changed == "picture" else pictures[0]
    state = generator.init(8) if changed == "session" else state
    moved, made = play(generator, picture, state=state, **other)
    assert len(recorded) == 1 + other["diffusion__steps"]
    generator._ways._cache = type(generator._ways._cache)()
    assert np.array_equal(made, play(generator, picture, state=state, **other)[1]), "as with nothing kept"
    play(generator, picture, state=moved, **other)
    again = changed in ("feedback", "walk")
    assert len(recorded) == 1 + (3 if again else 2) * other["diffusion__steps"]


def test_a_word_that_comes_back_is_still_known(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = {
        **STAY,
        "attention__maps": "base",
        "diffusion__steps": 1,
        "attention__gain": 3.0,
        "prompt__text_1": "a red city of burning waves",
    }
    words = ("red", "city", "burning", "red", "city, waves", "red", "burning, waves")
    wanted = [latent(generator, pictures[0], **look, attention__word=word) for word in words]
    recorded = asked(generator, "base-maps", monkeypatch)
    generator._ways._cache = type(generator._ways._cache)()
    state = generator.init(7)
    for word, picture in zip(words, wanted, strict=True):
        state, _ = play(generator, pictures[0], state=state, **look, attention__word=word)
        near(state.latent, picture, 5e-6)  # type: ignore[arg-type]
    assert len(recorded) == 4, "once for each word that is new"


def test_more_words_than_faders_play_as_well(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    look = {"prompt__text_1": "a red city of burning waves", "attention__word": "a, red, city, of, burning, waves"}
    made = latent(generator, pictures[0], **{**BASE, **look}, frames=2)
    all_over = {"attention__blend": "burning", "attention__blend_threshold": 0.0}
    near(made, latent(generator, pictures[0], **{**BASE, **look}, **all_over), 5e-6)


def test_windows_are_heeded(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    whole, first, rest = (
        latent(generator, pictures[0], **BASE, attention__steps=steps) for steps in ("", "1", "aurora: 2-4")
    )
    for one, other in pairwise((whole, first, rest, latent(generator, pictures[0]))):
        assert (one - other).abs().max() > 1e-3 * whole.std()
    plan = controls(generator, "burning aurora")
    for control in plan[1:]:
        control.gain, control.injected = torch.ones(32), False
    near(first, written(generator, pictures[0], plan, "burning aurora")[1], 1e-5)


def test_nothing_is_rebuilt_while_faders_move(
    each: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    def moves(frame: int) -> dict[str, Any]:
        return {
            "attention__gain": 1.0 + frame % 5,
            "attention__clamp": frame % 3,
            "attention__maps": ("base", "own")[frame % 2],
            "attention__edit": ("", "burning waves", "burning red aurora")[frame % 3],
            "attention__edit_amount": frame / 12,
            "attention__inject": frame % 5,
            "attention__inject_self": frame % 3,
            "attention__blend": ("", "burning")[frame % 2],
            "attention__blend_threshold": frame / 12,
            "attention__steps": ("", "1")[frame % 2],
            "init__source": ("scene", "still")[frame // 6],
        }

    for name in variants(each.engine, each.size):
        each.variants.get(name)
    opened = dict(each.variants._opened)
    monkeypatch.setattr(each.variants, "_open", lambda network: pytest.fail(f"{network.name} was built again"))
    state, shown = each.init(7), []
    for frame in range(12):
        state, picture = play(
            each, pictures[0], state=state, attention__word="aurora", diffusion__steps=2, **moves(frame)
        )
        shown.append(picture)
    assert each.variants._opened == opened
    assert len({picture.tobytes() for picture in shown}) > 8


@pytest.mark.parametrize("look", ["base", "replace"])
def test_on_stage_the_picture_goes_on_meanwhile(lcm: Engine, pictures: list[Picture], look: str) -> None:
    stage = DiffusionGenerator(lcm, runner="torch")
    opening = threading.Event()
    build = stage.variants._open

    def slowly(network: Any) -> Any:
        assert opening.wait(60)
        return build(network)

    stage.variants = stage._ways.networks = Waiting(variants(lcm, 64), slowly, at_once=False)
    words = {} if look == "base" else GAIN
    before = latent(stage, pictures[0], **LOOKS[look])
    assert torch.equal(before, latent(stage, pictures[0], **{**words, **GAIN})) and "being prepared" in stage.notice
    opening.set()
    for thread in threading.enumerate():
        if thread.name.startswith("livevis-open"):
            thread.join(60)
    after = latent(stage, pictures[0], **LOOKS[look])
    assert not torch.equal(before, after) and stage.notice == ""


def test_words_of_either_wording_have_gains(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    plain = latent(generator, pictures[0], **REPLACE)
    for word in ("aurora", "waves", "burning"):
        made = latent(
            generator, pictures[0], **REPLACE, attention__word=word, attention__gain=3.0, attention__edit_amount=0.5
        )
        assert not torch.equal(made, plain)
    with pytest.raises(ConfigError, match="'city' is not in the prompt"):
        latent(generator, pictures[0], **REPLACE, attention__word="city")


def test_what_cannot_be_played_is_said(lcm: Engine, generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    nowhere = {**BASE, "attention__blend": "dog"}
    long = {"attention__edit": "neon " * 20}
    with pytest.raises(ConfigError, match="attention/blend 'dog' is not in the prompt 'burning aurora'"):
        latent(generator, pictures[0], **nowhere)
    with pytest.raises(ConfigError, match="does not fit"):
        latent(generator, pictures[0], **long)
    silent = {
        "renormalised": {**REPLACE, **GAIN, "attention__maps": "renormalised"},
        "nag/scale": {**BASE, "nag__scale": 3.0},
        "attention/threshold": {**BASE, "attention__threshold": 0.5},
    }
    for said, look in silent.items():
        with pytest.raises(ConfigError, match=said):
            latent(generator, pictures[0], **look)
    latent(generator, pictures[0])
    assert generator.notice == ""


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "block_out_channels": (16, 32),
            "down_block_types": ("CrossAttnDownBlock2D",) * 2,
            "up_block_types": ("CrossAttnUpBlock2D",) * 2,
            "transformer_layers_per_block": (1, 2),
            "layers_per_block": (1, 2),
        },
    ],
    ids=["plain", "deep"],
)
def test_sites_are_read_from_the_config(options: dict[str, Any]) -> None:
    unet = build_unet(**options)
    sites = {site.name: site for site in cross_sites(unet.config, 8)}
    assert sorted(sites) == sorted(install(unet))
    seen: dict[str, tuple[int, int]] = {}
    for name in sites:
        unet.get_submodule(name.removesuffix(".processor")).register_forward_hook(
            lambda module, given, made, name=name: seen.update({name: (made.shape[1], module.to_v.out_features)})
        )
    with torch.inference_mode():
        unet(torch.zeros(1, 4, 8, 8), 1, torch.zeros(1, 3, 24))
    assert seen == {name: (site.side**2, site.channels) for name, site in sites.items()}
    assert read_side(tuple(sites.values())) == 8
