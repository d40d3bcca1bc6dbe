"""Time as a dependency: stages are handed a clock and never read the wall."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since an arbitrary start, and a way to wait for a moment."""

    def now(self) -> float:
        """Return the current time in seconds."""
        ...

    def sleep_until(self, moment_s: float) -> None:
        """Return no earlier than `moment_s` on this clock."""
        ...


class WallClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def sleep_until(self, moment_s: float) -> None:
        """Sleep until `moment_s`; return at once when it has passed."""
        wait = moment_s - time.monotonic()
        if wait > 0:
            time.sleep(wait)


class VirtualClock:
    """A clock that moves only when told: offline rendering and tests."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now_s = start_s

    def now(self) -> float:
        """Return virtual seconds."""
        return self._now_s

    def sleep_until(self, moment_s: float) -> None:
        """Jump to `moment_s`; never goes back."""
        self._now_s = max(self._now_s, moment_s)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`."""
        self._now_s += seconds
