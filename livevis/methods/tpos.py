"""TPoS played live: what is heard now becomes rows of the text condition (Jeong et al., ICCV 2023).

c_t = N^k α_t^k s_t of the newest segment is followed on the sphere instead of looking a segment ahead (1.78 s in the
paper), and a voice says it as rows 1..T-1; row 0 stays the text's own. The voice is MAP of a trained encoder, or,
where an engine has none, texts of sound classes mixed by how likely CLAP finds each: then it says so.

The follower turns c, before the voice; the released code slerps the rows behind MAP from one segment to the next as one
long vector, which `sphere.between` does where the next segment is known, in `render`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from livevis.core.types import AudioTokens
from livevis.methods.contrast import window_gain
from livevis.methods.sphere import Follower, aim, as_point, retime, settled

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is played: amount 0..1 of the audio's rows in the text's; k >= 0, how much attention counts (0: not at
    all, the paper's is 1); follow_s >= 0, the time constant with which the rows follow the sound."""

    amount: float = 1.0
    k: float = 1.0
    follow_s: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """What is heard at `sample` (48 kHz index, one past the newest sample used): a vector [D], gain 0..N."""

    sample: int
    vector: npt.NDArray[np.floating]
    gain: float


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """How a vector c [D] becomes rows float32 [tokens - 1, text_width], and one sentence on where they come from."""

    says: str
    rows: Callable[[F64], F32]


@dataclass(frozen=True, slots=True, eq=False)
class TposState:
    """The voice, and the follower once something has been heard."""

    voice: Voice
    follower: Follower | None = None


def init(voice: Voice) -> TposState:
    """Nothing heard yet."""
    return TposState(voice)


def step(
    state: TposState, segments: Sequence[Segment], *, sample: int, settings: Settings
) -> tuple[TposState, AudioTokens | None]:
    """Hear the segments that are new since the last frame, oldest first; return what to say at `sample` (48 kHz).

    None before the first segment. Where the rows are is a function of the segments and of `sample`, not of the frames
    between, as long as `follow_s` stays; k acts at once. A segment from after `sample` counts from the frame on.
    """
    follower = state.follower
    for segment in segments:
        point, at = as_point(segment.vector, segment.gain), min(segment.sample, sample)
        follower = aim(follower, point, at) if follower else settled(point, at, settings.follow_s)
    if follower is None:
        return state, None
    follower = retime(follower, settings.follow_s, sample)
    now = follower.at(sample)
    length, gain = np.exp(now.logs * (1.0, settings.k))
    tokens = AudioTokens(state.voice.rows(length * gain * now.direction), float(gain), settings.amount)
    return replace(state, follower=follower), tokens


def heard(sample: int, states: npt.NDArray[np.floating], logits: npt.NDArray[np.floating]) -> Segment:
    """The newest segment of a window that a trained encoder heard: states [N, D], logits [N], the newest last."""
    return Segment(sample, states[-1], window_gain(logits))


def over_text(text: F32, tokens: AudioTokens | None) -> F32:
    """The text's rows [T, text_width] with the audio's in rows 1..T-1, by amount; at 0 the text bit for bit."""
    if tokens is None or tokens.amount == 0:
        return text
    amount, mixed = np.float32(tokens.amount), text.copy()
    mixed[1:] = (1 - amount) * text[1:] + amount * tokens.rows
    return mixed


def class_voice(rows_by_class: F32, *, engine: str, why: str) -> Voice:
    """The voice of an engine without trained weights: texts of classes [C, tokens - 1, text_width], see `class_heard`.

    `why` is what is missing; `says` is the sentence for the performer.
    """
    shape = rows_by_class.shape[1:]
    says = f"TPoS on {engine}: {why}; it plays the texts of {len(rows_by_class)} sounds, mixed as CLAP hears them"
    return Voice(says, lambda vector: vector.reshape(shape).astype(np.float32))


def class_heard(sample: int, probabilities: npt.NDArray[np.floating], rows_by_class: F32, *, gain: float) -> Segment:
    """What stands in for an encoder: the classes' rows [C, tokens - 1, text_width] mixed by probability [C].

    `gain` is `contrast`'s, of the logits of the loudness. Raises ValueError where the two do not fit each other.
    """
    shares = np.asarray(probabilities, np.float64)
    if shares.shape != rows_by_class.shape[:1] or shares.min() < 0 or not shares.sum() > 0:
        raise ValueError(f"probabilities of shape {shares.shape} for {len(rows_by_class)} classes: one each, not all 0")
    mixed = np.tensordot(shares / shares.sum(), rows_by_class.astype(np.float64), axes=1)
    return Segment(sample, mixed.ravel(), gain)
