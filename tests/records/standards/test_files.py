"""The files of each format: complete, the same each time, and back to the same records."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import find_map, load_map
from equipoise.records.records import Records
from equipoise.records.standards.back import records_from_dataset_json, records_from_xpt
from equipoise.records.standards.define import StudyName
from equipoise.records.standards.described import Item, Table, sdtm_tables
from equipoise.records.standards.files import KINDS, standard_files

STUDY = StudyName("msc-t1d", "The model trial")
BACK = {"xpt": records_from_xpt, "dataset-json": records_from_dataset_json}


@pytest.mark.parametrize("kind", KINDS)
def test_every_dataset_has_its_file_and_each_standing_its_description(
    kind: str, tabulation: tuple[Table, ...], analysis: tuple[Table, ...]
) -> None:
    files = standard_files((*tabulation, *analysis), STUDY, kind)
    suffix = {"xpt": "xpt", "dataset-json": "json"}.get(kind)
    expected = {f"{t.name.lower()}.{suffix}" for t in (*tabulation, *analysis)} if suffix else set()
    assert set(files) == expected | {"define.xml", "define-adam.xml"}
    assert standard_files((*tabulation, *analysis), STUDY, kind) == files
    pointed = f'href="dm.{suffix or "xpt"}"'
    assert pointed.encode() in files["define.xml"]


@pytest.mark.parametrize("kind", BACK)
def test_the_files_come_back_to_the_same_records(
    kind: str, records: Records, tabulation: tuple[Table, ...], analysis: tuple[Table, ...], tmp_path: Path
) -> None:
    for name, data in standard_files((*tabulation, *analysis), STUDY, kind).items():
        (tmp_path / name).write_bytes(data)
    assert BACK[kind](tmp_path, records.protocol).digest == records.digest


@pytest.mark.parametrize("kind", BACK)
def test_a_dataset_that_is_absent_is_missed(
    kind: str, records: Records, tabulation: tuple[Table, ...], tmp_path: Path
) -> None:
    for name, data in standard_files(tabulation, STUDY, kind).items():
        if not name.startswith("lb."):
            (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match="file-exists"):
        BACK[kind](tmp_path, records.protocol)


def test_problems_of_all_transport_files_are_told_at_once() -> None:
    def table(name: str) -> Table:
        return Table(name, "Made here", "SDTM", "", (), (Item("A", "Label"),), pl.DataFrame({"A": ["é"]}))

    with pytest.raises(DataError) as error:
        standard_files([table("XX"), table("XY")], STUDY, "xpt")
    assert [problem.file for problem in error.value.problems] == ["XX", "XY"]


@pytest.mark.parametrize("kind", BACK)
def test_supplied_values_come_back_too(kind: str, t1dal: Path, tmp_path: Path) -> None:
    records = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal).records
    assert records.tables["supplied"].height > 200
    for name, data in standard_files(sdtm_tables(records), STUDY, kind).items():
        (tmp_path / name).write_bytes(data)
    assert BACK[kind](tmp_path, records.protocol).digest == records.digest


def test_another_kind_is_a_programming_error(tabulation: tuple[Table, ...]) -> None:
    with pytest.raises(ValueError, match="kind"):
        standard_files(tabulation, STUDY, "excel")
