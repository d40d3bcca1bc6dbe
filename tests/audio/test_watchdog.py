"""The watchdog's decisions, over made-up histories of blocks and zeros."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from livevis.audio.watchdog import Rules, begin, reopened, step

RULES = Rules()
TICK_S = 0.02


def live(history: list[tuple[bool, bool]], *, opens: bool) -> list[tuple[float, str, bool]]:
    """Play (moved, heard) ticks; return (time, state, reopened now) per tick."""
    watch, out = begin(RULES, 0.0), []
    for i, (moved, heard) in enumerate(history):
        now_s = (i + 1) * TICK_S
        watch, again = step(watch, RULES, now_s, moved=moved, heard=heard)
        if again:
            watch = reopened(watch, RULES, now_s, ok=opens)
        out.append((now_s, watch.state, again))
    return out


def test_sound_is_left_alone() -> None:
    assert {row[1:] for row in live([(True, True)] * 500, opens=True)} == {("playing", False)}


def test_a_stall_is_noticed_after_half_a_second() -> None:
    rows = live([(True, True)] * 50 + [(False, False)] * 40, opens=False)
    first = next(t for t, _, again in rows if again)
    assert 1.5 < first < 1.5 + 2 * TICK_S
    assert rows[-1][1] == "lost"


def test_attempts_back_off_to_five_seconds() -> None:
    tries = [t for t, _, again in live([(False, False)] * 2_000, opens=False) if again]
    waits = [b - a for a, b in pairwise(tries)]
    expected = [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    for wait, nominal in zip(waits, expected, strict=False):
        assert nominal <= wait + 1e-9 < nominal + 2 * TICK_S
    assert len(waits) >= len(expected)


def test_digital_silence_is_checked_ever_more_rarely() -> None:
    rows = live([(True, False)] * 30_000, opens=True)  # ten minutes
    tries = [t for t, _, again in rows if again]
    assert 3.0 < tries[0] < 3.1
    assert len(tries) < 16
    assert max(b - a for a, b in pairwise(tries)) < 61
    assert {state for _, state, _ in rows[200:]} == {"silent"}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=600), st.booleans())
def test_no_history_makes_it_flap(history: list[tuple[bool, bool]], opens: bool) -> None:
    """Never two attempts within half a second, never an attempt in a tick that brought sound, unless it was lost."""
    rows = live([(moved, moved and heard) for moved, heard in history], opens=opens)
    tries = [t for t, _, again in rows if again]
    assert all(b - a >= 0.5 - 1e-9 for a, b in pairwise(tries))
    if opens:
        assert not [1 for (_, _, again), (moved, heard) in zip(rows, history, strict=True) if again and moved and heard]


def test_sound_resets_the_patience() -> None:
    silent_then_loud = [(True, False)] * 1_000 + [(True, True)] * 10 + [(True, False)] * 200
    rows = live(silent_then_loud, opens=True)
    after = [t for t, _, again in rows if again and t > 1_010 * TICK_S]
    assert 3.0 < after[0] - 1_010 * TICK_S < 3.1
