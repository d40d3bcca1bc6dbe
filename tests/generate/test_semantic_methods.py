"""The sound and the word gains as edits, through the whole generator: identities, momentum, and how both end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from livevis.core.types import AudioTokens, Conditioning, Edit, Edits, Picture
from livevis.generate import semantic
from livevis.generate.diffusion import DiffusionGenerator, GeneratorState
from livevis.generate.engine import Engine
from livevis.generate.guidance.momentum import LARGEST, SETTLED
from livevis.generate.guidance.rows import Base
from livevis.generate.guidance.slots import Key
from livevis.generate.schedule import Level
from livevis.generate.text import TextRow
from livevis.methods.words import condition
from tests.checkpoints import cue

pytestmark = pytest.mark.usefixtures("own_cache")

STILL = {"diffusion__walk": 0.0, "feedback__amount": 0.0}
"""Noise and start that stay, and nothing fed back."""
GAINS = (("aurora", 3.0),)
WHOLE = {"softness": 0.0, "gain": 1.0}
"""Of an edit at threshold 0: all of it, at once and without momentum."""
ROWS = 0.8 * np.random.default_rng(4).normal(size=(31, 24)).astype(np.float32)


def sound(amount: float) -> AudioTokens:
    return AudioTokens(ROWS, 1.0, amount)


def thresholded(threshold: float, **how: Any) -> Edits:
    return Edits((Edit(),) * 4, attention=Edit("attention", 1.0, threshold), **how)


def audio(scale: float, threshold: float = 0.0, **how: Any) -> Edits:
    return Edits((Edit(),) * 4, audio=Edit("sound", scale, threshold), **how)


def play(
    generator: DiffusionGenerator,
    start: Picture,
    *,
    frames: int = 1,
    state: GeneratorState | None = None,
    asked: dict[str, Any] | Callable[[int], dict[str, Any]] | None = None,
    **controls: Any,
) -> tuple[GeneratorState, Picture]:
    """Play frames at 10 a second; `asked`: fields of the conditioning, or a function of the frame that gives them."""
    state = state or generator.init(7)
    for _ in range(frames):
        at = cue(state.frame, **controls)
        fields = asked(state.frame) if callable(asked) else asked or {}
        state, picture = generator.step(state, at, replace(condition(at.controls), **fields), start)
    return state, picture


def latent(generator: DiffusionGenerator, start: Picture, asked: dict[str, Any], **controls: Any) -> Tensor:
    made = play(generator, start, asked=asked, **STILL, **controls)[0].latent
    assert made is not None
    return made


def counted(generator: DiffusionGenerator, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Return the list of text rows that the network will be asked."""
    denoise, rows = generator.runners["denoise"], []
    run = denoise.run
    monkeypatch.setattr(denoise, "run", lambda tensors: rows.append(tensors["text"]) or run(tensors))
    return rows


SILENT: dict[str, dict[str, Any]] = {
    "amount 0": {"tokens": sound(0.0)},
    "scale 0": {"tokens": sound(0.0), "edits": audio(0.0)},
    "nobody speaks": {"edits": audio(1.0)},
    "gains 1": {"word_gains": (("aurora", 1.0),), "edits": thresholded(0.5)},
    "no gains": {"edits": thresholded(0.5)},
}


