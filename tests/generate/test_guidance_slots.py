"""The live edit slots: exact silence, fixed shapes, x0 units, momentum across frames, and whose momentum it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from livevis.core.catalogue import EDIT_SLOTS
from livevis.core.errors import ConfigError
from livevis.generate.guidance import sega, slots
from livevis.generate.guidance.momentum import NONE, Momentum, over_time
from livevis.generate.guidance.rows import Base, base
from livevis.generate.guidance.slots import Key, Slot, SlotState, pack
from livevis.generate.schedule import Level, Prediction, clean, levels, read_schedule

SCHEDULE = read_schedule({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"})
ONE_STEP = levels(SCHEDULE, strength=1.0, steps=1)[0]
FOUR_STEPS = levels(SCHEDULE, strength=1.0, steps=4)[:4]
SHAPE = (4, 8, 8)
KEY = Key("city", 7, SHAPE, 1, ("rain", "fire", "snow", ""))
PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v_prediction", "sample")


def noise(count: int, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def double(faders: slots.Slots) -> slots.Slots:
    return slots.Slots(*(getattr(faders, name).double() for name in faders.__slots__))


def fresh(key: Key = KEY, *, dtype: torch.dtype = torch.float32) -> SlotState:
    state = slots.init(key)
    return replace(state, velocity=state.velocity.to(dtype))


def play(*faders: Slot, prompt: Tensor, edits: Tensor, **how: Any) -> Tensor:
    """One frame of one step, momentum none, in the precision of the prompt."""
    how = {"index": 0, "level": ONE_STEP, **how}
    packed = pack(faders)
    packed = double(packed) if prompt.dtype == torch.float64 else packed
    return slots.step(fresh(dtype=prompt.dtype), base(prompt), edits, packed, NONE, **how)[1]


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("guided", [False, True], ids=["prompt", "cfg"])
def test_weight_zero_is_no_guidance_bit_for_bit(prediction: Prediction, guided: bool) -> None:
    """Whatever the slot holds, and even if its row or its momentum is broken."""
    plain = base(noise(2 if guided else 1), 2.5)
    edits = noise(EDIT_SLOTS, seed=1)
    edits[1], edits[2] = torch.nan, torch.inf
    state = replace(fresh(), velocity=torch.full((1, EDIT_SLOTS, *SHAPE), 3.0))
    faders = pack([Slot(scale=1.5, threshold=0.3, softness=soft) for soft in (0.0, 0.1, 0.0, 0.1)])
    momentum = over_time(tau_s=0.25, gain=1.43, dt_s=1 / 30)
    state, made = slots.step(state, plain, edits, faders, momentum, index=0, level=ONE_STEP, prediction=prediction)
    assert torch.equal(made.view(torch.int32), plain.plain.view(torch.int32))
    assert bool(torch.isfinite(state.velocity).all()), "a broken row that is off leaves nothing behind"


@pytest.mark.parametrize("broken", [torch.nan, torch.inf, -torch.inf])
def test_a_broken_row_does_not_reach_the_picture_nor_ring_on(broken: float) -> None:
    prompt, edits, state = noise(1), noise(EDIT_SLOTS, seed=1), fresh()
    edits[0], edits[1, 0, 0, 0] = broken, broken
    for softness in (0.0, 0.1):
        faders = pack([Slot(1.0, 1.0, threshold=0.5, softness=softness)] * 3)
        state, made = slots.step(state, base(prompt), edits, faders, Momentum(0.6, 0.3), index=0, level=ONE_STEP)
        assert bool(torch.isfinite(made).all()) and bool(torch.isfinite(state.velocity).all())
        assert not torch.equal(made, prompt), "the whole rows play on"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_outputs_stay_so_and_are_edited_in_float32(dtype: torch.dtype) -> None:
    prompt, edits = noise(1).to(dtype), noise(EDIT_SLOTS, seed=1).to(dtype)
    faders = pack([Slot(0.7, 1.0, 0.5)])
    state, made = slots.step(fresh(), base(prompt), edits, faders, NONE, index=0, level=ONE_STEP)
    wanted = play(Slot(0.7, 1.0, 0.5), prompt=prompt.float(), edits=edits.float())
    assert made.dtype == dtype and state.velocity.dtype == torch.float32
    torch.testing.assert_close(made.float(), wanted, rtol=2**-7, atol=2**-7)
    quiet = slots.step(fresh(), base(prompt), edits, pack([]), NONE, index=0, level=ONE_STEP)[1]
    assert torch.equal(quiet, prompt)


def test_a_scale_that_falls_to_zero_becomes_silence() -> None:
    prompt, edits = noise(1), noise(EDIT_SLOTS, seed=1)
    state, momentum = fresh(), over_time(tau_s=0.25, gain=1.43, dt_s=1 / 30)
    heard = []
    for frame in range(30 * 6):
        faders = pack([Slot(scale=1.0 if frame < 15 else 0.0, weight=1.0)] * 2)
        state, made = slots.step(state, base(prompt), edits, faders, momentum, index=0, level=ONE_STEP)
        heard.append(float((made - prompt).abs().max()))
    assert heard[15] > 0.05 * heard[14], "momentum rings on"
    assert heard[-1] == 0.0 and not state.velocity.any()


def test_a_new_slot_is_off_and_too_many_are_refused() -> None:
    assert torch.equal(play(Slot(scale=9.0), prompt=noise(1), edits=noise(EDIT_SLOTS, seed=1)), noise(1))
    assert pack([]).weight.shape == (EDIT_SLOTS,)
    with pytest.raises(ConfigError, match="at most 4 edit slots can be played, not 5"):
        pack([Slot()] * 5)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_scale_one_is_the_edited_prompt_itself(prediction: Prediction) -> None:
    prompt, edits = noise(1, dtype=torch.float64), noise(EDIT_SLOTS, seed=1, dtype=torch.float64)
    made = play(Slot(1.0, 1.0, threshold=0.0), prompt=prompt, edits=edits, prediction=prediction)
    torch.testing.assert_close(made, edits[:1], rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.sampled_from(FOUR_STEPS))
def test_a_scale_up_to_one_stays_between_prompt_and_edit(
    scale: float, threshold: float, softness: float, level: Level
) -> None:
    """So one step at t = 999 cannot explode, though there an edit of eps is magnified 14.6 times."""
    prompt, edits = noise(1, dtype=torch.float64), noise(EDIT_SLOTS, seed=1, dtype=torch.float64)
    made = play(Slot(scale, 1.0, threshold, softness), prompt=prompt, edits=edits, level=level)
    low, high = torch.minimum(prompt, edits[:1]), torch.maximum(prompt, edits[:1])
    assert (made >= low - 1e-9).all() and (made <= high + 1e-9).all()


@pytest.mark.parametrize("level", FOUR_STEPS, ids=lambda level: f"t={level.timestep}")
def test_every_prediction_type_makes_the_same_picture(level: Level) -> None:
    """x0 rows turned into eps, v and x0 outputs; momentum is held in x0 units, so it is shared between them too."""
    z = noise(1, seed=5, dtype=torch.float64)
    x0 = noise(1 + EDIT_SLOTS, seed=2, dtype=torch.float64)
    eps = (z - level.signal * x0) / level.noise
    outputs = {"epsilon": eps, "v_prediction": level.signal * eps - level.noise * x0, "sample": x0}
    faders = double(pack([Slot(0.7, 1.0, 0.6), Slot(-0.4, 0.5, 0.8, softness=0.1)]))
    velocity = 0.1 * noise(EDIT_SLOTS, seed=3, dtype=torch.float64)[None]
    made = {}
    for prediction, rows in outputs.items():
        state = SlotState(velocity, KEY)
        how: dict[str, Any] = {"index": 0, "level": level, "prediction": prediction}
        state, output = slots.step(state, base(rows[:1]), rows[1:], faders, Momentum(0.6, 0.3), **how)
        made[prediction] = clean(prediction, z, output, level)[0], state.velocity  # type: ignore[arg-type]
    for prediction in ("epsilon", "v_prediction"):
        for ours, wanted in zip(made[prediction], made["sample"], strict=True):
            torch.testing.assert_close(ours, wanted, rtol=0, atol=1e-9)
    assert (made["sample"][0] - x0[:1]).abs().max() > 0.1


def test_kappa_is_what_x0_magnifies_eps_by() -> None:
    assert slots.kappa(ONE_STEP) == pytest.approx(14.615, abs=5e-3)
    assert [slots.kappa(at) for at in FOUR_STEPS[1:]] == pytest.approx([4.08, 1.61, 0.75], abs=0.1)


def test_scales_of_fifty_steps_are_held_to_a_reach() -> None:
    prompt, edits = noise(1, dtype=torch.float64), noise(EDIT_SLOTS, seed=1, dtype=torch.float64)
    tuned = Slot(5.0, 1.0, threshold=0.0)

    def moved(level: Level, **how: float) -> float:
        """Largest displacement of x0 by the tuned scale, for each unit of eps that the edit differs by."""
        change = play(tuned, prompt=prompt, edits=edits, level=level, **how) - prompt
        return float((slots.kappa(level) * change / (edits[0] - prompt)).abs().max())

    assert moved(ONE_STEP) == pytest.approx(5.0 * 14.615, rel=1e-3)
    assert moved(ONE_STEP, kappa_limit=5.13) == pytest.approx(5.0 * 5.13, rel=1e-3)
    assert moved(FOUR_STEPS[2], kappa_limit=5.13) == pytest.approx(moved(FOUR_STEPS[2])), "below it nothing changes"


@pytest.mark.parametrize("level", FOUR_STEPS, ids=lambda level: f"t={level.timestep}")
def test_warm_up_and_cool_down_are_timesteps_of_each_slot(level: Level) -> None:
    bounds = [(1000.0, 0.0), (800.0, 0.0), (499.0, 0.0), (1000.0, 499.0)]
    edits = torch.zeros(EDIT_SLOTS, *SHAPE)
    for slot in range(EDIT_SLOTS):
        edits[slot, slot] = 1.0  # each edits a channel of its own
    faders = [Slot(1.0, 1.0, 0.0, warm_up=warm, cool_down=cool) for warm, cool in bounds]
    made = play(*faders, prompt=torch.zeros(1, *SHAPE), edits=edits, level=level)
    wanted = [cool <= level.timestep < warm for warm, cool in bounds]
    assert [bool(channel.any()) for channel in made[0]] == wanted


def test_slots_add_up_and_signs_push_away() -> None:
    prompt, edits = noise(1, dtype=torch.float64), noise(EDIT_SLOTS, seed=1, dtype=torch.float64)
    faders = [Slot(0.5, 1.0, 0.8), Slot(-0.7, 2.0, 0.5), Slot(1.0, 0.3, 0.9, softness=0.1), Slot(0.9, -1.0)]
    together = play(*faders, prompt=prompt, edits=edits) - prompt
    alone = [
        play(*(fader if at == slot else Slot() for at in range(EDIT_SLOTS)), prompt=prompt, edits=edits) - prompt
        for slot, fader in enumerate(faders)
    ]
    torch.testing.assert_close(together, sum(alone), rtol=0, atol=1e-12)
    assert not alone[3].any(), "a weight below 0 counts as 0"
    toward = play(Slot(0.7, 1.0), prompt=prompt, edits=edits) - prompt
    away = play(Slot(-0.7, 1.0), prompt=prompt, edits=edits) - prompt
    torch.testing.assert_close(toward, -away, rtol=0, atol=1e-12)


def test_fifty_steps_of_one_picture_are_sega_itself() -> None:
    """One step index for all steps, and outputs kept in their own units: Brack et al.'s momentum."""
    concepts = (sega.Concept(5.0, 0.9, 1.0, 0), sega.Concept(4.0, 0.8, 0.5, 0, reverse=True))
    plan = sega.Sega(concepts, guidance=7.0, momentum=Momentum(0.6, 0.3))
    faders = pack([Slot(-c.scale if c.reverse else c.scale, c.weight, c.threshold) for c in concepts], count=2)
    exact, live = sega.init(noise(1)), slots.init(replace(KEY, concepts=("rain", "fire")))
    for k in range(8):
        rows = noise(4, seed=k)
        exact, wanted = sega.step(exact, rows[:, None], plan)
        how: dict[str, Any] = {"index": 0, "level": ONE_STEP, "prediction": "sample"}
        live, made = slots.step(live, base(rows[:2], 7.0), rows[2:], faders, plan.momentum, **how)
        torch.testing.assert_close(made, wanted, rtol=0, atol=2e-5)


