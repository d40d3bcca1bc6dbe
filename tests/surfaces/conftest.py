"""A registry behind a real UDP port on the loopback, and controllers that play it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from livevis.core.catalogue import CATALOGUE
from livevis.core.clock import VirtualClock
from livevis.core.params import Registry
from livevis.surfaces.osc import OscSurface

PATIENCE_S = 20.0
SENTINEL = "tempo/resync"


def encoded(address: str, *args: object) -> bytes:
    """Encode by python-osc, which the code under test uses for its replies only."""
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return builder.build().dgram


class Controller:
    """One device of a performer: sends, and hears what comes back to its own port."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_S)
        self._to = ("127.0.0.1", port)
        self._pings = 0
        self.port = self._socket.getsockname()[1]

    def send(self, address: str, *args: object) -> None:
        self.raw(encoded(address, *args))

    def raw(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._to)

    def hear(self) -> tuple[str, list[object]]:
        message = OscMessage(self._socket.recv(65_536))
        return message.address, message.params

    def hear_until_pong(self) -> dict[str, list[object]]:
        """Everything sent to us before the answer to a ping; replies of one surface come in order."""
        self._pings += 1
        self.send("/livevis/ping", self._pings)
        heard: dict[str, list[object]] = {}
        while True:
            address, params = self.hear()
            if (address, params) == ("/livevis/pong", [self._pings]):
                return heard
            heard.setdefault(address, []).append(params[0])

    def ask(self, address: str) -> object:
        self.send(address, "?")
        answer, params = self.hear()
        assert answer == address
        return params[0]

    def close(self) -> None:
        self._socket.close()


class Rig:
    """The surface under test and whatever the test plugs into it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.marks = 0
        self.registry = Registry(CATALOGUE)
        self.surface = OscSurface(self.registry, port=0, clock=self.clock)
        self.surface.start()
        self._controllers: list[Controller] = []
        self.player = self.plug()

    def plug(self) -> Controller:
        self._controllers.append(Controller(self.surface.port))
        return self._controllers[-1]

    def until(self, happened: Callable[[], bool]) -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not happened():
            assert time.monotonic() < end_s, "never happened"
            time.sleep(0.001)

    def settle(self, sentinel: str = SENTINEL) -> None:
        """Return when all that the player has sent is in the registry: a trigger sent last has counted."""
        before = self.registry.read(sentinel)

        def counted() -> bool:
            self.registry.apply()
            return self.registry.read(sentinel) != before

        self.player.send(f"/livevis/{sentinel}")
        self.until(counted)

    def play(self, address: str, *args: object) -> None:
        self.player.send(address, *args)
        self.settle()

    def close(self) -> None:
        for controller in self._controllers:
            controller.close()
        self.surface.stop()


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()
