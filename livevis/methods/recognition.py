"""The phrases of heard/bank as features: zero-shot probabilities of what the sound is (Elizalde et al. 2022).

The bank alone competes, never the prompt's words, so that a route does not jump when the prompt or AADiff is played.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import numpy as np

from livevis.core.features import HEARD, HEARD_PHRASES
from livevis.core.routes import Route
from livevis.core.types import AudioFeatures, Controls, Heard, Recognition


@lru_cache(maxsize=64)
def places(bank: str) -> tuple[str, ...]:
    """The bank's phrases by place, commas between them; an empty place keeps its number and is not listened for."""
    return tuple(phrase.strip() for phrase in bank.lower().split(","))


def phrases(controls: Controls) -> tuple[str, ...]:
    """What is listened for because of heard/bank, each phrase once; empty where nobody needs to listen."""
    return tuple(dict.fromkeys(phrase for phrase in places(controls.text("heard/bank")) if phrase))


def recognise(heard: Heard | None, controls: Controls) -> Recognition | None:
    """Softmax of the bank's cosines at the model's own logit scale; phrases beyond the eighth only compete.

    None while nothing is heard, nothing is asked for, or a new phrase has not been scored yet.
    """
    asked = phrases(controls)
    if heard is None or not asked or any(phrase not in heard.scores for phrase in asked):
        return None
    logits = heard.logit_scale * np.array([heard.scores[phrase] for phrase in asked])
    if not np.isfinite(logits).all():
        return None
    weights = np.exp(logits - logits.max())
    shares = dict(zip(asked, (weights / weights.sum()).tolist(), strict=True))
    placed = places(controls.text("heard/bank"))[:HEARD_PHRASES]
    known = tuple(float(shares.get(phrase, 0.0)) for phrase in placed)
    return Recognition(heard.embedding.sample, heard.embedding.window_s, known)


def likeliest(recognition: Recognition | None, controls: Controls) -> tuple[str, ...]:
    """The phrase with the highest probability among those that have a feature, or none."""
    if recognition is None or max(recognition.probabilities) == 0.0:
        return ()
    return (places(controls.text("heard/bank"))[int(np.argmax(recognition.probabilities))],)


def lacking(controls: Controls, routes: Iterable[Route], *, listener: bool = True) -> str:
    """One line on why a feature heard.n that was asked for stays at 0, or an empty string.

    listener: whether there is a generator process, in which the ears are.
    """
    if phrases(controls) and not listener:
        return "heard/bank: the generator process listens, and without one nobody does"
    placed = places(controls.text("heard/bank"))[:HEARD_PHRASES]
    named = {f"heard.{n}" for n, phrase in enumerate(placed, start=1) if phrase}
    asked = (route.source for route in routes if route.enabled and route.source.startswith("heard."))
    empty = next((source for source in asked if source not in named), None)
    return "" if empty is None else f"a route listens to {empty}, and heard/bank names no phrase in that place"


def merged(features: AudioFeatures, recognition: Recognition | None) -> AudioFeatures:
    """The analyser's features with heard.n filled in; the very same ones in silence and while nobody listens."""
    if recognition is None or features["silence"] > 0.5:
        return features
    values = features.values.copy()
    values[HEARD][: len(recognition.probabilities)] = recognition.probabilities
    return replace(features, values=values)
