"""Edit slots through the whole generator: silence is exact, scale 1 is the edited prompt, momentum is carried."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.types import Conditioning, Picture
from livevis.generate import semantic
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.noise import walk
from livevis.generate.schedule import Level, add_noise, clean, levels
from livevis.methods.words import condition
from tests.checkpoints import cue

pytestmark = pytest.mark.usefixtures("own_cache")

STILL = {"diffusion__walk": 0.0, "feedback__amount": 0.0}
"""Noise and start that stay, and nothing fed back."""
EXACT = {"guidance__threshold_1": 0.0, "guidance__softness": 0.0, "guidance__gain": 1.0}
"""A first slot that moves everything, at once and without momentum."""
EDIT = {"guidance__text_1": "red city", "guidance__scale_1": 1.0}
FOUR = {f"guidance__text_{n}": word for n, word in enumerate(("red city", "black waves", "neon", "burning"), start=1)}
SCALES = {f"guidance__scale_{n}": scale for n, scale in enumerate((0.7, -0.4, 0.5, 0.3), start=1)}


def play(
    generator: DiffusionGenerator,
    start: Picture,
    *,
    frames: int = 1,
    fps: float = 10.0,
    state: GeneratorState | None = None,
    **changed: Any,
) -> tuple[GeneratorState, Picture]:
    """Play frames of one look from one init picture; a value may be a function of the frame."""
    state = state or generator.init(7)
    for _ in range(frames):
        now = {key: value(state.frame) if callable(value) else value for key, value in changed.items()}
        at = cue(state.frame, fps=fps, **now)
        state, picture = generator.step(state, at, condition(at.controls), start)
    return state, picture


def latent(generator: DiffusionGenerator, start: Picture, **how: Any) -> Tensor:
    made = play(generator, start, **how)[0].latent
    assert made is not None
    return made


def asked(generator: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Return the list of text rows that the network will be asked."""
    denoise, rows = generator.runners["denoise"], []
    run = denoise.run
    monkeypatch.setattr(denoise, "run", lambda tensors: rows.append(tensors["text"]) or run(tensors))
    return rows


@pytest.mark.parametrize("look", [{}, {"diffusion__steps": 2}, {"diffusion__guidance": 2.5}], ids=str)
def test_silence_is_the_plain_picture_bit_for_bit(
    each: DiffusionGenerator, pictures: list[Picture], look: dict[str, Any]
) -> None:
    """Texts without scale, scale without text, and a scale too small to be seen; feedback and walk are on."""
    quiet = {**FOUR, "guidance__text_2": "", "guidance__scale_2": 2.0, "guidance__scale_3": 1e-4}
    plain, heard = (play(each, pictures[0], frames=3, **look, **slots) for slots in ({}, quiet))
    assert torch.equal(plain[0].latent, heard[0].latent) and np.array_equal(plain[1], heard[1])
    assert heard[0].slots is None
    loud = play(each, pictures[0], frames=3, **look, **FOUR, **SCALES)
    assert not np.array_equal(plain[1], loud[1]), "or nothing would be shown by this"


def test_full_scale_is_the_edited_prompts_own_picture_on_every_runner(
    each: DiffusionGenerator, pictures: list[Picture]
) -> None:
    edited = latent(each, pictures[0], prompt__text_1="burning aurora, red city", **STILL)
    made = latent(each, pictures[0], **STILL, **EXACT, **EDIT)
    torch.testing.assert_close(made, edited, rtol=0, atol=1e-5)


LAYOUTS: dict[str, dict[str, Any]] = {
    "v": {"prediction_type": "v_prediction"},
    "eps": {},
    "sample": {"prediction_type": "sample"},
    "eps-ancestral": {"scheduler": "EulerAncestralDiscreteScheduler"},
}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' Euler under numpy 2
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_full_scale_is_the_edited_prompts_own_picture(
    make_engine: Callable[..., Engine], pictures: list[Picture], layout: str, steps: int
) -> None:
    """For every prediction type and step, under word gains and for a blend of prompts."""
    generator = DiffusionGenerator(make_engine(**LAYOUTS[layout]), runner="torch")
    look = {
        "diffusion__steps": steps,
        "attention__word": "aurora, city",
        "attention__gain": 2.5,
        "prompt__text_2": "a neon city",
        "prompt__weight_2": 0.5,
    }
    texts = {"prompt__text_1": "burning aurora, red city", "prompt__text_2": "a neon city, red city"}
    edited = latent(generator, pictures[0], **STILL, **{**look, **texts})
    plain = latent(generator, pictures[0], **STILL, **look)
    made = latent(generator, pictures[0], **STILL, **look, **EXACT, **EDIT)
    assert (edited - plain).abs().max() > 1e-2
    torch.testing.assert_close(made, edited, rtol=1e-5, atol=1e-5)


