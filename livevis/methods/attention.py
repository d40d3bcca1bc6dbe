"""How word gains act: the performer's attention/* controls, read once a frame."""

from __future__ import annotations

import re
from functools import lru_cache

from livevis.core.types import Attention, Controls

_WINDOW = re.compile(r"(?:(?P<word>.*?)\s*:)?\s*(?P<first>\d+)\s*(?:-\s*(?P<last>\d+))?$")


def attention(controls: Controls) -> Attention:
    """Read attention/* into Attention; what cannot be read of attention/steps is named in `unread`."""
    number = controls.number
    clamp = number("attention/clamp")
    return Attention(
        maps=controls.text("attention/maps"),
        clamp=max(clamp, 1.0) if clamp > 0 else 0.0,  # below 1 it would weaken attention where nothing has a gain
        spread=number("attention/spread"),
        windows=windows(controls.text("attention/steps")),
        unread=unread(controls.text("attention/steps")),
        edit=controls.text("attention/edit").strip(),
        amount=number("attention/edit_amount"),
        inject=int(number("attention/inject")),
        inject_self=int(number("attention/inject_self")),
        blend=words(controls.text("attention/blend")),
        blend_threshold=number("attention/blend_threshold"),
    )


def words(listed: str) -> tuple[str, ...]:
    """Return what stands between the commas, without blanks around it."""
    return tuple(word.strip() for word in listed.split(",") if word.strip())


@lru_cache(maxsize=16)
def windows(listed: str) -> tuple[tuple[str, int, int], ...]:
    """Return ("" for all words or one word, first step, stop), counted from 0, of '2-4', '1' or 'fire: 1, rain: 2-4'.

    Steps are counted from 1 in the text. Entries that cannot be read are left out, see `unread`.
    """
    found = (_WINDOW.match(entry) for entry in words(listed))
    spans = ((one["word"] or "", int(one["first"]), int(one["last"] or one["first"])) for one in found if one)
    return tuple((word, first - 1, last) for word, first, last in spans if 1 <= first <= last)


def unread(listed: str) -> tuple[str, ...]:
    """Return the entries of attention/steps that are no steps."""
    return tuple(entry for entry in words(listed) if not windows(entry))
