"""The faders of semantic guidance: what is played is what is asked for, and every one can be played by name."""

from __future__ import annotations

import pytest

from livevis.core.catalogue import CATALOGUE, EDIT_SLOTS
from livevis.core.params import Change, Registry
from livevis.core.places import assets
from livevis.core.preset_file import load
from livevis.core.reference import rows_as_json
from livevis.core.types import Edit
from livevis.methods.semantic import SMALLEST_SCALE, edits
from livevis.methods.words import condition
from livevis.world.wordings import WORDINGS
from tests.checkpoints import controls

ROWS = {row.id: row for row in CATALOGUE}
SHARED = ("momentum", "gain", "softness", "warm_up")


def test_slots_keep_their_places() -> None:
    found = edits(controls(guidance__text_3=" neon ", guidance__scale_3=-0.5, guidance__threshold_3=0.2))
    assert len(found.slots) == len(range(1, EDIT_SLOTS + 1)) == EDIT_SLOTS
    assert found.slots[2] == Edit("neon", -0.5, 0.2) and found.slots[2].heard
    assert [edit.heard for edit in found.slots] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "scale", "heard"),
    [("", 1.0, False), ("  ", 1.0, False), ("neon", 0.0, False), ("neon", SMALLEST_SCALE / 2, False),
     ("neon", SMALLEST_SCALE, True), ("neon", -1.0, True)],
)  # fmt: skip
def test_a_slot_is_heard_with_a_text_and_a_scale(text: str, scale: float, heard: bool) -> None:
    assert edits(controls(guidance__text_1=text, guidance__scale_1=scale)).slots[0].heard is heard


def test_what_the_slots_share_is_read() -> None:
    found = edits(controls(guidance__momentum=0.5, guidance__gain=2.0, guidance__softness=0.3, guidance__warm_up=800.0))
    assert (found.momentum_s, found.gain, found.softness, found.warm_up) == (0.5, 2.0, 0.3, 800.0)
    assert condition(controls(guidance__text_1="neon")).edits.slots[0].text == "neon"


def test_at_rest_no_slot_is_heard() -> None:
    assert not any(edit.heard for edit in edits(Registry(CATALOGUE).base()).slots)


def test_every_fader_has_a_name_and_all_but_the_texts_are_for_sound() -> None:
    each = [f"guidance/{key}_{n}" for key in ("text", "scale", "threshold") for n in range(1, EDIT_SLOTS + 1)]
    ids = [*each, *(f"guidance/{key}" for key in SHARED)]
    assert sorted(ids) == sorted(row.id for row in CATALOGUE if row.group == "guidance")
    addresses = {row["id"]: row["address"] for row in rows_as_json(CATALOGUE)}
    assert all(addresses[id] == f"/livevis/{id}" for id in ids)
    assert [id for id in ids if ROWS[id].safe is None] == each[:EDIT_SLOTS]
    assert all(ROWS[id].apply in ("live", "warm") for id in ids), "nothing is rebuilt"


def test_a_scale_pushes_both_ways() -> None:
    registry = Registry(CATALOGUE)
    registry.post([Change("guidance/scale_1", -1.0), Change("guidance/scale_2", 2.0), Change("guidance/text_1", "sea")])
    registry.apply()
    first, second, *_ = edits(registry.base()).slots
    assert (first.scale, second.scale) == (-1.0, 2.0) and first.heard and not second.heard


def test_the_preset_plays_two_slots_from_sound_in_words_of_the_world() -> None:
    preset = load(assets("presets") / "currents.toml", ROWS)
    look = preset.complete(ROWS)
    known = " ".join(" ".join((*wording.nouns, *wording.palettes)) for wording in WORDINGS.values()).split()
    driven = {route.target for route in preset.routes}
    for n in (1, 2):
        assert f"guidance/scale_{n}" in driven and look[f"guidance/scale_{n}"] == 0, "silence is the plain picture"
        assert set(str(look[f"guidance/text_{n}"]).split()) & set(known)
