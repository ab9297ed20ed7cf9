"""What the templates ask about a document: where numbers lead, how a table's head is built, the pictures, the style."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from equipoise.documents import palette
from equipoise.documents.courses import Courses
from equipoise.documents.figure_tables import behind
from equipoise.documents.figures import Width, draw
from equipoise.documents.model import Column, Document, FigureBlock, Listing, Row, Table

_HERE = Path(__file__).parent
_LEFTWARDS = frozenset({"ar", "ckb", "fa", "he", "ps", "ur"})
_COLOURS = ("ACTIVE", "PLACEBO", "INK", "MUTED", "RULE", "PAPER", "ALERT", "GOOD")


class Page:
    """One document on its way into a page."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.labels = document.labels()
        self.results = frozenset(row.result_id for table in document.tables() for row in table.rows if row.result_id)

    @property
    def leftwards(self) -> bool:
        """Whether the document's language is written from right to left."""
        return self.document.language.split("-")[0].lower() in _LEFTWARDS

    def href(self, result_id: str | None, here: str | None = None) -> str | None:
        """Where a number leads: to the row of its result, unless none has it or this is that row."""
        if result_id is None or result_id == here or result_id not in self.results:
            return None
        return "#" + quote(f"result:{result_id}", safe="/:-_.~")

    def picture(self, figure: FigureBlock, width: Width) -> Markup:
        """A drawing as inline SVG, its ids the page's own."""
        from equipoise.documents.figures.svg import prefixed

        svg = draw(figure.drawing, width, mark=self.document.banner)
        return Markup(prefixed(svg, f"{width}:{figure.id}", figure.alt, width))  # noqa: S704  # serialised XML, every text in it escaped

    def behind(self, figure: FigureBlock) -> Table:
        """The numbers behind a figure."""
        return behind(figure)

    def style(self) -> Markup:
        """The style sheet; colours from the palette, the banner and page numbers for the margins of printed pages."""
        colours = "".join(f"--{name.lower()}:{getattr(palette, name)};" for name in _COLOURS)
        words = self.document.words
        margins = (
            f'@page{{@bottom-right{{content:"{_css(words.page)} " counter(page) " {_css(words.of)} " counter(pages)}}'
        )
        margins += f'@bottom-left{{content:"{_css(self.document.title)}"}}'
        if self.document.banner:
            margins += f'@top-center{{content:"{_css(self.document.banner)}"}}'
        return Markup(f":root{{{colours}}}\n{(_HERE / 'page.css').read_text(encoding='utf-8')}{margins}}}\n")  # noqa: S704  our own style sheet; texts pass `_css`

    def script(self) -> Markup:
        """What opens folded parts, and, where the document has them, draws courses and filters; all reads without."""
        blocks = list(self.document.blocks())
        names = ["page"]
        names += ["courses"] if any(isinstance(block, Courses) for block in blocks) else []
        names += ["filter"] if any(isinstance(block, Listing) and block.filtered for block in blocks) else []
        return Markup("".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in names))  # noqa: S704  our own scripts, no text from outside

    def courses(self, item: Courses) -> Markup:
        """The data of a view, as JSON that no text in it can end."""
        words = self.document.words
        named = ("outcome", "participant", "nobody", "shown", "hint", "means", "day", "missing", "log")
        groups = [
            {"label": style.label, "colour": look.colour, "dashes": look.dashes}
            for style, look in zip(item.groups, palette.looks(item.groups), strict=True)
        ]
        outcomes = [
            {
                "label": one.label,
                "unit": one.unit,
                "log": one.log,
                "visits": one.visits,
                "places": one.places,
                "means": one.means,
                "people": [(person.who, person.group, person.values, person.days) for person in one.people],
            }
            for one in item.outcomes
        ]
        told = {name: getattr(words, name) for name in named} | {"numbers": words.courses}
        text = json.dumps({"words": told, "groups": groups, "outcomes": outcomes}, separators=(",", ":"))
        return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704  ASCII without markup

    def filter_words(self) -> str:
        """The words of the filters above a listing, as JSON."""
        words = self.document.words
        named = ("search", "any", "reset", "count")
        return json.dumps({name: getattr(words, name) for name in named} | {"label": words.filters})


def _css(text: str) -> str:
    """A text inside a quoted string of a style sheet: every character but plain letters and digits by its number."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


def kind(item: object) -> str:
    """The name of a run's or block's type, by which the templates choose."""
    return type(item).__name__


def letter(index: int) -> str:
    """a, b … z, aa, ab …: the mark of a note."""
    return (letter(index // 26 - 1) if index >= 26 else "") + "abcdefghijklmnopqrstuvwxyz"[index % 26]


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A cell of a table's head, and how many columns and rows it spans."""

    column: Column
    text: str | None
    columns: int = 1
    rows: int = 1


def head_of(table: Table) -> tuple[tuple[HeadCell, ...], ...]:
    """The rows of a table's head: one, or two where columns share headings; a shared heading has a text of its own."""
    if not any(column.group for column in table.columns):
        return (tuple(HeadCell(column, None) for column in table.columns),)
    upper: list[HeadCell] = []
    lower: list[HeadCell] = []
    for name, group in groupby(table.columns, key=lambda column: column.group):
        columns = list(group)
        if name:
            upper.append(HeadCell(columns[0], name, columns=len(columns)))
            lower += [HeadCell(column, None) for column in columns]
        else:
            upper += [HeadCell(column, None, rows=2) for column in columns]
    return tuple(upper), tuple(lower)


def groups_of(table: Table) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """The rows of a table under their headings."""
    return tuple((name, tuple(rows)) for name, rows in groupby(table.rows, key=lambda row: row.group))
