"""`livevis render --still`: a picture is inverted once and played; `run` says why it cannot."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livevis import cli
from livevis.init_picture import still
from tests.checkpoints import tiny_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_engine(tmp_path_factory.mktemp("engines") / "tiny").folder)


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "still.png"
    Image.fromarray(np.tile(np.arange(0, 255, 4, np.uint8)[:, None, None], (1, 64, 3))).save(path)
    return path


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("presets") / "look.toml"
    route = '[[route]]\nsource = "level"\ntarget = "attention/gain"\nhigh = 3.0\n'
    path.write_text(f'schema = 1\n[prompt]\ntext_1 = "burning aurora"\n[attention]\nword = "aurora"\n{route}')
    return str(path)


def render(engine: str, picture: Path, preset: str, out: Path, *more: str) -> int:
    place = ["--engine", engine, "--runner", "torch", "--generate-size", "64", "--size", "64", "--preset", preset]
    trace = ["--trace", str(out.with_suffix(".jsonl")), "--fps", "4", "--seconds", "1.5"]
    still = ["--still", str(picture), "--inversion-steps", "3"]
    return cli.main(["render", "jam", "-o", str(out), *place, *trace, *still, *more])


def test_a_still_is_played_by_the_sound(
    engine: str, picture: Path, preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert render(engine, picture, preset, out) == 0
    said = capsys.readouterr().out
    assert re.search(r"ddim inversion, 3 steps, guidance 1: [\d.]+ dB PSNR .*its autoencoder alone [\d.]+", said)
    assert "the UNet: torch" in said
    first = re.search(r"sha256 of the frames (\w{64})", said)
    assert render(engine, picture, preset, out, "--set", "diffusion/walk=0.9", "--set", "diffusion/seed=7") == 0
    again = re.search(r"sha256 of the frames (\w{64})", capsys.readouterr().out)
    assert first and again and first[1] == again[1], "the picture is the beginning, not a noise"
    gains = [json.loads(line)["word_gains"]["aurora"] for line in out.with_suffix(".jsonl").read_text().splitlines()]
    assert len(set(gains)) > 1


def test_with_guidance_the_empty_prompt_is_bent(
    engine: str, picture: Path, preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(engine, picture, preset, tmp_path / "out.mp4", "--set", "diffusion/guidance=3") == 0
    assert "null-text inversion, 3 steps, guidance 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", "--still", "no.png"], ["--still 'no.png' cannot be read as a picture"]),
        (["render", "--still", "no.png", "--no-generator"], ["--still no.png", "--no-generator"]),
        (["render", "--inversion", "ddim"], ["--inversion ddim", "--still PICTURE"]),
        (["render", "--inversion-steps", "20"], ["--inversion-steps 20", "--still PICTURE"]),
        (["run", "--still", "no.png"], ["run cannot invert", "render --still", "init/source still"]),
    ],
)
def test_errors_are_one_line(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    rest = ["jam", "-o", "x.mp4", "--seconds", "1"] if arguments[0] == "render" else ["--headless"]
    assert cli.main([*arguments, *rest]) == 1
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    for word in words:
        assert word in said


def test_null_text_without_guidance_is_refused(
    engine: str, picture: Path, preset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(engine, picture, preset, tmp_path / "out.mp4", "--inversion", "null-text") == 1
    assert "null-text inversion needs diffusion/guidance above 1, not 1" in capsys.readouterr().err


def test_the_middle_square_is_taken(tmp_path: Path) -> None:
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, 32:64] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert (still(tmp_path / "wide.png", 32) == 200).mean() > 0.9
