"""What a training run is told, its stages and their shares of the time, and the sizes of the networks: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from livevis.core.errors import ConfigError, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the networks that paint; every number ends up in the checkpoint's own config files."""

    vae_width: int = 32
    # No residual block at full resolution: there it costs as much as the whole UNet.
    vae_encoder_blocks: tuple[int, ...] = (0, 1, 2, 3)
    vae_decoder_blocks: tuple[int, ...] = (4, 3, 1, 0)
    unet_widths: tuple[int, ...] = (64, 96, 128)
    unet_layers: tuple[int, ...] = (1, 1, 2)
    unet_heads: tuple[int, ...] = (2, 3, 4)
    unet_groups: int = 16
    text_width: int = 128
    text_layers: int = 3
    text_heads: int = 4
    text_positions: int = 32
    vocabulary: int = 2048


SHAPES: dict[str, Shape] = {
    "pocket": Shape(),
    # For tests: the same classes and the same code path, small enough to learn nothing in a second.
    "tiny": Shape(
        vae_width=8,
        vae_encoder_blocks=(0, 0, 0, 1),
        vae_decoder_blocks=(1, 0, 0, 0),
        unet_widths=(16, 32, 32),
        unet_layers=(1, 1, 1),
        unet_heads=(1, 1, 1),
        unet_groups=8,
        text_width=16,
        text_layers=1,
        text_heads=2,
        vocabulary=640,
    ),
}

COMMANDS: Mapping[str, Mapping[str, float]] = {
    "pocket": {
        "pictures": 0.03,
        "autoencoder": 0.09,
        "latents": 0.03,
        "denoiser": 0.39,
        "naming": 0.02,
        "sharpen": 0.18,
        "decoder": 0.09,
        "judge": 0.04,
        "clip": 0.05,
        "clap": 0.08,
    },
    "vae": {"pictures": 0.3, "autoencoder": 0.7},
    "unet": {
        "pictures": 0.01,
        "latents": 0.03,
        "denoiser": 0.58,
        "naming": 0.02,
        "sharpen": 0.21,
        "decoder": 0.15,
    },
    "judge": {"judge": 1.0},
    "clip": {"clip": 1.0},
    "clap": {"clap": 1.0},
    "tpos": {"tpos": 1.0},
}
"""What can be trained, and the stages of each in the order in which they run, with their shares of its minutes."""

STAGES: Mapping[str, float] = COMMANDS["pocket"]
SEPARATE = ("judge", "clip", "clap", "tpos")
"""Stages with a folder of their own, `livevis.train.<stage>.training.train_<stage>(options, journal) -> figures`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketOptions:
    """One training run; `minutes` is wall time for all stages of `command` together."""

    command: str = "pocket"  # a key of COMMANDS
    minutes: float = 90.0
    resume: bool = False
    start: Path | None = None  # an exported engine whose weights are gone on from
    out: Path = Path("engines/pocket")
    work: Path | None = None  # pool and checkpoints; default: `<out>.work` beside the export
    size: int = 256  # picture side in pixels, a multiple of 64: half-size latents are trained on too
    seed: int = 0
    shape: str = "pocket"
    pictures: int = 16_000  # draws rendered into the pool
    held_out: int = 384  # draws kept for the reported figures
    batch: int = 16
    small_batch: int = 64  # batch of half-size latents, which cost a quarter
    small_share: float = 0.0  # part of the denoiser's time, from its beginning, that is spent on half-size latents
    crop: int = 128  # side of the crops that the autoencoder learns from, in pixels
    device: str = "auto"  # auto | cpu | cuda
    threads: int = 0  # 0: torch's own choice
    processes: int = 2  # that render the pool
    save_every_s: float = 180.0
    grid_every_s: float = 420.0
    export_every_s: float = 900.0

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise ValueError(f"minutes={self.minutes}: must be above 0")
        if self.size % 64 or self.size < 64:
            raise ValueError(f"size={self.size}: must be a multiple of 64")
        for name, known in (("shape", SHAPES), ("command", COMMANDS), ("device", ("auto", "cpu", "cuda"))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}: one of {', '.join(known)}")

    @property
    def workdir(self) -> Path:
        return self.work or self.out.with_name(self.out.name + ".work")

    @property
    def networks(self) -> Shape:
        return SHAPES[self.shape]

    def budget_s(self, stage: str) -> float:
        """Seconds that `stage` may take. Raises ConfigError for a stage that the command does not have."""
        shares = COMMANDS[self.command]
        if stage not in shares:
            raise ConfigError(unknown(f"stage of train {self.command}", stage, shares))
        return 60.0 * self.minutes * shares[stage]
