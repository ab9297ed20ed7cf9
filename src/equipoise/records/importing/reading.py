"""The work in hand of an import: the files that were read, what their cells mean, and the problems found so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from equipoise.errors import Problem, shown
from equipoise.protocol.model import Protocol
from equipoise.records.importing.choose import columns_of_arms, columns_of_entry, files_of_map, selected
from equipoise.records.importing.convert import CellError, Decimal
from equipoise.records.importing.map import Elsewhere, LoadedMap, RedcapProject, Source, word_map
from equipoise.records.importing.read_table import TextTable, read_table
from equipoise.records.importing.redcap import decoded, read_dictionary, unreadable


@dataclass(slots=True)
class Reading:
    """The work in hand: files already read, problems found so far."""

    protocol: Protocol
    loaded: LoadedMap
    folder: Path
    known: dict[str, tuple[str, str | None]] = field(init=False)
    files: dict[str, TextTable | None] = field(default_factory=dict)
    joined: dict[tuple[int, str], dict[str, str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = files_of_map(self.loaded.content)

    def _outside(self, file: str) -> Iterator[Problem]:
        """A note on a file that is not in the folder: the folder alone does not hold all that was imported."""
        inside = (self.folder / file).resolve().is_relative_to(self.folder.resolve())
        if (self.folder / file).is_file() and not inside:
            message = f"the file is not in {self.folder}, the folder that is imported"
            remedy = "Put it there, so that all that was imported stays together."
            yield Problem(file, None, "", "path-outside", message, remedy)

    def decimal(self, table: TextTable, column: str) -> Decimal:
        """The decimal mark of the numbers in a column."""
        if column in table.numeric:
            return "."
        return "either" if table.mixed and self.loaded.content.decimal == "," else self.loaded.content.decimal

    def decimal_of(self, source: Source, file: str) -> Decimal:
        """The decimal mark where a source of an entry of this file reads its numbers."""
        table = self.files.get(source.elsewhere.ref if source.elsewhere is not None else file)
        return "." if table is None else self.decimal(table, source.column)

    def meant(self, cell: str, values: Mapping[str, str] | None = None) -> str:
        """The cell, empty where it is a word for no value; a list of words of its own goes before the map's."""
        return "" if cell in self.loaded.content.missing and cell not in (values or {}) else cell

    def table(self, name: str) -> TextTable | None:
        if name not in self.files:
            content = self.loaded.content
            file, sheet = self.known[name]
            table, problems = read_table(
                self.folder / file, name, delimiter=content.delimiter, encoding=content.encoding, sheet=sheet
            )
            self.files[name] = table
            self.problems += problems
            self.warnings += [*self._outside(file), *(table.notes if table is not None else ())]
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
        found = self.meant(self._cell(source.elsewhere, source.column, cells), word_map(source.values))
        return found or next((cell for name in source.otherwise if (cell := self.meant(cells[name]))), "")

    def since(self, source: Source, cells: dict[str, str]) -> str:
        """The date of time zero that a source counts from; empty where there is none."""
        return self.meant(self._cell(source.since_elsewhere, str(source.since), cells))

    def _cell(self, elsewhere: Elsewhere | None, column: str, cells: dict[str, str]) -> str:
        if elsewhere is None:
            return cells[column]
        key = (id(elsewhere), column)
        if key not in self.joined:
            self.joined[key] = self._index(elsewhere, column)
        return self.joined[key].get(cells[elsewhere.match], "")

    def _index(self, elsewhere: Elsewhere, column: str) -> dict[str, str]:
        found: dict[str, str] = {}
        table = self.table(elsewhere.ref)
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
