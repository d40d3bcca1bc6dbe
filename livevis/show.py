"""The state of play, the same for the live stage and for offline rendering: values, preset, routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError, LivevisError
from livevis.core.modulation import Modulator
from livevis.core.params import Change, Param, Registry
from livevis.core.preset_file import SOURCE
from livevis.core.presets import Preset, PresetFolder, blend
from livevis.core.types import AudioFeatures, Controls

_MORPH = "morph"


class Show:
    """The state of play: the performer's values, the preset and its routes, and what the sound adds.

    `hear` runs on the analysis thread, everything else on the main thread. Raises ConfigError from the constructor
    when the preset or a setting is illegal; later nothing raises, `notice` holds what went wrong.
    """

    def __init__(self, *, preset: str, settings: Mapping[str, str]) -> None:
        self.registry = Registry(CATALOGUE)
        self.folder = PresetFolder(self.registry)
        self.notice = ""
        self._triggers: Mapping[str, int] = self.registry.base().triggers
        self._version = 0
        self._morph: _Morph | None = None
        self._modulator = Modulator((), self.registry.rows)
        self.routes = self._modulator.bank
        self._take(self.folder.load(preset))
        self.registry.post([Change(id, value, source="command line") for id, value in settings.items()])
        self.registry.apply()
        self._version = self.registry.base().version

    def hear(self, features: AudioFeatures) -> None:
        """[analysis] Let the routes hear one hop."""
        self._modulator.step(features)

    def controls(self) -> Controls:
        """Return this frame's effective values: bounds(base + sum of routes)."""
        return self._modulator.resolve(self.registry.base())

    def fired(self, triggers: Mapping[str, int]) -> list[str]:
        """Return the triggers that fired since the last call, once per firing."""
        out = [id for id, count in triggers.items() for _ in range(count - self._triggers.get(id, 0))]
        self._triggers = triggers
        return out

    def tend(self, time_s: float) -> list[str]:
        """Apply what surfaces posted, load and save presets, and return the other triggers that fired."""
        self._reload()
        self.registry.apply()
        if self._morph is not None and self._morph.step(self.registry, time_s):
            self._morph = None
        base = self.registry.base()
        self._read_texts(base, time_s)
        return [id for id in self.fired(base.triggers) if not self._preset_trigger(id, time_s)]

    def _preset_trigger(self, id: str, time_s: float) -> bool:
        if id == "preset/next":
            self._guarded(lambda: self.load(self.folder.next(self.preset.name), time_s))
        elif id == "preset/previous":
            self._guarded(lambda: self.load(self.folder.previous(self.preset.name), time_s))
        return id in ("preset/next", "preset/previous")

    def _read_texts(self, base: Controls, time_s: float) -> None:
        actions: dict[str, Callable[[str], object]] = {
            "preset/load": lambda name: self.load(name, time_s),
            "preset/save": self.save,
        }
        asked = self.registry.changed_since(self._version)
        self._version = base.version
        for id, act in actions.items():
            if asked.get(id):
                self._guarded(partial(act, str(asked[id])))

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
            self.notice = ""
        except LivevisError as error:
            self.notice = str(error)

    def load(self, name: str, time_s: float) -> None:
        """Load a preset by name or file, morphing numbers over preset/morph seconds; raises ConfigError."""
        preset = self.folder.load(name)
        before = self.registry.base()
        self._take(preset)
        self._morph = _Morph(before, self.registry.base(), self.registry.rows, time_s)
        if self._morph.step(self.registry, time_s):
            self._morph = None

    def save(self, name: str) -> Path:
        """Save the present look under `name` in the user's preset folder; raises ConfigError."""
        return self.folder.save(name, self.routes.routes)

    def _take(self, preset: Preset, *, since: Preset | None = None) -> None:
        self.preset = preset
        self.registry.post(preset.changes(self.registry.rows, since=since))
        self.registry.apply()
        self.routes.replace(preset.routes)

    def _reload(self) -> None:
        try:
            changed = self.folder.changed(self.preset)
        except ConfigError as error:
            self.notice = str(error)
            return
        if changed is not None:  # only what was edited in the file: what is being played by hand stays
            self._take(changed, since=self.preset)
            self.notice = ""


def overrides(settings: Sequence[str]) -> dict[str, str]:
    """Read --set ID=VALUE flags; raises ConfigError for one without '='."""
    pairs = [setting.partition("=") for setting in settings]
    for (name, equals, _), setting in zip(pairs, settings, strict=True):
        if not equals or not name:
            raise ConfigError(f"--set '{setting}' is not ID=VALUE, e.g. --set effect/hue=.2")
    return {name.strip(): value for name, _, value in pairs}


class _Morph:
    """Floats on their way from one preset to the next; a value that anybody touches meanwhile is let go."""

    def __init__(self, before: Controls, after: Controls, rows: Mapping[str, Param], start_s: float) -> None:
        moving = {
            id: value
            for id, value in after.values.items()
            if rows[id].kind == "float" and rows[id].saved and before[id] != value
        }
        self._rows, self._before, self._after = rows, before.values, moving
        self._start_s, self._seconds = start_s, after.number("preset/morph")

    def step(self, registry: Registry, time_s: float) -> bool:
        """Move every number to where it belongs at `time_s`; True when all have arrived."""
        share = min(max((time_s - self._start_s) / self._seconds, 0.0), 1.0) if self._seconds > 0 else 1.0
        ours = (SOURCE, _MORPH)
        self._after = {id: v for id, v in self._after.items() if registry.source_of(id) in ours}
        values = blend(self._rows, self._before, self._after, share)
        registry.post([Change(id, value, source=_MORPH) for id, value in values.items()])
        registry.apply()
        return share >= 1.0
