"""PyTorch eager, channels last (on a CPU that is 1.7 times faster than the layout the libraries use by default)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from livevis.runners.runner import Network, TensorSpec


def best_device() -> torch.device:
    """Return CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class TorchRunner:
    """A network as it is, in inference mode; bf16 by autocast on CUDA, where every card that matters has it."""

    def __init__(self, network: Network, *, device: torch.device | None = None) -> None:
        self._network = network
        self._device = device or best_device()
        module = network.build().to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._module = module.eval().requires_grad_(False)
        self._bf16 = network.precision == "bf16" and self._device.type == "cuda"
        self.chosen = f"torch {torch.__version__} {self._device.type} {'bf16' if self._bf16 else 'f32'}"
        if network.precision == "bf16" and not self._bf16:
            self.chosen += " (bf16 on a CPU is played by openvino)"

    def inputs(self) -> tuple[TensorSpec, ...]:
        return self._network.inputs

    def outputs(self) -> tuple[TensorSpec, ...]:
        return self._network.outputs

    @torch.inference_mode()
    def run(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        rows = [tensors[spec.name].to(self._device, non_blocking=True) for spec in self._network.inputs]
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
            result = self._module(*rows)
        made = result if isinstance(result, tuple) else (result,)
        return {spec.name: tensor for spec, tensor in zip(self._network.outputs, made, strict=True)}
