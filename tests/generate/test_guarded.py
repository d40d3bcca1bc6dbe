"""Limits, renormalised maps, NAG and windows as they are played: in the second denoiser, and through the generator."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.types import Picture
from livevis.generate import diffusion
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import Engine
from livevis.generate.guarded import GUARDED, UNLIMITED, GuardedDenoiser
from livevis.generate.networks import Denoiser, time_features, variants
from livevis.methods.words import condition
from livevis.runners.table import open_runner
from tests.checkpoints import build_unet, cue
from tests.runners_here import RUNNERS

pytestmark = pytest.mark.usefixtures("own_cache")

TOKENS = 9
REST = (UNLIMITED, 0.0, (1.0, 2.5, 0.5))
SETTINGS = {
    "own": REST,
    "clamp": (1.2, 0.0, (1.0, 2.5, 0.5)),
    "renormalised": (UNLIMITED, 1.0, (1.0, 2.5, 0.5)),
    "nag": (UNLIMITED, 0.0, (5.0, 1.5, 0.5)),
    "all": (1.5, 1.0, (3.0, 1.1, 0.25)),
}
"""clamp, renormalised, and NAG's scale, ratio and alpha."""
WORD = {"attention__word": "aurora"}
LOUD = {**WORD, "attention__gain": 5.0, "attention__spread": 1.0}
ASKED: dict[str, dict[str, Any]] = {
    "clamp": {"attention__clamp": 1.2},
    "renormalised": {"attention__maps": "renormalised"},
    "nag": {"nag__scale": 6.0, "prompt__negative": "red city"},
}


class WrittenOut:
    """The formulas on maps in the open, with L1 norms over a token's heads."""

    def __init__(self, gain: Tensor, negative: Tensor, settings: tuple[float, float, tuple[float, float, float]]):
        self.gain, self.negative, (self.clamp, self.renormalised, self.nag) = gain, negative, settings

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any) -> Tensor:
        if encoder_hidden_states is None:
            maps, value = self.maps(attn, hidden_states, hidden_states)
            return attn.to_out[0](attn.batch_to_head_dim(maps @ value))
        maps, value = self.maps(attn, hidden_states, encoder_hidden_states)
        weighed = maps * self.gain[:, None, :].repeat_interleave(attn.heads, 0)
        weighed = weighed / weighed.sum(-1, keepdim=True) if self.renormalised else weighed
        plain, out = (attn.batch_to_head_dim(one @ value) for one in (maps, weighed))
        grown = out.abs().sum(-1, keepdim=True) / plain.abs().sum(-1, keepdim=True)
        out = out * torch.minimum(grown, torch.tensor(self.clamp)) / grown
        maps, value = self.maps(attn, hidden_states, self.negative)
        scale, ratio, alpha = self.nag
        far = scale * out - (scale - 1) * attn.batch_to_head_dim(maps @ value)
        r = far.abs().sum(-1, keepdim=True) / out.abs().sum(-1, keepdim=True)
        return attn.to_out[0](alpha * far * r.clamp(max=ratio) / r + (1 - alpha) * out)

    def maps(self, attn: Any, states: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = (
            attn.head_to_batch_dim(part) for part in (attn.to_q(states), attn.to_k(context), attn.to_v(context))
        )
        return (query @ key.transpose(1, 2) * attn.scale).softmax(-1), value


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """latent, time, text, token_gain with a muted token, and negative text."""
    draw = torch.Generator().manual_seed(4)
    text, negative = 3 * torch.randn(2, 1, TOKENS, 24, generator=draw)
    gain = torch.rand(1, TOKENS, generator=draw) * 5
    gain[0, 2] = 0.0
    time = time_features(499, width=16, flip=True, shift=0.0)
    return torch.randn(1, 4, 8, 8, generator=draw), time, text, gain, negative


def played(network: Any, settings: tuple[float, float, tuple[float, ...]], gain: Tensor | None = None) -> Tensor:
    latent, time, text, loud, negative = inputs()
    clamp, renormalised, nag = settings
    live = torch.tensor([clamp]), torch.tensor([renormalised]), negative, torch.tensor(nag)
    with torch.inference_mode():
        return network(latent, time, text, loud if gain is None else gain, *live)


@pytest.fixture(scope="module")
def network() -> GuardedDenoiser:
    return GuardedDenoiser(build_unet()).eval()


@pytest.mark.parametrize("name", SETTINGS)
def test_it_is_the_formulas_on_maps_written_out(network: GuardedDenoiser, name: str) -> None:
    latent, time, text, gain, negative = inputs()
    explicit = build_unet()
    explicit.set_attn_processor(WrittenOut(gain, negative, SETTINGS[name]))
    explicit.get_time_embed = lambda sample, timestep: time
    with torch.inference_mode():
        wanted = explicit(latent, 499, text).sample
    got = played(network, SETTINGS[name])
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-5 * float(wanted.std()))
    if name != "own":
        assert (got - played(network, REST)).abs().max() > 1e-3 * wanted.std(), "it must be heard"


