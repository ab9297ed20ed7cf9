"""Apply an import map: CSV and Parquet files -> Records and Allocation, or every reason why not. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.protocol.model import Assessment, Protocol
from equipoise.records.allocation import Allocation, AllocationRow, checked_allocation
from equipoise.records.classes import BY_NAME, RANDOMISED, Column, ObservationClass
from equipoise.records.importing.choose import columns_of_arms, columns_of_entry, selected, sources_of_arms
from equipoise.records.importing.convert import (
    CellError,
    calendar_date,
    count_entry,
    day,
    days_between,
    flag,
    number,
    result,
    translated,
    whole,
)
from equipoise.records.importing.map import Elsewhere, FileMap, LoadedMap, RedcapProject, Source, Unpivot
from equipoise.records.importing.read_table import TextTable, read_table
from equipoise.records.importing.redcap import decoded, read_dictionary, unreadable
from equipoise.records.records import Records

Row = dict[str, Any]


@dataclass(slots=True)
class Reading:
    """The work in hand: files already read, problems found so far."""

    protocol: Protocol
    loaded: LoadedMap
    folder: Path
    files: dict[str, TextTable | None] = field(default_factory=dict)
    joined: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def table(self, name: str) -> TextTable | None:
        if name not in self.files:
            content = self.loaded.content
            table, problems = read_table(
                self.folder / name, name, delimiter=content.delimiter, encoding=content.encoding
            )
            self.files[name] = table
            self.problems += problems
            if content.redcap is not None and name == content.redcap.records and table is not None:
                self.files[name] = self._decoded(table, content.redcap)
        return self.files[name]

    def _decoded(self, table: TextTable, project: RedcapProject) -> TextTable | None:
        given = self.table(project.dictionary)
        dictionary, problems = (None, []) if given is None else read_dictionary(given)
        self.problems += problems
        if dictionary is None:
            return None
        done = decoded(table, dictionary, project.missing)
        content = self.loaded.content
        every = [columns_of_entry(entry) for entry in content.files]
        every += [columns_of_arms(content.allocation)] if content.allocation is not None else []
        read = {column for wanted in every for column in wanted.get(project.records, ())}
        self.problems += [*done.problems, *unreadable(dictionary, read, dictionary.id_field, project.records)]
        self.warnings += done.warnings
        return done.table

    def text(self, source: Source, cells: dict[str, str]) -> str:
        """The cell that a source names, in this row or in that of another file; empty where there is none."""
        return self._cell(source.elsewhere, source.column, cells)

    def since(self, source: Source, cells: dict[str, str]) -> str:
        """The date of time zero that a source counts from; empty where there is none."""
        return self._cell(source.since_elsewhere, str(source.since), cells)

    def _cell(self, elsewhere: Elsewhere | None, column: str, cells: dict[str, str]) -> str:
        if elsewhere is None:
            return cells[column]
        key = (id(elsewhere), column)
        if key not in self.joined:
            self.joined[key] = self._index(elsewhere, column)
        return self.joined[key].get(cells[elsewhere.match], "")

    def _index(self, elsewhere: Elsewhere, column: str) -> dict[str, str]:
        found: dict[str, str] = {}
        table = self.table(elsewhere.file)
        if table is None:
            return found
        for cells, line in selected(table, elsewhere.where):
            key = cells[elsewhere.match]
            if key in found:
                message = "a second row belongs to this, and one value is wanted"
                remedy = "Say by `where` which of them is meant, or correct the file."
                said = Problem(table.name, line, elsewhere.match, "elsewhere-once", message, remedy, shown(key))
                self.problems.append(said)
            found[key] = cells[column]
        return found

    def unread(self) -> dict[str, tuple[str, ...]]:
        """The columns that no entry of the map reads, by file."""
        content = self.loaded.content
        every = [columns_of_entry(entry) for entry in content.files]
        every += [columns_of_arms(content.allocation)] if content.allocation is not None else []
        used: dict[str, set[str]] = {}
        for file, names in (item for wanted in every for item in wanted.items()):
            used.setdefault(file, set()).update(names)
        told = [name for name in self.files if content.redcap is None or name != content.redcap.dictionary]
        left = {
            name: tuple(c for c in table.header if c not in used.get(name, set()))
            for name in told
            if (table := self.files[name]) is not None
        }
        return {name: columns for name, columns in left.items() if columns}

    def refuse(self, file: str, line: int, column: str, error: CellError, cell: str) -> None:
        if error.rule == "unit-known":  # the map's mistake, not that of each cell in the column
            told = any((p.file, p.path, p.rule) == (file, column, error.rule) for p in self.problems)
            self.problems += [] if told else [Problem(file, 1, column, error.rule, str(error), error.remedy)]
            return
        self.problems.append(Problem(file, line, column, error.rule, str(error), error.remedy, shown(cell)))


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave: records, the arms where the map says where they stand, columns left unread, oddities."""

    records: Records
    allocation: Allocation | None
    unread: dict[str, tuple[str, ...]]
    warnings: tuple[Problem, ...] = ()

    def in_arms(self) -> dict[str, int]:
        """How many participants each arm of the protocol has; empty where the arms were not read."""
        given = () if self.allocation is None else tuple(self.allocation.arms.values())
        return {arm.id: given.count(arm.id) for arm in self.records.protocol.arms} if given else {}


