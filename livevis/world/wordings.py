"""How each scene is spoken of: the WORDS in its shader's header."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from livevis.core.errors import ConfigError, choices
from livevis.core.places import assets

FOLDER = assets("shaders") / "scenes"
BANDS = 4
KEYS = ("NOUNS", "BANDS", "SETTINGS", "BEHIND")

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """How one scene is spoken of.

    `nouns` carry their article where they take one ("a fire", "rain"). `bands` are synonyms for four equal
    bands of intensity, calm to raging. `settings` are true whatever the inputs. `palettes` are the palette
    input's labels by its value; `behind` gives phrases that put a palette word after the noun ("sea at
    sunset"); a palette without one is an adjective ("blue fire").
    """

    nouns: Words
    bands: tuple[Words, ...]
    settings: Words
    palettes: Words
    behind: Mapping[str, Words] = field(default_factory=dict)


def read_wording(path: Path) -> Wording:
    """The words in one scene's header. Raises ConfigError naming the file and the key that is wrong."""
    header = _header(path)
    words = header.get("WORDS")
    if not isinstance(words, dict):
        raise ConfigError(f"{path}: no WORDS in the header; a scene needs {', '.join(KEYS[:3])} there")
    if spare := set(words) - set(KEYS):
        raise ConfigError(f"{path}: WORDS has unknown {choices(spare)}; the keys are {', '.join(KEYS)}")
    palettes = _palettes(path, header)
    return Wording(
        _words(path, words, "NOUNS"),
        _bands(path, words.get("BANDS")),
        _words(path, words, "SETTINGS"),
        palettes,
        _behind(path, words.get("BEHIND", {}), palettes),
    )


def _header(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    found = re.match(r"\s*/\*(\{.*?\})\*/", text, re.DOTALL)
    if not found:
        raise ConfigError(f"{path}: no header; a scene begins with a /*{{ JSON }}*/ comment")
    try:
        header: Mapping[str, Any] = json.loads(found[1])
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: header is not JSON: {error}") from error
    return header


def _is_words(found: object) -> TypeGuard[list[str]]:
    return (
        isinstance(found, list)
        and bool(found)
        and all(isinstance(w, str) and w and w == w.strip().lower() for w in found)
    )


def _words(path: Path, words: Mapping[str, Any], key: str) -> Words:
    found = words.get(key)
    if not _is_words(found):
        raise ConfigError(f"{path}: WORDS {key} is {found!r}; it must be a list of lower-case phrases")
    return tuple(found)


def _bands(path: Path, found: object) -> tuple[Words, ...]:
    rows = found if isinstance(found, list) else []
    if len(rows) != BANDS or not all(_is_words(row) for row in rows):
        raise ConfigError(f"{path}: WORDS BANDS is {found!r}; it must be {BANDS} lists of lower-case words")
    for band, word in ((0, "calm"), (-1, "raging")):
        if word not in rows[band]:
            raise ConfigError(f"{path}: WORDS BANDS must have '{word}' in its {'last' if band else 'first'} list")
    return tuple(tuple(row) for row in rows)


def _palettes(path: Path, header: Mapping[str, Any]) -> Words:
    rows = [row for row in header.get("INPUTS", ()) if row.get("NAME") == "palette"]
    labels = rows[0].get("LABELS") if rows else None
    if not _is_words(labels):
        raise ConfigError(f"{path}: the palette input has LABELS {labels!r}; it needs one lower-case word each")
    return tuple(labels)


def _behind(path: Path, found: object, palettes: Words) -> Mapping[str, Words]:
    read = {}
    for palette, phrases in (found if isinstance(found, dict) else {"?": found}).items():
        if palette not in palettes or not _is_words(phrases):
            legal = f"lists of phrases for {', '.join(palettes)}"
            raise ConfigError(f"{path}: WORDS BEHIND has {palette!r}: {phrases!r}; it may hold {legal}")
        read[palette] = tuple(phrases)
    return read


def has_words(path: Path) -> bool:
    """Whether a shader asks to be part of the world; one without WORDS may be played, but nothing is said of it."""
    return '"WORDS"' in path.read_text(encoding="utf-8", errors="replace")


def _read(folder: Path) -> Mapping[str, Wording]:
    found = {path.stem: read_wording(path) for path in sorted(folder.glob("*.fs")) if has_words(path)}
    if not found:
        raise ConfigError(f"no scene shaders (*.fs) with WORDS in {folder}")
    return found


WORDINGS = _read(FOLDER)
"""What is said of every scene, by its name, in alphabetical order."""
