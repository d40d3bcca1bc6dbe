"""The command line: one line per error, the truth in --help, plain data with --json."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from livevis import cli

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--preset", "heart"], ["heart", "hearth"]),
        (["run", "--set", "effect/hu=1"], ["effect/hu", "effect/hue"]),
        (["run", "--set", "effect/hue=red"], ["effect/hue", "red", "0..1"]),
        (["run", "--set", "nonsense"], ["nonsense", "ID=VALUE"]),
        (["run", "--headless", "--source", "file", "--file", "no.wav", "--no-generator"], ["no.wav"]),
        (["run", "--headless", "--engine", "pockets", "--source", "jam"], ["pockets", "pocket"]),
        (["render", "no.flac", "-o", "x.mp4"], ["no.flac"]),
        (["render", "jam", "-o", "x.mp4"], ["--seconds"]),
    ],
)
def test_errors_are_one_line(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 1
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    for word in words:
        assert word in said


def test_params_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["params", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"diffusion/strength", "effect/hue", "output/flash_limit"} <= {row["id"] for row in rows}


def test_params_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["params"]) == 0
    assert "`diffusion/strength`" in capsys.readouterr().out


def test_engines_lists_the_pocket(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["engines", "--json"]) == 0
    assert "pocket" in [row["name"] for row in json.loads(capsys.readouterr().out)]


def test_doctor_names_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["doctor", "--json"])
    found = {row["what"]: row for row in json.loads(capsys.readouterr().out)}
    assert code == (0 if all(row["ok"] or not row["needed"] for row in found.values()) else 1)
    assert found["python"]["ok"] and found["numpy"]["ok"]
    assert {"gl", "audio", "openvino runtime", "udp port 9010"} <= found.keys()
    assert all(row["ok"] or row["mend"] or not row["needed"] for row in found.values())


def test_help_is_quick_and_complete() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "livevis", "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    for command in ("run", "render", "devices", "engines", "params", "bench", "train", "eval", "doctor"):
        assert command in out.stdout


def test_readme_commands_parse() -> None:
    """Every `livevis …` line of the README's code blocks is a legal command line."""
    blocks = (ROOT / "README.md").read_text().split("```")[1::2]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("livevis ")]
    assert commands
    for words in commands:
        cli.parser().parse_args(words)
