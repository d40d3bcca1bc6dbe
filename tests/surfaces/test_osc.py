"""The whole surface over real UDP: every row in both forms, coercion, queries, steps, triggers, subscriptions."""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage

from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.features import FEATURES, INDEX
from livevis.core.params import Change, Param, Registry
from livevis.core.types import AudioFeatures, silent_features
from livevis.surfaces.addresses import FEATURE_ADDRESSES
from livevis.surfaces.complaints import MAX_SUBJECTS
from livevis.surfaces.osc import OscSurface
from livevis.surfaces.subscribers import TIME_TO_LIVE_S

from .conftest import Rig, encoded

VALUED = [row for row in CATALOGUE if row.kind != "trigger"]
KNOBS = [row for row in VALUED if row.kind != "text"]
TRIGGERS = [row for row in CATALOGUE if row.kind == "trigger"]


def another_value(row: Param) -> float | int | bool | str:
    """Return a legal value that is not the default."""
    if row.kind == "bool":
        return not row.default
    if row.kind == "text":
        return f"new {row.id}"
    if row.kind == "enum":
        return row.choices[-1]
    value = row.low + 0.75 * (row.high - row.low)
    return int(value) if row.kind == "int" else float(np.float32(value))


def test_every_row_is_set_and_asked_in_natural_units(rig: Rig) -> None:
    for row in VALUED:
        rig.player.send(f"/livevis/{row.id}", another_value(row))
    rig.settle()
    assert {row.id: rig.registry.read(row.id) for row in VALUED} == {row.id: another_value(row) for row in VALUED}
    for row in VALUED:
        answer = rig.player.ask(f"/livevis/{row.id}")
        assert answer == (float(np.float32(answer)) if row.kind == "float" else another_value(row))  # type: ignore[arg-type]
        assert isinstance(answer, {"float": float, "int": int, "bool": int}.get(row.kind, str))


@pytest.mark.parametrize("knob", [0.0, 0.25, 1.0])
def test_every_row_is_set_and_asked_as_a_knob(rig: Rig, knob: float) -> None:
    for row in KNOBS:
        rig.player.send(f"/livevis/{row.id}/norm", knob)
    rig.settle()
    for row in KNOBS:
        assert rig.registry.read(row.id) == row.from_norm(knob), row.id
        expected = row.to_norm(row.from_norm(knob))
        assert rig.player.ask(f"/livevis/{row.id}/norm") == pytest.approx(expected, abs=1e-6), row.id


@pytest.mark.parametrize("row", TRIGGERS, ids=lambda row: row.id)
def test_a_trigger_fires_on_press_and_ignores_release(rig: Rig, row: Param) -> None:
    before = rig.registry.read(row.id)
    for args in ((), (1,), (0,), (1.0,), (0.0,), (True,), (False,)):
        rig.player.send(f"/livevis/{row.id}", *args)
    rig.player.send(f"/livevis/{row.id}/norm", 1.0)
    rig.player.send(f"/livevis/{row.id}/norm", 0.0)
    rig.settle("tempo/half" if row.id == "tempo/resync" else "tempo/resync")
    assert rig.registry.read(row.id) - before == 5  # type: ignore[operator]
    assert rig.player.ask(f"/livevis/{row.id}") == rig.registry.read(row.id)
    assert rig.surface.bad == 0


@pytest.mark.parametrize(
    ("id", "sent", "held"),
    [
        ("effect/zoom", 1, 1.0),
        ("effect/zoom", True, 1.0),
        ("effect/zoom", "0.25", 0.25),
        ("effect/zoom", 7.0, 1.0),
        ("effect/zoom", -7.0, 0.0),
        ("effect/hue", 1.25, 0.25),
        ("diffusion/steps", 2.6, 3),
        ("diffusion/steps", 99, 4),
        ("output/blackout", 0.5, True),
        ("output/blackout", "on", True),
        ("output/flash_limit", "off", False),
        ("output/flash_limit", 0, False),
        ("init/source", "IMAGE", "image"),
        ("init/source", 2, "self"),
        ("init/source", 1.0, "image"),
        ("prompt/text_2", "ein grünes Meer", "ein grünes Meer"),
    ],
)
def test_coercion(rig: Rig, id: str, sent: object, held: object) -> None:
    rig.play(f"/livevis/{id}", sent)
    assert rig.registry.read(id) == held
    assert rig.surface.bad == 0