def test_momentum_across_frames_is_the_closed_form() -> None:
    prompt, edits = torch.zeros(1, *SHAPE), torch.zeros(EDIT_SLOTS, *SHAPE)
    edits[0] = noise(1)[0] * 0.3
    state, momentum = fresh(), over_time(tau_s=0.25, gain=1.43, dt_s=1 / 30)
    faders = pack([Slot(1.0, 1.0, 0.0)])
    for frame in range(40):
        how: dict[str, Any] = {"index": 0, "level": ONE_STEP, "prediction": "sample"}
        state, made = slots.step(state, base(prompt), edits, faders, momentum, **how)
        wanted = edits[:1] * (1 + 0.43 * (1 - math.exp(-frame / 30 / 0.25)))
        torch.testing.assert_close(made, wanted, rtol=0, atol=1e-6)


def test_momentum_is_new_at_the_first_frame_and_each_step_has_its_own() -> None:
    prompt, edits, faders = noise(1), noise(EDIT_SLOTS, seed=1), pack([Slot(1.0, 1.0)])
    key = replace(KEY, steps=4)
    how: dict[str, Any] = {"level": FOUR_STEPS[2], "index": 2}
    strong, quiet = (
        slots.step(slots.init(key), base(prompt), edits, faders, momentum, **how)
        for momentum in (Momentum(0.6, 0.5), NONE)
    )
    assert torch.equal(strong[1], quiet[1]), "one step of one frame has nothing to remember"
    assert strong[0].velocity[2].any() and not strong[0].velocity[[0, 1, 3]].any()


