"""A contact sheet: a whole video at one look."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from livevis.core.types import Picture

COLUMNS, CELLS, CELL_WIDTH_PX = 6, 24, 320


class ContactSheet:
    """Keeps CELLS pictures, evenly spaced, of the `count` that a video of `size` (width, height) has."""

    def __init__(self, count: int, size: tuple[int, int]) -> None:
        cells = min(CELLS, count)
        self._places = {round((cell + 0.5) * count / cells - 0.5): cell for cell in range(cells)}
        self._cell = (CELL_WIDTH_PX, max(1, round(CELL_WIDTH_PX * size[1] / size[0])))
        width, height = self._cell
        rows, columns = math.ceil(cells / COLUMNS), min(cells, COLUMNS)
        self.picture: Picture = np.zeros((rows * height, columns * width, 3), np.uint8)

    def add(self, index: int, picture: Picture) -> None:
        """Take the `index`-th picture of the video, uint8 [H, W, 3], if it is one of those on the sheet."""
        if index not in self._places:
            return
        from PIL import Image

        width, height = self._cell
        row, column = divmod(self._places[index], COLUMNS)
        small = np.asarray(Image.fromarray(picture).resize(self._cell, Image.Resampling.BOX))
        self.picture[row * height : (row + 1) * height, column * width : (column + 1) * width] = small

    def save(self, path: Path) -> None:
        """Write the sheet as a PNG, rows from left to right."""
        from PIL import Image

        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(self.picture).save(path)
