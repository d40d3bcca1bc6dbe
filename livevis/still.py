"""A still picture for `livevis render`: inverted once, with progress, under the prompt and guidance of the show."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from livevis.init_picture import still
from livevis.methods.words import condition
from livevis.show import Show

if TYPE_CHECKING:
    from livevis.generate.inversion.generator import InversionGenerator, Inverted

DEFAULT_STEPS = 50


def open_still(options: argparse.Namespace, show: Show) -> InversionGenerator:
    """Invert the picture that --still names, say how near it comes back, and return it as a generator.

    Raises ConfigError for a picture that cannot be read, and for null-text without guidance.
    """
    from rich.progress import Progress

    from livevis.generate.engine import load_engine
    from livevis.generate.inversion.generator import InversionGenerator

    engine = load_engine(options.engine)
    picture = still(options.still, options.generate_size or engine.size, asked_by="--still")
    generator = InversionGenerator(
        engine,
        picture,
        inversion=options.inversion or "auto",
        steps=options.inversion_steps or DEFAULT_STEPS,
        runner=options.runner,
        size=options.generate_size,
    )
    controls = show.controls()
    with Progress() as bars:
        tasks = {}

        def progress(stage: str, done: int, of: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of)
            bars.update(tasks[stage], completed=done)

        found = generator.invert(condition(controls), controls.number("diffusion/guidance"), progress)
    print(f"{generator.chosen}\n{_said(found)}")
    return generator


def _said(found: Inverted) -> str:
    """One line on how near the picture comes back."""
    from livevis.evaluate.statistics import psnr_db

    whole, encoded = (psnr_db(picture, found.original) for picture in (found.reconstruction, found.encoded))
    how = f"{found.how} inversion, {found.steps} steps, guidance {found.guidance:g}"
    return f"{how}: {whole:.1f} dB PSNR of the picture (its autoencoder alone {encoded:.1f}); word gains move it"
