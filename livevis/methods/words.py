"""The performer's own words: prompts by weight, a negative prompt, and attention strength for chosen words."""

from __future__ import annotations

from dataclasses import replace

from livevis.core.types import Conditioning, Controls, Nag
from livevis.methods.attention import attention, words
from livevis.methods.choice import within, words_of
from livevis.methods.semantic import edits

PROMPTS = (1, 2, 3, 4)


def condition(controls: Controls) -> Conditioning:
    """Read prompt/*, attention/*, nag/* and guidance/* into a Conditioning; sound has already moved the values.

    Prompts without text or weight are left out; attention/word may hold several words, comma-separated. A word that
    only a prompt or another wording at rest holds is left out with it, here and in attention/steps, so that a look can
    name words before they are faded in.
    """
    texts = [(controls.text(f"prompt/text_{n}").strip(), controls.number(f"prompt/weight_{n}")) for n in PROMPTS]
    playing = tuple((text, weight) for text, weight in texts if text and weight > 0)
    gain, how = controls.number("attention/gain"), attention(controls)
    every = [*texts, (how.edit, how.amount)]
    resting, heard = ([words_of(text) for text, weight in every if (weight > 0) is on] for on in (False, True))

    def rests(word: str) -> bool:
        found = words_of(word)
        return any(within(found, text) for text in resting) and not any(within(found, text) for text in heard)

    return Conditioning(
        prompts=playing,
        negative=controls.text("prompt/negative").strip(),
        word_gains=tuple((word, gain) for word in words(controls.text("attention/word")) if not rests(word)),
        edits=edits(controls),
        attention=replace(how, windows=tuple(one for one in how.windows if not one[0] or not rests(one[0]))),
        nag=Nag(controls.number("nag/scale"), controls.number("nag/ratio"), controls.number("nag/alpha")),
    )
