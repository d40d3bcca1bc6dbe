"""A CLAP by name: the cache first, the hub only for a hub's name, only what is needed, and one line where it fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from livevis.core.places import assets
from livevis.embed.clap import ClapEmbedder, clap_folder, model_name
from livevis.embed.hub import complete, hub_name
from tests.hub import COMMIT, cache, serving

ROOT = Path(__file__).resolve().parents[2]
CLAP = assets("engines") / "pocket" / "clap"
NOWHERE = "http://127.0.0.1:9"
ASK = """
import json, sys
from pathlib import Path
from livevis.core.errors import LivevisError
from livevis.embed.clap import clap_folder
found = []
for named in sys.argv[1:]:
    said = []
    try:
        folder = clap_folder(Path("engine"), named, say=said.append)
        found.append({"folder": str(folder), "files": sorted(file.name for file in folder.iterdir()), "said": said})
    except LivevisError as error:
        found.append({"error": str(error), "said": said})
print(json.dumps([*found, "huggingface_hub" in sys.modules]))
"""


def ask(home: Path, endpoint: str, *named: str, at: Path | None = None) -> list[Any]:
    """What clap_folder makes of each name, in a process of its own, and whether the hub's client was loaded."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    env |= {"HF_HOME": str(home), "HF_ENDPOINT": endpoint, "PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-c", ASK, *named]
    done = subprocess.run(command, env=env, cwd=at or ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Repositories as their owners keep them: with files that nobody needs, of another class, with pickles alone."""
    base, out = tmp_path_factory.mktemp("models"), {}
    for name in ("ears", "pickled", "eyes", "fused", "bare"):
        out[f"somebody/{name}"] = base / name
        (base / name).mkdir()
    for file in CLAP.iterdir():
        if file.suffix == ".json":
            for name in ("ears", "pickled"):
                (base / name / file.name).write_bytes(file.read_bytes())
    (base / "ears" / "model.safetensors").write_bytes(b"weights")
    for file in ("ears/pytorch_model.bin", "ears/tf_model.h5", "ears/README.md", "pickled/pytorch_model.bin"):
        (base / file).write_bytes(b"much")
    for name, config in (("eyes", {"model_type": "clip"}), ("bare", {"model_type": "clap"})):
        (base / name / "config.json").write_text(json.dumps(config))
    (base / "fused" / "config.json").write_text(
        json.dumps({"model_type": "clap", "audio_config": {"enable_fusion": True}})
    )
    for name in ("eyes", "fused"):
        (base / name / "model.safetensors").write_bytes(b"weights")
    return out


def test_a_folder_wins_and_nothing_but_a_hub_s_name_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hub_name("laion/clap-htsat-unfused") == ("laion/clap-htsat-unfused", None)
    assert hub_name("laion/clap-htsat-unfused@main") == ("laion/clap-htsat-unfused", "main")
    for path in ("clap", "./laion/clap", "/laion/clap", "~/clap", "a/b/c", "a/b@", "../clap", "a /b", ""):
        assert hub_name(path) is None
        assert clap_folder(tmp_path, path) == (Path(path).expanduser() if path else tmp_path / "clap")
    (tmp_path / "laion" / "clap-htsat-unfused").mkdir(parents=True)
    assert hub_name("laion/clap-htsat-unfused") is None
    assert clap_folder(tmp_path, "laion/clap-htsat-unfused") == Path("laion/clap-htsat-unfused")


def test_folders_never_load_the_hub_s_client(tmp_path: Path) -> None:
    (tmp_path / "owner" / "clap").mkdir(parents=True)
    *found, loaded = ask(tmp_path, NOWHERE, "owner/clap", at=tmp_path)
    assert found == [{"folder": "owner/clap", "files": [], "said": []}] and loaded is False


def test_what_is_in_the_cache_is_never_asked_for(tmp_path: Path, models: dict[str, Path]) -> None:
    snapshot = cache(tmp_path, "somebody/ears", models["somebody/ears"])
    with serving(models) as (endpoint, asked):
        *found, _ = ask(tmp_path, endpoint, "somebody/ears", "somebody/ears@main", f"somebody/ears@{COMMIT}")
    assert [one["folder"] for one in found] == [str(snapshot)] * 3 and asked == []
    assert all(one["said"] == [] for one in found)


def test_the_listener_of_a_cached_name_is_the_folder_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    cache(tmp_path, "somebody/small-ears", CLAP)
    folder = clap_folder(tmp_path, "somebody/small-ears")
    assert complete(folder) and complete(CLAP)
    named = ClapEmbedder(folder)
    assert named.name == model_name(folder) == f"somebody/small-ears@{COMMIT}" and model_name(CLAP) == "pocket/clap"
    assert (named.phrase("rain") == ClapEmbedder(CLAP).phrase("rain")).all()


def test_what_is_fetched_is_what_the_model_and_its_processor_read(tmp_path: Path, models: dict[str, Path]) -> None:
    with serving(models) as (endpoint, asked):
        *found, _ = ask(tmp_path, endpoint, "somebody/ears@main", "somebody/pickled", "somebody/ears")
        ears, pickled, again = found
        assert ears["files"] == sorted(file.name for file in CLAP.iterdir() if file.name != "README.md")
        assert ears["said"] == ["fetching somebody/ears@main from the hub ..."] and Path(ears["folder"]).name == COMMIT
        assert "pytorch_model.bin" in pickled["files"] and "model.safetensors" not in pickled["files"]
        assert again["folder"] == ears["folder"] and again["said"] == []
        wanted = [path for path in asked if "/resolve/" in path]
        assert {path.rpartition("/")[2] for path in wanted if "/ears/" in path} == set(ears["files"])
        fetched = len(asked)
        *found, _ = ask(tmp_path, endpoint, "somebody/ears", "somebody/pickled")
        assert [one["said"] for one in found] == [[], []] and len(asked) == fetched, "a later run finds it"
    *found, _ = ask(tmp_path, NOWHERE, "somebody/ears")
    assert found == [again], "and needs no network"


def test_a_cache_that_lacks_a_file_is_completed(tmp_path: Path, models: dict[str, Path]) -> None:
    snapshot = cache(tmp_path, "somebody/ears", models["somebody/ears"])
    (snapshot / "model.safetensors").resolve().unlink()  # a link to nothing, as an interrupted fetch leaves
    (snapshot / "pytorch_model.bin").unlink()
    with serving(models) as (endpoint, _):
        *found, _ = ask(tmp_path, endpoint, "somebody/ears")
    assert found[0]["said"] == ["fetching somebody/ears from the hub ..."]
    assert (snapshot / "model.safetensors").read_bytes() == b"weights"


def test_what_cannot_be_had_is_one_clear_line(tmp_path: Path, models: dict[str, Path]) -> None:
    names = ("nobody/nothing", "somebody/ears@v9", "somebody/eyes", "somebody/fused", "somebody/bare", "no--body/x")
    with serving(models) as (endpoint, asked):
        *found, _ = ask(tmp_path, endpoint, *names)
    nothing, revision, eyes, fused, bare, illegal = (one["error"] for one in found)
    assert nothing == "nothing is heard: nobody/nothing: the hub has no such model, and there is no such folder"
    assert revision == "nothing is heard: somebody/ears: it has no revision 'v9'"
    assert "holds a clip, not a ClapModel" in eyes and "fused CLAP" in fused
    assert bare.startswith("nothing is heard: somebody/bare: a ClapModel's weights, tokenizer or extractor are not all")
    assert illegal.startswith("nothing is heard: no--body/x: no name on the hub: ")
    assert not [path for path in asked if path.endswith("safetensors")], "no weights of what cannot be played"
    *away, _ = ask(tmp_path / "away", NOWHERE, "somebody/ears")
    assert "somebody/ears: it is not in the cache and cannot be fetched: " in away[0]["error"]
    assert all("\n" not in one["error"] for one in (*found, *away))
