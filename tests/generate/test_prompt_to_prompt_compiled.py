"""Compiled runtimes play edits: gains, mixing, base rows and clamp are live inputs of a converted UNet."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from livevis.generate.networks import time_features
from livevis.generate.prompt_to_prompt.affine import Recording
from livevis.generate.prompt_to_prompt.edits import Edit
from livevis.generate.prompt_to_prompt.processor import Reading, install
from tests.checkpoints import build_unet

TOKENS, PIXELS = 9, 64


class Edited(nn.Module):
    """A UNet of two rows with an edit of every kind; its outputs are the prediction and the maps read."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = build_unet()
        self.sites = install(self.unet)
        self.unet.get_time_embed = lambda sample, timestep: timestep

    def forward(
        self, latent: Tensor, time: Tensor, text: Tensor, gain: Tensor, mixing: Tensor, base: Tensor, clamp: Tensor
    ) -> tuple[Tensor, ...]:
        reading = Reading(text[..., :1], pixels=PIXELS)
        edit = Edit(gain, mixing, base, self_base=base, clamp=clamp)
        kwargs = {"edit": edit, "reading": reading}
        prediction = self.unet(latent, time, text, cross_attention_kwargs=kwargs, return_dict=False)[0]
        return prediction, *reading.maps.values()


class Cached(Edited):
    """The same with one row whose cross-attentions are told what they mix."""

    def forward(self, latent: Tensor, time: Tensor, text: Tensor, *outputs: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        told = {"outputs": dict(zip(self.sites, outputs, strict=True))}
        return (self.unet(latent, time, text, cross_attention_kwargs=told, return_dict=False)[0],)


def inputs(rows: int) -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(rows)
    time = time_features(499, width=16, flip=True, shift=0.0).repeat(rows, 1)
    return torch.randn(rows, 4, 8, 8, generator=draw), time, torch.randn(rows, TOKENS, 24, generator=draw)


def compiled(network: nn.Module, example: tuple[Tensor, ...]) -> Any:
    import openvino

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of Python decisions taken from shapes
        shapes = [list(part.shape) for part in example]
        model = openvino.convert_model(network, example_input=example, input=shapes)
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return openvino.Core().compile_model(model, "CPU", exact)


def agree(played: Any, network: nn.Module, given: tuple[Tensor, ...]) -> Tensor:
    with torch.inference_mode():
        wanted = network(*given)
    got = played([part.numpy() for part in given])
    assert len(got) == len(wanted)
    for index, part in enumerate(wanted):
        np.testing.assert_allclose(got[index], part.numpy(), rtol=0, atol=2e-5)
    return wanted[0]


def test_a_compiled_network_plays_edits_live() -> None:
    network = Edited().eval()
    draw = torch.Generator().manual_seed(9)
    one, mixing = torch.ones(2, TOKENS), torch.rand(2, TOKENS, TOKENS, generator=draw)
    calm = one, torch.eye(TOKENS).repeat(2, 1, 1), torch.tensor([0, 1]), 5 * torch.ones(2)
    played = compiled(network, (*inputs(2), *calm))
    loud = 3 * one, mixing, torch.tensor([1, 1]), torch.tensor([5.0, 1.2])
    before = agree(played, network, (*inputs(2), *calm))
    for changed in range(4):
        edit = tuple(loud[i] if i == changed else calm[i] for i in range(4))
        after = agree(played, network, (*inputs(2), *edit))
        assert (after - before).abs().max() > 1e-4
    agree(played, network, (*inputs(2), *loud))


def test_a_compiled_network_plays_the_cached_form() -> None:
    network, plain = Cached().eval(), Edited().eval().unet
    latent, time, text = inputs(1)
    recording = Recording(torch.eye(TOKENS)[3:4])
    with torch.inference_mode():
        plain(latent, time, text, cross_attention_kwargs={"recording": recording})

    def told(gain: float) -> tuple[Tensor, ...]:
        return latent, time, text, *(recording.sites[site].at(torch.tensor([[gain]])) for site in network.sites)

    played = compiled(network, told(1.0))
    assert (agree(played, network, told(1.0)) - agree(played, network, told(5.0))).abs().max() > 1e-4
