"""Files that cannot be a trial's: each is refused with its file and line, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from equipoise.cli.main import commands
from equipoise.errors import DataError, Problem
from equipoise.verbs.importing import import_trial


def replace(name: str, old: str, new: str, *, encoding: str = "utf-8") -> Callable[[Path], None]:
    """A spoiler: one text in one file becomes another."""

    def spoil(folder: Path) -> None:
        path = folder / "data" / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1), encoding=encoding)

    return spoil


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "data" / name).unlink()


def semicolons(folder: Path) -> None:
    path = folder / "data" / "visits.csv"
    path.write_text(path.read_text().replace(",", ";"))


def truncated(folder: Path) -> None:
    path = folder / "data" / "visits.csv"
    path.write_text(path.read_text()[:-12] + ',"7.')


SPOILT = [
    ("missing file", remove("visits.csv"), "visits.csv", None, "file-exists"),
    (
        "empty file",
        replace("events.csv", (Path(__file__).parents[2] / "examples/small-trial/data/events.csv").read_text(), ""),
        "events.csv",
        1,
        "csv-header",
    ),
    ("missing column", replace("visits.csv", "hba1c", "haemoglobin"), "visits.csv", 1, "csv-column"),
    ("column twice", replace("visits.csv", "c_peptide", "hba1c"), "visits.csv", 1, "csv-header"),
    ("wrong delimiter", semicolons, "visits.csv", 1, "csv-delimiter"),
    (
        "too many fields",
        replace("visits.csv", "INV-01,V2,92,7.1,1.02", "INV-01,V2,92,7,1,1.02"),
        "visits.csv",
        3,
        "csv-fields",
    ),
    (
        "too few fields",
        replace("visits.csv", "INV-01,V2,92,7.1,1.02", "INV-01,V2,92"),
        "visits.csv",
        3,
        "csv-fields",
    ),
    ("unclosed quote", truncated, "visits.csv", 36, "csv-syntax"),
    ("unknown visit", replace("visits.csv", "INV-01,V3", "INV-01,V9"), "visits.csv", 4, "word-known"),
    ("unknown arm", replace("people.csv", "INV-02,P", "INV-02,Q"), "people.csv", 3, "word-known"),
    ("text in a number", replace("visits.csv", "92,7.1", "92,high"), "visits.csv", 3, "number"),
    ("decimal comma", replace("visits.csv", "92,7.1,1.02", '92,"7,1",1.02'), "visits.csv", 3, "number"),
    ("not a number", replace("visits.csv", "92,7.1", "92,NaN"), "visits.csv", 3, "number"),
    ("infinity", replace("visits.csv", "92,7.1", "92,1e309"), "visits.csv", 3, "number"),
    ("other digits", replace("visits.csv", "92,7.1", "92,\u0667.\u0661"), "visits.csv", 3, "number"),
    (
        "a date for a day",
        replace("visits.csv", "INV-01,V2,92", "INV-01,V2,2022-02-29"),
        "visits.csv",
        3,
        "number",
    ),
    (
        "study day nought",
        replace("visits.csv", "INV-01,V1,1", "INV-01,V1,0"),
        "visits.csv",
        2,
        "day-possible",
    ),
    (
        "an impossible day",
        replace("visits.csv", "INV-01,V2,92", "INV-01,V2,999999"),
        "visits.csv",
        3,
        "day-possible",
    ),
    ("half a day", replace("visits.csv", "INV-01,V2,92", "INV-01,V2,92.5"), "visits.csv", 3, "whole-number"),
    (
        "duplicate visit",
        replace("visits.csv", "INV-01,V2,92,7.1,1.02", "INV-01,V1,92,7.1,1.02"),
        "visits.csv",
        3,
        "key-unique",
    ),
    ("duplicate participant", replace("people.csv", "INV-02,P", "INV-01,P"), "people.csv", 3, "key-unique"),
    (
        "unknown participant",
        replace("visits.csv", "INV-12,V3", "INV-99,V3"),
        "visits.csv",
        36,
        "participant-known",
    ),
    ("no participant", replace("visits.csv", "INV-12,V3", ",V3"), "visits.csv", 36, "value-required"),
    ("no arm", replace("people.csv", "INV-02,P", "INV-02,"), "people.csv", 3, "allocation-complete"),
    ("impossible age", replace("people.csv", "INV-01,T,24", "INV-01,T,240"), "people.csv", 2, "age-possible"),
    (
        "wrong encoding",
        replace("events.csv", "Nausea", "\u00dcbelkeit", encoding="latin-1"),
        "events.csv",
        4,
        "encoding",
    ),
    ("a NUL", replace("events.csv", "Nausea", "Nau\x00sea"), "events.csv", 4, "encoding"),
]


@pytest.mark.requirement(
    "IMPORT-MISSING",
    "IMPORT-SHAPE",
    "IMPORT-WORDS",
    "IMPORT-VALUES",
    "IMPORT-DUPLICATES",
    "IMPORT-ENCODING",
    "IMPORT-ATOMIC",
)
@pytest.mark.parametrize(("spoil", "file", "line", "rule"), [s[1:] for s in SPOILT], ids=[s[0] for s in SPOILT])
def test_is_refused_with_file_and_line_and_nothing_is_written(
    small: Path, spoil: Callable[[Path], None], file: str, line: int | None, rule: str
) -> None:
    spoil(small)
    output = small.parent / "out"
    with pytest.raises(DataError) as refused:
        import_trial(small / "protocol.yaml", small / "data", output, import_map=small / "map.yaml")
    told = [problem for problem in refused.value.problems if problem.rule == rule]
    assert told, f"told instead: {refused.value}"
    assert (told[0].file, told[0].line) == (file, line)
    assert told[0].message and told[0].remedy
    assert "nothing was written" in str(refused.value)
    assert not output.exists()


@pytest.mark.requirement("IMPORT-WORDS")
def test_an_unknown_unit_is_refused(small: Path) -> None:
    mapping = small / "map.yaml"
    mapping.write_text(mapping.read_text().replace("unit: ng/mL", "unit: pg/mL"))
    with pytest.raises(DataError, match="unit-known") as refused:
        import_trial(small / "protocol.yaml", small / "data", small.parent / "out", import_map=mapping)
    assert [(problem.file, problem.path) for problem in refused.value.problems] == [("visits.csv", "c_peptide")]


@pytest.mark.requirement("IMPORT-ATOMIC")
def test_all_problems_of_all_files_are_told_at_once(small: Path) -> None:
    for spoil in (SPOILT[8], SPOILT[9], SPOILT[10]):
        spoil[1](small)
    with pytest.raises(DataError) as refused:
        import_trial(small / "protocol.yaml", small / "data", small.parent / "out", import_map=small / "map.yaml")
    assert [(p.file, p.line) for p in refused.value.problems] == [
        ("people.csv", 3),
        ("visits.csv", 3),
        ("visits.csv", 4),
    ]


@pytest.mark.requirement("IMPORT-ATOMIC", "CLI-EXIT")
def test_the_command_exits_with_3_and_without_a_traceback(small: Path) -> None:
    from equipoise.cli.main import main

    remove("people.csv")(small)
    arguments = [
        "import",
        str(small / "protocol.yaml"),
        str(small / "data"),
        "--map",
        str(small / "map.yaml"),
        "-o",
        str(small / "x"),
    ]
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 3
    assert CliRunner().invoke(commands, ["import", "--help"]).exit_code == 0


@pytest.mark.requirement("RECORDS-PLAUSIBLE")
def test_implausible_values_are_warnings_and_stay(small: Path) -> None:
    replace("visits.csv", "92,7.1", "92,71")(small)
    done = import_trial(small / "protocol.yaml", small / "data", small.parent / "out", import_map=small / "map.yaml")
    warnings = [warning for warning in done.imported.records.warnings if warning.rule == "plausible"]
    assert [(w.file, w.line, w.value) for w in warnings] == [("visits.csv", 3, "71.0")]
    assert 71.0 in done.imported.records.findings["value"].to_list()


def test_text_that_a_spreadsheet_would_run_is_kept_as_text(small: Path) -> None:
    replace("events.csv", "Headache", "=HYPERLINK(1)")(small)
    done = import_trial(small / "protocol.yaml", small / "data", small.parent / "out", import_map=small / "map.yaml")
    assert "=HYPERLINK(1)" in done.imported.records.events["term"].to_list()


def dated(folder: Path, text: str) -> None:
    """Turn the study days of the visits into calendar dates counted from the date of the first tablet."""
    path = folder / "data" / "visits.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    start = date(2022, 2, 1)
    for row in rows[1:]:
        row[2] = (start + timedelta(days=int(row[2]) - 1)).isoformat()
    lines = [",".join([*row, "first" if number == 0 else start.isoformat()]) for number, row in enumerate(rows)]
    path.write_text("\n".join(lines).replace("2022-05-03", text, 1) + "\n")
    mapping = folder / "map.yaml"
    mapping.write_text(
        mapping.read_text().replace("{column: day, day: study-day}", "{column: day, day: date, since: first}", 2)
    )


@pytest.mark.requirement("IMPORT-MAP")
def test_days_may_be_counted_from_dates(small: Path) -> None:
    plain = import_trial(small / "protocol.yaml", small / "data", small / "a", import_map=small / "map.yaml")
    dated(small, "2022-05-03")
    counted = import_trial(small / "protocol.yaml", small / "data", small / "b", import_map=small / "map.yaml")
    assert counted.imported.records.digest == plain.imported.records.digest


@pytest.mark.requirement("IMPORT-VALUES")
@pytest.mark.parametrize("text", ["2022-02-30", "2022-13-01", "04/05/2022", "2022-5-4"])
def test_an_impossible_date_is_refused(small: Path, text: str) -> None:
    dated(small, text)
    with pytest.raises(DataError, match="date-possible") as refused:
        import_trial(small / "protocol.yaml", small / "data", small / "b", import_map=small / "map.yaml")
    assert {(p.file, p.line) for p in refused.value.problems} == {("visits.csv", 3)}


@pytest.mark.requirement("IMPORT-COLLAPSED")
def test_many_mistakes_of_one_kind_in_one_column_are_few_lines_with_a_count() -> None:
    def wrong(line: int, value: str, rule: str = "number") -> Problem:
        return Problem("visits.csv", line, "hba1c", rule, "this is no number", "Write digits.", value)

    same = DataError("wrong", [wrong(line, "'7,7'") for line in range(2, 2002)])
    assert str(same).splitlines()[1:] == ["  " + str(wrong(2, "'7,7'")) + " And 1999 more."]
    several = [wrong(line, f"'7,{line}'") for line in range(2, 125)]
    lines = str(DataError("wrong", [*several, wrong(9, "'x'", "word-known")])).splitlines()[1:]
    assert lines == [
        *(f"  {one}" for one in several[:2]),
        f"  {several[2]} And 120 more.",
        "  " + str(wrong(9, "'x'", "word-known")),
    ]
    assert len(same.problems) == 2000