def test_each_input_has_a_value_that_changes_no_bit(network: GuardedDenoiser) -> None:
    latent, time, text, gain, _ = inputs()
    loud, one = played(network, REST), torch.ones_like(gain)
    for nag in ((1.0, 1.0, 1.0), (1.0, 2.5, 0.3), (6.0, 1.5, 0.0)):
        assert torch.equal(played(network, (UNLIMITED, 0.0, nag)), loud)
    silent = played(network, REST, one)
    assert torch.equal(played(network, (1.0, 0.0, (1.0, 2.5, 0.5)), one), silent)
    assert torch.equal(played(network, (1.2, 1.0, (1.0, 2.5, 0.5)), one), silent)
    plain = Denoiser(build_unet()).eval()
    with torch.inference_mode():
        for ours, row in ((loud, gain), (silent, one)):
            wanted = plain(latent, time, text, row)
            torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-5 * float(wanted.std()))


def test_half_precision_by_autocast_plays_it_too(network: GuardedDenoiser) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = played(network, SETTINGS["all"])
    exact = played(network, SETTINGS["all"])
    assert (rough - exact).abs().mean() < 0.05 * exact.std()


@pytest.mark.skipif(not importlib.util.find_spec("openvino"), reason="openvino is not here")
def test_openvino_gives_what_torch_gives(engine: Engine) -> None:
    described = variants(engine, engine.size)[GUARDED]
    draw = torch.Generator().manual_seed(2)
    asked = {spec.name: 2 * torch.randn(spec.shape, generator=draw) for spec in described.inputs}
    asked |= {"token_gain": 5 * torch.rand(1, engine.tokens, generator=draw)}
    torches, compiled = (open_runner(name, described) for name in ("torch", "openvino"))
    for clamp, renormalised, nag in SETTINGS.values():
        asked |= {"clamp": torch.tensor([clamp]), "renormalised": torch.tensor([renormalised])}
        asked |= {"nag": torch.tensor(nag)}
        wanted, got = (runner.run(asked)["prediction"] for runner in (torches, compiled))
        torch.testing.assert_close(got, wanted, rtol=0, atol=1e-4)


class Opened:
    """open_runner that keeps what it opened, and waits for `go`."""

    def __init__(self) -> None:
        self.networks: list[str] = []
        self.go = threading.Event()

    def __call__(self, name: str, network: Any, **how: Any) -> Any:
        self.networks.append(network.name)
        self.go.wait(60)
        return open_runner(name, network, **how)


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    watched = Opened()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diffusion, "open_runner", watched)
        yield watched


@pytest.fixture(scope="module", params=RUNNERS)
def each(request: pytest.FixtureRequest, engine: Engine, opened: Opened) -> DiffusionGenerator:
    """The generator on every runner that is here, offline: nothing waits."""
    opened.go.set()
    opened.networks.clear()
    return DiffusionGenerator(engine, runner=request.param, strict=True)


def play(generator: DiffusionGenerator, pictures: list[Picture], **changed: Any) -> list[Picture]:
    state, out = generator.init(7), []
    for frame, picture in enumerate(pictures):
        at = cue(frame, **changed)
        state, made = generator.step(state, at, condition(at.controls), picture)
        out.append(made)
    return out


