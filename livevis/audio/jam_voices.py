"""The jam's instruments: each note is a short sound made once, from noise and sines, and kept.

Everything is a pure function of (voice, pitch, length); noise comes from a generator seeded by the voice's name, so
the same jam is the same samples on every run.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ

Sound = npt.NDArray[np.float32]
Signal = npt.NDArray[np.float64]


def hertz(pitch: float) -> float:
    """Return the frequency of a MIDI pitch (69 = 440 Hz)."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def _time(seconds: float) -> Signal:
    return np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _noise(name: str, n: int) -> Signal:
    return np.random.default_rng(zlib.crc32(name.encode())).standard_normal(n)


def _power_of_two(n: int) -> int:
    """The next length at which a Fourier transform is cheap: a prime one costs ten times as much."""
    return 1 << (n - 1).bit_length()


def _band(x: Signal, low_hz: float, high_hz: float) -> Signal:
    """Second-order-like band-pass by magnitude shaping; zero phase, so attacks stay where they are."""
    n = _power_of_two(len(x))
    f = np.fft.rfftfreq(n, 1 / SAMPLE_RATE_HZ) + 1e-9
    gain = 1 / (1 + (low_hz / f) ** 4) / (1 + (f / high_hz) ** 4)
    return np.fft.irfft(np.fft.rfft(x, n) * gain, n)[: len(x)]


def _fade(x: Signal, out_s: float = 0.005) -> Signal:
    """Taper the end so that no note ends with a click."""
    n = min(len(x), round(out_s * SAMPLE_RATE_HZ))
    x[-n:] *= np.linspace(1, 0, n)
    return x


@lru_cache(maxsize=8)
def _response(tail_s: float, name: str) -> Signal:
    """A room's impulse response: noise that decays by 60 dB in `tail_s`."""
    t = _time(tail_s)
    response = _band(_noise(name, len(t)), 200, 5000) * np.exp(-6.9 * t / tail_s) * (1 - np.exp(-t / 0.012))
    return np.asarray(response / np.sqrt(np.sum(response**2)))


def _room(x: Signal, *, tail_s: float, wet: float, name: str) -> Signal:
    """Add the reverberation of a room by convolution."""
    response = _response(tail_s, name)
    long = len(x) + len(response)
    n = _power_of_two(long)
    echo = np.fft.irfft(np.fft.rfft(x, n) * np.fft.rfft(response, n), n)[:long]
    return np.pad(x, (0, len(response))) + wet * echo


def _harmonics(frequency_hz: float, t: Signal, gains: Callable[[int], Signal | float], count: int) -> Signal:
    """Sum of gains(k) sin(k w t) by the Chebyshev recurrence: one sine and one cosine for any count."""
    phase = 2 * np.pi * frequency_hz * t
    twice, before, now = 2 * np.cos(phase), np.zeros_like(t), np.sin(phase)
    out = np.zeros_like(t)
    for k in range(1, count + 1):
        out += gains(k) * now
        before, now = now, twice * now - before
    return out


def kick(pitch: float, seconds: float) -> Signal:
    """A sine that falls from 180 to 48 Hz in a few hundredths of a second, with a click."""
    t = _time(0.42)
    body = np.sin(2 * np.pi * (48 * t + 130 * 0.035 * (1 - np.exp(-t / 0.035)))) * np.exp(-t / 0.13)
    click = _band(_noise("kick", len(t)), 1500, 9000) * np.exp(-t / 0.002) * 0.5
    return _fade(np.tanh(1.6 * (body + click)), 0.05)


def snare(pitch: float, seconds: float) -> Signal:
    """Two drum modes under a band of noise."""
    t = _time(0.3)
    modes = (np.sin(2 * np.pi * 185 * t) + 0.7 * np.sin(2 * np.pi * 331 * t)) * np.exp(-t / 0.06)
    wires = _band(_noise("snare", len(t)), 1500, 9000) * np.exp(-t / 0.08)
    return _fade(_room(0.45 * modes + 0.9 * wires, tail_s=0.35, wet=0.25, name="snare room"), 0.05)


def clap(pitch: float, seconds: float) -> Signal:
    """Four hands, 11 ms apart, in a room."""
    t = _time(0.25)
    hands = sum(np.exp(-(t - d) / (0.006 if d < 0.03 else 0.07)) * (t >= d) for d in (0, 0.011, 0.022, 0.033))
    return _fade(_room(_band(_noise("clap", len(t)), 900, 5000) * hands, tail_s=0.5, wet=0.35, name="clap room"), 0.05)


