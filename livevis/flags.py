"""The flags of every command of `livevis`, and how their values are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def _size(text: str) -> tuple[int, int]:
    """Read "1280x720" or "720" (a square)."""
    width, _, height = text.lower().partition("x")
    try:
        size = int(width), int(height or width)
    except ValueError:
        raise argparse.ArgumentTypeError(f"size '{text}' is not WIDTHxHEIGHT or one number") from None
    if not all(16 <= side <= 16384 for side in size):
        raise argparse.ArgumentTypeError(f"size '{text}' is outside 16..16384 pixels")
    return size


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is outside {low}..{high}")
        return value

    read.__name__ = f"whole number {low}..{high}"
    return read


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


_above_zero.__name__ = "number above 0"


def _rate(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text} is outside 1..1000 frames a second")
    return value


_rate.__name__ = "number 1..1000"


def _play_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", default="hearth", help="preset name or TOML file (default hearth)")
    parser.add_argument("--engine", default="pocket", help="engine name or diffusers folder (default pocket)")
    parser.add_argument(
        "--runner", default="auto", choices=("auto", "torch", "openvino"), help="runtime of the networks"
    )
    clap = "ClapModel that names sounds: a folder, or owner/name[@revision] on the hub (default: the engine's own)"
    parser.add_argument("--clap", metavar="FOLDER|NAME", help=clap)
    parser.add_argument("--generate-size", type=_whole(64, 2048), help="side of the generated picture")
    parser.add_argument("--seed", type=_whole(0, 2**31 - 1), default=1, help="seed of jam and generator (default 1)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="ID=VALUE", help="set a parameter, e.g. effect/hue=.2"
    )


def run_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis run`."""
    _play_flags(parser)
    parser.add_argument(
        "--source", default="auto", choices=("auto", "device", "pyaudio", "file", "jam"), help="what is heard"
    )
    parser.add_argument("--device", help="input device: its index or part of its name")
    parser.add_argument("--channel", type=_whole(1, 64), help="input channel, counted from 1 (default: the mix)")
    parser.add_argument("--file", type=Path, help="sound file to play (implies --source file)")
    parser.add_argument("--tempo", type=_above_zero, default=120.0, help="tempo of the jam in bpm")
    parser.add_argument("--size", type=_size, default=(1280, 720), help="window size (default 1280x720)")
    parser.add_argument("--headless", action="store_true", help="no window: draw offscreen")
    parser.add_argument("--fullscreen", action="store_true", help="fill the monitor")
    parser.add_argument("--monitor", type=_whole(1, 16), default=1, help="which monitor to fill (default 1)")
    parser.add_argument("--fps", type=_rate, help="cap the display rate")
    parser.add_argument("--seconds", type=_above_zero, help="stop after so many seconds")
    parser.add_argument("--stats", type=Path, metavar="FILE.json", help="write what was measured")
    parser.add_argument("--screenshot", type=Path, metavar="FILE.png", help="save the last picture")
    parser.add_argument("--record", type=Path, metavar="FILE.mp4", help="record picture and sound")
    parser.add_argument("--osc-port", type=_whole(0, 65535), help="OSC port (default 9010); 0 = no OSC")
    parser.add_argument("--osc-host", default="127.0.0.1", help="address OSC listens on; 0.0.0.0 for the network")
    parser.add_argument("--no-generator", action="store_true", help="shader lane only")
    parser.add_argument("--mute", action="store_true", help="do not play the file or the jam aloud")
    parser.add_argument("--still", type=Path, help=argparse.SUPPRESS)  # known here to say why it is `render`'s alone


def render_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis render`."""
    _play_flags(parser)
    parser.add_argument("audio", help="sound file, or 'jam'")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp4")
    parser.add_argument("--fps", type=_rate, default=30.0, help="frames a second (default 30)")
    parser.add_argument("--size", type=_size, default=(1280, 720), help="video size (default 1280x720)")
    parser.add_argument("--seconds", type=_above_zero, help="stop after so many seconds of sound")
    parser.add_argument("--tempo", type=_above_zero, default=120.0, help="tempo of the jam in bpm")
    parser.add_argument("--trace", type=Path, metavar="FILE.jsonl", help="write features and controls per frame")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="also draw a contact sheet of the video")
    parser.add_argument("--no-generator", action="store_true", help="shader lane only")
    parser.add_argument(
        "--still",
        type=Path,
        metavar="PICTURE",
        help="animate this picture: invert it, then play the words' gains on it",
    )
    parser.add_argument(
        "--inversion",
        choices=("auto", "ddim", "null-text"),
        help="of --still: null-text needs diffusion/guidance above 1 (auto: null-text there, else ddim)",
    )
    parser.add_argument(
        "--inversion-steps", type=_whole(1, 500), metavar="N", help="of --still: denoising steps a frame (default 50)"
    )


def engines_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis engines`."""
    json_flag(parser)
    parser.add_argument("--prepare", metavar="NAME", help="compile an engine now, so that the next run starts at once")


def bench_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis bench`."""
    parser.add_argument("--engine", default="pocket")
    parser.add_argument("--runner", default="torch,openvino", help="runners, comma-separated")
    parser.add_argument("--size", type=_whole(64, 2048), default=256)
    parser.add_argument("--steps", type=_whole(1, 4), default=1)
    parser.add_argument("--edits", type=_whole(1, 4), action="append", default=[], help="play N edit slots beside")
    parser.add_argument("--methods", action="store_true", help="play every method beside: what each costs")
    parser.add_argument("--peer", action="append", default=[], choices=("diffusers",))
    parser.add_argument("--repeats", type=_whole(1, 100), default=5)
    parser.add_argument("--json", action="store_true")


def train_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis train`."""
    from livevis.train.options import COMMANDS

    parser.add_argument("what", choices=tuple(COMMANDS), help="pocket trains all of it, the others one part")
    parser.add_argument("--minutes", type=_above_zero, default=90.0, help="time budget (default 90)")
    parser.add_argument("--from", type=Path, dest="start", metavar="ENGINE", help="exported engine to go on from")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the work folder")
    parser.add_argument("--work", type=Path, help="folder for pools, checkpoints and grids (default: OUT.work)")
    parser.add_argument("--out", type=Path, default=Path("engines/pocket"), help="folder of the finished engine")
    parser.add_argument("--seed", type=_whole(0, 2**31 - 1), default=0)
    parser.add_argument("--pictures", type=_whole(64, 10**6), default=16_000, help="scenes rendered to learn from")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="where to train")


def eval_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `livevis eval`; those of each evaluation are its own."""
    kinds = ("truth", "flood", "tour", "rise", "flicker", "align", "drums", "meaning", "ears", "engine")
    parser.add_argument("what", choices=kinds, help="what to measure")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="its own flags; --help lists them")


def json_flag(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that only print."""
    parser.add_argument("--json", action="store_true", help="machine-readable output")
