"""How the OSC surface stands a flood: messages at full speed, a tenth garbage, then a trigger to count.

`livevis eval flood` starts a surface of its own in another process; `--port N` aims at a livevis that runs on
this machine instead, and then moves its scene, effect and feedback controls to random places.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import math
import multiprocessing
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

import numpy as np

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.params import Registry
from livevis.surfaces.addresses import ROOT, stat_address
from livevis.surfaces.osc import OscSurface
from livevis.surfaces.packets import decode, encode, float_prefix

HOST = "127.0.0.1"
GARBAGE_SHARE = 0.1
TRIGGER = ROOT + "tempo/tap"  # a single tap changes nothing in a running show
ANSWER_TIMEOUT_S = 0.25
PATIENCE_S = 20.0
FRAME_S = 1 / 60

# Never presets (they write files), texts (they load networks) or outputs (they go full screen).
_GROUPS = ("scene", "effect", "feedback")
_TARGETS = tuple(ROOT + row.id for row in CATALOGUE if row.group in _GROUPS and row.kind in ("float", "int"))


@dataclass(frozen=True, slots=True)
class FloodReport:
    """What became of one flood; the counters are the surface's own, as differences.

    sent, received: datagrams, with trigger and questions; dropped: by the kernel; bad: refused messages;
    lost: sent and not received; trigger_s: from the last message of the flood until the trigger was seen
    to have counted, None when it never did; trigger_sends: 1 unless it was dropped itself.
    """

    messages: int
    garbage: int
    sent: int
    sent_per_s: float
    received: int
    dropped: int
    lost: int
    bad: int
    trigger_s: float | None
    trigger_sends: int

    @property
    def passed(self) -> bool:
        """Whether the trigger counted, all that is lost was counted as dropped, nothing good as bad."""
        return self.trigger_s is not None and self.lost == self.dropped and self.bad <= self.garbage


def datagrams(messages: int, *, seed: int = 0) -> list[bytes]:
    """Return `messages` datagrams in random order, a tenth of them garbage: each one bad message."""
    rng = np.random.default_rng(seed)
    garbage = round(messages * GARBAGE_SHARE)
    kinds = tuple(_GARBAGE)
    bad = [_GARBAGE[kinds[i % len(kinds)]](rng) for i in range(garbage)]
    mixed = bad + [_legal(rng) for _ in range(messages - garbage)]
    return [mixed[i] for i in rng.permutation(len(mixed))]


def _address(rng: np.random.Generator) -> str:
    return _TARGETS[int(rng.integers(len(_TARGETS)))]


def _legal(rng: np.random.Generator) -> bytes:
    return float_prefix(_address(rng) + "/norm") + struct.pack(">f", rng.random())


def _truncated(rng: np.random.Generator) -> bytes:
    whole = _legal(rng)
    return whole[: int(rng.integers(1, len(whole)))]


_GARBAGE: dict[str, Callable[[np.random.Generator], bytes]] = {
    "random bytes": lambda rng: rng.bytes(int(rng.integers(1, 200))),
    "truncated": _truncated,
    "wrong type": lambda rng: encode(_address(rng), "loud"),
    "not a number": lambda rng: float_prefix(_address(rng)) + struct.pack(">f", math.nan),
    "unknown address": lambda rng: encode(f"{_address(rng)}_{rng.integers(1000)}", 0.5),
}


class Player:
    """A controller on this machine: sends datagrams, counts them, asks for values."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sent = 0
        self._socket = self._open()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, datagram: bytes) -> None:
        """Send one datagram."""
        self._socket.send(datagram)
        self.sent += 1

    def ask(self, address: str, timeout_s: float = PATIENCE_S) -> int:
        """Return the number at `address` as a whole one; errors as `read`."""
        value = self.read(address, timeout_s)
        assert isinstance(value, (int, float))
        return int(value)

    def read(self, address: str, timeout_s: float = PATIENCE_S) -> object:
        """Return the value at `address`; TimeoutError when no answer comes, OSError when no one listens.

        Each question has its own socket, so that a late answer to another one is never taken for this.
        """
        with self._open() as asking:
            asking.settimeout(timeout_s)
            asking.send(encode(address, "?"))
            self.sent += 1
            value: object = decode(asking.recv(65_536))[0][0].args[0]
            return value

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.connect((HOST, self.port))
        return made


