"""`livevis eval drums`: does what the audience sees move with the drums? AV-Align over held-out drum loops.

Loops on the jam's own drums, of eight styles from 84 to 174 bpm (`evaluate.drum_loops`), are rendered by the offline
stages at 24 frames a second, and the composed pictures are measured as `livevis eval align` measures a video: AV-Align
(Yariv et al. 2024) raw and at the best lag, each beside the chance level, and how many frames after its attack an
onset is answered. The preset made for drums is measured beside the default one, which shows what it brings; --tuning
plays the loops that presets may be tuned on, none of which is held out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Picture
from livevis.evaluate.align import PUBLISHED, AlignPlan, align, finite
from livevis.evaluate.drum_loops import STYLES, DrumLoop, loops
from livevis.evaluate.excerpt import F64
from livevis.evaluate.playing import add_play_flags
from livevis.evaluate.recording import Recording
from livevis.evaluate.sync.latency import latency
from livevis.evaluate.sync.onsets import at_metric_rate

PRESETS = ("strike", "hearth")
LOOPS, SECONDS, SIZE_PX = 24, 8.0, 256
SCORES = ("raw", "raw_chance", "compensated", "compensated_chance")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrumPlan:
    """How loops are shown: seconds of each, frames a second, side of the picture, seed of the generator."""

    seconds: float = SECONDS
    fps: float = 24.0
    size_px: int = SIZE_PX
    seed: int = 1
    sheets: Path | None = None

    def __post_init__(self) -> None:
        if not (self.seconds * self.fps >= 3 and self.size_px >= 64):
            raise ConfigError("drums are measured over three frames at least, on pictures of 64 pixels at least")


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """One loop: its style, the report of `align`, and how long each answered onset waited."""

    loop: DrumLoop
    report: dict[str, Any]
    delays_s: F64

    def as_row(self) -> dict[str, Any]:
        """Return the loop's name and numbers."""
        head = {"loop": self.loop.name, "style": self.loop.style, "seed": self.loop.seed, "bpm": self.loop.bpm}
        return {**head, **{key: self.report[key] for key in ("onsets", "peaks", "av_align", "latency", "flicker")}}


def score(loop: DrumLoop, preset: str, generator: Any, plan: DrumPlan) -> Score:
    """Render one loop with a preset and measure what was shown. generator: None is the shader lane alone."""
    how = AlignPlan(fps=plan.fps)
    sound = at_metric_rate(loop.samples, SAMPLE_RATE_HZ)
    report, curves = align(_shown(loop, preset, generator, plan), sound, how)
    return Score(loop, report, latency(curves.attacks_s, curves.motion, fps=plan.fps).delays_s)


def _shown(loop: DrumLoop, preset: str, generator: Any, plan: DrumPlan) -> Iterator[Picture]:
    from livevis.offline import frames
    from livevis.show import Show
    from livevis.stage.sheet import ContactSheet

    count, size = round(plan.seconds * plan.fps), (plan.size_px, plan.size_px)
    sheet = ContactSheet(count, size)
    for frame in frames(
        Recording(loop.name, loop.samples), Show(preset=preset, settings={}), count=count, fps=plan.fps, size=size,
        generator=generator, seed=plan.seed,
    ):  # fmt: skip
        sheet.add(frame.index, frame.image)
        yield frame.image
    if plan.sheets:
        sheet.save(plan.sheets / f"{preset} {loop.name}.png")


def summary(scores: Sequence[Score], *, fps: float) -> dict[str, Any]:
    """Return the means over the loops, the latency over all their onsets, and the share of onsets answered.

    sd: standard deviation of the raw score from loop to loop. Loops without onset and peak count for nothing; an onset
    that nothing answers has an endless latency.
    """
    table = np.array([[each.report["av_align"][name] for name in SCORES] for each in scores])
    delays = np.concatenate([each.delays_s for each in scores]) * fps
    asked = sum(each.report["latency"]["onsets"] for each in scores)
    never = np.full(max(asked - len(delays), 0), np.inf)
    everyone = np.concatenate([delays, never])
    median, p90 = np.percentile(everyone, [50, 90], method="inverted_cdf") if asked else (np.nan, np.nan)
    return {
        "loops": len(scores),
        **{name: _mean(column) for name, column in zip(SCORES, table.T, strict=True)},
        "sd": float(np.nanstd(table[:, 0])) if np.isfinite(table[:, 0]).any() else float("nan"),
        "lag_ms": _mean(np.array([each.report["av_align"]["lag_ms"] for each in scores])),
        "latency_median_frames": float(median),
        "latency_p90_frames": float(p90),
        "answered": len(delays) / asked if asked else float("nan"),
        "flicker": _mean(np.array([each.report["flicker"] for each in scores])),
    }


