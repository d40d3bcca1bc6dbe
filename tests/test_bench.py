"""The bench measures what it says it measures (no speed is asserted here)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from livevis import bench
from livevis.core.types import Conditioning
from livevis.evaluate import precision, ways
from livevis.generate.engine import load_engine
from tests.checkpoints import controls, write_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that diffusers' own loader takes too."""
    made = write_checkpoint(tmp_path_factory.mktemp("engine") / "tiny", prediction_type="v_prediction")
    parts = {
        "vae": ["diffusers", "AutoencoderTiny"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
    }
    index = {"_class_name": "StableDiffusionPipeline", "requires_safety_checker": False, **parts}
    (made / "model_index.json").write_text(json.dumps(index))
    return made


@pytest.fixture(autouse=True)
def aside(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> object:
    monkeypatch.setenv("LIVEVIS_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr("livevis.runners.openvino.cores", lambda: 1)  # tiny networks gain nothing from more
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' Euler under numpy 2
def test_every_contestant_is_timed_and_set_against_the_peer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = argparse.Namespace(
        engine=str(folder),
        runner="torch,openvino",
        size=64,
        steps=1,
        edits=[1, 4],
        methods=True,
        peer=["diffusers"],
        repeats=2,
        json=True,
    )
    assert bench.main(flags) == 0
    result = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in result["contestants"]}
    edited = {f"{runner} default edits={n}" for runner in ("torch", "openvino") for n in (1, 4)}
    steered = {f"{runner} default {way}" for runner in ("torch", "openvino") for way in ways.METHODS}
    standing = ("standing", *(f"standing {way}" for way in ways.STANDING_METHODS))
    steered |= {f"{runner} {path}" for runner in ("torch", "openvino") for path in standing}
    ours = {f"{runner} {path}" for runner in ("torch", "openvino") for path in ways.PATHS} | edited | steered
    assert set(rows) == ours | {"diffusers", "diffusers channels_last"}
    for name in ours:
        assert 0 < rows[name]["networks_ms"] < rows[name]["ms"] and 0 < rows[name]["overhead"] < 1
    assert all(set(ratios) == ours and min(ratios.values()) > 0 for ratios in result["ratios"].values())
    assert set(result["edits"]) == edited and min(result["edits"].values()) > 0
    assert "openvino full" in bench.report(result) and "openvino default edits=4 takes x" in bench.report(result)
    assert list(result["methods"]) == [*ways.METHODS, *ways.STANDING_METHODS]
    assert all(set(row) == {"torch", "openvino"} and min(row.values()) > 0 for row in result["methods"].values())
    assert "audio slot                torch x" in bench.report(result)


def test_every_way_is_played_as_asked(folder: Path) -> None:
    """By the rows that one frame asks the network for."""
    played = ways.paths([1, 4], methods=True)
    generator_of = {one.name: one for one in bench._ours(load_engine(folder), "torch", played, size=64, steps=1)}
    rows, heard = {}, {}
    for name in played:
        one = generator_of[f"torch {name}"]
        generator = next(c.cell_contents for c in one.frame.__closure__ or () if hasattr(c.cell_contents, "runners"))
        denoise, calls = generator.runners["denoise"], []
        run = denoise.run
        denoise.run = lambda tensors, run=run, calls=calls: calls.append(tensors) or run(tensors)
        one.frame(bench._scenes(64)[0])
        denoise.run, rows[name], heard[name] = run, len(calls), next(iter(calls), None)
    wanted = {"edits=1": 2, "edits=4": 5, "one slot": 2, "four slots": 5, "attention slot": 2, "audio slot": 2}
    wanted |= dict.fromkeys(("base maps", "clamped", "NAG", "another wording"), 0)  # networks of their own
    wanted = {f"default {way}": count for way, count in wanted.items()} | {"standing base maps, kept": 0}
    assert rows == dict.fromkeys(played, 1) | wanted
    plain, gained, sounding = (heard[f"default{way}"] for way in ("", " own gains", " TPoS rows"))
    assert gained["token_gain"].max() == 3.0 and torch.equal(gained["text"], plain["text"])
    assert plain["token_gain"].max() == 1.0 and not torch.equal(sounding["text"], plain["text"])


def test_the_self_path_encodes_no_scene(folder: Path) -> None:
    (full, default, own) = bench._ours(load_engine(folder), "torch", ways.PATHS, size=64, steps=1)
    scenes = bench._scenes(64)
    for one, encodes in ((full, 3), (default, 3), (own, 1)):
        assert one.frame.__closure__ is not None
        generator = next(c.cell_contents for c in one.frame.__closure__ if hasattr(c.cell_contents, "runners"))
        encode, calls = generator.runners["encode"], []
        run = encode.run
        encode.run = lambda tensors, run=run, calls=calls: calls.append(1) or run(tensors)
        for scene in scenes[:3]:
            one.frame(scene)
        assert len(calls) == encodes, one.name
        encode.run = run


def test_precision_is_measured_against_float32(folder: Path) -> None:
    draw = np.random.default_rng(1)
    scenes = [draw.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2)]
    found = precision.measure(load_engine(folder), controls(), Conditioning((("neon", 1.0),)), scenes=scenes)
    assert set(found) == {"encode", "denoise", "decode", "all"}
    assert all(value > 20 for value in found.values())
