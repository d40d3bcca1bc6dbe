"""OSC datagrams in and out: python-osc reads and writes the arguments, the framing is checked here.

python-osc 1.10 pads a truncated float with zeros, loops for ever over a bundle with an element of negative size,
and logs at the root logger for each unknown type tag; a port open to a stage can afford none of the three.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing import osc_types

BUNDLE_TAG = b"#bundle\x00"
BUNDLE_HEADER_BYTES = 16
MAX_BUNDLE_DEPTH = 16

Argument = float | int | bool | str | bytes | None
_Reader = Callable[[bytes, int], tuple[Any, int]]

_NUMBERS: dict[str, tuple[int, _Reader]] = {
    "f": (4, osc_types.get_float),
    "i": (4, osc_types.get_int),
    "d": (8, osc_types.get_double),
    "h": (8, osc_types.get_int64),
}
_CONSTANTS: dict[str, Argument] = {"T": True, "F": False, "I": True, "N": None}
# No parameter takes a character, colour, MIDI event or time: kept as bytes, so that the row refuses them.
_OPAQUE_BYTES: dict[str, int] = {"c": 4, "r": 4, "m": 4, "t": 8}


class Message(NamedTuple):
    """One OSC message: address (or address pattern) and its arguments, arrays flattened."""

    address: str
    args: tuple[Argument, ...]


class Fault(NamedTuple):
    """Something undecodable: the address it claims ("" when unreadable) and why."""

    address: str
    reason: str


def decode(datagram: bytes) -> tuple[list[Message], list[Fault]]:
    """Read one datagram: messages in order (bundles flat, time tags ignored) and faults; never raises."""
    messages: list[Message] = []
    faults: list[Fault] = []
    for part in _parts(datagram, 0):
        outcome = part if isinstance(part, Fault) else _message(part)
        if isinstance(outcome, Fault):
            faults.append(outcome)
        else:
            messages.append(outcome)
    return messages, faults


def _parts(data: bytes, depth: int) -> Iterator[bytes | Fault]:
    if not data.startswith(BUNDLE_TAG):
        yield data
    elif depth >= MAX_BUNDLE_DEPTH:
        yield Fault("", f"bundles nested deeper than {MAX_BUNDLE_DEPTH}")
    elif len(data) < BUNDLE_HEADER_BYTES:
        yield Fault("", "bundle without a time tag")
    else:
        yield from _elements(data, depth)


def _elements(data: bytes, depth: int) -> Iterator[bytes | Fault]:
    at = BUNDLE_HEADER_BYTES
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or size % 4 or at + size > len(data):
            yield Fault("", f"bundle element of {size} bytes where {max(len(data) - at, 0)} remain")
            return
        yield from _parts(data[at : at + size], depth + 1)
        at += size


def _message(data: bytes) -> Message | Fault:
    if not data.startswith(b"/"):
        return Fault("", f"{len(data)} bytes that are neither a message nor a bundle")
    address = ""
    try:
        address, at = _string(data, 0)
        if len(data) % 4:
            return Fault(address, f"{len(data)} bytes, not a multiple of four")
        if at == len(data):  # old senders leave the type tags out when there is no argument
            return Message(address, ())
        tags, at = _string(data, at)
        if not tags.startswith(","):
            return Fault(address, "no type tags")
        return Message(address, tuple(_arguments(data, at, tags[1:])))
    except (osc_types.ParseError, ValueError) as error:
        return Fault(address, str(error))


def _arguments(data: bytes, at: int, tags: str) -> Iterator[Argument]:
    for tag in tags.replace("[", "").replace("]", ""):
        if tag in _CONSTANTS:
            yield _CONSTANTS[tag]
            continue
        value, at = _argument(data, at, tag)
        if at > len(data):
            raise ValueError("truncated")
        yield value


def _argument(data: bytes, at: int, tag: str) -> tuple[Argument, int]:
    if tag in _NUMBERS:
        size, read = _NUMBERS[tag]
        return (read(data, at)[0], at + size) if at + size <= len(data) else (None, at + size)
    if tag in "sS":
        return _string(data, at)
    if tag == "b":
        value, end = osc_types.get_blob(data, at)
        return value, max(end, at + 4)
    if tag in _OPAQUE_BYTES:
        return data[at : at + _OPAQUE_BYTES[tag]], at + _OPAQUE_BYTES[tag]
    raise ValueError(f"unknown type tag {tag!r}")


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\x00", at)
    if end < 0:
        raise ValueError("unterminated string")
    return data[at:end].decode("utf-8"), (end + 4) & ~3


def encode(address: str, *args: float | int | bool | str) -> bytes:
    """Write one message: float f, int i (h beyond 32 bits), bool i 0 or 1 (many take no T/F), str s."""
    builder = OscMessageBuilder(address)
    for value in args:
        builder.add_arg(int(value) if isinstance(value, bool) else value)
    return builder.build().dgram


def float_prefix(address: str) -> bytes:
    """Return the bytes that come before the four of the float in a one-float message to `address`."""
    return encode(address, 0.0)[:-4]


def float_bytes(value: float) -> bytes:
    """Return a finite value as the four bytes of an OSC float, saturated at the largest float32."""
    largest = 3.4028234663852886e38
    return struct.pack(">f", min(max(value, -largest), largest))
