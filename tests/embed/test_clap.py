"""Embeddings of real sound: equal to transformers' own, deterministic, causal, each hop analysed once."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from livevis.core.errors import CapabilityError, EngineError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.places import assets
from livevis.embed.clap import TEMPLATES, ClapEmbedder, clap_folder
from livevis.embed.mel import F32, RollingMel
from livevis.world.sounds import SOUNDS, synthesise

FOLDER = assets("engines") / "pocket" / "clap"


def reader(sound: F32) -> Callable[[int, int], F32 | None]:
    return lambda start, n: sound[start : start + n] if start >= 0 and start + n <= len(sound) else None


@pytest.fixture(scope="module")
def embedder() -> ClapEmbedder:
    return ClapEmbedder(FOLDER)


@pytest.fixture(scope="module")
def sound() -> F32:
    half = (synthesise(name, seed=3, seconds=4) for name in ("fire", "rain"))
    return np.concatenate(list(half))


def theirs(folder: Path, waves: list[F32]) -> F32:
    """transformers' own processor and model, on exactly these samples."""
    from transformers import ClapModel, ClapProcessor

    extract = ClapProcessor.from_pretrained(folder).feature_extractor
    model = ClapModel.from_pretrained(folder, dtype=torch.float32).eval()
    inputs = extract(waves, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
    with torch.inference_mode():
        found = model.get_audio_features(input_features=inputs["input_features"].float(), is_longer=inputs["is_longer"])
    vectors: F32 = found.pooler_output.numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_equal_to_the_standard_classes(embedder: ClapEmbedder, sound: F32) -> None:
    asked = [(301_234, None), (240_000, None), (350_000, 2.5), (350_000, 1.0), (100_000, None), (40_000, 4.0)]
    listened = embedder.sound(reader(sound))
    found = [embedder.embed(listened, sample, span_s=span_s) for sample, span_s in asked]
    waves = []
    for one, (sample, _) in zip(found, asked, strict=True):
        assert one is not None and sample - embedder.hop < one.sample <= sample
        waves.append(sound[one.sample - round(one.window_s * SAMPLE_RATE_HZ) : one.sample])
    assert [len(wave) for wave in waves] == [240_000, 240_000, 120_000, 48_000, 99_840, 39_360]
    ours = np.stack([one.vector for one in found if one is not None])
    assert np.abs(ours - theirs(FOLDER, waves)).max() < 1e-5
    assert np.linalg.norm(ours, axis=1) == pytest.approx(1.0, abs=1e-6)


LAION = {
    "chunk_length_s": 10, "feature_extractor_type": "ClapFeatureExtractor", "feature_size": 64, "fft_window_size": 1024,
    "frequency_max": 14000, "frequency_min": 50, "hop_length": 480, "max_length_s": 10, "n_fft": 1024,
    "nb_frequency_bins": 513, "nb_max_frames": 1000, "nb_max_samples": 480000, "padding": "repeatpad",
    "padding_side": "right", "padding_value": 0.0, "processor_class": "ClapProcessor", "return_attention_mask": False,
    "sampling_rate": 48000, "top_db": None, "truncation": "rand_trunc",
}  # fmt: skip
"""The preprocessor_config.json of laion/clap-htsat-unfused, every key."""


def tiny(folder: Path) -> Path:
    """An unfused ClapModel of the published kind in miniature, with random weights."""
    from transformers import ClapAudioConfig, ClapConfig, ClapFeatureExtractor, ClapModel, ClapTextConfig

    from livevis.train.clap.networks import Ears, build_tokenizer, export_ears

    tokenizer = build_tokenizer(["a fire", "some rain", "some fire", "a rain"], vocabulary=300, positions=16)
    text = ClapTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=18,
    )  # fmt: skip
    audio = ClapAudioConfig(
        patch_embeds_hidden_size=8, hidden_size=16, depths=[1, 1], num_attention_heads=[1, 2], num_hidden_layers=2
    )
    torch.manual_seed(0)
    model = ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=16))
    export_ears(Ears(model, tokenizer, ClapFeatureExtractor(truncation="rand_trunc")), folder)
    return folder


