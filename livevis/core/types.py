"""The data that flows between stages: frozen, small, arrays read-only by convention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from livevis.core.errors import ConfigError, unknown
from livevis.core.features import FEATURES, INDEX, SAMPLE_RATE_HZ, SPECTRUM_BINS

Value = float | int | bool | str
Picture = npt.NDArray[np.uint8]
"""[height, width, 3] uint8 sRGB, top row first."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioFeatures:
    """What the analyser knows at the end of one hop.

    sample: absolute index one past the hop's last sample, at 48 kHz (the clock of audio).
    values: float64 [len(FEATURES)] in the order of `core.features.FEATURES`; heard.n is merged in after the analyser.
    spectrum: float32 [512] 0..1; waveform: float32 [512] -1..1.
    """

    sample: int
    values: npt.NDArray[np.float64]
    spectrum: npt.NDArray[np.float32]
    waveform: npt.NDArray[np.float32]

    def __getitem__(self, name: str) -> float:
        """Return one feature by name; raises ConfigError naming the nearest legal one."""
        try:
            return float(self.values[INDEX[name]])
        except KeyError:
            raise ConfigError(unknown("feature", name, INDEX)) from None

    @property
    def time_s(self) -> float:
        """Audio time in seconds since the stream began."""
        return self.sample / SAMPLE_RATE_HZ


def silent_features() -> AudioFeatures:
    """Return the features of a stream that has not begun: all zero, silence 1."""
    values = np.zeros(len(FEATURES))
    values[INDEX["silence"]] = 1.0
    zeros = np.zeros(SPECTRUM_BINS, np.float32)
    return AudioFeatures(0, values, zeros, zeros)


@dataclass(frozen=True, slots=True, eq=False)
class AudioEmbedding:
    """What a stretch of sound is, as one unit vector.

    sample: absolute index one past the newest sample heard (48 kHz); vector: float32 [width] of length 1;
    model: id of the network, whose words alone it can be compared with; window_s: seconds of sound heard.
    """

    sample: int
    vector: npt.NDArray[np.float32]
    model: str
    window_s: float

    def age_s(self, sample: int) -> float:
        """Seconds of sound that have come since, at absolute index `sample`."""
        return (sample - self.sample) / SAMPLE_RATE_HZ


