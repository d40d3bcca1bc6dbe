"""Sharpening: what learns, that play's gains are trained, what is fed back, and that a resumed stage goes on alike."""

import pytest
import torch

from livevis.train import networks as nets
from livevis.train import words
from livevis.train.denoiser import DenoiserLearner, LatentPool, predict
from livevis.train.naming import Namer
from livevis.train.options import SHAPES, PocketOptions
from livevis.train.prompts import prompts
from livevis.train.sharpen import SharpenLearner, Trail, fineness
from livevis.train.truth import naming_loss, placing_loss, truth_of
from livevis.world.scenes import SCENES, draw

DRAWS = [draw(0, index) for index in range(24)]
OPTIONS = PocketOptions(shape="tiny", batch=8, small_batch=8, size=64)


def networks():
    tokenizer = words.build_tokenizer([d.caption.text for d in DRAWS], vocabulary=640, positions=32)
    return nets.build(SHAPES["tiny"], tokenizer, sample_size=8, seed=0)


def pool(parts):
    torch.manual_seed(1)
    said = prompts(parts.tokenizer, DRAWS, positions=32, seed=0)
    return LatentPool(torch.randn(len(DRAWS), 4, 8, 8).half(), said, parts)


def denoiser():
    parts = networks()
    return DenoiserLearner(parts, pool(parts), truth_of(DRAWS), OPTIONS)


def sharpener():
    parts = networks()
    torch.manual_seed(2)
    return SharpenLearner(parts, pool(parts), (Namer(width=8), truth_of(DRAWS)), OPTIONS)


def weights(learner):
    return torch.cat([value.flatten() for value in learner.networks.unet.state_dict().values()])


@pytest.mark.parametrize("make", [denoiser, sharpener])
def test_a_resumed_stage_goes_on_as_if_it_had_never_stopped(make):
    fractions = 0.1, 0.5, 0.7, 0.9
    whole, first, second = make(), make(), make()
    for learner, places in ((whole, range(4)), (first, range(2))):
        for place in places:
            learner.step(place, fractions[place])
            learner.average.update(place)
    second.load(first.state())
    for place in (2, 3):
        second.step(place, fractions[place])
        second.average.update(place)
    torch.testing.assert_close(weights(second), weights(whole), rtol=1e-5, atol=1e-6)
    for mine, theirs in zip(second.average.weights, whole.average.weights, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)


def test_the_text_encoder_learns_with_the_denoiser():
    learner = denoiser()
    before = {name: value.clone() for name, value in learner.networks.text.state_dict().items()}
    learner.step(0, 0.5)
    for name, weight in learner.networks.text.named_parameters():
        if "k_proj.bias" not in name:  # a softmax does not see it
            assert float(weight.grad.norm()) > 1e-7, name
            assert not torch.equal(weight, before[name]), name


def test_sharpening_changes_the_unet_and_nothing_else():
    learner = sharpener()
    before = {name: part.state_dict() for name, part in (("text", learner.networks.text), ("namer", learner.namer))}
    before = {name: {key: value.clone() for key, value in state.items()} for name, state in before.items()}
    unet = weights(learner).clone()
    learner.step(0, 0.9)
    assert not torch.equal(weights(learner), unet)
    for name, part in (("text", learner.networks.text), ("namer", learner.namer)):
        assert all(torch.equal(value, before[name][key]) for key, value in part.state_dict().items())


@torch.no_grad()
def test_gain_one_is_the_plain_network_to_the_bit_and_another_gain_is_not():
    from diffusers.models.attention_processor import AttnProcessor2_0

    parts = networks()
    noisy, times = torch.randn(2, 4, 8, 8), torch.tensor([300, 700])
    text = parts.text(nets.tokens(parts, ["a fire", "calm snow"])).last_hidden_state
    ones = torch.ones(2, 32)
    with_gain = predict(parts, noisy, times, text, ones)
    changed = predict(parts, noisy, times, text, ones.index_fill(1, torch.tensor([1, 2]), 3.0))
    parts.unet.set_attn_processor(AttnProcessor2_0())
    plain = parts.unet(noisy.contiguous(memory_format=torch.channels_last), times, text, return_dict=False)[0]
    assert torch.equal(with_gain, plain)
    assert not torch.equal(changed, plain)


def test_the_trail_gives_back_what_was_made_half_of_it_under_its_own_words():
    learner = sharpener()
    first = learner.data.batch(8, torch.Generator().manual_seed(0))
    second = learner.data.batch(8, torch.Generator().manual_seed(1))
    trail, made = Trail(), torch.randn(8, 4, 8, 8)
    assert trail.follow(second, second.latents)[0] is second
    trail.keep(first, made, slice(4, None))
    batch, starts = trail.follow(second, second.latents)
    assert torch.equal(starts[:4], second.latents[:4])
    assert torch.equal(starts[6:], made[4:6]) and torch.equal(batch.ids[6:], first.ids[4:6])
    assert torch.equal(starts[4:6], made[6:]) and torch.equal(batch.ids[4:6], second.ids[4:6])


def test_truth_holds_what_is_drawn_and_right_names_cost_nothing():
    truth = truth_of(DRAWS)
    assert truth.scenes.shape == (len(DRAWS), len(SCENES))
    assert truth.scenes.sum(dim=1).tolist() == [len(drawn.parts) for drawn in DRAWS]
    sure = (truth.scenes * 2 - 1) * 40
    colours = torch.nn.functional.one_hot(truth.palettes, 4).flatten(1) * 40.0
    assert float(naming_loss((sure, colours, truth.intensities), truth).max()) < 1e-3
    assert float(naming_loss((-sure, colours, truth.intensities), truth).min()) > 10
    told = torch.zeros(len(DRAWS), 2, dtype=torch.bool)
    told[0, 0] = True
    spread = truth.by_scene(told)
    assert spread.sum() == 1 and spread[0, list(SCENES).index(DRAWS[0].parts[0].scene)] == 1


def test_every_cell_of_a_picture_belongs_to_its_scenes_and_nobody_else():
    truth = truth_of(DRAWS)
    where = truth.where()
    torch.testing.assert_close(where.sum(dim=1), torch.ones(len(DRAWS), 4, 4))
    assert torch.equal(where.amax(dim=(2, 3)) > 0, truth.scenes > 0)
    sure = (where * 2 - 1) * 40
    single = truth.parts[:, 1] < 0
    assert float(placing_loss(sure, truth)[single].max()) < 1e-6
    assert float(placing_loss(-sure, truth).min()) > 10


def test_pictures_of_two_scenes_are_drawn_more_often():
    parts = networks()
    truth = truth_of(DRAWS)
    paired = truth.parts[:, 1] >= 0
    said = prompts(parts.tokenizer, DRAWS, positions=32, seed=0)
    data = LatentPool(torch.randn(len(DRAWS), 4, 8, 8).half(), said, parts, paired=paired)
    rows = data.batch(3000, torch.Generator().manual_seed(0)).rows
    share = float(paired.float().mean())
    assert float(paired[rows].float().mean()) == pytest.approx(1 / 3 + 2 / 3 * share, abs=0.04)
    assert set(rows.tolist()) == set(range(len(DRAWS)))


def test_fineness_is_of_the_grain_alone():
    torch.manual_seed(0)
    grain, ramp = torch.randn(2, 4, 32, 32), torch.linspace(-1, 1, 32).expand(2, 4, 32, 32)
    torch.testing.assert_close(fineness(grain + ramp), fineness(grain), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fineness(3 * grain), 3 * fineness(grain), rtol=1e-3, atol=1e-3)
    assert float(fineness(ramp).max()) < 0.02
