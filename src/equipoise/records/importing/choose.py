"""Which rows and which columns of the files an entry of an import map reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from equipoise.records.importing.map import AllocationMap, FileMap, Source
from equipoise.records.importing.read_table import TextTable


def selected(table: TextTable, where: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[dict[str, str], int]]:
    """The rows in which every named column holds one of its words, each with its line."""
    for cells, line in zip(table.rows, table.lines, strict=True):
        if all(cells[column] in words for column, words in where.items()):
            yield cells, line


def columns_of_entry(entry: FileMap) -> dict[str, set[str]]:
    """File -> the columns of it that an entry reads."""
    own = {item.column for item in entry.unpivot} | set(entry.where)
    return _columns(entry.file, own, entry.columns.values())


def columns_of_arms(entry: AllocationMap) -> dict[str, set[str]]:
    """File -> the columns of it that the entry of the arms reads."""
    return _columns(entry.file, set(entry.where), (entry.participant, entry.arm))


def _columns(file: str, own: set[str], sources: Iterable[Source]) -> dict[str, set[str]]:
    wanted = {file: own}
    for source in sources:
        for other, column in ((source.elsewhere, source.column), (source.since_elsewhere, source.since)):
            if column is None:
                continue
            wanted.setdefault(other.file if other is not None else file, set()).add(column)
            if other is not None:
                wanted[file].add(other.match)
                wanted[other.file] |= {other.match, *other.where}
    return wanted
