"""The noise arithmetic of training, against the scheduler that plays it back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from livevis.train import checkpoint, words
from livevis.train import networks as nets
from livevis.train.denoiser import LAST_STEP, DenoiserLearner, noised, sample_times
from livevis.train.options import SHAPES, PocketOptions
from livevis.train.sharpen import estimate
from livevis.train.truth import truth_of

# diffusers reads a tensor as an array in the way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@given(st.integers(0, LAST_STEP - 1), st.integers(0, 100))
@settings(max_examples=30, deadline=None)
def test_one_euler_step_with_the_true_velocity_gives_the_picture_back(time, seed):
    torch.manual_seed(seed)
    latents, noise = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8)
    noisy, velocity = noised(latents, noise, torch.tensor([time]), nets.alphas())
    scheduler = nets.build_scheduler()
    scheduler.set_timesteps(timesteps=[time])
    sample = scheduler.add_noise(latents, noise, scheduler.timesteps)
    torch.testing.assert_close(scheduler.scale_model_input(sample, scheduler.timesteps[0]), noisy, atol=1e-4, rtol=1e-4)
    stepped = scheduler.step(velocity, scheduler.timesteps[0], sample).prev_sample
    torch.testing.assert_close(stepped, latents, atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(
        estimate(velocity, noisy, torch.tensor([time]), nets.alphas()), latents, atol=1e-3, rtol=1e-3
    )


def test_the_last_step_sees_noise_alone():
    latents, noise = torch.full((1, 4, 8, 8), 5.0), torch.randn(1, 4, 8, 8)
    noisy, _ = noised(latents, noise, torch.tensor([LAST_STEP]), nets.alphas())
    torch.testing.assert_close(noisy, noise)


def test_times_cover_what_is_played():
    times = sample_times(4000, torch.Generator().manual_seed(0))
    assert 0.22 < float((times == LAST_STEP).float().mean()) < 0.28
    assert 0.03 < float((times < 200).float().mean()) < 0.07
    assert 0.15 < float(((times >= 200) & (times < 500)).float().mean()) < 0.25
    assert int(times.min()) >= 1


def test_small_latents_come_first():
    sides = []

    class Pool:
        def batch(self, size, draws, *, small=False):
            sides.append((size, small))
            raise StopIteration

    torch.manual_seed(0)
    options = PocketOptions(shape="tiny", batch=4, small_batch=16, small_share=0.4)
    tokenizer = words.build_tokenizer(["a fire"], vocabulary=640, positions=32)
    learner = DenoiserLearner(
        nets.build(SHAPES["tiny"], tokenizer, sample_size=8, seed=0), Pool(), truth_of([]), options
    )
    for place, fraction in enumerate((0.0, 0.39, 0.41, 0.9)):
        with pytest.raises(StopIteration):
            learner.step(place, fraction)
    assert sides == [(16, True), (16, True), (4, False), (4, False)]


def test_streams_are_a_function_of_their_place():
    def draw(seed, name, step):
        return torch.rand(8, generator=checkpoint.stream(seed, name, step)).tolist()

    assert draw(0, "denoiser", 7) == draw(0, "denoiser", 7)
    different = [draw(0, "denoiser", 7), draw(1, "denoiser", 7), draw(0, "sharpen", 7), draw(0, "denoiser", 8)]
    assert len({tuple(row) for row in different}) == 4
