"""LocalBlend against the formula of the released code and of diffusers' community pipeline, with all maps stored."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from livevis.generate.prompt_to_prompt.blend import layer_mean, local_blend, word_columns, word_mask
from livevis.generate.prompt_to_prompt.values import read_out

TOKENS, SIDE, HEADS, STEPS, LAYERS = 77, 16, 2, 3, 5
WORDS = [(3,), (3, 4)]


def stored(latent: Tensor, maps: Tensor, threshold: float) -> Tensor:
    """The pipeline's way: maps [prompts, heads · layers, 16·16, tokens] summed over steps, prompt 0 is the base."""
    alpha = torch.zeros(len(latent), 1, 1, 1, 1, TOKENS)
    for row, word in enumerate(WORDS):
        alpha[row, ..., list(word)] = 1
    laid_out = maps.reshape(len(latent), -1, 1, SIDE, SIDE, TOKENS)
    mask = (laid_out * alpha).sum(-1).mean(1)
    mask = torch.nn.functional.max_pool2d(mask, (3, 3), (1, 1), padding=(1, 1))
    mask = torch.nn.functional.interpolate(mask, size=latent.shape[2:])
    mask = mask / mask.max(2, keepdims=True)[0].max(3, keepdims=True)[0]
    mask = mask.gt(threshold)
    mask = (mask[:1] + mask[1:]).float()
    return latent[:1] + mask * (latent - latent[:1])


def layers(draw: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """query and key of each layer, noise but for token 3, which each row's queries look for around another place."""
    away = torch.linspace(-1, 1, SIDE)
    made = []
    for _ in range(LAYERS):
        query, key = (torch.randn(2, HEADS, n, 4, generator=draw) for n in (SIDE * SIDE, TOKENS))
        for row, centre in enumerate((-0.3, 0.4)):
            square = (away[:, None] - centre) ** 2 + (away - centre) ** 2
            query[row, ..., 0] = 5 * torch.exp(-8 * square).flatten()
        key[:, :, 3, 0] = 3.0
        made.append((query, key))
    return made


def test_blend_is_the_pipelines() -> None:
    draw = torch.Generator().manual_seed(0)
    latent = torch.randn(2, 4, 64, 64, generator=draw)
    asked = word_columns(TOKENS, WORDS)
    base = torch.tensor([0, 0])
    ours, theirs = torch.zeros(1), torch.zeros(1)
    for _ in range(STEPS):
        step = layers(draw)
        whole = torch.cat([(q @ k.mT / 2).softmax(-1) for q, k in step], 1)
        theirs = theirs + whole
        ours = ours + layer_mean([read_out(q, k, asked) for q, k in step], size=(SIDE, SIDE))
        for threshold in (0.3, 0.6):
            mask = word_mask(ours, size=(64, 64), base=base, threshold=threshold)
            wanted = stored(latent, theirs, threshold)
            torch.testing.assert_close(local_blend(latent, mask, base=base), wanted, rtol=0, atol=1e-6)
            assert 0.02 < mask[1].mean() < 0.98, "something is kept and something is changed"


@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
@settings(max_examples=20, deadline=None)
def test_the_base_may_stand_in_any_row(seed: int, order: list[int]) -> None:
    draw = torch.Generator().manual_seed(seed)
    total, latent = torch.rand(3, 1, 8, 8, generator=draw) ** 4, torch.randn(3, 4, 16, 16, generator=draw)

    def blended(total: Tensor, latent: Tensor, base: int) -> Tensor:
        rows = torch.full((3,), base)
        return local_blend(latent, word_mask(total, size=(16, 16), base=rows), base=rows)

    usual = blended(total, latent, 0)
    assert torch.equal(blended(total[order], latent[order], order.index(0)), usual[order])
    assert torch.equal(usual[0], latent[0])


def test_where_no_word_is_the_picture_is_the_bases() -> None:
    latent, base = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 0])
    total = torch.zeros(2, 1, 4, 4)
    assert torch.equal(local_blend(latent, word_mask(total, size=(8, 8), base=base), base=base)[1], latent[0])
    total[1, 0, 0, 0] = 1.0
    pooled, sharp = (word_mask(total, size=(8, 8), base=base, pool=pool)[1, 0] for pool in (True, False))
    assert pooled.sum() == 16 and pooled[:4, :4].all()  # 2 × 2 cells of the corner, each doubled
    assert sharp.sum() == 4 and sharp[:2, :2].all()
