"""Files of other programs: whole or refused, in whichever format and spelling, and what was not read is listed."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import polars as pl
import pyreadstat
import pytest

from equipoise.errors import DataError
from equipoise.records.standards.back import kind_in
from equipoise.records.standards.dataset_json import to_dataset_json
from equipoise.records.standards.dataset_json_reading import read_dataset_json, read_with_notes
from equipoise.records.standards.described import Item, Table
from equipoise.records.standards.found import datasets_in
from equipoise.records.standards.transport import read_transport
from equipoise.records.standards.xpt import read_xpt, write_xpt
from equipoise.verbs.exporting import examine

pytestmark = pytest.mark.requirement("STANDARDS-OTHERS")

DM = pl.DataFrame(
    {"STUDYID": ["S"], "DOMAIN": ["DM"], "USUBJID": ["S-1"], "SUBJID": ["1"], "SITEID": ["1"], "SEX": ["F"]}
)
LONG = pl.DataFrame({"A": [f"text {number:03d}" for number in range(40)], "N": [float(n) for n in range(40)]})


def table(frame: pl.DataFrame, name: str = "XX") -> Table:
    return Table(name, "Made here", "other", "", (), tuple(Item(n, n.title()) for n in frame.columns), frame)


def xpt(folder: Path, name: str, frame: pl.DataFrame) -> Path:
    path = folder / f"{name.lower()}.xpt"
    write_xpt(table(frame, name), path)
    return path


def rule_of(path: Path) -> str:
    with pytest.raises(DataError) as error:
        read_transport(path)
    (problem,) = error.value.problems
    return problem.rule


@pytest.mark.parametrize("kept", [*range(240, 1680, 80), 1700, 1999])
def test_a_transport_file_that_was_cut_is_refused_wherever_the_cut_shows(tmp_path: Path, kept: int) -> None:
    """Of rows of 16 bytes, five fill a record: a cut after a record of rows leaves nothing to see."""
    frame = LONG.with_columns(B=pl.lit("x" * 20))  # rows of 36 bytes
    whole = xpt(tmp_path, "XX", frame).read_bytes()
    rows = whole.index(b"OBS     HEADER RECORD") - 20 + 80
    cut = tmp_path / "cut.xpt"
    cut.write_bytes(whole[:kept])
    left = (kept - rows) % 36
    if kept % 80 == 0 and kept >= rows and left == 0:
        assert read_xpt(cut).height == (kept - rows) // 36
    else:
        assert rule_of(cut) == "xpt-whole"


def test_every_whole_file_passes_whatever_the_width_of_its_rows(tmp_path: Path) -> None:
    for width in (1, 7, 8, 79, 80, 81, 160, 199):
        for height in (0, 1, 3, 11):
            frame = pl.DataFrame({"A": ["y" * width] * height}, schema={"A": pl.String})
            assert read_xpt(xpt(tmp_path, "XX", frame)).equals(frame)


def test_windows_1252_is_read_with_a_note_and_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = xpt(tmp_path, "TS", pl.DataFrame({"TSVAL": ["plain", "Patient#s choice"]}))
    plain = path.read_bytes()
    path.write_bytes(plain.replace(b"#", b"\x92"))
    (member,) = read_transport(path)
    assert member.frame["TSVAL"].to_list() == ["plain", "Patient\u2019s choice"]
    assert "Windows-1252" in member.notes[0] and "row 2" in member.notes[1]
    path.write_bytes(plain.replace(b"#", b"\x81"))
    assert rule_of(path) == "xpt-encoding"


def test_utf_8_is_read_as_such_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "ts.xpt"
    pyreadstat.write_xport(pl.DataFrame({"TSVAL": ["5 µg"]}), str(path), table_name="TS", file_format_version=5)
    (member,) = read_transport(path)
    assert member.frame["TSVAL"].to_list() == ["5 µg"]
    assert member.notes == ("a text is not ASCII, first in row 1: TSVAL is '5 µg'",)


def test_every_member_of_a_file_is_read(tmp_path: Path) -> None:
    first, second = xpt(tmp_path, "DM", DM).read_bytes(), xpt(tmp_path, "XX", LONG).read_bytes()
    path = tmp_path / "all.xpt"
    path.write_bytes(first + second[240:])
    for old in ("dm", "xx"):
        (tmp_path / f"{old}.xpt").unlink()
    assert [(m.name, m.frame.height) for m in read_transport(path)] == [("DM", 1), ("XX", 40)]
    found = datasets_in(tmp_path)
    assert found.frames["DM"].equals(DM) and found.frames["XX"].equals(LONG)
    assert all("2 datasets (DM, XX)" in file.notes[0] for file in found.read)
    with pytest.raises(DataError, match="xpt-members"):
        read_xpt(path)


def test_version_8_is_read(tmp_path: Path) -> None:
    path = tmp_path / "xx.xpt"
    frame = pl.DataFrame({"A_LONGER_NAME": ["x" * 300, "y"], "N": [1.0, None]})
    pyreadstat.write_xport(frame, str(path), table_name="XX", file_format_version=8)
    (member,) = read_transport(path)
    assert member.frame.equals(frame)
    path.write_bytes(path.read_bytes()[:-80])
    assert rule_of(path) == "xpt-whole"


def test_dates_stay_the_numbers_that_the_file_has(tmp_path: Path) -> None:
    path = tmp_path / "xx.xpt"
    frame = pl.DataFrame({"ADT": [21915.0]})  # days from 1960-01-01
    pyreadstat.write_xport(frame, str(path), table_name="XX", file_format_version=5, variable_format={"ADT": "DATE9."})
    assert read_xpt(path)["ADT"].to_list() == [21915.0]


def test_the_member_s_name_is_told_where_the_file_has_another(tmp_path: Path) -> None:
    xpt(tmp_path, "DM", DM).rename(tmp_path / "people.xpt")
    found = datasets_in(tmp_path)
    assert list(found.frames) == ["DM"]
    assert "called DM in the file" in found.read[0].notes[0]


def test_names_of_files_are_read_in_any_spelling(tmp_path: Path) -> None:
    xpt(tmp_path, "DM", DM).rename(tmp_path / "DM.XPT")
    DM.rename({"DOMAIN": "domain"}).with_columns(domain=pl.lit("AE")).write_csv(tmp_path / "Ae.CSV")
    assert sorted(datasets_in(tmp_path).frames) == ["AE", "DM"]


LINES = "\n".join(
    [
        json.dumps({**json.loads(to_dataset_json(table(DM, "DM"), "s")), "rows": None}),
        json.dumps(list(DM.row(0))),
    ]
).encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("dm.ndjson", LINES),
        ("dm.ndjson", LINES.replace(b"\n", b"\r\n") + b"\r\n"),
        ("dm.dsjc", zlib.compress(LINES)),
        ("dm.dsjc", gzip.compress(LINES)),
        ("dm.json", b"\xef\xbb\xbf" + to_dataset_json(table(DM, "DM"), "s").encode()),
    ],
)
def test_dataset_json_is_read_in_each_of_its_forms(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert read_dataset_json(tmp_path / name).frame.equals(DM)
    assert examine(tmp_path).findings == ()
    assert kind_in(tmp_path) == name.partition(".")[2]


NUMBERS = json.loads(to_dataset_json(table(pl.DataFrame({"N": [1, 2], "A": ["x", "y"]})), "s"))


@pytest.mark.parametrize(
    ("name", "data", "rule"),
    [
        ("x.json", b'{"rows":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json-readable"),
        ("x.json", b'{"records": NaN}', "json-readable"),
        ("x.json", b'{"records": 1' + b"0" * 5_000 + b"}", "json-readable"),
        ("x.ndjson", LINES + b"\n[1, 2", "json-readable"),
        ("x.ndjson", b"", "json-readable"),
        ("x.ndjson", LINES + b"\n" + b"[" * 100_000, "json-readable"),
        ("x.dsjc", zlib.compress(LINES)[:-10], "json-readable"),
        ("x.dsjc", LINES, "json-readable"),
        ("x.json", json.dumps(NUMBERS | {"rows": [[10**30, "x"], [1, "y"]]}).encode(), "json-cell"),
        ("x.json", json.dumps(NUMBERS | {"rows": [[1, "\ud800"], [1, "y"]]}).encode(), "json-cell"),
        ("x.json", json.dumps(NUMBERS | {"rows": [[[1], {}], [1, "y"]]}).encode(), "json-cell"),
        ("x.json", json.dumps(NUMBERS | {"rows": {"N": 1}}).encode(), "json-key"),
        ("x.json", json.dumps(NUMBERS | {"name": ["XX"]}).encode(), "json-key"),
        ("x.json", json.dumps(NUMBERS | {"columns": [1, None]}).encode(), "json-key"),
        ("x.json", json.dumps(NUMBERS | {"records": [2]}).encode(), "json-records"),
    ],
)
def test_no_file_ends_in_a_traceback(tmp_path: Path, name: str, data: bytes, rule: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError) as error:
        datasets_in(tmp_path)
    assert rule in {problem.rule for problem in error.value.problems}


def test_a_fraction_in_a_column_of_whole_numbers_is_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(NUMBERS | {"rows": [[1.0, "x"], [2.5, "y"]]}))
    made, notes = read_with_notes(tmp_path / "x.json")
    assert made.frame["N"].to_list() == [1.0, 2.5]
    assert notes == ("N is said to be of whole numbers and holds 2.5",)


def test_formats_that_lie_together_are_all_read_and_the_rest_is_listed(tmp_path: Path) -> None:
    DM.write_csv(tmp_path / "dm.csv")
    events = pl.DataFrame(
        {"STUDYID": ["S"], "DOMAIN": ["AE"], "USUBJID": ["S-2"], "AESEQ": [1], "AETERM": ["Headache"]}
    )
    (tmp_path / "ae.json").write_text(to_dataset_json(table(events, "AE"), "s"))
    xpt(tmp_path, "AE", events)
    for name in ("usdm.json", "results.json"):
        (tmp_path / name).write_text('{"study": {}}')
    (tmp_path / "readme.txt").write_text("")
    (tmp_path / "adam").mkdir()
    done = examine(tmp_path)
    assert [(file.dataset, file.file, file.rows) for file in done.read] == [("AE", "ae.json", 1), ("DM", "dm.csv", 1)]
    assert {file.file: file.why for file in done.left} == {
        "adam/": "a folder",
        "ae.xpt": "AE is read from ae.json",
        "readme.txt": "no format of datasets",
        "results.json": "a file of equipoise",
        "usdm.json": "no Dataset-JSON",
    }
    assert [finding.rule for finding in done.findings] == ["SDTM-15"]
    assert done.lines[0] == "read, with rows: AE from ae.json (1), DM from dm.csv (1)"
    assert done.lines[1].startswith("not read: adam/ (a folder), ae.xpt (AE is read from ae.json)")
    with pytest.raises(DataError, match=r"as csv and as json and as xpt"):
        kind_in(tmp_path)
