"""Real sound to rows of the text, the whole path: analyser, a tiny encoder or the bundled listener, the method."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from livevis.analysis.analyser import Analyser
from livevis.conditioner import Conditioner
from livevis.core.errors import EngineError
from livevis.core.features import HOP, SAMPLE_RATE_HZ
from livevis.core.places import assets
from livevis.core.types import AudioFeatures, AudioTokens, Conditioning, Cue, silent_features
from livevis.embed.clap import ClapEmbedder
from livevis.embed.ears import SteppedEars
from livevis.embed.mel import F32
from livevis.embed.tpos import causal, folder
from livevis.embed.tpos.ears import LiveTpos, SteppedTpos
from livevis.embed.tpos.network import Tpos, build
from livevis.embed.tpos.shape import TPOS_SHAPES
from livevis.embed.tpos.stream import Listened, Stream
from livevis.methods import sphere, tpos
from livevis.methods.speaking import AHEAD, Voices
from livevis.methods.words import condition
from livevis.show import Show
from livevis.voices import sound_classes
from livevis.world.sounds import synthesise

FPS = 15
ROWS = (31, 24)


@pytest.fixture(scope="module")
def model() -> Tpos:
    return build(TPOS_SHAPES["tiny"], seed=3).eval()


@pytest.fixture(scope="module")
def embedder() -> ClapEmbedder:
    return ClapEmbedder(assets("engines") / "pocket" / "clap")


@pytest.fixture(scope="module")
def sound() -> F32:
    """Silence for 1 s, fire for 2.5 s, rain for 2.5 s, silence for 1.5 s."""
    fire, rain = (synthesise(name, seed=77, seconds=2.5, intensity=0.8) for name in ("fire", "rain"))
    quiet = np.zeros(SAMPLE_RATE_HZ, np.float32)
    return np.concatenate([quiet, fire, rain, quiet, quiet[: SAMPLE_RATE_HZ // 2]])


def told(text: str) -> F32:
    """Rows of a text, as different as texts are."""
    draws = np.random.default_rng(list(text.encode()) or [0])
    return draws.standard_normal(ROWS).astype(np.float32)


def reader(sound: F32) -> Callable[[int, int], F32]:
    """Samples, and silence beyond the end, as a source gives them."""
    padded = np.concatenate([sound, np.zeros(3 * SAMPLE_RATE_HZ, np.float32)])
    return lambda start, n: padded[start : start + n]


def no_weights() -> Tpos:
    raise EngineError("no TPoS in its folder")


class Play:
    """A show over one sound; `by` opens the engine's own encoder."""

    def __init__(self, embedder: ClapEmbedder, sound: F32, by: Callable[[], Tpos], *, render: bool = True) -> None:
        read, self.sound = reader(sound), sound
        self.ears = SteppedEars(lambda: embedder, read)
        self.opened = 0
        self.voices = Voices("tiny", SteppedTpos(by, read), sound_classes, told, read, render=render)
        self.conditioner = Conditioner(self.ears, self._open)

    def _open(self) -> Voices:
        self.opened += 1
        return self.voices

    def cues(self, fps: float = FPS, **settings: str) -> list[Cue]:
        show = Show(preset="hearth", settings={key.replace("__", "/"): value for key, value in settings.items()})
        heard = hops(self.sound)
        places = [frame * SAMPLE_RATE_HZ // round(fps) // HOP for frame in range(int(len(self.sound) * fps) // 48_000)]
        newest = [heard[place - 1] if place else silent_features() for place in places]
        return [Cue(k, now.sample, k / fps, show.controls(), now) for k, now in enumerate(newest)]

    def run(self, fps: float = FPS, **settings: str) -> list[Conditioning]:
        return [self.conditioner.step(cue) for cue in self.cues(fps, **settings)]


_HOPS: dict[bytes, list[AudioFeatures]] = {}


def hops(sound: F32) -> list[AudioFeatures]:
    """The features of every hop, worked out once for each sound."""
    key = sound.tobytes()
    if key not in _HOPS:
        analyser = Analyser()
        _HOPS[key] = [analyser.step(sound[at : at + HOP]) for at in range(0, len(sound) - HOP + 1, HOP)]
    return _HOPS[key]


def alike(one: AudioTokens | None, other: AudioTokens | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one.rows, other.rows) and (one.gain, one.amount) == (other.gain, other.amount)


VOICES = pytest.mark.parametrize("voice", ["trained", "classes"])
FULL = {"tpos__amount": "1"}


@pytest.fixture(scope="module")
def start(embedder: ClapEmbedder, model: Tpos) -> Callable[..., Play]:
    def begin(sound: F32, voice: str = "trained", **more: bool) -> Play:
        return Play(embedder, sound, no_weights if voice == "classes" else lambda: model, **more)

    return begin


@VOICES
def test_what_sounds_is_said_and_the_future_changes_nothing(start: Callable[..., Play], sound: F32, voice: str) -> None:
    """Cut the sound at T: up to T the conditioning is unchanged, bit for bit, heard a second time."""
    whole = start(sound, voice).run(**FULL, tpos__voice=voice)
    until = 3 * SAMPLE_RATE_HZ
    cut = sound.copy()
    cut[until:] = 0
    early = start(cut, voice).run(**FULL, tpos__voice=voice)
    frames = 3 * FPS + 1
    assert sum(asked.tokens is not None for asked in whole[:frames]) > FPS
    assert all(alike(a.tokens, b.tokens) for a, b in zip(whole[:frames], early[:frames], strict=True))
    assert not all(alike(a.tokens, b.tokens) for a, b in zip(whole, early, strict=True))


@VOICES
def test_rows_do_not_depend_on_the_frame_rate(start: Callable[..., Play], sound: F32, voice: str) -> None:
    slow, fast = (start(sound, voice).run(fps, **FULL, tpos__voice=voice) for fps in (15, 45))
    pairs = [(a.tokens, b.tokens) for a, b in zip(slow, fast[::3], strict=False)]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    assert len(both) > 4 * FPS
    for one, other in both:
        assert np.array_equal(one.rows, other.rows) and one.gain == other.gain


@VOICES
def test_in_silence_nothing_is_played_and_nothing_is_left(start: Callable[..., Play], sound: F32, voice: str) -> None:
    play = start(sound, voice)
    asked = play.run(**FULL, tpos__voice=voice, tpos__scale="0.5")
    plain = condition(play.cues()[0].controls)
    said = [frame for frame, one in enumerate(asked) if one.tokens is not None]
    assert asked[0] == plain and said[0] >= FPS - 1 and said[-1] < len(asked) - FPS // 4
    assert all(one == plain for one in (*asked[: said[0]], *asked[said[-1] + 1 :]))
    assert max(one.tokens.amount for one in asked if one.tokens) == 1.0


@VOICES
def test_fading_has_no_step(start: Callable[..., Play], sound: F32, voice: str) -> None:
    asked = start(sound, voice).run(60, **FULL, tpos__voice=voice)
    amounts = [one.tokens.amount if one.tokens else 0.0 for one in asked]
    assert max(np.abs(np.diff(amounts))) < 0.25


def test_at_rest_it_is_today_s_conditioning_and_nobody_is_woken(start: Callable[..., Play], sound: F32) -> None:
    play = start(sound[: 2 * SAMPLE_RATE_HZ])
    assert all(one == condition(play.cues()[0].controls) for one in play.run())
    assert play.opened == 0 and play.conditioner.heard == () and play.conditioner.notice == ""


def test_as_an_edit_alone_the_rows_come_with_no_amount(start: Callable[..., Play], sound: F32) -> None:
    asked = start(sound[: 3 * SAMPLE_RATE_HZ]).run(tpos__scale="-0.6")
    assert asked[-1].tokens is not None and asked[-1].tokens.amount == 0
    assert asked[-1].edits.audio.scale == pytest.approx(-0.6) and asked[0].edits.audio.scale == 0


def test_at_k_0_and_follow_0_the_newest_segment_speaks_plainly(
    start: Callable[..., Play], sound: F32, model: Tpos
) -> None:
    play = start(sound[: 3 * SAMPLE_RATE_HZ])
    asked = play.run(**FULL, tpos__k="0", tpos__follow="0")
    newest = [one for one in play.voices.trained.hear(0) if one.sample <= play.cues()[-1].sample][-1]
    tokens = asked[-1].tokens
    assert tokens is not None and tokens.gain == 1.0
    assert np.abs(tokens.rows - causal.speak(model, newest.states[-1])).max() <= 1e-5


def test_the_fallback_says_why_and_a_named_voice_never_falls_back(start: Callable[..., Play], sound: F32) -> None:
    short = sound[: 3 * SAMPLE_RATE_HZ]
    auto = start(short, "classes")
    asked = auto.run(**FULL)
    assert "no TPoS in its folder" in auto.conditioner.notice and "CLAP" in auto.conditioner.notice
    assert asked[-1].tokens is not None
    assert auto.conditioner.heard[0] in {f"TPoS classes: {one.text}".rstrip(": ") for one in sound_classes()}
    named = start(short, "classes")
    with pytest.raises(EngineError, match="tpos/voice is trained: no TPoS in its folder"):
        named.run(**FULL, tpos__voice="trained")
    staged = start(short, "classes", render=False)
    assert all(one.tokens is None for one in staged.run(**FULL, tpos__voice="trained"))
    assert staged.conditioner.notice == "no TPoS in its folder" and staged.conditioner.heard == ()
    there = start(short)
    there.run(**FULL)
    assert there.conditioner.notice == "" and there.conditioner.heard == ("TPoS trained",)


def test_slerp_is_the_released_one_between_whole_segments(start: Callable[..., Play], sound: F32, model: Tpos) -> None:
    play = start(sound)
    asked, cues = play.run(**FULL, tpos__path="slerp", tpos__k="0.5"), play.cues()
    stream = Stream(model, reader(sound))
    every = [window for at in range(0, len(sound) + SAMPLE_RATE_HZ, 4_800) for window in stream.upto(at)]
    whole = [window for window in every if window.whole]
    heard = [tpos.heard(one.sample, one.states, one.logits) for one in whole]
    points = [causal.speak(model, one.gain**0.5 * one.vector) for one in heard]
    checked = 0
    for cue, one in zip(cues, asked, strict=True):
        if one.tokens is not None:
            expected = sphere.between(points, [segment.sample for segment in heard], cue.features.sample)
            assert np.abs(one.tokens.rows - expected).max() <= 1e-5
            checked += 1
    assert checked > 4 * FPS


def test_on_stage_slerp_is_refused_in_one_line_and_follow_plays(start: Callable[..., Play], sound: F32) -> None:
    short = sound[: 3 * SAMPLE_RATE_HZ]
    refused, plain = (start(short, render=False) for _ in range(2))
    pairs = zip(refused.run(**FULL, tpos__path="slerp"), plain.run(**FULL), strict=True)
    assert all(alike(a.tokens, b.tokens) for a, b in pairs)
    assert refused.conditioner.notice == AHEAD and plain.conditioner.notice == ""


def test_after_a_rest_nothing_old_is_said(start: Callable[..., Play], sound: F32) -> None:
    """Live, a thread that has just been woken still holds what it heard when it was last asked."""
    play = start(sound, render=False)
    play.voices.trained.hear(SAMPLE_RATE_HZ // 4)
    held = play.voices.trained.hear(0)

    class Woken(SteppedTpos):
        def hear(self, sample: int) -> tuple[Listened, ...]:
            return held

    woken = Woken(no_weights, reader(sound))
    woken._lacks = ""
    woken._opened = play.voices.trained._opened  # type: ignore[attr-defined]
    play.voices = replace(play.voices, trained=woken)
    asked = [play.conditioner.step(cue) for cue in play.cues(**FULL) if 5.4 < cue.features.time_s < 6]
    assert held and all(one.tokens is None for one in asked)


def test_both_methods_listen_to_one_pair_of_ears(start: Callable[..., Play], sound: F32) -> None:
    words = {"prompt__text_1": "fire in the rain", "aadiff__amount": "1"}
    play = start(sound[: 3 * SAMPLE_RATE_HZ], "classes")
    both = play.run(**FULL, **words)
    alone = start(sound[: 3 * SAMPLE_RATE_HZ]).run(**words)
    assert [one.word_gains for one in both] == [one.word_gains for one in alone]
    assert play.conditioner.heard[0] == "fire" and play.conditioner.heard[1].startswith("TPoS classes: ")


def test_live_says_what_a_render_says_given_the_same_samples(
    start: Callable[..., Play], embedder: ClapEmbedder, sound: F32, model: Tpos
) -> None:
    """A stage whose thread keeps up: every window is there before the frame that it belongs to."""
    short = sound[: 3 * SAMPLE_RATE_HZ]
    rendered, stage = start(short), start(short, render=False)
    newest = [0]
    ears = LiveTpos(lambda: model, lambda start, n: short[start : start + n], lambda: newest[0])
    stage.voices = Voices("tiny", ears, sound_classes, told, stage.voices.read, render=False)
    expected, cues, got = rendered.run(**FULL), stage.cues(**FULL), []
    until(lambda: ears.lacks() == "")
    for cue in cues:
        newest[0] = cue.sample
        wanted = [one.sample for one in rendered.voices.trained.hear(0) if one.sample <= cue.sample][-1:]
        until(partial(lambda wanted: [one.sample for one in ears.hear(0)][-1:] == wanted, wanted))
        got.append(stage.conditioner.step(cue))
    assert all(alike(a.tokens, b.tokens) for a, b in zip(expected, got, strict=True))
    assert sum(one.tokens is not None for one in got) > FPS


def until(done: Callable[[], object]) -> None:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < 60
        time.sleep(0.001)


def test_an_engine_s_own_folder_is_what_speaks(tmp_path: Path, model: Tpos, sound: F32) -> None:
    from livevis.voices import _load

    (tmp_path / "text_encoder").mkdir()
    save_file({"weight": torch.ones(2)}, tmp_path / "text_encoder" / "model.safetensors")
    ears = SteppedTpos(partial(_load, tmp_path), reader(sound))
    assert "livevis train tpos" in (ears.lacks() or "")
    folder.save(model, tmp_path / "tpos", text=folder.text_digest(tmp_path))
    ears = SteppedTpos(partial(_load, tmp_path), reader(sound))
    assert ears.lacks() == "" and ears.hear(2 * SAMPLE_RATE_HZ)
