"""Many pictures at once: one renderer in each of a few processes, writing into one file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from livevis.core.errors import ConfigError
from livevis.world.render import SceneRenderer
from livevis.world.scenes import draw

CHUNK = 32


def render_many(
    seed: int, indices: Sequence[int], out: np.memmap, *, supersample: int = 1, processes: int = 2
) -> Iterator[int]:
    """Render the draws `indices` of world `seed` into the rows of `out`, uint8 [len(indices), size, size, 3] on disk.

    Yields how many rows, counted from the first, are finished so far; leaving the loop early stops the work.
    Software OpenGL gets one thread in each process, which is faster than one process with all threads.
    Raises ConfigError where `out` is no such file, StageError without OpenGL.
    """
    if out.dtype != np.uint8 or out.ndim != 4 or out.shape != (len(indices), out.shape[1], out.shape[1], 3):
        raise ConfigError(f"out is {out.dtype} {out.shape}; it must be uint8 ({len(indices)}, size, size, 3)")
    if out.filename is None:
        raise ConfigError("out must be a memory map of a file, for every process writes to it")
    place = (str(out.filename), out.offset, out.shape)
    starts = range(0, len(indices), CHUNK)
    jobs = [(seed, tuple(indices[first : first + CHUNK]), first) for first in starts]
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (*place, supersample)) as pool:
        try:
            yield from pool.map(_render, jobs)
        finally:
            pool.shutdown(cancel_futures=True)


_worker: dict[str, object] = {}
"""What a worker process keeps between its chunks: the file and its renderer."""


def _begin(filename: str, offset: int, shape: tuple[int, ...], supersample: int) -> None:
    os.environ["LP_NUM_THREADS"] = "1"  # llvmpipe reads it when the context is made
    _worker["out"] = np.memmap(filename, np.uint8, "r+", offset, shape)
    _worker["renderer"] = SceneRenderer(shape[1], supersample=supersample)


def _render(job: tuple[int, tuple[int, ...], int]) -> int:
    """Fill one chunk's rows; the row after its last."""
    seed, indices, first = job
    out, renderer = _worker["out"], _worker["renderer"]
    assert isinstance(out, np.memmap) and isinstance(renderer, SceneRenderer)
    for row, index in enumerate(indices, first):
        out[row] = renderer.render(draw(seed, index))
    return first + len(indices)
