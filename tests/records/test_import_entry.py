"""Days of entry from dates, and the places in the allocation list, read from a finished trial's own columns."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from equipoise.errors import DataError, InputError
from equipoise.protocol.load import load_protocol
from equipoise.records.importing.apply import Imported, import_files
from equipoise.records.importing.map import load_map
from equipoise.verbs.importing import import_trial

ENTRY = "      entry_day: {column: started, day: entry-date, otherwise: [signed]}\n"
PLACES = "  sequence: {column: slot}\n  block: {column: block}\n  block_size: {column: size}\n"
FIRST = "      last_contact_day: {column: last_seen, day: study-day}\n"


def prepared(small: Path, started: dict[int, str], *, entry: str = ENTRY, places: str = PLACES) -> Path:
    """People with a start (given by row), a signature two days before, and places in blocks of 4, entered backwards."""
    path = small / "data" / "people.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    for number, row in enumerate(rows):
        row["started"] = started.get(number, f"2020-03-{number + 5:02d}")
        row["signed"] = f"2020-03-{number + 3:02d}"
        slot = len(rows) - number
        row |= {"slot": str(slot), "block": str((slot + 3) // 4), "size": "4"}
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    text = (small / "map.yaml").read_text("utf-8")
    assert FIRST in text and text.rstrip().splitlines()[-1].startswith("  arm:")
    (small / "map.yaml").write_text(text.replace(FIRST, FIRST + entry, 1).rstrip() + "\n" + places, "utf-8")
    return small / "map.yaml"


def read(small: Path) -> Imported:
    return import_files(load_protocol(small / "protocol.yaml"), load_map(small / "map.yaml"), small / "data")


@pytest.mark.requirement("IMPORT-ENTRY")
def test_days_of_entry_count_from_the_earliest_date_and_an_empty_one_is_read_elsewhere(small: Path) -> None:
    prepared(small, {2: "", 4: "2020-02-28"})
    people = read(small).records.participants.sort("participant")
    days = people["entry_day"].to_list()
    # The earliest is 28 February of a leap year: 5 March is 6 days later, and row 2 signed on 5 March.
    assert days[:5] == [6, 7, 6, 9, 0] and days[5] == 11


@pytest.mark.requirement("IMPORT-ENTRY")
def test_places_in_the_allocation_list_are_read_and_written(small: Path, tmp_path: Path) -> None:
    prepared(small, {})
    found = read(small).allocation
    assert found is not None
    first, last = min(found.arms), max(found.arms)
    assert (found.slots[first].sequence, found.slots[first].block, found.slots[first].block_size) == (12, 3, 4)
    assert (found.slots[last].sequence, found.slots[last].block) == (1, 1)
    import_trial(small / "protocol.yaml", small / "data", tmp_path / "out", import_map=small / "map.yaml")
    lines = (tmp_path / "out" / "allocation.csv").read_text("utf-8").splitlines()
    assert lines[0] == "participant,arm,sequence,block,block_size" and lines[1].endswith(",12,3,4")


@pytest.mark.requirement("IMPORT-ENTRY")
def test_a_date_that_is_none_names_file_line_and_column(small: Path) -> None:
    prepared(small, {3: "9 March 2020"})
    with pytest.raises(DataError) as caught:
        read(small)
    (problem,) = caught.value.problems
    assert problem.file.endswith("people.csv") and problem.line == 5 and "started" in str(problem)
    assert "9 March 2020" in str(problem)


@pytest.mark.requirement("IMPORT-ENTRY")
@pytest.mark.parametrize(
    "entry",
    [
        "      age: {column: started, day: entry-date}\n".replace("age", "consent_day"),
        "      consent_day: {column: last_seen, day: study-day, otherwise: [age]}\n",
    ],
)
def test_only_the_column_of_entry_is_read_in_this_way(small: Path, entry: str) -> None:
    mapping = prepared(small, {}, entry=entry)
    with pytest.raises(InputError) as caught:
        load_map(mapping)
    assert [problem.rule for problem in caught.value.problems] == ["map-entry"]
