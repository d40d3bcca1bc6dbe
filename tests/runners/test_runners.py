"""Every runner keeps the one contract and computes the same numbers."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from livevis.core.errors import CapabilityError
from livevis.generate.networks import time_features
from livevis.runners import table
from livevis.runners.openvino import OpenVinoRunner, cache_folder
from livevis.runners.runner import Network, Runner

LARGEST_DIFFERENCE: dict[str, float] = {"text": 1e-4, "encode": 1e-4, "denoise": 1e-4, "decode": 1.0}
"""Against torch, in the units of each output; a picture may differ by one level where a value lies on the border."""


@pytest.fixture(scope="module")
def opened(described: dict[str, Network]) -> Iterator[dict[str, dict[str, Runner]]]:
    threads = torch.get_num_threads()
    yield {name: table.open_runners(name, described) for name in table.RUNNERS}
    torch.set_num_threads(threads)


def inputs(network: Network, seed: int = 0) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    made = {}
    for spec in network.inputs:
        if spec.dtype == "float32":
            made[spec.name] = torch.randn(spec.shape, generator=draw) * 2.0
        else:
            made[spec.name] = torch.randint(0, 200, spec.shape, generator=draw, dtype=getattr(torch, spec.dtype))
    if "time" in made:
        made["time"] = time_features(499 + 100 * seed, width=made["time"].shape[1], flip=True, shift=0.0)
    return made


@pytest.mark.parametrize("part", LARGEST_DIFFERENCE)
@pytest.mark.parametrize("name", table.RUNNERS)
def test_the_contract(
    opened: dict[str, dict[str, Runner]], described: dict[str, Network], name: str, part: str
) -> None:
    runner, network = opened[name][part], described[part]
    assert runner.inputs() == network.inputs and runner.outputs() == network.outputs
    result = runner.run(inputs(network))
    assert {key: (tuple(t.shape), str(t.dtype)) for key, t in result.items()} == {
        spec.name: (spec.shape, f"torch.{spec.dtype}") for spec in network.outputs
    }
    (kept,) = result.values()
    copy = kept.clone()
    (other,) = runner.run(inputs(network, seed=1)).values()
    assert torch.equal(kept, copy), "what was given away must not change under its owner"
    assert not torch.equal(kept, other)
    (again,) = runner.run(inputs(network)).values()
    assert torch.equal(kept, again), "the same in, the same out, bit for bit"


@pytest.mark.parametrize("part", LARGEST_DIFFERENCE)
def test_openvino_gives_what_torch_gives(
    opened: dict[str, dict[str, Runner]], described: dict[str, Network], part: str
) -> None:
    wanted, got = (opened[name][part].run(inputs(described[part])) for name in ("torch", "openvino"))
    name = described[part].outputs[0].name
    difference = (wanted[name].double() - got[name].double()).abs().max()
    assert float(difference) <= LARGEST_DIFFERENCE[part]
    assert float(wanted[name].double().std()) > 0.01, "a flat output would prove nothing"


@pytest.mark.parametrize("name", table.RUNNERS)
def test_every_input_stays_live_inputs(
    opened: dict[str, dict[str, Runner]], described: dict[str, Network], name: str
) -> None:
    """A tracer may freeze an input into a constant: then this fails."""
    runner = opened[name]["denoise"]
    base = inputs(described["denoise"])
    plain = runner.run(base)["prediction"]
    for spec in described["denoise"].inputs:
        changed = base | {spec.name: base[spec.name] + 1.0}
        assert (runner.run(changed)["prediction"] - plain).abs().max() > 1e-4, spec.name


def test_a_compiled_network_is_found_again_without_its_weights(described: dict[str, Network]) -> None:
    def must_not_build() -> torch.nn.Module:
        raise AssertionError("the cache was not used")

    first = OpenVinoRunner(described["denoise"])
    again = OpenVinoRunner(replace(described["denoise"], build=must_not_build))
    given = inputs(described["denoise"])
    assert torch.equal(first.run(given)["prediction"], again.run(given)["prediction"])
    with pytest.raises(AssertionError, match="cache was not used"):
        OpenVinoRunner(replace(described["denoise"], build=must_not_build, key="other weights"))


def test_half_a_cached_model_is_converted_afresh(described: dict[str, Network]) -> None:
    network = replace(described["decode"], key="halved")
    OpenVinoRunner(network)
    (weights,) = (cache_folder() / "openvino").glob("decode-halved-*.bin")
    weights.unlink()
    assert OpenVinoRunner(network).run(inputs(network))["picture"].any()


@pytest.mark.parametrize("name", table.RUNNERS)
def test_bf16_is_close_and_said(described: dict[str, Network], name: str) -> None:
    threads = torch.get_num_threads()
    exact, rough = (
        table.open_runners(name, {"denoise": replace(described["denoise"], precision=p)})["denoise"]
        for p in ("f32", "bf16")
    )
    given = inputs(described["denoise"])
    wanted, got = exact.run(given)["prediction"], rough.run(given)["prediction"].float()
    assert float((wanted - got).square().mean().sqrt() / wanted.std()) < 0.1
    assert "bf16" in rough.chosen and "bf16" not in exact.chosen
    assert torch.equal(wanted, got) == (" f32 (" in rough.chosen), "what is said is what is computed"
    torch.set_num_threads(threads)


def test_auto_says_what_it_takes_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    name, why = table.choose("auto")
    assert name == "openvino" and "auto: openvino, because" in why
    _without(monkeypatch, "openvino")
    name, why = table.choose("auto")
    assert name == "torch" and "openvino is not installed" in why


def test_a_named_runner_never_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "openvino")
    with pytest.raises(CapabilityError, match="openvino is not installed"):
        table.choose("openvino")
    with pytest.raises(CapabilityError, match=r"unknown runner 'opnvino' \(did you mean 'openvino'\?\)"):
        table.choose("opnvino")


def _without(patch: pytest.MonkeyPatch, name: str) -> None:
    find: Callable[[str], object] = importlib.util.find_spec
    patch.setattr(table.importlib.util, "find_spec", lambda wanted: None if wanted == name else find(wanted))


def test_the_cache_folder_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVEVIS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("LIVEVIS_CACHE")
    assert cache_folder().name in ("livevis", "cache")
