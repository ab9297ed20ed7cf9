"""A document as a reader meets it, in no format: sections of paragraphs, tables, figures and notes.

    Document ── Section ── Section …
                   └── Paragraph | Bullets | KeyValues | Verbatim | Table | FigureBlock | Callout | Listing | Courses

Everything is frozen and valid by construction: ids are unique, links lead somewhere, rows fit their columns.
Writers (HTML first) only read it. A ValueError here is a mistake of the program that wrote the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from equipoise.documents.courses import Courses
from equipoise.documents.drawings import Drawing
from equipoise.documents.runs import Code, Link, Missing, Reference, Text, flattened, plain

Align = Literal["left", "right", "centre"]
CalloutKind = Literal["info", "warning", "good", "alert"]
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: Text


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, numbered where the order matters."""

    items: tuple[Text, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Short facts, each a term and what it is."""

    items: tuple[tuple[Text, Text], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines as they stand, in letters of one width: formulas, and what a machine reads."""

    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: header, unit under it, alignment, and the heading that it shares with its neighbours."""

    header: Text
    unit: str = ""
    align: Align = "left"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell; `result_id` is the result behind all of it, `strong` sets it in bold."""

    text: Text
    result_id: str | None = None
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; its first cell names it.

    indent:    0 to 3 steps to the right, for the categories of a variable.
    group:     the heading that it stands under, with its neighbours of the same group.
    result_id: the result that this row gives in full; numbers elsewhere with this id lead here.
    """

    cells: tuple[Cell, ...]
    indent: int = 0
    group: str = ""
    result_id: str | None = None


def row(*cells: Cell | Text, indent: int = 0, group: str = "", result_id: str | None = None) -> Row:
    """A row from cells or plain text."""
    return Row(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in cells), indent, group, result_id)


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its title says what it holds. A row has a cell for each column, or one cell that spans them all."""

    id: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Text, ...] = ()
    _reasons: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for item in self.rows:
            if len(item.cells) not in (1, len(self.columns)):
                raise ValueError(f"table {self.id!r}: {len(item.cells)} cells for {len(self.columns)} columns")
        cells = (cell for item in self.rows for cell in item.cells)
        missing = (run for cell in cells for run in flattened(cell.text) if isinstance(run, Missing))
        reasons = dict.fromkeys(run.reason for run in missing if run.reason)
        object.__setattr__(self, "_reasons", tuple(reasons))  # asked for by every row of a long table

    def reasons(self) -> tuple[str, ...]:
        """Why numbers are missing, each reason once, in the order in which a reader meets them."""
        return self._reasons


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """A figure.

    title: says what is seen, not what was plotted.
    alt:   one or more sentences for those who cannot see it.
    table: the numbers behind it; None takes them from the drawing.
    """

    id: str
    title: Text
    drawing: Drawing
    alt: str
    table: Table | None = None
    notes: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if " " not in self.alt.strip() or not self.alt.rstrip().endswith((".", "!", "?")):
            raise ValueError(f"figure {self.id!r}: the alternative text is a sentence, not {self.alt!r}")


@dataclass(frozen=True, slots=True)
class Callout:
    """A note that stands out. The kinds are told apart by word and edge, not by colour alone."""

    kind: CalloutKind
    title: Text
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """Long material that a reader opens when wanted, and that is printed open.

    filtered: whether a screen offers to filter the rows of its table.
    """

    id: str
    title: Text
    blocks: tuple[Block, ...]
    filtered: bool = False


Block = Paragraph | Bullets | KeyValues | Verbatim | Table | FigureBlock | Callout | Listing | Courses


