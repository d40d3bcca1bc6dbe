"""Train the engine that paints: pictures, autoencoder, latents, denoiser, sharpening, and a standard checkpoint."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch

from livevis.core.errors import ConfigError
from livevis.train import checkpoint, grid, words
from livevis.train import networks as nets
from livevis.train.autoencoder import AutoencoderLearner, measure_scale, train_autoencoder
from livevis.train.card import write_card
from livevis.train.data import PicturePool, chosen_draws, encode_latents
from livevis.train.decoder import polish_decoder
from livevis.train.denoiser import DenoiserLearner, LatentPool, train_denoiser
from livevis.train.export import export, export_vae, write_vocabulary
from livevis.train.fidelity import fidelity
from livevis.train.figures import examine
from livevis.train.journal import Journal, Stage
from livevis.train.learner import recall
from livevis.train.naming import train_namer
from livevis.train.networks import Networks
from livevis.train.options import COMMANDS, SEPARATE, PocketOptions
from livevis.train.prompts import WORDINGS_EACH, prompts, wordings
from livevis.train.sharpen import SharpenLearner, sharpen_denoiser
from livevis.train.truth import truth_of
from livevis.train.warm import start_from

VOCABULARY_DRAWS = 6_000
EXAMINED = 58  # held-out pictures of one scene that the quick marks are taken on


def train(options: PocketOptions) -> None:
    """Run or, with `options.resume`, continue what `options.command` names and leave what it made in `options.out`.

    Takes about `options.minutes`; what a stage has reached is kept under `options.workdir` and not done again.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    if not options.resume:
        checkpoint.clear(options.workdir, _replaced(options.command))
    stages = COMMANDS[options.command]
    with Journal(options.workdir) as journal:
        if not set(stages) <= set(SEPARATE):
            _Run(options, journal).all()
        for stage in (name for name in stages if name in SEPARATE):
            entry = getattr(import_module(f"livevis.train.{stage}.training"), f"train_{stage}")
            journal.record(stage=stage, done=True, **entry(options, journal))


def _replaced(command: str) -> set[str]:
    """The stages whose results a fresh run makes void: its own, and all that build on another autoencoder."""
    own = set(COMMANDS[command])
    return own | set(COMMANDS["unet"]) if "autoencoder" in own else own


