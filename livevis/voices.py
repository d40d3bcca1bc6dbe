"""Who speaks for an engine when TPoS is played, put together for the stage and for a render."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from livevis.embed.tpos.ears import LiveTpos, SteppedTpos
from livevis.generate.engine import Engine
from livevis.methods.classes import Read, SoundClass
from livevis.methods.speaking import Voices

if TYPE_CHECKING:
    from livevis.embed.tpos.network import Tpos

Encode = Callable[[str], npt.NDArray[np.float32]]


def stepped(engine: Engine, encode: Encode, read: Read) -> Voices:
    """Voices of a render of the sound that `read` gives; encode: a text's rows [tokens - 1, text_width]."""
    ears = SteppedTpos(partial(_load, engine.folder), read)
    return Voices(engine.name, ears, sound_classes, encode, read, render=True)


def live(engine: Engine, encode: Encode, read: Read, newest: Callable[[], int]) -> Voices:
    """Voices of a show; `newest` says how much has been written of the sound."""
    ears = LiveTpos(partial(_load, engine.folder), read, newest)
    return Voices(engine.name, ears, sound_classes, encode, read, render=False)


@lru_cache(maxsize=1)
def sound_classes() -> tuple[SoundClass, ...]:
    """The world's sounds: the plain noun of each one's scene, empty where it has none, and its phrases."""
    from livevis.world.sounds import SOUNDS
    from livevis.world.wordings import WORDINGS

    nouns = {name: WORDINGS[name].nouns[0] for name in SOUNDS if name in WORDINGS}
    plain = {name: noun.removeprefix("a ").removeprefix("an ") for name, noun in nouns.items()}
    return tuple(SoundClass(plain.get(name, ""), sound.phrases) for name, sound in SOUNDS.items())


def _load(folder: Path) -> Tpos:
    """An engine's own encoder; where there is none, what may stand in for it is got ready on the same thread."""
    from livevis.core.errors import EngineError
    from livevis.embed.tpos.folder import load_for

    try:
        return load_for(folder)
    except EngineError:
        sound_classes()
        raise
