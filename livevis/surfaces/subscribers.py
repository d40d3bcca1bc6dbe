"""Who is told what changes: subscriptions by reply port, with a time to live and a rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from livevis.core import coercion
from livevis.core.errors import ConfigError
from livevis.surfaces.packets import Argument
from livevis.surfaces.udp import Address

TIME_TO_LIVE_S = 30.0
MAX_RATE_HZ = 60.0
MAX_SUBSCRIBERS = 16
# The publisher's ticks jitter; without grace a 60 Hz subscriber of a 60 Hz publisher would miss early ones.
_EARLY = 0.25


@dataclass(slots=True)
class Subscriber:
    """One listener: where it sends from, where it listens, how often it wants news, what it already knows."""

    source: Address
    reply: Address
    rate_hz: float
    expires_s: float
    version: int
    next_s: float = 0.0
    sent: dict[str, bytes] = field(default_factory=dict)

    def take_turn(self, now_s: float) -> bool:
        """Say whether news may go out now, and book the next turn; on average never more than `rate_hz`."""
        period = 1.0 / self.rate_hz
        if now_s < self.next_s - _EARLY * period:
            return False
        late = now_s - self.next_s >= period
        self.next_s = (now_s if late else self.next_s) + period
        return True


class Subscribers:
    """All subscriptions. Only the surface's thread changes them; `next_s` may be read from any."""

    def __init__(self) -> None:
        self._by_reply: dict[Address, Subscriber] = {}
        self.next_s = math.inf

    def __len__(self) -> int:
        return len(self._by_reply)

    def subscribe(self, source: Address, args: Sequence[Argument], *, now_s: float, version: int) -> None:
        """Add or renew `[port [hz]]`; no port means the sender's own. ConfigError on an illegal one."""
        reply = (source[0], _port(args[0]) if args else source[1])
        rate_hz = min(max(coercion.number(args[1]), 1.0), MAX_RATE_HZ) if len(args) > 1 else MAX_RATE_HZ
        self._forget_expired(now_s)
        known = self._by_reply.get(reply)
        if known is None and len(self._by_reply) >= MAX_SUBSCRIBERS:
            raise ConfigError(f"OSC: {source[0]} cannot subscribe, there are {MAX_SUBSCRIBERS} already")
        fresh = known or Subscriber(source, reply, rate_hz, 0.0, version, next_s=now_s)
        fresh.source, fresh.rate_hz, fresh.expires_s = source, rate_hz, now_s + TIME_TO_LIVE_S
        self._by_reply.pop(reply, None)  # re-inserted, so that the newest subscription of a host comes last
        self._by_reply[reply] = fresh
        self._plan()

    def unsubscribe(self, source: Address, args: Sequence[Argument]) -> None:
        """Remove `[port]` of the sender's host, or whatever was subscribed from the sender's own port."""
        if args:
            self._by_reply.pop((source[0], _port(args[0])), None)
        else:
            self._keep([s for s in self._by_reply.values() if source not in (s.source, s.reply)])
        self._plan()

    def due(self, now_s: float) -> list[Subscriber]:
        """Forget the expired, and return those whose turn it is."""
        self._forget_expired(now_s)
        turns = [s for s in self._by_reply.values() if s.take_turn(now_s)]
        self._plan()
        return turns

    def reply_addresses(self, source: Address) -> tuple[Address, ...]:
        """Return where an answer to `source` goes: to the port it subscribed, else to the port it sent from.

        Some programs send each message from another port and listen at one: so a sender that is not known but
        whose host has subscribed is answered at that host's newest subscription as well.
        """
        same_host = [s for s in self._by_reply.values() if s.reply[0] == source[0]]
        own = [s.reply for s in same_host if source in (s.source, s.reply)]
        return (own[-1],) if own else (source, *(s.reply for s in same_host[-1:]))

    def _forget_expired(self, now_s: float) -> None:
        self._keep([s for s in self._by_reply.values() if s.expires_s > now_s])

    def _keep(self, subscribers: Sequence[Subscriber]) -> None:
        self._by_reply = {s.reply: s for s in subscribers}

    def _plan(self) -> None:
        turns = (s.next_s - _EARLY / s.rate_hz for s in self._by_reply.values())
        self.next_s = min(turns, default=math.inf)


def _port(value: Argument) -> int:
    number = coercion.number(value)
    if not 1 <= number <= 65_535 or number != int(number):
        raise ConfigError(f"OSC port {number:g} is not a whole number 1..65535")
    return int(number)
