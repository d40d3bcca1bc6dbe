"""The rows of a guided batch: what the network is asked, and its answers taken apart.

Base rows come first: the prompt alone for models without classifier-free guidance (SD-Turbo, LCM, the pocket engine
at guidance 1), unconditional and prompt for the others. Edit rows follow. With fixed noise and start, the base rows
of the first step are constants of (prompt, seed, size) and can be kept (`recall`); the generator, whose start moves,
asks them each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from livevis.core.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """plain: the network's output as it would be played without edits; reference: what edits are measured against.

    guidance: how plain was made of the reference and the prompt's row, where these are two; own: what plain would be
    on the prompt's own maps, None where it is.
    """

    plain: Tensor
    reference: Tensor
    guidance: float | Tensor = 1.0
    own: Tensor | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BaseCache:
    """Base rows [1 | 2, C, h, w] of the last `key`: everything that they depend on, the start latent included."""

    key: Hashable = None
    rows: Tensor | None = None


def base(rows: Tensor, guidance: float | Tensor = 1.0) -> Base:
    """Build the base from its rows: [1, C, h, w] the prompt, or [2, C, h, w] unconditional and prompt.

    One row: edits are measured against the prompt and nothing is extrapolated. Two rows: classifier-free guidance
    (Ho and Salimans 2022, eq. 6) and edits measured against the unconditional row, as SEGA does.
    """
    if rows.shape[0] == 1:
        return Base(rows, rows)
    if rows.shape[0] != 2:
        raise ConfigError(f"base rows are 1 (prompt) or 2 (unconditional, prompt), not {rows.shape[0]}")
    return Base(torch.lerp(rows[:1], rows[1:], guidance), rows[:1], guidance)


def as_edit(base: Base, edited: Tensor) -> Tensor:
    """Return the edit row that stands for `edited` [1, C, h, w], another answer to the prompt's own row.

    With one base row that is `edited` itself. With guidance edits are measured against the unconditional row, but this
    one is a change of the prompt: measured against it, and amplified as guidance amplifies the prompt. So at scale 1
    and threshold 0 it gives the picture that is played with `edited` in the prompt's place, at any guidance.
    """
    own = base.plain if base.own is None else base.own
    if own is base.reference:
        return edited
    return base.reference + torch.lerp(base.reference, edited, base.guidance) - own


def split(outputs: Tensor, edits: int) -> tuple[Tensor, Tensor]:
    """Take the network's answer [base + edits, C, h, w] apart into base rows and edit rows."""
    return outputs[: outputs.shape[0] - edits], outputs[outputs.shape[0] - edits :]


def recall(cache: BaseCache, key: Hashable, ask: Callable[[], Tensor]) -> tuple[BaseCache, Tensor]:
    """Return the kept base rows if `key` is still theirs, otherwise `ask` the network for them and keep those."""
    if cache.rows is not None and cache.key == key:
        return cache, cache.rows
    rows = ask()
    return BaseCache(key, rows), rows


def attention_rows(text: Tensor, token_gain: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of thresholded attention: prompt [1, tokens, width] with gains 1, then with each of token_gain [n, tokens].

    The difference of such a row to the first is what Prompt-to-Prompt's re-weighting changes in the picture. Taken as
    an edit it can be confined to its strongest entries and given momentum; at scale 1 and threshold 0 it is the
    re-weighted picture itself.
    """
    plain = torch.ones_like(token_gain[:1])
    return text.expand(1 + token_gain.shape[0], *text.shape[1:]), torch.cat((plain, token_gain))
