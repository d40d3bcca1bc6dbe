"""Train the pocket engine: pictures, autoencoder, latents, denoiser, sharpening, and a standard checkpoint."""

from __future__ import annotations

from typing import Any

import torch

from livevis.train import checkpoint, grid, words
from livevis.train import networks as nets
from livevis.train.autoencoder import measure_scale, train_autoencoder
from livevis.train.card import write_card
from livevis.train.data import CAPTIONS_EACH, PicturePool, captions_of, encode_latents
from livevis.train.decoder import polish_decoder
from livevis.train.denoiser import LatentPool, train_denoiser
from livevis.train.export import export
from livevis.train.figures import examine
from livevis.train.journal import Journal, Stage
from livevis.train.networks import Networks
from livevis.train.options import PocketOptions
from livevis.train.sharpen import sharpen_denoiser

VOCABULARY_DRAWS = 4_000
EXAMINED = 48  # held-out pictures that the reported marks are taken on


def train(options: PocketOptions) -> None:
    """Run or, with `options.resume`, continue a training run and leave a loadable checkpoint in `options.out`.

    Takes about `options.minutes`; what a stage has reached is kept under `options.workdir` and not done again.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    if not options.resume:
        checkpoint.clear(options.workdir)
    with Journal(options.workdir) as journal:
        _Run(options, journal).all()


class _Run:
    """The stages of one run in order, and what is known of it so far."""

    def __init__(self, options: PocketOptions, journal: Journal):
        self.options, self.journal = options, journal
        device = nets.pick_device(options.device)
        tokenizer = _tokenizer(options)
        self.networks = nets.build(options.networks, tokenizer, sample_size=options.size // 8, seed=options.seed)
        for part in (self.networks.vae, self.networks.unet, self.networks.text):
            nets.layout(part, device)
        self.device = device
        self.facts: dict[str, Any] = {"hardware": _hardware(device), "minutes": {}, "figures": {}}

    def all(self) -> None:
        options, networks, journal = self.options, self.networks, self.journal
        self.pool = PicturePool(options.workdir, options)
        self.pool.render(journal)
        self._note("autoencoder", train_autoencoder(networks.vae, self.pool, options, journal))
        measure_scale(networks.vae, self.pool)
        latents = encode_latents(networks.vae, self.pool, options, journal)
        self.facts["latents"] = len(latents)
        data = LatentPool(latents, self.pool, networks, self.device)
        self._note("denoiser", train_denoiser(networks, data, options, journal, self.look))
        self.look(None, 0)
        base = self.facts["denoiser_steps"]
        self._note("sharpen", sharpen_denoiser(networks, data, options, journal, self.look, base=base))
        self._note("decoder", polish_decoder(networks.vae, self.pool, options, journal, self.look))
        self.facts["examined"] = examine(networks, self.pool, count=EXAMINED, seed=options.seed)
        journal.record(stage="examined", **self.facts["examined"])
        self.look(None, 0)

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
        facts = {**self.facts, "parts": self._parts(sizes), "wordings": CAPTIONS_EACH, "grid": crisp}
        facts |= {"pictures": self.pool.train_count, "prompt": self.pool.held_out_captions()[0]}
        (self.options.out / "README.md").write_text(write_card(self.options, facts), encoding="utf-8")
        self.journal.say(f"exported {sum(sizes.values()) / 1e6:.1f} MB to {self.options.out}")

    def _parts(self, sizes: dict[str, int]) -> list[tuple[str, str, int, int]]:
        named = {"vae": self.networks.vae, "unet": self.networks.unet, "text_encoder": self.networks.text}
        return [
            (name, type(part).__name__, nets.parameters(part), _weight_bytes(sizes, name))
            for name, part in named.items()
        ]


def _tokenizer(options: PocketOptions) -> Any:
    shape = options.networks
    captions = [text for index in range(VOCABULARY_DRAWS) for text in captions_of(options.seed, index, 2)]
    return words.build_tokenizer(captions, vocabulary=shape.vocabulary, positions=shape.text_positions)


def _weight_bytes(sizes: dict[str, int], part: str) -> int:
    return sum(size for name, size in sizes.items() if name.startswith(f"{part}/") and name.endswith(".safetensors"))


def _hardware(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU cores"


__all__ = ["Networks", "PocketOptions", "train"]
