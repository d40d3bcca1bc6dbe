"""Our matching is mir_eval's matching."""

import mir_eval
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livevis.evaluate.match import match, pairs

TIMES = st.lists(st.integers(0, 4000), max_size=30, unique=True).map(lambda ms: np.array(sorted(ms)) / 1000.0 + 5.0)


@pytest.mark.filterwarnings("ignore:.*(Reference|Estimated) .* (is|are) empty")
@given(TIMES, TIMES)
def test_onset_scores_agree(true_s, found_s):
    ours = match(true_s, found_s, window_s=0.0501)
    f, precision, recall = mir_eval.onset.f_measure(true_s, found_s, window=0.0501)
    assert (ours.f, ours.precision, ours.recall) == pytest.approx((f, precision, recall))


@pytest.mark.filterwarnings("ignore:.*(Reference|Estimated) .* (is|are) empty")
@given(TIMES, TIMES)
def test_beat_scores_agree(true_s, found_s):
    assert match(true_s, found_s, window_s=0.0701).f == pytest.approx(
        mir_eval.beat.f_measure(true_s, found_s, f_measure_threshold=0.0701)
    )


@given(TIMES, TIMES)
def test_every_event_is_matched_once_and_within_the_window(true_s, found_s):
    matched = pairs(true_s, found_s, 0.05)
    assert len(set(matched[:, 0])) == len(set(matched[:, 1])) == len(matched)
    assert (np.abs(true_s[matched[:, 0]] - found_s[matched[:, 1]]) <= 0.05).all()


def test_delays_are_found_minus_true():
    np.testing.assert_allclose(
        match(np.array([1.0, 2.0]), np.array([1.01, 2.02]), window_s=0.05).delays_s, [0.01, 0.02]
    )
