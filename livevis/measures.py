"""What a live run measures of itself: start-up, rates, gaps, and the two latencies that a performer feels."""

from __future__ import annotations

from livevis.core.clock import Clock
from livevis.core.telemetry import Durations, EventLatency, Rate
from livevis.core.types import Frame


class Measures:
    """[main] Counts and times; `onset` alone is called on the analysis thread.

    Shader latency: arrival of an onset's last sample to the display of a frame that knows it. Diffusion latency: the
    same, to the display of a generated frame that heard it. Both begin where the analysis emits; its own delay is not
    in. Control delay: from the cue that carries a controls version to the display of a generated frame that obeyed it.
    Dropped: display frames that were due, one every `interval_s` (0: not counted), and did not come.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._born_s = clock.now()
        self._first_s: dict[str, float] = {}
        self.display_rate, self.generated_rate = Rate(), Rate()
        self._gaps = Durations(2000)
        self._steps = Durations()
        self._ages = Durations()
        self._last_shown_s = 0.0
        self._frames = 0
        self.interval_s = 0.0
        self._dropped = 0
        self._generated = 0
        self._shader, self._diffusion = EventLatency(), EventLatency()
        self._latency = (0, 0.0)
        self._control_seen: dict[int, float] = {}
        self._newest_version = -1
        self._control_delay = Durations()

    def onset(self, sample: int, arrived_s: float) -> None:
        """[analysis] Note an onset emitted at `sample` whose last sample arrived at `arrived_s`."""
        self._shader.event(sample, arrived_s)
        if self._generated:  # before the first frame it would be the loading time that is measured
            self._diffusion.event(sample, arrived_s)

    def generated(self, frame: Frame) -> None:
        """Note a frame that came back from the generator."""
        now_s = self._clock.now()
        self._first("generated_frame_s", now_s)
        self._generated += 1
        self.generated_rate.tick(now_s)
        self._steps.add(frame.done_s - frame.started_s)
        self._ages.add(now_s - frame.started_s)

    def cued(self, version: int) -> None:
        """Note that the generator is about to be told of controls `version`."""
        if version > self._newest_version:
            self._newest_version = version
            if self._generated:
                self._control_seen[version] = self._clock.now()

    def shown(self, heard: int, generated_heard: int | None, obeyed: int) -> None:
        """Note a display frame: the newest samples its features and its generated picture had heard, and the
        controls version that the generated picture obeyed."""
        now_s = self._clock.now()
        self._first("picture_s", now_s)
        self.display_rate.tick(now_s)
        if self._frames:
            self._gap(now_s - self._last_shown_s)
        self._last_shown_s = now_s
        self._frames += 1
        self._shader.shown(heard, now_s)
        if generated_heard is not None:
            self._diffusion.shown(generated_heard, now_s)
        for seen in [v for v in self._control_seen if v <= obeyed]:
            self._control_delay.add(now_s - self._control_seen.pop(seen))

    def _gap(self, gap_s: float) -> None:
        self._gaps.add(gap_s)
        if self.interval_s > 0:
            self._dropped += max(round(gap_s / self.interval_s) - 1, 0)

    def _first(self, what: str, now_s: float) -> None:
        self._first_s.setdefault(what, round(now_s - self._born_s, 3))

    def latency_ms(self) -> float:
        """Return the median onset-to-display latency of the last onsets in ms; 0 before the first."""
        durations = self._shader.durations
        if durations.count != self._latency[0]:  # asked every frame; onsets are rarer than frames
            self._latency = durations.count, durations.summary().get("p50_ms", 0.0)
        return self._latency[1]

    def live(self) -> dict[str, float]:
        """Return the few numbers that surfaces publish."""
        now_s = self._clock.now()
        counted = {"dropped": float(self._dropped)} if self.interval_s > 0 else {}
        return {
            "fps": self.display_rate.per_second(now_s),
            "ai_fps": self.generated_rate.per_second(now_s),
            "latency_ms": self.latency_ms(),
            **counted,
        }

    def summary(self) -> dict[str, object]:
        """Return all of it as plain data."""
        seconds = max(self._clock.now() - self._born_s, 1e-9)
        first = self._first_s.get("generated_frame_s")
        playing = max(seconds - first, 1e-9) if first is not None else None
        shown = max(seconds - self._first_s.get("picture_s", 0.0), 1e-9)
        return {
            "first": dict(self._first_s),
            "seconds": round(seconds, 3),
            "display": {
                "frames": self._frames,
                "dropped": self._dropped if self.interval_s > 0 else None,
                "fps": round(self._frames / shown, 2),
                "gap": self._gaps.summary(),
            },
            "generated": {
                "frames": self._generated,
                "fps": round(self._generated / playing, 2) if playing else 0.0,
                "step": self._steps.summary(),
                "age": self._ages.summary(),
            },
            "onset_to_display": self._shader.durations.summary(),
            "onset_to_generated": self._diffusion.durations.summary(),
            "control_to_generated": self._control_delay.summary(),
        }
