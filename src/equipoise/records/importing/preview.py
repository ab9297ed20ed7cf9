"""What an import would do, column by column, without doing it: read, left out, converted, not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.measurement import Test
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.choose import columns_of_entry, files_of_map, selected
from equipoise.records.importing.convert import CellError, factor, is_result, translates_no_codes
from equipoise.records.importing.map import FileMap, LoadedMap, Source, Unpivot, word_map
from equipoise.records.importing.reading import Reading

MOST_WORDS = 8
"""Different words of a column that a preview names."""


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column of a file: what it becomes, how its cells are converted, how many are filled and how many are empty."""

    column: str
    becomes: str
    how: str
    filled: int
    empty: int


@dataclass(frozen=True, slots=True)
class EntryPreview:
    """An entry of the map: rows of its file, rows that its filter leaves, and rows without a value that they need."""

    file: str
    table: str
    rows: int
    selected: int
    left_out: int
    columns: tuple[ColumnPreview, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would read, drop and convert.

    records:  table -> rows that would be written; None where the import would fail.
    unread:   file -> columns that no entry reads. left: files of the folder that the map does not name.
    problems: why the import would fail; warnings: what it would keep and say.
    """

    entries: tuple[EntryPreview, ...]
    records: dict[str, int] | None
    unread: dict[str, tuple[str, ...]]
    left: tuple[str, ...]
    warnings: tuple[Problem, ...]
    problems: tuple[Problem, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The preview as a person reads it."""
        return tuple(_lines(self))


def preview_files(protocol: Protocol, loaded: LoadedMap, folder: Path) -> Preview:
    """What `import_files` would do with these files; raises nothing for them."""
    reading = Reading(protocol, loaded, folder)
    entries = tuple(_entry(reading, entry) for entry in loaded.content.files)
    try:
        done = import_files(protocol, loaded, folder)
    except DataError as error:
        return Preview(entries, None, reading.unread(), _left(reading), tuple(reading.warnings), error.problems)
    records = {name: table.height for name, table in done.records.tables.items() if table.height}
    return Preview(entries, records, done.unread, _left(reading), done.warnings, ())


def _entry(reading: Reading, entry: FileMap) -> EntryPreview:
    table = reading.table(entry.ref)
    if table is None or not _there(reading, entry):
        return EntryPreview(entry.ref, entry.table, 0 if table is None else len(table.rows), 0, 0, ())
    rows = [cells for cells, _ in selected(table, entry.where)]
    needed = [source for source in entry.columns.values() if source.optional]
    kept = [cells for cells in rows if all(reading.text(source, cells) for source in needed)]
    columns = [_column(reading, name, source, kept) for name, source in entry.columns.items()]
    columns += [_result(reading, entry, item, kept) for item in entry.unpivot]
    return EntryPreview(entry.ref, entry.table, len(table.rows), len(rows), len(rows) - len(kept), tuple(columns))


def _there(reading: Reading, entry: FileMap) -> bool:
    """Whether every file that an entry reads has the columns that it reads."""
    for file, names in columns_of_entry(entry).items():
        table = reading.table(file)
        if table is None or names - set(table.header):
            return False
    return True


def _column(reading: Reading, name: str, source: Source, rows: list[dict[str, str]]) -> ColumnPreview:
    cells = [reading.text(source, row) for row in rows]
    how = ""
    if (values := word_map(source.values)) is not None:
        how = _words(cells, values, source.others)
    elif source.day is not None:
        how = {
            "elapsed": "elapsed days",
            "study-day": "study days",
            "date": f"dates, since {source.since}",
            "entry-date": "dates, days since the earliest",
        }[source.day]
    where = f" (in {source.elsewhere.ref})" if source.elsewhere is not None else ""
    return ColumnPreview(source.column + where, name, how, sum(cell != "" for cell in cells), cells.count(""))


def _words(cells: list[str], values: dict[str, str], others: str | None) -> str:
    counts = Counter(cell for cell in cells if cell != "")
    told = [f"{word} -> {_ours(values.get(word, others))} ({count})" for word, count in counts.most_common(MOST_WORDS)]
    more = len(counts) - MOST_WORDS
    return "words: " + ", ".join(told) + (f" and {more} more" if more > 0 else "") if told else "words"


def _ours(word: str | None) -> str:
    return "not known" if word is None else word or "no value"


def _result(reading: Reading, entry: FileMap, item: Unpivot, rows: list[dict[str, str]]) -> ColumnPreview:
    """A column of results: its test with the conversion of units, or the parameter of supplied values."""
    cells = [reading.meant(row[item.column], word_map(item.values)) for row in rows]
    limits = sum(cell[:1] in "<>" for cell in cells if cell)
    fixed = {**entry.constants, **item.set}
    name = fixed.get("parameter") or f"{fixed.get('assessment', '')}.{fixed.get('test', _named_test(entry))}"
    how = [_unit(reading.protocol, fixed)] if entry.table == "findings" else []
    how += [f"{limits} beyond a limit"] if limits else []
    if (values := word_map(item.values)) is not None:
        stay = translates_no_codes(values)
        words = [cell for cell in cells if cell in values or not (stay and is_result(cell, "either"))]
        how.append(_words(words, values, None))
    filled = sum(cell != "" for cell in cells)
    return ColumnPreview(item.column, name, "; ".join(part for part in how if part), filled, len(cells) - filled)


def _named_test(entry: FileMap) -> str:
    """How the tests of an entry are called whose rows name them."""
    source = entry.columns.get("test")
    return f"({source.column})" if source is not None else ""


def _unit(protocol: Protocol, fixed: dict[str, str]) -> str:
    found = _test(protocol, fixed)
    given = fixed.get("unit")
    if found is None or given is None or given == found.unit:
        return ""
    try:
        return f"{given} -> {found.unit}, times {factor(given, found):g}"
    except CellError as error:
        return str(error)


def _test(protocol: Protocol, fixed: dict[str, str]) -> Test | None:
    assessment = next((item for item in protocol.findings if item.id == fixed.get("assessment")), None)
    return next((item for item in assessment.tests if item.id == fixed.get("test")), None) if assessment else None


def _left(reading: Reading) -> tuple[str, ...]:
    """Files beside those of the map."""
    named = {file for file, _ in files_of_map(reading.loaded.content).values()}
    there = (path.name for path in sorted(reading.folder.iterdir()) if path.is_file())
    return tuple(name for name in there if name not in named and name != reading.loaded.path.name)


def _lines(preview: Preview) -> Iterator[str]:
    for entry in preview.entries:
        told = f"{entry.file} -> {entry.table}: {entry.rows} rows"
        told += f", {entry.selected} chosen" if entry.selected != entry.rows else ""
        told += f", {entry.left_out} left out (a value that they need is empty)" if entry.left_out else ""
        yield told
        width = max((len(column.column) for column in entry.columns), default=0)
        for column in entry.columns:
            line = f"  {column.column:<{width}} -> {column.becomes}: {column.filled} filled"
            line += f", {column.empty} empty" if column.empty else ""
            yield line + (f"; {column.how}" if column.how else "")
    for name, columns in preview.unread.items():
        yield f"not read: {name}: {', '.join(columns)}"
    if preview.left:
        yield f"not named by the map: {', '.join(preview.left)}"
    if preview.records is None:
        yield f"nothing would be written: {len(preview.problems)} problems"
    else:
        rows = ", ".join(f"{rows} {name}" for name, rows in preview.records.items())
        yield f"would be written: {rows}"
