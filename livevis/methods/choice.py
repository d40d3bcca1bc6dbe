"""Which words of the prompt the sound names: candidates, a choice that does not flutter, and its cross-fade."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from livevis.core.types import TOGETHER

_WORD = re.compile(r"[^\W\d_]+")
_UNHEARD = """
a an the and or but nor of in on at by to from with without within into onto over under above below beside between
behind before after near next along across through against among around inside outside upon up down out off as is
are was were be been being it its this that these those there here his her their my your our no not very some many
much more most few all each every other another both one two three while when where which who whose red orange
yellow green blue cyan turquoise teal indigo violet purple pink magenta white black grey gray brown golden gold
silver copper amber crimson scarlet emerald azure dark bright pale light deep vivid colourful colorful big small
huge tiny large little great long short high low tall wide raging calm gentle soft strong heavy faint wild fierce
mild slow fast quiet loud busy night day evening morning dusk dawn noon sunset sunrise winter summer cinematic
digital art detail concert visuals photo picture image painting drawing style view scene sound close far seen full
beautiful abstract glowing
"""
"""Words that name nothing that sounds: of grammar, colour, size, strength, time and style."""
_SILENT = frozenset(_UNHEARD.split())


SHORTLIST = 8
"""Of so many phrases all that may sound at once are listened for: of eight 28 pairs."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phrase that may be heard and what it stands for: a word of a playing prompt (`lifts`), or nothing in it."""

    phrase: str
    name: str
    lifts: bool


@lru_cache(maxsize=64)
def candidates(texts: tuple[str, ...], bank: str) -> tuple[Candidate, ...]:
    """The content words of the prompts' texts, then the bank's: `phrase` or `phrase: word`, separated by commas.

    A phrase of the bank whose word is in no prompt is heard all the same, and lifts nothing; all phrases of one word
    are one name, so that they never take two places among the chosen.
    """
    spoken = [words_of(text) for text in texts]
    found = [Candidate(word, word, True) for words in spoken for word in words if word not in _SILENT and len(word) > 1]
    for entry in bank.lower().split(","):
        phrase, _, target = (part.strip() for part in entry.partition(":"))
        word = target or phrase
        if phrase:
            lifts = any(within(words_of(word), words) for words in spoken)
            found.append(Candidate(phrase, word, lifts))
    return tuple(dict.fromkeys(found))


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def within(wanted: Sequence[str], words: Sequence[str]) -> bool:
    """Whether the words `wanted` stand side by side in `words`."""
    size = len(wanted)
    return size > 0 and any(list(words[at : at + size]) == list(wanted) for at in range(len(words) - size + 1))


def named(found: Sequence[Candidate], scores: Mapping[str, float]) -> dict[str, float]:
    """Each candidate's name with the best score of its phrases; phrases that were not scored yet are left out."""
    best: dict[str, float] = {}
    for one in found:
        if one.phrase in scores:
            best[one.name] = max(best.get(one.name, -2.0), scores[one.phrase])
    return best


def choose(scores: Mapping[str, float], chosen: Sequence[str], *, count: int, margin: float) -> tuple[str, ...]:
    """The `count` best names, best first; one that is chosen already gives way only to a score higher by more than
    `margin`."""
    held = set(chosen)
    order = sorted(scores, key=lambda name: (-(scores[name] + margin * (name in held)), name not in held))
    return tuple(order[:count])


def together(found: Sequence[Candidate], scores: Mapping[str, float], *, count: int) -> dict[str, tuple[str, ...]]:
    """What may be heard at once: phrase of `count` candidates with different names -> their names.

    Of more than SHORTLIST candidates the likeliest names by the last `scores`, each by its likeliest phrase; before the
    first, and for one alone, none. In the order of `found`: two that change places are the same set.
    """
    listed = sorted((one for one in found if one.phrase in scores), key=lambda one: scores[one.phrase])
    likeliest = {one.name: one for one in listed}
    short = sorted(likeliest.values(), key=lambda one: -scores[one.phrase])[:SHORTLIST]
    kept = found if len(found) <= SHORTLIST else [one for one in found if one in short]
    sets = combinations(kept, count) if count > 1 else iter(())
    return {
        TOGETHER.join(one.phrase for one in some): tuple(one.name for one in some)
        for some in sets
        if len({one.name for one in some}) == count
    }


def choose_set(
    sets: Mapping[tuple[str, ...], float], scores: Mapping[str, float], chosen: Sequence[str], *, margin: float
) -> tuple[str, ...]:
    """The names that score best together, the likeliest alone first; a set loses `margin` for names not yet chosen."""
    held = set(chosen)
    best = max(sets, key=lambda names: sets[names] - margin * len(set(names) - held) / len(names))
    return tuple(sorted(best, key=lambda name: -scores.get(name, -1.0)))


def fade(weights: Mapping[str, float], chosen: Sequence[str], share: float) -> dict[str, float]:
    """Move every weight 0..1 towards 1 where chosen and 0 elsewhere by `share` of the way; names at 0 are dropped."""
    moved = {
        name: min(max(weights.get(name, 0.0) + (share if name in chosen else -share), 0.0), 1.0)
        for name in dict.fromkeys((*chosen, *weights))
    }
    return {name: weight for name, weight in moved.items() if weight > 0.0}
