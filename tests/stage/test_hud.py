"""The HUD: legible letters, everything inside its panel, numbers that move, the picture untouched elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.stage import font
from livevis.stage.hud import Hud, HudState
from livevis.stage.hud_layout import ALARM, CALM, SOLID, layout
from livevis.stage.offscreen import Offscreen

from .conftest import hearing


def letters() -> dict[str, np.ndarray]:
    sheet, (wide, high) = font.atlas(), font.CELL
    found = {}
    for code in range(32, 127):
        row, column = divmod(font.index(chr(code)), font.COLUMNS)
        found[chr(code)] = sheet[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
    return found


def test_every_letter_has_a_shape_of_its_own() -> None:
    found = letters()
    assert not found[" "].any() and all(found[c].any() for c in found if c != " ")
    assert len({shape.tobytes() for shape in found.values()}) == 95
    assert all(not shape[:, -1].any() for shape in found.values()), "a gap to the next letter"
    assert font.index("é") == font.index("?")


def test_letters_are_drawn_as_drawn() -> None:
    rows = ["".join("#" if pixel else "." for pixel in row[:5]) for row in letters()["A"]]
    assert rows == ["..#..", ".#.#.", "#...#", "#...#", "#####", "#...#", "#...#", "....."]


texts = st.text(max_size=80)


@settings(max_examples=40, deadline=None)
@given(texts, texts, st.lists(texts, max_size=6), st.floats(0, 1e6), st.floats(0, 1))
def test_nothing_leaves_the_panel(preset: str, source: str, degraded: list[str], rate: float, loud: float) -> None:
    state = HudState(hearing(loud), preset, source, rate, 59.9, 12.0, tuple(degraded), tuple(degraded[:3]))
    quads = layout(state)
    x, y, width, height = quads[0, :4]
    inside = quads[1:]
    assert np.isfinite(quads).all()
    assert (inside[:, 0] >= x).all() and (inside[:, 0] + inside[:, 2] <= x + width).all()
    assert (inside[:, 1] >= y).all() and (inside[:, 1] + inside[:, 3] <= y + height + 2).all()


def spelled(state: HudState) -> str:
    """The letters in reading order."""
    cells = [quad for quad in layout(state) if quad[4] != SOLID]
    return "".join(chr(int(q[4]) + 32) for q in sorted(cells, key=lambda q: (q[1], q[0])))


def test_it_says_what_it_was_told() -> None:
    said = spelled(HudState(hearing(), "Deep", "jam", 24.13, 59.9, 21.4, ("mic lost",)))
    for words in ("Deep", "jam", "24.1fps", "59.9fps", "21.4ms", "120bpm", "miclost"):
        assert words in said
    assert "gen-" in spelled(HudState(hearing())), "an unknown rate is a dash, not a zero"


def test_bars_follow_the_sound_and_failures_are_in_alarm_colour() -> None:
    def calm(loud: float) -> float:
        quads = layout(HudState(hearing(loud)))
        return float(quads[np.isclose(quads[:, 5:], CALM).all(axis=1)][0, 2])

    assert calm(0.0) < calm(0.4) < calm(0.9)
    alarmed = layout(HudState(hearing(), degraded=("no sound",)))
    assert np.isclose(alarmed[:, 5:], ALARM).all(axis=1).sum() == len("nosound")


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_it_draws_in_its_corner_only(offscreen: Offscreen, size: tuple[int, int]) -> None:
    from livevis.stage.passes import canvas, discard
    from livevis.stage.surface import read_picture

    offscreen.begin()
    target, hud = canvas(offscreen.ctx, size), Hud(offscreen.ctx)
    target.clear(0.5, 0.5, 0.5, 1.0)
    before = read_picture(target).astype(int)
    state = HudState(hearing(0.5), "Deep", "jam", 24.0, 60.0, 20.0)
    hud.draw(target, state)
    changed = np.abs(read_picture(target).astype(int) - before).max(axis=2) > 0
    scale = max(1, round(size[1] / 420))
    right, bottom = (np.array(layout(state)[0, 2:4]) + 8) * scale
    assert changed[: int(bottom), : int(right)].mean() > 0.5
    assert not changed[int(bottom) :].any() and not changed[:, int(right) :].any()
    assert read_picture(target).max() > 220, "ink"
    hud.release()
    discard(target)