def as_laion(folder: Path, *, fast: bool) -> Path:
    """Lay a ClapModel folder out as the converted LAION checkpoints are: no processor_config.json, Roberta's files."""
    (folder / "processor_config.json").unlink()
    (folder / "preprocessor_config.json").write_text(json.dumps(LAION))
    words = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(words["vocab"]))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in words["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    if not fast:
        (folder / "tokenizer.json").unlink()
    return folder


@pytest.mark.parametrize("fast", [True, False])
def test_a_converted_laion_checkpoint(tmp_path: Path, fast: bool) -> None:
    """48 kHz, ten seconds; where theirs would crop 490 000 samples at random, ours is one fixed window, twice alike."""
    folder = as_laion(tiny(tmp_path / "clap"), fast=fast)
    sound = np.random.default_rng(0).standard_normal(490_000).astype(np.float32) * 0.1
    embedders = [ClapEmbedder(folder), ClapEmbedder(folder)]
    found = [one.embed(one.sound(reader(sound)), 485_000) for one in (*embedders, embedders[0])]
    one = found[0]
    assert one is not None and (embedders[0].samples, embedders[0].hop) == (480_000, 480)
    assert (one.sample, one.window_s) == (484_800, 10.0)
    assert all(other is not None and np.array_equal(other.vector, one.vector) for other in found)
    assert np.abs(one.vector - theirs(folder, [sound[4_800:484_800]])[0]).max() < 1e-5
    short = embedders[0].embed(embedders[0].sound(reader(sound)), 485_000, span_s=2.5)
    assert short is not None
    assert np.abs(short.vector - theirs(folder, [sound[484_800 - 120_000 : 484_800]])[0]).max() < 1e-5
    assert np.array_equal(embedders[0].phrase("some rain"), embedders[1].phrase("some rain"))


def test_the_logit_scale_is_the_model_s_own(embedder: ClapEmbedder, sound: F32) -> None:
    """A cosine times it is transformers' logits_per_audio, which zero-shot classification takes the softmax of."""
    from transformers import ClapModel, ClapProcessor

    processor, model = ClapProcessor.from_pretrained(FOLDER), ClapModel.from_pretrained(FOLDER, dtype=torch.float32)
    extracted = processor.feature_extractor([sound[:240_000]], sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
    with torch.inference_mode():
        out = model.eval()(**processor.tokenizer(["rain", "fire"], return_tensors="pt", padding=True), **extracted)
    cosines = out.audio_embeds @ out.text_embeds.T
    assert np.abs((out.logits_per_audio - embedder.logit_scale * cosines).numpy()).max() < 1e-5


def test_rolling_is_the_same_as_starting_there_bit_for_bit(embedder: ClapEmbedder, sound: F32) -> None:
    """Whatever was analysed before, whichever spans were asked for in between, however the sound came in."""
    ring = SampleRing.create(8.5)
    rolling = embedder.sound(ring.read)
    try:
        rolled = []
        for at in range(0, 8 * SAMPLE_RATE_HZ, 7_001):
            ring.write(sound[at : at + 7_001])
            if at > 200_000 and at % 5 == 0:
                rolled.append(embedder.embed(rolling, ring.written, span_s=(None, 2.5)[len(rolled) % 2]))
    finally:
        ring.close()
    assert len(rolled) >= 4
    for k, one in enumerate(rolled):
        assert one is not None
        again = embedder.embed(embedder.sound(reader(sound)), one.sample, span_s=(None, 2.5)[k % 2])
        assert again is not None and again.sample == one.sample and np.array_equal(again.vector, one.vector)


def test_a_hop_is_analysed_once(sound: F32) -> None:
    from transformers import ClapFeatureExtractor

    mel = RollingMel(ClapFeatureExtractor.from_pretrained(FOLDER), reader(sound))
    assert mel.window(0, 240_000) is not None
    assert mel.analysed == mel.frames == 251
    assert mel.window(16 * mel.hop, 240_000) is not None
    assert mel.analysed - 251 <= 16 + 8, "the new hops, and those at both edges, which the reflection makes"
    before = mel.analysed
    assert mel.window(16 * mel.hop, 240_000) is not None
    assert mel.analysed - before == 4, "only the edges"


def test_the_rolled_mel_is_the_offline_mel(sound: F32) -> None:
    from transformers import ClapFeatureExtractor

    extractor = ClapFeatureExtractor.from_pretrained(FOLDER)
    mel = RollingMel(extractor, reader(sound))
    for start in (0, 33 * mel.hop, 100 * mel.hop):
        rolled = mel.window(start, 240_000)
    offline = extractor([sound[start : start + 240_000]], sampling_rate=SAMPLE_RATE_HZ, return_tensors="np")
    assert rolled is not None
    assert np.abs(rolled - offline["input_features"][0, 0]).max() < 1e-4


def test_nothing_after_the_sample_is_heard_and_what_is_no_number_is_silence(embedder: ClapEmbedder, sound: F32) -> None:
    cut = sound.copy()
    cut[260_000:] = 0.7
    whole, other = (embedder.embed(embedder.sound(reader(one)), 260_000) for one in (sound, cut))
    assert whole is not None and other is not None
    assert np.array_equal(whole.vector, other.vector) and whole.age_s(260_000) < embedder.hop / SAMPLE_RATE_HZ
    cut[200_000:200_100] = np.nan
    broken = embedder.embed(embedder.sound(reader(cut)), 260_000)
    assert broken is not None and np.isfinite(broken.vector).all()


def test_too_little_or_lost_sound_is_no_embedding(embedder: ClapEmbedder, sound: F32) -> None:
    assert embedder.embed(embedder.sound(reader(sound)), 20_000) is None
    assert embedder.embed(embedder.sound(lambda start, n: None), 300_000) is None


def test_words_are_encoded_once(embedder: ClapEmbedder, monkeypatch: pytest.MonkeyPatch) -> None:
    rain = embedder.phrase("rain")
    assert np.linalg.norm(rain) == pytest.approx(1.0, abs=1e-6)
    inputs = embedder._tokenizer([one.format("rain") for one in TEMPLATES], padding=True, return_tensors="pt")
    with torch.inference_mode():
        mean = embedder._model.get_text_features(**inputs).pooler_output.numpy().mean(0)
    assert np.abs(rain - mean / np.linalg.norm(mean)).max() < 1e-6
    monkeypatch.setattr(embedder, "_encoded", lambda phrase: pytest.fail("encoded twice"))
    assert embedder.phrase("rain") is rain


def test_the_named_sound_is_nearest_on_sounds_never_trained_on(embedder: ClapEmbedder) -> None:
    """One held-out clip (odd seeds are never trained on) of each of nine sounds against nine plain words."""
    words = {
        "fire": "fire", "ocean_waves": "ocean", "rain": "rain", "lightning": "thunder", "underwater_bubbles": "bubbles",
        "waterfall": "waterfall", "squishing_mud": "mud", "wind_grass": "grass", "forest": "birds",
    }  # fmt: skip
    assert set(words) <= set(SOUNDS)
    right = 0
    for name, word in words.items():
        clip = embedder.sound(reader(synthesise(name, seed=2001, seconds=2.5, intensity=0.7)))
        heard = embedder.embed(clip, 120_000, span_s=2.5)
        assert heard is not None
        scores = embedder.scores(heard, words.values())
        right += max(scores, key=lambda one: scores[one]) == word
    assert right >= 8


def test_a_folder_that_is_no_listener_is_one_clear_line(tmp_path: Path) -> None:
    assert clap_folder(tmp_path) == tmp_path / "clap" and clap_folder(tmp_path, "x") == Path("x")
    with pytest.raises(EngineError, match=r"no CLAP in .*; --clap FOLDER"):
        ClapEmbedder(tmp_path / "clap")
    for config, error, said in (
        ({"model_type": "clip"}, EngineError, "holds a clip, not a ClapModel"),
        ({"model_type": "clap", "audio_config": {"enable_fusion": True}}, CapabilityError, "fused"),
        ({"model_type": "clap"}, EngineError, str(tmp_path)),
    ):
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(error, match=said) as caught:
            ClapEmbedder(tmp_path)
        assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(EngineError, match=r"config\.json"):
        ClapEmbedder(tmp_path)


def test_two_phrases_at_once_lie_between_them_and_what_they_say_together(embedder: ClapEmbedder) -> None:
    fire, rain, both = (embedder.phrase(phrase) for phrase in ("fire", "rain", "fire + rain"))
    assert np.linalg.norm(both) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(both, embedder.phrase("rain + fire"), atol=1e-6)
    said = embedder._said(["fire and rain", "rain and fire"])
    middle = (fire + rain) / np.linalg.norm(fire + rain)
    np.testing.assert_allclose(both, (said + middle) / np.linalg.norm(said + middle), atol=1e-6)


def test_a_mixture_is_called_by_both(embedder: ClapEmbedder) -> None:
    """Held-out mixtures of four sounds, each of six pairs: what the choice of two words rests on."""
    names = {"fire": "a crackling fire", "rain": "rain", "wind_grass": "wind", "underwater_bubbles": "bubbles"}
    pairs = {(a, b): f"{names[a]} + {names[b]}" for a, b in combinations(names, 2)}
    right = 0
    for pair in pairs:
        waves = [synthesise(name, seed=11, seconds=5, intensity=0.7) for name in pair]
        mix = sum(0.05 * wave / max(float(np.sqrt(np.mean(wave**2))), 1e-6) for wave in waves).astype(np.float32)
        found = embedder.embed(embedder.sound(lambda start, n, mix=mix: mix[start : start + n]), len(mix))
        assert found is not None
        scores = embedder.scores(found, pairs.values())
        right += max(scores, key=lambda phrase: scores[phrase]) == pairs[pair]
    assert right >= 4, "of six; by chance one"


def test_a_broken_checkpoint_is_one_clear_line(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"half of it")
    with pytest.raises(EngineError, match="nothing is heard") as caught:
        ClapEmbedder(tmp_path)
    assert "\n" not in str(caught.value)
