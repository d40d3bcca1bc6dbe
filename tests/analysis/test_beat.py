"""The beat tracker alone, fed with onset evidence, and what the performer may do to it."""

import numpy as np
import pytest

from livevis.analysis.analyser import Analyser
from livevis.analysis.beat import DETECTION_DELAY_S, BeatTracker
from livevis.core.errors import ConfigError
from livevis.core.features import HOP_S
from livevis.evaluate.match import match


def drive(tracker, *, bpm, seconds, silent=False):
    """Feed impulses at a tempo (0 for none); return the beats' times and every Beat."""
    beats, said = [], []
    start = tracker.hops
    for hop in range(start, start + round(seconds / HOP_S)):
        on_beat = bpm and int((hop * HOP_S - DETECTION_DELAY_S) * bpm / 60) != int(
            ((hop - 1) * HOP_S - DETECTION_DELAY_S) * bpm / 60
        )
        said.append(tracker.step(*((0.4, 0.05) if on_beat else (0.005, 0.0005)), silent))
        if said[-1].fired:
            beats.append((hop + 1) * HOP_S)
    return np.array(beats), said


@pytest.mark.parametrize("bpm", [90, 110, 128])
def test_it_finds_tempo_and_phase(bpm):
    beats, said = drive(BeatTracker(), bpm=bpm, seconds=14)
    true_s = np.arange(0, 14, 60 / bpm)
    assert match(true_s[true_s > 6], beats[beats > 6], window_s=0.03).f > 0.95
    assert said[-1].bpm == pytest.approx(bpm, rel=0.02)
    assert said[-1].confidence > 0.8


def test_phase_and_next_beat_agree_with_the_beats():
    _, said = drive(BeatTracker(), bpm=120, seconds=10)
    for before, now, hop in zip(said[1200:], said[1201:], range(1202, 5000), strict=False):
        assert 0 <= now.phase < 1
        assert now.next_s > hop * HOP_S - HOP_S
        if now.fired:
            assert before.phase > 0.8 and now.phase < 0.2
            assert before.next_s == pytest.approx(hop * HOP_S, abs=HOP_S)


def test_it_walks_on_through_a_gap_and_stops_in_a_long_silence():
    tracker = BeatTracker()
    drive(tracker, bpm=120, seconds=8)
    during, _ = drive(tracker, bpm=0, seconds=8, silent=True)
    assert len(during) == pytest.approx(16, abs=1)
    np.testing.assert_allclose(np.diff(during), 0.5, atol=0.03)
    drive(tracker, bpm=0, seconds=6, silent=True)
    assert len(drive(tracker, bpm=0, seconds=4, silent=True)[0]) == 0


def test_silence_from_the_start_has_no_beats():
    beats, said = drive(BeatTracker(), bpm=0, seconds=5, silent=True)
    assert len(beats) == 0 and said[-1].next_s == 0


@pytest.mark.parametrize("bpm", [45, 100, 174, 240])
def test_taps_set_the_tempo_and_the_beat(bpm):
    analyser, hop = Analyser(), np.zeros(256, np.float32)
    taps = [1.0 + i * 60 / bpm for i in range(5)]
    found, count, features = [], 0.0, None
    while analyser.sample < 48_000 * 9:
        features = analyser.step(hop)
        if taps and features.time_s >= taps[0]:
            analyser.tap(taps.pop(0))
        if features["beat"] > count and not taps:
            found.append(features.time_s)
        count = features["beat"]
    assert features["tempo"] == pytest.approx(bpm, rel=0.005)
    phases = (np.array(found) - 1.0) * bpm / 60
    assert len(found) >= 1
    np.testing.assert_allclose(phases, np.round(phases), atol=0.03 * bpm / 60)


def test_one_tap_alone_keeps_the_tempo():
    tracker = BeatTracker()
    tracker.set_tempo(100)
    tracker.tap(0.0)
    assert tracker.period_s == pytest.approx(0.6)


def test_taps_after_a_pause_begin_anew():
    tracker = BeatTracker()
    for time_s in (0.0, 0.5, 10.0, 10.6, 11.2):
        tracker.tap(time_s)
    assert 60 / tracker.period_s == pytest.approx(100)


def test_a_fixed_tempo_is_kept_and_given_back():
    tracker = BeatTracker()
    tracker.set_tempo(97.5)
    _, said = drive(tracker, bpm=120, seconds=8)
    np.testing.assert_allclose([beat.bpm for beat in said], 97.5)
    tracker.set_tempo(0)
    assert drive(tracker, bpm=120, seconds=8)[1][-1].bpm == pytest.approx(120, rel=0.02)


@pytest.mark.parametrize("bpm", [5, 29.9, 301, -60])
def test_an_absurd_tempo_is_refused(bpm):
    with pytest.raises(ConfigError, match=r"30\.\.300"):
        BeatTracker().set_tempo(bpm)


def test_half_and_double():
    tracker = BeatTracker()
    tracker.set_tempo(120)
    tracker.scale(0.5)
    assert tracker.period_s == 1.0
    tracker.scale(2)
    assert tracker.period_s == 0.5


def test_half_moves_a_tracked_tempo_and_it_stays():
    tracker = BeatTracker()
    drive(tracker, bpm=128, seconds=8)
    tracker.scale(0.5)
    assert drive(tracker, bpm=128, seconds=8)[1][-1].bpm == pytest.approx(64, rel=0.02)


def test_resync_and_nudge_move_the_beat():
    tracker = BeatTracker()
    tracker.set_tempo(120)
    drive(tracker, bpm=0, seconds=3.1, silent=True)
    tracker.resync(3.0)
    beats, _ = drive(tracker, bpm=0, seconds=2, silent=True)
    np.testing.assert_allclose(beats, [3.5, 4.0, 4.5, 5.0], atol=HOP_S)
    tracker.nudge(0.1)
    beats, _ = drive(tracker, bpm=0, seconds=2, silent=True)
    np.testing.assert_allclose(beats[:3], [5.6, 6.1, 6.6], atol=2 * HOP_S)
