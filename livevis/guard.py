"""On stage nothing may stop the picture: what fails is left out of the frame, said once, counted, shown on the HUD."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Guard:
    """[main] Runs the parts of a live frame. Until `armed`, what a part raises is a start-up error and goes through.

    failing: part -> one line, for as long as it fails; counts: how often each part has failed.
    """

    def __init__(self) -> None:
        self.armed = False
        self.failing: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._said: set[tuple[str, type[Exception]]] = set()

    def __call__(self, part: str, act: Callable[[], T], otherwise: T) -> T:
        """Return what `act` returns, or `otherwise` when it fails."""
        try:
            result = act()
        except Exception as error:
            if not self.armed:
                raise
            self._note(part, error)
            return otherwise
        self.failing.pop(part, None)
        return result

    def _note(self, part: str, error: Exception) -> None:
        self.failing[part] = f"{part}: {type(error).__name__}: {error}"
        self.counts[part] += 1
        if (part, type(error)) not in self._said:
            self._said.add((part, type(error)))
            _log.error("%s failed; the show goes on without it", part, exc_info=error)
