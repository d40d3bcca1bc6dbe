"""Wheels and editable installs both find shaders, presets and engines; the README tells the truth."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
KINDS = ("shaders", "presets", "engines")
ASK = (
    "from livevis.core.places import assets; from livevis.core.catalogue import scene_names;"
    "print(*(assets(k) for k in ('shaders', 'presets', 'engines')), len(scene_names()), sep='\\n')"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder holding the built wheel, unpacked as an installer would."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    site = out / "site"
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return site


def ask(path: Path, cwd: Path) -> list[str]:
    env = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"}
    out = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=env, cwd=cwd, check=True)
    return out.stdout.split("\n")


def test_wheel_brings_its_files(installed: Path, tmp_path: Path) -> None:
    found = ask(installed, tmp_path)
    assert [Path(line) for line in found[:3]] == [installed / "livevis" / "_assets" / kind for kind in KINDS]
    assert int(found[3]) >= 8
    for kind in KINDS:
        here = {p.relative_to(ROOT / kind) for p in (ROOT / kind).rglob("*") if p.is_file()}
        there = {
            p.relative_to(installed / "livevis/_assets" / kind)
            for p in (installed / "livevis/_assets" / kind).rglob("*")
            if p.is_file()
        }
        assert here == there


def test_checkout_finds_its_files(tmp_path: Path) -> None:
    assert [Path(line) for line in ask(ROOT, tmp_path)[:3]] == [ROOT / kind for kind in KINDS]


def test_wheel_has_the_command(installed: Path) -> None:
    entry = next(installed.glob("*.dist-info/entry_points.txt")).read_text()
    assert "livevis = livevis.cli:main" in entry
