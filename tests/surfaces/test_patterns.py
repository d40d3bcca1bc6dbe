"""Address patterns against an independent reference: the same pattern as a regular expression."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livevis.surfaces.patterns import is_pattern, matches

_PIECES = {"*": "[^/]*", "?": "[^/]", "[ab]": "[ab]", "[!a]": "[^a/]", "[a-c]": "[a-c]", "{ab,c}": "(ab|c)", "/": "/"}
_PIECES |= {letter: letter for letter in "abcd"}


@given(st.lists(st.sampled_from(sorted(_PIECES)), max_size=7), st.text("abcd/", max_size=7))
@example(["*", "a", "*"], "bab")
@example(["{ab,c}", "b"], "abb")
def test_matches_as_the_regular_expression_does(pieces: list[str], address: str) -> None:
    expected = re.fullmatch("".join(_PIECES[piece] for piece in pieces), address) is not None
    assert matches("".join(pieces), address) == expected


@pytest.mark.parametrize("pattern", ["/a[", "/a{b", "/[!", "/{a,b", "/[a-"])
def test_an_unclosed_class_is_an_error(pattern: str) -> None:
    with pytest.raises(ValueError, match="never closed"):
        matches(pattern, "/a")


def test_a_pattern_made_to_backtrack_returns() -> None:
    assert not matches("/" + "*a" * 90, "/" + "a" * 80 + "b")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_raises_anything_else(pattern: str, address: str) -> None:
    try:
        matches(pattern, address)
    except ValueError as error:
        assert "never closed" in str(error)


def test_what_a_pattern_is() -> None:
    assert is_pattern("/livevis/*") and not is_pattern("/livevis/effect/hue")
