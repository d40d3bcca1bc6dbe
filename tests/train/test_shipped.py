"""The checkpoint in the repository: small, plain, loadable as it is, and it tells prompts apart."""

import warnings
from pathlib import Path

import pytest
import torch

# diffusers reads a tensor as an array in the way that numpy 2 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

POCKET = Path(__file__).resolve().parents[2] / "engines" / "pocket"
FILES = [path for path in POCKET.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def pipe():
    from diffusers import StableDiffusionPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = StableDiffusionPipeline.from_pretrained(POCKET, torch_dtype=torch.float32)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def test_files_are_small_and_plain():
    assert sum(path.stat().st_size for path in FILES) <= 48_000_000
    assert max(path.stat().st_size for path in FILES) <= 16_000_000
    assert {path.suffix for path in FILES} <= {".json", ".safetensors", ".txt", ".md", ".png"}


def test_the_card_has_its_licence_its_grid_and_its_figures():
    card = (POCKET / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert "grid.png" in card and (POCKET / "grid.png").stat().st_size < 2_500_000
    assert "psnr_db" in card


def test_pooling_takes_the_end_token(pipe):
    ids = pipe.tokenizer(["fire"], padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        out = pipe.text_encoder(ids)
    assert pipe.tokenizer.model_max_length == ids.shape[1] == 32
    torch.testing.assert_close(out.pooler_output[0], out.last_hidden_state[0, 2])


def test_prompts_give_their_own_pictures(pipe):
    """Colour words must show: the blue fire bluer than the orange one, and the sea by day brighter than both."""
    prompts = ["strong blue fire", "strong orange fire", "calm ocean by day"]
    made = pipe(
        prompts, num_inference_steps=4, guidance_scale=1.0, height=256, width=256,
        generator=[torch.Generator().manual_seed(1) for _ in prompts], output_type="np",
    ).images  # fmt: skip
    red, green, blue = (made[..., channel].mean(axis=(1, 2)) for channel in range(3))
    assert blue[0] > red[0] and red[1] > blue[1]
    assert (red + green + blue)[2] > (red + green + blue)[:2].max()


def test_same_seed_same_picture(pipe):
    def play():
        return pipe("volcano", num_inference_steps=1, guidance_scale=1.0, generator=torch.Generator().manual_seed(3),
                    output_type="np").images  # fmt: skip

    assert (play() == play()).all()
