"""A screen made of software: Xvfb on a free display number."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType
from typing import Self


class VirtualDisplay:
    """A context manager; `name` is what DISPLAY must be."""

    def __init__(self, size: str = "1400x900x24") -> None:
        self._size = size
        self.name = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", self._size, "-nolisten", "tcp"]
        self._process = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:  # blocks until the server is ready and has said its number
            number = told.readline().strip()
        if not number:
            raise RuntimeError("Xvfb did not start")
        self.name = f":{number}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


def missing() -> str:
    """Say that Xvfb is not installed, or return an empty string."""
    return "" if shutil.which("Xvfb") else "not installed: Xvfb"
