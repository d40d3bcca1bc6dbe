"""The UNets of base maps, wrapped: what changes live is an input of fixed shape, so every runtime plays it.

"base-maps" is the base row, which tells what it mixes; "injected" the edited row that is told so; "rewording" both rows
in one batch, for what needs more than the mixed values: own maps beside base maps, self-attention, maps to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from livevis.core.errors import CapabilityError
from livevis.generate.prompt_to_prompt.affine import Affine, Recording
from livevis.generate.prompt_to_prompt.blend import layer_mean
from livevis.generate.prompt_to_prompt.edits import Edit
from livevis.generate.prompt_to_prompt.processor import Reading, install
from livevis.generate.prompt_to_prompt.sites import Site, cross_sites, read_side
from livevis.runners.runner import Network, TensorSpec

WORDS = 4
"""Words that the affine form holds apart: so many faders move without a look at the base row."""
FREE = 1e30
"""The clamp that limits nothing: a finite number, because 0 times infinity is none."""


class _Edited(nn.Module):
    def __init__(self, unet: Any, sites: tuple[Site, ...]) -> None:
        super().__init__()
        if set(install(unet)) != {site.name for site in sites}:
            raise CapabilityError("base maps: this UNet's cross-attentions are not those that its config tells of")
        self.unet, self.sites = unet, sites
        unet.get_time_embed = lambda sample, timestep: timestep

    def predict(self, latent: Tensor, time: Tensor, text: Tensor, **told: Any) -> Tensor:
        output: Tensor = self.unet(latent, time, text, cross_attention_kwargs=told, return_dict=False)[0]
        return output


class BaseMaps(_Edited):
    """latent [1, C, h, w], time [1, F], text [1, T, D], directions [W, T] -> prediction, base [1, n], moves [W, n].

    base and moves: `affine.Affine` of all sites one behind the other.
    """

    def forward(self, latent: Tensor, time: Tensor, text: Tensor, directions: Tensor) -> tuple[Tensor, ...]:
        recording = Recording(directions)
        prediction = self.predict(latent, time, text, recording=recording)
        layers = [recording.sites[site.name] for site in self.sites]
        base = torch.cat([layer.base.flatten(1) for layer in layers], 1)
        return prediction, base, torch.cat([layer.moves.flatten(1) for layer in layers], 1)


class Injected(_Edited):
    """latent [1, C, h, w], time [1, F], gains [1, W], clamp [1], base [1, n], moves [W, n] -> prediction."""

    unread: Tensor
    """The text that no layer reads."""

    def __init__(self, unet: Any, sites: tuple[Site, ...]) -> None:
        super().__init__(unet, sites)
        self.register_buffer("unread", torch.zeros(1, 1, unet.config.cross_attention_dim))

    def forward(
        self, latent: Tensor, time: Tensor, gains: Tensor, clamp: Tensor, base: Tensor, moves: Tensor
    ) -> Tensor:
        sizes = [site.size for site in self.sites]
        outputs = {
            site.name: Affine(*(part.reshape(-1, site.side**2, site.channels) for part in layer)).at(gains, clamp)
            for site, *layer in zip(self.sites, torch.split(base, sizes, 1), torch.split(moves, sizes, 1), strict=True)
        }
        return self.predict(latent, time, self.unread, outputs=outputs)


class Rewording(_Edited):
    """latent [2, C, h, w] and text [2, T, D] of base and edited row, time [1, F], the edited row's gain [1, T], mixing
    [1, T, T], kept [1, T] and clamp [1], self_base int64 [2], columns [2, T, 1] -> prediction, maps [2, 1, side, side].

    gain, mixing, kept, self_base: as in `edits.Edit`; maps: what `columns` read, the mean of the layers of one side.
    """

    def forward(
        self, latent: Tensor, time: Tensor, text: Tensor, gain: Tensor, mixing: Tensor, kept: Tensor, clamp: Tensor,
        self_base: Tensor, columns: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        itself = torch.eye(text.shape[1], device=text.device)[None]
        edit = Edit(
            gain=torch.cat((torch.zeros_like(gain), gain)),
            mixing=torch.cat((itself, mixing)),
            kept=torch.cat((torch.zeros_like(kept), kept)),
            base=torch.zeros(2, dtype=torch.int64, device=text.device),
            self_base=self_base,
            clamp=torch.cat((torch.full_like(clamp, FREE), clamp)),
        )
        side = read_side(self.sites)
        reading = Reading(columns, side**2)
        prediction = self.predict(latent, time.expand(2, -1), text, edit=edit, reading=reading)
        return prediction, layer_mean(reading.maps.values(), size=(side, side))


def variants(config: Any, denoise: Network, load: Callable[[], Any]) -> dict[str, Network]:
    """Describe the three networks from the UNet's config and the plain one's description; loads no weights yet."""
    latent, time, text = denoise.inputs[:3]
    (prediction,) = denoise.outputs
    _, tokens, width = text.shape
    sites = cross_sites(config, latent.shape[-1])
    size, side = sum(site.size for site in sites), read_side(sites)
    clamp = TensorSpec("clamp", (1,))
    parts = TensorSpec("base", (1, size)), TensorSpec("moves", (WORDS, size))
    pair = (2, *latent.shape[1:])
    row = TensorSpec("gain", (1, tokens)), TensorSpec("mixing", (1, tokens, tokens)), TensorSpec("kept", (1, tokens))
    both = TensorSpec("self_base", (2,), "int64"), TensorSpec("columns", (2, tokens, 1))
    shapes: tuple[tuple[str, Any, tuple[TensorSpec, ...], tuple[TensorSpec, ...]], ...] = (
        ("base-maps", BaseMaps, (latent, time, text, TensorSpec("directions", (WORDS, tokens))), (prediction, *parts)),
        ("injected", Injected, (latent, time, TensorSpec("gains", (1, WORDS)), clamp, *parts), (prediction,)),
        (
            "rewording",
            Rewording,
            (TensorSpec("latent", pair), time, TensorSpec("text", (2, tokens, width)), *row, clamp, *both),
            (TensorSpec("prediction", pair), TensorSpec("maps", (2, 1, side, side))),
        ),
    )
    return {
        name: Network(name, denoise.key, _builder(kind, load, sites), inputs, outputs, denoise.precision)
        for name, kind, inputs, outputs in shapes
    }


def _builder(kind: Any, load: Callable[[], Any], sites: tuple[Site, ...]) -> Callable[[], nn.Module]:
    return lambda: kind(load(), sites)
