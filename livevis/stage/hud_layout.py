"""What stands where on the HUD. Pure: state and size in, rectangles and letters out."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livevis.core.features import BANDS_HZ
from livevis.core.types import AudioFeatures
from livevis.stage import font

Colour = tuple[float, float, float, float]

PAPER: Colour = (0.02, 0.02, 0.03, 0.62)
INK: Colour = (0.93, 0.94, 0.95, 1.0)
DIM: Colour = (0.93, 0.94, 0.95, 0.45)
TROUGH: Colour = (1.0, 1.0, 1.0, 0.10)
CALM: Colour = (0.36, 0.78, 0.72, 1.0)
HOT: Colour = (1.0, 0.62, 0.30, 1.0)
ALARM: Colour = (1.0, 0.45, 0.35, 1.0)

SOLID = -1.0
_WIDE, _HIGH = font.CELL
_COLUMNS = 34
_MOST_ALARMS = 8
_PAD, _LINE, _BAR = 5, 11, 26
_BAND_NAMES = {"sub": "sub", "bass": "bas", "low_mid": "lmd", "mid": "mid", "high_mid": "hmd", "high": "hi"}


@dataclass(frozen=True, slots=True)
class HudState:
    """What the HUD says. Rates in frames a second; 0 where unknown. degraded: one line for each thing that fails;
    heard: what the sound is called, where somebody listens."""

    features: AudioFeatures
    preset: str = ""
    source: str = ""
    generated_fps: float = 0.0
    display_fps: float = 0.0
    latency_ms: float = 0.0
    degraded: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()


@dataclass(slots=True)
class Sheet:
    """Collects quads in HUD pixels from the top left corner: x, y, width, height, letter cell or SOLID, colour."""

    rows: list[tuple[float, ...]] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, *, colour: Colour) -> None:
        """Add a filled rectangle."""
        self.rows.append((x, y, width, height, SOLID, *colour))

    def text(self, x: float, y: float, words: str, *, colour: Colour = INK) -> None:
        """Add a line of letters whose top left corner is (x, y)."""
        for i, character in enumerate(words):
            if character != " ":
                self.rows.append((x + i * _WIDE, y, _WIDE, _HIGH, font.index(character), *colour))

    def right(self, x: float, y: float, words: str, *, colour: Colour = INK) -> None:
        """Add a line of letters that ends at x."""
        self.text(x - len(words) * _WIDE + 1, y, words, colour=colour)


def layout(state: HudState) -> npt.NDArray[np.float32]:
    """Return float32 [quads, 9] in HUD pixels; the first quad is the panel behind everything."""
    sheet, width = Sheet(), _COLUMNS * _WIDE
    alarms = [part for line in state.degraded for part in textwrap.wrap(line, _COLUMNS)[:3]][:_MOST_ALARMS]
    height = (4 + bool(state.heard)) * _LINE + _BAR + _HIGH + 6 + len(alarms) * _LINE
    sheet.box(0, 0, width + 2 * _PAD, height + 2 * _PAD, colour=PAPER)
    _heading(sheet, state, width)
    _meter(sheet, state.features, _PAD + _LINE, width)
    _bands(sheet, state.features, _PAD + 2 * _LINE, width)
    _numbers(sheet, state, _PAD + 2 * _LINE + _BAR + _HIGH + 6, width)
    for i, line in enumerate(alarms):
        sheet.text(_PAD, _PAD + height - (len(alarms) - i) * _LINE + 3, line, colour=ALARM)
    return np.array(sheet.rows, np.float32)


def clipped(words: str, columns: int) -> str:
    """Cut a line to `columns` letters, marking the cut."""
    return words if len(words) <= columns else words[: columns - 2] + ".."


def _heading(sheet: Sheet, state: HudState, width: float) -> None:
    source = clipped(state.source, 14)
    sheet.text(_PAD, _PAD, clipped(state.preset or "livevis", _COLUMNS - len(source) - 1))
    sheet.right(_PAD + width, _PAD, source, colour=DIM)


def _meter(sheet: Sheet, features: AudioFeatures, y: float, width: float) -> None:
    """Input level; its peak is a tick that turns hot near full scale."""
    level, peak = features["level"], min(features["peak"], 1.0)
    sheet.box(_PAD, y, width, 5, colour=TROUGH)
    sheet.box(_PAD, y, round(width * min(level, 1.0)), 5, colour=CALM)
    sheet.box(_PAD + round((width - 2) * peak), y - 1, 2, 7, colour=HOT if peak > 0.97 else INK)


def _bands(sheet: Sheet, features: AudioFeatures, y: float, width: float) -> None:
    pitch = width / len(BANDS_HZ)
    for i, band in enumerate(BANDS_HZ):
        x = _PAD + round(i * pitch)
        level, hit = min(features[f"{band}.level"], 1.0), min(features[f"{band}.hit"], 1.0)
        tall = max(1, round(_BAR * level))
        sheet.box(x, y, round(pitch) - 3, _BAR, colour=TROUGH)
        sheet.box(x, y + _BAR - tall, round(pitch) - 3, tall, colour=mixed(CALM, HOT, hit))
        sheet.text(x, y + _BAR + 3, _BAND_NAMES[band], colour=DIM)


def _numbers(sheet: Sheet, state: HudState, y: float, width: float) -> None:
    features = state.features
    _pair(sheet, (_PAD, y), "gen", _rate(state.generated_fps, "fps"))
    _pair(sheet, (_PAD + width / 2 + 3, y), "show", _rate(state.display_fps, "fps"))
    _pair(sheet, (_PAD, y + _LINE), "onset", _rate(state.latency_ms, "ms"))
    _pair(sheet, (_PAD + width / 2 + 3, y + _LINE), "beat", _rate(features["tempo"], "bpm"))
    if state.heard:
        _pair(sheet, (_PAD, y + 2 * _LINE), "hears", clipped(", ".join(state.heard), _COLUMNS - 6))
    beat = int(features["beat"]) % 4
    for i in range(4):
        lit = mixed(DIM, HOT, features["beat.hit"]) if i == beat else TROUGH
        sheet.box(_PAD + width - 4 * 5 + i * 5 + 1, y + _LINE + 2, 4, 4, colour=lit)


def _pair(sheet: Sheet, at: tuple[float, float], name: str, value: str) -> None:
    sheet.text(*at, name, colour=DIM)
    sheet.text(at[0] + (len(name) + 1) * _WIDE, at[1], value)


def _rate(value: float, unit: str) -> str:
    if value <= 0:
        return "-"
    return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def mixed(a: Colour, b: Colour, t: float) -> Colour:
    """Return the colour `t` of the way from a to b."""
    return (
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
        a[3] + (b[3] - a[3]) * t,
    )
