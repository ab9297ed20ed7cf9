"""Files as study offices keep them: words for no value, decimal commas, dates in words of a country, workbooks."""

from __future__ import annotations

import csv
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from equipoise.errors import DataError, InputError, SurroundingsError
from equipoise.protocol.load import load_protocol
from equipoise.records.importing.convert import CellError, iso_date, number
from equipoise.records.importing.map import load_map
from equipoise.records.importing.preview import preview_files
from equipoise.records.importing.workbook import read_sheet
from equipoise.verbs.importing import digests
from tests.records.test_import_choices import EXAMPLE, Content, people, tried
from tests.records.workbooks import Cell, write_workbook

pytestmark = pytest.mark.requirement("IMPORT-AS-KEPT")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for path in (EXAMPLE / "data").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def table(content: Content, name: str) -> dict[str, Any]:
    return next(item for item in content["files"] if item["table"] == name)


def problems(data: Path, change: Any = None) -> set[tuple[str, str, str]]:
    with pytest.raises(DataError) as caught:
        tried(data, change)
    return {(p.rule, p.path, p.value or "") for p in caught.value.problems}


def hba1c(data: Path, change: Any = None) -> list[float | None]:
    findings = tried(data, change).records.findings
    return findings.filter(pl.col("test") == "hba1c").sort("participant", "day")["value"].to_list()


# ---- words for no value


def test_words_that_are_missing_are_empty_in_every_column_and_numbers_stay(data: Path) -> None:
    changed(data / "visits.csv", "INV-01,V2,92,7.1,1.02", "INV-01,V2,92,NA,.")
    changed(data / "people.csv", "INV-02,P,31,m,181", "INV-02,P,NA,m,.")
    assert ("number", "hba1c", "'NA'") in problems(data)
    found = tried(data, lambda content: content.update(missing=["NA", "."])).records
    mine = found.findings.filter(pl.col("participant") == "INV-01", pl.col("day") == 91, pl.col("test") == "hba1c")
    (row,) = mine.rows(named=True)
    assert (row["status"], row["value"], row["original"]) == ("not-done", None, None)
    assert found.participants.filter(pl.col("participant") == "INV-02")["age_years"].to_list() == [None]
    assert found.findings.filter(pl.col("status") == "not-done").height == 3  # one was empty before


def test_a_list_of_words_without_values_leaves_numbers_and_days_as_they_are(data: Path) -> None:
    changed(data / "visits.csv", "INV-01,V2,92,7.1,1.02", "INV-01,V2,92,NA,BLQ")
    changed(data / "people.csv", "INV-02,P,31,m,181", "INV-02,P,UNK,m,UNK")

    def change(content: Content) -> None:
        table(content, "findings")["unpivot"][0]["values"] = {"NA": ""}
        table(content, "findings")["unpivot"][1]["values"] = {"BLQ": "<0.05"}
        people(content)["columns"]["age_years"]["values"] = {"UNK": ""}
        people(content)["columns"]["last_contact_day"]["values"] = {"UNK": ""}

    found = tried(data, change).records
    mine = found.findings.filter(pl.col("participant") == "INV-01", pl.col("day") == 91)
    assert mine.select("test", "original", "censored").rows() == [("cpeptide", "<0.05", "left")]
    assert found.findings.height == 69
    assert found.participants["age_years"].null_count() == found.participants["last_contact_day"].null_count() == 1


@pytest.mark.parametrize(("column", "cell"), [("hba1c", "high"), ("sex", "x")])
def test_words_that_no_list_names_are_refused_all_the_same(data: Path, column: str, cell: str) -> None:
    if column == "hba1c":
        changed(data / "visits.csv", "INV-01,V2,92,7.1", f"INV-01,V2,92,{cell}")
    else:
        changed(data / "people.csv", "INV-02,P,31,m", f"INV-02,P,31,{cell}")

    def change(content: Content) -> None:
        table(content, "findings")["unpivot"][0]["values"] = {"NA": ""}

    assert problems(data, change) == {("word-known", column, repr(cell))}


def test_a_list_that_translates_codes_must_have_them_all(data: Path) -> None:
    """A number that is not in a list of codes is another code, and not a number of ours."""

    def change(content: Content) -> None:
        table(content, "findings")["unpivot"][0]["values"] = {"7.1": "7", "NA": ""}

    assert ("word-known", "hba1c", "'7.0'") in problems(data, change)


