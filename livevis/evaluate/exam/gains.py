"""Does a word's gain move what the word names, and is a gain of one no gain at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from livevis.core.types import Picture
from livevis.evaluate.exam.exam import Exam, Figure, proportion
from livevis.evaluate.exam.player import Gains, Player
from livevis.evaluate.statistics import spearman

PART = "play"
GAINS = tuple(np.linspace(0.0, 3.0, 13).tolist())
SEEDS = 4
RISES = 0.9
COMPARED = 8

Make = Callable[[str, str, Gains, int], Picture]


def measure(exam: Exam, *, seeds: int = SEEDS) -> Iterator[Figure]:
    """Yield for each way of playing how many scenes rise with the gain on their noun, and that a gain of 1 is none."""
    yield from _unmoved(exam)
    starts = _middles(exam)

    def dream(scene: str, text: str, gains: Gains, seed: int) -> Picture:
        return exam.player.dream(text, steps=4, seed=seed, gains=gains)

    def redraw(scene: str, text: str, gains: Gains, seed: int) -> Picture:
        return exam.player.redraw(text, starts[scene], strength=0.7, seed=seed, gains=gains)

    for name, make in (("4 steps from noise", dream), ("1 step at 0.7 from its own scene", redraw)):
        curves = {scene: curve(exam, scene, make, seeds=seeds) for scene in exam.scenes}
        yield _rising(name, curves, seeds, goal=20 if make is dream else None)


def curve(exam: Exam, scene: str, make: Make, *, seeds: int) -> list[float]:
    """Return the intensity of `scene` that the judge measures at each of GAINS, the mean over seeds.

    Each seed has its own noise and the next of the scene's nouns, alone and without any intensity word.
    """
    pictures = []
    for gain in GAINS:
        for seed in range(seeds):
            text, noun = plain_prompt(scene, seed)
            pictures.append(make(scene, text, ((noun, gain),), exam.seed + seed))
    told = exam.look(pictures).intensity[:, exam.column(scene)]
    return [float(value) for value in told.view(len(GAINS), seeds).mean(1)]


def plain_prompt(scene: str, place: int) -> tuple[str, str]:
    """Return a prompt that only names the scene, and its noun without the article."""
    from livevis.world.wordings import WORDINGS

    nouns = WORDINGS[scene].nouns
    text = nouns[place % len(nouns)]
    article, _, rest = text.partition(" ")
    return text, rest if article in ("a", "an") else text


def _middles(exam: Exam) -> dict[str, Picture]:
    """A render of each scene at middle intensity, to start from."""
    from livevis.world.render import SceneRenderer

    inputs = {"intensity": 0.5, "palette": 0, "layout": 0.4, "camera": 0.5}
    with SceneRenderer(exam.player.size) as renderer:
        return {scene: renderer.render_at(scene, inputs, 20.0) for scene in exam.scenes}


def _rising(name: str, curves: dict[str, list[float]], seeds: int, *, goal: float | None) -> Figure:
    ranks = {scene: spearman(GAINS, intensities) for scene, intensities in curves.items()}
    rising = [scene for scene, rank in ranks.items() if rank >= RISES]
    span = np.mean([values[-1] - values[0] for values in curves.values()])
    rest = ", ".join(f"{scene} {rank:.2f}" for scene, rank in sorted(ranks.items(), key=lambda p: p[1]) if rank < RISES)
    note = f"of {len(ranks)}; mean rise {span:.2f}; {seeds} seeds a gain; the others: {rest or 'none'}"
    return Figure(PART, f"scenes that rise with the gain, {name}", len(rising), goal=goal, note=note)


def _unmoved(exam: Exam) -> Iterator[Figure]:
    """Gain 1 on the runner that plays, and the wrapped UNet against diffusers' own on PyTorch."""
    same = []
    for place, drawn in enumerate(exam.asked[:COMPARED]):
        text, noun = drawn.caption.text, drawn.caption.nouns[0]
        plain, gained = (exam.player.dream(text, steps=2, seed=place, gains=gains) for gains in ((), ((noun, 1.0),)))
        same.append(np.array_equal(plain, gained))
    yield proportion(PART, "gain 1 bit-equal to no gain, as played", same, goal=1.0)
    yield proportion(PART, "gain 1 bit-equal to diffusers' own UNet, f32", against_diffusers(exam.player), goal=1.0)


def against_diffusers(player: Player, *, count: int = COMPARED, seed: int = 0) -> Sequence[bool]:
    """Return of `count` random inputs whether the UNet as played at gain 1 equals the untouched one, bit for bit."""
    import torch
    from diffusers import UNet2DConditionModel

    from livevis.generate.networks import networks, time_features

    engine = player.generator.engine
    plain = UNet2DConditionModel.from_pretrained(engine.folder / "unet", local_files_only=True).float().eval()
    played = networks(engine, player.size)["denoise"].build().float().eval()
    settings = {"flip": bool(plain.config.flip_sin_to_cos), "shift": float(plain.config.freq_shift)}
    draws, same = torch.Generator().manual_seed(seed), []
    side = player.size // engine.latent_scale
    with torch.inference_mode():
        for _ in range(count):
            latent = torch.randn(1, engine.channels, side, side, generator=draws)
            text = torch.randn(1, engine.tokens, engine.text_width, generator=draws)
            step = int(torch.randint(1, 1000, (), generator=draws))
            # diffusers takes the sinusoids in float32, the player in float64; told the same, all else must be equal.
            time = time_features(step, width=engine.time_width, **settings)
            plain.get_time_embed = lambda sample, timestep, time=time: time
            wanted = plain(latent, step, text, return_dict=False)[0]
            same.append(torch.equal(wanted, played(latent, time, text, torch.ones(1, engine.tokens))))
    return same
