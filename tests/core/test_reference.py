"""The reference page says all of the table."""

from __future__ import annotations

import json

from livevis.core.catalogue import CATALOGUE
from livevis.core.features import FEATURES
from livevis.core.reference import reference, rows_as_json
from livevis.core.routes import ROUTE_ROWS


def test_page_names_every_parameter_route_field_and_source() -> None:
    page = reference(CATALOGUE)
    for row in CATALOGUE:
        lines = [line for line in page.splitlines() if line.startswith(f"| `{row.id}` |")]
        assert len(lines) == 1 and row.doc in lines[0] and row.allowed() in lines[0]
    for name in ROUTE_ROWS:
        assert f"| `{name}` |" in page
    assert {row.name for row in FEATURES if f"| `{row.name}` |" not in page} == {"next_beat_time"}


def test_every_table_has_as_many_cells_in_each_line() -> None:
    for block in reference(CATALOGUE).split("\n\n"):
        if block.startswith("|"):
            assert len({line.replace("\\|", "").count("|") for line in block.splitlines()}) == 1


def test_rows_travel_as_json() -> None:
    rows = json.loads(json.dumps(rows_as_json(CATALOGUE), allow_nan=False))
    assert [row["id"] for row in rows] == [row.id for row in CATALOGUE]
    strength = next(row for row in rows if row["id"] == "diffusion/strength")
    assert strength["address"] == "/livevis/diffusion/strength" and strength["safe"] == [0.15, 0.9]
