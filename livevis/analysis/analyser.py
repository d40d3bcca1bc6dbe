"""The causal analyser: 48 kHz mono in, one `AudioFeatures` per hop of 256 samples out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from livevis.analysis.bands import Bands
from livevis.analysis.beat import Beat, BeatTracker
from livevis.analysis.level import F64, PEAK_HALF_LIFE_S, Gate, coefficient
from livevis.analysis.onset import Flux, OnsetDetector
from livevis.analysis.pulse import Pulses
from livevis.analysis.spectrum import F32, Spectra, Spectrum
from livevis.core.features import BANDS_HZ, FEATURES, HOP, HOP_S, INDEX, ROLLUPS, SPECTRUM_BINS
from livevis.core.types import AudioFeatures

DIGITAL_SILENCE = 1e-7
DC_S = 0.5
TEXTURE_RANGE_DB = 60.0
TEXTURE_RELEASE_S = 0.08
TEXTURE_QUIETEST = 1e-3
TINY = np.float32(1e-6)
WAVE_SAMPLES = 1024
BAND_ROWS = len(BANDS_HZ) + len(ROLLUPS)
FIRST_BAND = INDEX["sub.level"]
ROLLUP_ROWS = slice(1 + len(BANDS_HZ), None)


def clean(hop: npt.ArrayLike) -> F32:
    """Return the hop as finite float32 within full scale; NaN and infinities become silence, denormals zero."""
    samples = np.array(hop, np.float32)
    finite = np.isfinite(samples)
    if not finite.all():
        samples[~finite] = 0.0
    np.minimum(np.maximum(samples, -1.0, out=samples), 1.0, out=samples)
    return samples if np.abs(samples).max() > DIGITAL_SILENCE else np.zeros_like(samples)


class DcBlocker:
    """Removes a slowly followed offset, ramped inside each hop so that it never clicks; state: offset."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._share = coefficient(DC_S)
        self._ramp = (np.arange(1, HOP + 1) / HOP).astype(np.float32)

    def step(self, hop: F32) -> F32:
        """Return the hop [256] without its offset."""
        change = self._share * (float(np.add.reduce(hop)) / HOP - self.offset)
        centred = hop - (np.float32(self.offset) + np.float32(change) * self._ramp)
        self.offset += change
        return centred


class Texture:
    """What shaders sample: the log spectrum in 0..1 and the latest waveform, both auto-gained; state: shown
    and the followed peaks, top and wave_top."""

    def __init__(self) -> None:
        self.shown = np.zeros(SPECTRUM_BINS, np.float32)
        self.top, self.wave_top = TEXTURE_QUIETEST, TEXTURE_QUIETEST
        self.frozen = False
        self._decay = 0.5 ** (HOP_S / PEAK_HALF_LIFE_S)
        self._release = np.float32(coefficient(TEXTURE_RELEASE_S))

    def step(self, spectra: Spectra, samples: F32, silent: bool) -> tuple[F32, F32]:
        """Return spectrum [512] 0..1 over the last 60 dB and waveform [512] -1..1 of the last 21 ms."""
        recent = samples[-WAVE_SAMPLES:]
        if not (silent or self.frozen):
            self.top = max(float(spectra.texture.max()), self.top * self._decay, TEXTURE_QUIETEST)
            self.wave_top = max(float(np.abs(recent).max()), self.wave_top * self._decay, TEXTURE_QUIETEST)
        relative = spectra.texture * np.float32((not silent) / self.top)
        target = np.maximum(1 + np.log10(relative + TINY) * np.float32(20 / TEXTURE_RANGE_DB), 0)
        self.shown = np.minimum(np.maximum(target, self.shown + self._release * (target - self.shown)), 1)
        waveform = (recent[::2] + recent[1::2]) * np.float32(0.5 / self.wave_top)
        return self.shown, np.minimum(np.maximum(waveform, -1), 1)


