"""A contact sheet of an engine: for each scene a render, made pictures, and the gain on its noun from 0 to 3."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livevis.core.types import Picture
from livevis.evaluate.engine_exam import Exam
from livevis.evaluate.engine_gains import plain_prompt

CELL_PX, BLOCKS = 128, 2
GAINS = (0.0, 0.5, 1.0, 2.0, 3.0)
COLUMNS = (
    "render, 4 steps, 1 step, 1 step at 0.7 from another scene, then 4 steps with gain 0, 0.5, 1, 2, 3 on the noun"
)


def write_sheet(exam: Exam, path: Path) -> None:
    """Write the sheet as PNG: a row of COLUMNS for each scene, two blocks of rows side by side."""
    from PIL import Image

    rows = [_row(exam, scene) for scene in exam.scenes]
    high = -(-len(rows) // BLOCKS)
    blank = np.zeros_like(rows[0])
    rows += [blank] * (high * BLOCKS - len(rows))
    blocks = [np.concatenate(rows[at * high : (at + 1) * high], axis=0) for at in range(BLOCKS)]
    Image.fromarray(np.concatenate(blocks, axis=1)).save(path)


def _row(exam: Exam, scene: str) -> Picture:
    places = [place for place, drawn in enumerate(exam.asked) if drawn.parts[0].scene == scene]
    text, noun = plain_prompt(scene, 0)
    play, cells = exam.player, []
    if places:
        here = places[0]
        caption, seed = exam.asked[here].caption.text, exam.seed + here
        cells = [
            exam.renders[here],
            *(play.dream(caption, steps=steps, seed=seed) for steps in (4, 1)),
            play.redraw(caption, exam.starts[here], strength=0.7, seed=seed),
        ]
    else:
        cells = [np.zeros((play.size, play.size, 3), np.uint8)] * 4
    cells += [play.dream(text, steps=4, seed=exam.seed, gains=((noun, gain),)) for gain in GAINS]
    return np.concatenate([_small(cell) for cell in cells], axis=1)


def _small(picture: Picture) -> Picture:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((CELL_PX, CELL_PX), Image.Resampling.BOX))
