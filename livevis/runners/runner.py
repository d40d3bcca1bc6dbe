"""The contract of a runner: one network on one runtime, tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """Name, fixed shape and dtype ("float32", "uint8", "int64") of one input or output."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Network:
    """A network to run: `build` makes it (float32, eval) and is called only if no compiled copy is at hand.

    key: hash of everything that decides the result (weights, configs, shapes, our own wrapper): names cached copies.
    precision: "f32" or "bf16"; a runtime that cannot do bf16 on this machine says so in `Runner.chosen` and uses f32.
    """

    name: str
    key: str
    build: Callable[[], nn.Module]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    precision: str = "f32"


class Runner(Protocol):
    """One loaded network."""

    chosen: str
    """Runtime, device and precision in words."""

    def inputs(self) -> tuple[TensorSpec, ...]:
        """Return what `run` wants."""
        ...

    def outputs(self) -> tuple[TensorSpec, ...]:
        """Return what `run` gives."""
        ...

    def run(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run once [generator process, one thread]; the outputs are the caller's to keep."""
        ...
