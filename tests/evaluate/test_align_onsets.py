"""Our onset curve and picker are librosa's: against librosa where it is, else against slow transcriptions of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from livevis.evaluate.sync.onsets import (
    HOP,
    RATE_HZ,
    WINDOW,
    Picker,
    at_metric_rate,
    onset_frames,
    onset_strength,
    onset_times,
    pick,
)


def bursts(seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    """Decaying noise bursts at irregular times in a faint hiss, float32 at 22.05 kHz."""
    rng = np.random.default_rng(seed)
    sound = 1e-3 * rng.standard_normal(round(seconds * RATE_HZ))
    for at in np.cumsum(rng.uniform(0.15, 0.5, 12)):
        start = round(at * RATE_HZ)
        room = sound[start : start + 4000]
        room += rng.uniform(0.1, 0.8) * rng.standard_normal(len(room)) * np.exp(-np.arange(len(room)) / 900)
    return sound.astype(np.float32)


def slow_pick(x: np.ndarray, p: Picker) -> list[int]:
    """librosa.util.peak_pick as it is written: one place after another, `wait` skipped after each find."""

    def tall(n: int) -> bool:
        around = x[max(0, n - p.pre_avg) : n + p.post_avg]
        total = x.dtype.type(0)
        for value in around:
            total = total + value
        return bool(x[n] >= x.dtype.type(np.float64(total) / len(around)) + np.float32(p.delta))

    found, n = [], 0
    while n < len(x):
        peak = x[n] == x[max(0, n - p.pre_max) : n + p.post_max].max() and tall(n)
        found += [n] if peak else []
        n += p.wait + 1 if peak else 1
    return found


def curves_and_pickers() -> list[tuple[np.ndarray, Picker]]:
    """200 curves: rough, smooth, on a coarse grid full of plateaus, high at the first place; every kind of window."""
    rng, made = np.random.default_rng(5), []
    for turn in range(200):
        curve = rng.random(int(rng.integers(1, 120)))
        curve = np.convolve(curve, np.ones(3) / 3, "same") if turn % 3 == 1 else curve
        curve = np.round(4 * curve) / 4 if turn % 3 == 2 else curve
        curve[0] += turn % 2
        after = rng.integers(1, 7, 2)
        before = rng.integers(0, 7, 3)
        picker = Picker(
            pre_max=int(before[0]), post_max=int(after[0]), pre_avg=int(before[1]), post_avg=int(after[1]),
            wait=int(before[2]), delta=float(rng.choice([0.0, 0.07, 0.2])),
        )  # fmt: skip
        made.append((curve.astype(np.float32 if turn % 4 else np.float64), Picker() if turn % 5 == 0 else picker))
    return made


def test_the_picker_is_the_slow_one_on_200_curves() -> None:
    found = [(pick(curve, picker).tolist(), slow_pick(curve, picker)) for curve, picker in curves_and_pickers()]
    assert all(ours == theirs for ours, theirs in found)
    assert sum(len(ours) for ours, _ in found) > 1000 and sum(ours[:1] == [0] for ours, _ in found) > 20


def test_the_picker_is_librosas_on_200_curves() -> None:
    librosa = pytest.importorskip("librosa")
    for curve, p in curves_and_pickers():
        theirs = librosa.util.peak_pick(
            curve, pre_max=p.pre_max, post_max=p.post_max, pre_avg=p.pre_avg, post_avg=p.post_avg, delta=p.delta,
            wait=p.wait,
        )  # fmt: skip
        assert pick(curve, p).tolist() == theirs.tolist()


@pytest.mark.parametrize("top_db", [None, 80.0])
def test_the_curve_and_the_onsets_are_librosas(top_db: float | None) -> None:
    librosa = pytest.importorskip("librosa")
    for seed in range(4):
        sound = bursts(seed=seed)
        mel = librosa.feature.melspectrogram(y=sound, sr=RATE_HZ, fmax=RATE_HZ / 2)
        theirs = librosa.onset.onset_strength(S=librosa.power_to_db(mel, top_db=top_db), sr=RATE_HZ)
        np.testing.assert_allclose(onset_strength(sound, top_db=top_db), theirs, atol=1e-4)
        if top_db == 80.0:
            plain = librosa.onset.onset_strength(y=sound, sr=RATE_HZ)
            np.testing.assert_array_equal(plain, theirs)
            ours = onset_times(onset_strength(sound))
            np.testing.assert_array_equal(
                ours, librosa.frames_to_time(librosa.onset.onset_detect(onset_envelope=plain, sr=RATE_HZ), sr=RATE_HZ)
            )


def test_the_resampler_is_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    sound = bursts(1.001)
    for rate_hz in (48_000, 44_100, 16_000):
        ours = at_metric_rate(sound, rate_hz)
        np.testing.assert_array_equal(ours, librosa.resample(sound, orig_sr=rate_hz, target_sr=RATE_HZ))


FROZEN_FRAMES = [11, 28, 46, 57, 78, 95, 103, 116, 125, 136, 144, 161]
FROZEN_CURVE = {3: 2.9931, 4: 1.0407, 11: 30.3146, 28: 13.0931, 50: 0.062, 100: 0.008, 172: 0.8091}


def test_the_figures_that_librosa_gave() -> None:
    """librosa 0.11.0 on `bursts()`, written down so that the port is held to it where librosa is not."""
    curve = onset_strength(bursts())
    assert onset_frames(curve).tolist() == FROZEN_FRAMES
    assert {place: float(curve[place]) for place in FROZEN_CURVE} == pytest.approx(FROZEN_CURVE, abs=1e-3)


def slow_curve(sound: np.ndarray) -> list[float]:
    """The definition, frame by frame in float64: mean rise of 128 Slaney mel bands in dB, three hops later."""
    log_step = np.log(6.4) / 27
    top = 15 + np.log(RATE_HZ / 2 / 1000) / log_step
    mels = [top * i / 129 for i in range(130)]
    edges = [m * 200 / 3 if m < 15 else 1000 * np.exp(log_step * (m - 15)) for m in mels]
    hz = [bin_ * RATE_HZ / WINDOW for bin_ in range(WINDOW // 2 + 1)]
    padded = np.concatenate([np.zeros(WINDOW // 2), sound.astype(np.float64), np.zeros(WINDOW // 2)])
    hann = np.sin(np.pi * np.arange(WINDOW) / WINDOW) ** 2
    last, values = None, [0.0] * 3
    weights = np.array(
        [
            [max(0.0, min((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a) for f in hz]
            for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)
        ]
    )
    for start in range(0, len(sound) + 1, HOP):
        spectrum = np.abs(np.fft.rfft(padded[start : start + WINDOW] * hann)) ** 2
        now = 10 * np.log10(np.maximum(1e-10, weights @ spectrum))
        values += [] if last is None else [float(np.maximum(0, now - last).mean())]
        last = now
    return values[: 1 + len(sound) // HOP]


def test_the_curve_is_its_definition() -> None:
    sound = bursts(0.8)
    np.testing.assert_allclose(onset_strength(sound, top_db=None), slow_curve(sound), atol=1e-4)


def test_without_the_clips_maximum_the_curve_knows_no_future() -> None:
    sound = bursts(1.0)
    whole = onset_strength(sound, top_db=None)
    for hop in (4, 17, 30):
        changed = sound.copy()
        changed[hop * HOP :] = 0.9
        np.testing.assert_array_equal(onset_strength(changed, top_db=None)[: hop + 1], whole[: hop + 1])


def test_a_ring_of_five_hops_is_enough_to_play_the_curve() -> None:
    sound = bursts(1.0)
    whole = onset_strength(sound, top_db=None)
    kept = WINDOW + HOP
    live = [onset_strength(sound[t * HOP - kept : t * HOP], top_db=None)[-1] for t in range(5, len(whole))]
    np.testing.assert_allclose(live, whole[5:], atol=1e-4)


@pytest.mark.parametrize("sound", [np.zeros(RATE_HZ, np.float32), np.zeros(0, np.float32)])
def test_silence_and_nothing_have_no_onsets(sound: Any) -> None:
    assert len(onset_times(onset_strength(sound))) == 0
    assert pick(np.zeros(0, np.float32)).tolist() == []
