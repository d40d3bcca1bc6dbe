"""`livevis eval ears`: how well a ClapModel folder names the world's sounds, zero-shot, on seeds never trained on.

Sounds of odd seeds (`train.clap.clips` has the split): alone, two at once, at 0 dB against music, and behind an 8 kHz
low-pass in a room of a family that no training hears. The folder is used as anybody would, through ClapProcessor.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.features import SAMPLE_RATE_HZ
from livevis.evaluate.statistics import wilson
from livevis.train.clap.clips import BAND, make_clip, make_music
from livevis.train.clap.rooms import F32, Rng, at_level, low_passed, silent, unheard_room

TEMPLATES = ("{}", "This is a sound of {}.")
WINDOW_S = 5
EDGE_HZ = 8_000.0
_BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPlan:
    """What is asked: `clips` held-out clips of each of the sounds `names` (none: the whole table), from `seed` on."""

    names: tuple[str, ...] = ()
    clips: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One question's answers: `right` of `asked`, 95 % Wilson interval, share right by sound, commonest mistakes."""

    name: str
    right: int
    asked: int
    interval: tuple[float, float]
    by_sound: dict[str, float]
    mistakes: tuple[tuple[str, str, int], ...]  # what it was, what was said, how often

    @property
    def share(self) -> float:
        return self.right / max(self.asked, 1)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A wave, the numbers of the sounds that are in it, and of those that are no wrong answer though not asked for."""

    wave: F32
    sounds: tuple[int, ...]
    beside: tuple[int, ...] = ()


class Listener:
    """A ClapModel folder with its processor, and what every sound of `names` is called."""

    def __init__(self, folder: Path, names: Sequence[str]):
        import torch
        from transformers import ClapModel, ClapProcessor

        from livevis.world.sounds import SOUNDS

        self._torch = torch
        self._model = ClapModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._processor = ClapProcessor.from_pretrained(folder)
        self.classes = np.stack([self._class(SOUNDS[name].phrases) for name in names])

    def _class(self, phrases: Sequence[str]) -> F32:
        """Mean direction of all phrases in all templates, a unit vector."""
        texts = [template.format(phrase) for phrase in phrases for template in TEMPLATES]
        inputs = self._processor.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with self._torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
            )
        mean: F32 = found.pooler_output.numpy().mean(0)
        return mean / np.linalg.norm(mean)

    def likeness(self, waves: Sequence[F32]) -> F32:
        """Cosine of each wave with each class, float32 [waves, classes]."""
        extract = self._processor.feature_extractor
        inputs = extract(list(waves), sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt")
        with self._torch.inference_mode():
            found = self._model.get_audio_features(
                input_features=inputs["input_features"].float(), is_longer=inputs["is_longer"]
            )
        return np.asarray(found.pooler_output.numpy() @ self.classes.T, np.float32)


class _Paper:
    """The questions of one exam; every clip is made once and used in all of them."""

    def __init__(self, plan: ExamPlan, names: tuple[str, ...]):
        self._names, self._plan = names, plan
        self._first = 1_000 * plan.seed
        self._clips = {
            (place, turn): self._clip(place, turn) for turn in range(plan.clips) for place in range(len(names))
        }
        self._band = tuple(place for place, name in enumerate(names) if name in BAND)

    def _clip(self, place: int, turn: int) -> F32:
        """A clip that is not silent for its whole length: what cannot be heard cannot be asked."""
        for attempt in range(8):
            index = self._first + turn + 100_000 * attempt
            wave = make_clip(self._names[place], index, WINDOW_S, held_out=True)[0]
            if not silent(wave):
                break
        return wave

    def _rng(self, place: int, turn: int, question: int) -> Rng:
        return np.random.default_rng([self._plan.seed, question, turn, place])

    def alone(self) -> Iterator[_Asked]:
        for (place, turn), wave in self._clips.items():
            yield _Asked(_at_random_level(wave, self._rng(place, turn, 1)), (place,))

    def mixtures(self) -> Iterator[_Asked]:
        """Two sounds at once, as loud as each other to 3 dB; no two of the band, which is nobody's mixture."""
        for (place, turn), wave in self._clips.items():
            rng = self._rng(place, turn, 2)
            barred = {place, *(self._band if place in self._band else ())}
            other = int(rng.choice([other for other in range(len(self._names)) if other not in barred]))
            mix = at_level(wave, 0) + at_level(self._clips[other, turn], rng.uniform(-3, 3))
            yield _Asked(_at_random_level(mix, rng), (place, other))

    def over_music(self) -> Iterator[_Asked]:
        """Each sound but the band's own at 0 dB against music, which really is there: its names are not wrong."""
        pieces = [make_music(self._first + turn, WINDOW_S, held_out=True) for turn in range(2 * self._plan.clips)]
        for (place, turn), wave in self._clips.items():
            if place not in self._band:
                rng = self._rng(place, turn, 3)
                mix = at_level(wave, 0) + at_level(pieces[int(rng.integers(len(pieces)))], 0)
                yield _Asked(_at_random_level(mix, rng), (place,), self._band)

    def over_music_strict(self) -> Iterator[_Asked]:
        """As `over_music`, but a name of the music counts as wrong: the scene has to come first of all."""
        for asked in self.over_music():
            yield _Asked(asked.wave, asked.sounds)

    def dull_and_roomy(self) -> Iterator[_Asked]:
        for (place, turn), wave in self._clips.items():
            heard = unheard_room(low_passed(wave, EDGE_HZ))
            yield _Asked(_at_random_level(heard, self._rng(place, turn, 4)), (place,))


