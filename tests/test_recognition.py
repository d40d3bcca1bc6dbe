"""Real sound to heard.n to a routed knob: offline at fixed samples, live on the ears' thread, the same numbers."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from livevis.analysis.analyser import Analyser
from livevis.audio.jam import JamSource
from livevis.conditioner import Conditioner
from livevis.core.clock import WallClock
from livevis.core.errors import ConfigError
from livevis.core.exchange import SampleRing
from livevis.core.features import HEARD, HOP, SAMPLE_RATE_HZ
from livevis.core.places import assets
from livevis.core.routes import Route
from livevis.core.types import AudioFeatures, Cue, Recognition
from livevis.embed.clap import ClapEmbedder
from livevis.embed.ears import LiveEars, SteppedEars, due
from livevis.embed.mel import F32
from livevis.hearing import Hearing
from livevis.methods.recognition import phrases, recognise
from livevis.methods.words import condition
from livevis.offline import Hearer, frames
from livevis.show import Show
from livevis.world.sounds import synthesise

BANK = "fire, rain, birds"
ROUTE = Route("heard.2", "effect/hue", high=1.0, release_s=0.0)


class Clip(JamSource):
    """A pull source of given samples, silent after their end."""

    def __init__(self, samples: F32) -> None:
        super().__init__(seed=0)
        self.clip = samples

    def samples(self, start: int, n: int) -> F32:
        out = np.zeros(n, np.float32)
        there = self.clip[start : start + n]
        out[: len(there)] = there
        return out


@pytest.fixture(scope="module")
def embedder() -> ClapEmbedder:
    return ClapEmbedder(assets("engines") / "pocket" / "clap")


@pytest.fixture(scope="module")
def sound() -> F32:
    """Half a second of nothing, fire for 3.5 s, then rain for 4 s: performances never trained on."""
    heard = [synthesise(name, seed=77, seconds=4, intensity=0.8) for name in ("fire", "rain")]
    heard[0][: SAMPLE_RATE_HZ // 2] = 0.0
    return np.concatenate(heard)


def new_show(**settings: str) -> Show:
    return Show(preset="hearth", settings={"heard/bank": BANK, **settings})


def hop_by_hop(embedder: ClapEmbedder, sound: F32, show: Show) -> list[tuple[AudioFeatures, float]]:
    """Each hop's features and the knob that rain turns, as a render has them."""
    source = Clip(sound)
    show.routes.replace([ROUTE])
    hearer = Hearer(source, show, SteppedEars(lambda: embedder, source.samples))
    ends = range(HOP, len(sound) + 1, HOP)
    return [(hearer.upto(end), show.controls().number("effect/hue")) for end in ends]


@pytest.fixture(scope="module")
def offline(embedder: ClapEmbedder, sound: F32) -> list[tuple[AudioFeatures, float]]:
    return hop_by_hop(embedder, sound, new_show())


def test_each_hop_has_the_scores_of_the_listening_point_before_it(
    embedder: ClapEmbedder, sound: F32, offline: list[tuple[AudioFeatures, float]]
) -> None:
    """Against the embedder asked afresh, at every fifth of the hops; in silence all are 0."""
    listened, show = embedder.sound(Clip(sound).samples), new_show()
    for features, _ in offline[::151]:
        found = embedder.embed(listened, due(features.sample), span_s=2.5)
        values = features.values[HEARD]
        if found is None or features["silence"]:
            assert not values.any()
            continue
        cosines = [float(found.vector @ embedder.phrase(phrase)) for phrase in ("fire", "rain", "birds")]
        weights = np.exp(embedder.logit_scale * np.array(cosines))
        assert np.abs(values[:3] - weights / weights.sum()).max() < 1e-6 and not values[3:].any()
    assert phrases(show.controls()) == ("fire", "rain", "birds")