def test_scale_goes_towards_the_edit_and_below_zero_away(
    generator: DiffusionGenerator, pictures: list[Picture]
) -> None:
    edited = latent(generator, pictures[0], prompt__text_1="burning aurora, red city", **STILL)
    for threshold in (0.0, 0.6):
        slot = {**EXACT, **EDIT, "guidance__threshold_1": threshold}
        far = [
            float((latent(generator, pictures[0], **STILL, **{**slot, "guidance__scale_1": scale}) - edited).norm())
            for scale in (-1.0, -0.4, 0.0, 0.4, 0.8, 1.0)
        ]
        assert far == sorted(far, reverse=True) and len(set(far)) == len(far)


def by_hand(
    generator: DiffusionGenerator, start: Picture, texts: tuple[str, ...], scales: dict[str, float], level: float
) -> Tensor:
    """One step of SEGA in x0, from the network's answers: texts are reference, played (with its guidance) and edits."""
    at: Level = levels(generator._schedule, strength=0.5, steps=1)[0]
    noise = walk((7, 3, 0), 0.0, (1, 4, 8, 8))
    z = add_noise(generator.encode(start), noise, at)

    def x0(text: str) -> Tensor:
        tensors = {"latent": z, "time": generator._time(at.timestep), "token_gain": torch.ones(1, 32)}
        output = generator.runners["denoise"].run({**tensors, "text": generator._text.encoded(text).embedding})
        return clean(generator._schedule.prediction, z, output["prediction"], at)[0]

    reference, played = x0(texts[0]), x0(texts[1])
    made = reference + scales["guidance"] * (played - reference)
    for text, scale in zip(texts[2:], (scales["first"], scales["second"]), strict=True):
        edit = scale * (x0(text) - reference)
        cut = torch.quantile(edit.abs().flatten(2), level, dim=-1)[..., None, None]
        made = made + edit * (edit.abs() >= cut)
    return made


@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_two_slots_are_segas_formula(generator: DiffusionGenerator, pictures: list[Picture], guidance: float) -> None:
    """Without guidance rows are prompt, and prompt with text; with it negative, prompt, and the texts alone."""
    look = {"prompt__negative": "black", "diffusion__guidance": guidance, "guidance__softness": 0.0, **STILL}
    slots = {"guidance__threshold_1": 0.6, "guidance__threshold_3": 0.6, "guidance__gain": 1.0}
    slots |= {"guidance__text_1": "red city", "guidance__text_3": "neon"}
    slots |= {"guidance__scale_1": 0.7, "guidance__scale_3": -0.4}
    made = latent(generator, pictures[0], **look, **slots)
    texts = ("black", "burning aurora", "red city", "neon")
    if guidance == 1.0:
        texts = ("burning aurora", "burning aurora", "burning aurora, red city", "burning aurora, neon")
    scales = {"guidance": guidance, "first": 0.7, "second": -0.4}
    torch.testing.assert_close(made, by_hand(generator, pictures[0], texts, scales, 0.6), rtol=1e-4, atol=1e-5)


