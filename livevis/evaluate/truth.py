"""How well the analyser hears: synthetic sounds whose onsets and beats are known, scored when they are reported.

`livevis eval truth` uses seeds that nothing was tuned on. An event counts at the end of the hop that reported it,
never at a back-dated time; the scores of clean synthetic loops are not comparable with those published for music.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livevis.analysis.analyser import Analyser
from livevis.core.features import HOP, HOP_S, SAMPLE_RATE_HZ
from livevis.evaluate.baselines import BASELINES
from livevis.evaluate.excerpt import F64, Excerpt
from livevis.evaluate.match import match, pairs
from livevis.evaluate.sounds import beat_cases, eventless, onset_sets

TUNED_ON, HELD_OUT = (1, 2, 3), (11, 12)
ONSET_WINDOW_S, BEAT_WINDOW_S, TRIM_S = 0.05, 0.07, 6.0
ONSET_SECONDS, BEAT_SECONDS, EVENTLESS_SECONDS = 20.0, 30.0, 35.0
STEADY_AFTER_S = 5.0
STEADY = ("white", "hum", "wind", "rain")
LOCK_BEATS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What one excerpt gave: times of onsets and beats as reported, and the processor seconds of each hop."""

    onsets_s: F64
    beats_s: F64
    cost_s: F64


def listen(excerpt: Excerpt) -> Heard:
    """Run a new analyser over an excerpt, hop by hop."""
    analyser = Analyser()
    hops = len(excerpt.samples) // HOP
    counts, cost = np.zeros((hops, 2)), np.zeros(hops)
    for hop in range(hops):
        started = time.thread_time()
        features = analyser.step(excerpt.samples[hop * HOP : (hop + 1) * HOP])
        cost[hop] = time.thread_time() - started
        counts[hop] = features["onset"], features["beat"]
    new = np.diff(counts, axis=0, prepend=0.0) > 0
    ends = (np.arange(hops) + 1) * HOP / SAMPLE_RATE_HZ
    return Heard(ends[new[:, 0]], ends[new[:, 1]], cost)


def lock_s(true_s: F64, found_s: F64) -> float:
    """Return when the first of four right beats in a row was reported after the first true one; inf if never."""
    right = np.isin(np.arange(len(found_s)), pairs(true_s, found_s, BEAT_WINDOW_S)[:, 1])
    for start in range(len(found_s) - LOCK_BEATS + 1):
        if right[start : start + LOCK_BEATS].all():
            return float(found_s[start] - true_s[0])
    return float("inf")


def _mean_baselines(excerpts: Sequence[Excerpt], score: Callable[[Excerpt, F64], float]) -> dict[str, float]:
    return {name: float(np.mean([score(e, say(e)) for e in excerpts])) for name, say in BASELINES.items()}


def _by_name(excerpts: Sequence[Excerpt], values: Sequence[float]) -> dict[str, float]:
    """Return the mean over seeds for each name."""
    names = dict.fromkeys(e.name for e in excerpts)
    return {n: float(np.mean([v for e, v in zip(excerpts, values, strict=True) if e.name == n])) for n in names}


def score_onsets(excerpts: Sequence[Excerpt], heard: Sequence[Heard]) -> dict[str, Any]:
    """Return F, precision and recall within 50 ms per set, and the delay of the matched onsets in ms."""
    matches = [match(e.onsets_s, h.onsets_s, window_s=ONSET_WINDOW_S) for e, h in zip(excerpts, heard, strict=True)]
    delays_ms = 1000 * np.concatenate([m.delays_s for m in matches])
    return {
        "f": _by_name(excerpts, [m.f for m in matches]),
        "precision": _by_name(excerpts, [m.precision for m in matches]),
        "recall": _by_name(excerpts, [m.recall for m in matches]),
        "mean_f": float(np.mean([m.f for m in matches])),
        "delay_ms": {"median": float(np.median(delays_ms)), "p95": float(np.percentile(delays_ms, 95))},
        "baselines": _mean_baselines(excerpts, lambda e, t: match(e.onsets_s, t, window_s=ONSET_WINDOW_S).f),
    }


def _beat_f(excerpt: Excerpt, found_s: F64) -> float:
    true_s, late_s = excerpt.beats_s, found_s
    return match(true_s[true_s >= TRIM_S], late_s[late_s >= TRIM_S], window_s=BEAT_WINDOW_S).f


def score_beats(excerpts: Sequence[Excerpt], heard: Sequence[Heard]) -> dict[str, Any]:
    """Return F within 70 ms after the first 6 s per case, the time to lock, and the phase of the matched beats."""
    f = [_beat_f(e, h.beats_s) for e, h in zip(excerpts, heard, strict=True)]
    locks = np.array([lock_s(e.beats_s, h.beats_s) for e, h in zip(excerpts, heard, strict=True)])
    locked = locks[np.isfinite(locks)]
    phases = [
        match(e.beats_s, h.beats_s, window_s=BEAT_WINDOW_S).delays_s for e, h in zip(excerpts, heard, strict=True)
    ]
    return {
        "f": _by_name(excerpts, f),
        "mean_f": float(np.mean(f)),
        "lock_s": {
            "median": float(np.median(locked)) if len(locked) else None,
            "max": float(locked.max()) if len(locked) else None,
            "never": len(locks) - len(locked),
            "within_6_s": float(np.mean(locks <= 6)),
        },
        "phase_ms": 1000 * float(np.median(np.concatenate(phases))) if any(map(len, phases)) else None,
        "baselines": _mean_baselines(excerpts, _beat_f),
    }


