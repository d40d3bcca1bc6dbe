"""Rows of the parameter table that say what is shown and how sound steers it: prompts, attention, methods, guidance."""

from __future__ import annotations

from collections.abc import Iterable

from livevis.core.params import Param
from livevis.core.rows import choice, number, text, whole

PROMPT_SLOTS = 4
EDIT_SLOTS = 4


def _prompts() -> Iterable[Param]:
    for slot in range(1, PROMPT_SLOTS + 1):
        first = "a raging orange fire at night" if slot == 1 else ""
        yield text(f"prompt/text_{slot}", f"what the picture shows, slot {slot}", default=first)
    for slot in range(1, PROMPT_SLOTS + 1):
        doc = f"share of prompt {slot} in the blend; the weights are normalised to sum 1"
        yield number(f"prompt/weight_{slot}", slot == 1, 0, 1, doc, safe=(0, 1))
    yield text("prompt/negative", "what the picture must not show; acts where guidance or nag/scale is above 1")


def _guidance() -> Iterable[Param]:
    for slot in range(1, EDIT_SLOTS + 1):
        yield text(f"guidance/text_{slot}", f"what edit slot {slot} adds to the prompt; empty = off")
    for slot in range(1, EDIT_SLOTS + 1):
        doc = f"how far edit slot {slot} pushes: 1 = to the prompt with its text, below 0 = away from it"
        yield number(f"guidance/scale_{slot}", 0, -1, 2, doc, safe=(-1, 1))
    for slot in range(1, EDIT_SLOTS + 1):
        doc = f"share of the picture that edit slot {slot} leaves alone, the least edited first"
        yield number(f"guidance/threshold_{slot}", 0.5, 0, 1, doc, safe=(0, 1))
    yield number("guidance/momentum", 0.25, 0, 4, "how long edits swell and ring on, 0 = not", unit="s", safe=(0, 2))
    yield number("guidance/gain", 1.25, 1, 4, "what a steady edit swells to by momentum, 1 = not at all", safe=(1, 2))
    doc = "width of the threshold's edge: 0 is hard, 0.1 keeps the entries near it from flickering"
    yield number("guidance/softness", 0.1, 0, 1, doc, safe=(0, 1))
    doc = "edits act at the noise timesteps below this one: 1000 = at all, 500 = on finer things only"
    yield number("guidance/warm_up", 1000, 0, 1000, doc, safe=(0, 1000))


PROMPT = tuple(_prompts())
ATTENTION = (
    text("attention/word", "words of the prompt that the gain acts on, separated by commas"),
    number("attention/gain", 1, 0, 5, "attention strength of those words, 1 = unchanged", safe=(0, 4)),
    choice(
        "attention/maps",
        ("own", "base", "renormalised"),
        "whose maps gains act on: the picture's own, those of the picture without gains (keeps the layout), or own "
        "maps brought back to sum 1 (gentler)",
    ),
    number(
        "attention/clamp",
        0,
        0,
        4,
        "gains make attention's output at most this many times as strong as it was, 0 = no limit; 1.2 tames gain 5",
        safe=(0, 2),
    ),
    number("attention/spread", 0, 0, 1, "share of every gain that the end of the prompt gets too", safe=(0, 1)),
    text(
        "attention/steps", "denoising steps that gains act at, '2-4' or '1'; 'fire: 1, rain: 2-4' by word; empty = all"
    ),
    number(
        "attention/threshold",
        0,
        0,
        1,
        "share of the picture that gains leave alone, the least changed first, with guidance's momentum; 0 = off",
        safe=(0, 1),
    ),
    text(
        "attention/edit",
        "another wording of the prompt (of a blend: of its heaviest one), played with its maps; empty = off",
    ),
    number("attention/edit_amount", 1, 0, 1, "how far towards the other wording", safe=(0, 1)),
    whole("attention/inject", 4, 0, 4, "for how many denoising steps the other wording keeps the first one's maps"),
    whole("attention/inject_self", 0, 0, 4, "for how many steps it keeps the layout too (maps of self-attention)"),
    text("attention/blend", "words that may change in the picture, the rest is kept (LocalBlend); empty = everything"),
    number("attention/blend_threshold", 0.3, 0, 1, "how plainly a place must show those words to change", safe=(0, 1)),
)
AADIFF = (
    number("aadiff/amount", 0, 0, 1, "how far the sound chooses and lifts words of the prompt, 0 = off", safe=(0, 1)),
    number("aadiff/gain", 3, 0, 5, "attention strength of a chosen word where the sound is loudest", safe=(0, 4)),
    whole("aadiff/words", 1, 1, 4, "how many words are lifted at once: 1, or more for mixed sounds"),
    choice(
        "aadiff/form",
        ("window", "ema", "follower"),
        "how loudness is smoothed: trailing mean, exponential mean, or up at once and down slowly",
    ),
    number("aadiff/window", 2.5, 0.05, 10, "how long loudness is smoothed over", unit="s", curve="exp"),
    number("aadiff/hysteresis", 0.05, 0, 0.5, "by how much cosine another word has to win to be chosen"),
    number("aadiff/crossfade", 0.3, 0, 2, "fade from one chosen word to the next", unit="s"),
    number("aadiff/listen", 2.5, 0.5, 10, "how much of the newest sound words and heard/bank are scored by", unit="s"),
    number("aadiff/takeover", 0, 0, 1, "how far the prompt that names what is heard takes over as it gets louder"),
    number("aadiff/full", 0.45, 0.05, 1, "share of the recent loudest from which on a takeover is whole"),
    text("aadiff/bank", "what else may be heard, separated by commas; 'crackle: fire' lifts the prompt's word fire"),
)
HEARD = (
    text(
        "heard/bank",
        "what the sound may be, separated by commas: the nth of the first 8 is the feature heard.n for routes, "
        "its probability among them all; one alone is always 1, so name a rival",
    ),
)
TPOS = (
    number("tpos/amount", 0, 0, 1, "share of the sound's rows in the text that the picture is made from", safe=(0, 1)),
    number(
        "tpos/scale", 0, -1, 2, "how far the sound's rows push as an edit, 1 = to the picture of them", safe=(-1, 1)
    ),
    number("tpos/threshold", 0.5, 0, 1, "share of the picture that this edit leaves alone", safe=(0, 1)),
    number("tpos/k", 1, 0, 3, "how much it counts that a sound stands out, 0 = not at all", safe=(0, 2)),
    number("tpos/follow", 0.5, 0, 5, "how slowly the rows follow the sound", unit="s", safe=(0, 2)),
    choice(
        "tpos/voice",
        ("auto", "trained", "classes"),
        "who speaks: the engine's trained encoder, texts of sounds as CLAP hears them, or whichever is there",
    ),
    choice(
        "tpos/path",
        ("follow", "slerp"),
        "how the rows move: after the sound, or from segment to segment, which must be known ahead (render only)",
    ),
)
NAG = (
    number("nag/scale", 1, 1, 10, "how far attention is pushed away from prompt/negative, 1 = off", safe=(1, 6)),
    number("nag/ratio", 2.5, 1, 5, "how many times as strong attention may become by it", safe=(1, 3)),
    number("nag/alpha", 0.5, 0, 1, "share of the pushed attention in what is played", safe=(0, 1)),
)
GUIDANCE = tuple(_guidance())