def import_files(protocol: Protocol, loaded: LoadedMap, folder: Path) -> Imported:
    """Read the files that the map names from `folder`.

    Raises DataError with every problem, each with file and line.
    """
    work = Reading(protocol, loaded, folder)
    rows: dict[str, list[Row]] = {name: [] for name in BY_NAME}
    for entry in loaded.content.files:
        table = work.table(entry.file)
        if table is not None and _columns_present(work, columns_of_entry(entry)):
            rows[entry.table] += _rows(work, entry, table)
    arms = _arms(work)
    _finish_visits(rows)
    count_entry(rows["participants"])
    if work.problems:
        raise _refused(folder, work.problems)
    tables = {name: _frame(BY_NAME[name], items) for name, items in rows.items() if items}
    try:
        records = Records.of(protocol, tables, collected=loaded.content.collected)
    except DataError as error:
        raise _refused(folder, list(error.problems)) from None
    unarmed = list(_without_arm(work, records, arms)) if arms is not None else []
    if unarmed:
        raise _refused(folder, unarmed)
    silent = tuple(_not_collected(loaded, records))
    done = Imported(records, arms, work.unread(), (*work.warnings, *silent, *records.warnings))
    return replace(done, warnings=(*_empty_arms(work, done), *done.warnings))


def _empty_arms(work: Reading, done: Imported) -> Iterator[Problem]:
    """An arm of the protocol in which no one is, where there are arms at all: nothing can be compared with it."""
    entry, counts = work.loaded.content.allocation, done.in_arms()
    for arm, count in counts.items():
        if entry is not None and not count:
            told = ", ".join(f"{name} {number}" for name, number in counts.items())
            message = f"the arm {arm!r} has no participants ({told})"
            remedy = "Look at the words that the map gives for this arm, and at the file's own."
            yield Problem(entry.file, None, entry.arm.column, "arm-without-participants", message, remedy)


def _not_collected(loaded: LoadedMap, records: Records) -> Iterator[Problem]:
    """A planned assessment of which nothing was read, and of which the map does not say that it was asked for."""
    for item in records.protocol.assessments:
        if item.id not in records.collected:
            message = f"the planned assessment {item.id!r} ({item.label}) has no rows: it counts as not recorded"
            remedy = "Read its file by the map; if it was asked for and nothing came of it, name it under `collected`."
            yield Problem(str(loaded.path), None, "collected", "assessment-recorded", message, remedy)


def _without_arm(work: Reading, records: Records, arms: Allocation) -> Iterator[Problem]:
    """Someone randomised whose arm is not in the file that the map names for it."""
    entry = work.loaded.content.allocation
    column = entry.arm.column if entry is not None else ""
    randomised = records.participants.filter(pl.col("status").is_in(RANDOMISED))
    for participant, source in randomised.select("participant", "source").iter_rows():
        if participant not in arms.arms:
            file, _, line = source.rpartition(":")
            message = f"participant {participant!r} was randomised and has no arm"
            yield Problem(file, int(line), column, "allocation-complete", message, "Give the arm, or another status.")


def _refused(folder: Path, problems: list[Problem]) -> DataError:
    problems = list(dict.fromkeys(problems))  # a file read into two tables has each of its faults twice
    told = sorted(problems, key=lambda p: (p.file, p.line or 0, p.path))
    return DataError(f"the files in {folder} do not fit the protocol and its map; nothing was written", told)


def _columns_present(work: Reading, wanted: dict[str, set[str]]) -> bool:
    """Whether the files that could be read have the columns that are wanted of them."""
    complete = True
    for file, names in wanted.items():
        table = work.table(file)
        if table is None:
            complete = False
            continue
        for name in sorted(names - set(table.header)):
            remedy = f"The file has {', '.join(table.header)}: correct the file or the map ({work.loaded.path})."
            message = f"the column {name!r} is missing"
            work.problems.append(Problem(table.name, 1, name, "csv-column", message, remedy))
            complete = False
    return complete


def _rows(work: Reading, entry: FileMap, table: TextTable) -> Iterator[Row]:
    target = BY_NAME[entry.table]
    for cells, line in selected(table, entry.where):
        base: Row | None = {"source": f"{table.name}:{line}"}
        for name, word in entry.constants.items():
            base[name] = _word(work, table.name, line, target.column(name), word)
        for name, source in entry.columns.items():
            if source.optional and work.text(source, cells) == "":
                base = None
                break
            base[name] = _cell(work, table.name, line, target.column(name), source, cells)
        if base is None:
            continue
        if entry.unpivot:
            yield from _unpivoted(work, entry, table.name, line, cells, base)
        else:
            yield _completed(work, target, base)


def _word(work: Reading, file: str, line: int, column: Column, word: str) -> Any:
    """The value of a word of the map itself."""
    return _cell(work, file, line, column, Source(column=column.name), {column.name: word})