def test_a_column_s_own_list_goes_before_the_words_of_the_map(data: Path) -> None:
    changed(data / "people.csv", "INV-02,P,31,m", "INV-02,P,31,NA")

    def change(content: Content) -> None:
        content["missing"] = ["NA"]
        people(content)["columns"]["sex"]["values"]["NA"] = "male"

    assert tried(data, change).records.participants["sex"].null_count() == 0


# ---- decimal commas


def european(data: Path) -> None:
    """The files as Excel writes them in most of Europe."""
    for path in data.glob("*.csv"):
        path.write_text(path.read_text("utf-8").replace(",", ";").replace(".", ","), "utf-8")


def with_commas(content: Content) -> None:
    content.update(decimal=",", delimiter=";")


def test_decimal_commas_are_read_where_the_map_says_so(data: Path) -> None:
    expected = tried(data).records
    european(data)
    found = tried(data, with_commas).records
    assert found.findings["value"].to_list() == expected.findings["value"].to_list()
    assert found.findings["censored"].to_list() == expected.findings["censored"].to_list()
    assert "<0,05" in found.findings["original"].to_list()


def test_without_the_key_one_line_says_how_often_and_which_key(data: Path) -> None:
    european(data)
    with pytest.raises(DataError) as caught:
        tried(data, lambda content: content.update(delimiter=";"))
    lines = [line for line in str(caught.value).splitlines() if "hba1c" in line]
    assert len(lines) == 3 and lines[-1].endswith("more.")
    assert 'set `decimal: ","` in the map' in lines[0]


@pytest.mark.parametrize("cell", ["7.7", "1.234", "1.234,5", "7,7,7", ",", "7,", ""])
def test_where_commas_are_decimal_a_point_is_no_number(cell: str) -> None:
    if cell == "7,":
        assert number(cell, ",") == 7.0
        return
    with pytest.raises(CellError):
        number(cell, ",")


@pytest.mark.parametrize(
    ("cell", "value"), [("7,7", 7.7), ("7.75", 7.75), ("-0,5", -0.5), ("12", 12.0), ("1e3", 1000.0)]
)
def test_in_a_mixed_column_of_a_workbook_both_marks_are_read(cell: str, value: float) -> None:
    assert number(cell, "either") == value


@pytest.mark.parametrize("cell", ["1.234", "1.234.567", "1.5,2"])
def test_what_may_be_thousands_is_refused_there(cell: str) -> None:
    with pytest.raises(CellError):
        number(cell, "either")


# ---- dates


@pytest.mark.parametrize(
    ("cell", "order", "iso"),
    [
        ("09/03/2022", "day-month-year", "2022-03-09"),
        ("9.3.2022", "day-month-year", "2022-03-09"),
        ("09-Mar-2022", "day-month-year", "2022-03-09"),
        ("09MAR2022", "day-month-year", "2022-03-09"),
        ("09/03/2022 14:30", "day-month-year", "2022-03-09 14:30"),
        ("03/2022", "day-month-year", "2022-03"),
        ("2022-03-09", "day-month-year", "2022-03-09"),
        ("03/09/2022", "month-day-year", "2022-03-09"),
        ("09/03/2022", "year-month-day", "09/03/2022"),
        ("09/03/22", "day-month-year", "09/03/22"),
        ("9032022", "day-month-year", "9032022"),
    ],
)
def test_dates_are_read_in_the_order_that_the_map_says(cell: str, order: Any, iso: str) -> None:
    assert iso_date(cell, order) == iso


@pytest.mark.parametrize("cell", ["31/02/2022", "12/13/2022", "09-Mrz-2022", "0/1/2022"])
def test_a_day_that_does_not_exist_in_that_order_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"month|day|not in tuple"):
        iso_date(cell, "day-month-year")


