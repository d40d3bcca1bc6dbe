"""Muon, the averaged weights and the learning rate, against their definitions."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train.optimisers import Average, Muon, Optimiser, orthogonalise, rate


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_orthogonalised_matrices_have_singular_values_near_one(rows, columns, seed):
    torch.manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(max(rows, columns), min(rows, columns)))
    right, _ = torch.linalg.qr(torch.randn(min(rows, columns), min(rows, columns)))
    matrix = left * torch.linspace(0.3, 1.0, min(rows, columns)) @ right
    matrix = matrix if rows >= columns else matrix.T
    values = torch.linalg.svdvals(orthogonalise(matrix).float())
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_muon_steps_have_the_size_that_adamw_has():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.zeros(64, 32, 3, 3))
    weight.grad = torch.randn_like(weight)
    Muon([weight], lr=1e-2, weight_decay=0.0).step()
    assert 0.1 < float(weight.detach().square().mean().sqrt()) / 1e-2 < 0.3


@pytest.mark.parametrize("muon", [True, False])
def test_a_linear_fit_converges_and_its_state_survives(muon):
    torch.manual_seed(0)
    layer, target = torch.nn.Linear(32, 32), torch.nn.Linear(32, 32)
    optimiser = Optimiser(layer, lr=1e-2, muon=muon)
    x = torch.randn(256, 32)
    for _ in range(150):
        last = (layer(x) - target(x).detach()).square().mean()
        optimiser.step(last, 1.0)
    assert float(last.detach()) < 0.05
    again = Optimiser(layer, lr=1e-2, muon=muon)
    again.load_state_dict(optimiser.state_dict())
    mine, kept = ([state["state"] for state in which.state_dict()] for which in (again, optimiser))
    assert str(mine) == str(kept)


def test_average_lags_and_swaps_back():
    layer = torch.nn.Linear(2, 2, bias=False)
    average = Average(layer, decay=0.5)
    start = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight += 1
    average.update(1000)
    average.swap()
    torch.testing.assert_close(layer.weight.detach(), start + 0.5)
    average.swap()
    torch.testing.assert_close(layer.weight.detach(), start + 1)


def test_rate_warms_up_and_falls_to_its_floor():
    assert rate(0.0, 0) < rate(0.0, 50) < rate(0.0, 99) == 1.0
    assert rate(0.2, 500) > rate(0.5, 500) > rate(1.0, 500) == pytest.approx(0.03)
    assert rate(1.5, 500) == rate(1.0, 500)
