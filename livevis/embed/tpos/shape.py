"""The sizes of a TPoS encoder as plain data: the published ones, the pocket engine's, and tiny ones for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TposShape:
    """What goes in, the networks between, and what comes out; every number ends up in the folder's config.json.

    A window is `segments` stretches of `columns` mel columns each; live, one is embedded every `stride` columns.
    Raises ValueError where `stride` does not divide `columns`: a window's segments lie whole segments apart.
    """

    rate_hz: int = 48_000
    fft: int = 2048
    hop: int = 960
    bands: int = 64
    low_hz: float = 50.0
    high_hz: float = 14_000.0
    columns: int = 50
    segments: int = 5
    stride: int = 5
    stem: int = 24
    stages: tuple[int, ...] = (24, 48, 64, 96)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    width: int = 128
    hidden: int = 256
    tokens: int = 32
    text_width: int = 128

    def __post_init__(self) -> None:
        if self.columns % self.stride:
            raise ValueError(f"stride={self.stride}: must divide columns={self.columns}")

    @property
    def frames(self) -> int:
        """Mel columns of a whole window."""
        return self.segments * self.columns

    @property
    def window_s(self) -> float:
        """Seconds that a window spans."""
        return self.frames * self.hop / self.rate_hz


TPOS_SHAPES: Mapping[str, TposShape] = {
    "published": TposShape(
        rate_hz=44_100,
        fft=1024,
        hop=512,
        bands=128,
        low_hz=0.0,
        high_hz=22_050.0,
        columns=153,
        stride=9,  # 104 ms
        stem=64,
        stages=(64, 128, 256, 512),
        width=768,
        hidden=7680,
        tokens=77,
        text_width=768,
    ),
    # The mels are the pocket ears' (engines/pocket/clap), a window is as long as theirs.
    "pocket": TposShape(),
    "tiny": TposShape(
        columns=20, segments=3, stem=8, stages=(8, 12), blocks=(1, 1), width=16, hidden=24, text_width=24
    ),
}
