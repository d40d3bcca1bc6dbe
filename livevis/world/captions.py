"""The grammar of captions: words that are true of what is drawn, and none that are not.

Phenomenon × intensity word × light or colour × camera × style × setting; two parts are joined by their relation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livevis.core.errors import ConfigError, unknown
from livevis.world.wordings import BANDS, WORDINGS, Words

Inputs = Mapping[str, float | int]

LONGEST_WORDS = 24
RELATIONS = ("over", "beside", "inside")
JOINTS: Mapping[str, Words] = {
    "over": ("over", "above"),
    "beside": ("beside", "next to"),
    "inside": ("inside", "within"),
}
STYLES: Words = ("cinematic", "digital art", "high detail", "concert visuals")
CLOSE_BELOW, FAR_ABOVE = 0.25, 0.75
MIDDLES = tuple((band + 0.5) / BANDS for band in range(BANDS))
UNSAID = 0.5
"""The intensity that a caption stands for where it says none."""
HIGHEST_GAIN = 3.0
HIGHEST_PLAYED = 0.9999


@dataclass(frozen=True, slots=True)
class Part:
    """One thing in a picture: a scene, its inputs and a time in seconds."""

    scene: str
    inputs: Inputs
    time: float


@dataclass(frozen=True, slots=True)
class Caption:
    """One lower-case caption and where its words come from, in the order of the parts.

    `nouns`: the noun of each part as it stands in the text, without article. `strengths`: the intensity word of
    each part, "" where none is said. `bands`: the band (0 calm .. 3 raging) that word names, None where none.
    """

    text: str
    nouns: Words
    strengths: Words
    bands: tuple[int | None, ...]

    @property
    def said(self) -> tuple[float, ...]:
        """The intensity that the caption says of each part: the middle of its band, 0.5 where none is said."""
        return tuple(UNSAID if band is None else MIDDLES[band] for band in self.bands)


def band_of(intensity: float) -> int:
    """The band (0 calm .. 3 raging) in which an intensity 0..1 lies."""
    return min(int(max(intensity, 0.0) * BANDS), BANDS - 1)


def intensity_words(scene: str, intensity: float) -> Words:
    """The words that may be said of `intensity` (0..1). Raises ConfigError for an unknown scene."""
    if scene not in WORDINGS:
        raise ConfigError(unknown("scene", scene, WORDINGS))
    return WORDINGS[scene].bands[band_of(intensity)]


def played_intensity(band: int | None, gain: float) -> float:
    """The intensity that a word of `band` (None: no word) stands for at token gain ≥ 0: 1 − (1 − middle)^gain."""
    middle = UNSAID if band is None else MIDDLES[band]
    return float(1.0 - (1.0 - middle) ** gain)


def gain_for(intensity: float, band: int | None) -> float:
    """The token gain at which a word of `band` stands for `intensity` (0..1): `played_intensity`'s inverse.

    May exceed HIGHEST_GAIN (see `bands_for`); an intensity of 1, which no gain reaches, counts as 0.9999.
    """
    middle = UNSAID if band is None else MIDDLES[band]
    return float(np.log1p(-min(intensity, HIGHEST_PLAYED)) / np.log1p(-middle)) + 0.0


def bands_for(intensity: float, highest_gain: float = HIGHEST_GAIN) -> tuple[int, ...]:
    """The bands whose words can stand for `intensity` at a gain of at most `highest_gain`; the last always."""
    able = [band for band in range(BANDS - 1) if gain_for(intensity, band) <= highest_gain]
    return (*able, BANDS - 1)


def caption(
    parts: Sequence[Part],
    relation: str,
    rng: np.random.Generator,
    *,
    bands: Sequence[int | None] | None = None,
) -> Caption:
    """One caption of at most 24 words, true of every part; `relation` joins two parts and is "" for one.

    From "fire" over "blue fire" to "a raging blue fire over a calm ocean at sunset, close-up, cinematic".
    `bands` gives the band to be said of each part (None: say nothing) in place of the true one.
    Raises ConfigError for an unknown scene or relation, or a wrong number of parts or bands.
    """
    _check(parts, relation, bands)
    said = [_speak(part, rng, len(parts) > 1, i, bands) for i, part in enumerate(parts)]
    if len(said) == 2 and said[0].strength == said[1].strength:
        said[1] = _another_word(said[1], rng)
    return _compose(said, relation, rng, _camera_words(parts))


@dataclass(slots=True)
class _Spoken:
    """One part's words before they are put in order; `extras` may be dropped where the caption grows too long."""

    scene: str
    noun: str
    band: int | None
    strength: str
    palette: str
    behind: str
    setting: str


