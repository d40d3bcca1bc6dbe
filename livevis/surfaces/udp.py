"""The UDP socket: opening it, draining it, and asking the kernel what it dropped."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterator

from livevis.core.errors import ConfigError

RECEIVE_BUFFER_BYTES = 4 << 20
MAX_DATAGRAM_BYTES = 65_536
INBOX_BYTES = 32 << 20
_ENTRY_BYTES = 250  # what Python adds to a small datagram and its sender

Address = tuple[str, int]

# Linux: nine u32, the last of which counts the datagrams dropped at this socket (linux/sock_diag.h).
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("=9I")


def open_socket(host: str, port: int) -> socket.socket:
    """Bind a non-blocking UDP socket with a large receive buffer; a ConfigError names port and way out."""
    if not 0 <= port <= 65_535:  # the resolver would take it modulo 65536
        raise ConfigError(f"OSC cannot listen on {host} port {port}: choose 1..65535 with --osc-port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise ConfigError(f"OSC cannot listen on '{host}' port {port}: no such address of this machine") from None
    sock = socket.socket(family, kind, protocol)
    try:
        _configure(sock)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise ConfigError(_cannot_bind(host, port, error)) from None
    return sock


def _configure(sock: socket.socket) -> None:
    sock.setblocking(False)
    with contextlib.suppress(OSError):  # some systems refuse more than their limit instead of granting the limit
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)


def _cannot_bind(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"OSC port {port} on {host} is already in use; choose another with --osc-port, e.g. {port + 1}"
    return f"OSC cannot listen on {host} port {port}: {error.strerror}; choose with --osc-host and --osc-port"


class Inbox:
    """Datagrams read from the socket and not yet looked at.

    Reading one takes a tenth of the time of acting on it, and the kernel holds a few thousand at most (hundreds
    where its limit was never raised): emptying its buffer often and early is what keeps a burst whole.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._waiting: deque[tuple[bytes, Address]] = deque()
        self._cost_bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def fill(self) -> None:
        """Read whatever the kernel holds, while there is room; never blocks nor raises."""
        while self._cost_bytes < INBOX_BYTES:
            try:
                data, sender = self._socket.recvfrom(MAX_DATAGRAM_BYTES)
            except OSError:  # nothing waits; or Windows reports that an earlier reply met a closed port
                return
            self._cost_bytes += len(data) + _ENTRY_BYTES
            self._waiting.append((data, (sender[0], sender[1])))

    def take(self, limit: int) -> Iterator[tuple[bytes, Address]]:
        """Yield up to `limit` datagrams with their senders, oldest first."""
        for _ in range(min(limit, len(self._waiting))):
            data, sender = self._waiting.popleft()
            self._cost_bytes -= len(data) + _ENTRY_BYTES
            yield data, sender


def kernel_drops(sock: socket.socket) -> int | None:
    """Return how many datagrams the kernel threw away for want of room; None where no one can tell."""
    if sys.platform != "linux":
        return None
    try:
        return int(_MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size))[8])
    except (OSError, struct.error):  # kernels before 4.12 and some sandboxes
        return None
