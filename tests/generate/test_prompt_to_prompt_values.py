"""Edits in value space against the same edits of attention maps written out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.prompt_to_prompt import edits
from livevis.generate.prompt_to_prompt.edits import Edit, mix, play
from livevis.generate.prompt_to_prompt.values import (
    attend,
    clamp_norm,
    nag,
    one_hot,
    read_out,
    remapped,
    renormalised,
    replace,
    reweight,
)

ROWS, HEADS, PIXELS, TOKENS, WIDTH = 3, 2, 256, 77, 8
TOLERANCE = {torch.float64: 1e-12, torch.float32: 5e-6}
DTYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=["fp64", "fp32"])
BASE = torch.tensor([1, 1, 1])
"""The base row stands in the middle, and is its own base."""


class Drawn:
    """One layer's query, key and value, gains in -2..5, windows of zeros and ones, and a mapper with gaps."""

    def __init__(self, dtype: torch.dtype = torch.float64, seed: int = 0, pixels: int = PIXELS, tokens: int = TOKENS):
        draw = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=draw, dtype=torch.float64).to(dtype)

        self.query, self.key = normal(ROWS, HEADS, pixels, WIDTH) / 2, normal(ROWS, HEADS, tokens, WIDTH)
        self.value = normal(ROWS, HEADS, tokens, WIDTH)
        self.gain = torch.rand(ROWS, tokens, generator=draw).to(dtype) * 7 - 2
        self.window = torch.randint(0, 2, (ROWS, tokens), generator=draw).to(dtype)
        self.mapper = torch.randint(-1, tokens, (ROWS, tokens), generator=draw)
        self.aligned = (self.mapper >= 0).to(dtype)
        self.matrix = torch.rand(ROWS, tokens, tokens, generator=draw).to(dtype) / tokens

    @property
    def layer(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.query, self.key, self.value

    @property
    def of_base(self) -> tuple[Tensor, Tensor]:
        return self.query[BASE], self.key[BASE]

    def maps(self) -> Tensor:
        return (self.query @ self.key.mT / math.sqrt(WIDTH)).softmax(-1)

    def near(self, ours: Tensor, wanted: Tensor) -> None:
        torch.testing.assert_close(ours, wanted, rtol=0, atol=TOLERANCE[self.value.dtype])


def columns(row: Tensor) -> Tensor:
    """[B, tokens] as a factor of maps [B, heads, pixels, tokens]."""
    return row[:, None, None, :]


@DTYPES
def test_reweighting_with_own_and_with_base_maps(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    own, base = (maps * columns(d.gain) @ d.value for maps in (d.maps(), d.maps()[BASE]))
    d.near(reweight(*d.layer, d.gain), own)
    d.near(play(Edit(d.gain), *d.layer), own)
    d.near(reweight(*d.of_base, d.value, d.gain), base)
    d.near(play(Edit(mixing=d.gain, base=BASE), *d.layer), base)
    assert (own - base).abs().max() > 0.1, "whose maps they are must matter"


@DTYPES
def test_reweighting_in_a_window(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    w = columns(d.window)
    wanted = (d.maps()[BASE] * columns(d.gain) * w + d.maps() * (1 - w)) @ d.value
    mixing, gain = edits.reweighted(d.gain, d.window)
    d.near(play(Edit(gain, mixing, BASE), *d.layer), wanted)


@DTYPES
def test_replacement(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    moved = torch.einsum("bhpw,bwn->bhpn", d.maps()[BASE], d.matrix)
    d.near(replace(*d.of_base, d.value, d.matrix), moved @ d.value)
    w = columns(d.window)
    mixing, gain = edits.replaced(d.matrix, d.gain, d.window)
    wanted = (moved * columns(d.gain) * w + d.maps() * (1 - w)) @ d.value
    d.near(play(Edit(gain, mixing, BASE), *d.layer), wanted)


@DTYPES
def test_refinement_then_equalizer_in_a_window(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    maps, a, w = d.maps(), columns(d.aligned), columns(d.window)
    chosen = torch.stack([maps[BASE[row]][:, :, d.mapper[row]] for row in range(ROWS)])
    refined = (chosen * a + maps * (1 - a)) * columns(d.gain)
    wanted = (refined * w + maps * (1 - w)) @ d.value
    mixing, gain = edits.refined(d.mapper, d.aligned, d.gain, d.window)
    d.near(play(Edit(gain, mixing, BASE), *d.layer), wanted)
    assert (wanted - maps @ d.value).abs().max() > 0.1


@DTYPES
def test_the_renormalised_variant_is_another_method(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    gain = d.gain.abs() + 0.1
    weighed = d.maps() * columns(gain)
    wanted = weighed / weighed.sum(-1, keepdim=True) @ d.value
    d.near(renormalised(*d.layer, gain), wanted)
    share = torch.tensor([1.0, 0.0, 1.0], dtype=dtype)
    got = play(Edit(gain, renormalised=share), *d.layer)
    d.near(got[::2], wanted[::2])
    d.near(got[1], (weighed @ d.value)[1])
    assert (wanted - reweight(*d.layer, gain)).abs().max() > 0.3
    muted = torch.where(columns(d.gain) > 0, d.maps() * columns(d.gain), 0)
    d.near(renormalised(*d.layer, d.gain), muted / muted.sum(-1, keepdim=True) @ d.value)


@DTYPES
def test_maps_of_chosen_tokens_are_read_out(dtype: torch.dtype) -> None:
    d = Drawn(dtype)
    tokens = torch.tensor([[1, 76, 5], [2, 2, 0], [9, 8, 7]])
    read = read_out(d.query, d.key, one_hot(tokens, TOKENS).to(dtype))
    d.near(read, torch.stack([d.maps()[row][:, :, tokens[row]] for row in range(ROWS)]))


@DTYPES
@pytest.mark.parametrize("boolean", [True, False])
def test_masked_tokens_stay_masked(dtype: torch.dtype, boolean: bool) -> None:
    d = Drawn(dtype)
    seen = torch.rand(ROWS, 1, 1, TOKENS, generator=torch.Generator().manual_seed(2)) < 0.7
    logits = d.query @ d.key.mT / math.sqrt(WIDTH)
    maps = logits.masked_fill(~seen, -torch.inf).softmax(-1)
    mask = seen if boolean else torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, -torch.inf)
    gain = d.gain.abs() + 0.1
    d.near(reweight(*d.layer, gain, mask=mask), maps * columns(gain) @ d.value)
    weighed = maps * columns(gain)
    d.near(renormalised(*d.layer, gain, mask=mask), weighed / weighed.sum(-1, keepdim=True) @ d.value)
    edit = Edit(gain, gain, BASE)
    d.near(play(edit, *d.layer, mask=mask), (maps + maps[BASE]) * columns(gain) @ d.value)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(2, 9))
@settings(max_examples=25, deadline=None)
def test_one_form_holds_all_edits(seed: int, pixels: int, tokens: int) -> None:
    """A' = A_base M + A diag(g), for values and for whatever else the maps should carry."""
    d = Drawn(seed=seed, pixels=pixels, tokens=tokens)
    wanted = d.maps()[BASE] @ d.matrix[:, None] + d.maps() * columns(d.gain)
    edit = Edit(d.gain, d.matrix, BASE)
    d.near(play(edit, *d.layer), wanted @ d.value)
    d.near(mix(edit, d.query, d.key, torch.eye(tokens, dtype=torch.float64).expand(ROWS, HEADS, -1, -1)), wanted)
    d.near(remapped(d.value, d.gain), remapped(d.value, torch.diag_embed(d.gain)))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_silence_changes_no_bit(seed: int) -> None:
    d = Drawn(torch.float32, seed, pixels=16, tokens=9)
    plain, one, never = attend(*d.layer), torch.ones(ROWS, 9), torch.zeros(ROWS, 9)
    itself = torch.arange(ROWS)
    assert torch.equal(reweight(*d.layer, one), plain)
    assert torch.equal(play(Edit(one, clamp=torch.ones(ROWS)), *d.layer), plain)
    for mixing, gain in (
        edits.reweighted(one, one),
        edits.reweighted(d.gain, never),
        edits.replaced(torch.eye(9).expand(ROWS, 9, 9), one, one),
        edits.refined(torch.arange(9).expand(ROWS, 9), one, one, one),
    ):
        assert torch.equal(play(Edit(gain, mixing, itself, clamp=torch.full((ROWS,), 1.5)), *d.layer), plain)
    mixing, gain = edits.reweighted(one, d.window)  # two sums in the place of one: not the same bits
    d.near(play(Edit(gain, mixing, itself), *d.layer), plain)
    injected = play(Edit(mixing=one, base=BASE), d.query, d.key, d.value[BASE])
    assert torch.equal(injected, plain[BASE]), "the same prompt with the base's maps is the base"
    assert torch.equal(renormalised(*d.layer, one), attend(*d.layer, mask=torch.zeros(ROWS, 1, 1, 9)))
    torch.testing.assert_close(renormalised(*d.layer, one), plain, rtol=0, atol=5e-6)


def l1(x: Tensor) -> Tensor:
    return x.abs().sum((1, 3))


@given(st.integers(0, 2**32 - 1), st.floats(1.0, 3.0))
@settings(max_examples=25, deadline=None)
def test_the_clamp_bounds_each_tokens_norm_and_nothing_else(seed: int, ratio: float) -> None:
    d = Drawn(seed=seed, pixels=16, tokens=9)
    free, plain = reweight(*d.layer, d.gain.abs() * 5 / 7), attend(*d.layer)
    clamped = clamp_norm(free, plain, ratio)
    grown = l1(free) / l1(plain)
    assert (l1(clamped) <= ratio * l1(plain) * (1 + 1e-9)).all()
    factor = grown.clamp(max=ratio) / grown  # min(r, τ) / r
    d.near(clamped, free * factor[:, None, :, None])
    within = (grown <= ratio)[:, None, :, None]
    assert torch.equal(torch.where(within, clamped, free), free)


def test_the_clamp_is_heard_and_has_a_ratio_for_each_row() -> None:
    d = Drawn()
    gain = torch.full((ROWS, TOKENS), 5.0, dtype=torch.float64)
    ratio = torch.tensor([1.0, 2.0, 9.0], dtype=torch.float64)
    grown = l1(play(Edit(gain, clamp=ratio), *d.layer)) / l1(attend(*d.layer))
    d.near(grown, torch.tensor([[1.0], [2.0], [5.0]], dtype=torch.float64).expand(-1, PIXELS))
    injected = play(Edit(mixing=gain, base=BASE, clamp=ratio[:1]), *d.layer)
    d.near(l1(injected), torch.minimum(l1(attend(*d.layer))[BASE], l1(injected)))
    merged = clamp_norm(d.value[:, 0] * 4, d.value[:, 0], 1.5, dims=(-1,))
    d.near(merged, d.value[:, 0] * 1.5)


def test_the_clamp_takes_silence_for_an_answer() -> None:
    nothing, something = torch.zeros(1, 1, 2, 4), torch.ones(1, 1, 2, 4)
    assert torch.equal(clamp_norm(nothing, nothing, 2.0), nothing)
    assert torch.equal(clamp_norm(nothing, something, 2.0), nothing)
    assert torch.equal(clamp_norm(something, nothing, 2.0), nothing)


def test_nag_is_its_formula() -> None:
    draw = torch.Generator().manual_seed(3)
    positive, negative = torch.randn(2, 2, HEADS, PIXELS, WIDTH, generator=draw)
    far = 5.0 * positive - 4.0 * negative
    r = (l1(far) / l1(positive))[:, None, :, None]
    wanted = 0.5 * far * r.clamp(max=2.5) / r + 0.5 * positive
    torch.testing.assert_close(nag(positive, negative), wanted, rtol=0, atol=1e-6)
    assert r.min() < r.max() and r.max() > 2.5, "the clamp is at work"


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_nag_at_rest_changes_no_bit(seed: int, alpha: float) -> None:
    positive, negative = torch.randn(2, 1, 2, 5, 4, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(nag(positive, negative, scale=1.0, alpha=alpha), positive)
    assert torch.equal(nag(positive, negative, alpha=0.0), positive)
    assert torch.equal(nag(positive, positive, alpha=alpha), positive)


def test_nag_between_gains_is_a_larger_gain() -> None:
    d = Drawn()
    guided = nag(reweight(*d.layer, d.gain), attend(*d.layer), scale=3.0, ratio=1e9, alpha=1.0)
    d.near(guided, reweight(*d.layer, 1 + 3 * (d.gain - 1)))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "needs gain"),
        ({"renormalised": torch.ones(1), "gain": torch.ones(1, 2), "mixing": torch.ones(1, 2)}, "own maps"),
    ],
)
def test_an_edit_that_cannot_be_played_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Edit(**fields)
