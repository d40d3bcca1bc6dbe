"""`livevis eval drums`: loops that nobody tuned on, played twice alike, and a report of what was shown."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from livevis.core.errors import ConfigError
from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate import drums
from livevis.evaluate.drum_loops import LEAD_S, SLOP_S, STYLES, DrumLoop, drum_loop, loops
from livevis.evaluate.drums import DrumPlan, measure
from livevis.evaluate.recording import Recording
from livevis.evaluate.sync.onsets import at_metric_rate, onset_strength, onset_times

HELD_OUT = list(loops(drums.LOOPS, seconds=2.0))
TUNING = list(loops(drums.LOOPS, seconds=2.0, tuning=True))


def test_the_held_out_loops_are_of_every_style_and_many_tempi() -> None:
    assert [loop.style for loop in HELD_OUT] == 3 * list(STYLES)
    tempi = sorted(loop.bpm for loop in HELD_OUT)
    assert len(set(tempi)) == 24 and tempi[0] < 96 and tempi[-1] > 166 and np.diff(tempi).max() < 25
    for loop in HELD_OUT:
        low, high = STYLES[loop.style].bpm
        assert low <= loop.bpm <= high


def test_no_held_out_loop_is_one_to_tune_on() -> None:
    assert not {(loop.style, loop.seed) for loop in HELD_OUT} & {(loop.style, loop.seed) for loop in TUNING}
    assert len({loop.samples.tobytes() for loop in (*HELD_OUT, *TUNING)}) == 48


def test_a_loop_is_the_same_twice_and_a_longer_one_begins_with_it() -> None:
    for loop in HELD_OUT[:8]:
        longer = drum_loop(loop.style, loop.seed, seconds=3.0)
        assert np.array_equal(longer.samples[: len(loop.samples)], loop.samples)
        assert longer.bpm == loop.bpm and longer.strokes_s[: len(loop.strokes_s)] == loop.strokes_s


def test_a_stroke_is_where_the_sound_is() -> None:
    for loop in HELD_OUT:
        assert np.abs(loop.samples).max() <= 1.0
        first = np.flatnonzero(loop.samples)[0] / SAMPLE_RATE_HZ
        assert abs(first - LEAD_S) <= 2 * SLOP_S + 1e-3
        heard = onset_times(onset_strength(at_metric_rate(loop.samples, SAMPLE_RATE_HZ)))
        after = heard[:, None] - np.array(loop.strokes_s)
        assert len(heard) >= 4 and (np.abs(after).min(axis=1) < 0.05).mean() > 0.9, loop.name


def test_a_groove_is_sixteen_steps_of_known_marks() -> None:
    for style in STYLES.values():
        for row in (row for groove in style.grooves for row in groove.values()):
            assert len(row) == 16 and set(row) <= set("xo?.")


def test_the_source_gives_the_loop_in_blocks_of_any_size_then_silence() -> None:
    loop = HELD_OUT[0]
    source = Recording(loop.name, loop.samples)
    rng = np.random.default_rng(0)
    edges = np.sort(rng.integers(-500, len(loop.samples) + 500, 40))
    blocks = [source.samples(int(a), int(b - a)) for a, b in pairwise(edges)]
    padded = np.pad(loop.samples, 500)
    assert np.array_equal(np.concatenate(blocks), padded[edges[0] + 500 : edges[-1] + 500])
    assert source.length == len(loop.samples)


@pytest.fixture(scope="module")
def report() -> dict[str, object]:
    """The shader lane alone: two loops of two seconds and a half."""
    played = [drum_loop("house", 1, seconds=2.5), drum_loop("hiphop", 1, seconds=2.5)]
    return measure("strike", played, None, DrumPlan(seconds=2.5, size_px=96))


def test_the_report_sums_up_its_loops(report: dict) -> None:
    rows, whole = report["loops"], report["all"]
    assert set(report["styles"]) == {"house", "hiphop"} and whole["loops"] == len(rows) == 2
    for name in drums.SCORES:
        assert whole[name] == pytest.approx(np.mean([row["av_align"][name] for row in rows]))
    assert report["styles"]["house"]["raw"] == rows[0]["av_align"]["raw"]
    assert whole["answered"] == pytest.approx(
        sum(row["latency"]["answered"] for row in rows) / sum(row["latency"]["onsets"] for row in rows)
    )
    assert "house" in "\n".join(drums.lines(report))


def test_strike_moves_with_the_strokes_and_soon(report: dict) -> None:
    whole = report["all"]
    assert whole["raw"] > 0.6 and whole["raw"] > whole["raw_chance"] + 0.25
    assert whole["latency_median_frames"] <= 2


def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--loops", "1", "--seconds", "0.5", "--size", "64", "--no-generator", "--tuning", "--json"]
    assert drums.main([*flags, "--preset", "strike", "--preset", "hearth"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["seeds"] == "tuning" and [each["preset"] for each in printed["presets"]] == ["strike", "hearth"]
    assert "TempoTokens on AudioSet-Drums" in printed["published"]


@pytest.mark.parametrize(
    "flags", [["--loops", "0"], ["--seconds", "0.05"], ["--size", "8"], ["--preset", "strikee", "--loops", "1"]]
)
def test_what_cannot_be_measured_is_an_error(flags: list[str]) -> None:
    with pytest.raises(ConfigError):
        drums.main(["--seconds", "0.5", "--size", "64", "--no-generator", *flags])


def test_silence_scores_nothing_and_does_not_fail() -> None:
    silent = DrumLoop("house", 0, 120.0, np.zeros(SAMPLE_RATE_HZ, np.float32), ())
    found = measure("strike", [silent], None, DrumPlan(seconds=1.0, size_px=64))
    assert found["all"]["loops"] == 1 and np.isnan(found["all"]["latency_median_frames"])
