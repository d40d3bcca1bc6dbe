"""Flash limiter: at most three full-field flashes in any second, whatever the sound does. Pure.

A flash is a pair of opposing changes of the whole field's mean relative luminance by a tenth of full scale or more
(WCAG 2.2, success criterion 2.3.1, general flash; stricter here: bright pairs count too). Turning points are found
with hysteresis, as in rainflow counting: a change is complete once the luminance has moved `STEP` away from its
last extreme. Any window of one second can hold one swing more than the changes completed inside it, so six
completed changes allow seven swings, which are three pairs.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 1.0
CHANGES = 6
FLASH = 0.1
STEP = 0.09
"""Counted from a little below `FLASH`, so rounding on the way to the screen cannot make an uncounted flash."""
_SHORT = 0.999
"""A forbidden change stops just short of `STEP`."""


class FlashLimiter:
    """Says how far the field's luminance may move in the next frame. One object per output; no clock inside."""

    def __init__(self) -> None:
        self.shown: float | None = None
        self._extreme = 0.0
        self._rising = True
        self._changes: deque[float] = deque(maxlen=CHANGES)

    def limits(self, time_s: float) -> tuple[float, float]:
        """Return the lowest and highest luminance that the frame at `time_s` may show."""
        if self.shown is None or not self._is_spent(time_s):
            return 0.0, 1.0
        if self._rising:
            return max(0.0, self._extreme - STEP * _SHORT), 1.0
        return 0.0, min(1.0, self._extreme + STEP * _SHORT)

    def note(self, luminance: float, time_s: float) -> None:
        """Take in the luminance 0..1 that was shown at `time_s`, which never decreases."""
        if self.shown is None:
            self._extreme = luminance
        self.shown = luminance
        if self._has_turned(luminance):
            self._rising, self._extreme = not self._rising, luminance
            self._changes.append(time_s)
        else:
            self._extreme = max(self._extreme, luminance) if self._rising else min(self._extreme, luminance)

    def step(self, luminance: float, time_s: float) -> float:
        """Return the share 0..1 of the change from the luminance last shown that may pass: shown += gain * change.

        `luminance` is the mean of the composed field, relative, 0..1. The stage does the same on the GPU, with
        `limits` and `note` on either side of the frame, so that no frame waits for its own read-back.
        """
        before = luminance if self.shown is None else self.shown
        low, high = self.limits(time_s)
        change = luminance - before
        allowed = min(max(luminance, low), high)
        gain = 1.0 if allowed == luminance else min(max((allowed - before) / change, 0.0), 1.0)
        self.note(before + gain * change, time_s)
        return gain

    def _is_spent(self, time_s: float) -> bool:
        return len(self._changes) == CHANGES and time_s - self._changes[0] <= WINDOW_S

    def _has_turned(self, luminance: float) -> bool:
        back = self._extreme - luminance if self._rising else luminance - self._extreme
        return back >= STEP
