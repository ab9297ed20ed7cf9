"""The import map: which files hold which tables, and the few verbs that turn their columns into ours."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field

from equipoise.errors import InputError, Problem
from equipoise.protocol.schema.base import Part, Text, read_only
from equipoise.protocol.schema_errors import validated
from equipoise.records.classes import BY_NAME
from equipoise.records.importing.convert import DateOrder
from equipoise.source.digest import digest_of_data
from equipoise.source.document import Document, read_document
from equipoise.source.paths import Step

TextMap = Annotated[dict[str, Text], AfterValidator(read_only)]
WordMap = Annotated[dict[str, str], AfterValidator(read_only)]
"""Word in the file -> our word; an empty one says that there is no value."""
WordList = WordMap | Text
"""Words and their translations, or the name of such a list under `words` of the map."""
Words = Annotated[tuple[str, ...], Field(min_length=1)]
Filter = Annotated[dict[str, Words], AfterValidator(read_only)]
"""Column of the file -> the words of which one must stand there; rows with another are not read."""
TableName = Literal["participants", "visits", "findings", "events", "interventions", "lots", "supplied"]


class OfAFile(Part):
    """Something that is read from a file: CSV, Parquet or an Excel workbook, by its name."""

    file: Text
    sheet: Text | None = None
    """The sheet of a workbook, by its name; the first where nothing is said."""

    @property
    def ref(self) -> str:
        """The file, with its sheet where one is named."""
        return reference(self.file, self.sheet)


def reference(file: str, sheet: str | None) -> str:
    """How problems, places of rows and previews name a file and its sheet: ``people.xlsx!Visits``."""
    return file if sheet is None else f"{file}!{sheet}"


class Elsewhere(OfAFile):
    """A row of another file that belongs to the same person or thing."""

    match: Text
    """The column, of this name in both files, in which both rows say the same. At most one row of the other may."""
    where: Filter = Field(default_factory=dict, validate_default=True)


class Source(Part):
    """Where a value comes from: rename a column, translate its words (`values`), count its days (`day`)."""

    column: Text
    elsewhere: Elsewhere | None = None
    """The column stands in another file; without a row there, the cell is empty."""
    values: WordList | None = None
    """Word in the file -> our word (empty: no value); a word that is not listed is a problem. Where all are empty, and
    the column is of numbers or days, the list says which words mean no value, and numbers and days stay as they are."""
    others: Text | None = None
    """Our word for all words that `values` does not list."""
    day: Literal["elapsed", "study-day", "date", "entry-date"] | None = None
    """elapsed: day 0 is time zero. study-day: day 1 is time zero and there is no day 0. date: a calendar date,
    whose time of day is not read. entry-date: for `entry_day` only, the calendar date of the participant's day 0; days
    are counted from the earliest of all participants."""
    otherwise: tuple[Text, ...] = ()
    """For entry-date: columns of the same file that are read where it is empty: the date of consent, then of first
    contact."""
    since: Text | None = None
    """For date: the column with the date of the participant's time zero."""
    since_elsewhere: Elsewhere | None = None
    """Where that column stands in another file."""
    partial: Literal["first", "last"] | None = None
    """For date: an incomplete one (2014-03, 2014) is taken as its first or last possible day; else it is refused."""
    optional: bool = False
    """Whether a cell may be empty although our column needs a value; the row is then left out."""


class Unpivot(Part):
    """A column that becomes rows of its own: its cells are the results."""

    column: Text
    set: TextMap
    """Our columns that are the same in each of these rows (test, unit, minute, parameter)."""
    values: WordList | None = None
    """Word in the file -> result; a word with an empty one makes no row, a word that is not listed is a problem. Where
    all are empty or limits (``<0.05``), numbers and limits stay as they are."""