def test_the_routes_hear_it(offline: list[tuple[AudioFeatures, float]]) -> None:
    early, late = offline[3 * SAMPLE_RATE_HZ // HOP], offline[-1]
    assert early[0]["heard.1"] > 0.5 > early[0]["heard.2"] and late[0]["heard.2"] > 0.5 > late[0]["heard.1"]
    hue = new_show().controls().number("effect/hue")
    assert all(knob == pytest.approx((hue + features["heard.2"]) % 1.0, abs=1e-9) for features, knob in offline)


def test_the_future_changes_nothing(
    embedder: ClapEmbedder, sound: F32, offline: list[tuple[AudioFeatures, float]]
) -> None:
    """Cut the sound at T: every feature and knob up to T is the same, bit for bit; and later ones are not."""
    at = 4 * SAMPLE_RATE_HZ // HOP
    cut = sound[: 5 * SAMPLE_RATE_HZ].copy()
    cut[at * HOP :] = 0.3
    early = hop_by_hop(embedder, cut, new_show())
    for (features, knob), (others, other) in zip(early[:at], offline, strict=False):
        assert np.array_equal(features.values, others.values) and knob == other
    assert not np.array_equal(early[-1][0].values[HEARD], offline[len(early) - 1][0].values[HEARD])


def test_the_analyser_s_features_are_untouched(sound: F32, offline: list[tuple[AudioFeatures, float]]) -> None:
    for plain, (both, _) in zip(Analyser().feed(sound), offline, strict=True):
        assert np.array_equal(plain.values[: HEARD.start], both.values[: HEARD.start])
        assert not plain.values[HEARD].any()


def test_without_a_bank_nobody_listens_and_without_ears_a_bank_is_an_error(sound: F32) -> None:
    quiet = Hearer(Clip(sound), Show(preset="hearth", settings={}))
    assert not quiet.upto(3 * SAMPLE_RATE_HZ).values[HEARD].any()
    with pytest.raises(ConfigError, match="heard/bank: the generator process listens"):
        list(frames(Clip(sound), new_show(), count=2, fps=10, size=(64, 64)))


def test_a_route_to_a_place_that_is_empty_is_an_error(embedder: ClapEmbedder, sound: F32) -> None:
    show, clip = new_show(**{"heard/bank": "fire,,rain"}), Clip(sound)
    hearer = Hearer(clip, show, SteppedEars(lambda: embedder, clip.samples))
    hearer.upto(HOP)
    show.routes.replace([ROUTE])
    with pytest.raises(ConfigError, match=r"heard\.2, and heard/bank names no phrase"):
        hearer.upto(2 * HOP)
    show.routes.edit(0, "source", "heard.3")
    hearer.upto(2 * HOP)


def test_a_bank_alone_opens_the_ears_and_lifts_no_word(embedder: ClapEmbedder, sound: F32) -> None:
    show, clip = new_show(), Clip(sound)
    conditioner, features = Conditioner(SteppedEars(lambda: embedder, clip.samples)), Analyser().feed(sound[:144_128])
    asked = [conditioner.step(Cue(k, f.sample, 0.0, show.controls(), f)) for k, f in enumerate(features[::20])]
    assert all(one == condition(show.controls()) for one in asked)
    assert conditioner.heard == ("fire",) and conditioner.recognition is not None
    assert conditioner.recognition.probabilities[0] > 0.5 and conditioner.notice == ""


def test_the_prompt_s_words_do_not_compete(embedder: ClapEmbedder, sound: F32) -> None:
    clip, found = Clip(sound), []
    for amount in ("0", "1"):
        show = new_show(**{"aadiff/amount": amount, "prompt/text_1": "a storm, thunder and fire"})
        conditioner = Conditioner(SteppedEars(lambda: embedder, clip.samples))
        features = Analyser().feed(sound[:144_128])[-1]
        conditioner.step(Cue(0, features.sample, 0.0, show.controls(), features))
        found.append(conditioner.recognition)
    assert found[0] is not None and found[0] == found[1]


def until(done: Callable[[], object]) -> None:
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < 60
        time.sleep(0.005)


def test_live_agrees_with_offline_up_to_the_thread_s_delay(
    embedder: ClapEmbedder, sound: F32, offline: list[tuple[AudioFeatures, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real ring, ears' thread, conditioner and analysis thread: whatever reaches the routes is what a render has at
    the sample that it says it has heard, and its analyser's part is bit-equal."""
    monkeypatch.setattr("livevis.hearing._STARVED_S", 1e9)  # a busy machine must not be taken for a lost device
    ring, show = SampleRing.create(), new_show()
    written = [0]  # the ears' thread outlives the ring
    conditioner = Conditioner(LiveEars(lambda: embedder, ring.read, lambda: written[0]))
    told: list[tuple[AudioFeatures, Recognition | None]] = []
    newest: list[Recognition | None] = [None]

    merged: list[Recognition | None] = []

    def recognition() -> Recognition | None:
        merged.append(newest[0])
        return merged[-1]

    def listen(features: AudioFeatures) -> None:
        told.append((features, merged[-1]))
        show.hear(features)

    hearing = Hearing(ring, listen=listen, clock=WallClock(), recognition=recognition)
    hearing.start()
    try:
        for at in range(0, len(sound), 24_000):
            ring.write(sound[at : at + 24_000])
            written[0] = ring.written
            until(lambda: hearing.latest.sample > ring.written - HOP)

            def cued() -> Recognition | None:
                conditioner.step(Cue(0, hearing.latest.sample, 0.0, show.controls(), hearing.latest))
                newest[0] = conditioner.recognition
                return newest[0]

            if at:  # half a second is the least that is listened to
                until(lambda: (found := cued()) is not None and found.sample > due(ring.written) - embedder.hop)
    finally:
        hearing.stop()
        ring.close()
    known = {features.sample: features for features, _ in offline}
    assert len({said.sample for _, said in told if said is not None}) >= 12
    for features, _ in told:
        assert np.array_equal(features.values[: HEARD.start], known[features.sample].values[: HEARD.start])
    stepped, base = SteppedEars(lambda: embedder, Clip(sound).samples), show.controls()
    for said in {said.sample: said for _, said in told if said is not None}.values():
        found = stepped.hear(due(said.sample + embedder.hop - 1), phrases(base), 2.5)
        assert said == recognise(found, base)
    sounding = [(features, said) for features, said in told if said is not None and not features["silence"]]
    assert all(tuple(features.values[HEARD][:3]) == said.probabilities for features, said in sounding) and sounding