@pytest.mark.parametrize("look", [{}, {"diffusion__steps": 2, "diffusion__guidance": 2.5}], ids=["plain", "guided"])
def test_silence_is_the_plain_picture_bit_for_bit(
    each: DiffusionGenerator, pictures: list[Picture], look: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feedback and walk are on; and nothing of it asks the network for more."""
    rows = counted(each, monkeypatch)
    state, plain = play(each, pictures[0], frames=2, **look)
    costs = len(rows)
    for asked in SILENT.values():
        rows.clear()
        silent, picture = play(each, pictures[0], frames=2, asked=asked, **look)
        assert torch.equal(state.latent, silent.latent) and np.array_equal(plain, picture)
        assert silent.slots is None and len(rows) == costs


def test_the_sounds_edit_in_full_is_the_picture_of_the_sound(each: DiffusionGenerator, pictures: list[Picture]) -> None:
    for amount in (0.0, 0.4):
        edited = latent(each, pictures[0], {"tokens": sound(amount), "edits": audio(1.0, **WHOLE)})
        spoken = latent(each, pictures[0], {"tokens": sound(1.0)})
        torch.testing.assert_close(edited, spoken, rtol=0, atol=2e-6)
        assert (spoken - latent(each, pictures[0], {"tokens": sound(amount)})).abs().max() > 1e-2


@pytest.mark.parametrize("guidance", [1.0, 2.5])
def test_thresholded_attention_at_threshold_zero_is_the_reweighted_picture(
    each: DiffusionGenerator, pictures: list[Picture], guidance: float
) -> None:
    """With guidance too: there it is a change of the prompt, amplified as the prompt is."""
    look = {"diffusion__guidance": guidance}
    reweighted = latent(each, pictures[0], {"word_gains": GAINS}, **look)
    edited = latent(each, pictures[0], {"word_gains": GAINS, "edits": thresholded(0.0, **WHOLE)}, **look)
    torch.testing.assert_close(edited, reweighted, rtol=0, atol=1e-6 * guidance * float(reweighted.abs().max()))
    assert (reweighted - latent(each, pictures[0], {}, **look)).abs().max() > 1e-2


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_both_are_in_units_of_x0_for_every_prediction(
    make_engine: Callable[..., Engine], pictures: list[Picture], prediction: str
) -> None:
    one = DiffusionGenerator(make_engine(prediction_type=prediction), runner="torch")
    for edits, whole in (
        ({"word_gains": GAINS, "edits": thresholded(0.0, **WHOLE)}, {"word_gains": GAINS}),
        ({"tokens": sound(0.0), "edits": audio(1.0, **WHOLE)}, {"tokens": sound(1.0)}),
    ):
        torch.testing.assert_close(*(latent(one, pictures[0], a) for a in (edits, whole)), rtol=1e-5, atol=1e-5)


def test_a_threshold_confines_the_gains_to_where_they_change_most(
    generator: DiffusionGenerator, pictures: list[Picture]
) -> None:
    plain = latent(generator, pictures[0], {})
    change = latent(generator, pictures[0], {"word_gains": GAINS}) - plain
    made = latent(generator, pictures[0], {"word_gains": GAINS, "edits": thresholded(0.75, **WHOLE)}) - plain
    cut = torch.quantile(change.abs().flatten(2), 0.75, dim=-1)[..., None, None]
    assert float((made != 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    torch.testing.assert_close(made, torch.where(change.abs() >= cut, change, 0.0), rtol=0, atol=2e-6)


def test_the_sounds_edit_with_guidance_is_measured_against_the_negative_prompt(
    generator: DiffusionGenerator, pictures: list[Picture]
) -> None:
    """As TPoS does: prompt and sound are pushed apart from one unconditional row, each by its own scale."""
    look = {"prompt__negative": "black", "diffusion__guidance": 2.5}
    spoken = {"prompts": (("black", 1.0),), "tokens": sound(1.0)}
    unconditional, audible = (
        latent(generator, pictures[0], asked) for asked in ({"prompts": (("black", 1.0),)}, spoken)
    )
    plain, made = (
        latent(generator, pictures[0], {"tokens": sound(0.0), "edits": audio(scale, **WHOLE)}, **look)
        for scale in (0.0, 0.6)
    )
    torch.testing.assert_close(made - plain, 0.6 * (audible - unconditional), rtol=0, atol=5e-6)


def test_each_costs_one_row_and_only_while_heard(
    generator: DiffusionGenerator, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = counted(generator, monkeypatch)
    texts = (Edit("red city", 0.5), Edit(), Edit("neon", 0.5), Edit())
    both = replace(thresholded(0.5), slots=texts, audio=Edit("sound", 0.5, 0.5))
    looks: list[tuple[dict[str, Any], int]] = [
        ({"tokens": sound(0.7)}, 1),
        ({"tokens": sound(0.7), "edits": audio(0.5)}, 2),
        ({"tokens": sound(1.0), "edits": audio(0.5)}, 1),
        ({"word_gains": GAINS, "edits": thresholded(0.5)}, 2),
        ({"word_gains": GAINS, "edits": both, "tokens": sound(0.7)}, 5),
        ({"word_gains": GAINS, "edits": replace(both, warm_up=499.0), "tokens": sound(0.7)}, 1),
    ]
    for asked, count in looks:
        rows.clear()
        play(generator, pictures[0], asked=asked)
        assert len(rows) == count, asked


MOVING: dict[str, dict[str, Any]] = {
    "sound": {"tokens": sound(0.2), "edits": audio(0.5, 0.3, momentum_s=0.1, gain=1.5)},
    "attention": {"word_gains": GAINS, "edits": thresholded(0.3, momentum_s=0.1, gain=1.5)},
}


@pytest.mark.parametrize("kind", MOVING)
def test_momentum_of_one_is_untouched_by_the_others_coming_and_going(
    generator: DiffusionGenerator, pictures: list[Picture], kind: str
) -> None:
    asked = {"tokens": sound(0.2), "word_gains": GAINS, **MOVING[kind]}
    edits, fade = asked["edits"], {"sound": "attention", "attention": "audio"}[kind]
    other = Edit(fade, 1.0, 0.6)
    if kind == "sound":  # with attention as an edit gains leave the prompt's own row, which is another reference
        asked["word_gains"] = (("aurora", 1.0),)

    def coming(frame: int) -> dict[str, Any]:
        on = 1 <= frame < 3
        texts = (Edit(), Edit("neon", 0.4 * on, 0.2), Edit(), Edit())
        return asked | {"edits": replace(edits, slots=texts, **({fade: other} if on else {}))}

    alone, beside = (
        play(generator, pictures[0], frames=5, asked=a, **STILL)[0].slots.velocity for a in (asked, coming)
    )
    place = {"sound": 5, "attention": 4}[kind]
    assert alone.shape[1] == 6 and alone[:, place].any() and torch.equal(alone[:, place], beside[:, place])
    assert beside[:, 1].any() and not alone[:, 1].any()


@pytest.mark.parametrize("kind", MOVING)
def test_what_rings_on_ends_after_a_counted_time_and_bit_for_bit(
    generator: DiffusionGenerator, pictures: list[Picture], kind: str
) -> None:
    loud, look = MOVING[kind], {**STILL, "diffusion__steps": 2}
    quiet = {key: value for key, value in loud.items() if key != "word_gains"}
    quiet["edits"] = replace(loud["edits"], audio=Edit("sound", 0.0))
    plain = play(generator, pictures[0], asked={**quiet, "edits": Edits((Edit(),) * 4)}, **look)[0].latent
    state, _ = play(generator, pictures[0], frames=4, asked=loud, **look)
    counted_out = math.ceil(math.log(SETTLED / 2 / LARGEST) / (-0.1 / 0.1))
    far = []
    while state.slots is not None:
        last = state.slots.velocity
        state, _ = play(generator, pictures[0], state=state, asked=quiet, **look)
        far.append(float((state.latent - plain).abs().max()))
    assert far[0] > far[1] > far[2] > 0.0 == far[-1] == far[-2], "it rings, and what ends it changes no bit"
    assert len(far) == counted_out and not last.any()


def test_nothing_is_read_back_from_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """On tensors without data whatever looks at a value raises; heard, falling and settled frames alike."""
    base = Base(*torch.empty(2, 1, 4, 8, 8, device="meta"), 2.5)
    row = TextRow(torch.empty(1, 32, 24, device="meta"), torch.ones(1, 32))
    asked = Conditioning((("city", 1.0),), word_gains=GAINS, edits=replace(thresholded(0.5), audio=Edit("sound", 1.0)))
    state, frames = None, 0
    for rows in ([None] * 4 + [row, row], *([[None] * 6] * 200)):
        key = Key((("city", 1.0),), 7, (4, 8, 8), 1, semantic.concepts(asked))
        edits = replace(asked.edits, momentum_s=0.2, gain=1.5)
        guiding = semantic.begin(state, edits, tuple(rows), key, dt_s=0.1)
        guiding, _ = semantic.guide(
            guiding, base, lambda _: base.plain, index=0, level=Level(499, 0.5, 0.8), prediction="epsilon"
        )
        state, frames = semantic.end(guiding), frames + (guiding is not None)
    assert state is None and 2 < frames < 100


FADES: list[tuple[list[str], bool]] = [
    (["aurora"], True),
    (["aurora burning", "burning"], True),
    (["", "", "aurora"], True),
    (["burning"], False),
    (["", "burning"], False),
]


@pytest.mark.parametrize(("fades", "kept"), FADES)
def test_momentum_of_gains_goes_on_while_a_word_does(fades: list[str], kept: bool) -> None:
    def key(lifted: str) -> Key:
        gains = (("city", 1.0), *((word, 2.0) for word in lifted.split()))
        asked = Conditioning((("burning aurora", 1.0),), word_gains=gains, edits=Edits((Edit("neon"),)))
        return Key((("burning aurora", 1.0),), 7, (4, 8, 8), 1, semantic.concepts(asked))

    state = semantic.slots.init(key("aurora"))
    state = replace(state, velocity=torch.ones_like(state.velocity), limit=1.0)
    for words in fades:
        state = semantic.carried(state, key(words))
    assert [bool(slot.any()) for slot in state.velocity[0]] == [True, kept, True]


def test_a_method_that_knows_no_slots_ends_them(generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    state, _ = play(generator, pictures[0], frames=3, asked=MOVING["sound"])
    assert state.slots is not None
    state, picture = generator.step(state, cue(3), Conditioning((("burning aurora", 1.0),)), pictures[0])
    assert state.slots is None and picture.std() > 2


def test_runners_agree(engine: Engine, generator: DiffusionGenerator, pictures: list[Picture]) -> None:
    pytest.importorskip("openvino")
    other = DiffusionGenerator(engine, runner="openvino")
    asked = {
        "word_gains": GAINS,
        "tokens": sound(0.6),
        "edits": replace(thresholded(0.5, momentum_s=0.2, gain=1.5, softness=0.1), audio=Edit("sound", 0.7, 0.4)),
    }
    made = [play(one, pictures[0], frames=4, asked=asked, **STILL)[0] for one in (generator, other)]
    torch.testing.assert_close(made[0].latent, made[1].latent, rtol=0, atol=1e-4)
    torch.testing.assert_close(made[0].slots.velocity, made[1].slots.velocity, rtol=0, atol=1e-4)
