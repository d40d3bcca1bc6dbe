"""A microphone made of software: a private PulseAudio daemon with one source that plays what a test writes to it.

Use as a context manager; pass `env` to the process that listens (PortAudio reads it when it starts, so never in the
test's own process). Nothing of the user's own sound setup is touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

SOURCE = "virtmic"
_ASOUNDRC = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
_NEEDS = ("pulseaudio", "pactl")
_RATE_HZ = 48_000
_BLOCK = 480


def missing() -> str:
    """Say which program is not installed, or return an empty string."""
    absent = [program for program in _NEEDS if shutil.which(program) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


class VirtualMicrophone:
    """A PulseAudio source that is fed in real time and can be pulled out and put back."""

    def __init__(self, folder: Path, *, channels: int = 1, rescue: bool = False) -> None:
        """`rescue`: another, silent source takes an orphaned stream over without a word, as on desktops."""
        self._folder, self._channels, self._rescue = folder, channels, rescue
        self._fifo = folder / "virtmic.fifo"
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._module = ""
        home = folder / "home"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULSE_", "DBUS_"))},
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "PULSE_SOURCE": SOURCE,
        }

    def __enter__(self) -> Self:
        (self._folder / "run").mkdir(mode=0o700)
        (self._folder / "home").mkdir()
        (self._folder / "home" / ".asoundrc").write_text(_ASOUNDRC)
        modules = ["-L", "module-native-protocol-unix", "-L", "module-null-sink sink_name=vis rate=48000"]
        modules += ["-L", "module-null-source"] if self._rescue else []
        self._call("pulseaudio", "-n", "--daemonize=yes", "--exit-idle-time=-1", *modules)
        self.reload()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hush()
        subprocess.run(["pulseaudio", "--kill"], env=self.env, check=False, capture_output=True)

    def _call(self, *command: str) -> str:
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def play(self, samples: npt.NDArray[np.floating]) -> None:
        """Play float samples [n] or [n, channels] within -1..1 over and over from now on, paced in real time."""
        self.hush()
        self._stop.clear()
        pcm = np.ascontiguousarray(np.clip(samples, -1, 1) * 32767).astype("<i2").reshape(-1, self._channels)
        self._thread = threading.Thread(target=self._run, args=(pcm,), daemon=True)
        self._thread.start()

    def hush(self) -> None:
        """Stop writing; the source then delivers nothing but zeros."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def unload(self) -> None:
        """Pull the plug."""
        self._call("pactl", "unload-module", self._module)

    def reload(self) -> None:
        """Put the plug back."""
        shape = f"format=s16le rate={_RATE_HZ} channels={self._channels}"
        arguments = f"source_name={SOURCE} file={self._fifo} {shape}"
        self._module = self._call("pactl", "load-module", "module-pipe-source", *arguments.split())

    def _run(self, pcm: npt.NDArray[np.int16]) -> None:
        """Write blocks at the pace of the clock; a pulled plug drops them, like a real one."""
        pipe, began_s, sent = -1, time.monotonic(), 0
        while not self._stop.is_set():
            chosen = pcm[np.arange(sent, sent + _BLOCK) % len(pcm)]
            pipe = self._write(pipe, chosen.tobytes())
            sent += _BLOCK
            time.sleep(max(0.0, began_s + sent / _RATE_HZ - time.monotonic()))
        if pipe >= 0:
            os.close(pipe)

    def _write(self, pipe: int, data: bytes) -> int:
        """Return the pipe, opened if need be, or -1 while nobody reads it."""
        try:
            if pipe < 0:
                pipe = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
            os.write(pipe, data)
        except BlockingIOError:
            pass
        except OSError:
            if pipe >= 0:
                os.close(pipe)
            return -1
        return pipe
