"""Which runners there are, and which one `auto` takes."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Literal

from livevis.core.errors import CapabilityError, unknown
from livevis.runners.runner import Network, Runner

RunnerName = Literal["auto", "torch", "openvino"]
RUNNERS: dict[str, str] = {
    "torch": "PyTorch eager on CPU or CUDA",
    "openvino": "OpenVINO on the CPU, compiled once and cached",
}


def choose(name: str) -> tuple[str, str]:
    """Return (runner, why). `auto` decides by what is here; a named runner never falls back.

    Raises CapabilityError when the named one is unknown or cannot run here.
    """
    if name == "auto":
        return _auto()
    if name not in RUNNERS:
        raise CapabilityError(unknown("runner", name, ("auto", *RUNNERS)))
    if importlib.util.find_spec(name) is None:
        raise CapabilityError(f"runner {name} is not installed; pip install {name}")
    return name, f"runner {name}: as asked"


def _auto() -> tuple[str, str]:
    import torch

    if torch.cuda.is_available():
        return "torch", f"runner auto: torch, because there is a GPU ({torch.cuda.get_device_name()})"
    if importlib.util.find_spec("openvino") is not None:
        return "openvino", "runner auto: openvino, because there is no GPU and it is the faster one on a CPU"
    return "torch", "runner auto: torch, because there is no GPU and openvino is not installed"


def open_runner(name: str, network: Network, *, threads: int = 0) -> Runner:
    """Load one network on runner `name`; threads 0 = all cores this process may use."""
    if name == "torch":
        from livevis.runners.torch import TorchRunner

        return TorchRunner(network)
    from livevis.runners.openvino import OpenVinoRunner

    return OpenVinoRunner(network, threads=threads)


def open_runners(name: str, networks: Mapping[str, Network], *, threads: int = 0) -> dict[str, Runner]:
    """Load every network on runner `name`."""
    return {key: open_runner(name, network, threads=threads) for key, network in networks.items()}
