"""What TPoS is told: captions as vectors to agree with, and the states of a text that paints what is heard.

The states are not the sound caption's own. An engine has learnt pictures, in their words: "a crackling fire with drops
on a roof" is bytes to it, "raging fire" a picture. A sound that has no scene says nothing, which is the empty text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

MAIN = 0.5
"""Weight from which a sound is what a clip is about, and not what stands behind it."""


def picture_text(heard: Mapping[int, float], names: Sequence[str], strength: float | None = None) -> str:
    """The text of the picture that a clip sounds like: "raging fire", "rain beside fire", or "" for no scene.

    `heard`: weights by the sounds' places in `names`; `strength` 0..1 is said where one sound is heard alone.
    """
    from livevis.world.captions import intensity_words
    from livevis.world.wordings import WORDINGS

    main = [names[place] for place, weight in sorted(heard.items()) if weight >= MAIN and place < len(names)]
    scenes = [name for name in main if name in WORDINGS]
    nouns = [WORDINGS[name].nouns[0].removeprefix("a ").removeprefix("an ") for name in scenes]
    if len(main) == 1 and scenes and strength is not None:
        return f"{intensity_words(scenes[0], strength)[0]} {nouns[0]}"
    return " beside ".join(nouns)


class Told:
    """An engine's own text encoder and tokenizer; nothing of them learns, and what was asked once is kept."""

    def __init__(self, text: Any, tokenizer: Any):
        self._text, self._tokenizer = text.requires_grad_(False).eval(), tokenizer
        self.tokens, self.width = int(text.config.max_position_embeddings), int(text.config.hidden_size)
        self._kept: dict[str, Tensor] = {}

    def rows(self, texts: Sequence[str]) -> Tensor:
        """The states of tokens 1..T-1 of each text, float32 [B, tokens - 1, width]."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._kept]
        if fresh:
            self._kept |= dict(zip(fresh, self._encode(fresh).last_hidden_state[:, 1:], strict=True))
        return torch.stack([self._kept[text] for text in texts])

    def pooled(self, captions: Sequence[str]) -> Tensor:
        """The state of each caption's end, float32 [B, width]."""
        pooled: Tensor = self._encode(captions).pooler_output
        return pooled

    @torch.no_grad()
    def _encode(self, texts: Sequence[str]) -> Any:
        padded = self._tokenizer(list(texts), padding="max_length", max_length=self.tokens, truncation=True)
        return self._text(input_ids=torch.tensor(padded["input_ids"]))
