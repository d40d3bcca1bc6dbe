"""Are the pictures as sharp and as varied as the world's: detail, distance between sets, what the autoencoder costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from livevis.core.types import Picture
from livevis.evaluate.exam.exam import Exam, Figure
from livevis.evaluate.statistics import frechet, high_frequency_energy, psnr_db, ssim

PART = "sharpness"
STRENGTHS = (0.7, 0.4)
REBUILT = 128


def measure(exam: Exam) -> Iterator[Figure]:
    """Yield figures as they are found."""
    yield from _rebuilt(exam)
    yield from _detail(exam)
    yield from _distances(exam)


def _rebuilt(exam: Exam) -> Iterator[Figure]:
    renders = exam.renders[:REBUILT]
    rebuilt = exam.made("rebuilt", renders, lambda place, picture: exam.player.rebuild(picture))
    pairs = list(zip(renders, rebuilt, strict=True))
    yield Figure(PART, "autoencoder PSNR, dB", float(np.mean([psnr_db(a, b) for a, b in pairs])), len(pairs))
    yield Figure(PART, "autoencoder SSIM", float(np.mean([ssim(a, b) for a, b in pairs])), len(pairs))
    yield _ratio(exam, "autoencoder", rebuilt)


def _detail(exam: Exam) -> Iterator[Figure]:
    for strength in STRENGTHS:
        yield _ratio(exam, f"1 step at {strength} from another", exam.redraws(strength), goal=0.75)
    for steps in (1, 4):
        yield _ratio(exam, f"{steps} step{'s' * (steps > 1)} from noise", exam.dreams(steps))


def _ratio(exam: Exam, name: str, made: Sequence[Picture], *, goal: float | None = None) -> Figure:
    """Energy above half Nyquist as a part of that of the renders of the same captions; the note names the least."""
    energies = [(high_frequency_energy(picture), true) for picture, true in zip(made, exam.energies, strict=False)]
    of: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for drawn, pair in zip(exam.asked, energies, strict=False):
        of[drawn.parts[0].scene].append(pair)
    scenes = {scene: _quotient(pairs) for scene, pairs in of.items()}
    lowest = sorted(scenes, key=scenes.__getitem__)[:4]
    note = f"median scene {np.median(list(scenes.values())):.2f}; least " + ", ".join(
        f"{scene} {scenes[scene]:.2f}" for scene in lowest
    )
    return Figure(PART, f"high-frequency energy, {name}", _quotient(energies), len(energies), goal=goal, note=note)


def _quotient(pairs: Sequence[tuple[float, float]]) -> float:
    made, true = np.sum(np.array(pairs), axis=0)
    return float(made / max(true, 1e-12))


def _distances(exam: Exam) -> Iterator[Figure]:
    features = exam.look(exam.renders).features.double().numpy()
    ours, others = features[: exam.count], features[exam.count :]
    base = frechet(ours, others)
    yield Figure(PART, "Fréchet distance, renders to other renders", base, exam.count)
    for steps in (4, 2, 1):
        made = exam.look(exam.dreams(steps)).features.double().numpy()
        goal = 3.0 if steps == 4 else None
        name = f"Fréchet distance, {steps} step{'s' * (steps > 1)}, over that"
        yield Figure(PART, name, frechet(made, others) / base, exam.count, goal=goal, at_most=True)
