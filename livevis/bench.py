"""`livevis bench`: generated frames a second by runner, where the time goes, and diffusers beside it.

All contestants play the same checkpoint in one process and take turns in short blocks, because a machine's
speed drifts by more between runs than the differences that are asked about.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livevis.core.types import Cue, Picture
from livevis.evaluate.ways import METHODS, PROMPT, STANDING_METHODS, Changes, asked, controls, paths, split

if TYPE_CHECKING:
    from livevis.generate.diffusion import DiffusionGenerator
    from livevis.runners.runner import Runner

FRAMES, WARM = 12, 2
FPS = 30.0


@dataclass(slots=True)
class Contestant:
    """One loop under test.

    frame: makes one frame from an init picture; spent_ms: reads and clears the time in networks.
    """

    name: str
    frame: Callable[[Picture], Any]
    torch_threads: int
    spent_ms: Callable[[], float] | None = None
    frames_ms: list[float] = field(default_factory=list)
    blocks_ms: list[float] = field(default_factory=list)
    networks_ms: list[float] = field(default_factory=list)


class _Timed:
    """A runner that adds up how long it ran."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.spent_s = runner, 0.0
        self.chosen, self.inputs, self.outputs = runner.chosen, runner.inputs, runner.outputs

    def run(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        result = self.runner.run(tensors)
        self.spent_s += time.perf_counter() - began
        return result


def main(options: argparse.Namespace) -> int:
    """Run `livevis bench` from parsed flags (engine, runner, size, steps, edits, methods, ...) and print the result."""
    result = bench(
        engine=options.engine,
        runners=[name.strip() for name in options.runner.split(",") if name.strip()],
        size=options.size,
        steps=options.steps,
        edits=options.edits,
        methods=options.methods,
        peers=options.peer,
        repeats=options.repeats,
    )
    print(json.dumps(result, indent=1) if options.json else report(result))
    return 0


def bench(
    *,
    engine: str = "pocket",
    runners: Sequence[str] = ("torch", "openvino"),
    size: int = 256,
    steps: int = 1,
    edits: Sequence[int] = (),
    methods: bool = False,
    peers: Sequence[str] = (),
    repeats: int = 5,
    frames: int = FRAMES,
) -> dict[str, Any]:
    """Time every runner on every path, and the peers, in alternating blocks; medians over `repeats` blocks.

    edits: for each number 1..4, the default path once more with so many edit slots heard; methods: and once with each
    of METHODS. Returns plain values: machine, conditions, contestants (ms, fps, network ms, overhead share), ratios to
    each peer, and the time of each path with edits, and of each method by runner, as a multiple of the plain one.
    """
    from livevis.generate.engine import load_engine

    checked = load_engine(engine)
    load_before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    played = paths(edits, methods=methods)
    contestants = [one for name in runners for one in _ours(checked, name, played, size=size, steps=steps)]
    contestants += _peers(checked, peers, steps=steps)
    _take_turns(contestants, _scenes(size), repeats=repeats, frames=frames)
    return {
        "machine": _machine() | {"load_before": round(load_before, 2)},
        "conditions": {
            "engine": checked.name, "size": size, "steps": steps, "strength": checked.strength, "repeats": repeats,
            "frames": frames, "peers_get": "prompt encoded beforehand", "audio_and_stage": "not running",
        },
        "contestants": [_row(one) for one in contestants],
        "ratios": _ratios(contestants),
        "edits": {name: ratio for name, ratio in _cost(contestants).items() if " edits=" in name},
        "methods": _table(_cost(contestants)),
    }  # fmt: skip


def _ours(engine: Any, name: str, played: Mapping[str, Changes], *, size: int, steps: int) -> list[Contestant]:
    import torch

    from livevis.generate.diffusion import DiffusionGenerator
    from livevis.runners.openvino import cores

    generator = DiffusionGenerator(engine, runner=name, size=size, strict=True)  # type: ignore[arg-type]
    timed = {part: _Timed(runner) for part, runner in generator.runners.items()}
    generator.runners.update(timed)
    generator.variants.through(lambda runner: timed.setdefault(f"variant {len(timed)}", _Timed(runner)))
    threads = 1 if generator.runner == "openvino" else cores()
    torch.set_num_threads(threads)
    return [
        Contestant(
            f"{generator.runner} {path}", _play(generator, changed, engine.strength, steps), threads, _spent(timed)
        )
        for path, changed in played.items()
    ]


def _play(generator: DiffusionGenerator, changed: Changes, strength: float, steps: int) -> Callable[[Picture], Any]:
    """Return a loop that goes on from call to call, as on stage."""
    import numpy as np

    at = controls({"diffusion/steps": steps, "diffusion/strength": strength, **changed})
    shape = generator.engine.tokens - 1, generator.engine.text_width
    sound = np.random.default_rng(1).standard_normal(shape, np.float32)
    state, held = generator.init(1), None

    def frame(picture: Picture) -> Picture:
        nonlocal state, held
        if at.text("init/source") == "image":
            picture = held = picture if held is None else held
        cue = Cue(state.frame, int(state.frame * 48_000 / FPS), state.frame / FPS, at)
        state, made = generator.step(state, cue, asked(at, sound), picture)
        return made

    return frame


def _spent(timed: Mapping[str, _Timed]) -> Callable[[], float]:
    def read_and_clear() -> float:
        total = sum(one.spent_s for one in timed.values())
        for one in timed.values():
            one.spent_s = 0.0
        return total * 1000.0

    return read_and_clear


def _peers(engine: Any, peers: Sequence[str], *, steps: int) -> list[Contestant]:
    from livevis.runners.openvino import cores

    if "diffusers" not in peers:
        return []
    from livevis.evaluate.peers import diffusers_frames

    loops = diffusers_frames(engine, prompt=PROMPT, strength=engine.strength, steps=steps)
    return [Contestant(name, frame, cores()) for name, frame in loops.items()]


def _scenes(size: int) -> list[Picture]:
    """A few different init pictures, so that nothing can be kept from frame to frame."""
    import numpy as np

    draw = np.random.default_rng(0)
    coarse = [draw.integers(0, 256, (8, 8, 3), dtype=np.uint8) for _ in range(FRAMES)]
    return [np.kron(picture, np.ones((size // 8, size // 8, 1), np.uint8)) for picture in coarse]


def _take_turns(contestants: Sequence[Contestant], scenes: Sequence[Picture], *, repeats: int, frames: int) -> None:
    import torch

    for repeat in range(repeats):
        at = repeat % len(contestants)
        for one in (*contestants[at:], *contestants[:at]):  # nobody always follows the same neighbour
            torch.set_num_threads(one.torch_threads)
            _block(one, scenes, frames)


def _block(one: Contestant, scenes: Sequence[Picture], frames: int) -> None:
    for picture in scenes[:WARM]:
        one.frame(picture)
    if one.spent_ms is not None:
        one.spent_ms()
    times = []
    for k in range(frames):
        began = time.perf_counter()
        one.frame(scenes[(WARM + k) % len(scenes)])
        times.append((time.perf_counter() - began) * 1000.0)
    one.frames_ms += times
    one.blocks_ms.append(statistics.median(times))
    if one.spent_ms is not None:
        one.networks_ms.append(one.spent_ms() / sum(times))


def _row(one: Contestant) -> dict[str, Any]:
    ms = statistics.median(one.blocks_ms)
    row: dict[str, Any] = {
        "name": one.name,
        "ms": round(ms, 2),
        "fps": round(1000.0 / ms, 1),
        "ms_lowest": round(min(one.blocks_ms), 2),
        "ms_highest": round(max(one.blocks_ms), 2),
        "ms_p99": round(_percentile(one.frames_ms, 0.99), 2),
    }
    if one.networks_ms:
        share = statistics.median(one.networks_ms)
        row |= {"networks_ms": round(ms * share, 2), "overhead": round(1.0 - share, 4)}
    return row


def _percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def _ratios(contestants: Sequence[Contestant]) -> dict[str, dict[str, float]]:
    """How many times faster each of ours is than each peer: the median over repeats of paired blocks."""
    peers = [one for one in contestants if one.spent_ms is None]
    return {
        peer.name: {
            one.name: round(statistics.median(p / o for p, o in zip(peer.blocks_ms, one.blocks_ms, strict=True)), 2)
            for one in contestants
            if one.spent_ms is not None
        }
        for peer in peers
    }


def _cost(contestants: Sequence[Contestant]) -> dict[str, float]:
    """What a steered frame takes as a multiple of the plain frame on the same runner: median of paired blocks."""
    by_name = {one.name: one for one in contestants}
    pairs = [(one, by_name[plain]) for one in contestants if (plain := split(one.name)[0])]
    return {
        one.name: round(statistics.median(e / p for e, p in zip(one.blocks_ms, plain.blocks_ms, strict=True)), 2)
        for one, plain in pairs
    }


def _table(cost: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Method -> runner -> its cost, in the order of the table of methods."""
    found: dict[str, dict[str, float]] = {method: {} for method in (*METHODS, *STANDING_METHODS)}
    for name, ratio in cost.items():
        found.get(split(name)[1], {})[name.partition(" ")[0]] = ratio
    return {method: row for method, row in found.items() if row}


def _machine() -> dict[str, Any]:
    from importlib.metadata import version

    from livevis.runners.openvino import cores

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    versions = {name: version(name) for name in ("torch", "openvino", "diffusers")}
    return {"cpu": models[0] if models else platform.processor(), "cores": cores(), **versions}


def report(result: Mapping[str, Any]) -> str:
    """Lay the result of `bench` out as lines of text."""
    machine, conditions = result["machine"], result["conditions"]
    width = max(26, *(len(row["name"]) + 1 for row in result["contestants"]))
    lines = [
        "  ".join(f"{key}={value}" for key, value in machine.items()),
        "  ".join(f"{key}={value}" for key, value in conditions.items()),
        f"{'':{width}}{'ms/frame':>10}{'p99':>8}{'fps':>8}{'networks':>10}{'overhead':>10}",
    ]
    for row in result["contestants"]:
        more = f"{row['networks_ms']:10.2f}{row['overhead']:10.1%}" if "overhead" in row else ""
        lines.append(f"{row['name']:{width}}{row['ms']:10.2f}{row['ms_p99']:8.1f}{row['fps']:8.1f}{more}")
    for peer, ours in result["ratios"].items():
        lines += [f"{name} is x{ratio} of {peer}" for name, ratio in ours.items()]
    lines += [f"{name} takes x{ratio} of the plain time" for name, ratio in result["edits"].items()]
    if result["methods"]:
        lines.append("time of a frame, plain = 1")
    for name, row in result["methods"].items():
        lines.append(f"{name:26}" + "  ".join(f"{runner} x{ratio:.2f}" for runner, ratio in row.items()))
    return "\n".join(lines)
