"""Keeps a generator process alive: starts it, notices that it died or hangs, starts it again."""

from __future__ import annotations

import multiprocessing
import signal
from dataclasses import asdict, dataclass, replace
from multiprocessing.process import BaseProcess

from livevis.core.clock import Clock
from livevis.core.exchange import FrameMeta, Mailbox, SharedFrames
from livevis.core.types import Cue, Frame, Picture, Recognition
from livevis.worker import WorkerSpec, WorkerStatus, serve

_STUCK_S = 5.0
_SLOW = 6.0
_LOADING_S = 180.0
_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 5.0)


@dataclass(slots=True)
class _Life:
    """One run of the generator process."""

    process: BaseProcess
    started_s: float
    seen_beat_s: float = 0.0


class GeneratorSupervisor:
    """[main] The stage's side of the generator process: cues and init pictures go in, frames come out.

    Nothing here waits: `tend` is called once a display frame and restarts a dead or stuck process with back-off.
    Raises nothing after construction; `state` and `detail` say what is wrong, `notice` what is lacking though it plays;
    `heard` is what the sound is called now, `recognition` how probable each phrase of heard/bank is. sound: name of the
    SampleRing that is listened to; clap: WorkerSpec's.
    """

    def __init__(
        self, *, engine: str, runner: str, size: int, seed: int, clock: Clock, sound: str = "", clap: str = ""
    ) -> None:
        self._clock, self.size = clock, size
        self.cues = Mailbox.create()
        self.pictures_in = SharedFrames.create(size, size)
        self.pictures_out = SharedFrames.create(size, size)
        self._status = Mailbox.create()
        self._context = multiprocessing.get_context("spawn")
        self._spec = WorkerSpec(
            engine, runner, size, seed, self.cues.name, self.pictures_in.name, self.pictures_out.name,
            self._status.name, sound=sound, clap=clap,
        )  # fmt: skip
        self._life: _Life | None = None
        self._dead: list[BaseProcess] = []
        self._retry_s = 0.0
        self._seen = 0
        self._longest_s = 0.0
        self._init_put = 0
        self._init_seen = 0
        self.restarts = 0
        self._failures = 0
        self.state = "off"
        self.detail = self.notice = ""
        self.heard: tuple[str, ...] = ()
        self.recognition: Recognition | None = None  # replaced whole: the analysis thread reads it too
        self.pid = 0

    def start(self, *, threads: int | None = None) -> None:
        """Start the process; loading goes on in the background. threads: of the networks on a CPU, 0 = all cores."""
        if threads is not None:
            self._spec = replace(self._spec, threads=threads)
        spec = replace(self._spec, first_frame=self._last_id())
        process = self._context.Process(target=serve, args=(spec,), name="livevis-generator", daemon=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: the stage decides when to stop
        try:
            process.start()
        except OSError as error:  # no memory, no process left: later perhaps
            self._bury(f"cannot start: {error}")
            return
        finally:
            signal.signal(signal.SIGINT, before)
        self.pid = process.pid or 0
        self.state, self._longest_s = "loading", 0.0
        self._life = _Life(process, self._clock.now())

    def _last_id(self) -> int:
        newest = self.pictures_out.newest()
        return newest[2].id if newest else 0

    def tend(self) -> None:
        """Read the newest report; restart the process when it has died or has been silent too long."""
        now_s = self._clock.now()
        self._dead = [process for process in self._dead if process.is_alive()]  # asking also reaps it
        if self._life is None:
            if self.state == "down" and now_s >= self._retry_s:
                self.start()
            return
        alive = self._life.process.is_alive()  # asked first: a report of its failure is then there to be read
        self._read_status()
        if not alive:
            self._bury(self.detail if self.state == "failed" else f"exit code {self._life.process.exitcode}")
        elif now_s - max(self._life.started_s, self._life.seen_beat_s) > self._patience_s():
            self._life.process.kill()
            self._bury(f"no sign of life for {self._patience_s():.0f} s while {self.state}")

    def _read_status(self) -> None:
        got = self._status.get()
        if got is None or self._life is None:
            return
        status: WorkerStatus = got[1]
        if status.pid != self._life.process.pid:
            return
        self.state, self.detail = status.state, status.detail
        self.heard, self.notice, self.recognition = status.heard, status.notice, status.recognition
        self._life.seen_beat_s = status.beat_s
        self._init_seen = status.init_seen
        self._longest_s = max(self._longest_s, status.step_ms / 1000)
        if status.state == "playing" and status.step_ms > 0:
            self._failures = 0

    def _patience_s(self) -> float:
        """A slow engine is not a stuck one: until its first frame, and by how long its frames take, it has time."""
        played = self.state == "playing" and self._longest_s > 0
        return max(_STUCK_S, _SLOW * self._longest_s) if played else _LOADING_S

    def _bury(self, why: str) -> None:
        if self._life is not None:
            self._dead.append(self._life.process)
        self.state, self.detail, self._life = "down", why, None
        self.heard, self.notice, self.recognition = (), "", None
        self.restarts += 1
        self._retry_s = self._clock.now() + _BACKOFF_S[min(self._failures, len(_BACKOFF_S) - 1)]
        self._failures += 1

    def cue(self, cue: Cue) -> None:
        """Tell the generator what to play next; the newest cue wins."""
        self.cues.put(cue)

    def report(self) -> dict[str, object]:
        """Return what is known of the process, as plain data."""
        recognised = asdict(self.recognition) if self.recognition is not None else None
        said = {"heard": list(self.heard), "recognition": recognised, "notice": self.notice}
        return {"state": self.state, "detail": self.detail, "restarts": self.restarts, "pid": self.pid, **said}

    @property
    def wants_init(self) -> bool:
        """True when the last init picture was taken, so another is worth rendering."""
        return self.state == "playing" and self._init_seen >= self._init_put

    def give_init(self, picture: Picture, sample: int) -> None:
        """Hand over the picture that the next frame starts from: uint8 [size, size, 3]; it has heard up to `sample`."""
        self.pictures_in.put(picture, FrameMeta(0, sample=sample))
        self._init_put = self.pictures_in.count

    def newest(self) -> Frame | None:
        """Return a frame that was not returned before, or None."""
        got = self.pictures_out.newest(self._seen)
        if got is None:
            return None
        self._seen, image, meta = got
        return Frame(meta.id, image, meta.controls_version, meta.sample, meta.started_s, meta.done_s)

    def stop(self) -> None:
        """End the process and remove the shared channels."""
        if self._life is not None:
            self._life.process.terminate()
            self._life.process.join(2.0)
            if self._life.process.is_alive():
                self._life.process.kill()
                self._life.process.join()
            self._life = None
        self.state = "off"
        for channel in (self.cues, self.pictures_in, self.pictures_out, self._status):
            channel.close()
