"""The quantile mask against torch.quantile, and that a compiled runtime computes the same."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from livevis.generate.guidance.mask import quantile, strongest, strongest_soft

LEVELS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5)


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@settings(max_examples=40, deadline=None)
@given(LEVELS, st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_quantile_is_torch_quantile(levels: list[float], height: int, width: int, seed: int) -> None:
    magnitude = noise(len(levels), 2, 3, height, width, seed=seed).abs()
    ours = quantile(magnitude, torch.tensor(levels))
    theirs = [torch.quantile(row.flatten(-2), q, dim=-1) for row, q in zip(magnitude, levels, strict=True)]
    torch.testing.assert_close(ours[..., 0, 0], torch.stack(theirs), rtol=0, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 1.0), st.integers(0, 99))
def test_what_stays_is_the_share_above_the_level(level: float, seed: int) -> None:
    edit = noise(1, 4, 8, 8, seed=seed)
    kept = strongest(edit, torch.tensor([level]))
    share = (kept != 0).float().mean((-1, -2))
    assert (share - (1.0 - level)).abs().max() <= 1 / 64 + 1e-6
    assert torch.equal(kept[kept != 0], edit[kept != 0]), "what stays is untouched"
    lost = torch.where(kept == 0, edit.abs(), 0).amax((-1, -2))
    least = torch.where(kept == 0, torch.inf, edit.abs()).amin((-1, -2))
    assert (lost <= least).all(), "nothing that was dropped is stronger than anything that stayed, channel by channel"


def test_level_zero_keeps_everything_and_rows_have_their_own_level() -> None:
    edit = noise(3, 4, 8, 8)
    kept = strongest(edit, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(kept[0], edit[0])
    assert (kept[1] != 0).sum() == 4 * 32
    assert (kept[2] != 0).sum() == 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_come_back_as_themselves(dtype: torch.dtype) -> None:
    edit = noise(2, 4, 8, 8, dtype=dtype)
    level, soft = torch.tensor([0.9, 0.5]), torch.tensor([0.1, 0.0])
    assert quantile(edit.abs(), level).dtype == strongest_soft(edit, level, soft).dtype == dtype
    assert strongest(edit, level).count_nonzero() == pytest.approx(4 * 64 * (0.1 + 0.5), abs=6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.01, 1.0), st.integers(0, 99))
def test_the_soft_edge_is_the_formula(level: float, softness: float, seed: int) -> None:
    edit = noise(1, 4, 8, 8, seed=seed, dtype=torch.float64)
    q = torch.quantile(edit.abs().flatten(2), level, dim=-1)[..., None, None]
    wanted = edit * torch.sigmoid((edit.abs() - q) / (softness * q))
    made = strongest_soft(
        edit, torch.tensor([level], dtype=torch.float64), torch.tensor([softness], dtype=torch.float64)
    )
    torch.testing.assert_close(made, wanted, rtol=0, atol=1e-9)


def test_softness_zero_is_the_hard_mask() -> None:
    edit, level = noise(2, 4, 8, 8), torch.tensor([0.9, 0.3])
    assert torch.equal(strongest_soft(edit, level, torch.zeros(2)), strongest(edit, level))


def test_a_soft_edge_does_not_flicker_as_the_hard_one_does() -> None:
    """Between two frames that hardly differ, entries near the threshold swap places under the hard mask."""
    edit = noise(1, 4, 32, 32)
    shaken = edit + 0.02 * noise(1, 4, 32, 32, seed=1)
    level = torch.tensor([0.9])

    def jump(softness: float) -> float:
        one, two = (strongest_soft(e, level, torch.tensor([softness])) for e in (edit, shaken))
        return float((one - two).abs().max())

    assert jump(0.1) < 0.3 * jump(0.0)


@pytest.mark.parametrize("softness", [0.0, 0.1])
def test_no_edit_stays_no_edit(softness: float) -> None:
    made = strongest_soft(torch.zeros(1, 4, 8, 8), torch.tensor([0.9]), torch.tensor([softness]))
    assert torch.equal(made, torch.zeros(1, 4, 8, 8))


class _Mask(nn.Module):
    def forward(self, edit: Tensor, level: Tensor, softness: Tensor) -> Tensor:
        return strongest_soft(edit, level, softness)


def test_a_compiled_runtime_computes_the_same() -> None:
    import openvino

    edit, level, softness = noise(2, 4, 8, 8), torch.tensor([0.9, 0.5]), torch.tensor([0.0, 0.1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of what OpenVINO's front end touches
        model = openvino.convert_model(_Mask(), example_input=(edit, level, softness))
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for shift in (0.0, 0.25):  # the level is an input, not a constant
        made = compiled((edit.numpy(), (level - shift).numpy(), softness.numpy()))[0]
        wanted = strongest_soft(edit, level - shift, softness)
        torch.testing.assert_close(torch.from_numpy(made), wanted, rtol=0, atol=1e-5)
