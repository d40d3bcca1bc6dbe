"""One sound played by a preset, offline, and what came of it: pictures, what was heard, and what the judge says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from livevis.core.types import Picture
from livevis.evaluate.excerpt import F32, F64
from livevis.evaluate.landscape.sounds import NINE, bank
from livevis.evaluate.recording import Recording

REST = "a calm ocean"
"""What the picture shows while nothing is heard: none of the nine."""
CALLED = "0.01"
"""Weight of a prompt that shows nothing at rest and may be called."""
_STAGE_PX = (64, 36)
"""The stage's own picture is not looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """pictures: the generator's, one a frame; heard: what the sound was called at each, best first."""

    pictures: tuple[Picture, ...]
    heard: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Of N pictures: names [N] the likeliest scene, found bool [N, scenes], strength float [N, scenes] in 0..1."""

    scenes: tuple[str, ...]
    names: tuple[str, ...]
    found: npt.NDArray[np.bool_]
    strength: F64

    def column(self, scene: str) -> int:
        """The place of a scene."""
        return self.scenes.index(scene)


class Theatre:
    """An engine, its judge, and how it is played: preset and settings (id -> value), which have the last word."""

    def __init__(
        self, generator: Any, judge: Any, *, preset: str, settings: Mapping[str, str], seed: int, clap: str | None
    ) -> None:
        self.generator, self._judge = generator, judge
        self._preset, self._settings, self._seed, self._clap = preset, dict(settings), seed, clap

    def play(self, sound: F32, settings: Mapping[str, str], *, seconds: float, fps: float) -> Played:
        """Render `seconds` of `sound` at `fps`, the preset changed by `settings`, and those by the performer's."""
        from livevis.offline import frames
        from livevis.show import Show

        show = Show(preset=self._preset, settings={**settings, **self._settings})
        made = frames(
            Recording("recording", sound), show, count=round(seconds * fps), fps=fps, size=_STAGE_PX,
            generator=self.generator, seed=self._seed, clap=self._clap,
        )  # fmt: skip
        shown = [(frame.generated, frame.heard) for frame in made]
        return Played(tuple(one for one, _ in shown if one is not None), tuple(heard for _, heard in shown))

    def look(self, pictures: Sequence[Picture]) -> Verdicts:
        """Ask the judge."""
        told = self._judge.look(list(pictures))
        scenes = tuple(self._judge.config.scenes)
        strength = np.clip(told.intensity.double().numpy(), 0, 1)
        return Verdicts(scenes, tuple(scenes[at] for at in told.best().tolist()), told.found().numpy(), strength)


def prompts(rest: str, *called: str) -> dict[str, str]:
    """Settings for a picture at rest and up to three that the sound may call, all nine words listened for."""
    slots = {f"prompt/text_{slot}": "" for slot in (2, 3, 4)}
    for slot, text in enumerate(called, 2):
        slots |= {f"prompt/text_{slot}": text, f"prompt/weight_{slot}": CALLED}
    return {"prompt/text_1": rest, "prompt/weight_1": "1", **slots, "aadiff/bank": bank(NINE)}


def contact_sheet(rows: Sequence[Sequence[Picture]], path: Path, *, columns: int = 12, cell_px: int = 128) -> None:
    """Write each row of pictures as `columns` evenly spaced cells, one row below the other, as PNG."""
    from PIL import Image

    def cell(picture: Picture) -> Picture:
        return np.asarray(Image.fromarray(picture).resize((cell_px, cell_px), Image.Resampling.BOX))

    lines = [
        np.concatenate([cell(row[round((at + 0.5) * len(row) / columns - 0.5)]) for at in range(columns)], axis=1)
        for row in rows
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(lines, axis=0)).save(path)
