"""Beats, predicted: a cumulative score says where beats were, a clock says where the next one will be (Stark 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from livevis.analysis.level import F64
from livevis.analysis.tempo import FASTEST_BPM, FRAME_S, HOPS_PER_FRAME, SLOWEST_BPM, TempoEstimator
from livevis.core.errors import ConfigError
from livevis.core.features import HOP_S

SCORE_FRAMES = 512
TIGHTNESS, MOMENTUM = 5.0, 0.9
DETECTION_DELAY_S = 0.012
LOCK, UNLOCK, HOLD_S, FREE_WHEEL_S = 0.8, 0.6, 2.0, 12.0
QUIETEST = np.array([0.1, 0.015])
LOUDEST_DECAY = 0.5 ** (FRAME_S / 8.0)
PULL, PULL_RANGE = 0.3, 0.2
TAP_PAUSE_S, TAPS = 2.0, 8
SLOWEST_SET, FASTEST_SET = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Beat:
    """What one hop says about the beat: fired with strength (about 0..1), bpm, phase 0..1, confidence 0..1, and
    the audio time of the next beat in seconds (0 while no beat is expected)."""

    fired: bool
    strength: float
    bpm: float
    phase: float
    confidence: float
    next_s: float


class BeatScore:
    """State: score, how well a beat at each of the last 512 frames continues a train of beats."""

    def __init__(self) -> None:
        self.score = np.zeros(SCORE_FRAMES)
        self.set_period(0.5 / FRAME_S)

    def set_period(self, frames: float) -> None:
        """Expect beats `frames` apart."""
        self.period = frames
        self._far, self._near = round(2 * frames), max(1, round(frames / 2))
        distance = np.arange(self._far, self._near - 1, -1) / frames
        self._weights = np.exp(-0.5 * (TIGHTNESS * np.log(distance)) ** 2)

    def step(self, novelty: float) -> None:
        """Take one frame of novelty in."""
        past = self.score[-self._far : len(self.score) - self._near + 1]
        best = float((self._weights * past).max())
        self.score[:-1] = self.score[1:]
        self.score[-1] = (1 - MOMENTUM) * novelty + MOMENTUM * best

    def ahead(self) -> F64:
        """Return the score of the next period's frames if nothing more were heard, [about one period]."""
        frames, span = round(self.period), len(self._weights)
        known = self.score[-self._far :]
        while len(known) < self._far + frames:
            windows = sliding_window_view(known[len(known) - self._far :], span)
            known = np.concatenate([known, (windows * self._weights).max(axis=1)[: self._near]])
        return known[self._far : self._far + frames]

    def frames_to_beat(self) -> float:
        """Return how many frames ahead the next beat is, asked half a period after the last one."""
        ahead = self.ahead()
        half = self.period / 2
        frames = np.arange(1, len(ahead) + 1)
        weighted = ahead * np.exp(-0.5 * ((frames - half) / half) ** 2)
        return 1.0 + _peak(weighted)

    def insist(self, frames_ago: float) -> None:
        """Believe that a beat was `frames_ago`."""
        top = float(self.score.max()) + 1e-3
        self.score *= 0.2
        self.score[max(-len(self.score), -1 - round(max(frames_ago, 0.0)))] = top


def _peak(values: F64) -> float:
    """Return the place of the maximum of a sampled curve, between samples by a parabola."""
    best = int(np.argmax(values))
    if not 0 < best < len(values) - 1:
        return float(best)
    left, middle, right = values[best - 1 : best + 2]
    bend = left - 2 * middle + right
    return best + (0.5 * float((left - right) / bend) if bend < 0 else 0.0)


