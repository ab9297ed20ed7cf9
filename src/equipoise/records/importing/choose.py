"""Which rows and which columns of the files an entry of an import map reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from equipoise.records.allocation import OPTIONAL
from equipoise.records.importing.map import AllocationMap, FileMap, ImportMap, OfAFile, Source
from equipoise.records.importing.read_table import TextTable


def selected(table: TextTable, where: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[dict[str, str], int]]:
    """The rows in which every named column holds one of its words, each with its line."""
    for cells, line in zip(table.rows, table.lines, strict=True):
        if all(cells[column] in words for column, words in where.items()):
            yield cells, line


def columns_of_entry(entry: FileMap) -> dict[str, set[str]]:
    """File, with its sheet -> the columns of it that an entry reads."""
    own = {item.column for item in entry.unpivot} | set(entry.where)
    return _columns(entry.ref, own, entry.columns.values())


def columns_of_arms(entry: AllocationMap) -> dict[str, set[str]]:
    """File, with its sheet -> the columns of it that the entry of the arms reads."""
    return _columns(entry.ref, set(entry.where), sources_of_arms(entry).values())


def sources_of_arms(entry: AllocationMap) -> dict[str, Source]:
    """Column of the allocation -> where its value comes from."""
    optional = {name: source for name in OPTIONAL if (source := getattr(entry, name)) is not None}
    return {"participant": entry.participant, "arm": entry.arm, **optional}


def _columns(file: str, own: set[str], sources: Iterable[Source]) -> dict[str, set[str]]:
    wanted = {file: own}
    for source in sources:
        wanted[file] |= set(source.otherwise)
        for other, column in ((source.elsewhere, source.column), (source.since_elsewhere, source.since)):
            if column is None:
                continue
            wanted.setdefault(other.ref if other is not None else file, set()).add(column)
            if other is not None:
                wanted[file].add(other.match)
                wanted[other.ref] |= {other.match, *other.where}
    return wanted


def files_of_map(content: ImportMap) -> dict[str, tuple[str, str | None]]:
    """How a file and its sheet are named in messages -> the file and the sheet, for everything that a map reads."""
    parts: list[OfAFile] = list(content.files)
    sources = [source for entry in content.files for source in entry.columns.values()]
    if content.allocation is not None:
        parts.append(content.allocation)
        sources += sources_of_arms(content.allocation).values()
    parts += [other for source in sources for other in (source.elsewhere, source.since_elsewhere) if other is not None]
    found = {part.ref: (part.file, part.sheet) for part in parts}
    if content.redcap is not None:
        found |= {name: (name, None) for name in (content.redcap.dictionary, content.redcap.records)}
    return found
