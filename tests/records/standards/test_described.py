"""Tables with their metadata: whole, of two numeric types, and with a label for everything."""

from __future__ import annotations

import polars as pl
import pytest

from equipoise.records.records import Records
from equipoise.records.sdtm.variables import datasets
from equipoise.records.standards.described import Item, Table, analysis_table


def test_every_dataset_of_the_protocol_and_its_qualifiers_are_there(
    records: Records, tabulation: tuple[Table, ...]
) -> None:
    made = datasets(records.protocol)
    expected = {d.name.upper() for d in made} | {f"SUPP{d.name}" for d in made if d.supplemental}
    expected |= {"TA", "TE", "TV", "TI", "TS"}
    assert {table.name for table in tabulation} == expected


def test_every_variable_has_a_label_that_every_format_can_hold(
    tabulation: tuple[Table, ...], analysis: tuple[Table, ...]
) -> None:
    for table in (*tabulation, *analysis):
        assert 0 < len(table.label) <= 40
        assert table.structure
        assert set(table.keys) <= set(table.frame.columns)
        for item in table.items:
            assert 0 < len(item.label) <= 40
            assert len(item.name) <= 8


def test_numbers_have_one_width_each() -> None:
    frame = pl.DataFrame({"A": pl.Series([1], dtype=pl.Int8), "B": pl.Series([1.5], dtype=pl.Float32), "C": [None]})
    made = Table("XX", "X", "other", "", (), tuple(Item(name, name) for name in frame.columns), frame)
    assert list(made.frame.schema.values()) == [pl.Int64, pl.Float64, pl.String]


def test_a_table_without_a_description_of_each_column_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="XX"):
        Table("XX", "X", "other", "", (), (), pl.DataFrame({"A": [1]}))
    with pytest.raises(KeyError, match="A"):
        analysis_table("adxx", "X", {}, pl.DataFrame({"A": [1]}))


def test_the_subject_of_the_study_is_named_in_the_dataset_of_subjects_alone() -> None:
    frame = pl.DataFrame({"USUBJID": ["P1"]})
    for name, variables in (("adsl", ["USUBJID", "SUBJID"]), ("adeff", ["USUBJID"])):
        made = analysis_table(name, "Title", {"USUBJID": "Unique Subject Identifier"}, frame, study="trial")
        assert [item.name for item in made.items] == variables and made.frame["USUBJID"].to_list() == ["trial-P1"]
