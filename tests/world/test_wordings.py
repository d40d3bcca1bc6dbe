"""Words in the shader headers: whole, apart from each other, and refused with one clear line where they are not."""

from __future__ import annotations

import json
import re
from itertools import permutations
from pathlib import Path

import pytest

from livevis.core.errors import ConfigError
from livevis.world.scenes import SCENES, read_scene
from livevis.world.wordings import BANDS, FOLDER, WORDINGS, read_wording

WHOLE = {
    "INPUTS": [{"NAME": "palette", "TYPE": "long", "VALUES": [0, 1], "LABELS": ["blue", "night"]}],
    "WORDS": {
        "NOUNS": ["a comet"],
        "BANDS": [["calm"], ["gentle"], ["strong"], ["raging"]],
        "SETTINGS": ["in the sky"],
        "BEHIND": {"night": ["at night"]},
    },
}


def written(folder: Path, header: object) -> Path:
    path = folder / "comet.fs"
    path.write_text(f"/*{json.dumps(header)}*/\nvoid main() {{}}")
    return path


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.fs")), ids=lambda path: path.stem)
def test_every_scene_file_is_whole(path: Path) -> None:
    found = read_scene(path)
    assert SCENES[path.stem].wording == found.wording == WORDINGS[path.stem]
    assert 2 <= len(found.wording.nouns) <= 5 and len(found.palettes) == 4
    assert all(len(setting.split()) <= 6 for setting in found.wording.settings)


def test_a_noun_belongs_to_one_scene() -> None:
    cores = {name: [re.sub(r"^an? ", "", noun) for noun in w.nouns] for name, w in WORDINGS.items()}
    for a, b in permutations(WORDINGS, 2):
        for core in cores[a]:
            holders = [noun for noun in cores[b] if re.search(rf"\b{core}\b", noun)]
            assert not holders, f"{a}'s noun '{core}' stands in {b}'s {holders}"


def test_an_intensity_word_belongs_to_one_band() -> None:
    for name, wording in WORDINGS.items():
        words = [word for band in wording.bands for word in band]
        assert len(set(words)) == len(words), name
        assert not set(words) & set(wording.palettes), name


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    found = read_wording(written(tmp_path, WHOLE))
    assert found.nouns == ("a comet",) and found.palettes == ("blue", "night")
    assert found.bands == (("calm",), ("gentle",), ("strong",), ("raging",)) and len(found.bands) == BANDS
    assert found.settings == ("in the sky",) and found.behind == {"night": ("at night",)}


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("NOUNS", [], r"comet\.fs: WORDS NOUNS is \[\]"),
        ("NOUNS", "a comet", "WORDS NOUNS is 'a comet'"),
        ("SETTINGS", ["In the sky"], "WORDS SETTINGS .* lower-case"),
        ("SETTINGS", None, "WORDS SETTINGS is None"),
        ("BANDS", [["calm"], ["raging"]], "WORDS BANDS .* 4 lists"),
        ("BANDS", [["calm"], ["gentle"], [], ["raging"]], "WORDS BANDS .* 4 lists"),
        ("BANDS", [["still"], ["gentle"], ["strong"], ["raging"]], "'calm' in its first"),
        ("BANDS", [["calm"], ["gentle"], ["strong"], ["wild"]], "'raging' in its last"),
        ("BEHIND", {"day": ["by day"]}, "WORDS BEHIND has 'day'.*blue, night"),
        ("BEHIND", {"night": []}, "WORDS BEHIND has 'night'"),
        ("MOOD", ["sad"], "unknown MOOD; the keys are NOUNS, BANDS"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, key: str, value: object, complaint: str) -> None:
    path = written(tmp_path, {**WHOLE, "WORDS": {**WHOLE["WORDS"], key: value}})
    with pytest.raises(ConfigError, match=complaint):
        read_wording(path)


def test_half_written_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "comet.fs"
    with pytest.raises(ConfigError, match=r"comet\.fs: cannot be read"):
        read_wording(path)
    path.write_text("void main() {}")
    with pytest.raises(ConfigError, match=r"comet\.fs: no header"):
        read_wording(path)
    path.write_text('/*{"WORDS": }*/')
    with pytest.raises(ConfigError, match=r"comet\.fs: header is not JSON"):
        read_wording(path)
    with pytest.raises(ConfigError, match=r"comet\.fs: no WORDS in the header"):
        read_wording(written(tmp_path, {}))
    with pytest.raises(ConfigError, match=r"comet\.fs: the palette input has LABELS None"):
        read_wording(written(tmp_path, {"WORDS": WHOLE["WORDS"]}))


def test_a_scene_needs_its_four_inputs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"comet\.fs: unknown input of scene comet 'intensity'"):
        read_scene(written(tmp_path, WHOLE))
