"""What is said of a sound: phrases with a place for a word of strength, and the words for each band of intensity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """How one sound is spoken of: `forms` hold one {} where a word of its `bands` (four, calm to raging) may go."""

    forms: Words
    bands: tuple[Words, Words, Words, Words]


_MUSIC = (("calm", "quiet"), ("gentle", "soft"), ("strong", "loud"), ("raging", "very loud"))

WORDINGS: Mapping[str, Wording] = {
    "fire": Wording(
        ("a {} crackling fire", "the sound of a {} fire", "a {} fire burning", "{} crackle of a fire"),
        (("small", "calm", "faint"), ("gentle", "low"), ("strong", "big"), ("raging", "huge", "roaring")),
    ),
    "ocean_waves": Wording(
        ("{} ocean waves", "the sound of {} waves on the ocean", "{} ocean waves breaking on a beach",
         "a {} ocean surf"),
        (("calm", "small"), ("gentle", "rolling"), ("rough", "strong"), ("raging", "huge", "crashing")),
    ),
    "rain": Wording(
        ("{} rain", "the sound of {} rain", "{} rain falling", "{} rain with drops on a roof"),
        (("light", "calm"), ("gentle", "soft"), ("heavy", "strong"), ("pouring", "raging", "torrential")),
    ),
    "lightning": Wording(
        ("{} thunder", "the sound of {} thunder", "a {} thunderstorm", "{} thunder rolling across the sky"),
        (("distant", "calm", "faint"), ("gentle", "low"), ("strong", "loud"), ("raging", "violent", "cracking")),
    ),
    "underwater_bubbles": Wording(
        ("{} underwater bubbles", "the sound of {} bubbles under water", "{} bubbles rising",
         "{} streams of bubbles under water"),
        (("sparse", "calm"), ("gentle", "scattered"), ("strong", "many"), ("raging", "countless")),
    ),
    "volcano": Wording(
        ("a {} volcano", "the sound of a {} volcano", "the rumble of a {} volcano", "a {} volcano erupting"),
        (("quiet", "calm"), ("gentle", "simmering"), ("strong", "loud"), ("raging", "exploding")),
    ),
    "waterfall": Wording(
        ("a {} waterfall", "the sound of a {} waterfall", "{} water falling over rocks, a waterfall"),
        (("small", "calm"), ("gentle", "soft"), ("strong", "powerful"), ("raging", "thundering", "roaring")),
    ),
    "squishing_mud": Wording(
        ("{} squishing mud", "the sound of {} wet mud", "{} mud squelching underfoot", "{} steps in mud"),
        (("slow", "calm"), ("gentle", "soft"), ("strong", "heavy"), ("raging", "frantic")),
    ),
    "wind_grass": Wording(
        ("{} wind in the grass", "the sound of {} wind over grass", "{} wind rustling the grass",
         "{} gusts of wind in grass"),
        (("faint", "calm"), ("gentle", "soft"), ("strong", "gusty"), ("raging", "howling")),
    ),
    "splashing_water": Wording(
        ("{} splashing water", "the sound of {} splashing water", "{} splashes in water", "{} water splashing"),
        (("small", "calm"), ("gentle", "soft"), ("strong", "big"), ("raging", "wild", "huge")),
    ),
    "forest": Wording(
        ("a {} forest with birds", "the sound of a {} forest", "birds singing in a {} forest",
         "{} birdsong in a forest"),
        (("quiet", "calm"), ("gentle", "soft"), ("lively", "busy"), ("raging", "wild")),
    ),
    "snow": Wording(
        ("{} wind over snow", "steps crunching in snow, {} wind", "the sound of {} wind and crunching snow",
         "{} winter wind blowing snow"),
        (("light", "calm", "faint"), ("gentle", "soft"), ("strong", "fierce"), ("raging", "howling")),
    ),
    "city_night": Wording(
        ("a {} city at night", "the sound of a {} city", "{} traffic in a city", "{} city traffic and horns"),
        (("sleepy", "calm"), ("gentle", "quiet"), ("busy", "strong"), ("raging", "roaring")),
    ),
    "desert": Wording(
        ("{} desert wind", "the sound of a {} desert", "{} wind blowing sand in a desert", "{} wind over desert dunes"),
        (("quiet", "calm", "faint"), ("gentle", "soft"), ("strong", "whistling"), ("raging", "howling")),
    ),
    "crystal": Wording(
        ("{} crystal chimes", "the sound of {} crystal", "{} ringing crystal glass", "a {} crystal tinkling"),
        (("sparse", "calm"), ("gentle", "soft"), ("strong", "sparkling"), ("raging", "dazzling")),
    ),
    "circuit": Wording(
        ("a {} electric circuit", "the hum of a {} circuit", "the sound of a {} circuit bleeping",
         "{} circuit bleeps and hum"),
        (("idle", "calm"), ("gentle", "soft"), ("busy", "strong"), ("raging", "frantic", "sparking")),
    ),
    "nebula": Wording(
        ("the drone of a {} nebula", "the sound of a {} nebula", "a {} nebula in deep space",
         "a {} space drone, a nebula"),
        (("faint", "calm", "dim"), ("gentle", "soft"), ("strong", "powerful"), ("raging", "roaring")),
    ),
    "neon_tunnel": Wording(
        ("a {} neon tunnel", "the sound of a {} neon tunnel", "whooshing through a {} neon tunnel",
         "a {} synth tunnel ride"),
        (("slow", "calm"), ("gentle", "soft"), ("fast", "strong"), ("raging", "racing")),
    ),
    "lava_lamp": Wording(
        ("a {} lava lamp", "the sound of a {} lava lamp", "the glug of a {} lava lamp",
         "{} gloopy bubbling of a lava lamp"),
        (("slow", "calm"), ("gentle", "soft"), ("strong", "lively"), ("raging", "boiling")),
    ),
    "coral": Wording(
        ("a {} coral reef", "the sound of a {} coral reef", "the crackle of a {} coral reef",
         "{} shrimps snapping on coral"),
        (("quiet", "calm"), ("gentle", "soft"), ("lively", "strong"), ("raging", "teeming")),
    ),
    "mandala": Wording(
        ("{} singing bowls of a mandala", "the sound of a {} mandala", "{} mandala gongs and bowls",
         "a {} mandala chant"),
        (("slow", "calm"), ("gentle", "soft"), ("strong", "powerful"), ("raging", "ecstatic")),
    ),
    "aurora": Wording(
        ("a {} whistling aurora", "the sound of a {} aurora", "{} radio whistles of an aurora",
         "a {} crackling aurora"),
        (("faint", "calm"), ("gentle", "soft"), ("strong", "vivid"), ("raging", "blazing")),
    ),
    "drums": Wording(
        ("{} drums", "a {} drum beat", "the sound of {} drums", "a {} drum loop"), _MUSIC),
    "bass": Wording(
        ("a {} bass line", "a {} synth bass", "the sound of {} bass", "a {} bass guitar riff"), _MUSIC),
    "pads": Wording(
        ("{} synth pads", "{} ambient pads", "the sound of {} synthesizer chords", "a {} pad chord"), _MUSIC),
    "babble": Wording(
        ("{} people talking", "{} voices", "the sound of {} speech", "{} babble of voices"),
        (("calm", "quiet"), ("gentle", "relaxed"), ("loud", "lively"), ("raging", "very loud")),
    ),
    "applause": Wording(
        ("{} applause", "{} clapping", "the sound of {} applause", "a {} audience clapping"),
        (("sparse", "calm"), ("gentle", "polite"), ("strong", "loud"), ("raging", "thunderous")),
    ),
}  # fmt: skip


def plain(form: str) -> str:
    """Return a form without a word of strength: "a {} crackling fire" -> "a crackling fire"."""
    return said(form, "")


def said(form: str, strength: str) -> str:
    """Return a form with a word of strength, spaces and the article put right."""
    words = form.format(strength).split()
    for k, word in enumerate(words[:-1]):
        if word in {"a", "an"}:
            words[k] = "an" if words[k + 1][0] in "aeiou" else "a"
    return " ".join(words).replace(" ,", ",")
