"""`livevis train clip`: pictures and captions that belong together, for an engine whose text encoder stays as it is.

A vision transformer finds little to hold on to in its first minutes, so it is also told, through a head that is thrown
away afterwards, which scenes a picture shows, how strong and in which palette.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.train import checkpoint
from livevis.train import networks as nets
from livevis.train.clip.network import (
    CLIP_SHAPES,
    as_unit,
    build_clip,
    load_clip,
    load_words,
    picture_features,
    pooled_pictures,
    save_clip,
    some_patches,
    text_features,
    token_ids,
)
from livevis.train.journal import Journal
from livevis.train.judge.augment import light, mirror
from livevis.train.judge.network import Verdict
from livevis.train.judge.pool import Truth, truth_of
from livevis.train.judge.training import INTENSITY, PALETTE, judge_pools, judged
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions

BATCH = 96
BASE_RATE = 2e-3
COLDEST = 4.6052  # log 100: the logit scale is kept below, as in CLIP
HALVED_UNTIL = 0.7  # part of the stage in which half the patches of a picture are shown
LESSON = 0.2  # weight of what the pictures are said to show, beside the agreement of pictures and captions
RENDERING = 0.3
AMONG, ROUNDS = 64, 32

Caption = Callable[[int, np.random.Generator], str]


class ClipLearner(Learner):
    """The vision tower, both projections and the logit scale, over pictures and captions given by place."""

    def __init__(
        self,
        clip: Any,
        tokenizer: Any,
        pictures: Callable[[list[int]], Tensor],
        caption: Caption,
        truth: Truth,
        *,
        seed: int,
        batch: int = BATCH,
    ):
        self.clip, self.tokenizer, self.pictures, self.caption = clip, tokenizer, pictures, caption
        self.truth, self.seed, self.batch = truth, seed, min(batch, len(truth.present))
        vision = clip.config.vision_config
        self.patches = (vision.image_size // vision.patch_size) ** 2
        self.device = clip.visual_projection.weight.device
        self.lesson = nn.Linear(vision.hidden_size, 6 * truth.present.shape[1]).to(self.device)
        self.optimiser = Optimiser(clip, self.lesson, lr=BASE_RATE)
        self.average = Average(clip, decay=0.99)
        self.parts = {"clip": clip, "lesson": self.lesson, "optimiser": self.optimiser}

    def step(self, place: int, fraction: float) -> dict[str, float]:
        draws = checkpoint.stream(self.seed, "clip", place)
        rows = torch.randperm(len(self.truth.present), generator=draws)[: self.batch].tolist()
        rng = np.random.default_rng((self.seed, place))
        texts = [self.caption(row, rng) for row in rows]
        ids = token_ids(self.tokenizer, texts, self.clip.config.text_config.max_position_embeddings)
        pictures = light(mirror(self.pictures(rows), draws), draws)
        seen = some_patches(len(rows), self.patches, draws).to(self.device) if fraction < HALVED_UNTIL else None
        with nets.autocast(self.device):
            pooled = pooled_pictures(self.clip, pictures.to(self.device), seen=seen)
            of_pictures, of_texts = (
                as_unit(self.clip.visual_projection(pooled)),
                text_features(self.clip, ids.to(self.device)),
            )
            told = self.lesson(pooled)
        logits = self.clip.logit_scale.exp() * of_pictures @ of_texts.T
        agreed = agreement(logits, same_text(texts).to(self.device))
        taught = self._taught(told.float(), rows)
        self.optimiser.step(agreed + LESSON * taught, rate(fraction, place, warm_up=50))
        with torch.no_grad():
            self.clip.logit_scale.clamp_(max=COLDEST)
        first = (logits.argmax(1) == torch.arange(len(rows), device=logits.device)).float().mean()
        return {"agreement": float(agreed.detach()), "lesson": float(taught.detach()), "first": float(first)}

    def _taught(self, told: Tensor, rows: list[int]) -> Tensor:
        truth = Truth(*(part.to(self.device) for part in self.truth.rows(rows)))
        scenes, intensity, palettes = told.split([truth.present.shape[1] * size for size in (1, 1, 4)], dim=1)
        verdict = Verdict(scenes, 0.5 + 0.25 * intensity, palettes.unflatten(1, (-1, 4)), told)
        losses = judged(verdict, truth)
        return losses["scenes"] + INTENSITY * losses["intensity"] + PALETTE * losses["palette"]


def same_text(texts: Sequence[str]) -> Tensor:
    """float32 [B, B]: each row shares a weight of 1 among the captions that read like its own."""
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    places = torch.tensor([number[text] for text in texts])
    same = (places[:, None] == places[None, :]).float()
    return same / same.sum(1, keepdim=True)


def agreement(logits: Tensor, wanted: Tensor) -> Tensor:
    """CLIP's loss both ways (Radford et al. 2021), with captions that read alike counted as one."""
    return 0.5 * (functional.cross_entropy(logits, wanted) + functional.cross_entropy(logits.T, wanted))


