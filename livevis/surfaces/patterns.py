"""OSC 1.0 address patterns (`* ? [a-z] [!a] {one,two}`), matched without regular expressions.

A pattern comes from the network, and a regular expression built from `*a*a*a*a` backtracks exponentially; a
set of positions costs at most pattern length times address length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

WILDCARDS = frozenset("*?[]{}")
_Step = Callable[[str, set[int]], set[int]]


def is_pattern(address: str) -> bool:
    """Say whether an address holds any wildcard character."""
    return not WILDCARDS.isdisjoint(address)


def matches(pattern: str, address: str) -> bool:
    """Say whether an address matches an OSC pattern, part by part: no wildcard crosses a slash.

    Raises ValueError for an unclosed bracket or brace.
    """
    patterns, parts = pattern.split("/"), address.split("/")
    steps = [list(_steps(text)) for text in patterns]
    return len(steps) == len(parts) and all(map(_matches_part, steps, parts))


def _matches_part(steps: list[_Step], part: str) -> bool:
    positions = {0}
    for step in steps:
        positions = step(part, positions)
        if not positions:
            return False
    return len(part) in positions


def _steps(pattern: str) -> Iterator[_Step]:
    at = 0
    while at < len(pattern):
        opening = pattern[at]
        if opening in "[{":
            end = pattern.find("]" if opening == "[" else "}", at)
            if end < 0:
                raise ValueError(f"'{opening}' is never closed")
            inside = pattern[at + 1 : end]
            yield _class(inside) if opening == "[" else _alternatives(inside.split(","))
            at = end + 1
        else:
            yield _any_run if opening == "*" else _any_one if opening == "?" else _alternatives([opening])
            at += 1


def _any_run(part: str, positions: set[int]) -> set[int]:
    return set(range(min(positions), len(part) + 1))


def _any_one(part: str, positions: set[int]) -> set[int]:
    return {at + 1 for at in positions if at < len(part)}


def _alternatives(words: list[str]) -> _Step:
    return lambda part, positions: {at + len(word) for at in positions for word in words if part.startswith(word, at)}


def _class(inside: str) -> _Step:
    negated = inside.startswith("!")
    allowed = _characters(inside[negated:])
    return lambda part, positions: {at + 1 for at in positions if at < len(part) and (part[at] in allowed) != negated}


def _characters(inside: str) -> frozenset[str]:
    found: set[str] = set()
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside):
            # a range over all of Unicode would cost a million characters a message; addresses are ASCII
            found.update(map(chr, range(ord(inside[at]), min(ord(inside[at + 2]), 127) + 1)))
            at += 3
        else:
            found.add(inside[at])
            at += 1
    return frozenset(found)
