"""AADiff (Lee et al. 2023), live and causal: the sound chooses words of the prompt, its loudness is their attention.

The paper embeds the whole clip and smooths with a centred window; here a rolling embedding chooses (top k, with
hysteresis and a cross-fade), and the smoothed magnitude looks back only. Gain = 1 + amount (highest - 1) magnitude.
With `aadiff/takeover` the sound chooses among the prompts as well, which the paper does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import AudioFeatures, Conditioning, Controls, Heard
from livevis.methods import magnitude
from livevis.methods.choice import Candidate, candidates, choose, choose_set, fade, named, together
from livevis.methods.magnitude import Form, MagnitudeState
from livevis.methods.takeover import taken


@dataclass(frozen=True, slots=True)
class Settings:
    """The controls that the method obeys, read once a frame; see `livevis params` for each."""

    amount: float
    gain: float
    words: int
    form: Form
    window_s: float
    hysteresis: float
    crossfade_s: float
    listen_s: float
    bank: str
    takeover: float = 0.0
    full: float = 0.45


@dataclass(frozen=True, slots=True)
class AadiffState:
    """What one frame leaves to the next.

    magnitude: loudness so far; chosen: names chosen now, best first; weights: name -> how far it has faded in, 0..1;
    scores: of the phrases that were heard last.
    """

    magnitude: MagnitudeState = field(default_factory=MagnitudeState)
    chosen: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


def read_settings(controls: Controls) -> Settings:
    """Read the method's share of the controls."""
    number = controls.number
    return Settings(
        amount=number("aadiff/amount"),
        gain=number("aadiff/gain"),
        words=int(number("aadiff/words")),
        form=cast(Form, controls.text("aadiff/form")),
        window_s=number("aadiff/window"),
        hysteresis=number("aadiff/hysteresis"),
        crossfade_s=number("aadiff/crossfade"),
        listen_s=number("aadiff/listen"),
        bank=controls.text("aadiff/bank"),
        takeover=number("aadiff/takeover"),
        full=number("aadiff/full"),
    )


def listened_for(asked: Conditioning, settings: Settings) -> tuple[Candidate, ...]:
    """What the sound may be called: content words of the prompts at play, and the bank."""
    return candidates(tuple(text for text, weight in asked.prompts if weight > 0), settings.bank)


def phrases(state: AadiffState, asked: Conditioning, settings: Settings) -> tuple[str, ...]:
    """What the ears are to be asked about: every candidate's phrase, and what may sound at once where more are lifted.

    Of many candidates only those that were likeliest last time, so of these the first answer comes a moment later.
    """
    found = listened_for(asked, settings)
    sets = together(found, state.scores, count=settings.words)
    return tuple(dict.fromkeys((*(one.phrase for one in found), *sets)))


def init() -> AadiffState:
    """Return the state before the first frame: nothing heard, nothing chosen."""
    return AadiffState()


def step(
    state: AadiffState, features: AudioFeatures, heard: Heard | None, settings: Settings, asked: Conditioning
) -> tuple[AadiffState, Conditioning]:
    """Advance to the newest hop and add the sound's gains to those that were asked for.

    heard: the newest embedding, scored against the phrases of `listened_for`. In silence, at amount 0 and before
    anything was heard, `asked` itself is returned.
    """
    silent = features["silence"] > 0.5
    before_s = state.magnitude.time_s
    found = listened_for(asked, settings)
    loud = magnitude.step(
        state.magnitude,
        time_s=features.time_s,
        total=features["rms.time"],
        silent=silent,
        form=settings.form,
        window_s=settings.window_s,
    )
    now = replace(state, magnitude=loud)
    if before_s is not None and features.time_s > before_s:
        now = _listened(now, before_s, features.time_s, None if silent else heard, found, settings)
    return now, _lifted(asked, now, found, settings)


def _listened(
    state: AadiffState,
    before_s: float,
    now_s: float,
    heard: Heard | None,
    found: tuple[Candidate, ...],
    settings: Settings,
) -> AadiffState:
    """Fade with the old choice up to the moment that was heard, and with the new one from there on."""
    names = {one.name for one in found}
    chosen = tuple(name for name in state.chosen if name in names)
    turn_s = before_s
    if heard is not None:
        turn_s = min(max(heard.embedding.sample / SAMPLE_RATE_HZ, before_s), now_s)
        chosen = _chosen(state, heard, found, chosen, settings) or chosen
        state = replace(state, scores=heard.scores)
    weights = fade(state.weights, state.chosen, _share(turn_s - before_s, settings.crossfade_s))
    weights = fade(weights, chosen, _share(now_s - turn_s, settings.crossfade_s))
    return replace(state, chosen=chosen, weights=weights)


def _chosen(
    state: AadiffState, heard: Heard, found: tuple[Candidate, ...], held: tuple[str, ...], settings: Settings
) -> tuple[str, ...]:
    """The names that the sound is called, by sets where several are lifted and have been listened for as such."""
    scores = named(found, heard.scores)
    sets = together(found, state.scores, count=settings.words)
    if sets and len(held) == settings.words and any(phrase not in heard.scores for phrase in sets):
        return held  # the ears have not answered yet
    scored: dict[tuple[str, ...], float] = {}
    for phrase, names in sets.items():
        if phrase in heard.scores:
            scored[names] = max(scored.get(names, -2.0), heard.scores[phrase])
    if scored:
        return choose_set(scored, scores, held, margin=settings.hysteresis)
    return choose(scores, held, count=settings.words, margin=settings.hysteresis)


def _share(dt_s: float, crossfade_s: float) -> float:
    return min(dt_s / crossfade_s, 1.0) if crossfade_s > 0 else 1.0


def _lifted(asked: Conditioning, state: AadiffState, found: tuple[Candidate, ...], settings: Settings) -> Conditioning:
    """Append each lifted word's gain (the generator adds what is asked of one word twice), and turn to its prompt."""
    lift = settings.amount * (settings.gain - 1.0) * magnitude.level(state.magnitude)
    words = {one.name for one in found if one.lifts}
    gains = tuple((name, 1.0 + lift * weight) for name, weight in state.weights.items() if name in words)
    kept = tuple((name, gain) for name, gain in gains if gain != 1.0)
    depth = settings.amount * settings.takeover * magnitude.presence(state.magnitude, settings.full)
    prompts = taken(asked.prompts, found, state.weights, depth)
    if not kept and prompts is asked.prompts:
        return asked
    return replace(asked, prompts=prompts, word_gains=(*asked.word_gains, *kept))