class BeatTracker:
    """State: tempo and score of what is heard; the clock (last_s, next_s, asked); whether it is locked; and what
    the performer wants (fixed_bpm, offset_s, taps_s)."""

    def __init__(self) -> None:
        self.tempo, self.score = TempoEstimator(), BeatScore()
        self.hops = 0
        self.novelty, self.loudest, self.strength = np.zeros(2), np.zeros(2), 0.0
        self.last_s, self.next_s, self.asked = 0.0, 0.0, False
        self.locked, self.doubt_s, self.quiet_s = False, 0.0, 0.0
        self.fixed_bpm, self.offset_s = 0.0, 0.0
        self.taps_s: list[float] = []

    @property
    def now_s(self) -> float:
        """Audio time at the end of the latest hop."""
        return self.hops * HOP_S

    @property
    def period_s(self) -> float:
        """Seconds from beat to beat."""
        return 60.0 / (self.fixed_bpm or self.tempo.bpm)

    def step(self, flux: float, accent: float, silent: bool) -> Beat:
        """Take one hop's onset evidence and return where in the beat its end is.

        `flux` (`Flux.raw[0]`) finds the phase, `accent` (`Flux.accent`) the tempo.
        """
        self.hops += 1
        self.quiet_s = self.quiet_s + HOP_S if silent else 0.0
        self.novelty = np.maximum(self.novelty, (flux, accent))
        if self.hops % HOPS_PER_FRAME == 0:
            self._listen()
        self._judge()
        return self._tick()

    def _listen(self) -> None:
        """Hand one frame of novelty to the tempo and the score; what is not heard does not weaken either."""
        self.loudest = np.maximum(self.novelty, self.loudest * LOUDEST_DECAY)
        flux, accent = (self.novelty / np.maximum(QUIETEST, self.loudest)).tolist()
        self.strength = max(flux, self.strength * 0.9)
        if self.quiet_s == 0.0 and self.tempo.step(accent):
            self.score.set_period(self.period_s / FRAME_S)
        self.score.step(flux)
        self.novelty = np.zeros(2)

    def _judge(self) -> None:
        """Lock on confidence, unlock after two seconds of doubt or a long silence."""
        confidence = self.tempo.confidence
        self.doubt_s = 0.0 if confidence > UNLOCK else self.doubt_s + HOP_S
        if self.quiet_s > FREE_WHEEL_S or self.doubt_s > HOLD_S:
            self.locked = False
        elif confidence > LOCK and not self.quiet_s:
            self.locked = True

    def _tick(self) -> Beat:
        now_s, period_s = self.now_s, self.period_s
        if not self.asked and now_s >= self.last_s + period_s / 2:
            self._predict()
        playing = self.locked or self.fixed_bpm > 0
        fired = now_s + HOP_S / 2 >= self.next_s
        if fired:
            self.last_s, self.next_s, self.asked = self.next_s, self.next_s + period_s, False
        phase = min(max((now_s - self.last_s) / (self.next_s - self.last_s), 0.0), 1.0 - 1e-9)
        confidence = 1.0 if self.fixed_bpm else self.tempo.confidence * (self.quiet_s <= FREE_WHEEL_S)
        return Beat(
            fired=fired and playing,
            strength=self.strength,
            bpm=60.0 / period_s,
            phase=phase,
            confidence=confidence,
            next_s=self.next_s if playing else 0.0,
        )

    def _predict(self) -> None:
        """Ask the score for the next beat; a fixed tempo is only pulled gently, and silence changes nothing."""
        self.asked = True
        if self.quiet_s > 0.0:
            return
        heard_s = self.now_s + self.score.frames_to_beat() * FRAME_S - DETECTION_DELAY_S + self.offset_s
        error_s = heard_s - self.next_s
        if not self.fixed_bpm:
            self.next_s = max(heard_s, self.now_s + HOP_S)
        elif abs(error_s) < PULL_RANGE * self.period_s:
            self.next_s += PULL * error_s

    def tap(self, time_s: float) -> None:
        """Take the audio time of a tap: it is a beat, and from the second on it sets the tempo."""
        if self.taps_s and not 0.0 < time_s - self.taps_s[-1] < TAP_PAUSE_S:
            self.taps_s.clear()
        self.taps_s = [*self.taps_s[-TAPS + 1 :], time_s]
        if len(self.taps_s) > 1:
            mean_s = (self.taps_s[-1] - self.taps_s[0]) / (len(self.taps_s) - 1)
            self.set_tempo(min(max(60.0 / mean_s, SLOWEST_SET), FASTEST_SET))
        self.resync(time_s)

    def resync(self, time_s: float) -> None:
        """Make `time_s` a beat."""
        period_s = self.period_s
        beats = np.floor((self.now_s - time_s) / period_s)
        self.last_s = float(time_s + beats * period_s)
        self.next_s, self.asked = self.last_s + period_s, True
        self.score.insist((self.now_s - self.last_s) / FRAME_S)

    def set_tempo(self, bpm: float) -> None:
        """Fix the tempo; 0 returns to the tracker. Raises ConfigError outside 30..300."""
        if bpm and not SLOWEST_SET <= bpm <= FASTEST_SET:
            raise ConfigError(f"tempo {bpm:g} bpm is outside {SLOWEST_SET:g}..{FASTEST_SET:g} (0 follows the music)")
        self.fixed_bpm = float(bpm)
        if not bpm:
            self.tempo.prefer(0.0)
        self.score.set_period(self.period_s / FRAME_S)

    def scale(self, factor: float) -> None:
        """Multiply the tempo, within what the tracker or the performer may set."""
        bpm = 60.0 / self.period_s * factor
        if self.fixed_bpm:
            self.set_tempo(min(max(bpm, SLOWEST_SET), FASTEST_SET))
        elif SLOWEST_BPM <= bpm <= FASTEST_BPM:
            self.tempo.prefer(bpm)
            self.score.set_period(self.period_s / FRAME_S)

    def nudge(self, seconds: float) -> None:
        """Move the beat by `seconds`, now and for as long as it is tracked."""
        self.offset_s += seconds
        self.next_s = max(self.next_s + seconds, self.now_s)
