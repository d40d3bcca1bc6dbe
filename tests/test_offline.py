"""Offline rendering: the same frames every time, whatever the wall clock does, in a file with sound."""

from __future__ import annotations

import hashlib
import json
import re
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livevis import cli
from livevis.audio.jam import JamSource
from livevis.core.errors import ConfigError, EngineError
from livevis.core.types import Conditioning
from livevis.embed.tpos import folder
from livevis.embed.tpos.network import build
from livevis.embed.tpos.shape import TPOS_SHAPES
from livevis.generate.diffusion import DiffusionGenerator
from livevis.generate.engine import load_engine
from livevis.offline import Hearer, Rendered, frames
from livevis.show import Show
from tests.checkpoints import tiny_engine

FPS = 10.0


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_engine(tmp_path_factory.mktemp("engines") / "tiny").folder)


def play(engine: str, count: int, *, seed: int = 4, preset: str = "hearth") -> list[Rendered]:
    generator = DiffusionGenerator(load_engine(engine), runner="torch", size=64)
    source, show = JamSource(seed=seed), Show(preset=preset, settings={})
    return list(frames(source, show, count=count, fps=FPS, size=(160, 96), generator=generator, seed=seed))


def digest(rendered: list[Rendered]) -> str:
    whole = hashlib.sha256()
    for frame in rendered:
        whole.update(frame.image)
    return whole.hexdigest()


def test_twice_the_same(engine: str) -> None:
    assert digest(play(engine, 12)) == digest(play(engine, 12))


def test_the_future_changes_nothing(engine: str) -> None:
    """Cut the sound at T: every frame up to T is unchanged."""

    class Cut(JamSource):
        def samples(self, start: int, n: int) -> np.ndarray:
            heard = super().samples(start, n)
            heard[max(0, 48_000 - start) :] = 0.0
            return heard

    generator = DiffusionGenerator(load_engine(engine), runner="torch", size=64)
    cut = list(
        frames(
            Cut(seed=4),
            Show(preset="hearth", settings={}),
            count=20,
            fps=FPS,
            size=(160, 96),
            generator=generator,
            seed=4,
        )
    )
    whole = play(engine, 20)
    assert digest(cut[:11]) == digest(whole[:11])
    assert digest(cut) != digest(whole)


def test_no_stage_reads_the_wall_clock(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = digest(play(engine, 4))
    generator = DiffusionGenerator(load_engine(engine), runner="torch", size=64)
    source, show = JamSource(seed=4), Show(preset="hearth", settings={})
    played = frames(source, show, count=4, fps=FPS, size=(160, 96), generator=generator, seed=4)

    def forbidden(*_: object) -> float:
        raise AssertionError("a stage read the wall clock")

    for name in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(f"time.{name}", forbidden)
    try:
        rendered = list(played)
    finally:
        monkeypatch.undo()
    assert digest(rendered) == expected


def test_a_missing_init_picture_is_an_error_offline(engine: str) -> None:
    source, show = JamSource(seed=4), Show(preset="hearth", settings={"init/source": "image", "init/image": "no.png"})
    generator = DiffusionGenerator(load_engine(engine), runner="torch", size=64)
    with pytest.raises(ConfigError, match=r"no\.png"):
        list(frames(source, show, count=1, fps=FPS, size=(160, 96), generator=generator))


def test_a_missing_listener_is_an_error_offline_only_where_it_is_asked_for(engine: str) -> None:
    generator = DiffusionGenerator(load_engine(engine), runner="torch", size=64)
    show = Show(preset="hearth", settings={"aadiff/amount": "0.5"})
    with pytest.raises(EngineError, match=r"no CLAP in .*clap; --clap FOLDER"):
        list(frames(JamSource(seed=4), show, count=1, fps=FPS, size=(160, 96), generator=generator))


def test_tpos_speaks_in_a_render_and_a_named_voice_that_is_not_there_raises(tmp_path: Path) -> None:
    made = tiny_engine(tmp_path / "speaking")
    generator = DiffusionGenerator(made, runner="torch", size=64)
    show = {"tpos/amount": "1", "tpos/voice": "trained"}

    def asked(count: int) -> list[Conditioning | None]:
        played = frames(
            JamSource(seed=4), Show(preset="hearth", settings=show), count=count, fps=FPS, size=(160, 96),
            generator=generator,
        )  # fmt: skip
        return [frame.asked for frame in played]

    with pytest.raises(EngineError, match=r"tpos/voice is trained: no TPoS in .*speaking"):
        asked(1)
    shape = replace(TPOS_SHAPES["tiny"], tokens=made.tokens, text_width=made.text_width)
    folder.save(build(shape, seed=1), made.folder / "tpos", text=folder.text_digest(made.folder))
    tokens = [one.tokens for one in asked(8) if one is not None]
    assert tokens[0] is None and tokens[-1] is not None
    assert tokens[-1].rows.shape == generator.text_rows("fire").shape == (made.tokens - 1, made.text_width)


def test_render_command(engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, trace = tmp_path / "out.mp4", tmp_path / "trace.jsonl"
    flags = ["--engine", engine, "--runner", "torch", "--generate-size", "64", "--size", "160x96", "--fps", "10"]
    arguments = ["render", "jam", "-o", str(out), "--seconds", "1.5", "--trace", str(trace), *flags]
    assert cli.main(arguments) == 0
    first = re.search(r"sha256 of the frames (\w{64})", capsys.readouterr().out)
    assert cli.main(arguments) == 0
    again = re.search(r"sha256 of the frames (\w{64})", capsys.readouterr().out)
    assert first and again and first[1] == again[1]
    check_file(out)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert len(lines) == 15
    assert lines[-1]["features"]["bass.level"] >= 0
    assert "scene/intensity" in lines[-1]["controls"]


def test_render_a_file_to_its_end(engine: str, tmp_path: Path) -> None:
    sound, out = tmp_path / "half.wav", tmp_path / "half.mp4"
    write_wav(sound, JamSource(seed=2).samples(0, 24_000))
    assert cli.main(["render", str(sound), "-o", str(out), "--size", "160x96", "--fps", "10", "--no-generator"]) == 0
    import av

    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 5


def write_wav(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, len(samples), "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def test_a_fixed_tempo_is_obeyed_offline() -> None:
    shown = {}
    for bpm in (0, 93):
        show = Show(preset="hearth", settings={"tempo/bpm": str(bpm)})
        hearer = Hearer(JamSource(seed=4, tempo_bpm=120), show)
        shown[bpm] = hearer.upto(48_000 * 6)["tempo"]
    assert shown[93] == pytest.approx(93, abs=0.5)
    assert shown[0] == pytest.approx(120, abs=3)


def check_file(path: Path) -> None:
    import av

    with av.open(str(path)) as file:
        video, audio = file.streams.video[0], file.streams.audio[0]
        assert (video.width, video.height) == (160, 96)
        assert float(video.duration * video.time_base) == pytest.approx(1.5, abs=0.11)
        assert float(audio.duration * audio.time_base) == pytest.approx(1.5, abs=0.11)
        assert sum(1 for _ in file.decode(video=0)) == 15
