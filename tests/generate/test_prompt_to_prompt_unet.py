"""The whole of Prompt-to-Prompt in a small UNet: fused, against a processor that writes its maps out; and AADiff's
one-row form against the two-row one. Four LCM steps, the same noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from diffusers import UNet2DModel
from torch import Tensor

from livevis.core.errors import CapabilityError
from livevis.generate.prompt_to_prompt import edits
from livevis.generate.prompt_to_prompt.affine import Recording, record
from livevis.generate.prompt_to_prompt.alignment import refine_mapper
from livevis.generate.prompt_to_prompt.edits import Edit
from livevis.generate.prompt_to_prompt.processor import Reading, install
from livevis.generate.prompt_to_prompt.values import reweight
from livevis.generate.prompt_to_prompt.words import direction, gain_row, windowed, windows
from tests.checkpoints import build_unet

TOKENS, TEXT, SIDE = 9, 24, 8
TIMESTEPS = (999, 749, 499, 249)
STEPS = len(TIMESTEPS)
ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2, 0).float()
BASE = torch.tensor([1, 1, 1])
"""Rows: a refined prompt, the base prompt, the base prompt reweighted. No half of this batch is conditional."""
Kwargs = Callable[[int], dict[str, Any]]


def unet() -> Any:
    block = "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"
    return build_unet(
        block_out_channels=(32, 64),
        down_block_types=(block[0],) * 2,
        up_block_types=(block[1],) * 2,
        attention_head_dim=4,
        norm_num_groups=8,
    )


@pytest.fixture(scope="module")
def fused() -> Any:
    network = unet()
    install(network)
    return network


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


PROMPT = 4 * normal(1, TOKENS, TEXT, seed=1)
LONGER = 4 * normal(1, TOKENS, TEXT, seed=2)
START = normal(1, 4, SIDE, SIDE, seed=3)
NOISES = normal(STEPS, 1, 4, SIDE, SIDE, seed=4)


@torch.inference_mode()
def lcm(network: Any, text: Tensor, kwargs: Kwargs = lambda step: {}) -> Tensor:
    """Latent consistency sampling (Luo et al. 2023, alg. 1) with the same start and the same noises in every row."""
    z = START.expand(len(text), -1, -1, -1)
    for step, timestep in enumerate(TIMESTEPS):
        signal, noise = ALPHAS[timestep].sqrt(), (1 - ALPHAS[timestep]).sqrt()
        z = (z - noise * network(z, timestep, text, cross_attention_kwargs=kwargs(step)).sample) / signal
        if step + 1 < STEPS:
            after = ALPHAS[TIMESTEPS[step + 1]]
            z = after.sqrt() * z + (1 - after).sqrt() * NOISES[step]
    return z


def near(ours: Tensor, wanted: Tensor, tolerance: float) -> None:
    """Compare latents relative to their own standard deviation."""
    torch.testing.assert_close(ours, wanted, rtol=0, atol=tolerance * float(wanted.std()))


@dataclass
class WrittenOut:
    """The paper's controller on stored maps: refine, equalize, in each word's window; self-attention of small layers.

    mapper, aligned, equalizer, window, all [rows, tokens]; own: the equalizer plays on each row's own maps.
    """

    mapper: Tensor
    aligned: Tensor
    equalizer: Tensor
    window: Tensor
    own: bool = False
    self_injected: bool = False
    seen: list[Tensor] = field(default_factory=list)

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Any = None, **_: Any) -> Tensor:
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            attn.head_to_batch_dim(part) for part in (attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context))
        )
        maps = (query @ key.transpose(1, 2) * attn.scale).softmax(-1).unflatten(0, (-1, attn.heads))
        maps = self.self_edited(maps) if encoder_hidden_states is None else self.edited(maps)
        return attn.to_out[0](attn.batch_to_head_dim(maps.flatten(0, 1) @ value))

    def self_edited(self, maps: Tensor) -> Tensor:
        return maps[BASE] if self.self_injected and maps.shape[2] <= 16 else maps

    def edited(self, maps: Tensor) -> Tensor:
        result = maps.clone()
        for row in range(len(maps)):
            source = maps[row if self.own else BASE[row]][..., self.mapper[row]]
            refined = source * self.aligned[row] + maps[row] * (1 - self.aligned[row])
            result[row] = refined * self.equalizer[row] * self.window[row] + maps[row] * (1 - self.window[row])
        self.seen.append(result)
        return result


def written(controls: list[WrittenOut], text: Tensor) -> Tensor:
    """Sample with written-out attention, each step under its control."""
    network = unet()

    def control(step: int) -> dict[str, Any]:
        network.set_attn_processor(controls[step])
        return {}

    return lcm(network, text, control)


def plan() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """mapper and aligned of the three rows, gains -2..5, and windows [steps, rows, tokens] that differ by word."""
    itself = torch.arange(TOKENS)
    mapper, aligned = refine_mapper([90, 1, 2, 91], [90, 5, 1, 6, 2, 91], tokens=TOKENS)
    one = torch.ones(TOKENS)
    gain = torch.stack(
        (torch.linspace(-2, 5, TOKENS), one, gain_row(torch.tensor([4.0]), direction(TOKENS, (2,))[None]))
    )
    default = windows(STEPS, TOKENS, default=(0, 3))
    chosen = windows(STEPS, TOKENS, default=(0, 4), words=[((2, 3), (1, 2)), ((4,), None)])
    return (
        torch.stack((mapper, itself, itself)),
        torch.stack((aligned, one, one)),
        gain,
        torch.stack((chosen, default, default), 1),
    )


def test_the_whole_method_is_the_written_out_one(fused: Any) -> None:
    mapper, aligned, gain, window = plan()
    text = torch.cat((LONGER, PROMPT, PROMPT))
    controls = [WrittenOut(mapper, aligned, gain, window[k], self_injected=k < 2) for k in range(STEPS)]

    def ours(step: int) -> dict[str, Any]:
        mixing, own = edits.refined(mapper, aligned, gain, window[step])
        return {"edit": Edit(own, mixing, BASE, self_base=BASE if step < 2 else None, self_pixels=16)}

    wanted, got = written(controls, text), lcm(fused, text, ours)
    near(got, wanted, 1e-5)
    apart = [(wanted[row] - wanted[1]).abs().max() / wanted.std() for row in (0, 2)]
    assert min(apart) > 1e-2, "the edits must be heard"
    near(got[1:2], lcm(fused, PROMPT), 1e-5)


def test_own_maps_are_the_written_out_ones(fused: Any) -> None:
    mapper, _, gain, window = plan()
    text = torch.cat((LONGER, PROMPT, PROMPT))
    itself, one = torch.arange(TOKENS).expand_as(mapper), torch.ones_like(gain)
    controls = [WrittenOut(itself, one, gain, window[k], own=True) for k in range(STEPS)]
    wanted = written(controls, text)
    near(lcm(fused, text, lambda k: {"edit": Edit(windowed(gain, window[k]))}), wanted, 1e-5)
    assert (wanted[2] - wanted[1]).abs().max() > 1e-2 * wanted.std()


def test_maps_are_read_as_edited_from_the_layers_asked_for(fused: Any) -> None:
    mapper, aligned, gain, window = plan()
    text = torch.cat((LONGER, PROMPT, PROMPT))
    control = WrittenOut(mapper, aligned, gain, window[0])
    columns = normal(3, TOKENS, 2, seed=6)
    reading, plain = (Reading(columns, pixels=SIDE * SIDE // 4) for _ in range(2))
    mixing, own = edits.refined(mapper, aligned, gain, window[0])
    network = unet()
    network.set_attn_processor(control)
    with torch.inference_mode():
        network(START.expand(3, -1, -1, -1), 999, text)
        edit = {"edit": Edit(own, mixing, BASE), "reading": reading}
        fused(START.expand(3, -1, -1, -1), 999, text, cross_attention_kwargs=edit)
        fused(START.expand(3, -1, -1, -1), 999, text, cross_attention_kwargs={"reading": plain})
    small = [maps for maps in control.seen if maps.shape[2] == reading.pixels]
    assert len(small) == len(reading.maps) == len(plain.maps) > 1
    for wanted, (site, got) in zip(small, reading.maps.items(), strict=True):
        torch.testing.assert_close(got, wanted @ columns[:, None], rtol=0, atol=2e-5)
        assert got.shape == plain.maps[site].shape == (3, 4, reading.pixels, 2)


def test_silence_is_the_stock_network_bit_for_bit(fused: Any) -> None:
    text, one = PROMPT.expand(2, -1, -1), torch.ones(2, TOKENS)
    base, clamp = torch.tensor([0, 0]), torch.tensor([1.5, 1.5])
    stock = lcm(unet(), text)
    assert torch.equal(lcm(fused, text), stock)
    for edit in (
        Edit(one),
        Edit(one, clamp=clamp),
        Edit(mixing=one, base=base, self_base=base),
        Edit(0 * one, one, base, clamp=clamp),
        Edit(mixing=torch.eye(TOKENS).expand(2, -1, -1), base=base),
    ):
        assert torch.equal(lcm(fused, text, lambda _, edit=edit: {"edit": edit}), stock)


# AADiff with one row.

DIRECTIONS = torch.stack((direction(TOKENS, (2, 3), end=6, spread=0.25), direction(TOKENS, (5,))))


@dataclass
class Recorded:
    """The steps of the base row, recorded one by one."""

    steps: dict[int, Recording] = field(default_factory=dict)

    def recording(self, step: int) -> Recording:
        self.steps[step] = Recording(DIRECTIONS)
        return self.steps[step]

    def told(self, step: int, gains: Tensor, clamp: float | None = None) -> dict[str, Any]:
        if step not in self.steps:
            return {}
        return {"outputs": {site: layer.at(gains, clamp) for site, layer in self.steps[step].sites.items()}}


@pytest.fixture(scope="module")
def cache(fused: Any) -> Recorded:
    cache = Recorded()
    lcm(fused, PROMPT, lambda step: {"recording": cache.recording(step)})
    return cache


def two_rows(fused: Any, gains: Tensor, *, stop: int = STEPS, clamp: Tensor | None = None) -> Tensor:
    """The base row and the row that is given its maps in steps 0..stop-1; returns the edited latent."""
    gain = torch.stack((torch.ones(TOKENS), gain_row(gains, DIRECTIONS)))
    base = torch.tensor([0, 0])
    injected = {"edit": Edit(mixing=gain, base=base, clamp=clamp)}
    return lcm(fused, PROMPT.expand(2, -1, -1), lambda step: injected if step < stop else {})[1:]


@pytest.mark.parametrize("gains", [(3.0, 1.0), (0.0, 5.0), (-2.0, 0.5)])
def test_one_cached_row_is_the_two_row_injection(fused: Any, cache: Recorded, gains: tuple[float, float]) -> None:
    faders = torch.tensor([gains])
    wanted = two_rows(fused, faders[0])
    near(lcm(fused, PROMPT, lambda step: cache.told(step, faders)), wanted, 5e-6)
    assert (wanted - lcm(fused, PROMPT)).abs().max() > 1e-2 * wanted.std()


def test_the_clamp_is_the_same_in_both_forms(fused: Any, cache: Recorded) -> None:
    faders = torch.tensor([[5.0, 5.0]])
    free, wanted = two_rows(fused, faders[0]), two_rows(fused, faders[0], clamp=torch.tensor([1.1]))
    near(lcm(fused, PROMPT, lambda step: cache.told(step, faders, 1.1)), wanted, 5e-6)
    assert (wanted - free).abs().max() > 1e-3 * wanted.std(), "the clamp must be heard"


def test_a_window_ends_where_nothing_was_recorded(fused: Any, cache: Recorded) -> None:
    faders = torch.tensor([[4.0, 2.0]])
    early = Recorded({step: cache.steps[step] for step in (0, 1)})
    got = lcm(fused, PROMPT, lambda step: early.told(step, faders))
    near(got, two_rows(fused, faders[0], stop=2), 5e-6)


def test_silence_is_the_plain_loop_bit_for_bit(fused: Any, cache: Recorded) -> None:
    ones = torch.ones(1, 2)
    plain = lcm(unet(), PROMPT)
    assert torch.equal(lcm(fused, PROMPT, lambda step: cache.told(step, ones)), plain)
    assert torch.equal(lcm(fused, PROMPT, lambda step: cache.told(step, ones, 1.5)), plain)


def test_a_layers_parts_are_the_injection(fused: Any) -> None:
    query, key, value = (normal(1, 2, n, 8, seed=n) for n in (64, TOKENS, TOKENS))
    gains = torch.tensor([[3.0, -1.0], [1.0, 5.0]])
    layer = record(query, key, value, DIRECTIONS)
    for row, faders in enumerate(gains):
        wanted = reweight(query, key, value, gain_row(faders, DIRECTIONS)[None]).transpose(1, 2).flatten(2)
        torch.testing.assert_close(layer.at(gains)[row], wanted[0], rtol=0, atol=5e-6)


def test_the_affine_form_is_of_one_row_and_of_every_site(fused: Any) -> None:
    with pytest.raises(CapabilityError, match="one row at a time, not 2"):
        lcm(fused, PROMPT.expand(2, -1, -1), lambda step: {"recording": Recorded().recording(step)})
    with pytest.raises(KeyError):
        lcm(fused, PROMPT, lambda step: {"outputs": {}})


def test_sites_are_named_and_none_is_refused() -> None:
    network = unet()
    blocks = [f"{name}.processor" for name, _ in network.named_modules() if name.endswith("attn2")]
    assert sorted(install(network)) == sorted(blocks) and blocks
    plain: dict[str, Any] = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    with pytest.raises(CapabilityError, match="matched none"):
        install(UNet2DModel(8, block_out_channels=(8, 8), norm_num_groups=4, add_attention=False, **plain))
