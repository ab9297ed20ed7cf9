"""REDCap exports: the same records as the same data in other files, raw or labelled, and everything wrong told."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.map import load_map
from equipoise.records.importing.read_table import read_table
from equipoise.records.importing.redcap import decoded, read_dictionary

pytestmark = pytest.mark.requirement("RECORDS-REDCAP")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
TABLES = ("participants", "visits", "findings", "events")
Rows = list[dict[str, str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "redcap"
    folder.mkdir()
    for path in (EXAMPLE / "redcap").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def imported(folder: Path) -> Imported:
    return import_files(load_protocol(EXAMPLE / "protocol.yaml"), load_map(folder / "map.yaml"), folder)


def expected() -> Imported:
    protocol = load_protocol(EXAMPLE / "protocol.yaml")
    return import_files(protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data")


def edited(path: Path, change: Callable[[Rows], object]) -> None:
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    header = list(rows[0])
    change(rows)
    header = list(dict.fromkeys([*header, *(name for row in rows for name in row)]))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, header)
        writer.writeheader()
        writer.writerows(rows)


def same(found: Imported) -> bool:
    ours, theirs = found.records.tables, expected().records.tables
    return all(ours[name].drop("source").equals(theirs[name].drop("source")) for name in TABLES)


def problems(folder: Path) -> list[tuple[str, str, int | None]]:
    with pytest.raises(DataError) as caught:
        imported(folder)
    return [(problem.rule, problem.path, problem.line) for problem in caught.value.problems]


def test_a_raw_export_gives_the_same_records_and_arms(project: Path) -> None:
    found = imported(project)
    assert same(found)
    assert found.allocation is not None and found.allocation.arms == expected().allocation.arms  # pyright: ignore[reportOptionalMemberAccess]  it has arms


def test_a_labelled_export_gives_the_same_records(project: Path) -> None:
    def labelled(rows: Rows) -> None:
        for row in rows:
            for name, words in (
                ("sex", {"1": "Female", "2": "Male"}),
                ("arm", {"1": "New tablet", "2": "Placebo"}),
                ("ae_severity", {"1": "mild", "2": "moderate", "3": "severe"}),
                ("ae_serious", {"1": "Yes", "0": "No"}),
                ("visit_complete", {"0": "Incomplete", "1": "Unverified", "2": "Complete"}),
                ("complaints___1", {"1": "Checked", "0": "Unchecked"}),
            ):
                row[name] = words.get(row[name], row[name])

    edited(project / "records.csv", labelled)
    assert same(imported(project))


def test_the_dictionary_of_the_interface_is_read_too(project: Path) -> None:
    path = project / "dictionary.csv"
    text = path.read_text("utf-8")
    for label, plain in (
        ("Variable / Field Name", "field_name"),
        ("Form Name", "form_name"),
        ("Field Type", "field_type"),
        ('"Choices, Calculations, OR Slider Labels"', "select_choices_or_calculations"),
        ("Text Validation Type OR Show Slider Number", "text_validation_type_or_show_slider_number"),
        ("Identifier?", "identifier"),
    ):
        assert label in text
        text = text.replace(label, plain, 1)
    path.write_text(text, "utf-8")
    assert same(imported(project))


def test_what_is_not_complete_or_odd_is_warned_of_and_read(project: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["age"] = "11"
        rows[0]["first_dose"] = "2021-01-04"
        rows[1]["hba1c"] = "3.5"

    edited(project / "records.csv", change)
    found = imported(project)
    told = {(w.rule, w.path) for w in found.warnings}
    assert {("redcap-complete", "visit_complete"), ("redcap-range", "age"), ("redcap-range", "hba1c")} <= told
    assert found.records.participants["age_years"][0] == 11


def test_a_required_field_that_is_empty_is_warned_of_where_its_form_was_begun(project: Path) -> None:
    edited(project / "records.csv", lambda rows: rows[0].update(sex=""))
    found = imported(project)
    assert [(w.path, w.line) for w in found.warnings if w.rule == "redcap-required"] == [("sex", 2)]


def test_codes_for_missing_data_are_empty(project: Path) -> None:
    edited(project / "records.csv", lambda rows: rows[1].update(hba1c="-999"))
    path = project / "map.yaml"
    path.write_text(
        path.read_text("utf-8").replace("records: records.csv}", "records: records.csv, missing: ['-999']}")
    )
    row = imported(project).records.findings.filter(
        pl.col("participant") == "INV-01", pl.col("visit") == "month-3", pl.col("test") == "hba1c"
    )
    assert row.select("value", "status").row(0) == (None, "not-done")


@pytest.mark.parametrize(
    ("rule", "at", "change"),
    [
        ("redcap-choice", ("sex", 2), lambda rows: rows[0].update(sex="3")),
        ("redcap-choice", ("complaints___1", 2), lambda rows: rows[0].update(complaints___1="2")),
        ("redcap-number", ("hba1c", 3), lambda rows: rows[1].update(hba1c="7,1")),
        ("redcap-date", ("visit_date", 2), lambda rows: rows[0].update(visit_date="04-01-2021")),
        ("redcap-date", ("visit_date", 2), lambda rows: rows[0].update(visit_date="2021-02-30")),
        ("redcap-column", ("shoe_size", 1), lambda rows: rows[0].update(shoe_size="42")),
    ],
)
def test_what_the_dictionary_does_not_allow_is_refused_with_its_line(
    project: Path, rule: str, at: tuple[str, int], change: Callable[[Rows], None]
) -> None:
    edited(project / "records.csv", change)
    assert (rule, *at) in problems(project)


def test_fields_that_identify_people_are_never_read(project: Path) -> None:
    path = project / "map.yaml"
    path.write_text(path.read_text("utf-8").replace("{column: age}", "{column: initials}", 1))
    assert ("redcap-identifier", "initials", None) in problems(project)


def test_a_field_that_the_dictionary_does_not_have_is_told(project: Path) -> None:
    path = project / "map.yaml"
    path.write_text(path.read_text("utf-8").replace("{column: age}", "{column: years}", 1))
    assert ("redcap-field", "years", None) in problems(project)


def test_headers_of_labels_are_told(project: Path) -> None:
    path = project / "records.csv"
    path.write_text(path.read_text("utf-8").replace("record_id,", "Participant,", 1), "utf-8")
    assert problems(project)[0][:1] == ("redcap-header",)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "field_name,form_name,field_type,select_choices_or_calculations\n", "\x00"]
)
def test_what_is_no_dictionary_is_refused(project: Path, text: str) -> None:
    (project / "dictionary.csv").write_text(text, "utf-8")
    rules = {rule for rule, _, _ in problems(project)}
    assert rules & {"redcap-dictionary", "csv-header", "encoding"}


def test_a_dictionary_that_is_absent_is_told(project: Path) -> None:
    (project / "dictionary.csv").unlink()
    assert ("file-exists", "", None) in problems(project)


@pytest.mark.parametrize("cut", range(0, 900, 90))
def test_a_truncated_export_never_ends_in_a_traceback(project: Path, cut: int) -> None:
    path = project / "records.csv"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError):
        imported(project)


def test_labels_may_hold_commas_and_choices_stand_in_any_order(project: Path) -> None:
    given, told = read_table(project / "dictionary.csv", "dictionary.csv", delimiter=",", encoding="utf-8")
    assert given is not None and not told
    dictionary, _ = read_dictionary(given)
    assert dictionary is not None
    assert dict(dictionary.fields["complaints"].choices)["2"] == "Weight loss, unwanted"
    assert dictionary.id_field == "record_id"
    assert dictionary.knows("complaints___2") and dictionary.knows("visit_complete") and not dictionary.knows("x")
    records, _ = read_table(project / "records.csv", "records.csv", delimiter=",", encoding="utf-8")
    assert records is not None
    assert decoded(records, dictionary).table.rows[0]["complaints___1"] == "Checked"
