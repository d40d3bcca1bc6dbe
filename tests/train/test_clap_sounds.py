"""What comes to the ears: the split by seed, rooms and filters, pairs whose captions are true."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train.clap.batches import PairSource, Wording, colour_db, truth
from livevis.train.clap.clips import clip_seed, intensity_curve, make_clip, make_music
from livevis.train.clap.mel import LogMel, spec_augment
from livevis.train.clap.networks import build_extractor
from livevis.train.clap.pool import MelPool, PoolPlan
from livevis.train.clap.rooms import (
    Surroundings,
    decaying_room,
    low_passed,
    rms,
    unheard_response,
    unheard_room,
)
from livevis.train.journal import Journal

NAMES = ("fire", "rain", "drums", "bass", "pads")
SAMPLES = 48_000


@pytest.fixture(scope="module")
def around():
    return Surroundings(SAMPLES, 0)


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    with Journal(folder) as journal:
        made = MelPool(folder / "clips", PoolPlan(names=NAMES, clips=2, pieces=2, views=2, seconds=2.0), seed=0)
        made.make(journal, budget_s=60, keep=False)
    return made


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_no_seed_is_both_trained_on_and_held_out(a, b):
    assert clip_seed(a, held_out=False) != clip_seed(b, held_out=True)
    assert clip_seed(a, held_out=True) != clip_seed(a + 1, held_out=True)


@given(st.integers(0, 2**31), st.floats(0.5, 20))
def test_intensity_wanders_within_its_range(seed, seconds):
    curve = intensity_curve(np.random.default_rng(seed), seconds)
    assert len(curve) == round(seconds * 100)
    assert curve.min() >= 0 and curve.max() <= 1
    assert np.abs(np.diff(curve)).max() < 0.05


def test_clips_and_music_are_functions_of_their_place():
    for make in (
        lambda held: make_clip("fire", 1, 1.0, held_out=held)[0],
        lambda held: make_music(1, 1.0, held_out=held),
    ):
        assert np.array_equal(make(True), make(True))
        assert not np.array_equal(make(True), make(False))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_rooms_and_filters_keep_the_length_and_stay_finite(around, seed, level):
    wave = np.random.default_rng(seed).standard_normal(SAMPLES).astype(np.float32) * np.float32(level)
    heard = around.pass_through(wave, np.random.default_rng(seed + 1))
    assert heard.shape == wave.shape and heard.dtype == np.float32
    assert np.isfinite(heard).all()


@given(st.integers(0, 10**6))
def test_equalisers_are_finite_and_only_cut_deep(seed):
    gains = colour_db(np.random.default_rng(seed))
    assert gains.shape == (64,) and np.isfinite(gains).all() and gains.max() < 30


def test_mels_of_unlike_sounds_add_up_in_power():
    mel, (a, _), (b, _) = LogMel(build_extractor()), *(make_clip(name, 1, 2.0, held_out=False) for name in NAMES[:2])
    of_a, of_b, of_both = (mel(torch.from_numpy(wave)[None]) for wave in (a, b, a + b))
    added = 10 * torch.log10(10 ** (of_a / 10) + 10 ** (of_b / 10))
    assert float((added - of_both).abs().median()) < 1.0
    assert abs(float((added - of_both).mean())) < 0.6


def test_the_exams_room_is_long_and_dull_and_no_noise_tail():
    response = unheard_response()
    late, later = response[48_000:72_000], response[96_000:120_000]
    assert 10 < 20 * np.log10(np.std(late) / np.std(later)) < 50  # it rings for seconds
    spectrum = np.abs(np.fft.rfft(late))
    low, high = spectrum[:6_000].mean(), spectrum[8_000:].mean()  # below 12 kHz, above 16 kHz, bins of 2 Hz
    assert low > 3 * high
    trained = decaying_room(np.random.default_rng(0), 240_000)
    assert np.count_nonzero(np.abs(response) > 0) > 0 and trained.shape == (240_000,)
    wave = np.random.default_rng(0).standard_normal(96_000).astype(np.float32)
    assert unheard_room(wave).shape == wave.shape


def test_low_pass_takes_the_treble_and_leaves_the_bass():
    t = np.arange(SAMPLES) / 48_000
    low, high = (np.sin(2 * np.pi * hz * t).astype(np.float32) for hz in (1_000, 12_000))
    assert rms(low_passed(low, 8_000)) > 0.95 * rms(low)
    assert rms(low_passed(high, 8_000)) < 0.1 * rms(high)


def test_a_pool_is_made_once_and_gone_on_with(pool, tmp_path):
    again = MelPool(pool.folder, pool.plan, seed=0)
    with Journal(tmp_path) as journal:
        again.make(journal, budget_s=60, keep=True)
    assert (again.rounds, again.pieces) == (2, 2)
    one, same = (made.cut(1, 60, np.random.default_rng(4)) for made in (pool, again))
    assert np.array_equal(one.mel, same.mel) and one.mel.shape == (60, 64)
    assert 0 <= one.strength <= 1 and one.energy == same.energy > 0


def test_a_pools_first_view_is_the_clip_itself(pool):
    wave, curve = make_clip("fire", 0, 2.0, held_out=False)
    mel = LogMel(build_extractor())(torch.from_numpy(wave)[None])[0, 0].numpy()
    assert np.abs(np.load(pool.folder / "mels.npy")[0, 0, 0] - mel).max() < 0.1  # float16
    assert np.load(pool.folder / "energies.npy")[0, 0, 0].mean() == pytest.approx(np.mean(wave**2), rel=0.1)
    assert np.load(pool.folder / "strengths.npy")[0, 0].mean() == pytest.approx(curve.mean(), abs=0.02)


def test_a_batch_is_a_function_of_its_place_and_its_captions_are_true(pool):
    source = PairSource(pool, Wording(NAMES), size=24, frames=60, seed=0)
    pairs, again, other = source.batch(0), source.batch(0), source.batch(1)
    assert torch.equal(pairs.mels, again.mels) and pairs.captions == again.captions
    assert pairs.captions != other.captions
    assert pairs.mels.shape == (24, 1, 60, 64) and torch.isfinite(pairs.mels).all()
    own = truth(torch.from_numpy(pairs.heard), torch.from_numpy(pairs.said)).diagonal()
    assert (own > 0.7).all() and (own <= 1).all()
    assert (pairs.said[:, :-1] == pairs.heard[:, :-1]).all()  # only music may go unsaid
    assert len(source.class_phrases(0)) == len(NAMES) + 1
    captions, said = source.captions(0)
    assert len(captions) == len(said) and (said.sum(1) >= 1).all()


def test_truth_is_overlap():
    fire, rain, both = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    rows = torch.stack([fire, rain, both])
    assert truth(rows, rows).tolist() == [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.5, 0.5, 1.0]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_spec_augment_masks_stripes_and_nothing_else(seed):
    mels = torch.randn(2, 1, 60, 20, generator=torch.Generator().manual_seed(1))
    masked = spec_augment(mels, torch.Generator().manual_seed(seed))
    changed = masked != mels
    assert masked.shape == mels.shape and torch.isfinite(masked).all()
    means = mels.mean((1, 2, 3))
    for row in range(2):
        assert torch.allclose(masked[row][changed[row]], means[row])
        kept = ~changed[row, 0]
        assert int(kept.any(1).sum()) >= 60 - 2 * 30 and int(changed[row, 0].all(0).sum()) <= 20
