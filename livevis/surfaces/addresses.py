"""Which parameters an OSC address means: exact names first, wildcard patterns only when one is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livevis.core.errors import ConfigError, nearest
from livevis.core.features import FEATURES
from livevis.core.params import Param
from livevis.surfaces.patterns import is_pattern, matches

ROOT = "/livevis/"
MAX_PATTERN_CHARS = 200
_REMEMBERED_PATTERNS = 256

# StreamDiffusionTD's flat names, so that its control patches play livevis unchanged.
ALIASES: dict[str, str] = {
    "/prompt": "prompt/text_1",
    "/negative_prompt": "prompt/negative",
    "/seed": "diffusion/seed",
    "/guidance_scale": "diffusion/guidance",
    "/num_inference_steps": "diffusion/steps",
}
# Dots become underscores: one level below the group, as every parameter is, so `/livevis/audio/*` finds all.
FEATURE_ADDRESSES: dict[str, str] = {row.name: f"{ROOT}audio/{row.name.replace('.', '_')}" for row in FEATURES}


def stat_address(name: str) -> str:
    """Return the address at which one number of the telemetry goes out."""
    return f"{ROOT}stats/{name}"


@dataclass(frozen=True, slots=True)
class Target:
    """One parameter as an address names it: its id, in natural units or 0..1."""

    id: str
    norm: bool


class AddressTable:
    """Every address that sets or asks a parameter."""

    def __init__(self, rows: Mapping[str, Param]) -> None:
        self._exact: dict[str, tuple[Target, ...]] = {}
        texts: set[str] = set()
        for id, row in rows.items():
            self._exact[ROOT + id] = (Target(id, False),)
            self._exact[f"{ROOT}{id}/norm"] = (Target(id, True),)
            if row.kind == "text":  # known, so that the row can say why not, but no pattern means it
                texts.add(f"{ROOT}{id}/norm")
        self._listed = {name: found for name, found in self._exact.items() if name not in texts}
        self._exact |= {flat: (Target(id, False),) for flat, id in ALIASES.items() if id in rows}
        self._patterns: dict[str, tuple[Target, ...]] = {}

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return every address but the aliases, in the order of the rows."""
        return tuple(self._listed)

    def find(self, address: str) -> tuple[Target, ...]:
        """Return what an address or pattern names, () for nothing; ConfigError on an unreadable pattern."""
        found = self._exact.get(address)
        if found is None:
            found = self._match(address) if is_pattern(address) else ()
        return found

    def unknown(self, address: str) -> str:
        """Say that nothing has this address, and which comes nearest. Slow: milliseconds."""
        short = address[:80]
        return f"unknown OSC address '{short}'{nearest(short, self._exact)}"

    def _match(self, pattern: str) -> tuple[Target, ...]:
        if pattern not in self._patterns:
            if len(self._patterns) >= _REMEMBERED_PATTERNS:
                self._patterns.clear()
            self._patterns[pattern] = self._search(pattern)
        return self._patterns[pattern]

    def _search(self, pattern: str) -> tuple[Target, ...]:
        if len(pattern) > MAX_PATTERN_CHARS:
            raise ConfigError(f"OSC pattern of {len(pattern)} characters; at most {MAX_PATTERN_CHARS}")
        try:
            return tuple(t for name, found in self._listed.items() if matches(pattern, name) for t in found)
        except ValueError as error:
            raise ConfigError(f"OSC pattern '{pattern[:80]}': {error}") from None
