"""The grammar of captions: words that are true of a scene's inputs, and none that are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from livevis.core.errors import ConfigError, unknown

Words = tuple[str, ...]

LONGEST_WORDS = 20
STYLES: Words = ("wide shot", "cinematic", "digital art", "high detail")


@dataclass(frozen=True, slots=True)
class Wording:
    """How one scene is spoken of.

    `nouns` carry their article where they take one ("a fire", "rain"). `bands` are synonyms for equal bands
    of intensity, calm to raging. `settings` are true whatever the inputs. `behind` gives phrases that put a
    palette word after the noun ("sea at sunset"); a palette without one is an adjective ("blue fire").
    """

    nouns: Words
    bands: tuple[Words, ...]
    settings: Words
    behind: Mapping[str, Words] = field(default_factory=dict)


WORDINGS: Mapping[str, Wording] = {
    "fire": Wording(
        ("a fire", "flames", "a bonfire", "a burning fire", "fire"),
        (("small", "faint", "calm"), ("gentle", "low"), ("strong", "bright"), ("raging", "huge", "roaring")),
        ("at night", "in the dark", "on glowing coals", "with a black background"),
    ),
    "ocean_waves": Wording(
        ("an ocean", "ocean waves", "a sea", "waves on the ocean"),
        (("calm", "still"), ("gentle", "rolling"), ("rough", "choppy"), ("raging", "wild")),
        ("under the open sky", "to the horizon", "seen from a boat"),
        {
            "day": ("by day", "in daylight"),
            "sunset": ("at sunset",),
            "night": ("at night", "by night"),
            "storm": ("under a storm sky",),
        },
    ),
    "rain": Wording(
        ("rain", "a rain shower", "rainfall"),
        (("light", "calm"), ("gentle", "soft"), ("heavy", "dense"), ("torrential", "raging", "pouring")),
        ("over a lake", "over misty hills", "falling on water"),
    ),
    "lightning": Wording(
        ("lightning", "a thunderstorm", "a lightning storm", "a lightning strike"),
        (("faint", "calm"), ("gentle", "weak"), ("strong", "bright"), ("raging", "violent")),
        ("in the night sky", "over a plain", "in dark clouds"),
    ),
    "aurora": Wording(
        ("an aurora", "northern lights", "an aurora borealis", "polar lights"),
        (("faint", "calm"), ("gentle", "soft"), ("strong", "bright"), ("raging", "blazing")),
        ("over mountains", "over a lake", "in the night sky"),
    ),
    "underwater_bubbles": Wording(
        ("underwater bubbles", "bubbles", "rising bubbles", "air bubbles under water"),
        (("sparse", "calm"), ("gentle", "scattered"), ("strong", "many"), ("raging", "countless")),
        ("in the sea", "above the sea floor", "in shafts of light"),
        {
            "turquoise": ("in turquoise water",),
            "blue": ("in blue water",),
            "emerald": ("in emerald water",),
            "golden": ("in golden water",),
        },
    ),
    "volcano": Wording(
        ("a volcano", "a lava volcano"),
        (("quiet", "calm"), ("gentle", "simmering"), ("strong", "erupting"), ("raging", "exploding")),
        ("at night", "in the dark", "against the night sky"),
    ),
    "neon_tunnel": Wording(
        ("a neon tunnel", "a tunnel of neon lights", "a tunnel"),
        (("dim", "calm"), ("gentle", "soft"), ("strong", "bright"), ("raging", "blazing")),
        ("in the dark", "with glowing lines", "seen from inside"),
    ),
    "nebula": Wording(
        ("a nebula", "a space nebula", "clouds of gas in space"),
        (("dim", "calm"), ("gentle", "soft"), ("strong", "bright"), ("raging", "blazing")),
        ("with stars", "in deep space", "among the stars"),
    ),
    "jellyfish": Wording(
        ("jellyfish", "glowing jellyfish"),
        (("faint", "calm"), ("gentle", "soft"), ("strong", "bright"), ("raging", "blazing")),
        ("in dark water", "in the deep sea", "with long tentacles"),
    ),
    "snow": Wording(
        ("snow", "falling snow", "snowfall"),
        (("light", "calm"), ("gentle", "soft"), ("heavy", "dense"), ("raging", "blizzard")),
        ("over hills", "on a pine forest", "in winter"),
    ),
    "city_night": Wording(
        ("a city", "a city at night", "a skyline", "a city skyline"),
        (("sleeping", "calm", "dim"), ("gentle", "quiet"), ("strong", "bright"), ("raging", "blazing")),
        ("by the water", "with lit windows", "mirrored in black water"),
    ),
}


def intensity_words(scene: str, intensity: float) -> Words:
    """The words that may be said of `intensity` (0..1). Raises ConfigError for an unknown scene."""
    bands = _wording(scene).bands
    return bands[min(int(max(intensity, 0.0) * len(bands)), len(bands) - 1)]


def caption(scene: str, intensity: float, palette: str, rng: np.random.Generator) -> str:
    """One lower-case caption of at most 20 words, true of the inputs; `palette` is the palette's word.

    From "fire" over "blue fire" to "a raging blue fire at night, wide shot".
    Raises ConfigError for an unknown scene.
    """
    wording = _wording(scene)
    strength = _any(intensity_words(scene, intensity), rng)
    noun = _any(wording.nouns, rng)
    form = rng.random()
    if form < 0.08:
        return _bare(noun)
    if form < 0.2:
        return _bare(_qualified(noun, [palette]))
    if form < 0.28:
        return _bare(_qualified(noun, [strength]))
    if form < 0.5:
        return _bare(_qualified(noun, [strength, palette]))
    return _full(wording, noun, strength, palette, rng)


def _full(wording: Wording, noun: str, strength: str, palette: str, rng: np.random.Generator) -> str:
    behind = wording.behind.get(palette, ())
    after = behind and rng.random() < 0.7
    text = _qualified(noun, [strength] if after else [strength, palette])
    if after:
        text += " " + _any(behind, rng)
    if rng.random() < 0.6:
        text += " " + _any(wording.settings, rng)
    return text + (", " + _any(STYLES, rng) if rng.random() < 0.4 else "")


def _wording(scene: str) -> Wording:
    if scene not in WORDINGS:
        raise ConfigError(unknown("scene", scene, WORDINGS))
    return WORDINGS[scene]


def _any(words: Sequence[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _split_article(noun: str) -> tuple[bool, str]:
    first, _, rest = noun.partition(" ")
    return (True, rest) if first in ("a", "an") else (False, noun)


def _bare(text: str) -> str:
    return _split_article(text)[1]


def _qualified(noun: str, adjectives: Sequence[str]) -> str:
    """Put adjectives between article and noun: "an ocean", ["calm"] → "a calm ocean"."""
    countable, core = _split_article(noun)
    words = " ".join([*adjectives, core])
    if not countable:
        return words
    return ("an " if words[0] in "aeiou" else "a ") + words
