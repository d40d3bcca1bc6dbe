"""What the performer does besides turning knobs: taps, keys, full screen."""

from __future__ import annotations

from collections.abc import Callable

from livevis.analysis.analyser import Analyser
from livevis.core.errors import LivevisError
from livevis.core.params import Change
from livevis.rig import Rig

_TEMPO: dict[str, Callable[[Analyser, float], None]] = {
    "tempo/tap": lambda analyser, time_s: analyser.tap(time_s),
    "tempo/resync": lambda analyser, time_s: analyser.resync(time_s),
    "tempo/half": lambda analyser, time_s: analyser.half(),
    "tempo/double": lambda analyser, time_s: analyser.double(),
}
_KEYS: dict[str, tuple[str, bool]] = {
    "fullscreen": ("output/fullscreen", True),
    "blackout": ("output/blackout", True),
    "freeze": ("output/freeze", True),
    "hud": ("output/hud", True),
    "next": ("preset/next", False),
    "previous": ("preset/previous", False),
    "tap": ("tempo/tap", False),
    "resync": ("tempo/resync", False),
}
"""Key name -> (parameter, whether it toggles)."""


class Desk:
    """[main] Carries triggers, keys and the choice of screen to the parts that they concern.

    notice: why the picture is not on the screen that was asked for.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._screen = (False, 1)
        self.notice = ""

    def obey(self, triggers: list[str]) -> None:
        """Pass on the triggers that fired and the session rows that changed."""
        hearing = self._rig.hearing
        for id in triggers:
            if id in _TEMPO:
                hearing.ask(_request(_TEMPO[id], hearing.latest.time_s))
        base = self._rig.show.registry.base()
        self._show_on(bool(base["output/fullscreen"]), int(base.number("output/monitor")))

    def _show_on(self, full: bool, monitor: int) -> None:
        if (full, monitor) == self._screen:
            return
        if full or self._screen[0]:
            try:
                self._rig.surface.show(full, monitor - 1)
                self.notice = ""
            except LivevisError as error:  # a monitor that is not there must not end the show
                self.notice = str(error)
        self._screen = (full, monitor)

    def press(self, keys: list[str]) -> bool:
        """Turn key names into changes; True when one of them asks to quit."""
        registry = self._rig.show.registry
        for key in keys:
            if key in _KEYS:
                id, toggles = _KEYS[key]
                registry.post([Change(id, not registry.read(id) if toggles else None, source="keys")])
        return "quit" in keys


def _request(act: Callable[[Analyser, float], None], time_s: float) -> Callable[[Analyser], None]:
    return lambda analyser: act(analyser, time_s)