class FileMap(OfAFile):
    """How one file becomes rows of one table. A file may be read into several tables."""

    table: TableName
    where: Filter = Field(default_factory=dict, validate_default=True)
    """Which rows are read; all where nothing is said."""
    columns: Annotated[dict[str, Source], AfterValidator(read_only)]
    """Our column -> where its value comes from."""
    constants: TextMap = Field(default_factory=dict, validate_default=True)
    """Our column -> the same word in every row."""
    unpivot: tuple[Unpivot, ...] = ()


class AllocationMap(OfAFile):
    """Where the arms stand, and what is known of the allocation list."""

    participant: Source
    arm: Source
    sequence: Source | None = None
    """Number in the list of the stratum, from 1; slots that nobody entered are left out."""
    stratum: Source | None = None
    """Ids of the levels, in the protocol's order of strata, joined by ``/``."""
    block: Source | None = None
    """Number of the block within the stratum, from 1."""
    block_size: Source | None = None
    """Size of the whole block, of the broken last too."""
    where: Filter = Field(default_factory=dict, validate_default=True)


class RedcapProject(Part):
    """A REDCap project whose records file the entries of the map read."""

    dictionary: Text
    """The data dictionary, CSV."""
    records: Text
    """The records, CSV, raw or labelled, with variable names as headers."""
    missing: tuple[Text, ...] = ()
    """The project's codes for missing data, as ``-999``; such cells are empty."""


class ImportMap(Part):
    """A map of a finished trial's files."""

    schema_: Literal["equipoise/import-map/1"] = Field(alias="schema")
    delimiter: Literal[",", ";", "\t"] = ","
    encoding: Literal["utf-8", "latin-1", "windows-1252", "utf-16"] = "utf-8"
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers that are text; typed numbers of Parquet files and workbooks need none."""
    dates: DateOrder = "year-month-day"
    """The order of dates that are text; a date that begins with its year is read in every map."""
    missing: tuple[Text, ...] = ()
    """Words that mean no value in every column, as ``NA`` and ``.``; a column's own `values` go before them."""
    words: Annotated[dict[str, WordMap], AfterValidator(read_only)] = Field(default_factory=dict, validate_default=True)
    """Lists of words by name, which `values` may name."""
    files: Annotated[tuple[FileMap, ...], Field(min_length=1)]
    allocation: AllocationMap | None = None
    collected: tuple[Text, ...] = ()
    """Assessments that were asked for, whether or not they have rows: "none" is told from "not recorded" by it."""
    redcap: RedcapProject | None = None


def _others(document: Document, steps: tuple[Step, ...], entry: FileMap) -> Iterator[Problem]:
    for name, source in entry.columns.items():
        if source.others is not None and source.values is None:
            message = "`others` is the word for what `values` does not list, and there is no such list"
            yield document.problem(
                (*steps, "columns", name), "map-others", message, "List the known words in `values`."
            )


def _entry_dates(document: Document, steps: tuple[Step, ...], entry: FileMap) -> Iterator[Problem]:
    for name, source in entry.columns.items():
        if source.day == "entry-date" and (name != "entry_day" or source.elsewhere is not None):
            message = "a date of entry becomes the column entry_day of participants, and is a column of the same file"
            yield document.problem((*steps, "columns", name), "map-entry", message, "Read it into entry_day.")
        elif source.otherwise and source.day != "entry-date":
            message = "only a date of entry has columns that are read where it is empty"
            yield document.problem((*steps, "columns", name), "map-entry", message, "Leave `otherwise` out.")


def _dates(document: Document, steps: tuple[Step, ...], entry: FileMap) -> Iterator[Problem]:
    for name, source in entry.columns.items():
        at = (*steps, "columns", name)
        if (source.day == "date") != (source.since is not None):
            message = "a day that is counted from dates needs the column of time zero, and no other day takes one"
            yield document.problem(at, "map-since", message, "Give `since` for `day: date` only.")
        elif source.day != "date" and (source.partial is not None or source.since_elsewhere is not None):
            message = "only a day that is counted from dates has a time zero elsewhere or incomplete dates"
            yield document.problem(at, "map-since", message, "Leave it out, or say `day: date`.")


