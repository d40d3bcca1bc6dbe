"""Networks that only some ways of playing need: opened when first asked for, on stage without holding up a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from livevis.runners.runner import Network, Runner

Open = Callable[[Network], Runner]


class Waiting:
    """[generator] Runners by name, opened at the first question.

    at_once: open in the asking thread and raise what that raises (offline); otherwise a thread of its own opens it, one
    network after another, `get` gives None until then, and `notice` says what is being opened, or why it could not be.
    """

    def __init__(self, networks: Mapping[str, Network], open_: Open, *, at_once: bool) -> None:
        self._networks, self._open, self._at_once = dict(networks), open_, at_once
        self._opened: dict[str, Runner] = {}
        self._asked: set[str] = set()
        self._failed: dict[str, str] = {}
        self._turn = threading.Lock()  # never taken in a frame

    def through(self, change: Callable[[Runner], Runner]) -> None:
        """Hand out what is opened from here on as `change` makes it."""
        open_ = self._open
        self._open = lambda network: change(open_(network))

    @property
    def notice(self) -> str:
        """One line on what is missing yet, or an empty string."""
        missing = sorted(self._asked - set(self._opened) - set(self._failed))
        return "; ".join((*(f"{name}: being prepared" for name in missing), *self._failed.values()))

    def get(self, name: str) -> Runner | None:
        """Return the runner of network `name`, None while it is not there yet."""
        found = self._opened.get(name)
        if found is not None or name in self._failed:
            return found
        if self._at_once:
            self._opened[name] = self._open(self._networks[name])
            return self._opened[name]
        if name not in self._asked:
            self._asked.add(name)
            threading.Thread(target=self._prepare, args=(name,), name=f"livevis-open-{name}", daemon=True).start()
        return None

    def _prepare(self, name: str) -> None:
        try:
            with self._turn:
                self._opened[name] = self._open(self._networks[name])
        except Exception as error:  # on stage the picture plays on without it, and says so
            self._failed[name] = " ".join(f"{name} cannot be played: {type(error).__name__}: {error}".split())
