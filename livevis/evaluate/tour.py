"""`livevis eval tour`: every method played over OSC on a running show, and whether a display frame was missed.

Leg by leg the texts of a method are set and its faders swept, as fast as a controller sends; then all is put back where
it was. A frame that was due and did not come is counted by the show itself (`stats/dropped`); a generator that had to
be started anew would be a rebuild (`stats/generator_restarts`). `--port N` aims at a livevis that runs on this machine;
otherwise a headless one is started, with the jam to listen to.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from livevis.core.errors import ConfigError
from livevis.evaluate.flood import HOST, Player
from livevis.surfaces.addresses import ROOT, stat_address
from livevis.surfaces.packets import encode

SENDS_PER_S = 50.0
SWEEP_S = 2.0
START_S, PREPARED_S = 120.0, 60.0
SETTLE_S = 0.3
"""Until the show has applied what was put back: the next leg asks where the faders are."""
PROMPT = "a raging orange fire beside ocean waves"
COUNTED = ("frames", "dropped", "generator_restarts")


@dataclass(frozen=True, slots=True)
class Leg:
    """One way of playing: what is set first, and which faders go from one end to the other and back."""

    name: str
    put: Mapping[str, str | float] = field(default_factory=dict)
    swept: Mapping[str, tuple[float, float]] = field(default_factory=dict)


_WORD: dict[str, str | float] = {"prompt/text_1": PROMPT, "attention/word": "fire"}
_GAIN = {"attention/gain": (1.0, 5.0)}
_SLOTS = {f"guidance/scale_{n}": (0.0, 1.0) for n in range(1, 5)}
_TEXTS: dict[str, str | float] = {
    f"guidance/text_{n}": text for n, text in enumerate(("neon", "snow", "smoke", "sea"), 1)
}
LEGS = (
    Leg("plain"),
    Leg("attention", _WORD, _GAIN | {"attention/spread": (0.0, 1.0)}),
    Leg("clamped", _WORD | {"attention/clamp": 1.2}, _GAIN | {"attention/clamp": (1.0, 2.0)}),
    Leg("renormalised", _WORD | {"attention/maps": "renormalised"}, _GAIN),
    Leg("base maps", _WORD | {"attention/maps": "base"}, _GAIN),
    Leg(
        "another wording",
        _WORD | {"attention/edit": "a raging violet fire beside ocean waves"},
        {"attention/edit_amount": (0.0, 1.0)},
    ),
    Leg("LocalBlend", _WORD | {"attention/blend": "fire"}, _GAIN | {"attention/blend_threshold": (0.1, 0.8)}),
    Leg("thresholded", _WORD, _GAIN | {"attention/threshold": (0.1, 0.9)}),
    Leg("negative", {"prompt/negative": "fire"}, {"nag/scale": (1.0, 6.0)}),
    Leg("edit slots", _TEXTS, _SLOTS | {"guidance/threshold_1": (0.0, 0.9), "guidance/momentum": (0.0, 1.0)}),
    Leg("AADiff", {"prompt/text_1": PROMPT, "aadiff/amount": 1.0}, {"aadiff/gain": (1.0, 5.0)}),
    Leg(
        "takeover",
        {
            "prompt/text_2": "a green forest",
            "prompt/weight_2": 0.01,
            "aadiff/amount": 1.0,
            "aadiff/bank": "drums: forest",
        },
        {"aadiff/takeover": (0.0, 1.0)},
    ),
    Leg("TPoS", {"tpos/amount": 0.5}, {"tpos/amount": (0.0, 0.9), "tpos/k": (0.0, 2.0)}),
    Leg("TPoS as an edit", {"tpos/scale": 0.5}, {"tpos/scale": (0.0, 1.0), "tpos/threshold": (0.0, 0.9)}),
    Leg(
        "all at once",
        _WORD | _TEXTS | {"aadiff/amount": 1.0, "prompt/negative": "snow"},
        _GAIN | {"guidance/scale_1": (0.0, 1.0), "tpos/amount": (0.0, 0.6), "nag/scale": (1.0, 4.0)},
    ),
)


@dataclass(frozen=True, slots=True)
class Passed:
    """What one leg was like: whether all was there that it plays, messages sent, display frames shown and missed (while
    it was made ready too), generator restarts, generated frames a second."""

    name: str
    prepared: bool
    sent: int
    frames: int
    dropped: int
    restarts: int
    generated_fps: float


def tour(port: int, *, seconds: float, legs: Sequence[Leg] = LEGS) -> list[Passed]:
    """Play the legs one after another, `seconds` each; raises ConfigError when nothing answers at `port`."""
    player = Player(port)
    try:
        if not _comes(player, "ai_fps", START_S):
            raise ConfigError(f"no generator played at {HOST} port {port} within {START_S:g} s")
        if not _comes(player, "dropped", 1.0, least=0):
            raise ConfigError("this show follows its window and counts no frames; start it with --fps, or --headless")
        return [_play(player, leg, seconds) for leg in legs]
    finally:
        player.close()


def _comes(player: Player, stat: str, patience_s: float, *, least: int = 1) -> bool:
    """Whether a statistic comes to `least` in time: loading is not part of the tour."""
    began = time.monotonic()
    while time.monotonic() - began < patience_s:
        with contextlib.suppress(OSError):
            if player.ask(stat_address(stat), 0.5) >= least:
                return True
        time.sleep(0.2)
    return False


def _prepared(player: Player) -> bool:
    """Wait until what the generator plays lacks nothing; False where it still does."""
    began = time.monotonic()
    while time.monotonic() - began < PREPARED_S:
        time.sleep(SETTLE_S)
        if not player.ask(stat_address("generator_lacks")):
            return True
    return False


def _play(player: Player, leg: Leg, seconds: float) -> Passed:
    touched = (*leg.put, *(id for id in leg.swept if id not in leg.put))
    before = {id: player.read(ROOT + id) for id in touched}
    counted, sent = _counted(player), player.sent
    try:
        for id, value in (leg.put | {id: high for id, (_, high) in leg.swept.items()}).items():
            player.send(encode(ROOT + id, value))
        prepared = _prepared(player)
        _sweep(player, leg, seconds)
        sent, after = player.sent - sent, _counted(player)
        fps = float(str(player.read(stat_address("ai_fps"))))
    finally:
        for id, value in before.items():
            player.send(encode(ROOT + id, value))
        time.sleep(SETTLE_S)
    frames, dropped, restarts = (after[name] - counted[name] for name in COUNTED)
    return Passed(leg.name, prepared, sent, frames, dropped, restarts, round(fps, 1))


def _sweep(player: Player, leg: Leg, seconds: float) -> None:
    for step in range(round(seconds * SENDS_PER_S)):
        share = 0.5 - 0.5 * math.cos(2 * math.pi * step / SENDS_PER_S / SWEEP_S)
        for id, (low, high) in leg.swept.items():
            player.send(encode(ROOT + id, low + (high - low) * share))
        time.sleep(1 / SENDS_PER_S)


def _counted(player: Player) -> dict[str, int]:
    return {name: player.ask(stat_address(name)) for name in COUNTED}


@contextlib.contextmanager
def own_show(flags: Sequence[str]) -> Iterator[int]:
    """A headless show that listens to the jam, in a process of its own; yields its OSC port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "livevis",
        "run",
        "--headless",
        "--source",
        "jam",
        "--mute",
        "--osc-port",
        str(port),
    ]
    show = subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        show.terminate()
        try:
            show.wait(10)
        except subprocess.TimeoutExpired:
            show.kill()


def main(arguments: Sequence[str]) -> int:
    """Run the tour and print it; 0 when all was played, no display frame was missed and nothing started anew."""
    parser = argparse.ArgumentParser("livevis eval tour", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, help="OSC port of a livevis running on this machine")
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each method is played (default 6)")
    parser.add_argument("--fps", default="30", help="display rate of the show that is started (default 30)")
    parser.add_argument("--size", default="640x360", help="its size (default 640x360)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        port = options.port or stack.enter_context(own_show(["--fps", options.fps, "--size", options.size]))
        passed = tour(port, seconds=options.seconds)
    print(json.dumps([asdict(leg) for leg in passed], indent=1) if options.json else text(passed))
    return 0 if all(leg.prepared and leg.dropped == leg.restarts == 0 for leg in passed) else 1


def text(passed: Sequence[Passed]) -> str:
    """Lay the legs out as a table."""
    rows: list[tuple[Any, ...]] = [("", "prepared", "sent", "frames", "dropped", "restarts", "generated/s")]
    rows += [tuple(asdict(leg).values()) for leg in passed]
    return "\n".join(f"{row[0]:16}" + "".join(f"{cell!s:>12}" for cell in row[1:]) for row in rows)
