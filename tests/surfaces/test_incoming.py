"""What a message means, without a socket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from livevis.core.catalogue import CATALOGUE
from livevis.core.params import Change, Registry
from livevis.surfaces.addresses import FEATURE_ADDRESSES, AddressTable
from livevis.surfaces.incoming import Batch

_IDS = ("effect/hue", "effect/zoom", "scene/palette")
_CHANGES = st.builds(
    Change,
    st.sampled_from(_IDS),
    st.floats(0.05, 0.3),
    st.sampled_from(["set", "+", "-", "*"]),
)


@given(st.lists(_CHANGES | st.just(Change("tempo/tap", None, "fire")), max_size=40))
def test_a_batch_ends_where_its_changes_one_by_one_do(changes: list[Change]) -> None:
    whole, single = Registry(CATALOGUE), Registry(CATALOGUE)
    batch = Batch()
    for change in changes:
        batch.add(change)
        single.post([change])
    single.apply()
    whole.post(batch.changes())
    whole.apply()
    assert dict(whole.base().values) == dict(single.base().values)
    assert dict(whole.base().triggers) == dict(single.base().triggers)
    assert whole.base().version <= 1


def test_a_batch_holds_one_absolute_value_per_parameter() -> None:
    batch = Batch()
    for step in range(1000):
        batch.add(Change("effect/zoom", step / 1000))
    assert batch.changes() == [Change("effect/zoom", 0.999)]


def test_every_address_is_one_thing() -> None:
    rows = {row.id: row for row in CATALOGUE}
    inward, outward = AddressTable(rows).addresses, FEATURE_ADDRESSES.values()
    assert len({*inward, *outward}) == len(inward) + len(outward)
    assert all(address.count("/") == 3 for address in outward)


def test_aliases_name_rows_that_exist() -> None:
    table = AddressTable({row.id: row for row in CATALOGUE})
    flat = ("/prompt", "/negative_prompt", "/seed", "/guidance_scale", "/num_inference_steps")
    assert [table.find(name)[0].id for name in flat] == [
        "prompt/text_1", "prompt/negative", "diffusion/seed", "diffusion/guidance", "diffusion/steps",
    ]  # fmt: skip
