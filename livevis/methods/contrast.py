"""How much now stands out against its window: the gain of TPoS's temporal attention, N times the newest weight.

A sound that stays as it is has gain 1, whatever its logits; a window's gains average 1 and none reaches above N. The
logits may be a trained encoder's or, where there is none, the logarithm of the loudness: then the gain is the
loudness now over the window's mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ

QUIETEST_RMS = 1e-4
"""-80 dB: what is quieter is silence, and silence does not stand out against silence."""


def window_gain(logits: npt.NDArray[np.floating]) -> float:
    """N·softmax(logits)[-1] of a window of N logits, the newest last: 0..N, and exactly 1 where all are equal."""
    numbers = np.asarray(logits, np.float64)
    weights = np.exp(numbers - numbers.max())
    return float(weights[-1] / weights.mean())


def loudness_logit(rms: float) -> float:
    """The logit of a sound of this root mean square (full scale is 1)."""
    return math.log(max(rms, QUIETEST_RMS))


@dataclass(frozen=True, slots=True)
class Running:
    """The endless form: log Σ ρ^age·e^logit over all that was heard, and Σ ρ^age, the N that it amounts to."""

    log_sum: float = -math.inf
    count: float = 0.0
    sample: int = 0


def running_gain(state: Running, logit: float, *, sample: int, memory_s: float) -> tuple[Running, float]:
    """Hear one logit at `sample` (48 kHz index, rising); return its gain against all before it and itself.

    What was heard fades by e every `memory_s` (above 0), so the gain is the window's, with a window that fades out.
    """
    fade = (sample - state.sample) / (SAMPLE_RATE_HZ * memory_s)
    heard = Running(
        log_sum=float(np.logaddexp(state.log_sum - fade, logit)),
        count=state.count * math.exp(-fade) + 1.0,
        sample=sample,
    )
    return heard, math.exp(logit + math.log(heard.count) - heard.log_sum)