def test_slots_have_no_order(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    def turned(by: int) -> dict[str, Any]:
        place = {n: (n - 1 + by) % 4 + 1 for n in range(1, 5)}
        slots = {**FOUR, **SCALES, **{f"guidance__threshold_{n}": 0.2 * n for n in range(1, 5)}}
        return {f"{key[:-1]}{place[int(key[-1])]}": value for key, value in slots.items()}

    first, second = (latent(generator, pictures[0], frames=4, **turned(by)) for by in (0, 1))
    torch.testing.assert_close(first, second, rtol=0, atol=2e-6)


def test_the_same_play_gives_the_same_pictures(
    generator: DiffusionGenerator, engine: Engine, pictures: list[Picture]
) -> None:
    look = {**FOUR, **SCALES, "guidance__scale_1": lambda frame: math.sin(frame), "diffusion__steps": 2}
    runs = [
        play(one, pictures[0], frames=5, **look)
        for one in (generator, generator, DiffusionGenerator(engine, runner="torch"))
    ]
    assert all(torch.equal(runs[0][0].latent, state.latent) for state, _ in runs[1:])
    assert all(torch.equal(runs[0][0].slots.velocity, state.slots.velocity) for state, _ in runs[1:])


@pytest.mark.parametrize(
    "changed",
    [
        {"guidance__text_1": "neon"},
        {"guidance__scale_1": -0.5},
        {"guidance__threshold_1": 0.2},
        {"guidance__softness": 0.9},
        {"guidance__gain": 3.0},
        {"guidance__momentum": 2.0},
        {"guidance__warm_up": 100.0},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_every_fader_moves_the_picture(
    generator: DiffusionGenerator, pictures: list[Picture], changed: dict[str, Any]
) -> None:
    before, after = (play(generator, pictures[0], frames=3, **{**EDIT, **how}) for how in ({}, changed))
    assert not torch.equal(before[0].latent, after[0].latent)


def test_what_is_not_heard_asks_the_network_nothing(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = asked(generator, monkeypatch)
    looks: list[tuple[dict[str, Any], int]] = [
        ({}, 1),
        (FOUR, 1),
        (EDIT, 2),
        ({**FOUR, **SCALES}, 5),
        ({**FOUR, **SCALES, "guidance__text_2": " "}, 4),
        ({**FOUR, **SCALES, "diffusion__guidance": 2.5}, 6),
        ({**FOUR, **SCALES, "guidance__warm_up": 499.0}, 1),  # half strength begins at t = 499
        ({**EDIT, "diffusion__steps": 2, "guidance__warm_up": 499.0}, 3),
    ]
    for look, count in looks:
        rows.clear()
        play(generator, pictures[0], **look)
        assert len(rows) == count, look


def test_a_row_that_is_not_run_would_have_changed_nothing(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slots 1 and 2 are heard, 3 rings on, 4 rests: once as they are, once with all four rows run."""
    look = {**FOUR, "guidance__scale_1": 0.7, "guidance__scale_2": -0.4}
    state = play(generator, pictures[0], frames=3, **{**look, "guidance__scale_3": 0.9})[0]
    rows, made = asked(generator, monkeypatch), {}
    all_four = generator._text.edit_rows(condition(cue(0, **FOUR, **SCALES).controls), guided=False)
    for count in (3, 5):
        rows.clear()
        made[count] = play(generator, pictures[0], state=state, **look)[0]
        assert len(rows) == count
        monkeypatch.setattr(generator._text, "edit_rows", lambda *_, **__: all_four)
    assert torch.equal(made[3].latent, made[5].latent)
    assert torch.equal(made[3].slots.velocity, made[5].slots.velocity) and made[3].slots.velocity[:, 2].any()


def test_a_fader_that_falls_rings_on_and_then_costs_nothing(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = {**STILL, **EDIT, "guidance__momentum": 0.05, "guidance__gain": 1.5}
    state, _ = play(generator, pictures[0], frames=4, **look)
    plain = latent(generator, pictures[0], **STILL)
    rows = asked(generator, monkeypatch)
    quiet = {**look, "guidance__scale_1": 0.0}
    far = []
    for _ in range(13):
        state, _ = play(generator, pictures[0], state=state, **quiet)
        far.append(float((state.latent - plain).abs().max()))
    assert len(rows) == 13, "no frame needs the edit's row"
    assert far[0] > far[1] > far[2] > 0.0, "momentum rings on"
    assert far[-1] == 0.0 and state.slots is None, "and ends, bit for bit"


def test_momentum_settles_at_its_gain_at_every_frame_rate(
    generator: DiffusionGenerator, pictures: list[Picture]
) -> None:
    """From the second frame on, that is, because no time has passed before the first."""
    look = {**STILL, **EXACT, **EDIT, "guidance__momentum": 0.1, "guidance__threshold_1": 0.5}
    plain = latent(generator, pictures[0], **STILL)
    push = latent(generator, pictures[0], **look) - plain
    look |= {"guidance__gain": 1.5, "guidance__scale_1": lambda frame: float(frame > 0)}
    for fps in (10, 20):
        state = play(generator, pictures[0], fps=fps, **look)[0]
        for time_s in (0.0, 0.1, 1.2):
            frames = 1 + round(time_s * fps) - (state.frame - 1)
            state, _ = play(generator, pictures[0], frames=frames, fps=fps, state=state, **look)
            wanted = (1.5 - 0.5 * math.exp(-time_s / 0.1)) * push
            torch.testing.assert_close(state.latent - plain, wanted, rtol=1e-4, atol=1e-5)


CHANGES: list[tuple[dict[str, Any], list[bool]]] = [
    ({}, [True, True]),
    ({"prompt__text_1": "black waves"}, [False, False]),
    ({"diffusion__seed": 4}, [False, False]),
    ({"diffusion__steps": 3}, [False, False]),
    ({"diffusion__guidance": 2.0}, [False, False]),
    ({"guidance__text_2": "neon"}, [True, False]),
    ({"prompt__text_2": "neon", "prompt__weight_2": 1.0}, [True, True]),  # half of the blend stays
    ({"prompt__weight_1": 0.5}, [True, True]),  # alone, it is all of the blend at any weight
]


@pytest.mark.parametrize(("changed", "kept"), CHANGES, ids=["-".join(changed) for changed, _ in CHANGES])
def test_momentum_follows_what_it_belongs_to(
    generator: DiffusionGenerator, pictures: list[Picture], changed: dict[str, Any], kept: list[bool]
) -> None:
    """The first quiet frame after the change moves the picture just where momentum was kept."""
    look = {**STILL, **FOUR, "guidance__momentum": 0.5, "guidance__gain": 1.5}
    state, _ = play(generator, pictures[0], frames=4, **look, guidance__scale_1=0.8, guidance__scale_2=0.8)
    later, _ = play(generator, pictures[0], state=state, **{**look, **changed})
    rings = [later.slots is not None and bool(later.slots.velocity[:, slot].any()) for slot in (0, 1)]
    assert rings == kept


def test_a_cross_fade_sheds_momentum_alike_at_every_frame_rate() -> None:
    left = []
    for frames in (10, 40):
        at = [(("sea", 1 - k / frames), ("fire", k / frames)) for k in range(frames + 1)]
        left.append(math.prod(semantic.overlap(old, new) for old, new in pairwise(at)))
    assert left[0] == pytest.approx(math.exp(-1), abs=0.03) and left[1] == pytest.approx(math.exp(-1), abs=0.03)
    assert semantic.overlap((("sea", 1.0),), (("fire", 1.0),)) == 0.0


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_broken_edit_row_does_not_reach_the_picture(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    plain = latent(generator, pictures[0], **STILL)
    whole = play(generator, pictures[0], frames=2, **STILL, **EDIT)[0]
    denoise = generator.runners["denoise"]
    run, bad = denoise.run, generator._text.encoded("burning aurora, red city").embedding

    def faulty(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        found = run(tensors)
        return {name: t * broken for name, t in found.items()} if torch.equal(tensors["text"], bad) else found

    monkeypatch.setattr(denoise, "run", faulty)
    state, picture = play(generator, pictures[0], **STILL, **EDIT)
    assert torch.equal(state.latent, plain) and picture.std() > 2
    rung, _ = play(generator, pictures[0], state=whole, **STILL, **EDIT)
    assert rung.slots is not None and bool(torch.isfinite(rung.slots.velocity).all())
    monkeypatch.undo()
    healed, _ = play(generator, pictures[0], state=replace(rung), **STILL, **EDIT)
    assert not torch.equal(healed.latent, plain) and bool(torch.isfinite(healed.latent).all())


def test_a_method_that_knows_no_slots_ends_them(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    state, _ = play(generator, pictures[0], frames=3, **EDIT)
    assert state.slots is not None
    bare = Conditioning((("burning aurora", 1.0),))
    state, picture = generator.step(state, cue(3), bare, pictures[0])
    assert state.slots is None and picture.std() > 2


def test_a_broken_frame_drops_the_momentum_too(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    state, _ = play(generator, pictures[0], frames=3, **EDIT)
    assert state.slots is not None
    ill = replace(state, latent=torch.full((1, 4, 8, 8), math.nan))
    state, _ = play(generator, pictures[0], state=ill, **EDIT)
    assert state.latent is None and state.slots is None
