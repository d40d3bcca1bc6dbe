"""The `livevis` command: reads the flags, calls one function, prints errors as one line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from livevis import __version__, flags
from livevis.core.errors import CapabilityError, LivevisError

Run = Callable[[argparse.Namespace], int]


def _run(options: argparse.Namespace) -> int:
    from livevis.live import run

    if options.still:
        raise CapabilityError(
            "run cannot invert a still: a frame takes tens of steps; livevis render --still, or init/source still, can"
        )
    return run(options)


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


def _eval(options: argparse.Namespace) -> int:
    from importlib import import_module

    main: Callable[[Sequence[str]], int] = import_module(f"livevis.evaluate.{options.what}").main
    return main(options.rest)


_COMMANDS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None], Run], ...] = (
    ("run", "play live: sound in, picture out", flags.run_flags, _run),
    ("render", "render a sound file to a video, exactly and offline", flags.render_flags, _render),
    ("devices", "list the input devices", flags.json_flag, _devices),
    ("engines", "list the engines", flags.engines_flags, _engines),
    ("params", "print every parameter, its range and address", flags.json_flag, _params),
    ("bench", "measure frames a second, next to diffusers", flags.bench_flags, _bench),
    ("train", "train an engine on the procedural world", flags.train_flags, _train),
    ("eval", "measure the analysis, the OSC surface, the picture", flags.eval_flags, _eval),
    ("doctor", "say what this machine has and what is missing", flags.json_flag, _doctor),
)


def parser() -> argparse.ArgumentParser:
    """Build the whole command line."""
    whole = argparse.ArgumentParser("livevis", description="Sound in, picture out, live.")
    whole.add_argument("--version", action="version", version=f"livevis {__version__}")
    whole.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_line, add_flags, run in _COMMANDS:
        command = commands.add_parser(name, help=help_line, description=help_line)
        command.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks")
        add_flags(command)
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
