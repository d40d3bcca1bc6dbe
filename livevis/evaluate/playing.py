"""The flags that every evaluation of a played preset takes."""

from __future__ import annotations

import argparse


def add_play_flags(parser: argparse.ArgumentParser, *, fps: float) -> None:
    """Add --fps, --seed, --engine, --runner, --generate-size and --json, as `livevis.offline.open_generator` reads."""
    parser.add_argument("--fps", type=float, default=fps, help=f"frames a second (default {fps:g})")
    parser.add_argument("--seed", type=int, default=1, help="seed of jam and generator (default 1)")
    parser.add_argument("--engine", default="pocket", help="engine name or diffusers folder (default pocket)")
    parser.add_argument("--runner", default="auto", choices=("auto", "torch", "openvino"))
    parser.add_argument("--generate-size", type=int, help="side of the generated picture (default: the engine's)")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