def _at_random_level(wave: F32, rng: Rng) -> F32:
    """Peak at -30 to 0 dB below full scale."""
    return wave * np.float32(10 ** (-rng.uniform(0, 30) / 20) / max(float(np.abs(wave).max()), 1e-6))


QUESTIONS: dict[str, Callable[[_Paper], Iterator[_Asked]]] = {
    "held-out seeds": _Paper.alone,
    "mixtures, both in top two": _Paper.mixtures,
    "0 dB against music": _Paper.over_music,
    "0 dB against music, strict": _Paper.over_music_strict,
    "8 kHz low-pass and unheard room": _Paper.dull_and_roomy,
}


def examine(folder: Path, plan: ExamPlan) -> list[Finding]:
    """Ask a ClapModel folder every question of the exam; a minute or two, half of it making the sounds."""
    from livevis.world.sounds import SOUNDS

    names = plan.names or tuple(SOUNDS)
    listener, paper = Listener(folder, names), _Paper(plan, names)
    return [_answer(listener, question, [*ask(paper)], names) for question, ask in QUESTIONS.items()]


def _answer(listener: Listener, question: str, asked: list[_Asked], names: tuple[str, ...]) -> Finding:
    batches = [asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH)]
    likeness = np.concatenate([listener.likeness([one.wave for one in batch]) for batch in batches])
    said = [_top(row, one) for row, one in zip(likeness, asked, strict=True)]
    good = np.array([set(answer) == set(one.sounds) for answer, one in zip(said, asked, strict=True)])
    firsts = np.array([one.sounds[0] for one in asked])
    shares = {names[place]: float(good[firsts == place].mean()) for place in sorted(set(firsts.tolist()))}
    wrong = Counter(
        (names[missed], names[instead])
        for answer, one in zip(said, asked, strict=True)
        for missed in set(one.sounds) - set(answer)
        for instead in set(answer) - set(one.sounds)
    )
    mistakes = tuple((was, heard, count) for (was, heard), count in wrong.most_common(12))
    right = int(good.sum())
    return Finding(question, right, len(asked), wilson(right, len(asked)), shares, mistakes)


def _top(row: npt.NDArray[np.float32], asked: _Asked) -> tuple[int, ...]:
    """The likeliest classes, as many as there are sounds to be named."""
    order = [int(place) for place in np.argsort(-row) if place not in asked.beside]
    return tuple(order[: len(asked.sounds)])


def as_table(findings: Sequence[Finding]) -> str:
    """Markdown: one row a question, with its interval and the sounds that do worst."""
    lines = [
        "| zero-shot over all sounds | right | of | share | 95 % interval | weakest |",
        "|---|---|---|---|---|---|",
    ]
    for finding in findings:
        weak = sorted(finding.by_sound.items(), key=lambda item: item[1])[:3]
        said = ", ".join(f"{name} {share:.2f}" for name, share in weak if share < 1)
        low, high = finding.interval
        counted = f"{finding.right} | {finding.asked} | {finding.share:.3f}"
        lines.append(f"| {finding.name} | {counted} | {low:.3f}–{high:.3f} | {said} |")
    return "\n".join(lines)


def as_mistakes(findings: Sequence[Finding]) -> str:
    """One line a question: what was taken for what."""
    return "\n".join(
        f"- {finding.name}: " + (", ".join(f"{was} → {heard} ×{n}" for was, heard, n in finding.mistakes) or "none")
        for finding in findings
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the exam of a ClapModel folder, by default the bundled engine's."""
    parser = argparse.ArgumentParser("livevis eval ears", description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("engines/pocket/clap"), help="ClapModel folder")
    parser.add_argument("--clips", type=int, default=12, help="held-out clips of each sound (default 12)")
    parser.add_argument("--seed", type=int, default=0, help="which held-out clips")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    findings = examine(options.folder, ExamPlan(clips=options.clips, seed=options.seed))
    as_text = f"{as_table(findings)}\n\n{as_mistakes(findings)}"
    rows: list[dict[str, Any]] = [{**asdict(finding), "share": finding.share} for finding in findings]
    print(json.dumps(rows, indent=1) if options.json else as_text)
    return 0
