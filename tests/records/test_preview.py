"""`equipoise import --dry-run`: what would be read, dropped and converted, and nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import equipoise

pytestmark = pytest.mark.requirement("RECORDS-PREVIEW")
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
EQUIPOISE = Path(sys.executable).parent / "equipoise"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in (EXAMPLE / "data").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(EQUIPOISE), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False)


def preview(data: Path, mapping: Path = EXAMPLE / "map.yaml"):
    return equipoise.preview_import(EXAMPLE / "protocol.yaml", data, import_map=mapping)


def test_it_says_what_an_import_then_writes(data: Path, tmp_path: Path) -> None:
    found = preview(data)
    done = equipoise.import_trial(EXAMPLE / "protocol.yaml", data, tmp_path / "out", import_map=EXAMPLE / "map.yaml")
    tables = done.imported.records.tables
    assert found.records == {name: table.height for name, table in tables.items() if table.height}
    assert found.unread == done.imported.unread and found.problems == () and found.left == ()


def test_every_column_is_told_with_its_conversion(data: Path) -> None:
    (data / "notes.csv").write_text("a\n1\n", "utf-8")
    found = preview(data)
    lines = [" ".join(line.split()) for line in found.lines]
    assert "sex -> sex: 12 filled; words: f -> female (6), m -> male (6)" in lines
    assert "last_seen -> last_contact_day: 12 filled; study days" in lines
    assert "c_peptide -> blood.cpeptide: 34 filled, 1 empty; ng/mL -> nmol/L, times 0.331; 1 beyond a limit" in lines
    assert "not named by the map: notes.csv" in lines
    assert lines[-1] == "would be written: 12 participants, 35 visits, 70 findings, 6 events"


def test_rows_that_are_not_chosen_or_left_out_are_counted(data: Path, tmp_path: Path) -> None:
    text = (EXAMPLE / "map.yaml").read_text("utf-8")
    text = text.replace(
        "  - file: people.csv\n    table: participants\n",
        "  - file: people.csv\n    table: participants\n    where: {sex: [f]}\n",
    )
    text = text.replace("day: {column: day, day: study-day}", "day: {column: day, day: study-day, optional: true}", 1)
    (tmp_path / "map.yaml").write_text(text, "utf-8")
    path = data / "visits.csv"
    path.write_text(path.read_text("utf-8").replace("INV-01,V2,92,", "INV-01,V2,,"), "utf-8")
    people, visits, *_ = preview(data, tmp_path / "map.yaml").entries
    assert (people.rows, people.selected) == (12, 6)
    assert (visits.rows, visits.selected, visits.left_out) == (35, 35, 1)


def test_where_an_import_would_fail_it_tells_all_the_same_and_ends_as_the_import(data: Path, tmp_path: Path) -> None:
    path = data / "people.csv"
    path.write_text(path.read_text("utf-8").replace(",f,", ",x,", 1), "utf-8")
    arguments = (EXAMPLE / "protocol.yaml", data, "--map", EXAMPLE / "map.yaml")
    dry = run("import", *arguments, "--dry-run", cwd=tmp_path)
    real = run("import", *arguments, "-o", "out", cwd=tmp_path)
    assert dry.returncode == real.returncode == 3
    assert "x -> not known (1)" in dry.stdout and "nothing would be written: 1 problems" in dry.stdout
    assert "word-known" in dry.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["data"]


def test_files_that_are_absent_or_lack_a_column_are_told(data: Path) -> None:
    (data / "events.csv").unlink()
    path = data / "people.csv"
    path.write_text(path.read_text("utf-8").replace("age", "years", 1), "utf-8")
    found = preview(data)
    assert {problem.rule for problem in found.problems} == {"file-exists", "csv-column"}
    assert found.records is None and found.entries[0].columns == ()


def test_without_output_only_a_dry_run_is_possible(data: Path, tmp_path: Path) -> None:
    arguments = ("import", EXAMPLE / "protocol.yaml", data, "--map", EXAMPLE / "map.yaml")
    assert run(*arguments, cwd=tmp_path).returncode == 2
    done = run(*arguments, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [item.name for item in tmp_path.iterdir()] == ["data"]


def test_warnings_of_one_rule_are_told_ten_times_and_counted(t1dal: Path, tmp_path: Path) -> None:
    done = run("import", "t1dal", t1dal, "--dry-run", cwd=tmp_path)
    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if "[visit-window]" in line]
    assert len(told) == 11 and told[-1] == "warning: and 1 more [visit-window]"


@pytest.mark.parametrize("words", [b"", b"\xff\xfe\x00", b"person\n", b'person,"arm\n'])
def test_damaged_files_never_end_in_a_traceback(data: Path, words: bytes) -> None:
    (data / "people.csv").write_bytes(words)
    assert preview(data).records is None
