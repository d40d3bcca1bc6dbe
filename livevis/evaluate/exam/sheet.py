"""A contact sheet of an engine: for each scene a render, made pictures, and the gain on its noun from 0 to 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from livevis.core.types import Picture
from livevis.evaluate.exam.exam import Exam
from livevis.evaluate.exam.gains import plain_prompt

CELL_PX, BLOCKS = 128, 2
GAINS = (0.0, 0.5, 1.0, 2.0, 3.0)
COLUMNS = (
    "render, 4 steps, 1 step, 1 step at 0.7 from another scene, then 4 steps with gain 0, 0.5, 1, 2, 3 on the noun"
)


def write_sheet(exam: Exam, path: Path) -> None:
    """Write the sheet as PNG: a row of COLUMNS for each scene, two blocks of rows side by side."""
    from PIL import Image

    draws = _one_of_each(exam)
    starts = exam.rendered(draws)
    rows = [_row(exam, drawn, starts[place], starts[place - 1]) for place, drawn in enumerate(draws)]
    high = -(-len(rows) // BLOCKS)
    blank = np.zeros_like(rows[0])
    rows += [blank] * (high * BLOCKS - len(rows))
    blocks = [np.concatenate(rows[at * high : (at + 1) * high], axis=0) for at in range(BLOCKS)]
    Image.fromarray(np.concatenate(blocks, axis=1)).save(path)


def _one_of_each(exam: Exam) -> list[Any]:
    """The first held-out draw of each scene alone, in the order of the scenes."""
    from livevis.train.judge.pool import chosen_draws

    wanted, found = 0, dict[str, Any]()
    while len(found) < len(exam.scenes):  # about ten times as many draws as scenes are enough
        wanted += 10 * len(exam.scenes)
        for drawn in chosen_draws(exam.seed, wanted, kind="held_out", parts=1):
            found.setdefault(drawn.parts[0].scene, drawn)
    return [found[scene] for scene in exam.scenes]


def _row(exam: Exam, drawn: Any, render: Picture, other: Picture) -> Picture:
    """The cells of one scene; `other` is a render of another scene, to start from."""
    text, noun = plain_prompt(drawn.parts[0].scene, 0)
    play, caption = exam.player, drawn.caption.text
    cells = [
        render,
        *(play.dream(caption, steps=steps, seed=exam.seed) for steps in (4, 1)),
        play.redraw(caption, other, strength=0.7, seed=exam.seed),
        *(play.dream(text, steps=4, seed=exam.seed, gains=((noun, gain),)) for gain in GAINS),
    ]
    return np.concatenate([_small(cell) for cell in cells], axis=1)


def _small(picture: Picture) -> Picture:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((CELL_PX, CELL_PX), Image.Resampling.BOX))