def _check(parts: Sequence[Part], relation: str, bands: Sequence[int | None] | None) -> None:
    for part in parts:
        if part.scene not in WORDINGS:
            raise ConfigError(unknown("scene", part.scene, WORDINGS))
    if len(parts) == 2 and relation not in RELATIONS:
        raise ConfigError(unknown("relation", relation, RELATIONS))
    if len(parts) not in (1, 2) or (len(parts) == 1) != (relation == ""):
        raise ConfigError(f"{len(parts)} parts with relation '{relation}'; say one part with '', or two with another")
    if bands is not None and len(bands) != len(parts):
        raise ConfigError(f"{len(bands)} bands for {len(parts)} parts")


def _speak(
    part: Part, rng: np.random.Generator, mixed: bool, place: int, bands: Sequence[int | None] | None
) -> _Spoken:
    """Choose one part's words: a bare noun now and then, most often a strength and a colour with it."""
    wording = WORDINGS[part.scene]
    noun, palette = _any(wording.nouns, rng), wording.palettes[int(part.inputs["palette"])]
    wants_strength, wants_palette, wants_setting = rng.random(3) < (0.6, 0.5, 0.2) if mixed else _form(rng)
    band = band_of(float(part.inputs["intensity"])) if wants_strength else None
    if bands is not None:
        band = bands[place]
    phrases = wording.behind.get(palette, ())
    behind = _any(phrases, rng) if wants_palette and phrases and rng.random() < 0.65 else ""
    return _Spoken(
        scene=part.scene,
        noun=noun,
        band=band,
        strength="" if band is None else _any(wording.bands[band], rng),
        palette=palette if wants_palette and not behind else "",
        behind=behind,
        setting=_any(wording.settings, rng) if wants_setting and (not mixed or place == 1) else "",
    )


def _form(rng: np.random.Generator) -> tuple[bool, bool, bool]:
    """Whether a lone part has a strength, a palette, a setting."""
    form = rng.random()
    strength, palette = form < 0.08 or form >= 0.18, form >= 0.08
    return (False, False, False) if form >= 0.94 else (strength, palette, bool(form >= 0.5 and rng.random() < 0.6))


def _another_word(spoken: _Spoken, rng: np.random.Generator) -> _Spoken:
    """Another word of the same band, so that no intensity word stands in a caption twice."""
    if spoken.band is not None:
        words = WORDINGS[spoken.scene].bands[spoken.band]
        others = [word for word in words if word != spoken.strength]
        spoken.strength = _any(others, rng) if others else spoken.strength
    return spoken


def _camera_words(parts: Sequence[Part]) -> str:
    views = [float(part.inputs.get("camera", 0.5)) for part in parts]
    if all(view < CLOSE_BELOW for view in views):
        return "close-up"
    return "wide shot" if all(view > FAR_ABOVE for view in views) else ""


def _compose(said: Sequence[_Spoken], relation: str, rng: np.random.Generator, camera: str) -> Caption:
    articles = bool(said[0].setting) or rng.random() < 0.6
    joint = f" {_any(JOINTS[relation], rng)} " if relation else ""
    ends = [camera if rng.random() < 0.5 else "", _any(STYLES, rng) if rng.random() < 0.3 else ""]
    text = joint.join(_phrase(spoken, articles) for spoken in said)
    for extra in (" " + said[-1].setting, *(", " + end for end in ends)):
        if extra.strip(" ,") and len((text + extra).split()) <= LONGEST_WORDS:
            text += extra
    return Caption(
        text,
        tuple(_split_article(spoken.noun)[1] for spoken in said),
        tuple(spoken.strength for spoken in said),
        tuple(spoken.band for spoken in said),
    )


def _phrase(spoken: _Spoken, article: bool) -> str:
    adjectives = [word for word in (spoken.strength, spoken.palette) if word]
    phrase = _qualified(spoken.noun, adjectives)
    if not article:
        phrase = _split_article(phrase)[1]
    return f"{phrase} {spoken.behind}".rstrip()


def _any(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _split_article(noun: str) -> tuple[bool, str]:
    first, _, rest = noun.partition(" ")
    return (True, rest) if first in ("a", "an") else (False, noun)


def _qualified(noun: str, adjectives: Sequence[str]) -> str:
    """Put adjectives between article and noun: "an ocean", ["calm"] → "a calm ocean"."""
    countable, core = _split_article(noun)
    words = " ".join([*adjectives, core])
    if not countable:
        return words
    return ("an " if words[0] in "aeiou" else "a ") + words
