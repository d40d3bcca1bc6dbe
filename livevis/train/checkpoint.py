"""Training state on disk: one file a stage, replaced in one move, so a kill at any moment leaves a whole one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch


def save(folder: Path, name: str, state: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{name}.pt.new"
    torch.save(state, fresh)
    os.replace(fresh, folder / f"{name}.pt")


def load(folder: Path, name: str) -> dict[str, Any] | None:
    """The last saved state of stage `name`, or None; only tensors and plain values are read, never code."""
    if not exists(folder, name):
        return None
    state: dict[str, Any] = torch.load(folder / f"{name}.pt", map_location="cpu", weights_only=True)
    return state


def exists(folder: Path, name: str) -> bool:
    return (folder / f"{name}.pt").exists()


def clear(folder: Path, names: Iterable[str]) -> None:
    """Forget these stages: the start of a run without `resume`."""
    for name in names:
        (folder / f"{name}.pt").unlink(missing_ok=True)


def stream(seed: int, name: str, step: int) -> torch.Generator:
    """The random stream of one step, a function of its place alone: a resumed run draws what an unbroken one would."""
    mixed = seed
    for byte in f"{name}/{step}".encode():
        mixed = (mixed * 1_000_003 ^ byte) & 0x7FFF_FFFF_FFFF_FFFF
    return torch.Generator().manual_seed(mixed)
