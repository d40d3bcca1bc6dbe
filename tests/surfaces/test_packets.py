"""Datagrams: python-osc's builder is the independent encoder; nothing undecodable ever raises."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from livevis.surfaces.packets import MAX_BUNDLE_DEPTH, Fault, Message, decode, encode, float_bytes, float_prefix

ARGUMENTS = st.one_of(
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(width=32, allow_nan=False),
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20),
    st.binary(min_size=1, max_size=20),
)


def built(address: str, args: list[object]) -> OscMessage:
    builder = OscMessageBuilder(address)
    for arg in args:
        builder.add_arg(arg)
    return builder.build()


@given(st.lists(ARGUMENTS, max_size=6))
def test_reads_what_python_osc_writes(args: list[object]) -> None:
    assert decode(built("/a/b", args).dgram) == ([Message("/a/b", tuple(args))], [])


@given(st.lists(ARGUMENTS, min_size=1, max_size=4), st.data())
def test_a_truncated_message_is_a_fault(args: list[object], data: st.DataObject) -> None:
    whole = built("/a/bcd", args).dgram
    cut = data.draw(st.integers(1, len(whole) - 1))
    messages, faults = decode(whole[:cut])
    # bytes that carry nothing may go: T and F have none, and an address alone is a message without arguments
    lossless = OscMessage(whole).params
    assert faults or all(len(message.args) == 0 or list(message.args) == lossless for message in messages)
    assert len(messages) + len(faults) == 1


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    decode(data)


@given(st.binary(max_size=200))
def test_no_bundle_raises(data: bytes) -> None:
    decode(b"#bundle\0" + data)


@given(st.text("ifsbdhTFNIrmtScxq[]", max_size=8), st.binary(max_size=60))
def test_no_type_tags_raise(tags: str, data: bytes) -> None:
    text = f",{tags}\0".encode()
    messages, faults = decode(b"/a\0\0" + text + b"\0" * (-len(text) % 4) + data)
    assert len(messages) + len(faults) == 1


def test_every_type_tag() -> None:
    data = b"/a\0\0,ifdhTFNIrm[i]t\0" + struct.pack(">ifdq", 1, 0.5, 0.25, 2**40)
    data += b"rgba" + b"midi" + struct.pack(">i", 7) + b"timetag."
    expected = (1, 0.5, 0.25, 2**40, True, False, None, True, b"rgba", b"midi", 7, b"timetag.")
    assert decode(data) == ([Message("/a", expected)], [])


def test_a_message_without_type_tags_has_no_arguments() -> None:
    assert decode(b"/a/b\0\0\0\0") == ([Message("/a/b", ())], [])


def nested(depth: int) -> bytes:
    packet = encode("/deep", 1.0)
    for _ in range(depth):
        packet = b"#bundle\0" + struct.pack(">qi", 1, len(packet)) + packet
    return packet


def test_bundles_nest_and_keep_order() -> None:
    inner = OscBundleBuilder(IMMEDIATELY)
    inner.add_content(built("/b", [2]))
    outer = OscBundleBuilder(2_000_000_000)  # a time tag far in the future is played at once
    for content in (built("/a", [1]), inner.build(), built("/c", [3])):
        outer.add_content(content)
    messages, faults = decode(outer.build().dgram)
    assert ([message.address for message in messages], faults) == (["/a", "/b", "/c"], [])


@pytest.mark.parametrize(("depth", "readable"), [(MAX_BUNDLE_DEPTH, True), (MAX_BUNDLE_DEPTH + 1, False), (900, False)])
def test_depth_is_bounded(depth: int, readable: bool) -> None:
    messages, faults = decode(nested(depth))
    assert (bool(messages), bool(faults)) == (readable, not readable)


@pytest.mark.parametrize("size", [-4, -(2**31), 0, 3, 12, 2**31 - 1])
def test_an_impossible_element_ends_its_bundle_and_keeps_the_rest(size: int) -> None:
    good = encode("/a", 1.0)
    data = b"#bundle\0" + bytes(8) + struct.pack(">i", len(good)) + good + struct.pack(">i", size) + bytes(8)
    messages, faults = decode(data)
    assert [message.address for message in messages] == ["/a"]
    assert len(faults) == 1


def test_a_fault_names_the_address_it_claims() -> None:
    assert decode(b"/a\0\0,f\0\0\0\0") == ([], [Fault("/a", "10 bytes, not a multiple of four")])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_is_its_prefix_and_four_bytes(value: float) -> None:
    assert float_prefix("/livevis/audio/level") + float_bytes(value) == encode("/livevis/audio/level", value)


def test_a_float_too_large_for_32_bits_saturates() -> None:
    assert decode(float_prefix("/a") + float_bytes(1e300))[0][0].args == (3.4028234663852886e38,)
