"""Pages written in Markdown as blocks of a document: paragraphs, lists, formulas, tables; nothing is read as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from equipoise.documents.model import Align, Block, Bullets, Column, Paragraph, Row, Table, Verbatim, row
from equipoise.documents.runs import Code, Emphasis, Link, Run, Strong, Text

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_OUTSIDE = ("https://", "http://", "mailto:")


def sections(page: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The title of a page and its parts: each heading of the second level with the Markdown beneath it."""
    lines = page.splitlines()
    heads: list[tuple[str, int, int]] = []
    title = ""
    tokens = _READER.parse(page)
    for token, inner in pairwise(tokens):
        if token.type != "heading_open" or token.map is None:
            continue
        if token.tag == "h1":
            title = inner.content
        elif token.tag == "h2":
            heads.append((inner.content, token.map[0], token.map[1]))
    ends = [*(start for _, start, _ in heads[1:]), len(lines)]
    parts = ((name, "\n".join(lines[after:end])) for (name, _, after), end in zip(heads, ends, strict=True))
    return title, tuple(parts)


def blocks(text: str, name: str, caption: str) -> tuple[Block, ...]:
    """The blocks of a piece of Markdown.

    name: the beginning of the ids of its tables, and unique in the document; caption: their title. Links to other
    pages become their words, headings strong words. Raises ValueError for what no page of ours has, as a picture.
    """
    return tuple(_Reader(name, caption).blocks(_READER.parse(text)))


class _Reader:
    def __init__(self, name: str, caption: str) -> None:
        self.name = name
        self.caption = caption
        self.tables = 0

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            token = tokens[at]
            end = _end(tokens, at)
            match token.type:
                case "paragraph_open":
                    yield Paragraph(_text(tokens[at + 1]))
                case "heading_open":
                    yield Paragraph(Strong(_text(tokens[at + 1])))
                case "code_block" | "fence":
                    yield Verbatim(token.content.rstrip("\n"))
                case "bullet_list_open" | "ordered_list_open":
                    yield Bullets(tuple(_items(tokens[at + 1 : end])), ordered=token.type.startswith("ordered"))
                case "table_open":
                    yield self._table(tokens[at + 1 : end])
                case _:
                    raise ValueError(f"a page cannot hold {token.type!r}")
            at = end + 1

    def _table(self, tokens: Sequence[Token]) -> Table:
        self.tables += 1
        heads: list[Column] = []
        rows: list[Row] = []
        cells: list[Text] = []
        for token, inner in zip(tokens, [*tokens[1:], None], strict=True):
            if token.type == "th_open" and inner is not None:
                heads.append(Column(_text(inner), align=_align(token)))
            elif token.type == "td_open" and inner is not None:
                cells.append(_text(inner))
            elif token.type == "tr_close" and cells:
                rows.append(row(*cells))
                cells = []
        return Table(f"{self.name}-table{self.tables}", self.caption, tuple(heads), tuple(rows))


def _end(tokens: Sequence[Token], at: int) -> int:
    """Where the block that begins at a token ends."""
    if tokens[at].nesting != 1:
        return at
    level = tokens[at].level
    return next(i for i in range(at + 1, len(tokens)) if tokens[i].level == level and tokens[i].nesting == -1)


def _align(token: Token) -> Align:
    style = str(token.attrGet("style") or "")
    return "right" if "right" in style else "centre" if "center" in style else "left"


def _items(tokens: Sequence[Token]) -> Iterator[Text]:
    """The items of a list, each one paragraph or more in one text."""
    found: list[Run] = []
    for token in tokens:
        if token.type == "inline":
            found += ([" "] if found else []) + list(_runs(token.children or []))
        elif token.type == "list_item_close" and token.level == tokens[0].level:
            yield tuple(found)
            found = []


def _text(token: Token) -> Text:
    found = tuple(_runs(token.children or []))
    return found[0] if len(found) == 1 else found


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        end = _end(tokens, at)
        inside = tuple(_runs(tokens[at + 1 : end])) if end > at else ()
        match token.type:
            case "text":
                if token.content:
                    yield token.content
            case "softbreak" | "hardbreak":
                yield " "
            case "code_inline":
                yield Code(token.content)
            case "strong_open":
                yield Strong(inside)
            case "em_open":
                yield Emphasis(inside)
            case "link_open":
                target = str(token.attrGet("href") or "")
                if target.startswith(_OUTSIDE):
                    yield Link(inside, target)
                else:
                    yield from inside
            case _:
                raise ValueError(f"a page cannot hold {token.type!r}")
        at = end + 1