@torch.inference_mode()
def embed(
    clip: Any, tokenizer: Any, pictures: Callable[[list[int]], Tensor], texts: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Unit vectors of the pictures at places 0..N-1 and of their N texts, each float32 [N, projection]."""
    positions = clip.config.text_config.max_position_embeddings
    seen, read = [], []
    for first in range(0, len(texts), 64):
        part = list(texts[first : first + 64])
        seen.append(picture_features(clip, pictures(list(range(first, first + len(part))))))
        read.append(text_features(clip, token_ids(tokenizer, part, positions)))
    return torch.cat(seen), torch.cat(read)


def retrieval_at_1(seen: Tensor, read: Tensor, texts: Sequence[str], *, among: int = AMONG, seed: int = 0) -> float:
    """Part of the questions answered right: which of `among` captions is this picture's, and the other way round.

    Each of ROUNDS times `among` pairs whose captions all differ are drawn from the N; the mean of both directions.
    """
    rng, right = np.random.default_rng(seed), []
    for _ in range(ROUNDS):
        chosen: dict[str, int] = {}
        for place in rng.permutation(len(texts)):
            if len(chosen) < among:
                chosen.setdefault(texts[place], int(place))
        places = list(chosen.values())
        scores, answers = seen[places] @ read[places].T, torch.arange(len(places))
        right += [(scores.argmax(side) == answers).float().mean() for side in (0, 1)]
    return float(torch.stack(right).mean())


@torch.inference_mode()
def zero_shot(clip: Any, tokenizer: Any, seen: Tensor, scenes: Sequence[str]) -> float:
    """Part of pictures of one scene each whose nearest prompt is their scene's; a prompt is the mean of its nouns."""
    from livevis.world.wordings import WORDINGS

    positions = clip.config.text_config.max_position_embeddings
    names = list(WORDINGS)
    rows = [text_features(clip, token_ids(tokenizer, list(WORDINGS[n].nouns), positions)).mean(0) for n in names]
    prompts = functional.normalize(torch.stack(rows), dim=-1)
    told = (seen @ prompts.T).argmax(1).tolist()
    return float(np.mean([names[place] == scene for place, scene in zip(told, scenes, strict=True)]))


def train_clip(options: PocketOptions, journal: Journal) -> dict[str, Any]:
    """Learn for the stage's minutes and write `<engine>/clip`; returns steps, minutes and held-out figures.

    The text tower is that of `options.start`, or of the engine in `options.out`. Raises EngineError without either.
    """
    from livevis.world.scenes import SCENES, captions_for

    text, tokenizer = load_words(options.start or options.out)
    torch.manual_seed(options.seed)
    clip = build_clip(text, CLIP_SHAPES[options.shape]).to(nets.pick_device(options.device))
    learning, kept_out = judge_pools(options)
    for pool, least in ((kept_out, len(kept_out.draws)), (learning, BATCH)):
        pool.render(journal, budget_s=RENDERING * options.budget_s("clip"), least=least)
    learner = ClipLearner(
        clip,
        tokenizer,
        learning.pictures,
        lambda place, rng: captions_for(learning.draws[place], rng).text,
        truth_of(learning.draws[: len(learning)], tuple(SCENES)),
        seed=options.seed,
    )
    result: dict[str, Any] = learn(learner, "clip", options, journal)
    folder = options.out / "clip"
    save_clip(clip, tokenizer, folder)
    figures = examine_clip(folder, kept_out.pictures, kept_out.draws)
    size = save_clip(clip, tokenizer, folder, card=write_clip_card(result | figures, shown=len(learning)))
    return result | figures | {"bytes": size}


def examine_clip(folder: Path, pictures: Callable[[list[int]], Tensor], draws: Sequence[Any]) -> dict[str, float]:
    """Held-out figures of a CLIP as it lies on disk."""
    clip, tokenizer = load_clip(folder)
    texts = [drawn.caption.text for drawn in draws]
    seen, read = embed(clip, tokenizer, pictures, texts)
    lone = [place for place, drawn in enumerate(draws) if len(drawn.parts) == 1]
    return {
        "retrieval_at_1": round(retrieval_at_1(seen, read, texts), 4),
        "zero_shot_scene": round(zero_shot(clip, tokenizer, seen[lone], [draws[p].parts[0].scene for p in lone]), 4),
        "held_out": len(texts),
    }


_CARD = """---
license: apache-2.0
library_name: transformers
---
# livevis pocket CLIP

A CLIPModel whose text tower is the pocket engine's text encoder, bit for bit and locked; vision tower, projections and
logit scale were learnt by `livevis train clip` in {minutes:.1f} minutes ({steps:,} steps) from {shown:,} renders of the
procedural world's training draws and their captions. It knows that world and nothing else.

On {held_out:,} renders of held-out draws:

| question | right |
|---|---|
| retrieval@1 | {retrieval_at_1:.3f} |
| scene, zero-shot | {zero_shot_scene:.3f} |

Retrieval@1: which of {among} captions, all different, is the picture's, and which of the {among} pictures is the
caption's; the mean of both over {rounds} draws of {among} pairs. Zero-shot: which scene a picture of one scene shows,
by the nearest prompt; a scene's prompt is the mean of its nouns. Many captions are true of more than one of the {among}
pictures ("fire", say), so the first figure cannot be 1.

Licence: Apache-2.0, as the code.
"""


def write_clip_card(facts: dict[str, Any], *, shown: int) -> str:
    """README.md from the figures."""
    return _CARD.format(**facts, shown=shown, among=AMONG, rounds=ROUNDS)