def test_numbers_of_64_bits(rig: Rig) -> None:
    rig.player.raw(b"/livevis/effect/zoom\0\0\0\0,d\0\0" + struct.pack(">d", 0.1))
    rig.player.raw(b"/livevis/diffusion/seed\0,h\0\0" + struct.pack(">q", 2**40))
    rig.settle()
    assert (rig.registry.read("effect/zoom"), rig.registry.read("diffusion/seed")) == (0.1, 2**31 - 1)


@pytest.mark.parametrize(
    ("address", "messages", "held"),
    [
        ("audio/gain", [("+", 3.0), ("+", 3.0), ("-", 2.0)], 4.0),
        ("audio/gain", [(2.0,), ("*", 3.0)], 6.0),
        ("audio/gain", [("+", 300.0)], 24.0),
        ("audio/gain/norm", [("+", 0.125), ("+", 0.125)], 12.0),
        ("audio/gain/norm", [("*", 0.5)], -12.0),
        ("audio/gain", [("+",)], 0.48),
        ("diffusion/steps", [("+",), ("+",)], 3),
        ("diffusion/steps", [("+", 5.0), ("-", 1)], 3),
    ],
)
def test_relative_forms(rig: Rig, address: str, messages: list[tuple[object, ...]], held: float) -> None:
    for args in messages:
        rig.player.send(f"/livevis/{address}", *args)
    rig.settle()
    assert rig.registry.read(address.removesuffix("/norm")) == pytest.approx(held)
    assert rig.surface.bad == 0


def test_a_plus_is_a_text_too(rig: Rig) -> None:
    rig.play("/livevis/prompt/text_2", "+")
    assert rig.registry.read("prompt/text_2") == "+"


def test_a_bundle_is_one_version(rig: Rig) -> None:
    inner, outer = OscBundleBuilder(IMMEDIATELY), OscBundleBuilder(IMMEDIATELY)
    for address, value in (("effect/zoom", 0.5), ("effect/bloom", 0.25)):
        inner.add_content(OscMessage(encoded(f"/livevis/{address}", value)))
    outer.add_content(OscMessage(encoded("/livevis/effect/displace", 0.75)))
    outer.add_content(OscMessage(encoded("/livevis/effect/flash", "loud")))  # the others play all the same
    outer.add_content(inner.build())
    before = rig.registry.base().version
    rig.player.raw(outer.build().dgram)
    rig.until(rig.registry.apply)
    values = rig.registry.base()
    assert [values[f"effect/{name}"] for name in ("zoom", "bloom", "displace", "flash")] == [0.5, 0.25, 0.75, 0.0]
    assert values.version == before + 1
    assert rig.surface.bad == 1


def test_patterns_set_and_ask_all_they_match(rig: Rig) -> None:
    rig.play("/livevis/effect/{zoom,bloom}", 0.5)
    rig.play("/livevis/prompt/weight_[2-4]/norm", 0.25)
    read = rig.registry.read
    assert [read(f"effect/{name}") for name in ("zoom", "bloom", "displace")] == [0.5, 0.5, 0.0]
    assert [read(f"prompt/weight_{slot}") for slot in (1, 2, 3, 4)] == [1.0, 0.25, 0.25, 0.25]
    rig.player.send("/livevis/*/*", "?")
    assert set(rig.player.hear_until_pong()) == {f"/livevis/{row.id}" for row in CATALOGUE}
    assert rig.surface.bad == 0