def _cell(work: Reading, file: str, line: int, column: Column, source: Source, cells: dict[str, str]) -> Any:
    """The value of one cell in the type of our column; None for an empty or refused one."""
    cell = work.text(source, cells) or next((cells[name] for name in source.otherwise if cells[name]), "")
    if cell == "":
        return None
    try:
        if source.values is not None:
            cell = translated(cell, source.values, source.others)
        if cell and source.day == "entry-date":
            return calendar_date(cell)
        if cell and source.since is not None:
            return days_between(cell, work.since(source, cells), source.partial)
        return _valued(column, source, cell) if cell else None
    except CellError as error:
        work.refuse(file, line, source.column, error, cell)
        return None


def _valued(column: Column, source: Source, cell: str) -> Any:
    """A cell that is not empty in the type of our column; raises CellError."""
    if source.day is not None:
        return day(cell, source.day)
    kinds = {pl.Float64: number, pl.Int32: whole, pl.Boolean: flag}
    return kinds[column.kind](cell) if column.kind in kinds else cell


def _unpivoted(work: Reading, entry: FileMap, file: str, line: int, cells: dict[str, str], base: Row) -> Iterator[Row]:
    target = BY_NAME[entry.table]
    for item in entry.unpivot:
        row = dict(base)
        for name, word in item.set.items():
            row[name] = _word(work, file, line, target.column(name), word)
        cell = cells[item.column]
        if item.values is not None and cell != "":
            try:
                cell = translated(cell, item.values)
            except CellError as error:
                work.refuse(file, line, item.column, error, cell)
                continue
            if cell == "":
                continue
        made = (
            _finding(work, file, line, item, cell, row)
            if entry.table == "findings"
            else _value(work, file, line, item, cell, row)
        )
        if made is not None:
            yield made


def _finding(work: Reading, file: str, line: int, item: Unpivot, cell: str, row: Row) -> Row | None:
    """A finding; an empty cell is a measurement not done, or nothing at all where the visit has no day either."""
    assessment = _assessment(work.protocol, row.get("assessment"))
    test = next((t for t in assessment.tests if t.id == row.get("test")), None) if assessment else None
    row |= {"sequence": row.get("sequence") or 1, "original": cell or None}
    row["original_unit"] = row.pop("unit", None) or (test.unit if test else None)
    if assessment is None or test is None:
        remedy = "Name an assessment and a test of the protocol in the map."
        message = f"the protocol has no test {row.get('assessment')}.{row.get('test')}"
        work.problems.append(Problem(file, line, item.column, "test-known", message, remedy))
        return None
    row |= {"domain": assessment.domain, "unit": test.unit}
    if cell == "":
        return row | {"status": "not-done"} if row.get("day") is not None else None
    try:
        measured = result(cell, row["original_unit"], test)
    except CellError as error:
        work.refuse(file, line, item.column, error, cell)
        return None
    return row | {"value": measured.value, "censored": measured.censored, "status": "done"}


def _assessment(protocol: Protocol, name: str | None) -> Assessment | None:
    return next((item for item in protocol.findings if item.id == name), None)


def _value(work: Reading, file: str, line: int, item: Unpivot, cell: str, row: Row) -> Row | None:
    if cell == "":
        return None
    try:
        return row | {"value": number(cell)}
    except CellError as error:
        work.refuse(file, line, item.column, error, cell)
        return None


def _completed(work: Reading, target: ObservationClass, row: Row) -> Row:
    """Fill in what follows from the protocol: sequence, domain."""
    if "sequence" in target.schema:
        row["sequence"] = row.get("sequence") or 1
    if "domain" in target.schema:
        known = {item.id: item.domain for item in work.protocol.assessments}
        row["domain"] = row.get("domain") or known.get(row.get("assessment") or "")
    return row


def _finish_visits(rows: dict[str, list[Row]]) -> None:
    """A visit without a status was held where it has a day or any result, and missed otherwise."""
    measured = {(row["participant"], row["visit"]) for row in rows["findings"] if row.get("status") == "done"}
    for row in rows["visits"]:
        if row.get("status") is None:
            held = row.get("day") is not None or (row.get("participant"), row.get("visit")) in measured
            row["status"] = "held" if held else "missed"


def _arms(work: Reading) -> Allocation | None:
    entry = work.loaded.content.allocation
    table = work.table(entry.file) if entry is not None else None
    if entry is None or table is None:
        return None
    found: dict[str, AllocationRow] = {}
    if not _columns_present(work, columns_of_arms(entry)):
        return None
    for cells, line in selected(table, entry.where):
        read = {
            name: _cell(work, table.name, line, Column(name, pl.String, ""), source, cells)
            for name, source in sources_of_arms(entry).items()
        }
        if read["participant"] is not None and read["arm"] is not None:
            given = {name: cell for name, cell in read.items() if cell is not None}
            found[given["participant"]] = AllocationRow(given["participant"], given, table.name, line)
    allocation, problems = checked_allocation(list(found.values()), work.protocol)
    work.problems += problems
    return allocation


def _frame(target: ObservationClass, rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        {column.name: pl.Series([row.get(column.name) for row in rows], dtype=column.kind) for column in target.columns}
    )
