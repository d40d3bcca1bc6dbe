"""The state of play: presets by trigger and by name, morphing, saving, hot reload; and the parts around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from livevis.analysis.analyser import Analyser
from livevis.core.errors import ConfigError
from livevis.core.params import Change
from livevis.core.places import assets
from livevis.guard import Guard
from livevis.session import AnalysisSettings
from livevis.show import Show

FIRST = 'schema = 1\n[scene]\nname = "fire"\nintensity = 0.1\n'
SECOND = 'schema = 1\n[scene]\nname = "rain"\nintensity = 0.9\n[[route]]\nsource = "level"\ntarget = "effect/hue"\n'


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Show:
    monkeypatch.setenv("LIVEVIS_PRESETS", str(tmp_path))
    (tmp_path / "0first.toml").write_text(FIRST)
    (tmp_path / "0second.toml").write_text(SECOND)
    return Show(preset="0first", settings={"preset/morph": "2"})


def test_next_morphs_numbers_and_switches_the_rest_at_once(show: Show) -> None:
    show.registry.post([Change("preset/next", 1)])
    show.tend(10.0)
    assert show.preset.name == "0second"
    assert show.controls()["scene/name"] == "rain"
    assert show.controls()["scene/intensity"] == pytest.approx(0.1)
    show.tend(11.0)
    assert show.controls()["scene/intensity"] == pytest.approx(0.5)
    show.tend(12.5)
    assert show.controls()["scene/intensity"] == pytest.approx(0.9)
    assert [route.target for route in show.routes.routes] == ["effect/hue"]


def test_a_knob_touched_during_a_morph_is_let_go(show: Show) -> None:
    show.registry.post([Change("preset/next", 1)])
    show.tend(0.0)
    show.tend(1.0)
    show.registry.post([Change("scene/intensity", 0.3, source="hand")])
    for time_s in (1.1, 1.5, 2.5):
        show.tend(time_s)
    assert show.controls()["scene/intensity"] == pytest.approx(0.3)


def test_the_same_preset_can_be_loaded_twice(show: Show) -> None:
    for time_s, name in enumerate(("0second", "0first", "0second", "0second")):
        show.registry.post([Change("preset/load", name)])
        show.tend(10.0 * time_s)
        assert show.preset.name == name


def test_a_bad_preset_leaves_the_look_and_says_why(show: Show) -> None:
    show.registry.post([Change("preset/load", "0secnd")])
    show.tend(0.0)
    assert show.preset.name == "0first"
    assert "0second" in show.notice
    show.registry.post([Change("preset/load", "~nobody-here/x.toml")])
    show.tend(1.0)
    assert "nobody-here" in show.notice


def test_save_and_load_again(show: Show, tmp_path: Path) -> None:
    show.registry.post([Change("effect/bloom", 0.77)])
    show.tend(0.0)
    show.registry.post([Change("preset/save", "mine")])
    show.tend(1.0)
    assert show.notice == ""
    assert Show(preset="mine", settings={}).controls()["effect/bloom"] == pytest.approx(0.77)
    assert (tmp_path / "mine.toml").exists()


def test_hot_reload_keeps_the_last_good_one(show: Show, tmp_path: Path) -> None:
    (tmp_path / "0first.toml").write_text(FIRST.replace("0.1", "0.25"))
    show.tend(0.0)
    assert show.controls()["scene/intensity"] == pytest.approx(0.25)
    (tmp_path / "0first.toml").write_text(FIRST.replace("0.1", "very"))
    show.tend(1.0)
    assert show.controls()["scene/intensity"] == pytest.approx(0.25)
    assert "0first.toml" in show.notice


def test_other_triggers_come_back_once_each(show: Show) -> None:
    show.registry.post([Change("tempo/tap", 1), Change("tempo/tap", 1), Change("tempo/resync", 1)])
    assert sorted(show.tend(0.0)) == ["tempo/resync", "tempo/tap", "tempo/tap"]
    assert show.tend(0.1) == []


def test_a_guard_lets_start_up_errors_through_and_later_ones_not() -> None:
    guard = Guard()

    def fail() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        guard("stage", fail, 1)
    guard.armed = True
    assert guard("stage", fail, 1) == 1
    assert guard.counts["stage"] == 1
    assert "broken" in guard.failing["stage"]
    assert guard("stage", lambda: 2, 1) == 2
    assert guard.failing == {}


def test_session_rows_reach_the_analyser(show: Show) -> None:
    analyser, settings = Analyser(), AnalysisSettings()
    show.registry.post([Change("tempo/bpm", 140), Change("audio/gain", 20), Change("audio/freeze", True)])
    show.registry.apply()
    settings.obey(show.registry.base(), analyser)
    assert settings.gain == pytest.approx(10.0)
    assert analyser.step([0.0] * 256)["tempo"] == pytest.approx(140)
    show.registry.post([Change("tempo/bpm", 10)])  # below the slowest tempo: the tracker's own again
    show.registry.apply()
    settings.obey(show.registry.base(), analyser)


def test_settings_are_checked_before_anything_plays() -> None:
    with pytest.raises(ConfigError, match="effect/hue"):
        Show(preset="hearth", settings={"effect/hu": "1"})


@pytest.mark.parametrize("name", sorted(path.stem for path in assets("presets").glob("*.toml")))
def test_every_word_of_a_bundled_preset_is_in_one_of_its_prompts(name: str) -> None:
    controls = Show(preset=name, settings={}).controls()
    ids = (*(f"prompt/text_{n}" for n in range(1, 5)), "attention/edit")
    texts = " ".join(controls.text(id) for id in ids).lower()
    for word in controls.text("attention/word").split(","):
        assert word.strip().lower() in texts
