"""Where a UNet attends to the text, read from its config: compiled forms must know it before weights are loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livevis.generate.attention import CROSS_ATTENTION

READ_SIDE = 16
"""Side of the layers that LocalBlend reads, as in the paper (Stable Diffusion at 512 × 512); else the nearest."""


@dataclass(frozen=True, slots=True)
class Site:
    """One cross-attention: the name of its processor, side of its square of pixels, channels of what it mixes."""

    name: str
    side: int
    channels: int

    @property
    def size(self) -> int:
        """Numbers in one row of what it mixes."""
        return self.side**2 * self.channels


def cross_sites(config: Mapping[str, Any], side: int) -> tuple[Site, ...]:
    """Return the cross-attentions of a UNet2DConditionModel's config for latents of `side`, from noise to picture."""
    widths = tuple(config["block_out_channels"])
    levels = range(len(widths))
    layers = _each(config.get("layers_per_block", 2), levels)
    depths = _each(config.get("transformer_layers_per_block", 1), levels)
    depths_up = config.get("reverse_transformer_layers_per_block") or depths[::-1]
    down = [(f"down_blocks.{i}", i, layers[i], depths[i]) for i in levels if _cross(config["down_block_types"][i])]
    up = [
        (f"up_blocks.{i}", levels[-1] - i, layers[levels[-1] - i] + 1, depths_up[i])
        for i in levels
        if _cross(config["up_block_types"][i])
    ]
    kind = config.get("mid_block_type", "UNetMidBlock2DCrossAttn") or ""  # diffusers' default; null is none
    middle = [("mid_block", levels[-1], 1, depths[-1])] if _cross(kind) else []
    return tuple(
        Site(name, side // 2**level, widths[level])
        for block, level, count, depth in (*down, *middle, *up)
        for name in _names(block, count, depth)
    )


def read_side(sites: Sequence[Site]) -> int:
    """Return the side of the layers that LocalBlend reads."""
    return min((site.side for site in sites), key=lambda side: (abs(side - READ_SIDE), side))


def _names(block: str, layers: int, depth: int | Sequence[int]) -> Iterator[str]:
    for layer, blocks in enumerate(_each(depth, range(layers))):
        for number in range(blocks):
            yield f"{block}.attentions.{layer}.transformer_blocks.{number}.{CROSS_ATTENTION}"


def _each(value: Any, places: range) -> Sequence[Any]:
    return (value,) * len(places) if isinstance(value, int) else tuple(value)


def _cross(block: str) -> bool:
    return "CrossAttn" in block
