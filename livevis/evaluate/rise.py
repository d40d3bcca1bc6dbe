"""Does the picture follow the route? Correlation between what a route sends and what it moves, on rendered frames.

`livevis eval rise` renders sound with a preset through the offline stages and compares, frame by frame, the effective
value of a parameter with the light of the picture and with how high its bright part reaches.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from livevis.core.types import Picture
from livevis.evaluate.lagged import best_lag, correlation
from livevis.evaluate.playing import add_play_flags

F64 = npt.NDArray[np.float64]
BRIGHT = 0.35
"""Relative luminance above which a pixel counts as burning."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


def luminance(picture: Picture) -> F64:
    """Return relative luminance 0..1 [H, W] of an sRGB picture uint8 [H, W, 3] (ITU-R BT.709 weights)."""
    light: F64 = ((picture / 255.0) ** 2.2) @ _LUMA
    return light


def light_of(picture: Picture) -> float:
    """Return the mean relative luminance 0..1 of a picture."""
    return float(luminance(picture).mean())


def height_of(picture: Picture) -> float:
    """Return how high the bright part reaches, 0 bottom .. 1 top: the mean of each column's highest bright pixel."""
    bright = luminance(picture) > BRIGHT
    rows = picture.shape[0]
    top = np.where(bright.any(axis=0), rows - bright.argmax(axis=0), 0)
    return float(top.mean() / rows)


def chance(driver: F64, moved: F64, shifts: int = 200) -> float:
    """Return the 95th percentile of the best-lag correlation over circular shifts of the driver: what chance gives."""
    n = len(driver)
    steps = np.linspace(n * 0.1, n * 0.9, shifts).astype(int)
    return float(np.percentile([best_lag(np.roll(driver, int(step)), moved)[1] for step in steps], 95))


def compare(driver: F64, moved: F64) -> dict[str, float]:
    """Return r at lag 0, at the best lag, that lag in frames, and the chance level."""
    lag, r = best_lag(driver, moved)
    return {
        "r": round(correlation(driver, moved), 3),
        "best_r": round(r, 3),
        "lag_frames": lag,
        "chance_p95": round(chance(driver, moved), 3),
    }


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Render and compare; returns one table per picture (the generated one, the final one)."""
    from livevis.offline import frames, open_generator, open_pull_source
    from livevis.show import Show, overrides

    source = open_pull_source(options.audio, tempo=options.tempo, seed=options.seed)
    show = Show(preset=options.preset, settings=overrides(options.set))
    generator = None if options.no_generator else open_generator(options)
    count = round(options.seconds * options.fps)
    driver, series = np.zeros(count), {key: np.zeros(count) for key in _SERIES}
    played = frames(source, show, count=count, fps=options.fps, size=(640, 360), generator=generator, seed=options.seed)
    for frame in played:
        driver[frame.index] = frame.controls.number(options.parameter)
        shown = frame.generated if frame.generated is not None else frame.image
        for key, (of_generated, measured) in _SERIES.items():
            series[key][frame.index] = measured(shown if of_generated else frame.image)
    skip = round(options.fps)  # the first second is the automatic gain finding its level
    found = {key: compare(driver[skip:], values[skip:]) for key, values in series.items()}
    spread = {"low": round(float(driver.min()), 3), "high": round(float(driver.max()), 3)}
    return {"preset": options.preset, "parameter": options.parameter, "frames": count, "driven": spread, **found}


_SERIES = {
    "generated_light": (True, light_of),
    "generated_height": (True, height_of),
    "final_light": (False, light_of),
    "final_height": (False, height_of),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("livevis eval rise", description=__doc__)
    parser.add_argument("--audio", default="jam", help="sound file, or 'jam'")
    parser.add_argument("--preset", default="hearth")
    parser.add_argument("--parameter", default="scene/intensity", help="the driven parameter")
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--tempo", type=float, default=120.0)
    parser.add_argument("--no-generator", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="ID=VALUE")
    add_play_flags(parser, fps=20.0)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Run `livevis eval rise`; returns the exit code."""
    options = _parser().parse_args(arguments)
    found = measure(options)
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    for key, value in found.items():
        print(f"{key:18} {value}")
    return 0
