"""A document in typst's language, block by block."""

from __future__ import annotations

import re
from pathlib import Path

from equipoise.documents import paper
from equipoise.documents.courses import Courses
from equipoise.documents.figure_tables import behind
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
from equipoise.documents.paper import Piece
from equipoise.documents.pdf.tables import table_of
from equipoise.documents.pdf.words import Setting, Words, block_of
from equipoise.documents.runs import Text
from equipoise.documents.typesetting import quoted, svg_of

_PAGE = Path(__file__).with_name("page.typ")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}))?(?:-.*)?")
_INSET = 12.0


def source(document: Document) -> str:
    """The whole document as one file of typst's language, pictures included; equal documents give equal text."""
    return _Writer(document).whole()


class _Writer:
    """One document on its way into typst's language."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words = Words(document)

    def whole(self) -> str:
        document = self.document
        parts = [self._set_up(), "look({", f"title-block({quoted(document.title)}, {quoted(document.subtitle)})"]
        if document.meta:
            parts.append(self._facts(document.meta, paper.UPRIGHT))
        if document.sections:
            parts.append(f"outline(title: {quoted(document.words.contents)}, depth: 2)")
        pieces = [piece for block in document.summary for piece in self._pieces(block, paper.UPRIGHT)]
        pieces += [piece for section in document.sections for piece in self._section(section, 1)]
        for lying, texts in paper.stretches([*pieces, *self._behind()]):
            parts += [f"page(flipped: true, {block_of(texts)})"] if lying else texts
        if document.footer:
            parts.append("line(length: 100%, stroke: 0.5pt + rule)")
            parts += [f"note({self.words.text(line, Setting(size=7.5))})" for line in document.footer]
        return _PAGE.read_text(encoding="utf-8") + "#{\n" + "\n".join([*parts, "})"]) + "\n}\n"

    def _set_up(self) -> str:
        document, words = self.document, self.document.words
        title = f"{document.title} ({document.banner})" if document.banner else document.title
        matched = _TAG.fullmatch(document.language)
        language, region = (matched[1].lower(), matched[2]) if matched else ("en", None)
        place = f", region: {quoted(region.lower())}" if region else ""
        header = f"banner({quoted(document.banner)})" if document.banner else "none"
        keywords = f"({quoted(document.banner)},)" if document.banner else "()"
        return "\n".join(
            [
                f'set document(title: {quoted(title)}, author: "equipoise", keywords: {keywords}, date: none)',
                f"set text(lang: {quoted(language)}{place})",
                f"set page(width: {paper.SHORT}pt, height: {paper.LONG}pt,",
                f"  margin: (x: {paper.SIDE}pt, top: {paper.TOP}pt, bottom: {paper.BOTTOM}pt), header: {header},",
                f"  footer: foot({quoted(document.title)}, {quoted(words.page)}, {quoted(words.of)}))",
            ]
        )

    def _section(self, section: Section, level: int) -> list[Piece]:
        setting = Setting(size=15.0, bold=True)
        heading = f"heading(level: {level}, {self.words.text(section.title, setting)})"
        pieces = [Piece(f"[#{heading}#label({quoted('id:' + section.id)})]", None)]
        pieces += [piece for block in section.blocks for piece in self._pieces(block, paper.UPRIGHT)]
        return pieces + [piece for inner in section.sections for piece in self._section(inner, level + 1)]

    def _pieces(self, block: Block, room: float, *, turn: bool = True) -> list[Piece]:
        """A block; `turn` says whether a wide table may lie on a page of its own."""
        match block:
            case Table():
                label = self.words.labels[block.id]
                return [table_of(block, self.words, f"id:{block.id}", label, room=room, turn=turn)]
            case Listing():
                title = f"block(sticky: true, above: 14pt, strong({self.words.text(block.title, Setting(room))}))"
                inner = [piece for item in block.blocks for piece in self._pieces(item, room, turn=turn)]
                return [Piece(block_of([f"place-of({quoted('id:' + block.id)})", title]), None), *inner]
            case Courses():
                return [Piece(self._upright(Paragraph(f"{block.title} {self.document.words.elsewhere}"), room))]
            case _:
                return [Piece(self._upright(block, room))]

    def _upright(self, block: Paragraph | Bullets | KeyValues | Verbatim | FigureBlock | Callout, room: float) -> str:
        match block:
            case Paragraph():
                return f"par({self.words.text(block.text, Setting(room))})"
            case Bullets():
                items = ", ".join(self.words.text(item, Setting(room - 24.0)) for item in block.items)
                return f"{'enum' if block.ordered else 'list'}({items})"
            case KeyValues():
                return self._facts(block.items, room)
            case Verbatim():
                return f"verbatim({', '.join(map(quoted, paper.kept(block.text)))})"
            case FigureBlock():
                return self._figure(block, room)
            case Callout():
                return self._callout(block, room)

    def _facts(self, items: tuple[tuple[Text, Text], ...], room: float) -> str:
        narrow, wide = Setting(room * 0.3 - 10.0), Setting(room * 0.7 - 10.0)
        cells = [self.words.text(text, wide if i else narrow) for item in items for i, text in enumerate(item)]
        return f"facts({', '.join(cells)})"

    def _callout(self, block: Callout, room: float) -> str:
        inside = room - _INSET
        word = quoted(getattr(self.document.words, block.kind))
        title = self.words.text(block.title, Setting(inside, bold=True))
        body = block_of([piece.text for item in block.blocks for piece in self._pieces(item, inside, turn=False)])
        return f"callout({quoted(block.kind)}, {word}, {title}, {body})"

    def _figure(self, block: FigureBlock, room: float) -> str:
        svg, shape = svg_of(block.drawing, self.document.banner)
        width = paper.picture_width(room, shape)
        caption = f'{{{quoted(self.words.labels[block.id] + ".")}; " "; '
        caption += f"{self.words.text(block.title, Setting(room, bold=True))}}}"
        name, alt = quoted(f"id:{block.id}"), quoted(block.alt)
        picture = f"picture({name}, {caption}, {alt}, {quoted(svg)}, {width:.2f}pt)"
        return block_of([picture, *(f"note({self.words.text(note, Setting(room, 7.5))})" for note in block.notes)])

    def _behind(self) -> list[Piece]:
        """The numbers behind every figure, at the end, where they do not come between the pictures."""
        figures = list(self.document.figures())
        if not figures:
            return []
        before = self.document.words.numbers
        labels = [self.words.labels[figure.id] for figure in figures]
        span = labels[0] if len(labels) == 1 else f"{labels[0]} – {labels[-1]}"
        pieces = [Piece(f"pagebreak(weak: true)\nheading(level: 1, {quoted(f'{before} {span}')})", None)]
        for figure, label in zip(figures, labels, strict=True):
            name = f"numbers:{figure.id}"
            pieces.append(
                table_of(behind(figure), self.words, name, f"{before} {label}", room=paper.UPRIGHT, anchored=False)
            )
        return pieces
