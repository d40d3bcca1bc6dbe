"""The two adversarial stages: what may learn, what must not, and the balance between anchor and judge."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train import networks as nets
from livevis.train.decoder import PolishLearner, patch_judge
from livevis.train.optimisers import balanced
from livevis.train.options import SHAPES, PocketOptions
from livevis.train.sharpen import Judge, features, played_times


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return nets.build_unet(SHAPES["tiny"], sample_size=8)


@given(st.floats(0.1, 2.0), st.floats(1e-4, 1e4), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_judges_share_does_not_depend_on_the_size_of_its_gradient(amount, scale, seed):
    torch.manual_seed(seed)
    pull, push = torch.randn(2, 4, 8, 8), torch.randn(4, 4, 8, 8)
    whole = balanced(pull, push, amount)
    torch.testing.assert_close(balanced(pull, push * scale, amount), whole, rtol=1e-3, atol=1e-6)
    judged = whole.clone()
    judged[:2] -= pull / (pull.square().mean().sqrt() * whole.numel())
    ratio = (
        judged.square().mean().sqrt() / (pull / (pull.square().mean().sqrt() * whole.numel())).square().mean().sqrt()
    )
    assert float(ratio) == pytest.approx(amount, rel=1e-3)


def test_the_judge_reads_the_way_down_and_only_its_heads_learn(unet):
    noisy, times, text = torch.randn(2, 4, 8, 8), torch.tensor([10, 400]), torch.randn(2, 32, 16)
    assert [tuple(level.shape[1:]) for level in features(unet, noisy, times, text)] == [
        (16, 8, 8), (32, 4, 4), (32, 2, 2), (32, 2, 2),
    ]  # fmt: skip
    judge = Judge(unet)
    assert {name.split(".")[0] for name in judge.state_dict()} == {"heads"}
    judge(noisy, times, text).mean().backward()
    assert all(weight.grad is not None for weight in judge.parameters())
    assert all(weight.grad is None for weight in unet.parameters())


def test_features_are_what_the_unet_itself_computes(unet):
    seen = {}
    hook = unet.mid_block.register_forward_hook(lambda module, args, out: seen.update(mid=out))
    noisy, times, text = torch.randn(1, 4, 8, 8), torch.tensor([300]), torch.randn(1, 32, 16)
    with torch.no_grad():
        unet.eval()(noisy, times, text)
        whole = seen["mid"].clone()
        torch.testing.assert_close(features(unet, noisy, times, text)[-1], whole)
    hook.remove()


def test_patch_judge_scores_every_fourth_pixel():
    assert patch_judge()(torch.randn(2, 3, 32, 64)).shape == (2, 1, 8, 16)


def test_polishing_changes_the_decoder_only():
    class Noise:
        def crops(self, batch, side, draws):
            return torch.rand(batch, 3, side, side, generator=draws) * 2 - 1

    torch.manual_seed(0)
    vae = nets.build_vae(SHAPES["tiny"])
    before = {name: weight.clone() for name, weight in vae.state_dict().items()}
    learner = PolishLearner(vae, Noise(), PocketOptions(shape="tiny", batch=2, crop=32))
    for place in range(2):
        learner.step(place, 0.0)
    changed = {name.split(".")[0] for name, weight in vae.state_dict().items() if not torch.equal(weight, before[name])}
    assert changed == {"decoder"}


def test_played_times_hold_the_last_step_and_what_img2img_visits():
    times = played_times(400, torch.Generator().manual_seed(0))
    assert int((times == 999).sum()) == 100
    assert set(range(250, 750, 50)) & set(times.tolist())
    assert int(times.min()) >= 200
