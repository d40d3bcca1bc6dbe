"""Rows of a guided batch through a real UNet: kept base rows, and thresholded attention."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.guidance import slots
from livevis.generate.guidance.momentum import NONE, Momentum
from livevis.generate.guidance.rows import BaseCache, as_edit, attention_rows, base, recall, split
from livevis.generate.guidance.slots import Key, Slot, pack
from livevis.generate.networks import Denoiser, time_features
from livevis.generate.schedule import Level, clean, levels, read_schedule
from tests.checkpoints import build_unet

SCHEDULE = read_schedule({"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"})
LEVEL: Level = levels(SCHEDULE, strength=1.0, steps=1)[0]
TOKENS, KEY = 9, Key("city", 7, (4, 8, 8), 1, ("",) * 4)


@pytest.fixture(scope="module")
def network() -> Denoiser:
    return Denoiser(build_unet())


@pytest.fixture(scope="module")
def exact() -> Denoiser:
    """In float64, so that what is left is not the rounding of x0 at t = 999."""
    return Denoiser(build_unet().double())


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


Z, TEXT = normal(1, 4, 8, 8, seed=1), normal(7, TOKENS, 24, seed=2)


@torch.inference_mode()
def ask(network: Denoiser, text: Tensor, gain: Tensor | None = None) -> Tensor:
    count, dtype = text.shape[0], next(network.parameters()).dtype
    time = time_features(LEVEL.timestep, width=16, flip=True, shift=0.0).expand(count, -1)
    gain = torch.ones(count, TOKENS) if gain is None else gain
    return network(*(rows.to(dtype) for rows in (Z.expand(count, -1, -1, -1), time, text, gain)))


@pytest.mark.parametrize("count", [1, 2], ids=["prompt", "cfg"])
def test_kept_base_rows_make_the_picture_of_the_whole_batch(network: Denoiser, count: int) -> None:
    faders, momentum = pack([Slot(1.2, 1.0, 0.7), Slot(-0.5, 1.0, 0.9)]), Momentum(0.6, 0.3)
    batched, alone, cache = slots.init(KEY), slots.init(KEY), BaseCache()
    edited = TEXT[count : count + 4]
    for frame in range(3):
        edited = edited + 0.1 * normal(4, TOKENS, 24, seed=10 + frame)
        rows, edits = split(ask(network, torch.cat((TEXT[:count], edited))), 4)
        batched, wanted = slots.step(batched, base(rows, 3.0), edits, faders, momentum, index=0, level=LEVEL)
        cache, kept = recall(cache, ("city", 7), lambda: ask(network, TEXT[:count]))
        answers = torch.cat([ask(network, edited[slot : slot + 1]) for slot in range(4)])
        alone, made = slots.step(alone, base(kept, 3.0), answers, faders, momentum, index=0, level=LEVEL)
        torch.testing.assert_close(made, wanted, rtol=0, atol=1e-5)
        assert (made - base(kept, 3.0).plain).abs().max() > 1e-2


def test_base_rows_are_asked_once_for_each_key(network: Denoiser) -> None:
    asked: list[int] = []

    def count() -> Tensor:
        asked.append(len(asked))
        return torch.full((1, 4, 8, 8), float(len(asked)))

    cache = BaseCache()
    for key in ("a", "a", "b", "b", "a"):
        cache, rows = recall(cache, key, count)
    assert len(asked) == 3 and float(rows[0, 0, 0, 0]) == 3.0


def test_guidance_one_is_the_prompt_and_strange_rows_are_refused() -> None:
    rows = normal(2, 4, 8, 8, seed=3)
    assert torch.equal(base(rows, 1.0).plain, rows[1:])
    assert torch.equal(base(rows, 0.0).plain, rows[:1]), "guidance 0 of two rows is the unconditional picture"
    with pytest.raises(ConfigError, match=r"base rows are 1 \(prompt\) or 2 .*, not 3"):
        base(normal(3, 4, 8, 8, seed=3))


def thresholded(network: Denoiser, gain: Tensor, fader: Slot) -> tuple[Tensor, Tensor, Tensor]:
    """x0 of the thresholded, the re-weighted and the plain picture."""
    text, gains = attention_rows(TEXT[:1], gain.expand(4, -1))
    rows, edits = split(ask(network, text, gains), 4)
    _, made = slots.step(slots.init(KEY), base(rows), edits, pack([fader]), NONE, index=0, level=LEVEL)
    return tuple(clean("epsilon", Z.to(rows.dtype), output, LEVEL)[0] for output in (made, edits[:1], rows))  # type: ignore[return-value]


def test_thresholded_attention_at_scale_one_is_reweighting_itself(exact: Denoiser) -> None:
    gain = torch.ones(1, TOKENS)
    gain[0, 3], gain[0, 5] = 3.0, 0.2
    made, reweighted, plain = thresholded(exact, gain, Slot(1.0, 1.0, threshold=0.0))
    torch.testing.assert_close(made, reweighted, rtol=0, atol=1e-6)
    alone = clean("epsilon", Z.double(), ask(exact, TEXT[:1], gain), LEVEL)[0]
    torch.testing.assert_close(made, alone, rtol=0, atol=1e-6)
    assert (made - plain).abs().max() > 1e-2


def test_thresholded_attention_with_gains_one_is_the_plain_picture_exactly(network: Denoiser) -> None:
    made, _, plain = thresholded(network, torch.ones(1, TOKENS), Slot(5.0, 1.0, threshold=0.9))
    assert torch.equal(made, plain)


def test_the_threshold_confines_attention_to_the_strongest_tenth(network: Denoiser) -> None:
    gain = torch.ones(1, TOKENS)
    gain[0, 3] = 3.0
    made, _, plain = thresholded(network, gain, Slot(1.0, 1.0, threshold=0.9))
    assert (made != plain).float().mean().item() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_a_change_of_the_prompt_is_amplified_as_the_prompt_is(guidance: float) -> None:
    unconditional, prompt, edited = normal(3, 1, 4, 8, 8, seed=3)
    found, wanted = (base(torch.cat((unconditional, row)), guidance) for row in (prompt, edited))
    change = as_edit(found, edited) - found.reference
    torch.testing.assert_close(found.plain + change, wanted.plain, rtol=0, atol=2e-6)
    assert torch.equal(as_edit(base(prompt, guidance), edited), edited)
