"""`train tpos`: the audio encoder of TPoS and its map to the engine's own text states, on the world's sounds.

The losses are the paper's: s_N with its caption, with the same sound under SpecAugment (weight 0.6), o with the
caption, and MAP(o) with the text encoder's states. The temperature is 1 / 0.07; the released code multiplies by
exp(0.07) instead, next to no contrast at all. Its self loss compared a batch with itself and its first loss counted
twice; here each counts once. Captions equally true of a clip share its target, as the ears' do (train.clap).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from livevis.embed.tpos import folder as tpos_folder
from livevis.embed.tpos.network import Listening, Tpos, build
from livevis.embed.tpos.shape import TPOS_SHAPES, TposShape
from livevis.train import networks as nets
from livevis.train.clap.batches import Pairs, PairSource, Wording, truth
from livevis.train.clap.mel import spec_augment
from livevis.train.clap.pool import MelPool, PoolPlan
from livevis.train.clip.network import load_words
from livevis.train.journal import Journal
from livevis.train.learner import Learner, learn
from livevis.train.optimisers import Average, Optimiser, rate
from livevis.train.options import PocketOptions
from livevis.train.tpos.card import write_card
from livevis.train.tpos.exam import examine
from livevis.train.tpos.words import Told, picture_text
from livevis.world.captions import MIDDLES

SCALE = 1 / 0.07
TWIN_WEIGHT = 0.6
EASED = 0.25
"""Part of the run in which mixtures and music come in."""
FOLDER_LIMIT_BYTES = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TposPlan:
    """What a run makes and takes: clips of a sound, pieces of music, rooms and seconds of each, clips a step."""

    clips: int = 24
    pieces: int = 48
    views: int = 3
    seconds: float = 8.0
    batch: int = 48
    examined: int = 8
    rate: float = 3e-3
    pool_share: float = 0.3  # of the stage's minutes, at most
    names: tuple[str, ...] = ()  # the sounds; none: all of the table


TPOS_PLANS: dict[str, TposPlan] = {
    "pocket": TposPlan(),
    "tiny": TposPlan(clips=2, pieces=1, views=1, seconds=1.5, batch=12, examined=1, names=("rain", "fire", "drums")),
}


def train_tpos(options: PocketOptions, journal: Journal, *, plan: TposPlan | None = None) -> dict[str, float]:
    """Make the pool, learn for the stage's minutes, export to `options.out`/tpos, and examine what was exported.

    The text side is the engine's in `options.out` (or `options.start`). Returns the figures of the examination by name
    (parts of 1), with steps and minutes. Raises EngineError without a text encoder, ValueError above 4 MB.
    """
    from livevis.world.sounds import SOUNDS

    plan = plan or TPOS_PLANS[options.shape]
    names, engine = plan.names or tuple(SOUNDS), options.start or options.out
    told, device = Told(*load_words(engine)), nets.pick_device(options.device)
    shape = replace(TPOS_SHAPES[options.shape], tokens=told.tokens, text_width=told.width)
    pool = _pool(names, plan, options, journal)
    source = PairSource(pool, Wording(names), size=plan.batch, frames=shape.frames, seed=options.seed)
    model = begin(shape, told, names, seed=options.seed)
    learner = TposLearner(model, told, source, names, device, lr=plan.rate, seed=options.seed)
    shorter = replace(options, minutes=options.minutes * (1 - plan.pool_share))
    done = learn(learner, "tpos", shorter, journal)
    facts = {"sounds": len(names), "clips": pool.rounds, "batch": plan.batch, "hardware": str(device)}
    folder, text = options.out / tpos_folder.FOLDER, tpos_folder.text_digest(engine)
    size = tpos_folder.save(model, folder, text=text)
    if size > FOLDER_LIMIT_BYTES:
        raise ValueError(f"{folder} has {size} bytes: at most {FOLDER_LIMIT_BYTES} can be shipped")
    figures = examine(tpos_folder.load(folder), told, names, clips=plan.examined)
    write_card(folder, {**facts, **done, "parameters": nets.parameters(model), "seed": options.seed}, figures)
    journal.say(f"exported {size / 1e6:.1f} MB to {folder}; {figures}")
    return {**figures, **done}


def _pool(names: tuple[str, ...], plan: TposPlan, options: PocketOptions, journal: Journal) -> MelPool:
    first = 10_000 * options.seed
    made = {"clips": plan.clips, "pieces": plan.pieces, "views": plan.views, "seconds": plan.seconds, "first": first}
    pool = MelPool(options.workdir / "tpos_pool", PoolPlan(names=names, **made), seed=options.seed)
    pool.make(journal, budget_s=options.budget_s("tpos") * plan.pool_share, keep=options.resume)
    return pool


def begin(shape: TposShape, told: Told, names: tuple[str, ...], *, seed: int) -> Tpos:
    """A fresh model whose MAP begins at the mean of what is said of the sounds: only the differences are left."""
    model = build(shape, seed=seed)
    texts = [picture_text({place: 1.0}, names, middle) for place in range(len(names)) for middle in MIDDLES]
    with torch.no_grad():
        model.map.outer.bias.copy_(told.rows(texts).mean(0).flatten())
    return model


class TposLearner(Learner):
    """Encoder and MAP against a text encoder that stays; a projection of its captions learns along and is thrown away.

    Text states that never learnt contrast all point nearly one way, so the sounds meet them behind that projection.
    """

    def __init__(
        self,
        model: Tpos,
        told: Told,
        source: PairSource,
        names: tuple[str, ...],
        device: torch.device,
        *,
        lr: float,
        seed: int,
    ):
        self._model, self._told, self._source, self._names = model.to(device).train(), told, source, names
        self._device, self._seed = device, seed
        torch.manual_seed(seed)
        self._head = nn.Linear(told.width, model.shape.width).to(device)
        self._optimiser = Optimiser(model, self._head, lr=lr)
        self.parts = {"tpos": model, "head": self._head, "optimiser": self._optimiser}
        self.average = Average(model, decay=0.99)

    def step(self, place: int, fraction: float) -> dict[str, float]:
        started = time.monotonic()
        pairs = self._source.batch(place, ease=max(0.0, 1 - fraction / EASED))
        generator = torch.Generator().manual_seed(self._seed * 1_000_003 + place)
        both = torch.cat([pairs.mels, spec_augment(pairs.mels, generator)])[:, 0].to(self._device)
        made_s = time.monotonic() - started
        losses = self._losses(self._listen(both), pairs)
        loss = losses["text"] + losses["summary"] + TWIN_WEIGHT * losses["twin"] + losses["rows"]
        norm = self._optimiser.step(loss, rate(fraction, place, warm_up=20))
        figures = {name: float(part.detach()) for name, part in losses.items()}
        return {"loss": float(loss.detach()), **figures, "norm": norm, "making_s": made_s}

    def _listen(self, mels: Tensor) -> Listening:
        encoder, segments = self._model.encoder, self._model.segments(mels)
        with nets.autocast(self._device):
            embedded = encoder.embed(segments.flatten(0, 1))
        heard: Listening = encoder.listen(embedded.float().reshape(*segments.shape[:2], -1))
        return heard

    def _losses(self, heard: Listening, pairs: Pairs) -> dict[str, Tensor]:
        """The first half of what is heard is the clips, the second the same clips under SpecAugment."""
        count, weights = len(pairs.captions), torch.from_numpy(pairs.heard)
        true = truth(weights, torch.from_numpy(pairs.said)).to(self._device)
        texts = functional.normalize(self._head(self._told.pooled(pairs.captions).to(self._device)), dim=-1)
        last, summary = heard.states[:, -1], heard.summary[:count]
        wanted = self._told.rows([self._picture(pairs, row) for row in range(count)]).to(self._device)
        return {
            "text": info_nce(last[:count], texts, true),
            "twin": info_nce(last[:count], last[count:], torch.eye(count, device=self._device)),
            "summary": info_nce(summary, texts, true),
            "rows": functional.mse_loss(self._model.map(summary), wanted),
        }

    def _picture(self, pairs: Pairs, row: int) -> str:
        said = {place: float(weight) for place, weight in enumerate(pairs.heard[row]) if weight > 0}
        return picture_text(said, self._names, float(pairs.strengths[row]))


def info_nce(ours: Tensor, theirs: Tensor, true: Tensor) -> Tensor:
    """Symmetric InfoNCE of vectors [B, D] at scale 1 / 0.07 (Oord et al. 2018); `true` [B, B]: how true each of theirs
    is of each of ours, scaled to sum to 1 either way. Ours and theirs count by direction."""
    likeness = SCALE * functional.normalize(ours, dim=-1) @ functional.normalize(theirs, dim=-1).T
    return (_cross_entropy(likeness, true) + _cross_entropy(likeness.T, true.T)) / 2


def _cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    return functional.cross_entropy(logits, weights / weights.sum(1, keepdim=True))
