"""OpenVINO on the CPU: static shapes, one request, latency first; compiled once, then read from a cache."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from livevis.core.machine import cores
from livevis.runners.runner import Network, TensorSpec


def cache_folder() -> Path:
    """Return where compiled networks are kept: LIVEVIS_CACHE, else the platform's own place for caches."""
    if "LIVEVIS_CACHE" in os.environ:
        return Path(os.environ["LIVEVIS_CACHE"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "livevis/cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/livevis"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "livevis"


class OpenVinoRunner:
    """One compiled network with one request; inputs are copied into its own buffers, outputs copied out."""

    def __init__(self, network: Network, *, threads: int = 0) -> None:
        import openvino

        # torch's idle OpenMP threads spin on the cores that OpenVINO computes on: 10..14 ms a frame on two cores.
        torch.set_num_threads(1)
        self._network = network
        core = openvino.Core()
        precision = _precision(core, network.precision)
        folder, threads = cache_folder() / "openvino", threads or cores()
        # OpenVINO's own cache does not look at precision: handed a blob compiled for f32 it plays noise in bf16.
        blobs = folder / f"compiled-{precision}-{threads}"
        compiled = core.compile_model(
            str(_saved(network, folder)),
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": precision,
                "CACHE_DIR": str(blobs),
            },
        )
        self._request = compiled.create_infer_request()
        self._buffers = {spec.name: _bind(self._request, spec) for spec in network.inputs}
        self._outputs = {
            spec.name: torch.from_numpy(self._request.get_output_tensor(place).data)
            for place, spec in enumerate(network.outputs)
        }
        self.chosen = f"openvino {openvino.__version__.split('-')[0]} CPU {precision}"
        if precision != network.precision:
            self.chosen += f" (this CPU has no {network.precision})"

    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._network.inputs

    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._network.outputs

    def run(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        for name, buffer in self._buffers.items():
            buffer.copy_(tensors[name])
        self._request.infer()
        return {name: output.clone() for name, output in self._outputs.items()}


def _precision(core: Any, wanted: str) -> str:
    """Return the precision that this CPU computes in; asking OpenVINO for one it lacks would be ignored in silence."""
    able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return wanted if wanted == "f32" or "BF16" in able else "f32"


def _bind(request: Any, spec: TensorSpec) -> Tensor:
    """Hand the request a buffer that torch writes to without a copy between."""
    import openvino

    buffer = torch.zeros(spec.shape, dtype=getattr(torch, spec.dtype))
    request.set_tensor(spec.name, openvino.Tensor(buffer.numpy(), shared_memory=True))
    return buffer


def _saved(network: Network, folder: Path) -> Path:
    """Return the converted model's file, converting first when the cache has none for this content and versions."""
    import openvino

    version = f"{openvino.__version__.split('-')[0]}-torch{torch.__version__.split('+')[0]}"
    path = folder / f"{network.name}-{network.key}-{version}.xml"
    if path.is_file() and path.with_suffix(".bin").is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    model = _convert(network)
    # Written aside and renamed, weights first: a reader never sees half a model, two writers write the same.
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        fresh = Path(aside) / path.name
        openvino.save_model(model, str(fresh), compress_to_fp16=False)
        fresh.with_suffix(".bin").replace(path.with_suffix(".bin"))
        fresh.replace(path)
    return path


def _convert(network: Network) -> Any:
    import openvino

    example = {spec.name: torch.zeros(spec.shape, dtype=getattr(torch, spec.dtype)) for spec in network.inputs}
    with torch.inference_mode(), warnings.catch_warnings():
        # Tracing warns of Python decisions taken from shapes, which are fixed here, and of what OpenVINO's own
        # front end touches (torch.jit.trace, every attribute of every module): nothing to act on.
        warnings.simplefilter("ignore")
        model = openvino.convert_model(
            network.build(), example_input=example, input=[(s.name, list(s.shape)) for s in network.inputs]
        )
    for port, spec in zip(model.inputs, network.inputs, strict=True):
        port.get_tensor().set_names({spec.name})
    return model
