"""The `livevis` command: reads the flags, calls one function, prints errors as one line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from livevis import __version__
from livevis.core.errors import LivevisError

Run = Callable[[argparse.Namespace], int]


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
    parser.add_argument(
        "--clap", metavar="FOLDER", help="ClapModel folder that names sounds (default: the engine's own)"
    )
    parser.add_argument("--generate-size", type=_whole(64, 2048), help="side of the generated picture")
    parser.add_argument("--seed", type=_whole(0, 2**31 - 1), default=1, help="seed of jam and generator (default 1)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="ID=VALUE", help="set a parameter, e.g. effect/hue=.2"
    )


def _run_flags(parser: argparse.ArgumentParser) -> None:
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


def _run(options: argparse.Namespace) -> int:
    from livevis.live import run

    return run(options)


def _render_flags(parser: argparse.ArgumentParser) -> None:
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


def _render(options: argparse.Namespace) -> int:
    from livevis.offline import render

    return render(options)


def _devices(options: argparse.Namespace) -> int:
    from livevis.audio.device import list_devices

    rows = [asdict(device) for device in list_devices()]
    print(
        json.dumps(rows, indent=1) if options.json else _lines(rows) or "no input device; `livevis run` plays the jam"
    )
    return 0


def _engines_flags(parser: argparse.ArgumentParser) -> None:
    _json_flag(parser)
    parser.add_argument("--prepare", metavar="NAME", help="compile an engine now, so that the next run starts at once")


def _engines(options: argparse.Namespace) -> int:
    from livevis.generate.engine import list_engines, load_engine

    if options.prepare:
        from livevis.generate.diffusion import DiffusionGenerator
        from livevis.rig import spare_cores

        engine = load_engine(options.prepare)
        for threads in (spare_cores(), 0):  # beside a stage that the processor draws, and alone
            generator = DiffusionGenerator(engine, runner="auto", threads=threads)
        print(f"{options.prepare}: {generator.chosen}")
        return 0
    rows = [engine.as_row() for engine in list_engines()]
    print(json.dumps(rows, indent=1) if options.json else _lines(rows))
    return 0


def _lines(rows: Sequence[Mapping[str, object]]) -> str:
    return "\n".join("  ".join(f"{key} {value}" for key, value in row.items()) for row in rows)


def _params(options: argparse.Namespace) -> int:
    from livevis.core.catalogue import CATALOGUE
    from livevis.core.reference import reference, rows_as_json

    print(json.dumps(rows_as_json(CATALOGUE), indent=1) if options.json else reference(CATALOGUE))
    return 0


def _bench_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="pocket")
    parser.add_argument("--runner", default="torch,openvino", help="runners, comma-separated")
    parser.add_argument("--size", type=_whole(64, 2048), default=256)
    parser.add_argument("--steps", type=_whole(1, 4), default=1)
    parser.add_argument("--edits", type=_whole(1, 4), action="append", default=[], help="play N edit slots beside")
    parser.add_argument("--peer", action="append", default=[], choices=("diffusers",))
    parser.add_argument("--repeats", type=_whole(1, 100), default=5)
    parser.add_argument("--json", action="store_true")


def _bench(options: argparse.Namespace) -> int:
    from livevis.bench import main

    return main(options)


def _doctor(options: argparse.Namespace) -> int:
    from livevis import doctor

    findings = doctor.examine()
    if options.json:
        print(json.dumps(doctor.as_json(findings), indent=1))
    else:
        for finding in findings:
            mend = f"  -> {finding.mend}" if finding.mend and not finding.ok else ""
            print(f"{'ok     ' if finding.ok else 'missing'} {finding.what:18} {finding.detail}{mend}")
    return 0 if doctor.healthy(findings) else 1


def _train_flags(parser: argparse.ArgumentParser) -> None:
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


def _train(options: argparse.Namespace) -> int:
    from livevis.train.options import PocketOptions
    from livevis.train.pocket import train

    chosen = PocketOptions(
        command=options.what,
        minutes=options.minutes,
        resume=options.resume,
        start=options.start,
        out=options.out,
        work=options.work,
        seed=options.seed,
        pictures=options.pictures,
        device=options.device,
    )
    train(chosen)
    return 0


def _eval_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=("truth", "flood", "rise", "flicker", "align", "ears", "engine"), help="what to measure"
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="its own flags; --help lists them")


def _eval(options: argparse.Namespace) -> int:
    from importlib import import_module

    main: Callable[[Sequence[str]], int] = import_module(f"livevis.evaluate.{options.what}").main
    return main(options.rest)


def _json_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable output")


_COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None], Run], ...] = (
    ("run", "play live: sound in, picture out", _run_flags, _run),
    ("render", "render a sound file to a video, exactly and offline", _render_flags, _render),
    ("devices", "list the input devices", _json_flag, _devices),
    ("engines", "list the engines", _engines_flags, _engines),
    ("params", "print every parameter, its range and address", _json_flag, _params),
    ("bench", "measure frames a second, next to diffusers", _bench_flags, _bench),
    ("train", "train an engine on the procedural world", _train_flags, _train),
    ("eval", "measure the analysis, the OSC surface, the picture", _eval_flags, _eval),
    ("doctor", "say what this machine has and what is missing", _json_flag, _doctor),
)


def parser() -> argparse.ArgumentParser:
    """Build the whole command line."""
    whole = argparse.ArgumentParser("livevis", description="Sound in, picture out, live.")
    whole.add_argument("--version", action="version", version=f"livevis {__version__}")
    whole.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_line, flags, run in _COMMANDS:
        command = commands.add_parser(name, help=help_line, description=help_line)
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")
        flags(command)
        command.set_defaults(run=run)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 interrupted)."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except LivevisError as error:
        if options.debug:
            raise
        print(f"livevis: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        if options.debug:
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"livevis: {said} (--debug shows where)", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `livevis params | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
