"""Preset files: exact, forgiving to nobody, never half written, and readable while they are edited."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livevis.core import preset_file
from livevis.core.catalogue import CATALOGUE
from livevis.core.errors import ConfigError
from livevis.core.params import Change, Param, Registry
from livevis.core.places import assets, user_presets
from livevis.core.preset_file import Preset, dump, load, parse, save
from livevis.core.presets import PresetFolder, blend
from livevis.core.routes import SOURCES, Route
from livevis.core.types import Value
from livevis.world.captions import WORDINGS

ROWS = {row.id: row for row in CATALOGUE}
SAVED = [row for row in CATALOGUE if row.saved]
FILE = Path("look.toml")
SHIPPED = sorted(assets("presets").glob("*.toml"))
shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@pytest.fixture
def registry() -> Registry:
    return Registry(CATALOGUE)


@pytest.fixture
def folder(registry: Registry, tmp_path: Path) -> PresetFolder:
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    for name in ("alpha", "beta", "gamma"):
        (bundled / f"{name}.toml").write_text(f'# {name} is bundled\nschema = 1\ndoc = "{name}"\n[effect]\nhue = 0.5\n')
    return PresetFolder(registry, bundled=bundled, user=tmp_path / "user")


def some_value(row: Param) -> st.SearchStrategy[Value]:
    if row.kind == "text":
        return st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=30).filter(str.isprintable)
    if row.kind == "int":
        return st.integers(int(row.low), int(row.high))
    return st.floats(0, 1).map(row.from_norm)


looks = st.lists(st.sampled_from(SAVED), max_size=12, unique_by=lambda row: row.id).flatmap(
    lambda rows: st.fixed_dictionaries({row.id: some_value(row) for row in rows})
)
routes = st.builds(
    Route,
    st.sampled_from(SOURCES),
    st.sampled_from([row.id for row in CATALOGUE if row.safe]),
    gain=st.floats(0, 16),
    threshold=st.floats(0, 0.99),
    release_s=st.floats(0, 60),
    high=st.floats(-1000, 1000),
    op=st.sampled_from(["add", "multiply", "replace"]),
    enabled=st.booleans(),
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(looks, st.lists(routes, max_size=4), looks, st.lists(routes, max_size=4))
def test_round_trip(
    values: Mapping[str, Value], played: list[Route], old_values: Mapping[str, Value], old_played: list[Route]
) -> None:
    """What is written is read, whether on a blank page or over another look."""
    preset = Preset("look", values, tuple(played), "a look", FILE)
    other = dump(Preset("other", old_values, tuple(old_played)), ROWS)
    for onto in ("", other, "[[[ broken"):
        back = parse(dump(preset, ROWS, onto=onto), ROWS, file=FILE)
        assert back.complete(ROWS) == preset.complete(ROWS)
        assert (back.routes, back.doc, back.name) == (preset.routes, "a look", "look")


def test_a_file_holds_only_what_differs() -> None:
    same = {id: ROWS[id].default for id in ("effect/hue", "scene/name")}
    text = dump(Preset("look", {**same, "effect/bloom": 0.5}, (Route("level", "effect/bloom"),)), ROWS)
    assert text.split() == [
        *("schema", "=", "1", "doc", "=", '""', "[effect]", "bloom", "=", "0.5"),
        *("[[route]]", "source", "=", '"level"', "target", "=", '"effect/bloom"'),
    ]


def test_comments_and_order_stay() -> None:
    text = """# the opening of the set
schema = 1
doc = "slow"

# colours first
[effect]
hue = 0.3  # towards green
bloom = 0.9

# then the scene
[scene]
name = "rain"  # not snow