class Analyser:
    """The whole chain; every part keeps its own explicit state, and `sample` counts what was heard.

    [main] Not thread-safe: feed and the beat controls are called from one thread, between hops.
    """

    def __init__(self, *, bpm: float = 0.0) -> None:
        self.sample = 0
        self._loud_s = 0.0
        self._pending, self._filled = np.zeros(HOP, np.float32), 0
        self._blocker, self._spectrum, self._gate, self._bands = DcBlocker(), Spectrum(), Gate(), Bands()
        self._onsets, self._beats, self._texture = OnsetDetector(), BeatTracker(), Texture()
        self._pulses, self._beat_pulse = Pulses(BAND_ROWS + 1), Pulses(1)
        self.set_tempo(bpm)

    def feed(self, block: npt.ArrayLike) -> list[AudioFeatures]:
        """Take any number of mono samples at 48 kHz; return one AudioFeatures per completed hop, maybe none."""
        samples = np.asarray(block, np.float32).ravel()
        done: list[AudioFeatures] = []
        while len(samples):
            taken = min(HOP - self._filled, len(samples))
            self._pending[self._filled : self._filled + taken] = samples[:taken]
            self._filled += taken
            samples = samples[taken:]
            if self._filled == HOP:
                self._filled = 0
                done.append(self.step(self._pending))
        return done

    def step(self, hop: npt.ArrayLike) -> AudioFeatures:
        """Take exactly 256 samples and return what is known at their end; raises ValueError for another length."""
        raw = clean(hop)
        if raw.shape != (HOP,):
            raise ValueError(f"a hop is {HOP} samples, not {raw.shape}")
        self.sample += HOP
        centred = self._blocker.step(raw)
        loudness = math.sqrt(float(centred @ centred) / HOP)
        silent = self._gate.step(loudness)
        self._loud_s += 0.0 if silent else HOP_S * loudness
        spectra = self._spectrum.step(centred)
        flux = self._onsets.step(spectra.mel, silent)
        beat = self._beats.step(float(flux.raw[0]), flux.accent, silent)
        values = np.zeros(len(FEATURES))
        self._write_levels(values, raw, spectra, silent)
        self._write_onsets(values, flux)
        self._write_beat(values, beat)
        spectrum, waveform = self._texture.step(spectra, self._spectrum.samples, silent)
        return AudioFeatures(self.sample, values, spectrum, waveform)

    def _write_levels(self, values: F64, raw: F32, spectra: Spectra, silent: bool) -> None:
        level, presence, clock_s = self._bands.step(spectra.bands, silent)
        rows = values[FIRST_BAND : FIRST_BAND + 4 * BAND_ROWS].reshape(BAND_ROWS, 4)
        rows[:, 0], rows[:, 1], rows[:, 3] = level[1:], presence[1:], clock_s[1:]
        values[INDEX["rms"]] = math.sqrt(float(raw @ raw) / HOP)
        values[INDEX["rms.time"]] = self._loud_s
        values[INDEX["peak"]] = np.abs(raw).max()
        values[INDEX["level"]] = level[0]
        values[INDEX["silence"]] = silent
        values[INDEX["spectral_centroid"]] = spectra.centroid_hz
        values[INDEX["spectral_flatness"]] = spectra.flatness

    def _write_onsets(self, values: F64, flux: Flux) -> None:
        pulses = self._pulses
        pulses.step(flux.fired, flux.strength)
        values[FIRST_BAND + 2 : FIRST_BAND + 4 * BAND_ROWS : 4] = pulses.hit[1:]
        values[INDEX["spectral_flux"]] = flux.raw[0]
        values[INDEX["onset"]], values[INDEX["onset.hit"]] = pulses.count[0], pulses.hit[0]
        values[INDEX["onset.strength"]] = pulses.strength[0]
        values[INDEX["onset_low"] : INDEX["onset_high"] + 1] = pulses.count[ROLLUP_ROWS]
        values[INDEX["onset_low.strength"] : INDEX["onset_high.strength"] + 1] = pulses.strength[ROLLUP_ROWS]

    def _write_beat(self, values: F64, beat: Beat) -> None:
        self._beat_pulse.step(np.array([beat.fired]), np.array([beat.strength]))
        values[INDEX["beat"]] = self._beat_pulse.count[0]
        values[INDEX["beat.strength"]] = self._beat_pulse.strength[0]
        values[INDEX["beat.hit"]] = self._beat_pulse.hit[0]
        values[INDEX["tempo"]], values[INDEX["beat_phase"]] = beat.bpm, beat.phase
        values[INDEX["beat_confidence"]], values[INDEX["next_beat_time"]] = beat.confidence, beat.next_s

    def tap(self, time_s: float) -> None:
        """Take the audio time of one tap; two or more within two seconds set the tempo and the beat."""
        self._beats.tap(time_s)

    def resync(self, time_s: float) -> None:
        """Put a beat at this audio time and keep the tempo."""
        self._beats.resync(time_s)

    def set_tempo(self, bpm: float) -> None:
        """Fix the tempo (30..300 bpm); 0 gives it back to the tracker."""
        self._beats.set_tempo(bpm)

    def freeze_gain(self, frozen: bool) -> None:
        """Hold the automatic gains where they are, or let them follow the room again."""
        self._bands.gain.frozen = self._texture.frozen = frozen

    def half(self) -> None:
        """Halve the tempo: the tracker stays near it, a fixed tempo becomes it."""
        self._beats.scale(0.5)

    def double(self) -> None:
        """Double the tempo: the tracker stays near it, a fixed tempo becomes it."""
        self._beats.scale(2.0)

    def nudge(self, seconds: float) -> None:
        """Move all beats to come later (positive) or earlier (negative)."""
        self._beats.nudge(seconds)
