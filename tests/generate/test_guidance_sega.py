"""Semantic guidance against diffusers' own pipeline, step for step, on a tiny random model."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from livevis.core.errors import ConfigError
from livevis.generate.guidance import sega
from livevis.generate.guidance.momentum import Momentum
from livevis.generate.guidance.sega import Concept, Sega
from tests.checkpoints import build_unet

PROMPT, EDITS = "a city", ("rain", "fire", "snow")
TOKENS, STEPS = 12, 8
PLAN = Sega(
    concepts=(
        Concept(5.0, 0.9, weight=1.0, warm_up=0, cool_down=6),
        Concept(4.0, 0.8, weight=0.5, warm_up=2, cool_down=6, reverse=True),
        Concept(6.0, 0.95, weight=2.0, warm_up=3, cool_down=6),
    ),
    guidance=7.0,
    momentum=Momentum(beta=0.6, scale=0.3),
)


class Letters:
    """A tokenizer of letters."""

    model_max_length = TOKENS

    def __call__(self, texts: str | list[str], **_: Any) -> Any:
        texts = [texts] if isinstance(texts, str) else texts
        rows = [[1, *(3 + ord(letter) % 40 for letter in text)] for text in texts]
        return SimpleNamespace(input_ids=torch.tensor([(row + [2] * TOKENS)[:TOKENS] for row in rows]))


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    from diffusers import DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(3)
    sizes = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    text = CLIPTextModel(CLIPTextConfig(**sizes, **ids, max_position_embeddings=TOKENS)).eval()
    schedule = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False
    )
    return {"unet": build_unet(), "text_encoder": text, "tokenizer": Letters(), "scheduler": schedule}


def start() -> Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))


def theirs(parts: dict[str, Any], plan: Sega, *, steps: int = STEPS) -> Tensor:
    from diffusers import SemanticStableDiffusionPipeline

    pipeline = SemanticStableDiffusionPipeline(
        **parts, vae=None, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)
    concepts = plan.concepts
    return pipeline(
        PROMPT,
        num_inference_steps=steps,
        guidance_scale=plan.guidance,
        latents=start(),
        output_type="latent",
        editing_prompt=list(EDITS),
        reverse_editing_direction=[c.reverse for c in concepts],
        edit_guidance_scale=[c.scale for c in concepts],
        edit_warmup_steps=[c.warm_up for c in concepts],
        edit_cooldown_steps=[10**6 if c.cool_down is None else c.cool_down for c in concepts],
        edit_threshold=[c.threshold for c in concepts],
        edit_weights=[c.weight for c in concepts],
        edit_momentum_scale=plan.momentum.scale,
        edit_mom_beta=plan.momentum.beta,
    ).images


@torch.inference_mode()
def ours(parts: dict[str, Any], plan: Sega, *, steps: int = STEPS) -> Tensor:
    text = parts["text_encoder"](Letters()(["", PROMPT, *EDITS]).input_ids)[0]
    scheduler, z = parts["scheduler"], start()
    scheduler.set_timesteps(steps)
    state = sega.init(z)
    for t in scheduler.timesteps:
        rows = parts["unet"](z.expand(5, -1, -1, -1), t, encoder_hidden_states=text).sample
        state, eps = sega.step(state, rows[:, None], plan)
        z = scheduler.step(eps, t, z).prev_sample
    return z


VARIANTS = {
    "three concepts, staggered": PLAN,
    "never cooled": replace(PLAN, concepts=tuple(replace(c, cool_down=None) for c in PLAN.concepts)),
    "defaults of the library": Sega((Concept(), Concept(warm_up=2), Concept(warm_up=3))),
    "a negative weight": replace(PLAN, concepts=(*PLAN.concepts[:2], replace(PLAN.concepts[2], weight=-1.0))),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_latent_is_the_one_that_diffusers_makes(parts: dict[str, Any], name: str) -> None:
    reference = theirs(parts, VARIANTS[name])
    torch.testing.assert_close(ours(parts, VARIANTS[name]), reference, rtol=0, atol=5e-5)
    unedited = replace(PLAN, concepts=tuple(replace(c, weight=0.0) for c in PLAN.concepts))
    assert (ours(parts, unedited) - reference).abs().max() > 0.1, "the edits must be heard"


def test_the_weights_of_a_partial_warm_up_are_an_option(parts: dict[str, Any]) -> None:
    plain = ours(parts, replace(PLAN, normalise_partial=False))
    assert (plain - ours(parts, PLAN)).abs().max() > 1e-2
    settled = replace(PLAN, concepts=tuple(replace(c, warm_up=0) for c in PLAN.concepts))
    assert torch.equal(ours(parts, settled), ours(parts, replace(settled, normalise_partial=False)))


def test_momentum_does_nothing_at_one_step(parts: dict[str, Any]) -> None:
    instant = replace(PLAN, concepts=tuple(replace(c, warm_up=0) for c in PLAN.concepts))
    strong = replace(instant, momentum=Momentum(beta=0.6, scale=0.5))
    weak = replace(instant, momentum=Momentum(beta=0.6, scale=0.0))
    assert torch.equal(ours(parts, strong, steps=1), ours(parts, weak, steps=1))
    assert not torch.equal(ours(parts, strong, steps=2), ours(parts, weak, steps=2))


def rows(count: int, *, pictures: int = 1) -> Tensor:
    return torch.randn(count, pictures, 4, 8, 8, generator=torch.Generator().manual_seed(count), dtype=torch.float64)


def test_pictures_of_a_batch_do_not_touch_each_other() -> None:
    both = rows(5, pictures=2)
    state = sega.init(both[0])
    alone = sega.init(both[0, :1])
    for _ in range(4):
        state, together = sega.step(state, both, PLAN)
        alone, first = sega.step(alone, both[:, :1], PLAN)
        torch.testing.assert_close(together[:1], first, rtol=0, atol=1e-12)


def test_without_concepts_it_is_classifier_free_guidance() -> None:
    two = rows(2)
    _, eps = sega.step(sega.init(two[0]), two, Sega((), guidance=7.5))
    torch.testing.assert_close(eps, two[0] + 7.5 * (two[1] - two[0]), rtol=0, atol=1e-12)


def test_warm_concepts_that_have_cooled_down_add_nothing() -> None:
    """diffusers makes NaN of this; a picture must come out all the same."""
    plan = Sega((Concept(warm_up=0, cool_down=0), Concept(warm_up=5)), guidance=2.0)
    four = rows(4)
    _, eps = sega.step(sega.init(four[0]), four, plan)
    torch.testing.assert_close(eps, four[0] + 2.0 * (four[1] - four[0]), rtol=0, atol=1e-12)


def test_rows_that_are_not_the_concepts_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 concepts need 5 rows, not 4"):
        sega.step(sega.init(rows(4)[0]), rows(4), PLAN)
