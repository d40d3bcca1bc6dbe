"""Real sound to word gains, the whole path: analyser, the bundled listener at fixed places, the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from livevis.analysis.analyser import Analyser
from livevis.conditioner import Conditioner
from livevis.core.errors import EngineError
from livevis.core.features import HOP, SAMPLE_RATE_HZ
from livevis.core.places import assets
from livevis.core.types import Conditioning, Cue, Heard, silent_features
from livevis.embed.clap import ClapEmbedder
from livevis.embed.ears import SteppedEars
from livevis.embed.mel import F32
from livevis.methods.words import condition
from livevis.show import Show
from livevis.world.sounds import synthesise

FPS = 15
PROMPT = "a raging fire beside ocean waves in heavy rain"


@pytest.fixture(scope="module")
def embedder() -> ClapEmbedder:
    return ClapEmbedder(assets("engines") / "pocket" / "clap")


@pytest.fixture(scope="module")
def sound() -> F32:
    """Fire for 4 s, then rain for 4 s: performances (odd seeds) that the listener was never trained on."""
    return np.concatenate([synthesise(name, seed=77, seconds=4, intensity=0.8) for name in ("fire", "rain")])


def reader(sound: F32) -> Callable[[int, int], F32 | None]:
    return lambda start, n: sound[start : start + n] if start + n <= len(sound) else None


def play(embedder: ClapEmbedder, sound: F32, **settings: str) -> list[tuple[tuple[str, ...], Conditioning]]:
    """What is heard and asked for at each frame, as a render does it."""
    show = Show(preset="hearth", settings={"prompt/text_1": PROMPT, "aadiff/amount": "1", **settings})
    conditioner, analyser = Conditioner(SteppedEars(lambda: embedder, reader(sound))), Analyser()
    latest, heard, out = silent_features(), 0, []
    for frame in range(len(sound) * FPS // SAMPLE_RATE_HZ):
        while heard + HOP <= frame * SAMPLE_RATE_HZ // FPS:
            latest, heard = analyser.step(sound[heard : heard + HOP]), heard + HOP
        asked = conditioner.step(Cue(frame, latest.sample, frame / FPS, show.controls(), latest))
        out.append((conditioner.heard, asked))
    return out


def lifted(asked: Conditioning) -> dict[str, float]:
    """The gains after the performer's own one."""
    return dict(asked.word_gains[1:])


@pytest.fixture(scope="module")
def played(embedder: ClapEmbedder, sound: F32) -> list[tuple[tuple[str, ...], Conditioning]]:
    return play(embedder, sound)


def test_the_sound_s_own_word_is_lifted_and_changes_with_it(
    played: list[tuple[tuple[str, ...], Conditioning]],
) -> None:
    assert played[3 * FPS][0] == ("fire",) and lifted(played[3 * FPS][1])["fire"] > 1.5
    assert played[-1][0] == ("rain",) and lifted(played[-1][1])["rain"] > 1.5
    switched = next(k for k, (heard, _) in enumerate(played) if heard == ("rain",))
    assert 4.0 < switched / FPS < 7.0, "within three seconds of the change"
    assert sum(a != b for (a, _), (b, _) in zip(played[FPS:], played[FPS + 1 :], strict=False)) == 1, "no flutter"


def test_the_future_changes_nothing(
    embedder: ClapEmbedder, sound: F32, played: list[tuple[tuple[str, ...], Conditioning]]
) -> None:
    """Cut the sound at T: every word and gain up to T is unchanged, heard a second time."""
    cut = sound[: 5 * SAMPLE_RATE_HZ].copy()
    cut[3 * SAMPLE_RATE_HZ :] = 0.0
    early = play(embedder, cut)
    assert early[: 3 * FPS + 1] == played[: 3 * FPS + 1] and early != played[: len(early)]


def test_silence_and_amount_0_are_today_s_conditioning(embedder: ClapEmbedder, sound: F32) -> None:
    show = Show(preset="hearth", settings={"prompt/text_1": PROMPT})
    today = condition(show.controls())
    assert all(asked == today for _, asked in play(embedder, np.zeros(3 * SAMPLE_RATE_HZ, np.float32)))
    off = play(embedder, sound[: 3 * SAMPLE_RATE_HZ], **{"aadiff/amount": "0"})
    assert all(asked == today and heard == () for heard, asked in off)


class Deaf:
    """Ears whose folder is missing."""

    notice = "no CLAP"

    def hear(self, sample: int, phrases: tuple[str, ...], span_s: float) -> Heard | None:
        return None


def test_without_ears_the_show_goes_on_and_says_so_only_where_it_matters() -> None:
    for amount, said in (("0", ""), ("1", "no CLAP")):
        show = Show(preset="hearth", settings={"aadiff/amount": amount})
        conditioner = Conditioner(Deaf())
        assert conditioner.step(Cue(0, 0, 0.0, show.controls())) == condition(show.controls())
        assert conditioner.notice == said


def test_a_render_without_ears_raises_only_where_it_matters() -> None:
    def missing() -> Any:
        raise EngineError("no CLAP")

    for amount in ("0", "1"):
        show = Show(preset="hearth", settings={"aadiff/amount": amount})
        conditioner = Conditioner(SteppedEars(missing, lambda start, n: None))
        if amount == "0":
            conditioner.step(Cue(0, 0, 0.0, show.controls()))
        else:
            with pytest.raises(EngineError, match="no CLAP"):
                conditioner.step(Cue(0, 0, 0.0, show.controls()))
