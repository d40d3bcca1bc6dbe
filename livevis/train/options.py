"""What a pocket training run is told, and the sizes of the networks it trains: plain data, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the four networks; every number ends up in the checkpoint's own config files."""

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
    vocabulary: int = 1024


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

# Share of the minutes for each stage, in the order in which they run.
STAGES: dict[str, float] = {
    "pictures": 0.04,
    "autoencoder": 0.18,
    "latents": 0.06,
    "denoiser": 0.43,
    "sharpen": 0.17,
    "decoder": 0.12,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PocketOptions:
    """One training run of the pocket engine; `minutes` is wall time for all stages together."""

    minutes: float = 90.0
    resume: bool = False
    out: Path = Path("engines/pocket")
    work: Path | None = None  # pool and checkpoints; default: `<out>.work` beside the export
    size: int = 256  # picture side in pixels, a multiple of 32
    seed: int = 0
    shape: str = "pocket"
    pictures: int = 14_000  # draws rendered into the pool
    held_out: int = 256  # draws kept for the reported figures
    batch: int = 16
    crop: int = 128  # side of the crops that the autoencoder learns from, in pixels
    device: str = "auto"  # auto | cpu | cuda
    threads: int = 0  # 0: torch's own choice
    save_every_s: float = 180.0
    grid_every_s: float = 420.0
    export_every_s: float = 900.0

    def __post_init__(self) -> None:
        if self.minutes <= 0:
            raise ValueError(f"minutes={self.minutes}: must be above 0")
        if self.size % 32 or self.size < 32:
            raise ValueError(f"size={self.size}: must be a multiple of 32")
        if self.shape not in SHAPES:
            raise ValueError(f"shape={self.shape!r}: one of {', '.join(SHAPES)}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"device={self.device!r}: one of auto, cpu, cuda")

    @property
    def workdir(self) -> Path:
        return self.work or self.out.with_name(self.out.name + ".work")

    @property
    def networks(self) -> Shape:
        return SHAPES[self.shape]

    def budget_s(self, stage: str) -> float:
        """Seconds that `stage` may take."""
        return 60.0 * self.minutes * STAGES[stage]
