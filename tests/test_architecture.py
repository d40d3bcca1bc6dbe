"""The shape of the house, held by tests: layers, import cleanliness, sizes, and what the repository may hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "livevis"
LEAVES = {"audio", "analysis", "embed", "methods", "generate", "runners", "stage", "surfaces", "world"}
LATE = {"train", "evaluate"}
MAY = {("generate", "runners"), ("world", "stage")}
"""Leaf pairs that may meet: (who imports, what)."""
STAGE_PROCESS = (
    "livevis.live", "livevis.show", "livevis.hearing", "livevis.measures", "livevis.supervisor", "livevis.worker",
    "livevis.cli", "livevis.flags", "livevis.analysis.analyser", "livevis.audio.source", "livevis.stage.compositor",
    "livevis.stage.surface", "livevis.stage.outputs", "livevis.stage.hud", "livevis.surfaces.osc",
    "livevis.generate.engine",
)  # fmt: skip
LONG_FUNCTIONS: dict[str, str] = {}
"""Functions over 80 lines and the reason why."""


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "_assets" not in path.parts]


def folder_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else "top"


def imported(path: Path) -> set[str]:
    """Return the livevis folders (or top modules) that a file imports, late imports included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            if name.startswith("livevis."):
                found.add(name.split(".")[1])
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_layers(path: Path) -> None:
    folder = folder_of(path)
    if folder in LATE or folder == "top":
        return
    allowed = {"core", folder} | {to for who, to in MAY if who == folder}
    assert imported(path) <= allowed, f"{folder} may import {sorted(allowed)}"


def test_stage_process_never_loads_a_network_library() -> None:
    heavy = "torch", "diffusers", "transformers", "openvino", "tensorrt"
    code = (
        f"import importlib, sys\nfor name in {STAGE_PROCESS!r}: importlib.import_module(name)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert out.stdout.strip() == "[]"


def test_importing_livevis_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import livevis; print(sorted(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert out.stdout.strip() == "['livevis']"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_size_budget(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 300, "a module holds at most 300 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 80 or node.name in LONG_FUNCTIONS, f"{node.name} has {lines} lines"


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[int(len(lengths) * 0.9)] <= 35


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT)
    if out.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in out.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_over_16_mb_and_no_pickles() -> None:
    for path in tracked():
        assert path.stat().st_size <= 16 * 2**20, path
        assert path.suffix not in {".pt", ".pth", ".ckpt", ".pkl", ".bin"}, path


def test_every_module_has_a_docstring() -> None:
    for path in modules():
        if path.read_text().strip():
            assert ast.get_docstring(ast.parse(path.read_text())), path
