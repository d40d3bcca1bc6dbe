"""A warm start: the same pictures as the engine it came from, and words that it knew keep what they meant."""

import pytest
import torch

from livevis.core.errors import ConfigError
from livevis.train import networks as nets
from livevis.train import words
from livevis.train.export import export
from livevis.train.options import SHAPES
from livevis.train.warm import carried_over, start_from

BEFORE = ("a raging blue fire", "calm snow")
AFTER = ("a raging blue fire", "calm snow", "a golden desert beside a waterfall")

# diffusers reads a tensor as an array in the way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def build(captions, seed, shape="tiny"):
    tokenizer = words.build_tokenizer(captions, vocabulary=640, positions=32)
    return nets.build(SHAPES[shape], tokenizer, sample_size=8, seed=seed)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    before = build(BEFORE, 0)
    folder = tmp_path_factory.mktemp("engine")
    export(before, folder)
    return before, folder


@torch.no_grad()
def test_known_words_mean_the_same_after_a_warm_start(shipped):
    before, folder = shipped
    after = build(AFTER, 1)
    told = start_from(after, folder)
    assert told["known_tokens"] == len(before.tokenizer)
    assert told["new_tokens"] == len(after.tokenizer) - len(before.tokenizer) > 0
    noisy, times = torch.randn(1, 4, 8, 8), torch.tensor([400])
    made = []
    for parts in (before, after):
        parts.unet.eval()
        text = parts.text(nets.tokens(parts, ["a raging blue fire"])).last_hidden_state
        made.append(parts.unet(noisy, times, text, return_dict=False)[0])
    torch.testing.assert_close(made[1], made[0], atol=2e-2, rtol=2e-2)  # the engine's file is fp16
    assert not torch.allclose(made[0], torch.zeros_like(made[0]))
    picture = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(after.vae.encoder(picture), before.vae.encoder(picture), atol=2e-2, rtol=2e-2)


def test_rows_go_by_spelling_and_new_ones_are_like_the_known_but_each_its_own():
    rows = 5 + 0.1 * torch.randn(50, 8, generator=torch.Generator().manual_seed(0))
    before = {f"{place}</w>": place for place in range(50)}
    made = carried_over(rows, before, {f"{place + 30}</w>": place for place in range(50)})
    assert torch.equal(made[:20], rows[30:])
    fresh = made[20:]
    assert float((fresh - rows.mean(dim=0)).abs().max()) < 0.6
    assert float(fresh.std(dim=0).min()) > 0.04


def test_an_engine_of_another_size_or_none_is_named(shipped, tmp_path):
    _, folder = shipped
    with pytest.raises(ConfigError, match="other sizes"):
        start_from(build(BEFORE, 0, "pocket"), folder)
    with pytest.raises(ConfigError, match="no vae"):
        start_from(build(BEFORE, 0), tmp_path)