def dated(data: Path, written: Any) -> None:
    """The visits with dates in the place of days: day 0 of everyone is 9 March 2022."""
    rows = list(csv.reader((data / "visits.csv").read_text("utf-8").splitlines()))
    with (data / "visits.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*rows[0], "zero"])
        for row in rows[1:]:
            day = date(2022, 3, 9) + timedelta(days=int(row[2]) - 1)
            writer.writerow([row[0], row[1], written(day), *row[3:], written(date(2022, 3, 9))])


def by_date(content: Content) -> None:
    for name in ("visits", "findings"):
        table(content, name)["columns"]["day"] = {"column": "day", "day": "date", "since": "zero"}
    table(content, "visits")["columns"]["date"] = {"column": "day"}


def test_days_are_counted_from_dates_in_any_order_and_recorded_in_ours(data: Path) -> None:
    expected = tried(data).records.visits["day"].to_list()
    dated(data, lambda day: f"{day:%d/%m/%Y}")

    def change(content: Content) -> None:
        by_date(content)
        content["dates"] = "day-month-year"

    found = tried(data, change).records.visits
    assert found["day"].to_list() == expected
    assert found["date"][0] == "2022-03-09"
    wrong = {rule for rule, _, _ in problems(data, by_date)}
    assert wrong == {"date-possible"}


# ---- shared words


def test_a_list_of_words_may_be_named_once_and_used_often(data: Path) -> None:
    expected = tried(data).records.digest

    def change(content: Content) -> None:
        content["words"] = {"visits": table(content, "visits")["columns"]["visit"]["values"]}
        for name in ("visits", "findings"):
            table(content, name)["columns"]["visit"]["values"] = "visits"
        content["words"]["arms"] = content["allocation"]["arm"]["values"]
        content["allocation"]["arm"]["values"] = "arms"

    found = tried(data, change)
    assert found.records.digest == expected
    assert found.in_arms() == {"tablet": 6, "placebo": 6} == found.planned()


def test_a_list_that_is_not_there_is_refused_with_its_line(data: Path) -> None:
    def change(content: Content) -> None:
        people(content)["columns"]["sex"]["values"] = "sexes"

    with pytest.raises(InputError) as caught:
        tried(data, change)
    (problem,) = caught.value.problems
    assert (problem.rule, problem.path) == ("map-words", "files.0.columns.sex.values")


# ---- other folders and other encodings


def test_a_file_outside_the_folder_is_noted(data: Path) -> None:
    inner = data / "inner"
    inner.mkdir()
    (inner / "events.csv").write_bytes((data / "events.csv").read_bytes())
    (inner / "visits.csv").symlink_to(data / "visits.csv")

    def change(content: Content) -> None:
        people(content)["file"] = content["allocation"]["file"] = "../people.csv"

    warnings = tried(inner, change).warnings
    assert [w.file for w in warnings if w.rule == "path-outside"] == ["../people.csv", "visits.csv"]
    assert not [w for w in tried(data).warnings if w.rule == "path-outside"]


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "latin-1"])
def test_other_encodings_are_read_where_the_map_says_so(data: Path, encoding: str) -> None:
    expected = tried(data).records.events["term"].to_list()
    for path in data.glob("*.csv"):
        path.write_bytes(path.read_text("utf-8").replace("Nausea", "N\u00e4usea").encode(encoding))
    found = tried(data, lambda content: content.update(encoding=encoding)).records.events["term"].to_list()
    assert found == [term.replace("Nausea", "N\u00e4usea") for term in expected]
    with pytest.raises(DataError) as caught:
        tried(data)
    remedies = {problem.remedy for problem in caught.value.problems if problem.rule == "encoding"}
    assert all(("utf-16" if encoding == "utf-16" else "windows-1252") in remedy for remedy in remedies) and remedies


def test_a_workbook_that_is_called_csv_is_told_as_one(data: Path) -> None:
    write_workbook(data / "people.csv", {"People": [["person"], ["INV-01"]]})
    with pytest.raises(DataError) as caught:
        tried(data)
    assert "archive" in next(p.message for p in caught.value.problems if p.file == "people.csv")


# ---- workbooks


def typed(cell: str) -> Cell:
    """As Excel keeps what was typed: numbers as numbers."""
    try:
        return float(cell) if "." in cell else int(cell)
    except ValueError:
        return cell or None


def rows_of(path: Path) -> list[list[Cell]]:
    return [[typed(cell) for cell in row] for row in csv.reader(path.read_text("utf-8").splitlines())]


def in_workbook(data: Path) -> None:
    sheets = {name.capitalize(): rows_of(data / f"{name}.csv") for name in ("people", "visits", "events")}
    write_workbook(data / "trial.xlsx", sheets)
    for path in data.glob("*.csv"):
        path.unlink()


def from_workbook(content: Content) -> None:
    for entry in [*content["files"], content["allocation"]]:
        entry["sheet"] = str(entry["file"]).removesuffix(".csv").capitalize()
        entry["file"] = "trial.xlsx"


