"""`livevis eval align VIDEO [SOUND]`: does the picture move with the sound? AV-Align, latency, meaning and flicker.

Read at 24 frames a second from the video and its own sound, or another's. AV-Align (Yariv et al. 2024) is given raw,
at the best lag within ±250 ms, and beside what random shifts of the onsets give; with a CLIPModel folder also how well
the picture's likeness to a text follows the sound's magnitude. AV-Align's onsets are librosa's, 7 to 30 ms late, so a
picture that is on time has a lag of about -20 ms; the latency is counted from the attacks themselves.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.core.types import Picture
from livevis.evaluate.excerpt import F32, F64
from livevis.evaluate.sync.film import cut_to, open_film, pictures, sound_of
from livevis.evaluate.sync.latency import attacks, latency
from livevis.evaluate.sync.likeness import WINDOW_S, Likeness, follows, magnitude
from livevis.evaluate.sync.motion import Motion, peak_times, watch
from livevis.evaluate.sync.onsets import onset_strength, onset_times
from livevis.evaluate.sync.score import RULES, LagSweep, av_align, chance, sweep

PUBLISHED = {"real videos of VGGSound": 0.51, "TempoTokens on AudioSet-Drums": 0.61}
"""What the TempoTokens paper reports of AV-Align."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignPlan:
    """How to measure: frames a second, AV-Align's rule, shifts and seed of the chance level, a CLIP and its texts."""

    fps: float = 24.0
    rule: str = "one-to-one"
    shifts: int = 200
    seed: int = 0
    clip: Path | None = None
    texts: tuple[str, ...] = ()
    window_s: float = WINDOW_S

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ConfigError(unknown("AV-Align rule", self.rule, RULES))
        if not (self.fps > 0 and self.window_s > 0 and self.shifts > 0):
            raise ConfigError("fps, window and shifts are above 0")
        if bool(self.clip) != bool(self.texts):
            raise ConfigError("--clip FOLDER and --text go together: the one looks, the other says for what")


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What the scores were read from: onset strength a hop, the rest a frame; likeness [texts, frames]."""

    onset_strength: F32
    onsets_s: F64
    attacks_s: F64
    motion: Motion
    peaks_s: F64
    swept: LagSweep
    magnitude: F64
    likeness: F64 = field(default_factory=lambda: np.zeros((0, 0)))


def align(shown: Iterable[Picture], sound: F32, plan: AlignPlan) -> tuple[dict[str, Any], Curves]:
    """Measure pictures at `plan.fps` against mono sound at 22.05 kHz that begins with them; returns report and curves.

    Sound past the last picture does not count. Raises ConfigError for fewer than two pictures.
    """
    eye = Likeness(plan.clip, plan.texts) if plan.clip else None
    motion = watch(eye.looking(shown) if eye else shown)
    seconds = motion.frames / plan.fps
    sound = cut_to(sound, seconds)
    strength = onset_strength(sound)
    onsets, rule = onset_times(strength), RULES[plan.rule]
    peaks = peak_times(motion.flow_px, fps=plan.fps, floor_px=rule.floor_px)
    curves = Curves(
        onset_strength=strength,
        onsets_s=onsets,
        attacks_s=attacks(sound, onsets),
        motion=motion,
        peaks_s=peaks,
        swept=sweep(onsets, peaks, fps=plan.fps, rule=rule),
        magnitude=magnitude(sound, frames=motion.frames, fps=plan.fps, window_s=plan.window_s),
        **({"likeness": eye.curves} if eye else {}),
    )
    head = {"frames": motion.frames, "fps": plan.fps, "seconds": seconds, "rule": plan.rule}
    return {**head, **_scores(curves, plan, seconds)}, curves


def _scores(curves: Curves, plan: AlignPlan, seconds: float) -> dict[str, Any]:
    delays = latency(curves.attacks_s, curves.motion, fps=plan.fps)
    median, p90 = delays.percentile_s(50), delays.percentile_s(90)
    return {
        "onsets": len(curves.onsets_s),
        "peaks": len(curves.peaks_s),
        "av_align": _av_align(curves, plan, seconds),
        "latency": {
            "onsets": delays.asked,
            "answered": len(delays.delays_s),
            "median_frames": median * plan.fps,
            "p90_frames": p90 * plan.fps,
            "median_ms": 1000 * median,
            "p90_ms": 1000 * p90,
        },
        "flicker": float(np.median(curves.motion.warp)) if len(curves.motion.warp) else math.nan,
        "meaning": {
            text: asdict(follows(curves.magnitude, likeness, fps=plan.fps, seed=plan.seed))
            for text, likeness in zip(plan.texts, curves.likeness, strict=True)
        },
    }


def _av_align(curves: Curves, plan: AlignPlan, seconds: float) -> dict[str, Any]:
    how: dict[str, Any] = {"fps": plan.fps, "rule": RULES[plan.rule]}
    draws: dict[str, Any] = {"seconds": seconds, "shifts": plan.shifts, "seed": plan.seed}
    peaks = curves.peaks_s
    return {
        "raw": av_align(curves.onsets_s, peaks, **how),
        "raw_chance": chance(curves.onsets_s, lambda turned: av_align(turned, peaks, **how), **draws),
        "compensated": curves.swept.best,
        "compensated_chance": chance(curves.onsets_s, lambda turned: sweep(turned, peaks, **how).best, **draws),
        "lag_ms": 1000 * curves.swept.best_s,
        "shifts": plan.shifts,
        "seed": plan.seed,
    }


def measure(video: Path, sound: Path | None = None, plan: AlignPlan | None = None) -> tuple[dict[str, Any], Curves]:
    """Measure a video against a sound file, or against its own sound. Raises ConfigError for what cannot be read."""
    plan, film = plan or AlignPlan(), open_film(video)
    heard = sound_of(sound) if sound else sound_of(video, zero_s=film.start_s)
    report, curves = align(pictures(film, fps=plan.fps), heard, plan)
    return {"video": str(video), "sound": str(sound or video), "video_fps": film.fps, **report}, curves


def lines(report: dict[str, Any]) -> list[str]:
    """Return the report as text."""
    score, delay = report["av_align"], report["latency"]
    said = [
        f"{report['video']} with the sound of {report['sound']}: {report['seconds']:.1f} s at {report['fps']:g} fps, "
        f"{report['onsets']} onsets, {report['peaks']} peaks of motion",
        f"AV-Align ({report['rule']})  raw {score['raw']:.3f} (chance {score['raw_chance']:.3f}), at the best lag "
        f"{score['compensated']:.3f} (chance {score['compensated_chance']:.3f}), lag {score['lag_ms']:+.0f} ms",
        "  published: " + ", ".join(f"{name} {value}" for name, value in PUBLISHED.items()),
        f"onset to change  median {delay['median_frames']:.1f} frames ({delay['median_ms']:.0f} ms), "
        f"p90 {delay['p90_frames']:.1f} ({delay['p90_ms']:.0f} ms); {delay['answered']} of {delay['onsets']} answered",
        f"flicker  warp error {report['flicker']:.6f}",
    ]
    said += [
        f"meaning  '{text}' follows the magnitude with r = {found['r']:.2f} at lag {1000 * found['lag_s']:+.0f} ms "
        f"({found['r_at_0']:.2f} at none; chance {found['chance_p95']:.2f})"
        for text, found in report["meaning"].items()
    ]
    if not _whole(report["video_fps"] / report["fps"]):
        said.append(
            f"note: the video has {report['video_fps']:g} fps; {report['fps']:g} of them make smooth motion uneven"
        )
    return said


def _whole(ratio: float) -> bool:
    return ratio >= 1 and abs(ratio - round(ratio)) < 1e-6


def as_json(report: dict[str, Any], curves: Curves) -> str:
    """Return report and curves as JSON; what is not a number is null."""
    series = {
        "onset_strength": curves.onset_strength,
        "flow_px": curves.motion.flow_px,
        "luma": curves.motion.luma,
        "warp": curves.motion.warp,
        "magnitude": curves.magnitude,
        "likeness": curves.likeness,
        "lag_s": curves.swept.lags_s,
        "av_align_at_lag": curves.swept.scores,
    }
    times = {"onsets_s": curves.onsets_s, "attacks_s": curves.attacks_s, "peaks_s": curves.peaks_s}
    rounded = {name: np.round(np.asarray(values, np.float64), 6).tolist() for name, values in (times | series).items()}
    return json.dumps(finite({**report, "curves": rounded}), indent=1, allow_nan=False)


def finite(value: Any) -> Any:
    """Return a report with None, JSON's null, in place of every float that is not a number."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("livevis eval align", description=__doc__)
    parser.add_argument("video", type=Path, help="any video file")
    parser.add_argument("sound", type=Path, nargs="?", help="sound file (default: the video's own sound)")
    parser.add_argument("--fps", type=float, default=24.0, help="rate at which the video is read (default 24)")
    parser.add_argument("--rule", default="one-to-one", choices=tuple(RULES), help="how AV-Align matches")
    parser.add_argument("--shifts", type=int, default=200, help="random shifts of the chance level (default 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clip", type=Path, metavar="FOLDER", help="CLIPModel folder that judges the picture")
    parser.add_argument("--text", action="append", default=[], help="what it looks for; may be given again")
    parser.add_argument("--window", type=float, default=WINDOW_S, help="seconds of smoothing of the magnitude (2.5)")
    parser.add_argument("--json", action="store_true", help="print report and curves as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the curves")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval align`; returns the exit code."""
    options = _parser().parse_args(arguments)
    plan = AlignPlan(
        fps=options.fps,
        rule=options.rule,
        shifts=options.shifts,
        seed=options.seed,
        clip=options.clip,
        texts=tuple(dict.fromkeys(options.text)),
        window_s=options.window,
    )
    report, curves = measure(options.video, options.sound, plan)
    if options.plot:
        from livevis.evaluate.sync.plot import draw

        draw(report, curves, options.plot)
    print(as_json(report, curves) if options.json else "\n".join(lines(report)))
    return 0