@dataclass(frozen=True, slots=True)
class Section:
    """A section; its level is its depth in the document."""

    id: str
    title: Text
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The words that a writer adds itself, in the document's language."""

    contents: str = "Contents"
    skip: str = "Skip to the text"
    table: str = "Table"
    figure: str = "Figure"
    numbers: str = "The numbers behind"
    info: str = "Note"
    warning: str = "Take care"
    good: str = "Good"
    alert: str = "Alert"
    outcome: str = "Outcome"
    participant: str = "Participant"
    nobody: str = "none chosen"
    shown: str = "Shown"
    hint: str = "Point at a line or use the arrow keys: up and down for participants, left and right for visits."
    means: str = "Thick lines: means."
    courses: str = "The numbers behind this view"
    day: str = "day"
    missing: str = "no value"
    log: str = "log scale"
    elsewhere: str = "is in the HTML report, where an outcome and a participant can be chosen."
    filters: str = "Filter the rows"
    search: str = "Words anywhere"
    any: str = "any"
    reset: str = "Show all"
    count: str = "{shown} of {all} rows shown"
    page: str = "Page"
    of: str = "of"


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document.

    banner:   words that stand at the top, on every printed page and in every figure (as 'SIMULATED DATA'), or None.
    meta:     facts of the title page (as protocol, date, digests).
    summary:  blocks between the title and the first section.
    language: BCP 47 tag.
    """

    title: str
    sections: tuple[Section, ...]
    subtitle: str = ""
    banner: str | None = None
    meta: tuple[tuple[Text, Text], ...] = ()
    summary: tuple[Block, ...] = ()
    language: str = "en"
    footer: tuple[Text, ...] = ()
    words: Words = field(default_factory=Words)

    def __post_init__(self) -> None:
        ids = [item.id for item in (*walk_sections(self.sections), *self.named_blocks())]
        results = [item.result_id for table in self.tables() for item in table.rows if item.result_id]
        _check_ids(ids, results)
        _check_targets(self, set(ids))

    def blocks(self) -> Iterator[Block]:
        """Every block, in reading order, those inside callouts and listings included."""
        yield from walk_blocks(self.summary)
        for section in walk_sections(self.sections):
            yield from walk_blocks(section.blocks)

    def named_blocks(self) -> Iterator[Table | FigureBlock | Listing | Courses]:
        """Every block that has an id, in reading order."""
        return (block for block in self.blocks() if isinstance(block, Table | FigureBlock | Listing | Courses))

    def tables(self) -> Iterator[Table]:
        """Every table, in reading order."""
        return (block for block in self.blocks() if isinstance(block, Table))

    def figures(self) -> Iterator[FigureBlock]:
        """Every figure, in reading order."""
        return (block for block in self.blocks() if isinstance(block, FigureBlock))

    def labels(self) -> dict[str, str]:
        """The label of each table and figure by its id, as 'Table 2', numbered in reading order."""
        tables = {item.id: f"{self.words.table} {i}" for i, item in enumerate(self.tables(), 1)}
        return tables | {item.id: f"{self.words.figure} {i}" for i, item in enumerate(self.figures(), 1)}


def walk_sections(sections: tuple[Section, ...]) -> Iterator[Section]:
    """Every section, outer before inner."""
    for section in sections:
        yield section
        yield from walk_sections(section.sections)


def walk_blocks(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Every block, outer before inner; the table behind a figure belongs to the figure and is not a block."""
    for block in blocks:
        yield block
        if isinstance(block, Callout | Listing):
            yield from walk_blocks(block.blocks)


def texts(block: Block) -> Iterator[Text]:
    """Every text of a block, those of blocks inside it left out."""
    match block:
        case Paragraph():
            yield block.text
        case Bullets():
            yield from block.items
        case KeyValues():
            yield from (text for item in block.items for text in item)
        case Table():
            yield from (block.title, *(column.header for column in block.columns), *block.notes)
            yield from (cell.text for item in block.rows for cell in item.cells)
        case FigureBlock():
            yield from (block.title, *block.notes, *(texts(block.table) if block.table is not None else ()))
        case Callout() | Listing():
            yield block.title
        case Verbatim():
            yield Code(block.text)
        case Courses():
            yield from (block.title, *block.notes)


def _check_ids(ids: list[str], results: list[str]) -> None:
    wrong = [item for item in ids if not _ID.fullmatch(item)]
    wrong += [item for item in results if re.search(r"\s", item)]
    if wrong:
        raise ValueError(f"these cannot be ids in a document: {', '.join(wrong)}")
    twice = sorted({item for group in (ids, results) for item in group if group.count(item) > 1})
    if twice:
        raise ValueError(f"these ids stand twice in a document: {', '.join(twice)}")


def _check_targets(document: Document, ids: set[str]) -> None:
    labelled = document.labels()
    outside = [section.title for section in walk_sections(document.sections)]
    outside += [text for item in document.meta for text in item] + list(document.footer)
    for text in (*outside, *(text for block in document.blocks() for text in texts(block))):
        for run in flattened(text):
            if isinstance(run, Reference) and run.target not in labelled:
                raise ValueError(f"a reference to {run.target!r}, which is no table or figure")
            if isinstance(run, Link) and run.target.startswith("#") and run.target[1:] not in ids:
                raise ValueError(f"the link {plain(run.text)!r} leads to {run.target}, which is not in the document")