def test_a_workbook_gives_the_records_of_the_csv_files(data: Path) -> None:
    expected = tried(data)
    in_workbook(data)
    found = tried(data, from_workbook)
    for name, frame in expected.records.tables.items():
        mine = found.records.tables[name]
        same = frame.drop("source", "original", strict=False)
        assert mine.drop("source", "original", strict=False).equals(same), name
    assert found.in_arms() == expected.in_arms() and not found.unread
    assert found.records.participants["source"][0] == "trial.xlsx!People:2"


def test_dates_come_typed_and_words_among_numbers_stay_words(data: Path) -> None:
    expected = tried(data).records
    dated(data, lambda day: f"{day:%Y-%m-%d}")
    rows = rows_of(data / "visits.csv")
    for row in rows[1:]:
        row[2], row[5] = date.fromisoformat(str(row[2])), date.fromisoformat(str(row[5]))
    assert (rows[2][0], rows[2][3]) == ("INV-01", 7.1)
    rows[2][3], rows[3][3] = "NA", "7,0"
    write_workbook(data / "visits.xlsx", {"Only": rows})

    def change(content: Content) -> None:
        by_date(content)
        for name in ("visits", "findings"):
            table(content, name)["file"] = "visits.xlsx"
        content.update(missing=["NA"], decimal=",", dates="day-month-year")

    found = tried(data, change).records
    assert found.visits["day"].to_list() == expected.visits["day"].to_list()
    assert found.visits["date"][0] == "2022-03-09"
    was, now = (each.findings.filter(pl.col("test") == "hba1c")["value"].to_list() for each in (expected, found))
    assert now == [was[0], None, *was[2:]]


def test_the_first_sheet_is_read_where_none_is_named_and_that_is_said(data: Path) -> None:
    in_workbook(data)

    def change(content: Content) -> None:
        from_workbook(content)
        del people(content)["sheet"]

    found = tried(data, change)
    assert [w.file for w in found.warnings if w.rule == "sheet-first"] == ["trial.xlsx"]
    assert found.records.participants.height == 12


def test_what_is_wrong_with_a_workbook_is_told(data: Path) -> None:
    in_workbook(data)

    def other(content: Content) -> None:
        from_workbook(content)
        people(content)["sheet"] = "Persons"

    assert {(rule, value) for rule, _, value in problems(data, other)} == {("sheet-known", "'Persons'")}
    (data / "trial.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    assert {rule for rule, _, _ in problems(data, from_workbook)} == {"file-readable"}
    (data / "trial.xlsx").unlink()
    assert {rule for rule, _, _ in problems(data, from_workbook)} == {"file-exists"}


def test_only_a_workbook_has_sheets(data: Path) -> None:
    def change(content: Content) -> None:
        people(content)["sheet"] = "People"

    assert ("sheet-known", "", "") in problems(data, change)


def test_a_header_with_a_name_twice_is_refused_in_a_workbook_too(data: Path) -> None:
    write_workbook(data / "people.xlsx", {"A": [["person", "person"], ["INV-01", "x"]]})

    def change(content: Content) -> None:
        people(content)["file"] = "people.xlsx"

    assert ("csv-header", "", "") in problems(data, change)


def test_no_cell_is_lost_whatever_stands_in_the_first_thousand_rows(tmp_path: Path) -> None:
    """A reader that guesses a column's type from the first rows drops the words that come later."""
    numbers: list[list[Cell]] = [[count / 4] for count in range(1500)]
    write_workbook(tmp_path / "x.xlsx", {"A": [["n"], *numbers, ["late"], [None], [7]]})
    sheet = read_sheet(tmp_path / "x.xlsx", "x.xlsx", None)
    cells = [row[0] for row in sheet.rows]  # pyright: ignore[reportAttributeAccessIssue]  no problem is expected
    assert (cells[2], cells[3], cells[-3:]) == ("0.25", "0.5", ["late", "", "7"])


def test_the_preview_and_the_digests_name_the_file(data: Path) -> None:
    in_workbook(data)
    tried(data, from_workbook)
    loaded = load_map(data / "map.yaml")
    preview = preview_files(load_protocol(EXAMPLE / "protocol.yaml"), loaded, data)
    assert preview.lines[0] == "trial.xlsx!People -> participants: 12 rows"
    assert preview.left == () and preview.records is not None
    assert sorted(digests(loaded, data)) == ["import map", "trial.xlsx"]


def test_without_the_extra_one_line_says_which(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_workbook(data)
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(SurroundingsError, match="excel"):
        tried(data, from_workbook)
