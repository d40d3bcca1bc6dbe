"""Warn once per address: a controller that sends nonsense sends it a hundred times a second."""

from __future__ import annotations

import logging
from collections.abc import Callable

MAX_SUBJECTS = 50


class Complaints:
    """Logs the first complaint about each subject, and at most MAX_SUBJECTS: random addresses never end."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._seen: set[str] = set()

    def once(self, subject: str, reason: Callable[[], str]) -> None:
        """Log `reason()` unless this subject has been complained about."""
        if subject in self._seen or len(self._seen) >= MAX_SUBJECTS:
            return
        self._seen.add(subject)
        self._log.warning("%s", reason())
        if len(self._seen) == MAX_SUBJECTS:
            self._log.warning("OSC: further bad messages are counted, not shown")