def test_the_state_that_was_given_is_left_alone() -> None:
    state = fresh()
    later, _ = slots.step(
        state,
        base(noise(1)),
        noise(EDIT_SLOTS, seed=1),
        pack([Slot(1.0, 1.0)]),
        Momentum(0.6, 0.3),
        index=0,
        level=ONE_STEP,
    )
    assert later.velocity.any() and not state.velocity.any()


@pytest.mark.parametrize("curve", ["step", "swell"])
def test_the_same_at_every_frame_rate(curve: str) -> None:
    prompt, edits = torch.zeros(1, *SHAPE), noise(EDIT_SLOTS, seed=1)
    at: dict[int, list[float]] = {}
    for fps in (15, 30, 60):
        state, momentum = fresh(), over_time(tau_s=0.25, gain=1.43, dt_s=1 / fps)
        for frame in range(2 * fps):
            scale = 1.0 if curve == "step" else 0.5 - 0.5 * math.cos(2 * math.pi * frame / fps)
            how: dict[str, Any] = {"index": 0, "level": ONE_STEP, "prediction": "sample"}
            state, made = slots.step(state, base(prompt), edits, pack([Slot(scale, 1.0)]), momentum, **how)
            at.setdefault(frame * 60 // fps, []).append(float(made.abs().sum()))
    shared = torch.tensor([heard for heard in at.values() if len(heard) == 3])
    assert len(shared) == 30
    assert (shared.amax(1) - shared.amin(1)).max() <= 0.02 * shared.max()


PLACES: dict[str, tuple[Key, list[float]]] = {
    "the same": (KEY, [1, 1, 1, 1]),
    "another prompt": (replace(KEY, prompt="sea"), [0.25] * 4),
    "another seed": (replace(KEY, seed=8), [0.25] * 4),
    "another concept": (replace(KEY, concepts=("rain", "wind", "snow", "")), [1, 0.25, 1, 1]),
    "another step count": (replace(KEY, steps=2), [0] * 4),
    "another size": (replace(KEY, shape=(4, 16, 16)), [0] * 4),
    "another slot count": (replace(KEY, concepts=("rain",)), [0]),
}


@pytest.mark.parametrize("name", PLACES)
def test_momentum_follows_what_it_belongs_to(name: str) -> None:
    key, left = PLACES[name]
    state = slots.follow(SlotState(torch.ones(1, EDIT_SLOTS, *SHAPE), KEY), key, keep=0.25)
    assert state.key == key and state.velocity.shape == (key.steps, len(key.concepts), *key.shape)
    assert state.velocity.amax((0, 2, 3, 4)).tolist() == left == state.velocity.amin((0, 2, 3, 4)).tolist()


def test_reset_is_the_default_and_the_same_key_costs_nothing() -> None:
    state = SlotState(torch.ones(1, EDIT_SLOTS, *SHAPE), KEY)
    assert slots.follow(state, replace(KEY)) is state
    assert not slots.follow(state, replace(KEY, seed=8)).velocity.any()


class Counter(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls += 1
        return func(*args, **(kwargs or {}))


def on_meta(count: int) -> tuple[Any, ...]:
    """Arguments without data: reading any value back, or branching on one, raises."""
    key = replace(KEY, concepts=("rain",) * count)
    faders = slots.Slots(*(torch.empty(count, device="meta") for _ in range(6)))
    rows = torch.empty(1 + count, *SHAPE, device="meta")
    return slots.init(key, "meta"), Base(rows[:1], rows[:1]), rows[1:], faders, Momentum(0.6, 0.3)


def test_a_frame_reads_nothing_back_and_does_not_loop_over_slots() -> None:
    calls = {}
    for count in (1, 4, 9):
        with Counter() as counter:
            state, made = slots.step(*on_meta(count), index=0, level=ONE_STEP)
        assert made.shape == (1, *SHAPE) and state.velocity.shape == (1, count, *SHAPE)
        calls[count] = counter.calls
    assert len(set(calls.values())) == 1
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.empty(1, device="meta").item()  # what the test relies on