# the kick
[[route]]
source = "lows.hit"  # or beat
target = "effect/flash"
"""
    before = parse(text, ROWS, file=FILE)
    assert dump(before, ROWS, onto=text) == text
    values = {**before.values, "effect/hue": 0.4, "effect/zoom": 0.2}
    del values["effect/bloom"]  # back to the default
    after = dump(Preset("look", values, (*before.routes, Route("beat", "effect/zoom")), "slow"), ROWS, onto=text)
    for comment in ("# the opening of the set", "# colours first", "# then the scene\n[scene]", "# not snow",
                    "# the kick\n[[route]]", "# or beat"):  # fmt: skip
        assert comment in after
    assert "hue = 0.4  # towards green" in after and "bloom = 0.2\n" in after
    assert after.index("zoom = 0.2") < after.index("# then the scene")
    assert parse(after, ROWS, file=FILE).values == {**values, "effect/bloom": ROWS["effect/bloom"].default}


BAD = [
    ("", "schema = None: this livevis reads schema = 1"),
    ("schema = 2", "schema = 2: this livevis reads schema = 1"),
    ("schema = 1\n[scene\n", "not TOML: .*line 2"),
    ("schema = 1\ndoc = 3", "doc = 3 is not a text"),
    (
        "schema = 1\n[scen]\nname = 'fire'",
        r"unknown group 'scen' \(did you mean 'scene'\?\); groups: aadiff, attention, ",
    ),
    ("schema = 1\nstrength = 1", "unknown group 'strength'"),
    ("schema = 1\nscene = 1", "unknown group 'scene'"),
    (
        "schema = 1\n[scene]\nintensty = 1",
        r"\[scene\] has no key 'intensty' \(did you mean 'intensity'\?\); keys: ",
    ),
    ("schema = 1\n[scene]\nintensity = 1.5", r"\[scene\] intensity = 1.5: allowed 0..1"),
    ("schema = 1\n[scene]\nintensity = '0.5'", r"\[scene\] intensity = '0.5': allowed 0..1"),
    ("schema = 1\n[scene]\nintensity = nan", r"\[scene\] intensity = nan: allowed 0..1"),
    ("schema = 1\n[scene]\nintensity = true", r"\[scene\] intensity = True: allowed 0..1"),
    ("schema = 1\n[scene]\npalette = 1.5", r"\[scene\] palette = 1.5: allowed whole numbers 0..3"),
    (
        "schema = 1\n[scene]\nname = 'fyre'",
        r"\[scene\] name = 'fyre' \(did you mean 'fire'\?\): allowed fire, ",
    ),
    ("schema = 1\n[scene]\nname = [1]", r"\[scene\] name = \[1\]: allowed fire, "),
    ("schema = 1\n[effect]\nhue = 1.5", r"\[effect\] hue = 1.5: allowed 0..1 turns"),
    ("schema = 1\n[prompt]\ntext_1 = 3", r"\[prompt\] text_1 = 3: allowed a text of up to 500"),
    ("schema = 1\n[output]\nblackout = true", r"\[output\] blackout belongs to the session"),
    ("schema = 1\n[preset]\nnext = true", r"\[preset\] next belongs to the session"),
    ("schema = 1\nroute = 1", r"routes are written as \[\[route\]\]"),
    ("schema = 1\nroute = [1]", "route 1 needs a source and a target"),
    ("schema = 1\n[[route]]\nsource = 'level'", "route 1 needs a source and a target"),
    (
        "schema = 1\n[[route]]\nsource = 'bas.level'\ntarget = 'effect/hue'",
        r"route 1: source = 'bas.level' \(did you ",
    ),
    (
        "schema = 1\n[[route]]\nsource = 'level'\ntarget = 'effect/hu'",
        r"route 1: .*did you mean 'effect/hue'\?",
    ),
    ("schema = 1\n[[route]]\nsource = 'level'\ntarget = 'scene/name'", "route 1: .*not for sound to drive"),
    (
        "schema = 1\n[[route]]\nsource = 'level'\ntarget = 'effect/hue'\ngian = 2",
        r"no key 'gian' \(did you mean 'gain'",
    ),
    (
        "schema = 1\n[[route]]\nsource = 'level'\ntarget = 'effect/hue'\ngain = 99",
        r"route 1: gain = 99: allowed 0..16",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_file_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^look.toml: .*{message}") as caught:
        parse(text, ROWS, file=FILE)
    assert "\n" not in str(caught.value)


def test_a_whole_number_does_for_a_float() -> None:
    value = parse("schema = 1\n[effect]\nbloom = 1", ROWS, file=FILE).values["effect/bloom"]
    assert value == 1.0 and isinstance(value, float)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "gone.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        load(path, ROWS)


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_crash_while_saving_leaves_the_old_file(moment: str, tmp_path: Path) -> None:
    """A process that dies before the rename, or before the bytes are on disk, loses only the new version."""
    path = tmp_path / "look.toml"
    save(path, Preset("look", {"effect/hue": 0.25}), ROWS)
    old = path.read_bytes()
    code = (
        f"import os; os.{moment} = lambda *_: os._exit(9)\n"
        "from pathlib import Path\n"
        "from livevis.core.catalogue import CATALOGUE\n"
        "from livevis.core.preset_file import Preset, save\n"
        "rows = {row.id: row for row in CATALOGUE}\n"
        f"save(Path({str(path)!r}), Preset('look', {{'effect/hue': 0.75}}), rows)\n"
    )
    root = Path(preset_file.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 9
    assert path.read_bytes() == old
    save(path, Preset("look", {"effect/hue": 0.75}), ROWS)
    assert load(path, ROWS).values == {"effect/hue": 0.75}


@pytest.mark.parametrize("broken", ["[scen]\nhue = 1", "schema = 1\n[effect]\nhoe = 0.5", "route = 3", "x = ["])
def test_saving_over_a_broken_file_mends_it(broken: str, tmp_path: Path) -> None:
    path = tmp_path / "look.toml"
    path.write_text(broken)
    save(path, Preset("look", {"effect/hue": 0.25}, (Route("level", "effect/bloom"),)), ROWS)
    mended = load(path, ROWS)
    assert mended.values == {"effect/hue": 0.25} and len(mended.routes) == 1


def test_a_save_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ConfigError, match=r"look.toml: cannot be saved: .*No space left"):
        save(tmp_path / "look.toml", Preset("look", {}), ROWS)
    assert list(tmp_path.iterdir()) == []


def test_the_performers_folder_comes_first(folder: PresetFolder, registry: Registry, tmp_path: Path) -> None:
    assert folder.names() == ("alpha", "beta", "gamma")
    registry.post([Change("effect/hue", 0.1), Change("output/brightness", 0.2)])
    registry.apply()
    path = folder.save("beta", [Route("level", "effect/bloom")])
    folder.save("my look", [])
    assert path == tmp_path / "user" / "beta.toml"
    assert folder.names() == ("alpha", "beta", "gamma", "my look")
    mine = folder.load("beta")
    assert mine.values == {"effect/hue": 0.1} and len(mine.routes) == 1
    assert mine.doc == "beta" and path.read_text().startswith("# beta is bundled")
    assert folder.load("alpha").values == {"effect/hue": 0.5}
    assert folder.load(str(path)) == mine


def test_next_and_previous_go_round(folder: PresetFolder, registry: Registry, tmp_path: Path) -> None:
    assert [folder.next(name) for name in ("alpha", "beta", "gamma")] == ["beta", "gamma", "alpha"]
    assert [folder.previous(name) for name in ("alpha", "beta", "gamma")] == ["gamma", "alpha", "beta"]
    assert (folder.next("elsewhere"), folder.previous("elsewhere")) == ("alpha", "gamma")
    empty = PresetFolder(registry, bundled=tmp_path / "nothing", user=tmp_path / "nobody")
    assert empty.names() == ()
    with pytest.raises(ConfigError, match="no presets in"):
        empty.next("alpha")


@pytest.mark.parametrize("name", ["../alpha", "/etc/passwd", "a/b", "", ".hidden", "x" * 65, "a\\b", "a\n"])
def test_names_are_names_and_not_paths(folder: PresetFolder, name: str) -> None:
    for act in (folder.load, lambda name: folder.save(name, [])):
        with pytest.raises(ConfigError, match="is no preset name"):
            act(name)


def test_an_unknown_name_says_the_nearest(folder: PresetFolder) -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'alpah' \(did you mean 'alpha'\?\); presets: alpha, beta"):
        folder.load("alpah")


def test_an_edit_is_heard_and_a_bad_one_told_once(folder: PresetFolder, registry: Registry) -> None:
    playing = folder.load("alpha")
    assert playing.path and folder.changed(playing) is None
    playing.path.write_text("schema = 1\n[effect]\nhue = 0.25\nbloom = 0.75\n")
    edited = folder.changed(playing)
    assert edited and edited.values == {"effect/hue": 0.25, "effect/bloom": 0.75}
    assert folder.changed(edited) is None
    assert {change.id for change in edited.changes(ROWS, since=playing)} == {"effect/hue", "effect/bloom"}
    playing.path.write_text("schema = 1\n[effect]\nhue = 99.0\n")
    with pytest.raises(ConfigError, match=r"hue = 99\.0"):
        folder.changed(edited)
    for _ in range(3):
        assert folder.changed(edited) is None, "told once; the last good one goes on"
    playing.path.unlink()
    assert folder.changed(edited) is None
    playing.path.write_text("schema = 1\n")
    again = folder.changed(edited)
    assert again and again.values == {}


def test_ones_own_save_is_no_edit(folder: PresetFolder) -> None:
    folder.save("mine", [])
    mine = folder.load("mine")
    folder.save("mine", [Route("level", "effect/bloom")])
    assert folder.changed(mine) is None


def test_a_preset_sets_all_of_the_look_and_nothing_of_the_session(registry: Registry) -> None:
    registry.post([Change("effect/bloom", 0.9), Change("audio/gain", 6), Change("tempo/bpm", 128)])
    registry.apply()
    registry.post(Preset("look", {"effect/hue": 0.5}).changes(ROWS))
    registry.apply()
    assert registry.base().version == 2, "a preset is one version"
    assert registry.read("effect/hue") == 0.5
    assert registry.read("effect/bloom") == ROWS["effect/bloom"].default
    assert (registry.read("audio/gain"), registry.read("tempo/bpm")) == (6, 128)


@given(st.floats(0, 1), st.floats(0, 0.999), st.floats(0, 0.999))
def test_morphing(x: float, a: float, b: float) -> None:
    before: dict[str, Value] = {"effect/hue": a, "effect/bloom": a, "scene/name": "fire", "scene/palette": 0}
    after: dict[str, Value] = {"effect/hue": b, "effect/bloom": b, "scene/name": "rain", "scene/palette": 3}
    now = blend(ROWS, before, after, x)
    assert now["scene/name"] == "rain" and now["scene/palette"] == 3
    assert now["effect/bloom"] == pytest.approx(a + x * (b - a))
    gone = (float(now["effect/hue"]) - a + 0.5) % 1 - 0.5
    assert abs(gone) <= 0.5 * x + 1e-9, "a circle is left the shorter way"
    assert blend(ROWS, before, after, 1.0) == after


def test_where_presets_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIVEVIS_PRESETS", str(tmp_path / "mine"))
    assert user_presets() == tmp_path / "mine"
    monkeypatch.delenv("LIVEVIS_PRESETS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert user_presets() == tmp_path / "livevis" / "presets"


@shipped
def test_shipped_preset(path: Path) -> None:
    preset = load(path, ROWS)
    assert preset.doc and preset.routes
    assert preset.values
    assert dump(preset, ROWS, onto=path.read_text()) == path.read_text()
    look = preset.complete(ROWS)
    texts = (*(f"prompt/text_{n}" for n in range(1, 5)), "attention/edit")
    prompts = " ".join(str(look[id]) for id in texts)
    words = [word.strip() for word in str(look["attention/word"]).split(",")]
    listens = float(look["aadiff/amount"]) > 0 or float(look["tpos/amount"]) > 0
    assert (words[0] or listens) and all(word in prompts.replace(",", "").split() for word in words if word)
    targets = {route.target for route in preset.routes}
    assert "attention/gain" in targets or listens, "sound strengthens a word"
    assert targets & {"scene/intensity", "scene/speed"}, "sound moves the scene"


@shipped
def test_shipped_prompts_are_ones_the_bundled_model_knows(path: Path) -> None:
    look = load(path, ROWS).complete(ROWS)
    wording = WORDINGS[str(look["scene/name"])]
    words = {word for noun in wording.nouns for word in noun.split() if len(word) > 2}
    all_sound = look["tpos/amount"] == 1 and look["prompt/text_1"] == ""
    assert all_sound or words & set(str(look["prompt/text_1"]).split()), "the first prompt speaks of the scene"


def test_shipped_presets_look_different() -> None:
    presets = [load(path, ROWS) for path in SHIPPED]
    assert len(presets) >= 6
    looks = [preset.complete(ROWS) for preset in presets]
    assert len({tuple(look[f"scene/{key}"] for key in ("name", "palette", "layout")) for look in looks}) == len(looks)
    assert len({look["prompt/text_1"] for look in looks}) == len(looks)
    motion = [tuple(look[f"feedback/{key}"] for key in ("zoom", "rotate", "shift_x", "shift_y")) for look in looks]
    assert len(set(motion)) == len(looks)
    assert len({preset.routes for preset in presets}) == len(presets)


def test_the_first_preset_raises_the_fire_with_the_bass() -> None:
    hearth = load(assets("presets") / "hearth.toml", ROWS)
    assert hearth.complete(ROWS)["attention/word"] == "fire"
    driven = {route.target: route.high for route in hearth.routes if route.source == "bass.level"}
    assert driven["scene/intensity"] >= 0.5 and driven["attention/gain"] >= 1.5
