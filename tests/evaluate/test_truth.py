"""The measuring instrument: sounds that are what they claim, scores that cannot be flattered."""

import json

import numpy as np
import pytest

from livevis.evaluate import truth
from livevis.evaluate.baselines import BASELINES
from livevis.evaluate.excerpt import Excerpt, merge, overlay
from livevis.evaluate.loops import Loop, play
from livevis.evaluate.sounds import beat_cases, eventless, onset_sets


def heard(onsets=(), beats=()):
    return truth.Heard(np.array(onsets, float), np.array(beats, float), np.zeros(1))


def beaten(bpm=120.0, seconds=20.0):
    return Excerpt(
        "beaten", np.zeros(int(seconds * 48_000), np.float32), np.zeros(0), np.arange(0.3, seconds, 60 / bpm), bpm
    )


def test_sounds_come_from_their_seed_alone():
    one, again, other = onset_sets(1.5, 4), onset_sets(1.5, 4), onset_sets(1.5, 5)
    assert len(one) == 8 and len({e.name for e in one}) == 8
    for a, b, c in zip(one, again, other, strict=True):
        assert np.array_equal(a.samples, b.samples) and np.array_equal(a.onsets_s, b.onsets_s)
        assert not np.array_equal(a.samples, c.samples)


def test_sounds_are_whole_and_their_truth_is_in_order():
    for excerpt in [*onset_sets(1.5, 1), *beat_cases(1.5, 1), *eventless(1.5, 1)]:
        assert excerpt.samples.dtype == np.float32 and len(excerpt.samples) == 72_000
        assert np.isfinite(excerpt.samples).all() and np.abs(excerpt.samples).max() <= 0.71
        assert (np.diff(excerpt.onsets_s) >= 0.03 - 1e-9).all() and (np.diff(excerpt.beats_s) > 0).all()
        assert (excerpt.onsets_s < excerpt.seconds).all()


def test_a_true_onset_is_where_the_sound_begins():
    excerpt = play(Loop("house", 100.0, 3.0, tonal=False), np.random.default_rng(0))
    first = int(excerpt.onsets_s[0] * 48_000)
    assert np.abs(excerpt.samples[: first - 2]).max() == 0 < np.abs(excerpt.samples[first : first + 100]).max()


def test_the_grid_covers_the_tempi():
    cases = beat_cases(1.0, 11)
    assert len(cases) == 18
    assert {round(e.bpm) for e in cases} >= set(range(60, 181, 10))


def test_drift_and_gap_are_as_announced():
    drifting = play(Loop("rock", 100.0, 20.0, drift=0.04, tonal=False), np.random.default_rng(0)).beats_s
    assert np.diff(drifting)[-1] / np.diff(drifting)[0] == pytest.approx(1 / 1.04, abs=0.005)
    gap = play(Loop("rock", 100.0, 6.0, gap_s=(2.0, 4.0)), np.random.default_rng(0))
    assert not gap.samples[96_000:192_000].any() and not ((gap.onsets_s > 2) & (gap.onsets_s < 4)).any()


def test_two_hits_together_are_one_onset():
    np.testing.assert_allclose(merge([0.5, 0.1, 0.11, 0.129, 0.2]), [0.1, 0.2, 0.5])


def test_overlay_cuts_at_both_ends():
    track = np.zeros(10)
    overlay(track, np.ones(5), -2 / 48_000)
    overlay(track, np.ones(5), 8 / 48_000)
    np.testing.assert_array_equal(track, [1, 1, 1, 0, 0, 0, 0, 0, 1, 1])


def test_perfect_late_and_absent_onsets():
    excerpt = Excerpt("clicks", np.zeros(480_000, np.float32), np.arange(1.0, 9.0), np.zeros(0))
    perfect = truth.score_onsets([excerpt], [heard(excerpt.onsets_s)])
    late = truth.score_onsets([excerpt], [heard(excerpt.onsets_s + 0.02)])
    assert perfect["mean_f"] == 1 and perfect["delay_ms"]["median"] == 0
    assert late["mean_f"] == 1 and late["delay_ms"]["median"] == pytest.approx(20)
    assert truth.score_onsets([excerpt, excerpt], [heard(excerpt.onsets_s), heard()])["mean_f"] == 0.5


def test_double_time_scores_two_thirds_and_never_locks():
    excerpt = beaten()
    double = np.arange(0.3, 20, 0.25)
    score = truth.score_beats([excerpt], [heard(beats=double)])
    assert score["mean_f"] == pytest.approx(2 / 3, abs=0.02)
    assert score["lock_s"]["never"] == 1 and score["lock_s"]["within_6_s"] == 0


def test_lock_is_four_right_beats_in_a_row():
    true_s = np.arange(1.0, 20.0, 0.5)
    assert truth.lock_s(true_s, true_s) == 0
    assert truth.lock_s(true_s, np.concatenate([[1.0, 1.25], true_s[6:]])) == pytest.approx(3.0)
    assert truth.lock_s(true_s, true_s[:3]) == float("inf")


def test_false_onsets_are_counted_a_minute():
    noise = Excerpt("white", np.zeros(48_000 * 35, np.float32), np.zeros(0), np.zeros(0))
    scored = truth.score_eventless([noise], [heard([1.0, 2.0, 10.0, 20.0])])
    assert scored["onsets_per_min"]["white"] == pytest.approx(4.0)


def test_baselines_know_little():
    excerpt = play(Loop("house", 124.0, 8.0), np.random.default_rng(3))
    scored = truth.score_onsets([excerpt], [heard(excerpt.onsets_s)])["baselines"]
    assert scored["none"] == 0 and all(scored[name] < 0.9 for name in BASELINES)
    assert scored["energy threshold"] > 0.3


def test_the_command_measures_and_says_so(capsys):
    assert truth.main(["--json", "--seeds", "11", "--length", "0.06"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["seeds"] == [11] and not set(truth.HELD_OUT) & set(truth.TUNED_ON)
    assert set(report["goals"]) and all({"value", "goal", "met"} == set(goal) for goal in report["goals"].values())
    assert len(truth.lines(report)) > 40


def test_no_seeds_are_refused():
    with pytest.raises(ValueError, match="seed"):
        truth.run([])