def _metal(name: str, seconds: float, tau_s: float) -> Signal:
    """Noise plus six inharmonic square waves above 6 kHz, as in the drum machines everybody knows."""
    t = _time(seconds)
    tones = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in (2211.0, 3183.0, 3691.0, 4283.0, 5417.0, 7219.0))
    return _fade(_band(_noise(name, len(t)) + 0.25 * tones, 6500, 16000) * np.exp(-t / tau_s), 0.01)


def hat(pitch: float, seconds: float) -> Signal:
    """A closed hi-hat."""
    return _metal("hat", 0.15, 0.026)


def open_hat(pitch: float, seconds: float) -> Signal:
    """An open hi-hat."""
    return _metal("open hat", 0.5, 0.15)


def rim(pitch: float, seconds: float) -> Signal:
    """A short wooden click with a pitch, for the off-grid conversation."""
    t = _time(0.12)
    f = hertz(pitch)
    wood = (np.sin(2 * np.pi * f * t) + 0.6 * np.sin(2 * np.pi * 2.7 * f * t)) * np.exp(-t / 0.018)
    return _fade(_room(wood, tail_s=0.7, wet=0.3, name="rim room"), 0.05)


def tom(pitch: float, seconds: float) -> Signal:
    """A falling drum tone for fills."""
    t = _time(0.35)
    f = hertz(pitch)
    body = np.sin(2 * np.pi * (f * t + 0.8 * f * 0.04 * (1 - np.exp(-t / 0.04)))) * np.exp(-t / 0.11)
    return _fade(body + 0.1 * _band(_noise("tom", len(t)), 400, 4000) * np.exp(-t / 0.02), 0.05)


def crash(pitch: float, seconds: float) -> Signal:
    """A cymbal that says that a part begins."""
    return _fade(_metal("crash", 2.6, 0.7) * np.minimum(1, _time(2.6) / 0.002), 0.3)


def riser(pitch: float, seconds: float) -> Signal:
    """Noise and a tone that climb for the whole length: something is about to happen."""
    t = _time(seconds)
    u = t / seconds
    bands = [(200, 700), (700, 2000), (2000, 5000), (5000, 12000)]
    weights = [np.clip(1 - np.abs(u * 3 - i), 0, 1) for i in range(4)]
    source = _noise("riser", 1 << 16)  # a second and a half, repeated: nobody hears it under the climb
    loops = (np.resize(_band(source, *band), len(t)) / np.sqrt(band[1] / 4000) for band in bands)
    wind = sum(w * loop for w, loop in zip(weights, loops, strict=True))
    climb = np.sin(2 * np.pi * hertz(pitch) * seconds / (2 * np.log(2)) * (4**u - 1)) * 0.25
    return _fade((wind * 0.5 + climb) * u**1.7, 0.01)


def bass(pitch: float, seconds: float) -> Signal:
    """A saw through a low-pass that closes in 120 ms, over its own sine."""
    return _bass(pitch, seconds, open_hz=500.0)


def bass_bright(pitch: float, seconds: float) -> Signal:
    """The same bass with the filter open."""
    return _bass(pitch, seconds, open_hz=2600.0)


def _bass(pitch: float, seconds: float, *, open_hz: float) -> Signal:
    t = _time(seconds)
    f = hertz(pitch)
    cutoff = 140 + open_hz * np.exp(-t / 0.12)
    count = int(min(60, 4 * (140 + open_hz) / f))
    saw = _harmonics(f, t, lambda k: 1 / k / (1 + (k * f / cutoff) ** 4), count)
    shape = np.minimum(1, t / 0.004) * (0.35 + 0.65 * np.exp(-t / 0.25))
    return _fade(np.tanh(1.2 * (saw + 0.5 * np.sin(2 * np.pi * f * t))) * shape, min(0.03, seconds / 3))


def pluck(pitch: float, seconds: float) -> Signal:
    """A string whose overtones die first, in a hall."""
    t = _time(0.7)
    f = hertz(pitch)
    count = int(min(14, 9000 / f))
    string = _harmonics(f, t, lambda k: np.exp(-t * (5 + 3.2 * k)) / k, count) * np.minimum(1, t / 0.002)
    return _fade(_room(string, tail_s=1.4, wet=0.35, name="hall"), 0.1)


