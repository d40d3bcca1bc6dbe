"""`livevis eval engine`: an engine examined on held-out draws by a judge that was taught by renders alone.

Recognition (the right scene, held-out mixtures), sharpness (detail, distances between sets of pictures) and play (a
word's gain moves what it names), each with its goal. Pictures are made as on stage; intervals are 95 % Wilson.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from livevis.evaluate.exam import gains, recognition, sharpness
from livevis.evaluate.exam.exam import Exam, Figure, line
from livevis.generate.engine import Engine, load_engine

PARTS: Mapping[str, Callable[[Exam], Iterator[Figure]]] = {
    "recognition": recognition.measure,
    "sharpness": sharpness.measure,
    "play": gains.measure,
}
COUNT = 256


def open_exam(engine: Engine, judge: Path, *, runner: Any, threads: int, seed: int, count: int) -> Exam:
    """Load engine and judge. Raises EngineError where either is missing."""
    from livevis.evaluate.exam.player import Player
    from livevis.train.judge.network import load_judge

    judged_by = load_judge(judge)  # before the runner: a missing judge is said at once
    return Exam(Player(engine, runner=runner, threads=threads), judged_by, seed=seed, count=count)


def identity(engine: Engine, judge: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what figures depend on: the weights of both, and how many draws of which seed were played how."""
    digest = hashlib.blake2b(digest_size=12)
    for folder in (engine.folder, judge):
        for path in sorted(folder.glob("**/*.safetensors")):
            if path.parent.name != "clip":
                digest.update(path.read_bytes())
    return {"weights": digest.hexdigest(), "runner": options.runner, "count": options.count, "seed": options.seed}


def examine(exam: Exam, parts: Sequence[str], kept: dict[str, Any], note: Callable[[], None]) -> Iterator[Figure]:
    """Yield the figures of `parts`; those of a part that is in `kept` are not measured again.

    `note()` is called after each part with `kept` grown by it.
    """
    for name in parts:
        if name in kept:
            for row in kept[name]:
                yield Figure(**{key: value for key, value in row.items() if key != "reached"})
            continue
        figures = []
        for figure in PARTS[name](exam):
            figures.append(figure)
            yield figure
        kept[name] = [figure.as_row() for figure in figures]
        note()


def _kept(path: Path | None, wanted: dict[str, Any]) -> dict[str, Any]:
    if path is None or not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return dict(found["parts"]) if found.get("identity") == wanted else {}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("livevis eval engine", description=__doc__)
    parser.add_argument("--engine", default="pocket", help="engine name or diffusers folder")
    parser.add_argument("--judge", type=Path, help="folder of the judge (default: engines/judge)")
    parser.add_argument("--count", type=int, default=COUNT, help=f"held-out draws of each kind (default {COUNT})")
    parser.add_argument("--seed", type=int, default=1, help="of the world's draws and of the noise (default 1)")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--runner", default="auto", choices=("auto", "torch", "openvino"))
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: all)")
    parser.add_argument("--keep", type=Path, metavar="FILE.json", help="figures to keep; those there are not redone")
    parser.add_argument("--grid", type=Path, metavar="OUT.png", help="also draw a contact sheet")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval engine`; returns the exit code."""
    from livevis.core.errors import ConfigError, unknown
    from livevis.core.places import assets

    options = _parser().parse_args(arguments)
    parts = [name for name in options.parts.split(",") if name]
    for name in parts:
        if name not in PARTS:
            raise ConfigError(unknown("part", name, PARTS))
    if options.count < 2:
        raise ConfigError(f"count {options.count}: at least 2")
    engine, judge = load_engine(options.engine), options.judge or assets("engines") / "judge"
    exam = open_exam(
        engine, judge, runner=options.runner, threads=options.threads, seed=options.seed, count=options.count
    )
    of = identity(engine, judge, options)
    kept = _kept(options.keep, of)

    def note() -> None:
        if options.keep is not None:
            options.keep.write_text(json.dumps({"identity": of, "parts": kept}, indent=1) + "\n", encoding="utf-8")

    report = sys.stderr if options.json else sys.stdout
    print(f"{engine.name}, {exam.player.size}², {exam.player.chosen}", file=report, flush=True)
    figures = []
    for figure in examine(exam, parts, kept, note):
        figures.append(figure)
        print(line(figure), file=report, flush=True)
    if options.grid is not None:
        from livevis.evaluate.exam.sheet import write_sheet

        write_sheet(exam, options.grid)
    if options.json:
        about = {"engine": engine.name, "size": exam.player.size, "runner": exam.player.chosen, **of}
        print(json.dumps({**about, "figures": [figure.as_row() for figure in figures]}, indent=1))
    return 0