TOGETHER = " + "
"""Between phrases that are listened for as sounding at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """An embedding and how like the asked phrases it is: phrase -> cosine, -1..1; "fire + rain" is both at once.

    logit_scale: what the model multiplies a cosine with before its softmax.
    """

    embedding: AudioEmbedding
    scores: Mapping[str, float]
    logit_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """How probable each phrase of heard/bank is, by position, 0..1.

    sample: absolute index one past the newest sample heard (48 kHz); window_s: seconds of sound heard.
    """

    sample: int
    window_s: float
    probabilities: tuple[float, ...]

    def age_s(self, sample: int) -> float:
        """Seconds of sound that have come since, at absolute index `sample`."""
        return (sample - self.sample) / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Controls:
    """One immutable snapshot of all effective parameter values for one frame of one consumer.

    version: grows by one with each applied batch of changes (a bundle is one batch).
    values: parameter id -> effective value, i.e. bounds(base + sum of routes).
    triggers: trigger id -> how often it has fired (monotone counters).
    """

    version: int
    values: Mapping[str, Value]
    triggers: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, id: str) -> Value:
        return self.values[id]

    def number(self, id: str) -> float:
        """Return a numeric parameter as a float."""
        return float(self.values[id])

    def text(self, id: str) -> str:
        """Return a text or enum parameter."""
        return str(self.values[id])


@dataclass(frozen=True, slots=True)
class Cue:
    """What the stage tells the generator for its next frame.

    frame: index of the generated frame (the clock of pictures); sample: audio heard so far (48 kHz index);
    time_s: picture time in seconds since the show began (frame / fps offline); motion follows it.
    features: the newest hop, for methods that read the sound itself.
    """

    frame: int
    sample: int
    time_s: float
    controls: Controls
    features: AudioFeatures = field(default_factory=silent_features)


@dataclass(frozen=True, slots=True)
class Edit:
    """One fader of semantic guidance: what the picture is pushed towards, and how far.

    text: empty is off; scale: 1 goes as far as the edited prompt would, below 0 pushes away from it; threshold: the
    quantile 0..1 of the edit's own strength that a latent entry must reach to be moved.
    """

    text: str = ""
    scale: float = 0.0
    threshold: float = 0.5

    @property
    def heard(self) -> bool:
        """Whether it pushes now (its momentum may ring on when it does not)."""
        return bool(self.text) and self.scale != 0.0


@dataclass(frozen=True, slots=True)
class Edits:
    """The faders of one frame (SEGA, Brack et al. 2023), and what they share.

    slots: by position, so that momentum finds its fader again; attention: pushes by what the word gains change;
    audio: by what the sound's rows say (their texts only name them); momentum_s: time constant of the momentum, 0 is
    none; gain: what a steady push grows to, >= 1; softness: of the threshold's edge, 0 is hard; warm_up: heard at
    timesteps below it.
    """

    slots: tuple[Edit, ...] = ()
    attention: Edit = Edit()
    audio: Edit = Edit()
    momentum_s: float = 0.0
    gain: float = 1.0
    softness: float = 0.0
    warm_up: float = 1000.0

    @property
    def faders(self) -> tuple[Edit, ...]:
        """All of them by position: the slots, then attention, then audio."""
        return (*self.slots, self.attention, self.audio)


@dataclass(frozen=True, slots=True)
class Attention:
    """How the word gains of one frame act (Prompt-to-Prompt, Hertz et al. 2022), and what the prompt is replaced by.

    maps: "own" | "base" (those of the picture without gains) | "renormalised"; clamp: limit of the output's norm as a
    multiple of what it was, 0 is none; spread: share of a gain on the prompt's end, 0..1; windows: (word, or "" for
    all; first step; stop), counted from 0, none is all steps, and unread: what was asked for but is no window; edit:
    another wording, played with the first one's maps for `inject` steps (of self-attention `inject_self`), `amount` of
    the way; blend: words that may change, none is all; blend_threshold: how plainly, as a share of where they show
    most.
    """

    maps: str = "own"
    clamp: float = 0.0
    spread: float = 0.0
    windows: tuple[tuple[str, int, int], ...] = ()
    unread: tuple[str, ...] = ()
    edit: str = ""
    amount: float = 1.0
    inject: int = 4
    inject_self: int = 0
    blend: tuple[str, ...] = ()
    blend_threshold: float = 0.3


@dataclass(frozen=True, slots=True)
class Nag:
    """Normalised attention guidance away from the negative prompt (Chen et al. 2025): scale >= 1, 1 is off."""

    scale: float = 1.0
    ratio: float = 2.5
    alpha: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class AudioTokens:
    """What the sound says in a text's place (TPoS): rows 1..T-1 of the text condition, float32 [tokens - 1, width].

    gain: (Nα)^k, which is in them already; amount: how much of them is to be played in the text's rows, 0..1.
    """

    rows: npt.NDArray[np.float32]
    gain: float
    amount: float


@dataclass(frozen=True, slots=True)
class Conditioning:
    """What a method asks the generator to show.

    prompts: up to four (text, weight >= 0); negative: used where the model has classifier-free guidance, and by `nag`;
    word_gains: word of the prompt -> attention strength (1 = unchanged; Hertz et al. 2022, attention re-weighting),
    and `attention`, how they act; edits: what the picture is pushed towards beside the prompts; tokens: what the sound
    says in the text's rows, None where nothing plays it.
    """

    prompts: tuple[tuple[str, float], ...]
    negative: str = ""
    word_gains: tuple[tuple[str, float], ...] = ()
    edits: Edits = Edits()
    attention: Attention = Attention()
    nag: Nag = Nag()
    tokens: AudioTokens | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One generated picture and where it came from.

    id: index of the generated frame; image: uint8 [H, W, 3]; controls_version: the Controls it obeyed;
    sample: the newest audio sample it heard (48 kHz index); started_s, done_s: wall seconds, measurement only.
    """

    id: int
    image: Picture
    controls_version: int
    sample: int
    started_s: float
    done_s: float
