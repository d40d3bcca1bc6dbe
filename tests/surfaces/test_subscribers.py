"""Subscriptions: time to live, rate, identity. Time is an argument here, so nothing waits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.core.errors import ConfigError
from livevis.surfaces.subscribers import MAX_SUBSCRIBERS, TIME_TO_LIVE_S, Subscribers

HERE = ("10.0.0.5", 50_000)


def subscribed(*args: float, now_s: float = 0.0) -> Subscribers:
    made = Subscribers()
    made.subscribe(HERE, args, now_s=now_s, version=0)
    return made


@given(st.floats(1, 60), st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_never_faster_than_its_rate(rate_hz: float, waits_s: list[float]) -> None:
    listeners = subscribed(9011, rate_hz)
    now_s, turns = 0.0, []
    for wait_s in waits_s:
        now_s += wait_s
        turns += [now_s] * len(listeners.due(now_s))
    assert len(turns) <= 1 + (now_s + 0.25 / rate_hz) * rate_hz + 1e-6


@given(st.floats(-0.003, 0.003), st.integers(0, 2**32))
def test_a_jittering_publisher_misses_no_turn_at_its_own_rate(jitter_s: float, seed: int) -> None:
    listeners = subscribed(9011, 60)
    times = [i / 60 + jitter_s * ((seed >> i % 32) & 1) for i in range(1, 120)]
    assert sum(len(listeners.due(time_s)) for time_s in times) == len(times)


def test_expires_unless_renewed() -> None:
    listeners = subscribed(9011)
    listeners.subscribe(HERE, (9011,), now_s=20.0, version=0)
    assert len(listeners.due(20.0 + TIME_TO_LIVE_S - 0.1)) == 1
    assert listeners.due(20.0 + TIME_TO_LIVE_S) == [] and len(listeners) == 0
    assert listeners.next_s == math.inf


def test_renewal_keeps_what_is_known() -> None:
    listeners = subscribed(9011)
    listeners.due(0.1)[0].sent["/a"] = b"x"
    listeners.subscribe(HERE, (9011, 10), now_s=1.0, version=9)
    again = listeners.due(2.0)[0]
    assert (again.sent, again.version, again.rate_hz) == ({"/a": b"x"}, 0, 10.0)


@pytest.mark.parametrize(("asked", "given_hz"), [(1000, 60.0), (0, 1.0), (-5, 1.0), (30, 30.0)])
def test_rate_is_clamped(asked: float, given_hz: float) -> None:
    assert subscribed(9011, asked).due(0.0)[0].rate_hz == given_hz


@pytest.mark.parametrize(
    "args", [(0,), (65_536,), (1.5,), (math.nan,), ("port",), (b"x",), (9011, math.nan), (9011, "x")]
)
def test_nonsense_is_refused(args: tuple[object, ...]) -> None:
    with pytest.raises(ConfigError):
        subscribed(*args)  # type: ignore[arg-type]


def test_too_many_are_refused_but_renewals_are_not() -> None:
    listeners = Subscribers()
    for port in range(1, MAX_SUBSCRIBERS + 1):
        listeners.subscribe(HERE, (port,), now_s=0.0, version=0)
    listeners.subscribe(HERE, (1,), now_s=1.0, version=0)
    with pytest.raises(ConfigError, match="16 already"):
        listeners.subscribe(HERE, (9999,), now_s=1.0, version=0)
    listeners.subscribe(HERE, (9999,), now_s=TIME_TO_LIVE_S + 0.5, version=0)  # the others have expired by now
    assert len(listeners) == 2


def test_where_answers_go() -> None:
    listeners = Subscribers()
    elsewhere = ("10.0.0.6", 40_000)
    assert listeners.reply_addresses(HERE) == (HERE,)
    listeners.subscribe(HERE, (9011,), now_s=0.0, version=0)
    listeners.subscribe((HERE[0], 50_001), (9012,), now_s=0.0, version=0)
    stranger = (HERE[0], 60_000)
    assert listeners.reply_addresses(HERE) == ((HERE[0], 9011),)
    assert listeners.reply_addresses((HERE[0], 50_001)) == ((HERE[0], 9012),)
    assert listeners.reply_addresses(stranger) == (stranger, (HERE[0], 9012))  # and the host's newest
    assert listeners.reply_addresses(elsewhere) == (elsewhere,)


def test_unsubscribe_by_port_or_by_sender() -> None:
    listeners = subscribed(9011)
    listeners.unsubscribe(("10.0.0.6", 1), (9011,))
    assert len(listeners) == 1
    listeners.unsubscribe((HERE[0], 60_000), (9011,))
    assert len(listeners) == 0
    listeners.subscribe(HERE, (9012,), now_s=0.0, version=0)
    listeners.unsubscribe(HERE, ())
    assert len(listeners) == 0
