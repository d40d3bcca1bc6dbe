"""The two adversarial stages: what may learn, what must not, and the balance between anchor and judge."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train import networks as nets
from livevis.train import words
from livevis.train.autoencoder import texture_loss
from livevis.train.decoder import PolishLearner, coarse_loss, glitter_loss, patch_judge
from livevis.train.denoiser import Batch
from livevis.train.optimisers import balanced
from livevis.train.options import SHAPES, PocketOptions
from livevis.train.sharpen import Judge, Told, features, played_times


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return nets.build_unet(SHAPES["tiny"], sample_size=8)


@given(st.floats(0.1, 2.0), st.floats(1e-4, 1e4), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_judges_share_does_not_depend_on_the_size_of_its_gradient(amount, scale, seed):
    torch.manual_seed(seed)
    pull, push = torch.randn(2, 4, 8, 8), torch.randn(4, 4, 8, 8)
    whole = balanced(pull, (push, amount))
    torch.testing.assert_close(balanced(pull, (push * scale, amount)), whole, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(balanced(pull, (push, amount / 2), (push, amount / 2)), whole, rtol=1e-3, atol=1e-6)
    judged = whole.clone()
    judged[:2] -= pull / (pull.square().mean().sqrt() * whole.numel())
    ratio = (
        judged.square().mean().sqrt() / (pull / (pull.square().mean().sqrt() * whole.numel())).square().mean().sqrt()
    )
    assert float(ratio) == pytest.approx(amount, rel=1e-3)


def test_the_judge_reads_the_way_down_and_only_its_heads_learn(unet):
    noisy, times = torch.randn(2, 4, 8, 8), torch.tensor([10, 400])
    told = Told(torch.randn(2, 32, 16), torch.rand(2, 32))
    assert [tuple(level.shape[1:]) for level in features(unet, noisy, times, told)] == [
        (16, 8, 8), (32, 4, 4), (32, 2, 2), (32, 2, 2),
    ]  # fmt: skip
    judge = Judge(unet)
    assert {name.split(".")[0] for name in judge.state_dict()} == {"heads", "grain"}
    judge(noisy, times, told).mean().backward()
    assert all(weight.grad is not None for weight in judge.parameters())
    assert all(weight.grad is None for weight in unet.parameters())


def test_features_are_what_the_unet_itself_computes(unet):
    seen = {}
    hook = unet.mid_block.register_forward_hook(lambda module, args, out: seen.update(mid=out))
    noisy, times = torch.randn(1, 4, 8, 8), torch.tensor([300])
    told = Told(torch.randn(1, 32, 16), 3 * torch.rand(1, 32))
    with torch.no_grad():
        unet.eval()(noisy, times, told.text, cross_attention_kwargs={"token_gain": told.gains})
        whole = seen["mid"].clone()
        torch.testing.assert_close(features(unet, noisy, times, told)[-1], whole)
    hook.remove()


def test_patch_judge_scores_every_fourth_pixel():
    assert patch_judge()(torch.randn(2, 3, 32, 64)).shape == (2, 1, 8, 16)


class Noise:
    """Pictures and prompts of nothing, as far as the polish asks for them."""

    def crops(self, batch, side, draws):
        return torch.rand(batch, 3, side, side, generator=draws) * 2 - 1

    def square(self, place, top, left, side):
        return torch.full((3, side, side), place / 10)

    def batch(self, size, draws):
        ids = torch.zeros(size, 32, dtype=torch.int64)
        rows = torch.arange(size)
        return Batch(torch.randn(size, 4, 8, 8, generator=draws), ids, torch.ones(size, 32), rows, rows)


def test_polishing_changes_the_decoder_only():
    tokenizer = words.build_tokenizer(["a fire"], vocabulary=640, positions=32)
    parts = nets.build(SHAPES["tiny"], tokenizer, sample_size=8, seed=0)
    every = {"vae": parts.vae, "unet": parts.unet, "text": parts.text}
    before = {(name, key): w.clone() for name, part in every.items() for key, w in part.state_dict().items()}
    learner = PolishLearner(parts, Noise(), Noise(), PocketOptions(shape="tiny", batch=4, crop=32))
    for place in range(2):
        learner.step(place, 0.0)
    after = {(name, key): w for name, part in every.items() for key, w in part.state_dict().items()}
    changed = {(name, key.split(".")[0]) for (name, key), w in after.items() if not torch.equal(w, before[name, key])}
    assert changed == {("vae", "decoder")}


def test_missing_detail_and_too_much_of_it_both_cost_where_a_misplaced_grain_does_not():
    torch.manual_seed(0)
    grain = torch.randn(1, 3, 64, 64)
    moved, none = grain.roll(3, -1), torch.zeros_like(grain)
    assert float(texture_loss(moved, grain)) < 0.3 * float(texture_loss(none, grain))
    assert float(texture_loss(2 * grain, grain)) == pytest.approx(float(texture_loss(none, grain)), rel=1e-2)
    assert float(glitter_loss(moved, grain)) < 0.1 * float(glitter_loss(none, grain))
    assert float(coarse_loss(grain, grain)) == float(glitter_loss(grain, grain)) == 0


def test_rows_are_redrawn_from_themselves_and_from_others_whatever_the_batch():
    tokenizer = words.build_tokenizer(["a fire"], vocabulary=640, positions=32)
    parts = nets.build(SHAPES["tiny"], tokenizer, sample_size=8, seed=0)
    learner = PolishLearner(parts, Noise(), Noise(), PocketOptions(shape="tiny", batch=4, crop=32))
    for own, other in ((1, 0), (1, 1), (3, 2), (6, 4)):
        latents, shown = learner._redrawn(own, other, torch.Generator().manual_seed(0))
        assert latents.shape == (own + other, 4, 4, 4) and shown.shape == (own + other, 3, 32, 32)
        # Squares of the pictures that were meant: places 0, 1, … for its own, and those after them for the others'.
        told = [round(float(square.mean()) * 10) for square in shown]
        kept = (own + 1) // 2
        assert all(place < kept for place in told[:own]) and all(place >= kept for place in told[own:])


def test_played_times_hold_the_last_step_and_what_img2img_visits():
    times = played_times(400, 100, torch.Generator().manual_seed(0))
    assert int((times == 999).sum()) == 34
    assert int(times[:100].min()) >= 200
    assert int(times[100:].min()) >= 350 and int(times[100:].max()) < 800