def same(ours: list[Picture], theirs: list[Picture]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_silence_is_the_plain_loop_bit_for_bit(each: DiffusionGenerator, pictures: list[Picture]) -> None:
    """Gains of 1 under a limit, renormalised and with NAG at 1."""
    for steps in (1, 3):
        plain = play(each, pictures, diffusion__steps=steps)
        silent = {**WORD, "attention__spread": 0.7, "diffusion__steps": steps, "nag__scale": 1.0}
        for how in ({}, {"attention__clamp": 1.2}, {"attention__maps": "renormalised"}, {"attention__steps": "1"}):
            assert same(play(each, pictures, **silent, **how), plain), how
        assert same(play(each, pictures, diffusion__steps=steps, nag__scale=6.0, nag__alpha=0.0), plain)


def test_each_is_heard_live_and_nothing_is_built_when_a_fader_moves(
    each: DiffusionGenerator, pictures: list[Picture], opened: Opened
) -> None:
    loud, made = play(each, pictures, **LOUD), []
    for clamp in (0.01, 1.0, 1.2, 2.0):
        made.append(play(each, pictures, **LOUD, attention__clamp=clamp))
    for nag in ({"nag__scale": 6.0}, {"nag__scale": 6.0, "nag__alpha": 0.9}, {"nag__scale": 6.0, "nag__ratio": 1.1}):
        made.append(play(each, pictures, **LOUD, prompt__negative="red city", **nag))
    made.append(play(each, pictures, **LOUD, prompt__negative="black waves", nag__scale=6.0))
    made.append(play(each, pictures, **LOUD, attention__maps="renormalised"))
    made.append(play(each, pictures, **LOUD, attention__maps="renormalised", attention__clamp=1.2, nag__scale=3.0))
    assert opened.networks == [GUARDED], "one network, opened once"
    assert same(made[0], made[1]), "a limit below 1 is 1"
    different = [loud, *made[1:]]
    assert len({one[-1].tobytes() for one in different}) == len(different)


def test_nag_acts_on_the_prompt_and_not_on_the_negative_row(each: DiffusionGenerator, pictures: list[Picture]) -> None:
    how = {"diffusion__guidance": 2.0, "prompt__negative": "red"}
    with pytest.MonkeyPatch.context() as patch:
        plain, guarded = (counted(patch, runner) for runner in (each.runners["denoise"], each.variants.get(GUARDED)))
        play(each, pictures[:1], **how)
        assert (len(plain), len(guarded)) == (2, 0)
        play(each, pictures[:1], **how, nag__scale=4.0)
        assert (len(plain), len(guarded)) == (3, 1)


def counted(patch: pytest.MonkeyPatch, runner: Any) -> list[list[float]]:
    """The token gains that a runner is asked for, call by call."""
    seen: list[list[float]] = []
    run = runner.run
    patch.setattr(runner, "run", lambda asked: seen.append(asked["token_gain"][0].tolist()) or run(asked))
    return seen


@pytest.mark.parametrize(
    ("steps", "listed", "heard"),
    [
        (1, "1", [1]),
        (2, "2-4", [2]),
        (4, "2-3", [2, 3]),
        (4, "1, 4", [1, 4]),
        (3, "aurora: 3", [3]),
        (3, "AURORA: 1, 2", [1]),
        (3, "burning: 1", [1, 2, 3]),
        (3, "3-9", [3]),
    ],
)
def test_gains_act_at_their_steps(
    each: DiffusionGenerator, pictures: list[Picture], steps: int, listed: str, heard: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        seen = counted(patch, each.runners["denoise"])
        play(each, pictures[:1], **LOUD, diffusion__steps=steps, attention__steps=listed)
    assert [row[2] for row in seen] == [5.0 if step in heard else 1.0 for step in range(1, steps + 1)]


def test_a_window_over_all_steps_is_none(each: DiffusionGenerator, pictures: list[Picture]) -> None:
    plain = play(each, pictures[:2], **LOUD, diffusion__steps=3)
    assert same(play(each, pictures[:2], **LOUD, diffusion__steps=3, attention__steps="1-4"), plain)
    assert not same(play(each, pictures[:2], **LOUD, diffusion__steps=3, attention__steps="3"), plain)


@pytest.mark.parametrize("how", ASKED.values(), ids=ASKED)
def test_on_stage_the_picture_goes_on_while_it_is_being_prepared(
    engine: Engine, opened: Opened, pictures: list[Picture], how: dict[str, Any]
) -> None:
    opened.go.clear()
    stage = DiffusionGenerator(engine, runner="torch")
    plain = play(stage, pictures, **LOUD)
    assert stage.notice == ""
    meanwhile = play(stage, pictures, **LOUD, **how)
    held = {**LOUD, "attention__gain": min(LOUD["attention__gain"], how.get("attention__clamp", 5.0))}
    assert same(meanwhile, play(stage, pictures, **held)), "a gain is held at the limit until its network is there"
    play(stage, pictures[:1], **LOUD, **how)
    assert stage.notice == f"{GUARDED}: being prepared"
    opened.go.set()
    for thread in threading.enumerate():
        if thread.name == f"livevis-open-{GUARDED}":
            thread.join(60)
    assert not same(play(stage, pictures, **LOUD, **how), plain) and stage.notice == ""


def test_what_stays_at_rest_is_never_opened(
    make_engine: Callable[..., Engine], engine: Engine, opened: Opened, pictures: list[Picture]
) -> None:
    opened.go.set()
    opened.networks.clear()
    play(DiffusionGenerator(engine, runner="torch", strict=True), pictures, **LOUD)
    assert opened.networks == []
