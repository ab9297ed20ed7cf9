"""Of repeated values the first or last counts, by protocol; unscheduled values stay in the records, not the Panel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.records.from_records import to_panel
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import load_map
from equipoise.records.panel import Panel
from equipoise.records.records import Records

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


def panel_with(extra: dict[str, object], *changes: str) -> tuple[Panel, Panel]:
    """The Panel of the small trial, and the Panel with one more finding: INV-01's first HbA1c with `extra`."""
    protocol = load_protocol(EXAMPLE / "protocol.yaml", changes)
    plain = import_files(protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data").records
    first = plain.findings.filter((pl.col("participant") == "INV-01") & (pl.col("test") == "hba1c")).head(1)
    schema = plain.findings.schema
    more = first.with_columns([pl.lit(value, dtype=schema[name]).alias(name) for name, value in extra.items()])
    records = Records.of(protocol, {**plain.tables, "findings": pl.concat([plain.findings, more])})
    return to_panel(plain), to_panel(records)


def hba1c(panel: Panel) -> np.ndarray:
    return panel.blocks["blood"].test("hba1c")[0][0, 0, :, 0]


@pytest.mark.requirement("ANALYSIS-SETS")
@pytest.mark.parametrize(("rule", "expected"), [("first", 7.9), ("last", 9.9)])
def test_the_first_or_the_last_of_repeated_values_counts(rule: str, expected: float) -> None:
    change = f"protocol.conventions.windows.repeated={rule}"
    _, repeated = panel_with({"sequence": 2, "value": 9.9, "original": "9.9"}, change)
    assert hba1c(repeated)[0] == expected


@pytest.mark.requirement("ANALYSIS-SETS")
def test_an_unscheduled_value_changes_nothing() -> None:
    plain, more = panel_with({"visit": "unscheduled", "value": 15.0, "original": "15.0"})
    assert plain == more


def test_a_visit_counts_by_its_name_however_late_it_was() -> None:
    plain, late = panel_with({"visit": "month-6", "sequence": 2, "day": 300})
    np.testing.assert_array_equal(hba1c(plain), hba1c(late))
