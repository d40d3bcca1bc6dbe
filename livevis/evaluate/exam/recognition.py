"""Does the judge see what was asked for: from noise, in one step from another scene, in mixtures never trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from livevis.evaluate.exam.exam import Exam, Figure, proportion

STRENGTHS = (0.7, 0.6, 0.5, 0.4)
ASKED_STRENGTH = 0.7
PART = "recognition"


def measure(exam: Exam) -> Iterator[Figure]:
    """Yield figures as they are found; confusions go into the notes."""
    yield from _renders(exam)
    yield _named(exam, "scene right, 4 steps from noise", exam.asked, exam.look(exam.dreams(4)), goal=0.95)
    for strength in STRENGTHS:
        goal = 0.9 if strength == ASKED_STRENGTH else None
        verdict = exam.look(exam.redraws(strength))
        yield _named(exam, f"scene right, 1 step at {strength} from another", exam.asked, verdict, goal=goal)
    yield from _mixtures(exam)


def _renders(exam: Exam) -> Iterator[Figure]:
    verdict = exam.look(exam.renders)
    yield _named(exam, "scene right, held-out renders", exam.draws, verdict, goal=0.98)
    others = verdict.found().sum(1) - _found(exam, verdict, exam.draws)
    yield Figure(PART, "scenes found that are not there, a render", float(others.float().mean()), len(others))
    seen = exam.look(exam.rendered(exam.mixtures))
    yield proportion(PART, "both found, renders of mixtures", _both(exam, seen, exam.mixtures))
    yield proportion(PART, "the two likeliest, renders of mixtures", _first(exam, seen, exam.mixtures))


def _mixtures(exam: Exam) -> Iterator[Figure]:
    made = exam.made(
        "mixtures, 4 steps",
        exam.mixtures,
        lambda place, drawn: exam.player.dream(drawn.caption.text, steps=4, seed=exam.seed + place),
    )
    verdict = exam.look(made)
    yield proportion(PART, "both found, held-out mixtures, 4 steps", _both(exam, verdict, exam.mixtures), goal=0.85)
    yield proportion(PART, "both found and no third, the same", _only(exam, verdict, exam.mixtures))
    yield proportion(PART, "the two likeliest, the same", _first(exam, verdict, exam.mixtures))


def _named(exam: Exam, name: str, draws: Sequence[Any], verdict: Any, *, goal: float | None = None) -> Figure:
    told = [exam.scenes[place] for place in verdict.best().tolist()]
    true = [drawn.parts[0].scene for drawn in draws]
    wrong = Counter(f"{a}→{b}" for a, b in zip(true, told, strict=True) if a != b)
    note = ", ".join(f"{pair} {times}" for pair, times in wrong.most_common(5))
    return proportion(PART, name, [a == b for a, b in zip(true, told, strict=True)], goal=goal, note=note)


def _found(exam: Exam, verdict: Any, draws: Sequence[Any]) -> Any:
    """Return int64 [N]: how many of each draw's own scenes the judge finds."""
    import torch

    found = verdict.found()
    rows = [[found[row, exam.column(part.scene)] for part in drawn.parts] for row, drawn in enumerate(draws)]
    return torch.tensor([int(sum(row)) for row in rows])


def _both(exam: Exam, verdict: Any, draws: Sequence[Any]) -> list[bool]:
    return [bool(number == 2) for number in _found(exam, verdict, draws)]


def _only(exam: Exam, verdict: Any, draws: Sequence[Any]) -> list[bool]:
    whole = verdict.found().sum(1).tolist()
    return [both and number == 2 for both, number in zip(_both(exam, verdict, draws), whole, strict=True)]


def _first(exam: Exam, verdict: Any, draws: Sequence[Any]) -> list[bool]:
    """Whether a mixture's two scenes are the judge's two likeliest, however sure it is of them."""
    told = verdict.scenes.topk(2, dim=1).indices.tolist()
    wanted = [{exam.column(part.scene) for part in drawn.parts} for drawn in draws]
    return [set(row) == scenes for row, scenes in zip(told, wanted, strict=True)]
