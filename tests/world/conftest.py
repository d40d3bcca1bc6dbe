"""The world's properties are tried without a stopwatch: the first example imports and compiles."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("world", deadline=None)
settings.load_profile("world")
