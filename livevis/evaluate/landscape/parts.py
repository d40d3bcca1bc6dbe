"""The three questions: does the picture follow the sound's swell, its changes, and two sounds at once?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.landscape.sounds import CROSSFADE_S, NINE, THINGS, Thing, followed, mixed, swell, take
from livevis.evaluate.landscape.stage import REST, Played, Theatre, Verdicts, prompts
from livevis.evaluate.sync.likeness import Likeness, follows, magnitude
from livevis.evaluate.sync.onsets import at_metric_rate

HEARD_FROM_S = 3.0
"""The choice counts from here on: until then the ears have little to go by."""
STAYS = 0.95
"""A scene is reached where it is named, and in so many of the frames that are left of its sound."""
CHANGES = ("rain", "fire", "wind_grass")
SLOW = {"aadiff/full": "1"}
"""A swell is played over the whole range of loudness; a preset for changes may be all there long before the top."""
WARM_UP_S = 1.0
"""The first second of a swell does not count in the correlation: nothing has been heard yet."""


@dataclass(frozen=True, slots=True)
class Swell:
    """How the likeness to `word` follows the magnitude (see `Following`), and how often the word is the chosen one."""

    sound: str
    word: str
    r: float
    lag_s: float
    r_at_0: float
    chance_p95: float
    chosen: float


@dataclass(frozen=True, slots=True)
class Change:
    """Seconds from where `sound` begins to fade in until the judge names it and stays with it; None: it never does."""

    take: int
    sound: str
    reached_s: float | None
    share: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Of the judged pictures, how many show both things of `sounds`.

    named: both sounding, one prompt that names both; called: both sounding, prompts for each and for both, of which the
    sound chooses; alone: the same with the first sounding alone; silent: the prompt that names both, without sound.
    chosen: listening frames at which the two best names are the two; strength of (first, second) of `named`, and of it
    with the first sounding alone.
    """

    sounds: tuple[str, str]
    named: float
    called: float
    alone: float
    silent: float
    chosen: float
    strength_both: tuple[float, float]
    strength_alone: tuple[float, float]


def share_chosen(heard: Sequence[tuple[str, ...]], words: Sequence[str], *, fps: float, from_s: float) -> float:
    """The share of frames from `from_s` on whose best names, as many as `words`, are exactly `words`."""
    counted = [set(names[: len(words)]) == set(words) for names in heard[round(from_s * fps) :]]
    return float(np.mean(counted)) if counted else 0.0


def reached(right: Sequence[bool], *, fps: float) -> float | None:
    """Seconds to the first frame that is right and STAYS of the rest of which are; None when there is none."""
    flags = np.asarray(right, bool)
    ahead = np.cumsum(flags[::-1])[::-1] / np.arange(len(flags), 0, -1)
    found = np.flatnonzero(flags & (ahead >= STAYS))
    return float(found[0] / fps) if len(found) else None


def share_both(found: npt.NDArray[np.bool_], a: int, b: int) -> float:
    """The share of pictures in which columns a and b of found [N, scenes] are both there."""
    return float((found[:, a] & found[:, b]).mean())


def swells(theatre: Theatre, clip: Path, *, things: Sequence[Thing], first: int, seconds: float, fps: float,
           seed: int) -> Iterator[Swell]:  # fmt: skip
    """Yield for each thing how a take of it, swelling and falling, is followed."""
    for thing in things:
        sound = take(thing.sound, first, seconds, swell(seconds))
        played = theatre.play(sound, {**prompts(REST, thing.said), **SLOW}, seconds=seconds, fps=fps)
        eye = Likeness(clip, [thing.word])
        count = sum(1 for _ in eye.looking(played.pictures))
        loud = magnitude(at_metric_rate(sound, SAMPLE_RATE_HZ), frames=count, fps=fps)
        skip = round(WARM_UP_S * fps)
        found = follows(loud[skip:], eye.curves[0][skip:], fps=fps, seed=seed)
        chosen = share_chosen(played.heard, (thing.word,), fps=fps, from_s=HEARD_FROM_S)
        yield Swell(thing.sound, thing.word, found.r, found.lag_s, found.r_at_0, found.chance_p95, chosen)


def changes(theatre: Theatre, *, takes: Sequence[int], each_s: float, fps: float) -> Iterator[tuple[Change, Played]]:
    """Yield for each take of rain, fire and wind, one after another, when each is reached, and its pictures.

    The prompts are the preset's own.
    """
    for number in takes:
        sounds = [take(name, number, each_s + CROSSFADE_S) for name in CHANGES]
        played = theatre.play(followed(sounds, each_s), {}, seconds=each_s * len(CHANGES), fps=fps)
        names, count = theatre.look(played.pictures).names, round(each_s * fps)
        for place, name in enumerate(CHANGES):
            part = slice(place * count, (place + 1) * count)
            right = [told == name for told in names[part]]
            change = Change(number, name, reached(right, fps=fps), float(np.mean(right)))
            yield change, Played(played.pictures[part], played.heard[part])


def all_pairs(count: int) -> list[tuple[Thing, Thing]]:
    """`count` of the 36 pairs of the nine, evenly spread over the list of all."""
    every = list(combinations(NINE, 2))
    count = min(count, len(every))
    return [every[at * len(every) // count] for at in range(count)]


def pairs(theatre: Theatre, wanted: Sequence[tuple[Thing, Thing]], *, first: int, seconds: float, judged_s: float,
          fps: float) -> Iterator[Pair]:  # fmt: skip
    """Yield for each pair what its mixture and its first sound alone bring into the picture, named and called."""
    how: dict[str, Any] = {"seconds": seconds, "fps": fps}
    for pair in wanted:
        a, b = pair
        one, other = (take(thing.sound, first, seconds) for thing in pair)
        joint, two = f"{a.said} over {b.said}", {"aadiff/words": "2"}
        named, called = {**prompts(joint), **two}, {**prompts(REST, a.said, b.said, joint), **two}
        plays = ((mixed([one, other]), named), (mixed([one, other]), called), (one, called), (one, named),
                 (np.zeros_like(one), named))  # fmt: skip
        played = [theatre.play(sound, settings, **how) for sound, settings in plays]
        last = round(judged_s * fps)
        seen = [theatre.look(each.pictures[-last:]) for each in played]
        places = seen[0].column(a.sound), seen[0].column(b.sound)
        by_name, by_call, alone, alone_named, silent = seen
        shares = [share_both(each.found, *places) for each in (by_name, by_call, alone, silent)]
        chosen = share_chosen(played[0].heard[-last:], (a.word, b.word), fps=fps, from_s=0.0)
        yield Pair((a.sound, b.sound), *shares, chosen, _strength(by_name, places), _strength(alone_named, places))


def _strength(seen: Verdicts, places: tuple[int, int]) -> tuple[float, float]:
    first, second = seen.strength[:, list(places)].mean(axis=0).tolist()
    return first, second


def things_named(names: str) -> list[Thing]:
    """Things by the names of their sounds, comma-separated; all nine for an empty text. Raises ConfigError."""
    from livevis.core.errors import ConfigError, unknown

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in THINGS:
            raise ConfigError(unknown("Landscape sound", name, THINGS))
    return [THINGS[name] for name in wanted] or list(NINE)
