"""The built-in music: exact, in time, and in form."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.audio.jam import JamSource
from livevis.audio.jam_score import FORM, TURN_BARS, Score, draw_turn, place
from livevis.audio.jam_voices import PITCHED, VOICES, Rack
from livevis.audio.source import PullSource, open_source
from livevis.core.errors import ConfigError
from livevis.core.exchange import SampleRing
from livevis.core.features import SAMPLE_RATE_HZ

JAM = JamSource(seed=3, tempo_bpm=128)
WHOLE = JAM.samples(0, 6 * SAMPLE_RATE_HZ)


@settings(max_examples=40, deadline=None)
@given(st.integers(-2_000, len(WHOLE) - 1), st.integers(1, 20_000))
def test_any_block_is_the_same_piece_of_the_whole(start: int, n: int) -> None:
    n = min(n, len(WHOLE) - start)
    inside = max(0, -start)
    block = JAM.samples(start, n)
    np.testing.assert_array_equal(block[inside:], WHOLE[max(0, start) : max(0, start + n)])
    assert not block[:inside].any()


def test_another_jam_of_the_same_seed_is_the_same_in_any_order() -> None:
    """Also far into the piece, asked first, with nothing cached before it."""
    far = 200 * SAMPLE_RATE_HZ + 777
    again = JamSource(seed=3, tempo_bpm=128)
    np.testing.assert_array_equal(again.samples(far, 9_000), JAM.samples(far, 9_000))
    np.testing.assert_array_equal(again.samples(0, 9_000), WHOLE[:9_000])


def test_seeds_and_tempi_differ() -> None:
    for other in (JamSource(seed=4, tempo_bpm=128), JamSource(seed=3, tempo_bpm=127)):
        assert np.abs(other.samples(0, 96_000) - WHOLE[:96_000]).max() > 0.1


@pytest.mark.parametrize("tempo", [90.0, 140.0])
def test_kicks_fall_on_the_beat(tempo: float) -> None:
    """Low-frequency energy rises most where the beats are, within 12 ms, and the whole keeps to full scale."""
    jam = JamSource(seed=1, tempo_bpm=tempo)
    beats = [jam.score.beat_sample(beat) for beat in range(4 * 5, 4 * 6)]  # a bar of four on the floor
    assert set(beats) <= {note.start for note in jam.score.bar(5) if note.voice == "kick"}
    first = beats[0] - 4_800  # room for the windows
    x = jam.samples(first, beats[-1] - first + 4_800)
    assert np.abs(x).max() <= 1.0
    energy = np.cumsum(np.fft.irfft(np.fft.rfft(x) * _low_pass(len(x), 500), len(x)) ** 2)
    at = np.array(beats)[:, None] - first + np.arange(-3_000, 3_000)
    rise = energy[at + 1_440] - 2 * energy[at] + energy[at - 1_440]  # 30 ms after, less 30 ms before
    assert abs(int(np.argmax(rise.mean(axis=0))) - 3_000) < 576
    assert (
        energy[at[:, 3_000] + 1_440] - energy[at[:, 3_000]] > 4 * (energy[at[:, 3_000]] - energy[at[:, 1_560]])
    ).all()


def _low_pass(n: int, corner_hz: float = 150) -> np.ndarray:
    f = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ)
    return 1 / (1 + (f / corner_hz) ** 4)


def test_beats_keep_the_tempo_for_hours() -> None:
    score = Score(seed=0, tempo_bpm=123)
    assert abs(score.beat_sample(123 * 180) - 180 * 60 * SAMPLE_RATE_HZ) <= 1


def test_form_has_a_breakdown_and_a_return() -> None:
    """Without kick and bass the lows all but vanish; the drop brings more than there was before."""
    jam = JamSource(seed=0, tempo_bpm=180)
    bar_s = 4 * 60 / 180

    def lows(bar: int) -> float:
        x = jam.samples(round(bar * bar_s * SAMPLE_RATE_HZ), round(2 * bar_s * SAMPLE_RATE_HZ))
        return float(np.sqrt(np.mean(np.fft.irfft(np.fft.rfft(x) * _low_pass(len(x)), len(x)) ** 2)))

    groove, breakdown, drop = lows(6), lows(22), lows(30)
    assert breakdown < 0.35 * groove
    assert drop > 0.8 * groove


def test_every_part_comes_and_no_turn_repeats() -> None:
    assert {place(bar).part.name for bar in range(TURN_BARS)} == {part.name for part in FORM}
    assert place(TURN_BARS + 3) == place(TURN_BARS + 3)
    assert place(TURN_BARS).part == FORM[0]
    turns = {draw_turn(0, number) for number in range(20)}
    assert len(turns) == 20


@given(st.integers(0, 10_000), st.integers(0, 2_000))
def test_score_is_playable(seed: int, bar: int) -> None:
    """Every note names a voice, starts inside its bar, and lies where instruments and ears are."""
    score = Score(seed=seed, tempo_bpm=120)
    first, last = score.beat_sample(4 * bar), score.beat_sample(4 * (bar + 1))
    for note in score.bar(bar):
        assert note.voice in VOICES
        assert first <= note.start < last + SAMPLE_RATE_HZ // 2  # an echo may fall past the bar line
        assert 0 < note.gain < 1.2 and note.seconds > 0
        assert note.voice not in PITCHED or 24 <= note.pitch <= 108


@pytest.mark.parametrize("voice", VOICES)
def test_voices_are_clean(voice: str) -> None:
    """Finite, no constant offset, begins and ends quietly enough not to click."""
    x = Rack().sound(voice, pitch=57, seconds=0.4)
    assert np.isfinite(x).all() and 0.05 < np.abs(x).max() < 4
    assert abs(x.mean()) < 0.02
    assert np.abs(x[-8:]).max() < 0.01


def test_rack_forgets_what_was_not_played_for_long() -> None:
    rack = Rack(limit=100_000)
    kept = rack.sound("kick", pitch=0, seconds=1)
    for pitch in range(40, 60):
        rack.sound("bass", pitch=pitch, seconds=0.4)
        assert rack.sound("kick", pitch=0, seconds=1) is kept
    assert not rack.has("bass", 40, 0.4)


def test_tempo_outside_the_instruments_range_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"30\.\.300"):
        open_source("jam", tempo=500)


def test_pacer_plays_the_jam() -> None:
    source = open_source("jam", seed=3, tempo=128)
    assert isinstance(source, PullSource)
    ring = SampleRing.create(4)
    try:
        source.start(ring)
        while ring.written < 4_800:
            assert source.status().state == "playing"
            time.sleep(0.005)
        source.stop()
        source.stop()
        written = ring.written
        heard = ring.read(0, written)
        assert heard is not None
        np.testing.assert_array_equal(heard, WHOLE[:written])
        assert source.status().state == "ended"
    finally:
        source.stop()
        ring.close()