class LoadedMap:
    """An import map with the document it was read from."""

    def __init__(self, path: Path, document: Document, content: ImportMap) -> None:
        self.path = path
        self.document = document
        self.content = content
        self.digest = digest_of_data(document.data)


def find_map(protocol_id: str, given: Path | None) -> Path:
    """The map that was given, else the shipped map named like the protocol; raises InputError without either."""
    if given is not None:
        return given
    shipped = Path(str(files("equipoise.records") / "maps" / f"{protocol_id}.yaml"))
    if not shipped.is_file():
        raise InputError(f"no import map comes with the protocol {protocol_id!r}: give one with --map")
    return shipped


def load_map(path: Path) -> LoadedMap:
    """Load and check an import map; raises InputError with every problem."""
    document = read_document(path)
    content = validated(ImportMap, document, what="import map")
    problems = list(_unknown_words(document, content))
    for index, entry in enumerate(content.files):
        known = BY_NAME[entry.table].schema
        steps = ("files", index)
        problems += [*_dates(document, steps, entry), *_others(document, steps, entry)]
        problems += _entry_dates(document, steps, entry)
        named = [(("columns", name), name) for name in entry.columns]
        named += [(("constants", name), name) for name in entry.constants]
        named += [(("unpivot", i, "set", name), name) for i, item in enumerate(entry.unpivot) for name in item.set]
        for inner, name in named:
            if name not in known:
                remedy = f"The columns of {entry.table} are {', '.join(known)}."
                message = f"the table {entry.table} has no column {name!r}"
                problems.append(document.problem((*steps, *inner), "map-column", message, remedy))
        if bool(entry.unpivot) != (entry.table in ("findings", "supplied")):
            message = "findings and supplied values are read by unpivot, and no other table is"
            problems.append(
                document.problem((*steps, "table"), "map-unpivot", message, "Correct the entry.", entry.table)
            )
    if problems:
        raise InputError(f"{path} is not a meaningful import map", problems)
    return LoadedMap(path, document, _with_words(content))


_WithValues = TypeVar("_WithValues", Source, Unpivot)


def _sources(content: ImportMap) -> Iterator[tuple[tuple[Step, ...], Source | Unpivot]]:
    """Everything in a map that may have `values`, with its place."""
    for index, entry in enumerate(content.files):
        yield from ((("files", index, "columns", name), source) for name, source in entry.columns.items())
        yield from ((("files", index, "unpivot", place), item) for place, item in enumerate(entry.unpivot))
    if content.allocation is not None:
        for name in AllocationMap.model_fields:
            if isinstance(source := getattr(content.allocation, name), Source):
                yield ("allocation", name), source


def _unknown_words(document: Document, content: ImportMap) -> Iterator[Problem]:
    for steps, source in _sources(content):
        if isinstance(source.values, str) and source.values not in content.words:
            message, remedy = (
                "the map has no list of words of this name",
                f"Known: {', '.join(content.words) or 'none'}.",
            )
            yield document.problem((*steps, "values"), "map-words", message, remedy, source.values)


def _with_words(content: ImportMap) -> ImportMap:
    """The map with its shared lists of words in the place of their names."""

    def listed(source: _WithValues) -> _WithValues:
        known = content.words.get(source.values) if isinstance(source.values, str) else source.values
        return source.model_copy(update={"values": known})

    entries = tuple(
        entry.model_copy(
            update={
                "columns": read_only({name: listed(source) for name, source in entry.columns.items()}),
                "unpivot": tuple(map(listed, entry.unpivot)),
            }
        )
        for entry in content.files
    )
    arms = content.allocation
    if arms is not None:
        given = {name: getattr(arms, name) for name in AllocationMap.model_fields}
        changed = {name: listed(source) for name, source in given.items() if isinstance(source, Source)}
        arms = arms.model_copy(update=changed)
    return content.model_copy(update={"files": entries, "allocation": arms})


def word_map(values: WordList | None) -> WordMap | None:
    """The words of a loaded map, in which no list is named any more."""
    return None if isinstance(values, str) else values
