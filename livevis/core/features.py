"""The table of audio features: what the analyser and the ears say, hop by hop, under which name.

One name, one meaning: the six bands are `sub bass low_mid mid high_mid high`; their roll-ups carry the
plural (`lows mids highs`), because `mid` and `high` already are bands.
"""

from __future__ import annotations

from dataclasses import dataclass

SAMPLE_RATE_HZ = 48_000
HOP = 256
HOP_S = HOP / SAMPLE_RATE_HZ
SPECTRUM_BINS = 512
HEARD_PHRASES = 8
"""How many phrases of heard/bank have a feature."""

BANDS_HZ: dict[str, tuple[float, float]] = {
    "sub": (20.0, 60.0),
    "bass": (60.0, 150.0),
    "low_mid": (150.0, 400.0),
    "mid": (400.0, 2000.0),
    "high_mid": (2000.0, 6000.0),
    "high": (6000.0, 16000.0),
}
ROLLUPS: dict[str, tuple[str, ...]] = {
    "lows": ("sub", "bass"),
    "mids": ("low_mid", "mid"),
    "highs": ("high_mid", "high"),
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One row: name, natural range, unit, whether it only ever counts up, and a sentence."""

    name: str
    low: float
    high: float
    unit: str
    counter: bool
    doc: str


def _band_rows(band: str) -> list[Feature]:
    return [
        Feature(f"{band}.level", 0, 1, "", False, f"{band} level, auto-gained, fast attack and slow release"),
        Feature(f"{band}.presence", 0, 1, "", False, f"{band} level over seconds"),
        Feature(f"{band}.hit", 0, 1, "", False, f"pulse at each rise of {band}, then decays"),
        Feature(f"{band}.time", 0, 1e9, "s", True, f"clock that runs faster while {band} is loud"),
    ]


def _heard_row(n: int) -> Feature:
    doc = f"probability of phrase {n} of heard/bank against the bank's others, 0 in silence and while nobody listens"
    return Feature(f"heard.{n}", 0, 1, "", False, doc)


FEATURES: tuple[Feature, ...] = (
    Feature("rms", 0, 1, "", False, "root mean square of the hop, full scale 1"),
    Feature("peak", 0, 1, "", False, "largest absolute sample of the hop, full scale 1"),
    Feature("level", 0, 1, "", False, "loudness between the room's floor and its recent peak"),
    Feature("silence", 0, 1, "", False, "1 while the gate says that nothing plays"),
    *(row for band in (*BANDS_HZ, *ROLLUPS) for row in _band_rows(band)),
    Feature("spectral_centroid", 0, 24_000, "Hz", False, "centre of mass of the spectrum"),
    Feature("spectral_flux", 0, 10, "", False, "onset strength: mean positive log-mel difference"),
    Feature("spectral_flatness", 0, 1, "", False, "0 a tone, 1 white noise"),
    Feature("onset", 0, 1e15, "", True, "count of onsets"),
    Feature("onset.strength", 0, 10, "", False, "strength of the latest onset"),
    Feature("onset_low", 0, 1e15, "", True, "count of onsets below 150 Hz"),
    Feature("onset_mid", 0, 1e15, "", True, "count of onsets from 150 Hz to 2 kHz"),
    Feature("onset_high", 0, 1e15, "", True, "count of onsets above 2 kHz"),
    Feature("onset_low.strength", 0, 10, "", False, "strength of the latest onset below 150 Hz"),
    Feature("onset_mid.strength", 0, 10, "", False, "strength of the latest onset from 150 Hz to 2 kHz"),
    Feature("onset_high.strength", 0, 10, "", False, "strength of the latest onset above 2 kHz"),
    Feature("onset.hit", 0, 1, "", False, "pulse at each onset, then decays"),
    Feature("beat", 0, 1e15, "", True, "count of beats"),
    Feature("beat.strength", 0, 10, "", False, "strength of the latest beat"),
    Feature("beat.hit", 0, 1, "", False, "pulse at each beat, then decays"),
    Feature("tempo", 0, 300, "bpm", False, "tempo of the beat tracker"),
    Feature("beat_phase", 0, 1, "", False, "position inside the beat"),
    Feature("beat_confidence", 0, 1, "", False, "how sure the tracker is of its tempo"),
    Feature(
        "rms.time", 0, 1e9, "s", True, "clock of loudness: its rise over a stretch is the mean rms there, times it"
    ),
    Feature("next_beat_time", 0, 1e9, "s", False, "audio time of the next predicted beat"),
    *(_heard_row(n) for n in range(1, HEARD_PHRASES + 1)),
)
INDEX: dict[str, int] = {row.name: i for i, row in enumerate(FEATURES)}
HEARD = slice(INDEX["heard.1"], INDEX["heard.1"] + HEARD_PHRASES)
"""Where the phrases of heard/bank stand among the features; the analyser leaves them at 0."""
