"""What a run measures of itself: durations, rates, and when a sample was heard. Measurement only; no stage reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from livevis.core.features import SAMPLE_RATE_HZ


class Durations:
    """The last `size` durations in seconds, with percentiles in milliseconds."""

    def __init__(self, size: int = 600) -> None:
        self._last: deque[float] = deque(maxlen=size)
        self.count = 0
        self.longest_s = 0.0

    def add(self, seconds: float) -> None:
        """Note one duration."""
        self._last.append(seconds)
        self.count += 1
        self.longest_s = max(self.longest_s, seconds)

    def summary(self) -> dict[str, float]:
        """Return count, p50_ms, p95_ms, p99_ms over the last ones and max_ms over all; empty without any."""
        if not self._last:
            return {}
        p50, p95, p99 = np.percentile(np.array(self._last), (50, 95, 99)) * 1000
        rounded = (round(float(value), 2) for value in (p50, p95, p99, self.longest_s * 1000))
        return dict(zip(("p50_ms", "p95_ms", "p99_ms", "max_ms"), rounded, strict=True)) | {"count": self.count}


class Rate:
    """Events a second over the last `window_s` seconds."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """Note one event at `now_s`."""
        self._times.append(now_s)
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        while self._times and self._times[0] < now_s - self._window_s:
            self._times.popleft()

    def per_second(self, now_s: float) -> float:
        """Return the rate seen from `now_s`; 0 with fewer than two events."""
        self._forget(now_s)
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(now_s - self._times[0], 1e-9)


class ArrivalClock:
    """When a sample index reached us, from the running minimum of (arrival - index / rate).

    Block jitter only ever delays an arrival, so the smallest offset of the last seconds is the honest one.
    """

    def __init__(self, window: int = 400) -> None:
        self._offsets: deque[float] = deque(maxlen=window)

    def note(self, sample: int, now_s: float) -> None:
        """Note that everything before `sample` had arrived at `now_s`."""
        self._offsets.append(now_s - sample / SAMPLE_RATE_HZ)

    def arrival_s(self, sample: int) -> float:
        """Return the wall second at which `sample` arrived (0 before anything did)."""
        return (min(self._offsets) if self._offsets else 0.0) + sample / SAMPLE_RATE_HZ


class EventLatency:
    """From the arrival of an event's sample to the moment a frame that knows of it is shown.

    Expects event samples in order; `shown` is told the newest sample that the shown frame had heard.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, float]] = deque(maxlen=64)
        self.durations = Durations()

    def event(self, sample: int, arrived_s: float) -> None:
        """Note an event whose last sample is `sample` and arrived at `arrived_s`."""
        self._waiting.append((sample, arrived_s))

    def shown(self, heard_sample: int, now_s: float) -> None:
        """Close every event that the frame shown at `now_s` has heard."""
        while self._waiting and self._waiting[0][0] <= heard_sample:
            self.durations.add(max(0.0, now_s - self._waiting.popleft()[1]))


def flat(stats: Mapping[str, object], prefix: str = "") -> dict[str, float]:
    """Flatten nested numbers to `name_part` keys, for OSC and the stats file."""
    out: dict[str, float] = {}
    for key, value in stats.items():
        if isinstance(value, Mapping):
            out |= flat(value, f"{prefix}{key}_")
        elif isinstance(value, (int, float)):
            out[f"{prefix}{key}"] = float(value)
    return out
