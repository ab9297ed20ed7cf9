"""Apply an import map: files -> Records and Allocation, or every reason why not. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Assessment, Protocol
from equipoise.records.allocation import Allocation, AllocationRow, checked_allocation
from equipoise.records.classes import BY_NAME, RANDOMISED, Column, ObservationClass
from equipoise.records.importing.choose import columns_of_arms, columns_of_entry, selected, sources_of_arms
from equipoise.records.importing.convert import (
    CellError,
    DateOrder,
    Decimal,
    calendar_date,
    count_entry,
    day,
    days_between,
    flag,
    is_result,
    iso_date,
    number,
    result,
    translated,
    whole,
)
from equipoise.records.importing.map import FileMap, LoadedMap, Source, Unpivot, word_map
from equipoise.records.importing.read_table import TextTable
from equipoise.records.importing.reading import Reading
from equipoise.records.records import Records

Row = dict[str, Any]


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

    def planned(self) -> dict[str, float]:
        """How many participants the protocol plans in each arm: its share of all by the allocation ratio."""
        protocol = self.records.protocol
        shares = sum(arm.ratio for arm in protocol.arms)
        return {arm.id: protocol.randomisation.participants * arm.ratio / shares for arm in protocol.arms}


def import_files(protocol: Protocol, loaded: LoadedMap, folder: Path) -> Imported:
    """Read the files that the map names from `folder`.

    Raises DataError with every problem, each with file and line.
    """
    work = Reading(protocol, loaded, folder)
    rows: dict[str, list[Row]] = {name: [] for name in BY_NAME}
    for entry in loaded.content.files:
        table = work.table(entry.ref)
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
            yield Problem(entry.ref, None, entry.arm.column, "arm-without-participants", message, remedy)


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
    """The value of a word of the map itself, which is written as the map's format says: decimal points."""
    try:
        return _valued(column, Source(column=column.name), word, ".")
    except CellError as error:
        work.refuse(file, line, column.name, error, word)
        return None


def _cell(work: Reading, file: str, line: int, column: Column, source: Source, cells: dict[str, str]) -> Any:
    """The value of one cell in the type of our column; None for an empty or refused one."""
    cell = work.text(source, cells)
    if cell == "":
        return None
    content, decimal, values = work.loaded.content, work.decimal_of(source, file), word_map(source.values)
    try:
        if values is not None:
            stays = partial(_readable, column, source, decimal=decimal, dates=content.dates)
            word = translated(cell, values, source.others, stays=stays)
            cell, decimal = word, decimal if word == cell else "."
        if cell and source.day == "entry-date":
            return calendar_date(cell, content.dates)
        if cell and source.since is not None:
            return days_between(cell, work.since(source, cells), source.partial, content.dates)
        if cell and column.name == "date":
            return _dated(cell, content.dates)
        return _valued(column, source, cell, decimal) if cell else None
    except CellError as error:
        work.refuse(file, line, source.column, error, cell)
        return None


def _readable(column: Column, source: Source, cell: str, *, decimal: Decimal, dates: DateOrder) -> bool:
    """Whether a cell of a column of numbers or days can be read as it is; words are never."""
    if source.day is None and column.kind not in (pl.Float64, pl.Int32):
        return False
    try:
        if source.day in ("date", "entry-date"):
            days_between(cell, "2000-01-01", source.partial, dates)
        else:
            _valued(column, source, cell, decimal)
    except CellError:
        return False
    return True


def _dated(cell: str, dates: DateOrder) -> str:
    """A date for the records, in whose form they are; what is no date is told by their checks."""
    try:
        return iso_date(cell, dates)
    except ValueError:
        return cell


def _valued(column: Column, source: Source, cell: str, decimal: Decimal) -> Any:
    """A cell that is not empty in the type of our column; raises CellError."""
    if source.day is not None:
        return day(cell, source.day, decimal)
    if column.kind == pl.Float64:
        return number(cell, decimal)
    if column.kind == pl.Int32:
        return whole(cell, decimal)
    return flag(cell) if column.kind == pl.Boolean else cell


def _unpivoted(work: Reading, entry: FileMap, file: str, line: int, cells: dict[str, str], base: Row) -> Iterator[Row]:
    target = BY_NAME[entry.table]
    for item in entry.unpivot:
        row = dict(base)
        for name, word in item.set.items():
            row[name] = _word(work, file, line, target.column(name), word)
        values, decimal = word_map(item.values), work.decimal_of(Source(column=item.column), file)
        cell = work.meant(cells[item.column], values)
        if values is not None and cell != "":
            try:
                word = translated(cell, values, stays=partial(is_result, decimal=decimal))
            except CellError as error:
                work.refuse(file, line, item.column, error, cell)
                continue
            if word == "":
                continue
            cell, decimal = word, decimal if word == cell else "."
        make = _finding if entry.table == "findings" else _value
        made = make(work, file, line, item, cell, row, decimal)
        if made is not None:
            yield made


def _finding(work: Reading, file: str, line: int, item: Unpivot, cell: str, row: Row, decimal: Decimal) -> Row | None:
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
        measured = result(cell, row["original_unit"], test, decimal)
    except CellError as error:
        work.refuse(file, line, item.column, error, cell)
        return None
    return row | {"value": measured.value, "censored": measured.censored, "status": "done"}


def _assessment(protocol: Protocol, name: str | None) -> Assessment | None:
    return next((item for item in protocol.findings if item.id == name), None)


def _value(work: Reading, file: str, line: int, item: Unpivot, cell: str, row: Row, decimal: Decimal) -> Row | None:
    if cell == "":
        return None
    try:
        return row | {"value": number(cell, decimal)}
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
    table = work.table(entry.ref) if entry is not None else None
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
