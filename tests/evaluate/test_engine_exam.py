"""The examination on a tiny engine of noise, and on a player that cheats: what is asked, played and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from livevis.core.errors import ConfigError, EngineError
from livevis.core.types import Picture
from livevis.evaluate import engine as command
from livevis.evaluate.exam import gains, recognition, sharpness
from livevis.evaluate.exam.exam import Exam, Figure, line, proportion
from livevis.evaluate.exam.player import Player
from livevis.evaluate.exam.sheet import CELL_PX, write_sheet
from livevis.generate.engine import Engine
from livevis.train.judge.network import Judge, JudgeConfig, Verdict, save_judge
from livevis.world.scenes import SCENES
from livevis.world.wordings import WORDINGS
from tests.checkpoints import tiny_engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("exam") / "engine", prediction_type="v_prediction")


@pytest.fixture(scope="module")
def player(engine: Engine) -> Player:
    return Player(engine, runner="torch", threads=1)


class Codes:
    """A player and a judge that are of one mind: a picture's first pixels say which scene it shows, and how strong.

    It plays the first scene whose noun is in the text; a gain on that noun is the intensity.
    """

    size, chosen = 16, "codes"

    def __init__(self) -> None:
        self.config = JudgeConfig(tuple(SCENES), tuple(scene.palettes for scene in SCENES.values()))

    def picture(self, scene: str, strength: float) -> Picture:
        made = np.zeros((self.size, self.size, 3), np.uint8)
        made[0, 0, 0], made[0, 1, 0] = list(SCENES).index(scene), round(250 * strength)
        return made

    def dream(self, text: str, *, steps: int, seed: int, gains: Any = ()) -> Picture:
        scene = max(
            (name for name in SCENES if any(noun.split(" ", 1)[-1] in text for noun in WORDINGS[name].nouns)),
            key=lambda name: max(len(n) for n in WORDINGS[name].nouns if n.split(" ", 1)[-1] in text),
        )
        return self.picture(scene, dict(gains).popitem()[1] / 3 if gains else 0.5)

    def redraw(self, text: str, picture: Picture, *, strength: float, seed: int, gains: Any = ()) -> Picture:
        return picture

    def rebuild(self, picture: Picture) -> Picture:
        return picture

    def look(self, pictures: list[Picture]) -> Verdict:
        rows = torch.tensor([[int(p[0, 0, 0]), int(p[0, 1, 0])] for p in pictures])
        scenes = torch.nn.functional.one_hot(rows[:, 0].clamp(max=len(SCENES) - 1), len(SCENES)) * 10.0 - 5
        strength = (rows[:, 1:] / 250).expand(-1, len(SCENES))
        return Verdict(scenes, strength, torch.zeros(len(rows), len(SCENES), 4), torch.randn(len(rows), 3))


class CodedExam(Exam):
    """Renders are coded too."""

    def rendered(self, draws: Any) -> list[Picture]:
        return [self.player.picture(d.parts[0].scene, float(d.parts[0].inputs["intensity"])) for d in draws]


@pytest.fixture(scope="module")
def exam() -> CodedExam:
    codes: Any = Codes()
    return CodedExam(codes, codes, seed=1, count=24)


def test_who_does_as_asked_gets_full_marks_and_who_keeps_the_old_picture_none(exam: CodedExam) -> None:
    found = {figure.name: figure for figure in recognition.measure(exam)}
    assert found["scene right, held-out renders"].value == 1.0
    assert found["scene right, 4 steps from noise"].value >= 0.9  # nouns are matched, not read
    assert found["scene right, 1 step at 0.7 from another"].value == 0.0
    assert found["scene right, 1 step at 0.7 from another"].reached is False
    assert found["both found, held-out mixtures, 4 steps"].value == 0.0


def test_the_two_likeliest_need_not_be_sure(exam: CodedExam) -> None:
    draws, count = exam.mixtures[:4], len(exam.scenes)
    logits = torch.linspace(-9, -8, count).repeat(4, 1)
    for row, drawn in enumerate(draws):
        for part in drawn.parts[: 2 if row else 1]:  # of the first mixture only one
            logits[row, exam.column(part.scene)] = -1.0
    logits[0, next(place for place, name in enumerate(exam.scenes) if name not in draws[0].scenes)] = -0.5
    verdict = Verdict(logits, logits, logits[..., None], logits)
    assert recognition._first(exam, verdict, draws) == [False, True, True, True]
    assert not any(recognition._both(exam, verdict, draws))


def test_what_is_asked_is_held_out(exam: CodedExam) -> None:
    assert len(exam.draws) == 2 * len(exam.asked) == 48
    assert {len(drawn.parts) for drawn in exam.draws} == {1}
    assert {len(drawn.parts) for drawn in exam.mixtures} == {2}
    from livevis.world.split import held_out_pair

    assert all(held_out_pair(*(part.scene for part in drawn.parts)) for drawn in exam.mixtures)


def test_intensity_that_follows_the_gain_rises_in_every_scene(exam: CodedExam) -> None:
    scene = exam.scenes[0]

    def follows(name: str, text: str, gains: Any, seed: int) -> Picture:
        return exam.player.picture(name, gains[0][1] / 3)

    curve = gains.curve(exam, scene, follows, seeds=2)
    assert curve == pytest.approx([gain / 3 for gain in gains.GAINS], abs=0.003)
    rising = gains._rising("so", {scene: curve, "stuck": [0.5] * 13}, 2, goal=20)
    assert rising.value == 1
    assert "stuck 0.00" in rising.note


@pytest.mark.parametrize("scene", SCENES)
def test_a_plain_prompt_holds_its_noun(scene: str) -> None:
    for place in range(3):
        text, noun = gains.plain_prompt(scene, place)
        assert text.endswith(noun)
        assert not noun.startswith(("a ", "an "))


def test_a_gain_of_one_is_none_and_another_is_something(player: Player) -> None:
    assert all(gains.against_diffusers(player, count=3))
    plain = player.dream("burning aurora", steps=2, seed=3)
    assert np.array_equal(plain, player.dream("burning aurora", steps=2, seed=3, gains=(("aurora", 1.0),)))
    assert not np.array_equal(plain, player.dream("burning aurora", steps=2, seed=3, gains=(("aurora", 3.0),)))
    with pytest.raises(ConfigError, match="city"):
        player.dream("burning aurora", steps=1, seed=3, gains=(("city", 2.0),))


def test_the_player_starts_from_the_picture_it_is_given(player: Player) -> None:
    rng = np.random.default_rng(0)
    start, other = (rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2))
    kept = player.rebuild(start)
    assert kept.shape == (64, 64, 3)
    assert np.array_equal(player.redraw("aurora", start, strength=0.0, seed=1), kept) or (
        np.abs(player.redraw("aurora", start, strength=0.0, seed=1).astype(int) - kept).mean() < 8
    )
    first, again, moved = (player.redraw("aurora", picture, strength=0.5, seed=1) for picture in (start, start, other))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, moved)
    assert not np.array_equal(first, player.redraw("aurora", start, strength=0.5, seed=2))


def test_the_same_pictures_are_as_sharp_as_themselves(exam: CodedExam) -> None:
    sharp = CodedExam(exam.player, exam.judge, seed=1, count=8)
    rng = np.random.default_rng(4)
    sharp.renders = [rng.integers(0, 256, (16, 16, 3), dtype=np.uint8) for _ in range(16)]  # type: ignore[misc]
    figure = sharpness._ratio(sharp, "itself", sharp.renders[:8])
    assert figure.value == pytest.approx(1.0)
    smooth = [np.full_like(picture, 99) for picture in sharp.renders[:8]]
    assert sharpness._ratio(sharp, "flat", smooth).value == pytest.approx(0.0, abs=1e-9)


def test_figures_say_whether_they_reach_their_goal() -> None:
    share = proportion("p", "n", [True] * 9 + [False], goal=0.95)
    assert (share.value, share.count, share.reached) == (0.9, 10, False)
    assert share.low is not None and share.high is not None and share.low < 0.9 < share.high
    assert "NO" in line(share) and "[0." in line(share)
    assert Figure("p", "n", 2.0, goal=3.0, at_most=True).reached
    assert Figure("p", "n", 2.0).as_row() == {"part": "p", "name": "n", "value": 2.0}


def test_the_command_measures_keeps_and_does_not_measure_twice(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(JudgeConfig.of_world())
    save_judge(judge, tmp_path / "judge")
    flags = ["--engine", str(engine.folder), "--judge", str(tmp_path / "judge"), "--runner", "torch", "--count", "4"]
    flags += ["--parts", "sharpness", "--keep", str(tmp_path / "kept.json"), "--json"]
    assert command.main(flags) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["figures"][0]["name"] == "autoencoder PSNR, dB"
    monkeypatch.setattr(command, "PARTS", {**command.PARTS, "sharpness": None})
    assert command.main(flags) == 0
    assert json.loads(capsys.readouterr().out) == first


def test_the_sheet_has_a_row_for_every_scene(exam: CodedExam, tmp_path: Path) -> None:
    from PIL import Image

    write_sheet(exam, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (2 * 9 * CELL_PX, -(-len(SCENES) // 2) * CELL_PX)


def test_what_cannot_be_examined_is_said_in_a_line(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="train judge"):
        command.main(["--engine", str(engine.folder), "--judge", str(tmp_path)])
    with pytest.raises(ConfigError, match="sharpness"):
        command.main(["--parts", "sharpnes"])
