"""`livevis eval meaning`: its sounds, its scores on hand-made answers, and one run of the command with few frames."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from livevis.cli import main
from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate import meaning
from livevis.evaluate.landscape.parts import (
    Change,
    Pair,
    Swell,
    all_pairs,
    reached,
    share_both,
    share_chosen,
    things_named,
)
from livevis.evaluate.landscape.sounds import NINE, bank, followed, levelled, mixed, swell
from livevis.evaluate.landscape.stage import REST, contact_sheet, prompts
from livevis.evaluate.recording import Recording
from livevis.methods.choice import candidates
from livevis.show import Show


def test_a_swell_falls_swells_and_falls() -> None:
    curve = swell(12.0)
    assert curve.shape == (1200,)
    assert curve[0] == 1.0
    assert curve[400] < 1e-6 < 0.999 < curve[800]
    assert curve[-1] < 1e-3
    assert (np.diff(curve[:400]) <= 0).all()
    assert (np.diff(curve[400:800]) >= 0).all()
    assert (np.diff(curve[800:]) <= 0).all()


def rms_db(sound: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(sound.astype(np.float64))))))


def test_sounds_one_after_another_are_equally_loud_and_fade() -> None:
    t = np.arange(round(2.5 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tones = [(gain * np.sin(2 * np.pi * hz * t)).astype(np.float32) for gain, hz in ((0.01, 500), (0.5, 700))]
    whole = followed(tones, 2.0)
    assert len(whole) == 4 * SAMPLE_RATE_HZ
    first, fade, second = whole[: 2 * SAMPLE_RATE_HZ], whole[96_000 : 96_000 + 24_000], whole[-48_000:]
    assert rms_db(first) == pytest.approx(-24, abs=0.05)
    assert rms_db(fade) == pytest.approx(-24, abs=0.2)  # constant power
    assert rms_db(second) == pytest.approx(-24, abs=0.05)


def test_mixed_sounds_are_as_loud_as_each_other_and_silence_stays_silence() -> None:
    rng = np.random.default_rng(0)
    quiet, loud = (rng.normal(0, sigma, 48_000).astype(np.float32) for sigma in (0.001, 0.3))
    total = mixed([quiet, loud])
    assert rms_db(total) == pytest.approx(-21, abs=0.1)
    assert abs(np.corrcoef(total, quiet)[0, 1] - np.corrcoef(total, loud)[0, 1]) < 0.02
    assert not levelled(np.zeros(100, np.float32)).any()


def test_a_recording_is_silent_outside_itself() -> None:
    source = Recording("one", np.arange(1, 6, dtype=np.float32))
    assert source.length == 5
    assert source.samples(-2, 4).tolist() == [0, 0, 1, 2]
    assert source.samples(3, 4).tolist() == [4, 5, 0, 0]
    assert source.samples(9, 2).tolist() == [0, 0]


def test_time_to_reach_counts_from_where_it_stays() -> None:
    assert reached([False] * 10 + [True] * 30, fps=10) == 1.0
    assert reached([True] * 40, fps=10) == 0.0
    assert reached([False] * 40, fps=10) is None
    assert reached([True] * 5 + [False] * 15 + [True] * 20, fps=10) == 2.0  # there for a moment is not there
    assert reached([False] * 10 + [True] * 50 + [False] + [True] * 19, fps=10) == 1.0  # one frame of 70 is let go
    assert reached([False] * 39 + [True], fps=10) == 3.9


def test_share_chosen_counts_the_best_names_after_the_start() -> None:
    heard = [("rain",)] * 4 + [("fire", "rain"), ("rain", "fire"), ("fire",), ()]
    assert share_chosen(heard, ("fire",), fps=1, from_s=4) == 0.5
    assert share_chosen(heard, ("fire", "rain"), fps=1, from_s=4) == 0.5  # in any order
    assert share_chosen(heard, ("rain",), fps=2, from_s=0) == 5 / 8
    assert share_chosen(heard, ("rain",), fps=1, from_s=99) == 0.0


def test_both_found_means_in_the_same_picture() -> None:
    found = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], bool)
    assert share_both(found, 0, 1) == 0.5
    assert share_both(found, 0, 2) == 0.5
    assert share_both(found[1:2], 0, 1) == 0.0


def test_pairs_are_spread_over_all_of_them() -> None:
    names = [{thing.sound for thing in pair} for pair in all_pairs(99)]
    assert len(names) == 36
    assert all(len(pair) == 2 for pair in names)
    assert len({frozenset(pair) for pair in names}) == 36
    few = all_pairs(9)
    assert len(few) == 9
    assert {thing.sound for pair in few for thing in pair} >= {"fire", "volcano"}


def test_every_thing_is_a_scene_with_a_sound_and_its_word_in_its_prompt() -> None:
    from livevis.world.scenes import SCENES
    from livevis.world.sounds import SOUNDS

    for thing in NINE:
        assert thing.sound in SCENES
        assert thing.sound in SOUNDS
        settings = prompts(REST, thing.said)
        found = candidates((REST, thing.said), settings["aadiff/bank"])
        lifted = {one.name for one in found if one.lifts}
        assert lifted == {thing.word, "ocean"}  # nothing else of the prompt can be taken for the sound
        assert len({one.phrase for one in found}) >= 18
    Show(preset="weather", settings=prompts(REST, "a fire"))  # the bank is short enough for a control
    assert len(bank()) <= 500


def test_the_figures_on_hand_made_rows() -> None:
    told = ((0.9, 1.0), (0.7, 0.6), (0.85, 0.8))
    swells = [Swell("fire", "fire", r, 0.5, r - 0.2, 0.6, chosen) for r, chosen in told]
    median, at_0, _, chosen = meaning.swell_figures(swells)
    assert (median.value, median.reached) == (0.85, True)
    assert at_0.value == pytest.approx(0.65)
    assert chosen.value == pytest.approx(0.8)
    assert chosen.reached is False
    middle, slowest, _ = meaning.change_figures([Change(0, "rain", 1.0, 0.8), Change(0, "fire", None, 0.0)])
    assert slowest.value == np.inf
    assert slowest.reached is False
    assert middle.value == np.inf
    told = (0.9, 0.4, 0.6, 0.7)
    pairs = [Pair(("fire", "rain"), both, 0.3, 0.2, 1.0, both, (0.6, 0.7), (0.6, 0.4)) for both in told]
    both, called, alone, still, ears, *_ = meaning.pair_figures(pairs)
    assert called.value == 0.0 and called.goal == 0.8
    assert (both.value, alone.value, still.value, ears.value) == (0.75, 0.0, 1.0, 0.75)


def test_names_that_there_are_not() -> None:
    with pytest.raises(ConfigError, match="volcanoo"):
        things_named("fire, volcanoo")
    assert [thing.sound for thing in things_named("rain, fire")] == ["rain", "fire"]
    with pytest.raises(ConfigError, match="part"):
        meaning.main(["--parts", "colours"])
    with pytest.raises(ConfigError, match="takes"):
        meaning.main(["--takes", "0"])


def test_the_sheet_has_a_row_for_each_reel(tmp_path: Path) -> None:
    from PIL import Image

    reels = [[np.full((32, 32, 3), value, np.uint8) for value in values] for values in ((10, 60, 110), (200, 220))]
    contact_sheet(reels, tmp_path / "sheet.png", columns=2, cell_px=16)
    cells = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert cells.shape == (32, 32, 3)
    assert [int(cells[y, x, 0]) for y in (8, 24) for x in (8, 24)] == [10, 110, 200, 220]


def test_the_command_with_few_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    few = ["--fps", "2", "--seconds", "4", "--sounds", "fire", "--each", "1", "--takes", "1", "--pairs", "1"]
    more = ["--pair-seconds", "2", "--first", "9000", "--set", "diffusion/steps=1", "--sheet", str(sheet), "--json"]
    assert main(["eval", "meaning", *few, *more]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["parts"]) == ["swells", "changes", "pairs"]
    assert [row["sound"] for row in report["parts"]["changes"]["rows"]] == ["rain", "fire", "wind_grass"]
    assert set(report["parts"]["swells"]["rows"][0]) == set(asdict(Swell("", "", 0, 0, 0, 0, 0)))
    assert report["parts"]["pairs"]["rows"][0]["silent"] in (0.0, 0.5, 1.0)
    assert sheet.is_file()
