"""The sound chooses the prompt: the one that names what is heard takes the blend over, the louder the further.

Beside AADiff, whose word is in the picture all the time: a gain says how strong a thing is, hardly whether it is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livevis.methods.choice import Candidate, within, words_of

SHARPNESS = 6.0
"""A prompt that names half of what is heard counts 64 times less than one that names it all."""
FAINTEST = 1e-4
"""What a prompt that is not heard keeps of its weight: its words stay words of the picture, a gain on them legal."""

Prompts = tuple[tuple[str, float], ...]


def taken(prompts: Prompts, found: Sequence[Candidate], weights: Mapping[str, float], depth: float) -> Prompts:
    """Move the shares of prompts (text, weight > 0) towards those that name what is heard, by `depth` 0..1.

    weights: name -> how far it is chosen, 0..1. At depth 0, with nothing heard, and for a single prompt, `prompts`
    itself; what no prompt names takes nothing over.
    """
    names = [_names(text, found) for text, _ in prompts]
    depth *= min(sum(weight for name, weight in weights.items() if any(name in each for each in names)), 1.0)
    claims = [claim(each, _sounding(each, found), weights) for each in names]
    best = max(claims, default=0.0)
    if depth <= 0.0 or best <= 0.0 or len(prompts) < 2:
        return prompts
    claims = [(each / best) ** SHARPNESS for each in claims]
    asked, whole = sum(weight for _, weight in prompts), sum(claims)
    return tuple(
        (text, max((1.0 - depth) * weight / asked + depth * each / whole, FAINTEST))
        for (text, weight), each in zip(prompts, claims, strict=True)
    )


def claim(names: frozenset[str], things: frozenset[str], weights: Mapping[str, float]) -> float:
    """How well a prompt fits what is heard, 0..1: what it names of it, beside what it lacks and what it names in vain.

    names: the prompt's words that may be heard; things: those of them that are missed when they are not heard.
    """
    shared = sum(weight for name, weight in weights.items() if name in names)
    lacking = sum(weight for name, weight in weights.items() if name not in names)
    vain = sum(1.0 - weights.get(name, 0.0) for name in things)
    return shared / (shared + lacking + vain) if shared > 0 else 0.0


def _names(text: str, found: Sequence[Candidate]) -> frozenset[str]:
    """The candidates' names that stand in `text`."""
    words = words_of(text)
    return frozenset(one.name for one in found if one.lifts and within(words_of(one.name), words))


def _sounding(names: frozenset[str], found: Sequence[Candidate]) -> frozenset[str]:
    """Those names that the bank gives a sound; where it gives none, all of them."""
    return frozenset(one.name for one in found if one.name in names and one.phrase != one.name) or names