def score_eventless(excerpts: Sequence[Excerpt], heard: Sequence[Heard]) -> dict[str, Any]:
    """Return onsets a minute, after 5 s on steady noises and after the first half second elsewhere."""
    rates = []
    for excerpt, hear in zip(excerpts, heard, strict=True):
        after_s = STEADY_AFTER_S if excerpt.name in STEADY else 0.5
        rates.append(float((hear.onsets_s > after_s).sum() / (excerpt.seconds - after_s) * 60))
    return {"onsets_per_min": _by_name(excerpts, rates)}


def goals(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return each goal with its value and whether it is met."""
    false = report["eventless"]["onsets_per_min"]
    rows = {
        "onset mean F >= 0.93": (report["onsets"]["mean_f"], 0.93, True),
        "onset median delay <= 12 ms": (report["onsets"]["delay_ms"]["median"], 12.0, False),
        "false onsets on white noise and hum <= 6/min": (max(false["white"], false["hum"]), 6.0, False),
        "no onset in silence, sweep, vibrato": (
            false["silence"] + false["log sweep"] + false["3 % vibrato"],
            0.0,
            False,
        ),
        "beat mean F >= 0.90": (report["beats"]["mean_f"], 0.90, True),
        "share of cases locked within 6 s = 1": (report["beats"]["lock_s"]["within_6_s"], 1.0, True),
        "median cost of a hop < 3 % of one core": (report["cost"]["median_share"], 0.03, False),
    }
    return {n: {"value": v, "goal": g, "met": bool(v >= g if more else v <= g)} for n, (v, g, more) in rows.items()}


def run(seeds: Sequence[int] = HELD_OUT, *, length: float = 1.0) -> dict[str, Any]:
    """Synthesise, listen and score; `length` scales every excerpt. Raises ValueError without seeds."""
    if not seeds:
        raise ValueError("the truth needs at least one seed")
    report: dict[str, Any] = {"seeds": list(seeds), "tuned_on": list(TUNED_ON), "length": length}
    cost: list[F64] = []
    parts = {
        "onsets": (onset_sets, ONSET_SECONDS, score_onsets),
        "beats": (beat_cases, BEAT_SECONDS, score_beats),
        "eventless": (eventless, EVENTLESS_SECONDS, score_eventless),
    }
    for name, (make, seconds, score) in parts.items():
        excerpts = [e for seed in seeds for e in make(seconds * length, seed)]
        heard = [listen(e) for e in excerpts]
        cost += [h.cost_s for h in heard]
        report[name] = score(excerpts, heard)
    shares = np.concatenate(cost) / HOP_S
    report["cost"] = {"median_share": float(np.median(shares)), "p99_share": float(np.percentile(shares, 99))}
    report["goals"] = goals(report)
    return report


def lines(report: dict[str, Any]) -> list[str]:
    """Return the report as text."""
    onsets, beats, cost = report["onsets"], report["beats"], report["cost"]
    said = [f"seeds {report['seeds']} (tuned on {report['tuned_on']})", "", "onsets: F within 50 ms of the report"]
    said += [
        f"  {n:14s} {f:.3f}  precision {onsets['precision'][n]:.2f}  recall {onsets['recall'][n]:.2f}"
        for n, f in onsets["f"].items()
    ]
    said += [
        f"  mean {onsets['mean_f']:.3f}; delay median {onsets['delay_ms']['median']:.1f}, "
        f"p95 {onsets['delay_ms']['p95']:.1f} ms"
    ]
    said += ["  baselines: " + ", ".join(f"{n} {f:.2f}" for n, f in onsets["baselines"].items())]
    said += ["", "onsets a minute where nothing happens"]
    said += [f"  {n:14s} {rate:.1f}" for n, rate in report["eventless"]["onsets_per_min"].items()]
    said += ["", "beats: F within 70 ms after 6 s"] + [f"  {n:14s} {f:.3f}" for n, f in beats["f"].items()]
    lock = beats["lock_s"]
    said += [f"  mean {beats['mean_f']:.3f}; phase {beats['phase_ms']} ms"]
    said += [
        f"  lock median {lock['median']} s, max {lock['max']} s, never {lock['never']}, "
        f"within 6 s {lock['within_6_s']:.2f}"
    ]
    said += ["  baselines: " + ", ".join(f"{n} {f:.2f}" for n, f in beats["baselines"].items())]
    said += [
        "",
        f"cost of a hop: median {100 * cost['median_share']:.1f} %, p99 {100 * cost['p99_share']:.1f} % of one core",
        "",
    ]
    return said + [f"{'met   ' if g['met'] else 'MISSED'} {n}: {g['value']:.3g}" for n, g in report["goals"].items()]


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; exits 0 whether or not the goals are met, since it measures."""
    parser = argparse.ArgumentParser(prog="livevis eval truth", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(HELD_OUT), help="seeds of the sounds")
    parser.add_argument("--length", type=float, default=1.0, help="scale of the excerpts' lengths")
    options = parser.parse_args(argv)
    report = run(options.seeds, length=options.length)
    print(json.dumps(report, indent=2) if options.json else "\n".join(lines(report)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
