"""Tables in WordprocessingML (ISO/IEC 29500-1, 17.4): repeated heads, rows that are not torn apart, fixed columns."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from equipoise.documents import paper
from equipoise.documents.docx.words import Face, Words, paragraph, run, twips
from equipoise.documents.html.view import HeadCell, groups_of, head_of
from equipoise.documents.model import Row, Table
from equipoise.documents.palette import INK, MUTED, RULE
from equipoise.documents.runs import plain

_ALIGN = {"left": "left", "right": "right", "centre": "center"}
_LONG = 600  # letters in a cell: a row with a longer one may break over two pages
_SOLID = f'w:val="single" w:sz="8" w:space="0" w:color="{INK[1:]}"'
_FAINT = f'w:val="single" w:sz="4" w:space="0" w:color="{RULE[1:]}"'


def table_of(table: Table, words: Words, plan: paper.Layout, *, anchored: bool = True, together: bool = False) -> str:
    """The grid of a table; caption and notes are paragraphs around it.

    anchored: whether numbers elsewhere lead to its rows.
    together: whether the whole table stays on one page.
    """
    grid = "".join(f'<w:gridCol w:w="{twips(width)}"/>' for width in plan.widths)
    head = "".join(_head(table, words, plan))
    body = "".join(_rows(table, words, plan, anchored, together))
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{twips(sum(plan.widths))}" w:type="dxa"/>'
        f"<w:tblBorders><w:top {_SOLID}/><w:bottom {_SOLID}/><w:insideH {_FAINT}/></w:tblBorders>"
        '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
        f'<w:left w:w="{twips(paper.PADDING)}" w:type="dxa"/><w:right w:w="{twips(paper.PADDING)}" w:type="dxa"/>'
        '</w:tblCellMar><w:tblLook w:val="00A0" w:firstRow="1" w:firstColumn="1"/>'
        f"<w:tblCaption w:val={quoteattr(paper.clean(plain(table.title)))}/></w:tblPr>"
        f"<w:tblGrid>{grid}</w:tblGrid>{head}{body}</w:tbl>"
    )


def _head(table: Table, words: Words, plan: paper.Layout) -> list[str]:
    """One or two rows; where two, a column without a shared heading is one cell over both."""
    first, *second = head_of(table)
    lines = [_line("".join(_head_cell(cell, table, words, plan) for cell in first))]
    if second:
        lower = {id(cell.column): cell for cell in second[0]}
        cells: list[str] = []
        for index, column in enumerate(table.columns):
            found = lower.get(id(column))
            if found is None:
                cells.append(_cell("", plan, index, span=1, more="<w:vMerge/>", under=True))
            else:
                cells.append(_head_cell(found, table, words, plan, under=True))
        lines.append(_line("".join(cells)))
    return lines


def _at(table: Table, cell: HeadCell) -> int:
    return next(i for i, column in enumerate(table.columns) if column is cell.column)


def _line(cells: str) -> str:
    return f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{cells}</w:tr>"


def _head_cell(cell: HeadCell, table: Table, words: Words, plan: paper.Layout, *, under: bool = False) -> str:
    at = _at(table, cell)
    face = Face(bold=True, size=plan.size)
    if cell.text is not None:
        return _cell(_paragraph(run(cell.text, face), "center", keep=True), plan, at, span=cell.columns, under=True)
    content = words.text(cell.column.header, face)
    if cell.column.unit:
        content += "<w:r><w:br/></w:r>" + run(cell.column.unit, Face(size=plan.size, colour=MUTED[1:]))
    more = '<w:vMerge w:val="restart"/>' if cell.rows > 1 else ""
    inside = _paragraph(content, _ALIGN[cell.column.align], keep=True)
    return _cell(inside, plan, at, span=1, more=more, under=under or cell.rows == 1, low=True)


def _cell(
    inside: str, plan: paper.Layout, at: int, *, span: int, more: str = "", under: bool = False, low: bool = False
) -> str:
    width = sum(plan.widths[at : at + span])
    properties = f'<w:tcW w:w="{twips(width)}" w:type="dxa"/>'
    properties += f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    properties += more
    properties += f"<w:tcBorders><w:bottom {_SOLID}/></w:tcBorders>" if under else ""
    properties += '<w:vAlign w:val="bottom"/>' if low else ""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inside or _paragraph('', 'left')}</w:tc>"


def _paragraph(content: str, align: str, *, indent: float = 0.0, keep: bool = False) -> str:
    return paragraph(content, "TableText", indent=indent, align=align, keep=keep)


def _rows(table: Table, words: Words, plan: paper.Layout, anchored: bool, together: bool) -> Iterator[str]:
    """The rows under their headings; a paragraph that keeps with the next keeps its row with the next row."""
    last = table.rows[-1] if table.rows else None
    for name, rows in groups_of(table):
        if name:
            inside = _paragraph(run(name, Face(bold=True, size=plan.size)), "left", keep=True)
            cell = _cell(inside, plan, 0, span=len(table.columns))
            yield f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cell}</w:tr>"
        for row in rows:
            yield _row(row, table, words, plan, anchored, together and row is not last)


def _row(row: Row, table: Table, words: Words, plan: paper.Layout, anchored: bool, keep: bool) -> str:
    notes = table.reasons()
    spans = len(row.cells) < len(table.columns)
    cells: list[str] = []
    for index, cell in enumerate(row.cells):
        content = words.text(cell.text, Face(bold=cell.strong, size=plan.size), notes)
        content = words.leading(content, cell.result_id, row.result_id)
        if index == 0 and row.result_id and anchored:
            content = words.place(f"result:{row.result_id}") + content
        indent = paper.INDENT * min(row.indent + (1 if row.group else 0), 4) if index == 0 else 0.0
        inside = _paragraph(content, _ALIGN[table.columns[index].align], indent=indent, keep=keep)
        cells.append(_cell(inside, plan, index, span=len(table.columns) if spans else 1))
    whole = all(len(plain(cell.text)) <= _LONG for cell in row.cells)
    return f"<w:tr><w:trPr>{'<w:cantSplit/>' if whole else ''}</w:trPr>{''.join(cells)}</w:tr>"
