"""OSC over UDP: every parameter in, features, stats and changed parameters out to whoever subscribed.

One socket, one thread. A drain takes whatever waits and becomes one batch of the registry, so a bundle is one
version.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from livevis.core.clock import Clock, WallClock
from livevis.core.errors import ConfigError
from livevis.core.params import Registry
from livevis.core.types import AudioFeatures, silent_features
from livevis.surfaces.addresses import ROOT, AddressTable, Target
from livevis.surfaces.complaints import Complaints
from livevis.surfaces.incoming import Batch, arguments_used, change, is_query, reply
from livevis.surfaces.outgoing import Outputs, Snapshot, news, source_name
from livevis.surfaces.packets import Fault, Message, decode, encode
from livevis.surfaces.subscribers import Subscribers
from livevis.surfaces.udp import Address, Inbox, kernel_drops, open_socket

DEFAULT_PORT = 9010
CHUNK = 64
MAX_CHUNKS = 16
IDLE_WAKE_S = 0.25

_log = logging.getLogger(__name__)


class OscSurface:
    """The registry as OSC addresses `/livevis/<id>` and `/livevis/<id>/norm`, at one UDP port.

    received counts datagrams; bad counts messages (or unreadable datagrams) refused, each address warned
    about once; dropped counts what the kernel threw away before we saw it (0 where `drops_known` is False);
    unsent counts what the system would not send. port 0 takes any free port; `port` then says which.
    clock: the one whose seconds `publish` is given.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        clock: Clock | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.received = self.bad = self.unsent = 0
        self._registry = registry
        self._clock = clock or WallClock()
        self._table = AddressTable(registry.rows)
        self._subscribers = Subscribers()
        self._outputs = Outputs()
        self._complaints = Complaints(_log)
        self._latest: tuple[AudioFeatures, Mapping[str, float]] = (silent_features(), {})
        self._drops: int | None = None
        self._thread: threading.Thread | None = None
        self._commands: dict[str, Callable[[Message, Address], None]] = {
            f"{ROOT}subscribe": self._subscribe,
            f"{ROOT}unsubscribe": self._unsubscribe,
            f"{ROOT}ping": self._ping,
        }

    def start(self) -> None:
        """Open the port and begin to listen; raises ConfigError when the port is taken. [main]"""
        self._socket = open_socket(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        self._drops = kernel_drops(self._socket)
        self._inbox = Inbox(self._socket)
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close the port; nothing to do unless `start` succeeded. [main]"""
        if self._thread is None:
            return
        self._stopping.set()
        self._ring()
        self._thread.join()
        self._thread = None
        self._drops = kernel_drops(self._socket)
        for end in (self._socket, self._bell, self._ear):
            end.close()

    def publish(self, features: AudioFeatures, stats: Mapping[str, float], now_s: float) -> None:
        """Hand over what subscribers may be told; the surface's thread sends it at each one's rate. [main]"""
        self._latest = (features, stats)
        if now_s >= self._subscribers.next_s:
            self._ring()

    @property
    def dropped(self) -> int:
        """Datagrams the kernel dropped at this port since `start`. [any]"""
        if self._thread is not None:
            self._drops = kernel_drops(self._socket)
        return self._drops or 0

    @property
    def drops_known(self) -> bool:
        """Whether this system tells how many datagrams it dropped. [any]"""
        return self._drops is not None

    def counters(self) -> dict[str, int | bool]:
        """Return received, dropped, drops_known, bad, unsent and subscribers as they stand. [any]"""
        return {
            "received": self.received,
            "dropped": self.dropped,
            "drops_known": self.drops_known,
            "bad": self.bad,
            "unsent": self.unsent,
            "subscribers": self.subscribers,
        }

    @property
    def subscribers(self) -> int:
        """How many subscriptions stand. [any]"""
        return len(self._subscribers)

    def _ring(self) -> None:
        with contextlib.suppress(OSError):  # full: it is ringing already; closed: nobody listens any more
            self._bell.send(b"\0")

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                rung = self._wait()
                self._drain()
                if rung:
                    self._tell()
            except Exception as error:  # a fault here must cost one drain, not the performer's controller
                self.bad += 1
                self._complaints.once(type(error).__name__, partial(_internal, error))

    def _wait(self) -> bool:
        timeout_s = 0.0 if len(self._inbox) else IDLE_WAKE_S
        readable, _, _ = select.select((self._socket, self._ear), (), (), timeout_s)
        if self._ear in readable:
            self._ear.recv(4096)
        return self._ear in readable

    def _drain(self) -> None:
        batch = Batch()
        for _ in range(MAX_CHUNKS):  # bounded, so that a flood without end still plays, batch by batch
            self._inbox.fill()
            if not len(self._inbox):
                break
            for datagram, client in self._inbox.take(CHUNK):
                self._read(datagram, client, batch)
        if changes := batch.changes():
            self._registry.post(changes)

    def _read(self, datagram: bytes, client: Address, batch: Batch) -> None:
        self.received += 1
        messages, faults = decode(datagram)
        for fault in faults:
            self._refuse(fault.address or client[0], partial(_unreadable, fault, client))
        for message in messages:
            self._handle(message, client, batch)

    def _handle(self, message: Message, client: Address, batch: Batch) -> None:
        try:
            if command := self._commands.get(message.address):
                command(message, client)
            elif targets := self._table.find(message.address):
                self._play(targets, message, client, batch)
            else:
                self._output(message, client)
        except ConfigError as error:
            self._refuse(message.address, partial(str, error))

    def _play(self, targets: Iterable[Target], message: Message, client: Address, batch: Batch) -> None:
        refusal: ConfigError | None = None
        for target in targets:  # of all that a pattern means, what one row refuses must not keep the others
            try:
                if is_query(message.args):
                    self._answer(client, reply(self._registry, target))
                elif legal := change(self._registry, target, message.args, source=source_name(client)):
                    batch.add(legal)
            except ConfigError as error:
                refusal = error
        if refusal:
            raise refusal
        if len(message.args) > arguments_used(message.args):
            self._complaints.once(message.address, partial(_too_many, message))

    def _output(self, message: Message, client: Address) -> None:
        known = self._snapshot().get(message.address)
        if known is not None and is_query(message.args):
            self._answer(client, known)
        elif known is not None:
            raise ConfigError(f"{message.address} is an output; ask with '?' or subscribe with {ROOT}subscribe")
        else:
            self._refuse(message.address, partial(self._table.unknown, message.address))

    def _subscribe(self, message: Message, client: Address) -> None:
        version = self._registry.base().version
        self._subscribers.subscribe(client, message.args, now_s=self._clock.now(), version=version)

    def _unsubscribe(self, message: Message, client: Address) -> None:
        self._subscribers.unsubscribe(client, message.args)

    def _ping(self, message: Message, client: Address) -> None:
        told_apart = [arg for arg in message.args if isinstance(arg, (int, float, str))]
        self._answer(client, encode(f"{ROOT}pong", *told_apart))

    def _snapshot(self) -> Snapshot:
        features, stats = self._latest
        own = {"osc_received": self.received, "osc_dropped": self.dropped, "osc_bad": self.bad}
        return self._outputs.snapshot(features, {**stats, **own})

    def _tell(self) -> None:
        turns = self._subscribers.due(self._clock.now())
        snapshot = self._snapshot() if turns else {}
        for subscriber in turns:
            for datagram in news(subscriber, snapshot, self._registry):
                self._send(datagram, subscriber.reply)

    def _answer(self, client: Address, datagram: bytes) -> None:
        for address in self._subscribers.reply_addresses(client):
            self._send(datagram, address)

    def _send(self, datagram: bytes, address: Address) -> None:
        try:
            self._socket.sendto(datagram, address)
        except OSError:  # no route, or our own send buffer is full: the next turn says it again
            self.unsent += 1

    def _refuse(self, subject: str, reason: Callable[[], str]) -> None:
        self.bad += 1
        self._complaints.once(subject, reason)


def _unreadable(fault: Fault, client: Address) -> str:
    return f"OSC: unreadable message {fault.address[:80]} from {client[0]}: {fault.reason}"


def _too_many(message: Message) -> str:
    return f"OSC: {message.address} takes one argument; the first of {len(message.args)} is used"


def _internal(error: Exception) -> str:
    return f"OSC: internal fault, one batch of messages lost: {error!r}"
