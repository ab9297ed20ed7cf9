"""A document's text in WordprocessingML, block by block, upright pages and pages on their side in turn."""

from __future__ import annotations

from equipoise.documents import paper
from equipoise.documents.courses import Courses
from equipoise.documents.docx.pictures import Picture, inline
from equipoise.documents.docx.tables import table_of
from equipoise.documents.docx.words import CLOSED, Face, Words, field, opened, paragraph, run, twips
from equipoise.documents.figure_tables import behind
from equipoise.documents.html.view import letter
from equipoise.documents.model import (
    Block,
    Bullets,
    Callout,
    Document,
    FigureBlock,
    KeyValues,
    Listing,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from equipoise.documents.palette import ALERT, GOOD, INK, MUTED
from equipoise.documents.paper import Piece
from equipoise.documents.runs import Text

_EDGES = {"info": (MUTED, 24), "warning": (INK, 40), "good": (GOOD, 24), "alert": (ALERT, 40)}
_INSET = 12.0
_DEEPEST = 6
_BULLETS = 1
_BEHIND = "behind"
_BREAK = '<w:p><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>{}</w:pPr></w:p>'


class Body:
    """One document on its way into Word's text."""

    def __init__(self, document: Document, words: Words, pictures: dict[str, Picture], *, bannered: bool) -> None:
        self.document = document
        self.words = words
        self.ordered = 0
        self._pictures = pictures
        self._order = {figure.id: number for number, figure in enumerate(document.figures(), 1)}
        self._bannered = bannered

    def whole(self) -> str:
        """The body's content, down to the properties of its last section."""
        pieces = [Piece(text) for text in self._front()]
        for block in self.document.summary:
            pieces += self._block(block, paper.UPRIGHT)
        for section in self.document.sections:
            pieces += self._section(section, 1)
        pieces += self._behind()
        pieces += [Piece(paragraph(self.words.text(line), "Note")) for line in self.document.footer]
        parts: list[str] = []
        stretches = paper.stretches(pieces)
        for number, (lying, texts) in enumerate(stretches, 1):
            parts += texts
            last = number == len(stretches)
            end = self._end(lying=lying)
            parts.append(end if last else _BREAK.format(end))
        return "".join(parts)

    def _end(self, *, lying: bool) -> str:
        """The properties of a stretch of pages."""
        wide, high = (paper.LONG, paper.SHORT) if lying else (paper.SHORT, paper.LONG)
        turned = ' w:orient="landscape"' if lying else ""
        head = '<w:headerReference w:type="default" r:id="header"/>' if self._bannered else ""
        return (
            f'<w:sectPr>{head}<w:footerReference w:type="default" r:id="footer"/>'
            f'<w:pgSz w:w="{twips(wide)}" w:h="{twips(high)}"{turned}/>'
            f'<w:pgMar w:top="{twips(paper.TOP)}" w:right="{twips(paper.SIDE)}" w:bottom="{twips(paper.BOTTOM)}" '
            f'w:left="{twips(paper.SIDE)}" w:header="480" w:footer="400" w:gutter="0"/></w:sectPr>'
        )

    def _front(self) -> list[str]:
        document = self.document
        parts = [paragraph(run(document.title), "Title")]
        if document.subtitle:
            parts.append(paragraph(run(document.subtitle), "Subtitle"))
        if document.meta:
            parts.append(self._facts(document.meta, paper.UPRIGHT))
        if document.sections:
            parts.append(paragraph(run(document.words.contents), "ContentsHeading"))
            parts += [*self._contents(), paragraph("", "Note")]
        return parts

    def _contents(self) -> list[str]:
        """The contents as Word makes them itself; it fills in the pages when its fields are updated or printed."""
        shown: list[tuple[int, str, Text]] = []
        for section in self.document.sections:
            shown.append((1, f"id:{section.id}", section.title))
            shown += [(2, f"id:{inner.id}", inner.title) for inner in section.sections]
        if behind_title := self._behind_title():
            shown.append((1, _BEHIND, behind_title))
        lines: list[str] = []
        for index, (level, name, title) in enumerate(shown):
            page = "<w:r><w:tab/></w:r>" + field(f"PAGEREF {self.words.mark(name)} \\h", "")
            content = self.words.to(name, self.words.bare(title)) + page
            if index == 0:
                content = opened('TOC \\o "1-2" \\h \\z \\u') + content
            if index == len(shown) - 1:
                content += CLOSED
            lines.append(paragraph(content, f"TOC{level}"))
        return lines

    def _section(self, section: Section, level: int) -> list[Piece]:
        content = self.words.place(f"id:{section.id}") + self.words.text(section.title)
        pieces = [Piece(paragraph(content, f"Heading{min(level, _DEEPEST)}"), None)]
        for block in section.blocks:
            pieces += self._block(block, paper.UPRIGHT)
        for inner in section.sections:
            pieces += self._section(inner, level + 1)
        return pieces

    def _block(self, block: Block, room: float, *, turn: bool = True) -> list[Piece]:
        """A block; `turn` says whether a wide table may lie on a page of its own."""
        if isinstance(block, Courses):
            block = Paragraph(f"{block.title} {self.document.words.elsewhere}")
        match block:
            case Table():
                label = self.words.labels[block.id]
                return [self._table(block, f"id:{block.id}", label, room, turn=turn, counted=True)]
            case Listing():
                title = self.words.place(f"id:{block.id}") + self.words.text(block.title)
                inner = [piece for item in block.blocks for piece in self._block(item, room, turn=turn)]
                return [Piece(paragraph(title, "ListingTitle"), None), *inner]
            case Paragraph():
                return [Piece(paragraph(self.words.text(block.text)))]
            case Bullets():
                return [Piece(self._bullets(block))]
            case KeyValues():
                return [Piece(self._facts(block.items, room))]
            case Verbatim():
                lines = (run(line, Face(code=True)) for line in paper.kept(block.text))
                return [Piece(paragraph("<w:r><w:br/></w:r>".join(lines), indent=_INSET))]
            case FigureBlock():
                return [Piece(self._figure(block, room))]
            case Callout():
                return [Piece(self._callout(block, room))]

    def _bullets(self, block: Bullets) -> str:
        self.ordered += block.ordered
        number = 1 + self.ordered if block.ordered else _BULLETS
        return "".join(paragraph(self.words.text(item), "ListParagraph", number=number) for item in block.items)

    def _facts(self, items: tuple[tuple[Text, Text], ...], room: float) -> str:
        """Terms beside their facts, as a grid without lines."""
        widths = (twips(0.3 * room), twips(0.7 * room))
        rows = ""
        for term, fact in items:
            cells = (self.words.text(term, Face(colour=MUTED[1:])), self.words.text(fact))
            rows += "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
            for width, content in zip(widths, cells, strict=True):
                inside = paragraph(content, "TableText")
                rows += f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{inside}</w:tc>'
            rows += "</w:tr>"
        return _grid(widths, rows) + paragraph("", "Note")

    def _callout(self, block: Callout, room: float) -> str:
        """A cell with a thick edge; the edge and the word tell the kinds apart, not the colour alone."""
        colour, thick = _EDGES[block.kind]
        word = run(getattr(self.document.words, block.kind), Face(colour=colour[1:]))
        inside = [paragraph(word, "CalloutKind"), paragraph(self.words.text(block.title), "CalloutTitle")]
        for item in block.blocks:
            inside += [piece.text for piece in self._block(item, room - _INSET, turn=False)]
        width = twips(room)
        edge = f'<w:tcBorders><w:left w:val="single" w:sz="{thick}" w:space="0" w:color="{colour[1:]}"/></w:tcBorders>'
        closing = "" if inside[-1].endswith("</w:p>") else paragraph("", "Note")
        cell = f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{edge}</w:tcPr>{"".join(inside)}{closing}</w:tc>'
        space = paragraph("", "Note")
        return space + _grid((width,), f"<w:tr>{cell}</w:tr>", twips(_INSET)) + space

    def _figure(self, block: FigureBlock, room: float) -> str:
        number = self._order[block.id]
        caption = self._caption(f"id:{block.id}", self.words.labels[block.id], block.title, "Figure")
        picture = inline(block, self._pictures[block.id], number, room)
        notes = [paragraph(self.words.text(note), "Note") for note in block.notes]
        return caption + paragraph(picture, "Normal", keep=bool(notes)) + "".join(notes)

    def _caption(self, name: str, label: str, title: Text, counter: str) -> str:
        """A caption; Word counts on by the named counter, so that it can list all tables or figures."""
        words, _, number = label.rpartition(" ")
        counted = run(words + " ") + field(f"SEQ {counter} \\* ARABIC", number) if counter else run(label)
        return paragraph(self.words.place(name) + counted + run(". ") + self.words.text(title), "Caption")

    def _table(self, table: Table, name: str, label: str, room: float, *, turn: bool, counted: bool) -> Piece:
        """A table between its caption and its notes; only a counted one has rows that numbers lead to."""
        plan = paper.layout(table, room=room, turn=turn)
        caption = self._caption(name, label, table.title, "Table" if counted else "")
        whole = table_of(table, self.words, plan, anchored=counted, together=plan.height <= paper.KEPT)
        notes = [
            paragraph(run(letter(i), Face(raised=True)) + run(f" {reason}"), "Note")
            for i, reason in enumerate(table.reasons())
        ]
        notes += [paragraph(self.words.text(note), "Note") for note in table.notes]
        # Two tables without a paragraph between them would become one.
        return Piece(caption + whole + ("".join(notes) or paragraph("", "Note")), plan.lying)

    def _behind(self) -> list[Piece]:
        """The numbers behind every figure, at the end, where they do not come between the pictures."""
        title = self._behind_title()
        if not title:
            return []
        pieces = [Piece(paragraph(self.words.place(_BEHIND) + run(title), "Heading1"), None)]
        for figure in self.document.figures():
            label = f"{self.document.words.numbers} {self.words.labels[figure.id]}"
            name = f"numbers:{figure.id}"
            pieces.append(self._table(behind(figure), name, label, paper.UPRIGHT, turn=True, counted=False))
        return pieces

    def _behind_title(self) -> str:
        labels = [self.words.labels[figure.id] for figure in self.document.figures()]
        span = labels if len(labels) < 2 else [f"{labels[0]} – {labels[-1]}"]
        return " ".join((self.document.words.numbers, *span)) if labels else ""


def _grid(widths: tuple[int, ...], rows: str, inset: int = 0) -> str:
    columns = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/><w:tblCellMar>'
        f'<w:left w:w="{inset}" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>"
    )
