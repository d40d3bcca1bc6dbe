"""The curves that `livevis eval align` reads its scores from, drawn as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from livevis.core.errors import StageError
from livevis.evaluate.excerpt import F64
from livevis.evaluate.sync.onsets import HOP, RATE_HZ

if TYPE_CHECKING:
    from livevis.evaluate.align import Curves

Colour = tuple[int, int, int]
PAPER: Colour = (18, 18, 22)
FRAME: Colour = (70, 70, 78)
INK: Colour = (232, 234, 236)
SOUND: Colour = (255, 158, 76)
PICTURE: Colour = (92, 200, 184)
WIDTH_PX, PANEL_PX, PAD_PX, TITLE_PX = 1400, 150, 12, 20


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """A line through (x, y), drawn from the least to the greatest y of its own."""

    x: F64
    y: F64
    colour: Colour


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Upright lines at x: from the top (sound) or from the bottom (picture) to the middle."""

    x: F64
    colour: Colour
    top: bool


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One row of the picture; span: what x reaches from and to."""

    title: str
    span: tuple[float, float]
    traces: Sequence[Trace]
    marks: Sequence[Marks] = ()


def panels(report: dict[str, Any], curves: Curves) -> list[Panel]:
    """Return what is drawn, from top to bottom."""
    span, score = (0.0, float(report["seconds"])), report["av_align"]
    frames = np.arange(curves.motion.frames) / report["fps"]
    hops = np.arange(len(curves.onset_strength)) * HOP / RATE_HZ
    sound, picture = Marks(curves.onsets_s, SOUND, True), Marks(curves.peaks_s, PICTURE, False)
    rows = [
        Panel("onset strength and onsets", span, [Trace(hops, _f64(curves.onset_strength), SOUND)], [sound]),
        Panel(
            f"flow in pixels (most {curves.motion.flow_px.max():.2f}) and its peaks, below the onsets; "
            f"AV-Align {score['raw']:.3f}, chance {score['raw_chance']:.3f}",
            span,
            [Trace(frames, curves.motion.flow_px, PICTURE)],
            [sound, picture],
        ),
        Panel(
            f"change of luma (most {curves.motion.luma.max():.3f}) and attacks; "
            f"median {report['latency']['median_ms']:.0f} ms",
            span,
            [Trace(frames, curves.motion.luma, PICTURE)],
            [Marks(curves.attacks_s, SOUND, True)],
        ),
    ]
    for (text, found), likeness in zip(report["meaning"].items(), curves.likeness, strict=True):
        title = f"likeness to '{text}' and smoothed magnitude: r {found['r']:.2f} at {1000 * found['lag_s']:+.0f} ms"
        rows.append(Panel(title, span, [Trace(frames, curves.magnitude, SOUND), Trace(frames, likeness, PICTURE)]))
    swept = curves.swept
    title = f"AV-Align by lag, ±{1000 * swept.lags_s[-1]:.0f} ms: best {swept.best:.3f} at {score['lag_ms']:+.0f} ms"
    ends = (float(swept.lags_s[0]), float(swept.lags_s[-1]))
    best = Marks(np.array([swept.best_s]), SOUND, True)
    return [*rows, Panel(title, ends, [Trace(swept.lags_s, swept.scores, PICTURE)], [best])]


def draw(report: dict[str, Any], curves: Curves, path: Path) -> None:
    """Write the plot as PNG: sound orange, picture green. Raises StageError when it cannot be written."""
    from PIL import Image, ImageDraw

    rows = panels(report, curves)
    image = Image.new("RGB", (WIDTH_PX, PAD_PX + len(rows) * (PANEL_PX + TITLE_PX + PAD_PX)), PAPER)
    pen = ImageDraw.Draw(image)
    for place, row in enumerate(rows):
        _panel(pen, row, PAD_PX + place * (PANEL_PX + TITLE_PX + PAD_PX))
    try:
        image.save(path, format="PNG")
    except OSError as error:
        raise StageError(f"cannot write {path}: {error}") from error


def _panel(pen: Any, panel: Panel, top: int) -> None:
    floor = top + TITLE_PX + PANEL_PX
    pen.text((PAD_PX, top), panel.title, fill=INK)
    pen.rectangle((PAD_PX, top + TITLE_PX, WIDTH_PX - PAD_PX, floor), outline=FRAME)
    for marks in panel.marks:
        ends = (top + TITLE_PX, floor - PANEL_PX // 2) if marks.top else (floor - PANEL_PX // 2, floor)
        dim = tuple(part // 2 for part in marks.colour)
        for x in _across(marks.x, panel.span):
            pen.line((x, ends[0], x, ends[1]), fill=dim)
    for trace in panel.traces:
        points = np.stack([_across(trace.x, panel.span), floor - 4 - _share(trace.y) * (PANEL_PX - 8)], axis=1)
        pen.line([tuple(point) for point in points.tolist()], fill=trace.colour, width=1)


def _across(x: F64, span: tuple[float, float]) -> F64:
    pixels: F64 = PAD_PX + np.clip((x - span[0]) / (span[1] - span[0]), 0, 1) * (WIDTH_PX - 2 * PAD_PX)
    return pixels


def _share(y: F64) -> F64:
    """y from its least (0) to its greatest (1); what is not a number lies at the bottom."""
    finite = y[np.isfinite(y)]
    if not len(finite):
        return np.zeros(len(y))
    share: F64 = np.nan_to_num((y - finite.min()) / (np.ptp(finite) or 1.0))
    return share


def _f64(values: Any) -> F64:
    return np.asarray(values, np.float64)
