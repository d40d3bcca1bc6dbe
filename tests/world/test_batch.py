"""Pictures from several processes are the pictures of one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livevis.core.errors import ConfigError
from livevis.world.batch import CHUNK, render_many
from livevis.world.render import SceneRenderer
from livevis.world.scenes import draw


def test_every_row_is_its_draw_and_progress_counts_rows(tmp_path: Path) -> None:
    indices = list(range(3, 3 + 2 * (CHUNK + 4), 2))
    out = np.memmap(tmp_path / "pool.u8", np.uint8, "w+", offset=64, shape=(len(indices), 32, 32, 3))
    told = list(render_many(2, indices, out))
    assert told == [CHUNK, len(indices)]
    with SceneRenderer(32) as renderer:
        for row, index in enumerate(indices):
            np.testing.assert_array_equal(out[row], renderer.render(draw(2, index)))


def test_leaving_early_stops(tmp_path: Path) -> None:
    out = np.memmap(tmp_path / "pool.u8", np.uint8, "w+", shape=(6 * CHUNK, 16, 16, 3))
    for done in render_many(2, range(6 * CHUNK), out, processes=1):
        assert done == CHUNK
        break
    assert out[:CHUNK].any(axis=(1, 2, 3)).all() and not out[-CHUNK:].any()


def test_a_wrong_file_is_refused(tmp_path: Path) -> None:
    out = np.memmap(tmp_path / "pool.u8", np.uint8, "w+", shape=(4, 8, 8, 3))
    with pytest.raises(ConfigError, match=r"must be uint8 \(5, size, size, 3\)"):
        next(render_many(2, range(5), out))
