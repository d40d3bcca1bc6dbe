"""When to give a device up and when to look for it again: pure decisions, no clock and no driver.

PortAudio does not say that a device has gone. Three things tell: no block for half a second; nothing but exact zeros
for seconds (PulseAudio re-routes an orphaned stream to another source without a word); and, when reopening, that the
name is missing. Digital silence is also legal music, so its checks get rarer the longer it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from livevis.audio.source import State


@dataclass(frozen=True, slots=True)
class Rules:
    """Patience in seconds: without blocks; with only zeros, first and longest; between attempts, first and longest."""

    stall_s: float = 0.5
    silence_s: float = 3.0
    silence_max_s: float = 60.0
    pause_s: float = 0.5
    pause_max_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Watch:
    """What the watchdog remembers; all times in seconds of one clock.

    moved_s: last block; try_s: earliest moment of the next attempt; pause_s: how long to wait after it;
    quiet_s: how long zeros are accepted before the next check; zero_s: since when only zeros came.
    """

    state: State
    moved_s: float
    zero_s: float
    try_s: float
    pause_s: float
    quiet_s: float


def begin(rules: Rules, now_s: float) -> Watch:
    """Return the state of a device just opened."""
    return Watch("waiting", now_s, now_s, now_s, rules.pause_s, rules.silence_s)


def step(watch: Watch, rules: Rules, now_s: float, *, moved: bool, heard: bool) -> tuple[Watch, bool]:
    """Look once and return (state, whether to reopen now).

    moved: a block has come since the last look; heard: one of its samples was not exactly zero.
    """
    if watch.state == "lost":
        return watch, now_s >= watch.try_s
    if moved:
        watch = replace(watch, moved_s=now_s, pause_s=rules.pause_s)
    if heard:
        return replace(watch, state="playing", zero_s=now_s, quiet_s=rules.silence_s), False
    if now_s - watch.moved_s > rules.stall_s:
        return replace(watch, state="lost", try_s=now_s), True
    if now_s - watch.zero_s > watch.quiet_s:
        quiet_s = min(2 * watch.quiet_s, rules.silence_max_s)
        return replace(watch, state="silent", zero_s=now_s, quiet_s=quiet_s), True
    return watch, False


def reopened(watch: Watch, rules: Rules, now_s: float, *, ok: bool) -> Watch:
    """Return the state after an attempt; each failure doubles the pause, a block resets it."""
    if ok:
        state: State = "silent" if watch.state == "silent" else "waiting"
        pause_s = min(2 * watch.pause_s, rules.pause_max_s)
        return replace(watch, state=state, moved_s=now_s, zero_s=now_s, pause_s=pause_s)
    pause_s = min(2 * watch.pause_s, rules.pause_max_s)
    return replace(watch, state="lost", try_s=now_s + watch.pause_s, pause_s=pause_s)