def test_streamdiffusiontd_names(rig: Rig) -> None:
    played = {
        "/prompt": "a storm",
        "/negative_prompt": "text",
        "/seed": 7,
        "/guidance_scale": 2.0,
        "/num_inference_steps": 50,
    }
    for address, value in played.items():
        rig.player.send(address, value)
    rig.settle()
    ids = ("prompt/text_1", "prompt/negative", "diffusion/seed", "diffusion/guidance", "diffusion/steps")
    assert [rig.registry.read(id) for id in ids] == ["a storm", "text", 7, 2.0, 4]
    assert rig.player.hear_until_pong() == {}
    rig.player.send("/seed", "?")
    assert rig.player.hear() == ("/livevis/diffusion/seed", [7])


BAD = [
    ("/livevis/effect/zoom", (math.nan,)),
    ("/livevis/effect/bloom", (math.inf,)),
    ("/livevis/effect/hue", ("loud",)),
    ("/livevis/effect/flash", (b"blob",)),
    ("/livevis/effect/displace", ()),
    ("/livevis/effect/saturation", (None,)),
    ("/livevis/audio/gain", ("+", math.nan)),
    ("/livevis/audio/gain/norm", ("*",)),
    ("/livevis/init/source", ("scenes",)),
    ("/livevis/init/source/norm", (math.nan,)),
    ("/livevis/scene/name", ("+", 1)),
    ("/livevis/tempo/tap", (math.nan,)),
    ("/livevis/prompt/text_1", (1.0,)),
    ("/livevis/prompt/text_1/norm", (1.0,)),
    ("/livevis/prompt/text_1/norm", ("?",)),
    ("/livevis/effect/zom", (1.0,)),
    ("/livevis/effect/[a", (1.0,)),
    ("/livevis/audio/level", (1.0,)),
    ("/livevis/subscribe", ("here",)),
    ("/livevis/unsubscribe", (0,)),
]


@pytest.mark.parametrize(("address", "args"), BAD, ids=[f"{address}{args}" for address, args in BAD])
def test_what_is_wrong_is_counted_always_and_warned_once(
    rig: Rig, caplog: pytest.LogCaptureFixture, address: str, args: tuple[object, ...]
) -> None:
    before = rig.registry.base().values
    for _ in range(3):
        rig.player.send(address, *args)
    rig.settle()
    assert rig.surface.bad == 3
    assert len(caplog.records) == 1 and "\n" not in caplog.text.strip()
    assert caplog.records[0].levelno == logging.WARNING
    assert dict(rig.registry.base().values) == dict(before)


