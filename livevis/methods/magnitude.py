"""How loud it is, smoothed over seconds and scaled by what has been heard: AADiff's magnitude, causal.

The sound's own clock of loudness (`rms.time`) is read at each frame, so the mean between two frames is exact whatever
their rate; everything is in seconds of sound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Form = Literal["window", "ema", "follower"]

_REMEMBERED_S = 11.0
"""A little longer than the longest window, so that its far end lies between two frames."""
ATTACK_S = 0.02
TICK_S = 0.1
TICKS = 150
"""The percentiles are of the last 15 s that sounded."""
LOW, HIGH = 0.05, 0.95
FLOOR_SHARE = 0.4
"""A steady sound is loud, not a ripple blown up to full scale: the floor lies at most so far up to the top."""
QUIETEST_TOP = 10 ** (-50 / 20)
REST = 10 ** (-62 / 20)
"""Below this nothing plays; a mean that fades for ever is exactly 0 from here on."""


@dataclass(frozen=True, slots=True)
class MagnitudeState:
    """What one frame leaves to the next.

    time_s, total: the sound's clock and its loudness clock (None before the first frame); smooth: the smoothed
    magnitude, full scale 1; past: (time_s, total) of the last seconds' frames; ticks: `smooth` every 0.1 s
    that sounded; floor, top: their percentiles.
    """

    time_s: float | None = None
    total: float = 0.0
    smooth: float = 0.0
    past: tuple[tuple[float, float], ...] = ()
    ticks: tuple[float, ...] = ()
    floor: float = 0.0
    top: float = 0.0


def step(
    state: MagnitudeState, *, time_s: float, total: float, silent: bool, form: Form, window_s: float
) -> MagnitudeState:
    """Advance to `time_s`; `total` is the integral of the rms up to there. A stream that starts over starts anew."""
    if state.time_s is None or time_s < state.time_s or total < state.total:
        return MagnitudeState(time_s, total, past=((time_s, total),))
    if time_s == state.time_s:
        return state
    past = (*(moment for moment in state.past if moment[0] > time_s - _REMEMBERED_S), (time_s, total))
    if form == "window":
        smooth = _trailing(past, window_s)
    else:
        smooth = _one_pole(
            state.smooth, (total - state.total) / (time_s - state.time_s), form, window_s, time_s - state.time_s
        )
    heard = state if silent else _ticked(state, time_s, smooth)
    return replace(heard, time_s=time_s, total=total, smooth=smooth, past=past)


def _trailing(past: tuple[tuple[float, float], ...], window_s: float) -> float:
    """The exact mean over the last `window_s`; before the sound began there was silence."""
    times, totals = zip(*past, strict=True)
    before = float(np.interp(times[-1] - window_s, times, totals))
    return float((totals[-1] - before) / window_s)


def _one_pole(smooth: float, mean: float, form: Form, window_s: float, dt_s: float) -> float:
    """Exponential mean, alpha = 1 - exp(-2 dt / T), on average as late as the window; the follower rises at once."""
    tau_s = ATTACK_S if form == "follower" and mean > smooth else window_s / 2
    return mean + (smooth - mean) * math.exp(-dt_s / tau_s)


def _ticked(state: MagnitudeState, time_s: float, smooth: float) -> MagnitudeState:
    """Note the curve between two frames at every 0.1 s, whatever the frame rate, and take the percentiles anew."""
    assert state.time_s is not None
    first, last = math.floor(state.time_s / TICK_S) + 1, math.floor(time_s / TICK_S)
    if first > last:
        return state
    share = (np.arange(max(first, last - TICKS + 1), last + 1) * TICK_S - state.time_s) / (time_s - state.time_s)
    new = (state.smooth + (smooth - state.smooth) * share).tolist()
    ticks = (*state.ticks, *new)[-TICKS:]
    floor, top = np.quantile(np.array(ticks), (LOW, HIGH))
    return replace(state, ticks=ticks, floor=float(floor), top=float(top))


def level(state: MagnitudeState) -> float:
    """The smoothed magnitude between its rolling percentiles, 0..1; exactly 0 at rest and before 0.1 s were heard."""
    if not state.ticks:
        return 0.0
    top = max(state.top, QUIETEST_TOP)
    floor = min(max(state.floor, REST), FLOOR_SHARE * top)
    return min(max((state.smooth - floor) / (top - floor), 0.0), 1.0)


def presence(state: MagnitudeState, full: float) -> float:
    """How far the sound is there at all, 0..1: from `full` of its recent top on wholly, without a floor; 0 at rest."""
    if not state.ticks:
        return 0.0
    return min(max(state.smooth - REST, 0.0) / (max(full, 1e-3) * max(state.top, QUIETEST_TOP)), 1.0)
