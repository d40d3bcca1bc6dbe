"""The contact sheet shows the video in order, from its beginning to its end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from livevis.stage.sheet import CELL_WIDTH_PX, CELLS, COLUMNS, ContactSheet


@pytest.mark.parametrize("count", [1, 5, CELLS, 25, 1440])
def test_cells_are_the_video_in_order(count: int, tmp_path: Path) -> None:
    sheet = ContactSheet(count, (64, 36))
    for index in range(count):
        sheet.add(index, np.full((36, 64, 3), index * 255 // max(count - 1, 1), np.uint8))
    sheet.save(tmp_path / "sheets" / "one.png")
    read = np.asarray(Image.open(tmp_path / "sheets" / "one.png"))
    height = round(CELL_WIDTH_PX * 36 / 64)
    cells = [
        read[row * height, column * CELL_WIDTH_PX, 0]
        for row in range(read.shape[0] // height)
        for column in range(read.shape[1] // CELL_WIDTH_PX)
    ][: min(CELLS, count)]
    assert read.shape[1] == min(count, COLUMNS) * CELL_WIDTH_PX
    assert list(cells) == sorted(cells)
    assert len(set(cells)) == min(CELLS, count)