def bell(pitch: float, seconds: float) -> Signal:
    """Two-operator FM with the index falling (Chowning 1973), in a hall: the answer to the pluck."""
    t = _time(1.0)
    f = hertz(pitch)
    index = 2.2 * np.exp(-t / 0.18)
    tone = np.sin(2 * np.pi * f * t + index * np.sin(2 * np.pi * 3.01 * f * t)) * np.exp(-t / 0.28)
    return _fade(_room(tone * np.minimum(1, t / 0.002) * 0.7, tail_s=1.4, wet=0.4, name="hall"), 0.1)


def _pad(pitch: float, seconds: float, *, open_hz: float) -> Signal:
    """One long note by PADsynth (Nasca 2005): random phases, each harmonic smeared over a few cents.

    Dark and bright share their phases, so a cross-fade between them sounds like a filter that opens.
    """
    held = round((seconds + 0.9) * SAMPLE_RATE_HZ)
    n = _power_of_two(held)
    f0, df = hertz(pitch), SAMPLE_RATE_HZ / n
    spectrum = np.zeros(n // 2 + 1, complex)
    rng = np.random.default_rng(round(pitch * 16))
    for k in range(1, int(min(40, 9000 / f0)) + 1):
        width = max(0.006 * k * f0, 1.5 * df)
        near = np.arange(max(1, int((k * f0 - 4 * width) / df)), min(len(spectrum), int((k * f0 + 4 * width) / df)))
        hump = np.exp(-(((near * df - k * f0) / width) ** 2) / 2) * np.exp(2j * np.pi * rng.random(len(near)))
        spectrum[near] += hump / np.sqrt(len(near)) / k**0.9 / (1 + (k * f0 / open_hz) ** 4)
    x = np.fft.irfft(spectrum, n)[:held]
    x *= 0.25 / np.sqrt(np.mean(x**2))
    t = np.arange(held) / SAMPLE_RATE_HZ
    return np.asarray(x * np.clip(t / 0.35, 0, 1) * np.clip((seconds + 0.9 - t) / 0.9, 0, 1))


def pad_dark(pitch: float, seconds: float) -> Signal:
    """The pad with its filter closed."""
    return _pad(pitch, seconds, open_hz=500.0)


def pad_bright(pitch: float, seconds: float) -> Signal:
    """The pad with its filter open."""
    return _pad(pitch, seconds, open_hz=4000.0)


def stab(pitch: float, seconds: float) -> Signal:
    """A short bright piece of the pad, in a hall: chords as rhythm."""
    t = _time(0.25)
    saw = sum(
        _harmonics(hertz(pitch + d), t, lambda k: np.exp(-t * (6 + 1.5 * k)) / k, int(min(16, 9000 / hertz(pitch))))
        for d in (-0.08, 0.0, 0.09)
    )
    return _fade(_room(0.3 * saw * np.minimum(1, t / 0.003), tail_s=1.2, wet=0.4, name="hall"), 0.1)


VOICES: dict[str, Callable[[float, float], Signal]] = {
    f.__name__: f
    for f in (
        *(kick, snare, clap, hat, open_hat, rim, tom, crash, riser),
        *(bass, bass_bright, pluck, bell, stab, pad_dark, pad_bright),
    )
}
"""Voice -> sound(pitch in MIDI numbers, seconds held); each ignores what it does not need."""
PITCHED = frozenset({"bass", "bass_bright", "pluck", "bell", "stab", "pad_dark", "pad_bright", "rim", "tom", "riser"})
_HELD = frozenset({"bass", "bass_bright", "pad_dark", "pad_bright", "riser"})


def _key(voice: str, pitch: float, seconds: float) -> tuple[str, float, float]:
    """Notes that sound the same share one key."""
    return voice, pitch if voice in PITCHED else 0.0, seconds if voice in _HELD else 0.0


class Rack:
    """The instruments with the notes they have made, up to `limit` samples; the longest unused go first."""

    def __init__(self, limit: int = 24_000_000) -> None:
        self._made: dict[tuple[str, float, float], Sound] = {}
        self._size, self._limit = 0, limit

    def has(self, voice: str, pitch: float, seconds: float) -> bool:
        """Return whether the note has been made."""
        return _key(voice, pitch, seconds) in self._made

    def sound(self, voice: str, pitch: float, seconds: float) -> Sound:
        """Return the float32 sound of one note at unit gain; made on first use."""
        key = _key(voice, pitch, seconds)
        found = self._made.pop(key, None)
        if found is None:
            found = VOICES[voice](pitch, seconds).astype(np.float32)
            self._size += len(found)
        self._made[key] = found  # put back last: a dict keeps its order of insertion
        while self._size > self._limit:
            self._size -= len(self._made.pop(next(iter(self._made))))
        return found
