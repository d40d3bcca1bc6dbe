"""The analyser as a whole: the same features whatever the blocks, from the past alone, whatever comes in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.analysis.analyser import Analyser, clean
from livevis.core.features import BANDS_HZ, FEATURES, HEARD, HOP, INDEX, SAMPLE_RATE_HZ, SPECTRUM_BINS
from livevis.evaluate.match import match
from livevis.evaluate.sounds import sweep, vibrato

LOW, HIGH = np.array([row.low for row in FEATURES]), np.array([row.high for row in FEATURES])
COUNTERS = np.array([row.counter for row in FEATURES])


def table(samples):
    """All features of a sound, [hops, features]."""
    return np.array([f.values for f in Analyser().feed(samples)])


def times(features, name):
    """When a counter rose, in seconds."""
    return (np.flatnonzero(np.diff(features[:, INDEX[name]], prepend=0.0) > 0) + 1) * HOP / SAMPLE_RATE_HZ


def same(one, other):
    return (
        one.sample == other.sample
        and np.array_equal(one.values, other.values)
        and np.array_equal(one.spectrum, other.spectrum)
        and np.array_equal(one.waveform, other.waveform)
    )


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 8193), min_size=1, max_size=12))
def test_block_sizes_change_nothing(loop, sizes):
    samples = loop.samples[SAMPLE_RATE_HZ // 4 : SAMPLE_RATE_HZ // 2]
    whole = Analyser().feed(samples)
    analyser, pieces, start = Analyser(), [], 0
    while start < len(samples):
        for size in sizes:
            pieces += analyser.feed(samples[start : start + size])
            start += size
    assert len(pieces) == len(whole) == len(samples) // HOP
    assert all(same(a, b) for a, b in zip(whole, pieces, strict=True))


def test_one_sample_at_a_time_changes_nothing(loop):
    samples = loop.samples[15_000:20_000]
    analyser = Analyser()
    pieces = [f for sample in samples for f in analyser.feed(np.array([sample]))]
    assert all(same(a, b) for a, b in zip(Analyser().feed(samples), pieces, strict=True))


def test_the_future_changes_nothing_before_it(loop):
    samples = loop.samples[: 2 * SAMPLE_RATE_HZ].copy()
    before = Analyser().feed(samples)
    cut = 150 * HOP
    samples[cut:] = np.random.default_rng(0).normal(0, 0.5, len(samples) - cut)
    after = Analyser().feed(samples)
    assert all(same(a, b) for a, b in zip(before[:150], after[:150], strict=True))
    assert not same(before[151], after[151])


def test_earlier_answers_are_never_overwritten(loop):
    analyser = Analyser()
    first = analyser.feed(loop.samples[: 40 * HOP])[-1]
    copy = first.values.copy(), first.spectrum.copy(), first.waveform.copy()
    analyser.feed(loop.samples[40 * HOP : 80 * HOP])
    assert all(np.array_equal(a, b) for a, b in zip(copy, (first.values, first.spectrum, first.waveform), strict=True))


def hostile():
    rng = np.random.default_rng(1)
    n = SAMPLE_RATE_HZ
    broken = rng.normal(0, 0.2, n)
    broken[::97], broken[5::301], broken[7::1001] = np.nan, np.inf, -np.inf
    yield "digital zero", np.zeros(n)
    yield "nan", np.full(n, np.nan)
    yield "broken", broken
    yield "full-scale square", np.sign(np.sin(np.arange(n) * 0.05) + 1e-9)
    yield "denormals", np.full(n, 1e-42)
    yield "beyond full scale", rng.normal(0, 1e30, n)
    yield "one click", np.eye(1, n, n // 2)[0]
    yield "dc", np.full(n, 0.5)
    yield "wide integers", rng.integers(-1, 2, n)


@pytest.mark.parametrize(("name", "samples"), list(hostile()))
def test_whatever_comes_in_finite_values_in_range_come_out(name, samples):
    with np.errstate(all="raise", under="ignore"):
        features = Analyser().feed(np.asarray(samples, np.float32))
    values = np.array([f.values for f in features])
    assert np.isfinite(values).all()
    assert (values >= LOW).all() and (values <= HIGH).all(), [
        FEATURES[i].name for i in np.argwhere(values > HIGH)[:, 1]
    ]
    for f in features:
        assert f.spectrum.shape == f.waveform.shape == (SPECTRUM_BINS,)
        assert f.spectrum.dtype == f.waveform.dtype == np.float32
        assert f.spectrum.min() >= 0 and f.spectrum.max() <= 1 and np.abs(f.waveform).max() <= 1


@pytest.mark.parametrize(
    "samples", [np.zeros(48_000), np.full(48_000, np.nan), np.full(48_000, 1e-42), np.full(48_000, np.inf)]
)
def test_nothing_is_silence_without_events(samples):
    values = table(np.asarray(samples, np.float32))
    assert (values[:, INDEX["silence"]] == 1).all()
    assert all(
        (values[:, INDEX[name]] == 0).all()
        for name in ("onset", "onset_low", "onset_mid", "onset_high", "beat", "level")
    )


def test_features_are_alive_and_in_range(loop):
    values = table(loop.samples)
    assert (values >= LOW).all() and (values <= HIGH).all()
    dead = [row.name for row, column in zip(FEATURES, values.T, strict=True) if np.ptp(column) == 0]
    assert dead == [row.name for row in FEATURES[HEARD]], "the ears fill those in"


def test_counters_and_clocks_never_go_back(loop):
    counters = table(loop.samples)[:, COUNTERS]
    assert (np.diff(counters, axis=0) >= 0).all()
    assert counters[-1].min() > 0


def test_clocks_run_faster_while_it_is_loud(loop):
    samples = np.concatenate([loop.samples, np.zeros(2 * SAMPLE_RATE_HZ, np.float32)])
    clock = table(samples)[:, INDEX["bass.time"]]
    assert clock[700] - clock[512] > 2 * (clock[-1] - clock[-189])
    assert (np.diff(clock) > 0).all()


def test_the_sample_index_is_the_end_of_the_hop(loop):
    analyser = Analyser()
    assert [f.sample for f in analyser.feed(loop.samples[:1000])] == [256, 512, 768]
    assert [f.sample for f in analyser.feed(loop.samples[:24])] == [1024]


def test_a_hop_of_another_length_is_refused():
    with pytest.raises(ValueError, match="256"):
        Analyser().step(np.zeros(255, np.float32))


def test_clicks_are_heard_exactly():
    samples = np.random.default_rng(2).normal(0, 1e-4, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    true_s = np.arange(0.5, 3.0, 0.5)
    for time_s in true_s:
        samples[int(time_s * SAMPLE_RATE_HZ) : int(time_s * SAMPLE_RATE_HZ) + 96] += 0.5
    found = times(table(samples), "onset")
    assert len(found) == len(true_s)
    assert ((found - true_s) > 0).all() and ((found - true_s) <= 2 * HOP / SAMPLE_RATE_HZ + 1e-9).all()


@pytest.mark.parametrize("gain_db", [-20, -40])
def test_onsets_do_not_depend_on_gain(loop, gain_db):
    loud, quiet = (times(table(loop.samples * np.float32(gain)), "onset") for gain in (1.0, 10 ** (gain_db / 20)))
    assert match(loud, quiet, window_s=0.006).f > 0.95
    assert match(loop.onsets_s, quiet, window_s=0.05).f > 0.9


@pytest.mark.parametrize("make", [sweep, vibrato])
def test_a_moving_tone_has_one_onset_at_most(make):
    tone = 0.5 * make(4.0, np.random.default_rng(3)).astype(np.float32)
    found = times(table(tone / np.float32(np.abs(tone).max()) * np.float32(0.5)), "onset")
    assert (found < 0.3).all()


def test_an_offset_neither_counts_nor_keeps_the_gate_open():
    values = table(np.full(5 * SAMPLE_RATE_HZ, 0.1, np.float32))
    assert values[-1, INDEX["silence"]] == 1
    assert (times(values, "onset") < 0.3).all()


def test_an_offset_does_not_hide_onsets(loop):
    found = times(table(loop.samples * np.float32(0.5) + np.float32(0.2)), "onset")
    assert match(loop.onsets_s, found, window_s=0.05).f > 0.9


def test_a_band_answers_to_its_own_tone():
    t = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    for place, hz in enumerate((45, 100, 260, 1000, 3500, 9000)):
        values = table((0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32))[-20:].mean(axis=0)
        levels = np.array([values[INDEX[f"{band}.level"]] for band in BANDS_HZ])
        assert levels[place] > 0.8
        assert (levels[np.abs(np.arange(6) - place) > 1] < 0.5).all(), (hz, levels)


def test_full_scale_reads_one():
    square = np.where(np.arange(48_000) // 240 % 2, 1.0, -1.0).astype(np.float32)
    values = table(square)
    assert values[-1, INDEX["rms"]] == pytest.approx(1.0) and values[-1, INDEX["peak"]] == 1.0


def test_cleaning_keeps_good_samples_and_does_not_touch_the_input():
    hop = np.linspace(-0.9, 0.9, HOP, dtype=np.float32)
    assert np.array_equal(clean(hop), hop)
    hop[3] = np.nan
    assert clean(hop)[3] == 0 and np.isnan(hop[3])


def test_the_texture_points_at_the_tone():
    t = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    last = Analyser().feed((0.3 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32))[-1]
    place = np.log(1000 / 20) / np.log(1000) * (SPECTRUM_BINS + 1) - 1
    assert abs(int(np.argmax(last.spectrum)) - place) <= 2
    assert last.spectrum.max() > 0.95 and np.abs(last.waveform).max() > 0.9


def test_a_low_onset_has_a_strength_of_its_own() -> None:
    """A kick alone raises the strength of the low onset at its onset and leaves the high one at rest."""
    time_s = np.arange(48_000) / 48_000
    kick = (0.8 * np.sin(2 * np.pi * 55 * time_s) * np.exp(-time_s / 0.15)).astype(np.float32)
    heard = Analyser().feed(np.concatenate([np.zeros(48_000, np.float32), kick]))
    assert heard[-1]["onset_low"] >= 1
    assert heard[-1]["onset_low.strength"] > 0
    assert heard[180]["onset_low.strength"] == 0
