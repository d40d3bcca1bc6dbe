"""`livevis eval meaning`: does the picture show what is heard, as strongly as it is heard, as soon, and two at once?

The sounds are the nine of the Landscape data as livevis.world synthesises them, held-out takes (odd seeds, which the
ears never heard). They are played offline by a preset; what the questions need is set over it (the prompts), and --set
has the last word, so that any way of playing can be measured.

swells: each sound falls, swells and falls again (16 s) over a picture at rest of a calm ocean, with aadiff/full 1. r is
the correlation of each frame's cosine with the thing's word (the engine's CLIP) with the sound's mean spectral
magnitude, smoothed by a centred window of 2.5 s, at the best lag within 2 s (a picture that is late: positive), from
1 s on; chance is its 95th percentile over random circular shifts of the magnitude. chosen is the share of frames from
3 s on at which the word of the picture is the best of all: the phrases of all nine, and the words of the prompts.
changes: rain, fire, wind in grass, 8 s each, cross-faded over 0.5 s; reached is the time from the beginning of the
cross-fade to the first frame that the judge of `livevis eval engine` names right and 95 % of the rest of which it does.
pairs: two sounds as loud as each other for 5 s, aadiff/words 2. named, as AADiff has it: one prompt names both ("a fire
over rain") and the sound lifts its words. called: over the picture at rest each thing and both together are prompts, of
which the sound chooses. A pair counts where the judge finds both things (probability 0.5 each, as on the engine's card)
in more than half of the frames of the last 2 s. Beside it: called with the first sound alone, where both would be
wrong, and named without sound. Pairs are played at a quarter of the frame rate.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.core.types import Picture
from livevis.evaluate.align import finite
from livevis.evaluate.exam.exam import Figure, line, proportion
from livevis.evaluate.landscape import parts
from livevis.evaluate.landscape.parts import Change, Pair, Swell
from livevis.evaluate.landscape.stage import Theatre, contact_sheet
from livevis.evaluate.playing import add_play_flags

QUESTIONS = ("swells", "changes", "pairs")
JUDGED_S = 2.0
Say = Callable[[str], None]


def swell_figures(rows: Sequence[Swell]) -> Iterator[Figure]:
    """What is said of all swells together."""
    yield Figure("swells", "likeness follows magnitude, median r", _median(row.r for row in rows), len(rows), goal=0.8)
    yield Figure("swells", "the same without a lag", _median(row.r_at_0 for row in rows), len(rows))
    yield Figure("swells", "the same by chance", _median(row.chance_p95 for row in rows), len(rows))
    chosen = float(np.mean([row.chosen for row in rows]))
    yield Figure("swells", "the sound's word is the chosen one, share of frames", chosen, len(rows), goal=0.9)


def change_figures(rows: Sequence[Change]) -> Iterator[Figure]:
    """What is said of all changes together; one that is never reached counts as endless."""
    times = [math.inf if row.reached_s is None else row.reached_s for row in rows]
    yield Figure("changes", "seconds to the right scene, median", _median(times), len(rows))
    yield Figure("changes", "seconds to the right scene, slowest", max(times), len(rows), goal=3.0, at_most=True)
    yield Figure("changes", "right scene, share of frames", float(np.mean([row.share for row in rows])), len(rows))


def pair_figures(rows: Sequence[Pair]) -> Iterator[Figure]:
    """What is said of all pairs together."""
    yield proportion("pairs", "named, both sounding: both found", [row.named > 0.5 for row in rows])
    yield proportion("pairs", "called, both sounding: both found", [row.called > 0.5 for row in rows], goal=0.8)
    yield proportion("pairs", "called, one sounding: both found", [row.alone > 0.5 for row in rows])
    yield proportion("pairs", "named, without sound: both found", [row.silent > 0.5 for row in rows])
    yield proportion("pairs", "the ears choose both", [row.chosen > 0.5 for row in rows])
    both, alone = (np.mean([row.strength_both[1] for row in rows]), np.mean([row.strength_alone[1] for row in rows]))
    yield Figure("pairs", "strength of the second thing when it sounds", float(both), len(rows))
    yield Figure("pairs", "strength of the second thing when it is silent", float(alone), len(rows))


def _median(values: Iterator[float] | Sequence[float]) -> float:
    return float(np.median(list(values)))


def _swells(theatre: Theatre, options: argparse.Namespace, say: Say) -> tuple[list[Any], list[Figure]]:
    clip = options.clip or theatre.generator.engine.folder / "clip"
    rows = []
    for row in parts.swells(
        theatre, clip, things=parts.things_named(options.sounds), first=options.first, seconds=options.seconds,
        fps=options.fps, seed=options.seed,
    ):  # fmt: skip
        say(
            f"  {row.sound:20} r {row.r:5.2f} at {1000 * row.lag_s:+5.0f} ms ({row.r_at_0:5.2f} at none, "
            f"chance {row.chance_p95:4.2f})  '{row.word}' chosen {row.chosen:4.2f}"
        )
        rows.append(row)
    return rows, list(swell_figures(rows))


def _changes(theatre: Theatre, options: argparse.Namespace, say: Say) -> tuple[list[Any], list[Figure]]:
    rows: list[Change] = []
    reels: list[Sequence[Picture]] = []
    takes = range(options.first, options.first + options.takes)
    for row, played in parts.changes(theatre, takes=takes, each_s=options.each, fps=options.fps):
        reached = "never" if row.reached_s is None else f"{row.reached_s:.2f} s"
        say(f"  take {row.take}: {row.sound:12} reached after {reached:8} right in {row.share:4.2f} of its frames")
        rows.append(row)
        reels.append(played.pictures)
    if options.sheet:
        contact_sheet(reels, options.sheet)
    return rows, list(change_figures(rows))


def _pairs(theatre: Theatre, options: argparse.Namespace, say: Say) -> tuple[list[Any], list[Figure]]:
    rows = []
    for row in parts.pairs(
        theatre, parts.all_pairs(options.pairs), first=options.first, seconds=options.pair_seconds,
        judged_s=min(JUDGED_S, options.pair_seconds), fps=options.fps / 4,
    ):  # fmt: skip
        say(
            f"  {' + '.join(row.sounds):36} named {row.named:4.2f}  called {row.called:4.2f}  first alone "
            f"{row.alone:4.2f}  silent {row.silent:4.2f}  ears {row.chosen:4.2f}"
        )
        rows.append(row)
    return rows, list(pair_figures(rows))


_ASK = {"swells": _swells, "changes": _changes, "pairs": _pairs}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "livevis eval meaning", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default=",".join(QUESTIONS), help=f"some of {','.join(QUESTIONS)}")
    parser.add_argument("--preset", default="weather", help="preset that plays (default weather)")
    parser.add_argument("--set", action="append", default=[], metavar="ID=VALUE", help="a value over all others")
    parser.add_argument("--sounds", default="", help="swells of these alone, comma-separated (default: all nine)")
    parser.add_argument("--first", type=int, default=0, help="number of the first held-out take (default 0)")
    parser.add_argument("--seconds", type=float, default=16.0, help="length of a swell (default 16)")
    parser.add_argument("--each", type=float, default=8.0, help="seconds of each sound of the changes (default 8)")
    parser.add_argument("--takes", type=int, default=3, help="takes of the changes (default 3)")
    parser.add_argument("--pairs", type=int, default=36, help="how many of the 36 pairs (default all)")
    parser.add_argument("--pair-seconds", type=float, default=5.0, help="length of a pair (default 5)")
    parser.add_argument("--clap", help="ClapModel folder that listens (default: the engine's)")
    parser.add_argument("--clip", type=Path, help="CLIPModel folder that measures likeness (default: the engine's)")
    parser.add_argument("--judge", type=Path, help="folder of the judge (default: engines/judge)")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="contact sheet of the changes, a row a sound")
    add_play_flags(parser, fps=24.0)
    return parser


def _checked(options: argparse.Namespace) -> list[str]:
    wanted = [name for name in options.parts.split(",") if name]
    for name in wanted:
        if name not in QUESTIONS:
            raise ConfigError(unknown("part", name, QUESTIONS))
    if not (options.fps > 0 and options.seconds >= 2 and options.each >= 1 and options.pair_seconds >= 1):
        raise ConfigError("fps above 0, a swell of 2 s or more, changes and pairs of 1 s or more")
    if options.takes < 1 or options.pairs < 1 or options.first < 0:
        raise ConfigError("takes and pairs are 1 or more, the first take is 0 or more")
    return wanted


def _theatre(options: argparse.Namespace) -> Theatre:
    from livevis.core.places import assets
    from livevis.offline import open_generator
    from livevis.show import overrides
    from livevis.train.judge.network import load_judge

    judge = load_judge(options.judge or assets("engines") / "judge")
    return Theatre(
        open_generator(options), judge, preset=options.preset, settings=overrides(options.set), seed=options.seed,
        clap=options.clap,
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval meaning`; returns the exit code."""
    options = _parser().parse_args(arguments)
    wanted = _checked(options)
    theatre = _theatre(options)
    report = sys.stderr if options.json else sys.stdout

    def say(text: str) -> None:
        print(text, file=report, flush=True)

    said: dict[str, Any] = {}
    for name in wanted:
        say(name)
        rows, figures = _ASK[name](theatre, options, say)
        for figure in figures:
            say(line(figure))
        said[name] = {"rows": [asdict(row) for row in rows], "figures": [figure.as_row() for figure in figures]}
    if options.json:
        head = {key: getattr(options, key) for key in ("preset", "set", "first", "fps", "seed", "engine", "clap")}
        print(json.dumps(finite({**head, "parts": said}), indent=1, allow_nan=False))
    return 0
