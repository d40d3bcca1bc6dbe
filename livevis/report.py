"""What a live show says of itself: on the terminal, the HUD, over OSC, and in the file it leaves behind."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from livevis.core.clock import Clock
from livevis.core.errors import StageError
from livevis.core.telemetry import flat
from livevis.guard import Guard
from livevis.measures import Measures
from livevis.methods.recognition import lacking
from livevis.rig import Rig
from livevis.stage.hud_layout import HudState

_SUMMARY = ("first", "display", "generated", "onset_to_display", "onset_to_generated", "control_to_generated")


class Noticing(Protocol):
    """A part that can say in one line what is not as it should be."""

    notice: str


class Report:
    """[main] Collects what the parts know."""

    def __init__(
        self, rig: Rig, measures: Measures, guard: Guard, clock: Clock, *, notices: Sequence[Noticing]
    ) -> None:
        self._rig, self._measures, self._guard, self._clock = rig, measures, guard, clock
        self._notices = notices
        self._said: set[str] = set()
        self._playing = ""

    def degraded(self) -> list[str]:
        """Say in short lines what does not work right now."""
        rig = self._rig
        sound = rig.source.status()
        lines = [f"sound {sound.state}: {sound.message}" if sound.state in ("lost", "silent") else ""]
        if rig.supervisor is not None and rig.supervisor.state != "playing":
            lines.append(f"generator {rig.supervisor.state} {rig.supervisor.detail}".strip())
        lines.append(rig.supervisor.notice if rig.supervisor is not None else "")
        base, routes = rig.show.registry.base(), rig.show.routes.routes
        lines.append(lacking(base, routes, listener=rig.supervisor is not None))
        if rig.recorder is not None:
            lines.append(rig.recorder.failure)
        lines += [part.notice for part in self._notices]
        lines += [rig.hearing.failure, *rig.compositor.problems, *self._guard.failing.values()]
        return [line for line in lines if line]

    def say(self) -> None:
        """Print what is newly degraded, each line once, and what the generator plays on."""
        supervisor = self._rig.supervisor
        if supervisor is not None and supervisor.state == "playing" and supervisor.detail != self._playing:
            self._playing = supervisor.detail
            print(f"livevis: generator plays: {self._playing}", flush=True)
        for line in self.degraded():
            if line not in self._said and line != "generator loading":
                self._said.add(line)
                print(f"livevis: {line}", file=sys.stderr, flush=True)

    def numbers(self, frame: int) -> dict[str, float]:
        """Return the statistics that surfaces publish."""
        supervisor, lane = self._rig.supervisor, dict[str, float]()
        if supervisor is not None:
            lane["generator_playing"] = float(supervisor.state == "playing")
            lane["generator_restarts"] = float(supervisor.restarts)
            lane["generator_lacks"] = float(bool(supervisor.notice))
            if supervisor.recognition is not None:
                lane["heard_age_s"] = supervisor.recognition.age_s(self._rig.ring.written)
        return {**self._measures.live(), **lane, "frames": float(frame)}

    def hud(self) -> HudState:
        """Return what the HUD shows; the flash limiter at work is said there, though nothing is wrong."""
        rig, now_s = self._rig, self._clock.now()
        limited = ("flash limiter holds",) if rig.compositor.limited else ()
        return HudState(
            features=rig.hearing.latest,
            preset=rig.show.preset.name,
            source=rig.source.name,
            generated_fps=self._measures.generated_rate.per_second(now_s),
            display_fps=self._measures.display_rate.per_second(now_s),
            latency_ms=self._measures.latency_ms(),
            heard=rig.supervisor.heard if rig.supervisor is not None else (),
            degraded=(*self.degraded(), *limited),
        )

    def opening(self, options: argparse.Namespace) -> str:
        """Return the line that is printed when the show begins."""
        rig = self._rig
        heard = (rig.source.status().message, rig.speaker)
        sound = rig.source.name + "".join(f" ({said})" for said in heard if said)
        osc = f"OSC at {rig.osc.host}:{rig.osc.port}" if rig.osc else "no OSC"
        shown = f"{rig.surface.chosen}, composed at {rig.compositor.chosen}"
        return f"livevis: hears {sound}; shows {shown}; preset {rig.show.preset.name}; {osc}"

    def stats(self) -> dict[str, object]:
        """Return everything that was measured, as plain data."""
        rig = self._rig
        out: dict[str, object] = self._measures.summary()
        out["sound"] = self._sound()
        out["stage"] = {"surface": rig.surface.chosen, "inside": rig.compositor.chosen}
        if rig.supervisor is not None:
            out["generator"] = rig.supervisor.report()
        if rig.osc is not None:
            out["osc"] = rig.osc.counters()
        if rig.recorder is not None:
            out["recording"] = {"dropped": rig.recorder.dropped, "failure": rig.recorder.failure}
        out["faults"] = dict(self._guard.counts)
        out["degraded"] = self.degraded()
        return out

    def _sound(self) -> dict[str, object]:
        rig = self._rig
        status, heard = rig.source.status(), rig.hearing.latest
        return {
            "source": rig.source.name,
            "state": status.state,
            "message": status.message,
            "gaps": rig.ring.gaps,
            "lost_samples": rig.ring.lost,
            "skipped_samples": rig.hearing.skipped,
            "overflows": status.overflows,
            "reopened": status.reopened,
            **{name: heard[name] for name in ("onset", "beat", "tempo", "level")},
            "hop_cpu": rig.hearing.cost.summary(),
        }

    def leave_behind(self, *, stats: Path | None, screenshot: Path | None) -> None:
        """Write the files that were asked for and print the summary; raises StageError."""
        found = self.stats()
        if stats is not None:
            _write_json(stats, found)
        if screenshot is not None:
            from livevis.stage.outputs import screenshot as save

            save(self._rig.surface.read(), screenshot)
        numbers = flat({key: found[key] for key in _SUMMARY})
        print("livevis: " + ", ".join(f"{key} {value:g}" for key, value in numbers.items()), flush=True)


def _write_json(path: Path, data: object) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(data, indent=1, default=str))
        part.replace(path)
    except OSError as error:
        raise StageError(f"cannot write {path}: {error}") from error
