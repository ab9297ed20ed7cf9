"""What a map can say of rows and of other files: filters, words of other files, incomplete dates, Parquet files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from equipoise.errors import DataError, InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.base import plain
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.convert import CellError, days_between
from equipoise.records.importing.map import load_map
from equipoise.source.document import read_document

pytestmark = pytest.mark.requirement("RECORDS-IMPORT-CHOICES")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
Content = dict[str, Any]


def tried(folder: Path, change: Callable[[Content], None] | None = None) -> Imported:
    content = json.loads(json.dumps(plain(read_document(EXAMPLE / "map.yaml").data)))
    if change is not None:
        change(content)
    path = folder / "map.yaml"
    path.write_text(json.dumps(content), "utf-8")
    return import_files(load_protocol(EXAMPLE / "protocol.yaml"), load_map(path), folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for path in (EXAMPLE / "data").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def people(content: Content) -> dict[str, Any]:
    return next(item for item in content["files"] if item["table"] == "participants")


def test_parquet_files_say_the_same_as_csv_files(data: Path) -> None:
    expected = tried(data).records.digest

    def change(content: Content) -> None:
        for entry in [*content["files"], content["allocation"]]:
            entry["file"] = str(entry["file"]).replace(".csv", ".parquet")

    for path in data.glob("*.csv"):
        pl.read_csv(path).write_parquet(path.with_suffix(".parquet"))
        path.unlink()
    found = tried(data, change).records
    assert found.participants.drop("source").equals(
        import_files(
            load_protocol(EXAMPLE / "protocol.yaml"), load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data"
        ).records.participants.drop("source")
    )
    assert found.findings["value"].sum() > 0 and expected
    assert set(found.participants["source"].str.split(":").list.first()) == {"people.parquet"}


def test_a_file_that_is_no_parquet_file_is_refused(data: Path) -> None:
    (data / "people.parquet").write_text("no", "utf-8")

    def change(content: Content) -> None:
        people(content)["file"] = "people.parquet"

    with pytest.raises(DataError) as caught:
        tried(data, change)
    assert "file-readable" in {problem.rule for problem in caught.value.problems}


def test_only_rows_with_one_of_the_words_are_read(data: Path) -> None:
    every = tried(data).records
    sexes = pl.read_csv(data / "people.csv")["sex"].to_list()

    def change(content: Content) -> None:
        for entry in content["files"]:
            if entry["table"] == "participants":
                entry["where"] = {"sex": ["f"]}
        content["files"] = [entry for entry in content["files"] if entry["table"] == "participants"]
        content["allocation"]["where"] = {"sex": ["f"]}

    found = tried(data, change)
    assert found.records.participants.height == sexes.count("f") < every.participants.height
    assert found.allocation is not None and len(found.allocation.arms) == sexes.count("f")


def test_a_filter_of_a_column_that_is_not_there_is_told(data: Path) -> None:
    def change(content: Content) -> None:
        people(content)["where"] = {"colour": ["red"]}

    with pytest.raises(DataError) as caught:
        tried(data, change)
    assert [(p.rule, p.path) for p in caught.value.problems][:1] == [("csv-column", "colour")]


def elsewhere(content: Content, **more: object) -> None:
    columns = people(content)["columns"]
    other = {"file": "sites.csv", "match": "person", **more}
    columns["site"] = {"column": "where", "elsewhere": other}


def sites(data: Path, text: str) -> None:
    (data / "sites.csv").write_text("person,where,kind\n" + text, "utf-8")


def test_a_word_may_stand_in_another_file(data: Path) -> None:
    sites(data, "INV-01,North,first\nINV-01,South,second\nINV-02,East,first\n")
    found = tried(data, lambda content: elsewhere(content, where={"kind": ["first"]})).records.participants
    assert dict(found.select("participant", "site").iter_rows())["INV-01"] == "North"
    assert found["site"].to_list()[:3] == ["North", "East", None]


def test_two_rows_for_one_are_told_with_the_line_of_the_second(data: Path) -> None:
    sites(data, "INV-01,North,first\nINV-01,South,second\n")
    with pytest.raises(DataError) as caught:
        tried(data, elsewhere)
    assert [(p.rule, p.file, p.line) for p in caught.value.problems] == [("elsewhere-once", "sites.csv", 3)]


def test_another_file_that_is_absent_or_lacks_the_column_is_told(data: Path) -> None:
    with pytest.raises(DataError) as caught:
        tried(data, elsewhere)
    assert "file-exists" in {problem.rule for problem in caught.value.problems}
    (data / "sites.csv").write_text("person,place\nINV-01,North\n", "utf-8")
    with pytest.raises(DataError) as caught:
        tried(data, elsewhere)
    assert ("csv-column", "where") in {(p.rule, p.path) for p in caught.value.problems}


def test_words_that_are_not_listed_have_one_word_and_an_empty_one_is_no_value(data: Path) -> None:
    def change(content: Content) -> None:
        people(content)["columns"]["sex"] = {"column": "sex", "values": {"f": ""}, "others": "male"}

    assert set(tried(data, change).records.participants["sex"]) == {None, "male"}


def test_others_without_a_list_is_refused(data: Path) -> None:
    def change(content: Content) -> None:
        people(content)["columns"]["sex"] = {"column": "sex", "others": "male"}

    with pytest.raises(InputError) as caught:
        tried(data, change)
    assert [problem.rule for problem in caught.value.problems] == ["map-others"]


@pytest.mark.parametrize(
    ("cell", "partial", "expected"),
    [
        ("2014-03-05", None, date(2014, 3, 5)),
        ("2014-03-05T11:45", None, date(2014, 3, 5)),
        ("2014-02", "last", date(2014, 2, 28)),
        ("2012-02", "last", date(2012, 2, 29)),
        ("2014-02", "first", date(2014, 2, 1)),
        ("2014", "last", date(2014, 12, 31)),
        ("2014", "first", date(2014, 1, 1)),
    ],
)
def test_incomplete_dates_are_their_first_or_last_day(cell: str, partial: str | None, expected: date) -> None:
    assert days_between(cell, "2014-01-01", partial) == (expected - date(2014, 1, 1)).days


@pytest.mark.parametrize(
    ("cell", "since", "partial"),
    [
        ("2014", "2014-01-01", None),
        ("2014-13", "2014-01-01", "last"),
        ("2014-01-01", "2014", "last"),
        ("2014-01-01", "", None),
    ],
)
def test_other_dates_are_refused(cell: str, since: str, partial: str | None) -> None:
    with pytest.raises(CellError):
        days_between(cell, since, partial)


@pytest.mark.requirement("IMPORT-OPTIONAL")
def test_a_row_whose_optional_cell_is_empty_is_left_out_and_no_other(data: Path) -> None:
    def change(content: Content) -> None:
        events = next(item for item in content["files"] if item["table"] == "events")
        events["columns"]["term"]["optional"] = True

    whole = tried(data).records.events.height
    assert tried(data, change).records.events.height == whole > 1
    head, first, *rest = (data / "events.csv").read_text("utf-8").splitlines()
    cells = dict(zip(head.split(","), first.split(","), strict=True)) | {"what": ""}
    (data / "events.csv").write_text("\n".join([head, ",".join(cells.values()), *rest]) + "\n", "utf-8")
    kept = tried(data, change).records.events
    assert kept.height == whole - 1 and "" not in kept["term"].fill_null("").to_list()