def _mean(values: F64) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def measure(preset: str, played: Sequence[DrumLoop], generator: Any, plan: DrumPlan) -> dict[str, Any]:
    """Return a preset's report: all loops together, style by style, and each loop."""
    scores = [score(loop, preset, generator, plan) for loop in played]
    styles = {style: [each for each in scores if each.loop.style == style] for style in STYLES}
    return {
        "preset": preset,
        "all": summary(scores, fps=plan.fps),
        "styles": {style: summary(found, fps=plan.fps) for style, found in styles.items() if found},
        "loops": [each.as_row() for each in scores],
    }


def lines(report: dict[str, Any]) -> list[str]:
    """Return a preset's report as text."""
    columns = f"{'loops':>6}{'raw':>7}{'chance':>8}{'best lag':>10}{'chance':>8}{'lag ms':>8}"
    head = f"{columns}{'median':>8}{'p90':>6}  frames"
    rows = [*report["styles"].items(), ("all", report["all"])]
    return [f"{report['preset']:16}{head}", *(f"  {name:14}{_cells(row)}" for name, row in rows)]


def _cells(row: dict[str, Any]) -> str:
    return (
        f"{row['loops']:6}{row['raw']:7.3f}{row['raw_chance']:8.3f}{row['compensated']:10.3f}"
        f"{row['compensated_chance']:8.3f}{row['lag_ms']:+8.0f}{row['latency_median_frames']:8.2f}"
        f"{row['latency_p90_frames']:6.2f}  {row['answered']:.0%} answered"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("livevis eval drums", description=__doc__)
    parser.add_argument(
        "--preset", action="append", default=[], help=f"measure this one; may be given again ({', '.join(PRESETS)})"
    )
    parser.add_argument("--loops", type=int, default=LOOPS, help=f"how many loops (default {LOOPS})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of each (default {SECONDS:g})")
    parser.add_argument("--size", type=int, default=SIZE_PX, help=f"side of the picture (default {SIZE_PX})")
    parser.add_argument("--tuning", action="store_true", help="play the loops for tuning instead of the held-out ones")
    parser.add_argument("--no-generator", action="store_true", help="shader lane only")
    parser.add_argument("--sheets", type=Path, metavar="FOLDER", help="draw a contact sheet of every loop")
    add_play_flags(parser, fps=24.0)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval drums`; returns the exit code. Raises ConfigError for an unknown preset or no loops."""
    from livevis.offline import open_generator

    options = _parser().parse_args(arguments)
    if options.loops < 1:
        raise ConfigError(f"--loops {options.loops}: at least one is measured")
    plan = DrumPlan(
        seconds=options.seconds, fps=options.fps, size_px=options.size, seed=options.seed, sheets=options.sheets
    )
    played = list(loops(options.loops, seconds=options.seconds, tuning=options.tuning))
    generator = None if options.no_generator else open_generator(options)
    reports = [measure(preset, played, generator, plan) for preset in options.preset or PRESETS]
    which = "tuning" if options.tuning else "held-out"
    if options.json:
        head = {"seeds": which, "seconds": plan.seconds, "fps": plan.fps, "size": plan.size_px, "published": PUBLISHED}
        print(json.dumps(finite({**head, "presets": reports}), indent=1, allow_nan=False))
        return 0
    print(f"{len(played)} {which} drum loops of {plan.seconds:g} s at {plan.fps:g} fps, {plan.size_px} pixels square")
    print("AV-Align (one-to-one); published: " + ", ".join(f"{name} {value}" for name, value in PUBLISHED.items()))
    for report in reports:
        print("\n".join(lines(report)))
    return 0