def flood(port: int, messages: int = 20_000, *, seed: int = 0) -> FloodReport:
    """Flood the OSC surface at a local port, then fire a trigger and wait until it has counted.

    Raises ConfigError when nothing answers there.
    """
    waiting = datagrams(messages, seed=seed)
    player = Player(port)
    try:
        return _flood(player, waiting)
    except OSError:
        raise ConfigError(f"no livevis answers OSC at {HOST} port {port}; start one or leave --port out") from None
    finally:
        player.close()


def _flood(player: Player, waiting: Sequence[bytes]) -> FloodReport:
    fired, before = player.ask(TRIGGER), _counters(player)
    start_s = time.perf_counter()
    for datagram in waiting:
        player.send(datagram)
    rate = round(len(waiting) / (time.perf_counter() - start_s))
    trigger_s, trigger_sends = _trigger(player, fired)
    after = _counters(player)
    sent, received, dropped, bad = (after[name] - before[name] for name in ("sent", "received", "dropped", "bad"))
    garbage = round(len(waiting) * GARBAGE_SHARE)
    return FloodReport(
        len(waiting), garbage, sent, rate, received, dropped, sent - received, bad, trigger_s, trigger_sends
    )


def _counters(player: Player) -> dict[str, int]:
    found = {name: player.ask(stat_address(f"osc_{name}")) for name in ("bad", "dropped", "received")}
    return found | {"sent": player.sent}


def _trigger(player: Player, fired_before: int) -> tuple[float | None, int]:
    """Fire until it counts; again only when a question asked later was answered and it is missing."""
    start_s, sends = time.perf_counter(), 0
    while time.perf_counter() - start_s < PATIENCE_S:
        player.send(encode(TRIGGER))
        sends += 1
        with contextlib.suppress(TimeoutError):
            player.ask(TRIGGER)  # whatever it says: datagrams are handled in order, so the trigger is in, or lost
        for _ in range(20):
            with contextlib.suppress(TimeoutError):
                if player.ask(TRIGGER, ANSWER_TIMEOUT_S) > fired_before:
                    return time.perf_counter() - start_s, sends
            time.sleep(FRAME_S)
    return None, sends


def _serve(parent: Connection) -> None:
    # the garbage is meant; what it is called is the log's business in a real run
    logging.getLogger("livevis").setLevel(logging.ERROR)
    registry = Registry(CATALOGUE)
    surface = OscSurface(registry, host=HOST, port=0)
    surface.start()
    parent.send(surface.port)
    while not parent.poll(FRAME_S):
        registry.apply()
    surface.stop()


@contextlib.contextmanager
def own_surface() -> Iterator[int]:
    """Run a registry with its OSC surface in another process, applied 60 times a second; yields its port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("stop")
        process.join()
        here.close()


def main(arguments: Sequence[str]) -> int:
    """Run the `livevis eval flood` command: print the report; 0 when the surface stood the flood."""
    parser = argparse.ArgumentParser(prog="livevis eval flood", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="how many, a tenth of them garbage")
    parser.add_argument("--port", type=int, help="OSC port of a livevis running on this machine")
    parser.add_argument("--seed", type=int, default=0, help="which flood")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.port:
        report = flood(options.port, options.messages, seed=options.seed)
    else:
        with own_surface() as port:
            report = flood(port, options.messages, seed=options.seed)
    print(json.dumps(asdict(report) | {"passed": report.passed}) if options.json else _text(report))
    return 0 if report.passed else 1


def _text(report: FloodReport) -> str:
    sent = f"{report.messages} messages ({report.garbage} garbage) at {report.sent_per_s:,.0f} a second"
    seen = f"received {report.received} of {report.sent}, dropped {report.dropped}, bad {report.bad}"
    after = "never counted" if report.trigger_s is None else f"counted after {report.trigger_s * 1000:.0f} ms"
    ends = f"trigger {after} ({report.trigger_sends} sent)"
    return f"flood: {sent}; {seen}; {ends}; {'passed' if report.passed else 'FAILED'}"


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
