"""TPoS as it is played: the released slerp, a follower that is where it should be at any frame rate, the gain."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from livevis.methods import contrast, sphere, tpos
from livevis.methods.tpos import Segment, Settings, Voice

RATE = 48_000
SEEDS = st.integers(0, 10**6)
SHARES = st.floats(0, 1)
PLAIN = Voice("as it is", lambda vector: vector.reshape(2, 3).astype(np.float32))


def pair(seed: int, shape: tuple[int, ...] = (6,), longer: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), longer * rng.standard_normal(shape)


def released_slerp(t: float, v0: np.ndarray, v1: np.ndarray) -> np.ndarray:
    """The published formula: one dot product over the whole array, the ends as they are."""
    dot = np.vdot(v0, v1) / math.sqrt(np.vdot(v0, v0) * np.vdot(v1, v1))
    if abs(dot) > 0.9995:
        return v0 + t * (v1 - v0)
    theta = np.arccos(dot)
    return v0 * np.sin(theta - theta * t) / np.sin(theta) + v1 * np.sin(theta * t) / np.sin(theta)


@given(SEEDS, SHARES)
def test_slerp_is_the_released_one(seed: int, share: float) -> None:
    a, b = pair(seed, (5, 4))
    assert np.abs(sphere.slerp(a, b, share) - released_slerp(share, a, b)).max() <= 1e-10


@given(SEEDS, SHARES, st.sampled_from([1.0, -1.0]), st.sampled_from([0.5, 1.5]))
def test_slerp_is_a_straight_line_above_9995_and_no_longer_below(
    seed: int, share: float, sign: float, times: float
) -> None:
    a, b = pair(seed)
    aside = b - (a @ b) / (a @ a) * a
    angle = times * math.acos(sphere.NEARLY_PARALLEL)
    b = sign * 2 * (math.cos(angle) * a / np.linalg.norm(a) + math.sin(angle) * aside / np.linalg.norm(aside))
    got, line = sphere.slerp(a, b, share), (1 - share) * a + share * b
    assert np.abs(got - released_slerp(share, a, b)).max() <= 1e-10
    assert times > 1 or np.abs(got - line).max() <= 1e-12


def test_between_is_slerp_from_each_point_to_the_next() -> None:
    points, samples = [np.random.default_rng(seed).standard_normal((2, 3)) for seed in range(3)], [0, 100, 300]
    for sample, (start, end, share) in {0: (0, 1, 0.0), 50: (0, 1, 0.5), 100: (1, 2, 0.0), 250: (1, 2, 0.75)}.items():
        expected = released_slerp(share, points[start], points[end])
        assert np.abs(sphere.between(points, samples, sample) - expected).max() <= 1e-10
    assert np.array_equal(sphere.between(points, samples, -5), points[0])
    assert np.array_equal(sphere.between(points, samples, 999), points[2])
    with pytest.raises(ValueError, match="at least one"):
        sphere.between([], [], 0)


@given(SEEDS, SHARES, SHARES)
def test_an_arc_in_two_goes_is_the_arc_in_one(seed: int, first: float, second: float) -> None:
    a, b = (vector / np.linalg.norm(vector) for vector in pair(seed))
    twice = sphere.arc(sphere.arc(a, b, first), b, second)
    once = sphere.arc(a, b, 1 - (1 - first) * (1 - second))
    assert np.abs(twice - once).max() <= 1e-10
    assert np.linalg.norm(once) == pytest.approx(1, abs=1e-12)
    assert math.acos(np.clip(a @ once, -1, 1)) == pytest.approx(
        (1 - (1 - first) * (1 - second)) * math.acos(a @ b), abs=1e-6
    )


@given(SEEDS, SHARES, st.sampled_from([0.0, 1e-9, 1e-4]))
def test_arcs_between_equal_and_opposite_directions_stay_on_the_sphere(seed: int, share: float, off: float) -> None:
    a, b = pair(seed)
    a /= np.linalg.norm(a)
    for end in (a + off * b, -a + off * b):
        end = end / np.linalg.norm(end)
        got = sphere.arc(a, end, share)
        assert np.isfinite(got).all() and np.linalg.norm(got) == pytest.approx(1, abs=1e-9)
        assert np.abs(sphere.arc(a, end, 1.0) - end).max() <= 1e-6


def targets(seed: int, count: int) -> list[Segment]:
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.integers(2_000, 9_000, count))
    return [Segment(int(at), rng.standard_normal(6) * rng.uniform(0.2, 3), float(rng.uniform(0.1, 5))) for at in stamps]


def play(segments: list[Segment], frames: list[int], how: Settings) -> dict[int, tpos.AudioTokens | None]:
    """Every frame's tokens; each frame hears what has come in since the last."""
    state, heard, out = tpos.init(PLAIN), 0, {}
    for sample in frames:
        new = [segment for segment in segments[heard:] if segment.sample <= sample]
        heard += len(new)
        state, out[sample] = tpos.step(state, new, sample=sample, settings=how)
    return out


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.0, 2.0), st.floats(0.0, 3.0))
def test_tokens_are_the_same_at_15_30_and_60_frames_a_second(seed: int, follow_s: float, k: float) -> None:
    segments, how = targets(seed, 8), Settings(follow_s=follow_s, k=k)
    runs = [play(segments, [*range(0, 48_001, RATE // fps)], how) for fps in (15, 30, 60)]
    said = 0
    for sample, tokens in runs[0].items():
        for run in runs[1:]:
            other = run[sample]
            assert (tokens is None) == (other is None)
            if tokens is not None and other is not None:
                said += 1
                assert np.array_equal(tokens.rows, other.rows) and tokens.gain == other.gain
    assert said > 10


@given(SEEDS, st.floats(0.01, 2.0), st.integers(1, 60_000))
def test_a_follower_is_replayed_from_its_end_points_and_its_phase(seed: int, follow_s: float, elapsed: int) -> None:
    a, b = pair(seed)
    follower = sphere.aim(sphere.settled(sphere.as_point(a), 0, follow_s), sphere.as_point(b), 1_000)
    here = follower.at(1_000 + elapsed)
    again = sphere.Follower(follower.start, follower.target, follower.since, follow_s).at(1_000 + elapsed)
    assert np.array_equal(here.direction, again.direction) and np.array_equal(here.logs, again.logs)
    share = 1 - math.exp(-elapsed / RATE / follow_s)
    unit_a, unit_b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    assume(abs(unit_a @ unit_b) < sphere.NEARLY_PARALLEL)
    assert np.abs(here.direction - released_slerp(share, unit_a, unit_b)).max() <= 1e-10
    length = np.linalg.norm(a) ** (1 - share) * np.linalg.norm(b) ** share
    assert math.exp(here.logs[0]) == pytest.approx(length, rel=1e-9)


@given(SEEDS, st.floats(0.05, 2.0), st.lists(st.integers(1, 4_000), min_size=2, max_size=6))
def test_turning_to_the_same_target_again_and_again_ends_where_one_turn_does(
    seed: int, follow_s: float, waits: list[int]
) -> None:
    a, b = (sphere.as_point(vector) for vector in pair(seed))
    once = often = sphere.aim(sphere.settled(a, 0, follow_s), b, 0)
    at = 0
    for wait in waits:
        at += wait
        often = sphere.aim(often, b, at)
    assert np.abs(often.at(at + 100).direction - once.at(at + 100).direction).max() <= 1e-10
    assert np.abs(often.at(at + 100).logs - once.at(at + 100).logs).max() <= 1e-10


def test_another_follow_time_turns_no_corner() -> None:
    a, b = (sphere.as_point(vector) for vector in pair(1))
    follower = sphere.aim(sphere.settled(a, 0, 0.5), b, 0)
    faster = sphere.retime(follower, 0.1, 9_000)
    assert np.array_equal(follower.at(9_000).direction, faster.at(9_000).direction)
    assert faster.at(20_000).direction @ b.direction > follower.at(20_000).direction @ b.direction
    assert sphere.retime(follower, 0.5, 9_000) is follower


def test_nothing_to_hear_is_no_direction_to_fall_over() -> None:
    point = sphere.as_point(np.zeros(6), 0.0)
    assert np.linalg.norm(point.direction) == 1 and np.allclose(np.exp(point.logs), sphere.LEAST)
    state, tokens = tpos.step(tpos.init(PLAIN), [Segment(0, np.zeros(6), 0.0)], sample=0, settings=Settings())
    assert tokens is not None and np.abs(tokens.rows).max() < 1e-6 and state.follower is not None


@given(SEEDS, st.integers(1, 9), st.floats(0.1, 20))
def test_the_windows_gain_is_n_times_softmax(seed: int, count: int, spread: float) -> None:
    logits = spread * np.random.default_rng(seed).standard_normal(count)
    assert contrast.window_gain(logits) == pytest.approx(count * softmax(logits)[-1], abs=1e-5)
    assert 0 <= contrast.window_gain(logits) <= count


@given(st.floats(-50, 50), st.integers(1, 9), st.floats(0, 4))
def test_a_stationary_sound_has_gain_one_exactly(logit: float, count: int, k: float) -> None:
    assert contrast.window_gain(np.full(count, logit)) == 1.0
    states = np.tile(np.eye(6)[2], (count, 1))
    state = tpos.init(PLAIN)
    for sample in (0, 4_800, 9_600):
        new = [tpos.heard(sample, states, np.full(count, logit))]
        state, tokens = tpos.step(state, new, sample=sample + 100, settings=Settings(k=k))
        assert tokens is not None and tokens.gain == 1.0
        assert np.array_equal(tokens.rows, np.eye(6)[2].reshape(2, 3))


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.floats(0.05, 3.0))
def test_the_endless_gain_is_the_sum_over_all_that_was_heard(seed: int, memory_s: float) -> None:
    rng = np.random.default_rng(seed)
    logits, samples = 5 * rng.standard_normal(40), np.cumsum(rng.integers(100, 9_000, 40))
    state = contrast.Running()
    for place in range(40):
        state, gain = contrast.running_gain(state, logits[place], sample=int(samples[place]), memory_s=memory_s)
        ages = (samples[place] - samples[: place + 1]) / (RATE * memory_s)
        mean = np.average(np.exp(logits[: place + 1]), weights=np.exp(-ages))
        assert gain == pytest.approx(np.exp(logits[place]) / mean, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1))
def test_the_endless_gain_of_a_steady_loudness_is_one(rms: float) -> None:
    state, logit = contrast.Running(), contrast.loudness_logit(rms)
    for place in range(200):
        state, gain = contrast.running_gain(state, logit, sample=place * 4_800, memory_s=2.0)
        assert gain == pytest.approx(1, abs=1e-9)


def test_k_counts_at_once_and_none_means_none() -> None:
    segments = [Segment(0, np.eye(6)[0], 3.0)]
    gains = []
    state = tpos.init(PLAIN)
    for k in (0.0, 1.0, 2.0):
        state, tokens = tpos.step(state, segments, sample=10, settings=Settings(k=k))
        assert tokens is not None
        gains.append((tokens.gain, float(np.linalg.norm(tokens.rows))))
        segments = []
    assert gains == [pytest.approx((3.0**k, 3.0**k)) for k in (0, 1, 2)]


def test_frames_up_to_a_cut_do_not_know_what_comes_after() -> None:
    frames = [*range(0, 48_001, 1_600)]
    segments = targets(5, 8)
    cut = segments[4].sample
    other = [*segments[:5], *(Segment(s.sample, -s.vector, 1.0) for s in segments[5:])]
    one, two = (play(given, frames, Settings()) for given in (segments, other))
    before = [frame for frame in frames if frame < segments[5].sample and one[frame] is not None]
    assert before and before[-1] >= cut
    assert all(np.array_equal(one[frame].rows, two[frame].rows) for frame in before)  # type: ignore[union-attr]
    assert not np.array_equal(one[frames[-1]].rows, two[frames[-1]].rows)  # type: ignore[union-attr]


def test_text_and_audio_share_the_rows_by_amount() -> None:
    text, rows = np.random.default_rng(0).standard_normal((2, 3, 3)).astype(np.float32)
    kept = text.copy()
    for amount in (0.0, 0.25, 1.0):
        mixed = tpos.over_text(text, tpos.AudioTokens(rows[1:], 1.0, amount))
        assert np.array_equal(mixed[0], text[0])
        assert np.allclose(mixed[1:], (1 - amount) * text[1:] + amount * rows[1:], atol=1e-6)
    assert np.array_equal(tpos.over_text(text, tpos.AudioTokens(rows[1:], 1.0, 0.0)), text)
    assert np.array_equal(tpos.over_text(text, tpos.AudioTokens(rows[1:], 1.0, 1.0))[1:], rows[1:])
    assert np.array_equal(tpos.over_text(text, None), text) and np.array_equal(text, kept)


def test_without_weights_the_classes_texts_are_mixed_and_it_is_said() -> None:
    texts = np.random.default_rng(1).standard_normal((3, 2, 3)).astype(np.float32)
    voice = tpos.class_voice(texts, engine="sd-turbo", why="no TPoS in its folder")
    assert "sd-turbo" in voice.says and "no TPoS in its folder" in voice.says and "CLAP" in voice.says
    for shares, gain in (((1.0, 0.0, 0.0), 1.0), ((0.2, 0.2, 0.6), 1.7), ((3.0, 1.0, 0.0), 0.4)):
        segment = tpos.class_heard(7, np.array(shares), texts, gain=gain)
        _, tokens = tpos.step(tpos.init(voice), [segment], sample=7, settings=Settings())
        expected = gain * np.average(texts, axis=0, weights=shares)
        assert tokens is not None and np.abs(tokens.rows - expected).max() <= 1e-5
    for wrong in ((0.5, 0.5), (0.0, 0.0, 0.0), (1.0, -0.1, 0.1)):
        with pytest.raises(ValueError, match="classes"):
            tpos.class_heard(7, np.array(wrong), texts, gain=1.0)
