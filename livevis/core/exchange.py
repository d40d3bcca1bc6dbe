"""Hand-overs between processes through shared memory: samples, newest values, newest pictures.

Nothing here waits or locks. Each channel has one writer; a reader that was overtaken notices it by re-reading the
published counter after the copy (seqlock style) and tries again.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from multiprocessing import shared_memory
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.core.types import Picture

_SLOTS = 3
_MAILBOX_BYTES = 1 << 18


def _buffer(memory: shared_memory.SharedMemory) -> memoryview:
    assert memory.buf is not None, "the block is closed"
    return memory.buf


class _Shared:
    """A named block of shared memory whose first bytes are int64 counters."""

    _counters = 8

    def __init__(self, memory: shared_memory.SharedMemory, *, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self._bytes: memoryview = _buffer(memory)
        self._head: npt.NDArray[np.int64] = np.ndarray((self._counters,), np.int64, self._bytes)

    @property
    def name(self) -> str:
        """The name by which another process attaches."""
        return self._memory.name

    @classmethod
    def attach(cls, name: str) -> Self:
        """Open the block that another process created under `name`."""
        return cls(shared_memory.SharedMemory(name=name), owner=False)

    @classmethod
    def _allocate(cls, size: int) -> shared_memory.SharedMemory:
        memory = shared_memory.SharedMemory(create=True, size=8 * cls._counters + size)
        _buffer(memory)[: 8 * cls._counters] = bytes(8 * cls._counters)
        return memory

    def close(self) -> None:
        """Release the block; the process that created it also removes it."""
        self.__dict__ = {"_memory": self._memory, "_owner": self._owner}
        try:
            self._memory.close()
        except BufferError:  # somebody still holds a view: the mapping goes with the process
            self._memory.close = lambda: None  # type: ignore[method-assign]
        if self._owner:
            self._owner = False
            self._memory.unlink()


class SampleRing(_Shared):
    """The last seconds of mono float32 sound at 48 kHz, addressed by absolute sample index.

    One writer, many readers, any process. Counters: written, gaps (times something was lost), lost (samples).
    """

    def __init__(self, memory: shared_memory.SharedMemory, *, owner: bool) -> None:
        super().__init__(memory, owner=owner)
        self._capacity = int(self._head[3]) if not owner else (memory.size - 64) // 4
        self._data: npt.NDArray[np.float32] = np.ndarray((self._capacity,), np.float32, memory.buf, offset=64)

    @classmethod
    def create(cls, seconds: float = 16.0) -> Self:
        """Make a ring that holds `seconds` of sound."""
        capacity = round(seconds * SAMPLE_RATE_HZ)
        ring = cls(cls._allocate(4 * capacity), owner=True)
        ring._capacity = capacity
        ring._head[3] = capacity
        return ring

    @property
    def written(self) -> int:
        """Absolute index one past the newest sample."""
        return int(self._head[0])

    @property
    def gaps(self) -> int:
        """How many times sound was lost before it reached the ring."""
        return int(self._head[1])

    @property
    def lost(self) -> int:
        """How many samples were replaced by silence because of gaps."""
        return int(self._head[2])

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """[audio] Copy `block` [n] float32 behind the newest sample, then publish it."""
        start = self._head[0] % self._capacity
        first = min(len(block), self._capacity - start)
        self._data[start : start + first] = block[:first]
        if first < len(block):
            self._data[: len(block) - first] = block[first:]
        self._head[0] += len(block)

    def skip(self, n: int) -> None:
        """[audio] Put `n` samples of silence where sound was lost; skips with no sound between them are one gap."""
        self._head[1] += self._head[4] != self._head[0] or self._head[0] == 0
        left = n
        while left > 0:
            start = int(self._head[0] % self._capacity)
            now = min(left, self._capacity - start)
            self._data[start : start + now] = 0.0
            self._head[0] += now
            left -= now
        self._head[2] += n
        self._head[4] = self._head[0]

    def read(self, start: int, n: int) -> npt.NDArray[np.float32] | None:
        """Copy samples [start, start + n); None when not yet written or already overwritten."""
        out = np.empty(n, np.float32)
        return out if self.read_into(start, out) else None

    def read_into(self, start: int, out: npt.NDArray[np.float32]) -> bool:
        """[audio] Copy samples from `start` into all of `out` [n]; False where `read` would return None."""
        n = len(out)
        if start < 0 or start + n > self.written or n > self._capacity:
            return False
        at = start % self._capacity
        first = min(n, self._capacity - at)
        out[:first] = self._data[at : at + first]
        out[first:] = self._data[: n - first]
        return bool(self.written - start <= self._capacity)

    @property
    def oldest(self) -> int:
        """Smallest index that can still be read."""
        return max(0, self.written - self._capacity)


class Mailbox(_Shared):
    """The newest value one process has for another: pickled, latest wins, never blocks."""

    @classmethod
    def create(cls) -> Self:
        """Make an empty mailbox."""
        return cls(cls._allocate(_SLOTS * (_MAILBOX_BYTES + 8)), owner=True)

    def _slot(self, sequence: int) -> int:
        return 8 * self._counters + (sequence % _SLOTS) * (_MAILBOX_BYTES + 8)

    def put(self, value: Any) -> None:
        """Publish `value`; raises ValueError when it pickles to more than 256 KiB."""
        data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
        if len(data) > _MAILBOX_BYTES:
            raise ValueError(f"mailbox value of {len(data)} bytes; at most {_MAILBOX_BYTES} fit")
        sequence = int(self._head[0]) + 1
        at = self._slot(sequence)
        self._bytes[at : at + 8] = len(data).to_bytes(8, "little")
        self._bytes[at + 8 : at + 8 + len(data)] = data
        self._head[0] = sequence

    def get(self) -> tuple[int, Any] | None:
        """Return (sequence, newest value), or None while nothing was put."""
        while sequence := int(self._head[0]):
            at = self._slot(sequence)
            size = int.from_bytes(self._bytes[at : at + 8], "little")
            data = bytes(self._bytes[at + 8 : at + 8 + size])
            if self._head[0] - sequence < _SLOTS - 1:
                return sequence, pickle.loads(data)
        return None


@dataclass(frozen=True, slots=True)
class FrameMeta:
    """What travels with a picture: its frame index, the controls version it obeyed, the newest audio sample it heard
    (48 kHz index), and when its making began and ended (wall seconds, measurement only)."""

    id: int
    controls_version: int = 0
    sample: int = 0
    started_s: float = 0.0
    done_s: float = 0.0


_META = np.dtype([("id", "i8"), ("version", "i8"), ("sample", "i8"), ("started", "f8"), ("done", "f8")])


class SharedFrames(_Shared):
    """Three picture slots [height, width, 3] uint8 between two processes: the newest wins."""

    def __init__(self, memory: shared_memory.SharedMemory, *, owner: bool) -> None:
        super().__init__(memory, owner=owner)
        self._view()

    @classmethod
    def create(cls, height: int, width: int) -> Self:
        """Make three empty slots for pictures of one size."""
        memory = cls._allocate(_SLOTS * (_META.itemsize + height * width * 3))
        np.ndarray((cls._counters,), np.int64, memory.buf)[1:3] = height, width
        return cls(memory, owner=True)

    def _view(self) -> None:
        height, width = int(self._head[1]), int(self._head[2])
        base = 8 * self._counters
        self._meta: npt.NDArray[Any] = np.ndarray((_SLOTS,), _META, self._bytes, offset=base)
        self._images: Picture = np.ndarray(
            (_SLOTS, height, width, 3), np.uint8, self._bytes, offset=base + _SLOTS * _META.itemsize
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of the slots."""
        return (int(self._head[1]), int(self._head[2]), 3)

    @property
    def count(self) -> int:
        """How many pictures have been put so far."""
        return int(self._head[0])

    def put(self, image: Picture, meta: FrameMeta) -> None:
        """Copy a picture into the next slot and publish it."""
        sequence = int(self._head[0]) + 1
        slot = sequence % _SLOTS
        self._images[slot] = image
        self._meta[slot] = (meta.id, meta.controls_version, meta.sample, meta.started_s, meta.done_s)
        self._head[0] = sequence

    def newest(self, after: int = 0) -> tuple[int, Picture, FrameMeta] | None:
        """Return (sequence, a copy of the picture, its meta) when newer than sequence `after`, else None."""
        while (sequence := int(self._head[0])) > after:
            slot = sequence % _SLOTS
            image = self._images[slot].copy()
            row = self._meta[slot].copy()
            if self._head[0] - sequence < _SLOTS - 1:
                meta = FrameMeta(
                    int(row["id"]),
                    int(row["version"]),
                    int(row["sample"]),
                    float(row["started"]),
                    float(row["done"]),
                )
                return sequence, image, meta
        return None
