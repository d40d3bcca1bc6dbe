"""TPoS's encoder: the published sizes, an LSTM and attention by hand, the stream against whole windows, the folder."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from livevis.core.errors import EngineError
from livevis.embed.tpos import causal, folder, mel
from livevis.embed.tpos.network import Tpos, build
from livevis.embed.tpos.shape import TPOS_SHAPES, TposShape
from livevis.methods import tpos
from livevis.methods.tpos import Settings, Voice

TINY = TPOS_SHAPES["tiny"]


@cache
def model() -> Tpos:
    """Random weights, and normalisations that have seen something, in evaluation mode."""
    made = build(TINY, seed=3)
    draws = torch.Generator().manual_seed(4)
    for name, part in made.state_dict().items():
        if name.endswith("running_var"):
            part.copy_(0.5 + torch.rand(part.shape, generator=draws))
        elif name.endswith("running_mean"):
            part.copy_(0.3 * torch.randn(part.shape, generator=draws))
    return made.eval()


def sound(seed: int, seconds: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    count = round(seconds * TINY.rate_hz)
    swell = np.interp(np.arange(count), np.linspace(0, count, 8), rng.uniform(0, 0.5, 8))
    return (rng.standard_normal(count) * swell).astype(np.float32)


def stream(samples: np.ndarray, sizes: list[int]) -> list[causal.Window]:
    """All windows of a stream that comes in blocks of these sizes, over and over."""
    state, windows, at, turn = causal.init(model()), [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        state, ended = causal.step(model(), state, samples[at : at + size])
        windows, at, turn = [*windows, *ended], at + size, turn + 1
    return windows


def test_published_and_pocket_sizes_are_two_configurations_of_one_module() -> None:
    with torch.device("meta"):
        published = Tpos(TPOS_SHAPES["published"]).eval()
        heard, rows = published(torch.zeros(2, 765, 128))
    assert heard.states.shape == (2, 5, 768) and heard.attention.shape == (2, 5)
    assert rows.shape == (2, 76, 768)
    assert sum(part.numel() for part in published.encoder.resnet.parameters()) == 11_176_512  # ResNet18 without its end
    assert sum(part.numel() for part in published.map.parameters()) == 454_230_528
    assert TPOS_SHAPES["published"].window_s == pytest.approx(8.88, abs=0.01)
    with torch.device("meta"):
        pocket = Tpos(TPOS_SHAPES["pocket"]).eval()
        assert pocket(torch.zeros(1, 250, 64))[1].shape == (1, 31, 128)
    assert 2 * sum(part.numel() for part in pocket.state_dict().values()) < 4_000_000


def test_listening_is_an_lstm_from_zero_and_a_softmax_written_out() -> None:
    encoder = model().encoder
    embedded = torch.randn(2, 5, TINY.width, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        heard = encoder.listen(embedded)
        lstm, states = encoder.lstm, []
        hidden = cell = torch.zeros(2, TINY.width)
        for place in range(5):
            gates = embedded[:, place] @ lstm.weight_ih_l0.T + lstm.bias_ih_l0
            gates = gates + hidden @ lstm.weight_hh_l0.T + lstm.bias_hh_l0
            enter, forget, new, out = gates.chunk(4, dim=1)
            cell = forget.sigmoid() * cell + enter.sigmoid() * new.tanh()
            hidden = out.sigmoid() * cell.tanh()
            states.append(hidden / hidden.norm(dim=1, keepdim=True))
        expected = torch.stack(states, 1)
        logits = expected @ encoder.attention.weight[0] + encoder.attention.bias
    weights = logits.exp() / logits.exp().sum(1, keepdim=True)
    assert float((heard.states - expected).abs().max()) <= 1e-5
    assert float((heard.attention - weights).abs().max()) <= 1e-5
    assert torch.allclose(heard.summary, (weights[..., None] * expected).sum(1), atol=1e-5)
    assert torch.allclose(heard.tokens(k=2.0), (25 * weights**2)[..., None] * expected, atol=1e-4)


def test_rows_can_be_as_negative_as_text_states_are() -> None:
    map_ = model().map
    shifted = map_.outer.bias.detach() - 5
    with torch.no_grad():
        rows = torch.func.functional_call(map_, {"outer.bias": shifted}, (torch.zeros(1, TINY.width),))
    assert float(rows.max()) < -0.17  # a last GELU would stop there


def test_the_stream_equals_the_offline_forward_of_every_window() -> None:
    samples = sound(0, 2.5)
    samples[: TINY.hop] = 0  # a sound that is there at once would be heard in a column before the first
    windows = stream(samples, [1_600])
    before = np.zeros(TINY.frames * TINY.hop, np.float32)
    columns = torch.from_numpy(mel.columns_of(TINY, np.concatenate([before, samples])))
    assert len(windows) == (len(columns) - TINY.frames) // TINY.stride
    ends = [TINY.frames + TINY.stride * (place + 1) for place in range(len(windows))]
    with torch.no_grad():
        heard, _ = model()(torch.stack([columns[end - TINY.frames : end] for end in ends]))
        rows = model().map(heard.tokens(k=1.5)[:, -1]).numpy()
    states, logits = (np.stack([getattr(window, name) for window in windows]) for name in ("states", "logits"))
    assert np.abs(states - heard.states.numpy()).max() <= 1e-5
    assert np.abs(logits - heard.logits.numpy()).max() <= 1e-5
    played = tpos.init(Voice("trained", partial(causal.speak, model())))
    for window, expected in zip(windows, rows, strict=True):
        new = [tpos.heard(window.sample, window.states, window.logits)]
        played, tokens = tpos.step(played, new, sample=window.sample, settings=Settings(k=1.5, follow_s=0.0))
        assert tokens is not None and np.abs(tokens.rows - expected).max() <= 1e-5


@pytest.mark.parametrize("sizes", [[480], [1, 7, 4_801, 960], [100_000]])
def test_any_block_size_gives_the_same_windows_bit_for_bit(sizes: list[int]) -> None:
    samples = sound(1, 0.8)
    for one, other in zip(stream(samples, [1_024]), stream(samples, sizes), strict=True):
        assert one.sample == other.sample
        assert np.array_equal(one.states, other.states) and np.array_equal(one.logits, other.logits)


def test_the_future_changes_nothing() -> None:
    samples = sound(2, 1.2)
    cut = round(0.7 * TINY.rate_hz)
    other = np.concatenate([samples[:cut], sound(9, 0.5)])
    whole, changed, short = (stream(given, [960]) for given in (samples, other, samples[:cut]))
    known = [window for window in whole if window.sample <= cut]
    assert known and len(known) == len(short) < len(whole)
    for one, two, three in zip(known, changed, short, strict=False):
        assert np.array_equal(one.states, two.states) and np.array_equal(one.states, three.states)
    assert not np.array_equal(whole[-1].states, changed[-1].states)


def test_columns_are_the_clap_extractors_away_from_a_clips_ends() -> None:
    from livevis.train.clap.mel import LogMel
    from livevis.train.clap.networks import build_extractor

    samples = sound(3, 1.0)
    expected = LogMel(build_extractor())(torch.from_numpy(samples)[None])[0, 0].numpy()
    got = mel.columns_of(TPOS_SHAPES["pocket"], samples)
    edge = 1 + TINY.fft // 2 // TINY.hop
    assert np.abs(got[edge:] - expected[edge : len(got)]).max() <= 1e-3
    assert len(got) >= len(expected) - edge


def test_silence_is_the_floor_and_the_bank_is_whole_at_the_published_sizes() -> None:
    published = TPOS_SHAPES["published"]
    quiet = mel.columns_of(published, np.zeros(44_100, np.float32))
    assert quiet.shape[1] == 128 and (quiet == mel.SILENT_DB).all()
    noise = np.random.default_rng(0).standard_normal(44_100).astype(np.float32)
    assert (mel.columns_of(published, noise)[5:].mean(0) > -40).all()  # no band without a bin


def test_a_stride_must_divide_the_segment() -> None:
    with pytest.raises(ValueError, match="stride=7"):
        TposShape(stride=7)


def test_a_saved_folder_loads_again_bit_for_bit(tmp_path: Path) -> None:
    size = folder.save(model(), tmp_path / "tpos", text="abc")
    assert size == sum(path.stat().st_size for path in (tmp_path / "tpos").iterdir())
    again = folder.load(tmp_path / "tpos", text="abc")
    assert again.shape == TINY and not again.training
    for name, part in model().state_dict().items():
        assert torch.equal(again.state_dict()[name], part.half().float() if part.is_floating_point() else part), name
    folder.save(again, tmp_path / "twice", text="abc")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "tpos" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def test_what_is_missing_or_meant_for_another_engine_is_said(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    (engine / "text_encoder").mkdir(parents=True)
    with pytest.raises(EngineError, match="text_encoder"):
        folder.load_for(engine)
    save_file({"weight": torch.ones(2)}, engine / "text_encoder" / "model.safetensors")
    with pytest.raises(EngineError, match="train tpos"):
        folder.load_for(engine)
    folder.save(model(), engine / "tpos", text=folder.text_digest(engine))
    assert folder.load_for(engine).shape == TINY
    save_file({"weight": torch.zeros(2)}, engine / "text_encoder" / "model.safetensors")
    with pytest.raises(EngineError, match="another text encoder"):
        folder.load_for(engine)


def test_weights_that_do_not_fit_are_an_error_of_one_line(tmp_path: Path) -> None:
    folder.save(model(), tmp_path / "tpos", text="abc")
    config = json.loads((tmp_path / "tpos" / "config.json").read_text())
    (tmp_path / "tpos" / "config.json").write_text(json.dumps({**config, "hidden": 99}))
    with pytest.raises(EngineError, match="does not fit") as caught:
        folder.load(tmp_path / "tpos")
    assert "\n" not in str(caught.value)
    assert load_file(tmp_path / "tpos" / "model.safetensors")["map.inner.weight"].dtype == torch.float16