def test_warnings_name_the_address_the_reason_and_the_nearest(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.player.send("/livevis/effect/zom", 1.0)
    rig.player.send("/livevis/effect/hue", "loud")
    rig.player.raw(b"\xff\xfe garbage")
    rig.settle()
    unknown, wrong, garbage = (record.getMessage() for record in caplog.records)
    assert "'/livevis/effect/zom'" in unknown and "did you mean '/livevis/effect/zoom'" in unknown
    assert "effect/hue" in wrong and "'loud'" in wrong and "0..1" in wrong
    assert "127.0.0.1" in garbage and "10 bytes" in garbage


def test_surplus_arguments_are_said_and_the_first_is_used(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        rig.play("/livevis/effect/zoom", 0.5, 0.75)
    assert rig.registry.read("effect/zoom") == 0.5
    assert rig.surface.bad == 0
    assert ["first of 2" in record.getMessage() for record in caplog.records] == [True]


def test_random_addresses_do_not_fill_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    for index in range(3 * MAX_SUBJECTS):
        rig.player.send(f"/x{index}", 1.0)
    rig.settle()
    assert rig.surface.bad == 3 * MAX_SUBJECTS
    assert len(caplog.records) == MAX_SUBJECTS + 1
    assert "counted, not shown" in caplog.records[-1].getMessage()


def test_no_bytes_stop_the_surface(rig: Rig) -> None:
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from([b"", b"/", b"#bundle\0", encoded("/livevis/effect/zoom", 0.5)]), st.binary(max_size=200))
    def throw(start: bytes, rest: bytes) -> None:
        rig.player.raw(start + rest)

    throw()
    rig.settle()
    assert rig.player.ask("/livevis/tempo/resync") == 1


def test_the_largest_packet(rig: Rig) -> None:
    rig.player.raw(encoded("/livevis/prompt/text_1", "x" * 65_000))
    rig.player.raw(os.urandom(65_507))
    rig.player.raw(b"")
    rig.settle()
    assert rig.surface.bad == 3
    assert rig.registry.read("prompt/text_1") == Registry(CATALOGUE).read("prompt/text_1")


def features(**named: float) -> AudioFeatures:
    silent = silent_features()
    values = np.zeros(len(FEATURES))
    for name, value in named.items():
        values[INDEX[name]] = value
    return AudioFeatures(0, values, silent.spectrum, silent.waveform)


class Listening:
    """One subscriber whose news come when the test publishes."""

    def __init__(self, rig: Rig, *args: object) -> None:
        self.rig = rig
        self.controller = rig.plug()
        self.controller.send("/livevis/subscribe", *(args or (self.controller.port,)))
        self.controller.hear_until_pong()

    def told(self, told: AudioFeatures, *, after_s: float = 1.0, **stats: float) -> dict[str, list[object]]:
        """Publish once and return what was heard; a changed stat, told last, says when all has come."""
        self.rig.clock.advance(after_s)
        self.rig.marks += 1
        mark = float(self.rig.marks)
        self.rig.surface.publish(told, {**stats, "mark": mark}, self.rig.clock.now())
        heard: dict[str, list[object]] = {}
        while mark not in heard.get("/livevis/stats/mark", []):
            address, params = self.controller.hear()
            heard.setdefault(address, []).append(params[0])
            assert len(params) == 1
        return {
            name: values
            for name, values in heard.items()
            if not name.startswith(("/livevis/stats/mark", "/livevis/stats/osc_"))
        }


def test_features_and_stats_go_out_one_float_a_message_only_when_changed(rig: Rig) -> None:
    listener = Listening(rig)
    first = listener.told(features(level=0.5, beat=3), fps=59.5)
    assert set(first) == {*FEATURE_ADDRESSES.values(), "/livevis/stats/fps"}
    assert first["/livevis/audio/level"] == [0.5] and first["/livevis/audio/beat"] == [3.0]
    assert all(isinstance(values[0], float) for values in first.values())
    assert listener.told(features(level=0.5, beat=3), fps=59.5) == {}
    assert listener.told(features(level=0.5, beat=4), fps=60.0) == {
        "/livevis/audio/beat": [4.0], "/livevis/stats/fps": [60.0],
    }  # fmt: skip


def test_what_is_not_finite_is_not_told(rig: Rig) -> None:
    listener = Listening(rig)
    told = listener.told(features(level=math.nan, peak=math.inf, rms=0.25), fps=math.nan)
    assert told["/livevis/audio/rms"] == [0.25]
    assert not {"/livevis/audio/level", "/livevis/audio/peak", "/livevis/stats/fps"} & set(told)


def test_outputs_can_be_asked(rig: Rig) -> None:
    rig.surface.publish(features(level=0.5), {"fps": 30.0}, 0.0)
    assert rig.player.ask("/livevis/audio/level") == 0.5
    assert rig.player.ask("/livevis/stats/fps") == 30.0
    assert rig.player.ask("/livevis/stats/osc_received") == 3


def test_the_subscriber_sets_the_rate(rig: Rig) -> None:
    listener = Listening(rig, 0)  # port 0 is refused
    assert rig.surface.subscribers == 0
    listener = Listening(rig)
    slow = rig.plug()
    slow.send("/livevis/subscribe", slow.port, 10.0)
    slow.hear_until_pong()
    for beat in range(1, 61):
        listener.told(features(beat=beat), after_s=1 / 60)
    assert 9 <= len(slow.hear_until_pong()["/livevis/audio/beat"]) <= 11


def test_subscriptions_end_by_themselves_or_when_asked(rig: Rig) -> None:
    first, second = Listening(rig), Listening(rig)
    rig.clock.advance(TIME_TO_LIVE_S - 2)
    second.controller.send("/livevis/subscribe", second.controller.port)
    second.controller.hear_until_pong()
    second.told(features(level=0.1), after_s=3.0)
    assert rig.surface.subscribers == 1
    assert first.controller.hear_until_pong() == {}
    second.controller.send("/livevis/unsubscribe")
    second.controller.hear_until_pong()
    assert rig.surface.subscribers == 0
    rig.surface.publish(features(level=0.2), {}, rig.clock.now())
    assert second.controller.hear_until_pong() == {}


def test_changes_reach_all_but_the_one_who_made_them(rig: Rig) -> None:
    one, other = Listening(rig), Listening(rig)
    one.told(features()), other.told(features())
    one.controller.send("/livevis/effect/zoom", 0.5)
    rig.until(rig.registry.apply)
    rig.registry.post([Change("output/blackout", True, source="key")])
    rig.registry.post([Change("init/source", "self", source="midi")])
    rig.registry.apply()
    keys = {"/livevis/output/blackout": [1], "/livevis/init/source": ["self"]}
    assert other.told(features()) == {"/livevis/effect/zoom": [0.5], **keys}
    heard = one.controller.hear_until_pong()
    assert {name: heard[name] for name in keys} == keys
    assert "/livevis/effect/zoom" not in heard
    other.controller.send("/livevis/effect/zoom", 0.25)
    rig.until(rig.registry.apply)
    assert one.told(features()) == {"/livevis/effect/zoom": [0.25]}


def test_answers_go_to_the_subscribed_port(rig: Rig) -> None:
    ear = rig.plug()
    rig.player.send("/livevis/subscribe", ear.port)
    rig.player.send("/livevis/effect/bloom", "?")
    assert ear.hear()[0] == "/livevis/effect/bloom"


def test_a_taken_port_is_one_line_with_a_way_out(rig: Rig) -> None:
    second = OscSurface(Registry(CATALOGUE), port=rig.surface.port)
    with pytest.raises(ConfigError) as caught:
        second.start()
    message = str(caught.value)
    assert f"port {rig.surface.port} on 127.0.0.1 is already in use" in message and "--osc-port" in message
    assert "\n" not in message
    second.stop()
    assert rig.player.ask("/livevis/tempo/tap") == 0


@pytest.mark.parametrize(
    ("host", "port"), [("203.0.113.1", 9010), ("no.such.host.invalid", 9010), ("127.0.0.1", 70_000)]
)
def test_an_impossible_address_is_one_line(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match=f"{host}.*port {port}"):
        OscSurface(Registry(CATALOGUE), host=host, port=port).start()


def test_only_the_loopback_hears_unless_told_otherwise(rig: Rig) -> None:
    assert rig.surface._socket.getsockname()[0] == "127.0.0.1"
    assert OscSurface(Registry(CATALOGUE)).port == 9010
    wide = OscSurface(Registry(CATALOGUE), host="0.0.0.0", port=0)
    wide.start()
    assert wide._socket.getsockname()[0] == "0.0.0.0"
    wide.stop()


def test_stopping_frees_the_port_and_ends_the_thread() -> None:
    surface = OscSurface(Registry(CATALOGUE), port=0)
    surface.start()
    surface.stop()
    surface.stop()
    assert "osc" not in {thread.name for thread in threading.enumerate()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", surface.port))
    json.dumps(surface.counters())


@pytest.mark.skipif(not os.path.exists("/proc/net/udp"), reason="only Linux tells what it dropped")
def test_kernel_drops_are_those_of_the_proc_table() -> None:
    surface = OscSurface(Registry(CATALOGUE), port=0)
    surface.start()
    held = threading.Event()
    surface._read = lambda datagram, client, batch: held.wait()  # type: ignore[method-assign]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while surface.dropped < 50:
            sender.sendto(bytes(60_000), ("127.0.0.1", surface.port))
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    mine = [line for line in lines if line[1].endswith(f":{surface.port:04X}")]
    assert surface.drops_known and [int(line[-1]) for line in mine] == [surface.dropped]
    held.set()
    surface.stop()