class _Run:
    """The stages of one run in order, and what is known of it so far."""

    def __init__(self, options: PocketOptions, journal: Journal):
        self.options, self.journal = options, journal
        device = nets.pick_device(options.device)
        tokenizer = _tokenizer(options)
        self.networks = nets.build(options.networks, tokenizer, sample_size=options.size // 8, seed=options.seed)
        if options.start:
            journal.record(stage="start", engine=str(options.start), **start_from(self.networks, options.start))
        for part in (self.networks.vae, self.networks.unet, self.networks.text):
            nets.layout(part, device)
        self.facts: dict[str, Any] = {"hardware": _hardware(device), "minutes": {}, "figures": {}}
        self.pool = PicturePool(options.workdir, options)

    def all(self) -> None:
        options, networks, journal = self.options, self.networks, self.journal
        stages = COMMANDS[options.command]
        self.pool.render(journal)
        if "autoencoder" in stages:
            self._note("autoencoder", train_autoencoder(networks.vae, self.pool, options, journal))
            measure_scale(networks.vae, self.pool)
        else:
            self._recall_vae()
        if "denoiser" not in stages:
            journal.say(f"exported {export_vae(networks, options.out)}; the UNet for it is `livevis train unet`'s")
            return
        self._denoise()
        self.facts["examined"] = self._examine()
        self.look(None, 0)

    def _denoise(self) -> None:
        options, networks, journal = self.options, self.networks, self.journal
        latents = encode_latents(networks.vae, self.pool, options, journal)
        draws = self.pool.draws[: len(latents)]
        self.facts["latents"] = len(latents)
        said = prompts(networks.tokenizer, draws, positions=options.networks.text_positions, seed=options.seed)
        truth = truth_of(draws)
        data = LatentPool(latents, said, networks, paired=truth.parts[:, 1] >= 0)
        self._note("denoiser", train_denoiser(DenoiserLearner(networks, data, truth, options), journal, self.look))
        self.look(None, 0)
        namer, done = train_namer(data, truth, options, journal, networks.unet.device)
        self._note("naming", done)
        learner = SharpenLearner(networks, data, (namer, truth), options)
        base = self.facts["denoiser_steps"]
        self._note("sharpen", sharpen_denoiser(learner, journal, self.look, base=base))
        self._note("decoder", polish_decoder(networks, self.pool, data, options, journal, self.look))

    def _recall_vae(self) -> None:
        """The autoencoder that an earlier run left in the work folder, else the one that was started from."""
        vae = self.networks.vae
        left = recall(AutoencoderLearner(vae, self.pool, self.options), "autoencoder", self.options)
        if not left and self.options.start is None:
            raise ConfigError(
                "no autoencoder to train a UNet for: run `livevis train vae` with the same --work, or give --from"
            )
        measure_scale(vae, self.pool)
        self._note("autoencoder", {**left, **fidelity(vae, self.pool.held_out())})

    def _examine(self) -> dict[str, dict[str, float]]:
        marks = examine(self.networks, self.pool, count=EXAMINED, seed=self.options.seed)
        self.journal.record(stage="examined", **marks)
        return marks

    def look(self, stage: Stage | None, step: int) -> None:
        """Draw the grid, and export when the stage is over or it is time to; the networks hold their best weights."""
        for part in (self.networks.unet, self.networks.text):
            part.eval()
        rows = grid.make_rows(self.networks, self.pool, self.options.seed)
        name = "grid" if stage is None else f"grid_{stage.name}_{step:06d}"
        grid.write_grid(rows, self.options.workdir / f"{name}.png")
        crisp = grid.detail(rows)
        self.journal.record(stage="grid" if stage is None else stage.name, step=step, **crisp)
        if stage is None or stage.every("export", self.options.export_every_s, at_once=True):
            self._export(rows, crisp)
        for part in (self.networks.unet, self.networks.text):
            part.train()

    def _note(self, stage: str, result: dict[str, float]) -> None:
        self.facts["minutes"][stage] = result.pop("minutes", 0.0)
        self.facts[f"{stage}_steps"] = int(result.pop("steps", 0))
        self.facts["figures"] |= {f"{stage} {name}": round(value, 4) for name, value in result.items()}
        self.journal.record(stage=stage, done=True, **result)

    def _export(self, rows: list[Any], crisp: dict[str, float]) -> None:
        sizes = export(self.networks, self.options.out)
        grid.write_grid(rows, self.options.out / "grid.png")
        facts = {**self.facts, "parts": self._parts(sizes), "wordings": WORDINGS_EACH, "grid": crisp}
        facts |= {"pictures": self.pool.train_count, "prompt": self.pool.held_out_draws[0].caption.text}
        (self.options.out / "README.md").write_text(write_card(self.options, facts), encoding="utf-8")
        self.journal.say(f"exported {sum(sizes.values()) / 1e6:.1f} MB to {self.options.out}")

    def _parts(self, sizes: dict[str, int]) -> list[tuple[str, str, int, int]]:
        named = {"vae": self.networks.vae, "unet": self.networks.unet, "text_encoder": self.networks.text}
        return [
            (name, type(part).__name__, nets.parameters(part), _weight_bytes(sizes, name))
            for name, part in named.items()
        ]


def _tokenizer(options: PocketOptions) -> Any:
    """The vocabulary of the work folder where a run goes on, else a new one, which is left there.

    What a text encoder has learnt is worth nothing under other token ids, and the world's words may have grown since.
    """
    folder, shape = options.workdir / "tokenizer", options.networks
    if options.resume and (folder / "vocab.json").exists():
        return words.load_tokenizer(folder, positions=shape.text_positions)
    tokenizer = _new_tokenizer(options)
    write_vocabulary(tokenizer, folder)
    return tokenizer


def _new_tokenizer(options: PocketOptions) -> Any:
    import numpy as np

    from livevis.world.scenes import draw

    shape = options.networks
    captions = [
        wording.caption.text
        for index in chosen_draws(VOCABULARY_DRAWS, "train")
        for wording in wordings(draw(options.seed, index), np.random.default_rng((options.seed, index, 2)))
    ]
    return words.build_tokenizer(captions, vocabulary=shape.vocabulary, positions=shape.text_positions)


def _weight_bytes(sizes: dict[str, int], part: str) -> int:
    return sum(size for name, size in sizes.items() if name.startswith(f"{part}/") and name.endswith(".safetensors"))


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU cores"


__all__ = ["Networks", "PocketOptions", "train"]
