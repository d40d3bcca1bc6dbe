"""The bundled files are found in a checkout and in a wheel, and missed with both places named."""

from __future__ import annotations

from pathlib import Path

import pytest

from livevis.core import places
from livevis.core.catalogue import SCENES, scene_names
from livevis.core.errors import ConfigError


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "site-packages" / "livevis"
    folder.mkdir(parents=True)
    monkeypatch.setattr(places, "_PACKAGE", folder)
    return folder


def test_checkout() -> None:
    assert (places.assets("shaders") / "scenes" / "fire.fs").is_file()
    assert (places.assets("presets") / "hearth.toml").is_file()


def test_wheel_comes_before_what_lies_beside_it(package: Path) -> None:
    beside, inside = package.parent / "presets", package / "_assets" / "presets"
    beside.mkdir()
    assert places.assets("presets") == beside
    inside.mkdir(parents=True)
    assert places.assets("presets") == inside


def test_missing_names_both_places(package: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        places.assets("engines")
    assert str(package / "_assets" / "engines") in str(caught.value)
    assert str(package.parent / "engines") in str(caught.value)


def test_scenes_that_are_dropped_in_come_after_the_bundled_ones(package: Path) -> None:
    assert scene_names() == SCENES, "the table is whole even where the shaders are gone"
    scenes = package.parent / "shaders" / "scenes"
    scenes.mkdir(parents=True)
    for name in ("zebra", "fire", "ants"):
        (scenes / f"{name}.fs").touch()
    assert scene_names() == (*SCENES, "ants", "zebra")
