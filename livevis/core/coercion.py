"""From whatever a surface sends to one typed, bounded value, and to 0..1 and back.

The rules are those of OSC hosts: numbers and numeric strings are interchangeable, a bool is a number >= 0.5,
an enum is an index or a label in any case, a trigger ignores its release (0). NaN and infinity never pass.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Literal

from livevis.core.errors import ConfigError, nearest

Kind = Literal["float", "int", "bool", "enum", "text", "trigger"]
Curve = Literal["lin", "exp"]
Bounds = Literal["clip", "wrap", "fold"]

TEXT_LIMIT = 500
_WORDS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def number(value: object) -> float:
    """Return `value` as a finite float; raises ConfigError for text, NaN and infinity."""
    if not isinstance(value, numbers.Real | str):
        raise ConfigError(f"{value!r} is not a number")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        raise ConfigError(f"{str(value)[:60]!r} is not a number") from None
    if not math.isfinite(result):
        raise ConfigError(f"{result} is not a finite number")
    return result


def switch(value: object) -> bool:
    """Return a bool from a bool, a number (on from 0.5), or a word such as "on" and "off"."""
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    return number(value) >= 0.5


def fires(value: object) -> bool:
    """Say whether a message to a trigger fires it: no argument and anything but 0, false or "off" does."""
    return value is None or (switch(value) if isinstance(value, str) else number(value) != 0)


def label(value: object, choices: Sequence[str]) -> str:
    """Return one of `choices` from its label in any case or its index, counted from 0."""
    if isinstance(value, str):
        for choice in choices:
            if choice.lower() == value.strip().lower():
                return choice
        if not value.strip().isdigit():
            raise ConfigError(f"no choice {value[:60]!r}{nearest(value, choices)}")
    index = _nearest_int(number(value))
    if not 0 <= index < len(choices):
        raise ConfigError(f"index {index} is outside 0..{len(choices) - 1}")
    return choices[index]


def text(value: object) -> str:
    """Return one line of text: control characters become spaces; raises ConfigError past TEXT_LIMIT."""
    if not isinstance(value, str):
        raise ConfigError(f"{value!r} is not a text")
    if len(value) > TEXT_LIMIT:
        raise ConfigError(f"a text of {len(value)} characters is longer than {TEXT_LIMIT}")
    return "".join(c if c.isprintable() else " " for c in value)


def _clip(value: float, low: float, high: float, _period: float) -> float:
    return min(max(value, low), high)


def _wrap(value: float, low: float, high: float, period: float) -> float:
    if low <= value < low + period:  # exact: what is legal comes back unchanged
        return value
    wrapped = low + (value - low) % period
    return low if wrapped >= low + period else wrapped


def _fold(value: float, low: float, high: float, _period: float) -> float:
    span = high - low
    offset = (value - low) % (2 * span)
    return min(max(low + (offset if offset <= span else 2 * span - offset), low), high)


_BOUND: dict[Bounds, Callable[[float, float, float, float], float]] = {
    "clip": _clip,
    "wrap": _wrap,
    "fold": _fold,
}


def bound(value: float, low: float, high: float, *, bounds: Bounds, whole: bool = False) -> float:
    """Bring `value` into [low, high] (wrap: [low, high), or every whole number low..high); `whole` rounds."""
    if whole:
        value = _nearest_int(value)
    return _BOUND[bounds](value, low, high, high - low + whole)


def _nearest_int(value: float) -> int:
    return math.floor(value + 0.5)


def unmap(value: float, low: float, high: float, curve: Curve) -> float:
    """Return where `value` lies on the knob, 0..1."""
    if curve == "exp":
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def map_(x: float, low: float, high: float, curve: Curve) -> float:
    """Return the value at knob position `x` 0..1; the ends are exact."""
    if x >= 1:
        return high
    if curve == "exp":
        return float(low * (high / low) ** x)
    return low + x * (high - low)
