"""AudioFeatures as shaders see them: the lv_* numbers and the 512 x 2 sound texture."""

from __future__ import annotations

import math

import moderngl
import numpy as np

from livevis.core.features import HEARD_PHRASES, SPECTRUM_BINS
from livevis.core.types import AudioFeatures

_PLAIN: dict[str, str] = {
    "lv_level": "level",
    "lv_low": "lows.level",
    "lv_mid": "mids.level",
    "lv_high": "highs.level",
    "lv_sub": "sub.level",
    "lv_bass": "bass.level",
    "lv_low_mid": "low_mid.level",
    "lv_high_mid": "high_mid.level",
    "lv_onset": "onset.hit",
    "lv_beat": "beat.hit",
    "lv_beat_phase": "beat_phase",
    "lv_hit_low": "lows.hit",
    "lv_hit_mid": "mids.hit",
    "lv_hit_high": "highs.hit",
    "lv_time_low": "lows.time",
    "lv_time_mid": "mids.time",
    "lv_time_high": "highs.time",
    "lv_silence": "silence",
    "lv_tempo": "tempo",
    **{f"lv_heard_{n}": f"heard.{n}" for n in range(1, HEARD_PHRASES + 1)},
}
_CENTROID_HZ = (100.0, 10_000.0)


def live_values(features: AudioFeatures) -> dict[str, float]:
    """Return every lv_* uniform for one display frame; `lv_centroid` is 0..1 in octaves from 100 Hz to 10 kHz."""
    values = {uniform: features[name] for uniform, name in _PLAIN.items()}
    low, high = _CENTROID_HZ
    octaves = math.log(max(features["spectral_centroid"], low) / low) / math.log(high / low)
    values["lv_centroid"] = min(octaves, 1.0)
    return values


class SoundTexture:
    """512 x 2 texels: row 0 the spectrum 0..1, row 1 the waveform centred at 0.5 (the Shadertoy layout). `[main]`"""

    def __init__(self, ctx: moderngl.Context) -> None:
        self.texture = ctx.texture((SPECTRUM_BINS, 2), 1, dtype="f4")
        self.texture.repeat_x = self.texture.repeat_y = False
        self._rows = np.zeros((2, SPECTRUM_BINS), np.float32)

    def write(self, features: AudioFeatures) -> None:
        """Upload the newest hop (4 kB)."""
        self._rows[0] = features.spectrum
        self._rows[1] = 0.5 + 0.5 * features.waveform
        self.texture.write(self._rows)

    def release(self) -> None:
        """Free the texture."""
        self.texture.release()
