"""Tables in typst's language: heads that repeat on each page, headings of groups, indents, notes under the table."""

from __future__ import annotations

from equipoise.documents import paper
from equipoise.documents.html.view import HeadCell, groups_of, head_of, letter
from equipoise.documents.model import Row, Table
from equipoise.documents.pdf.words import Setting, Words, block_of
from equipoise.documents.typesetting import quoted

_ALIGN = {"left": "start", "right": "end", "centre": "center"}


def table_of(
    table: Table, words: Words, name: str, label: str, *, room: float, turn: bool = True, anchored: bool = True
) -> paper.Piece:
    """A table with caption and notes; it lies on its side where it needs the width.

    name:     what links to the table lead to.
    room:     the width that is left for it on an upright page, in points.
    turn:     whether it may have a page of its own.
    anchored: whether numbers elsewhere lead to its rows.
    """
    plan = paper.layout(table, room=room, turn=turn)
    line = paper.LYING if plan.lying else room
    caption = f'{{{quoted(label + ".")}; " "; {words.text(table.title, Setting(line, 9.0, bold=True))}}}'
    widths = "(" + "".join(f"{width:.2f}pt," for width in plan.widths) + ")"
    head = "(" + ", ".join(_head(table, words, plan)) + ",)"
    body = "(" + "".join(f"{cell}, " for cell in _body(table, words, plan, anchored)) + ")"
    torn = "false" if plan.height <= paper.KEPT else "true"
    sheet = f"sheet({quoted(name)}, {caption}, {plan.size}pt, {torn}, {widths}, {head}, {body})"
    return paper.Piece(block_of([sheet, *_notes(table, words, line)]), plan.lying)


def _notes(table: Table, words: Words, room: float) -> list[str]:
    setting = Setting(room, 7.5)
    reasons = [
        f'note({{super({quoted(letter(i))}); " "; {words.plainly(reason, setting)}}})'
        for i, reason in enumerate(table.reasons())
    ]
    return reasons + [f"note({words.text(item, setting)})" for item in table.notes]


def _head(table: Table, words: Words, plan: paper.Layout) -> list[str]:
    cells: list[str] = ["table.hline(stroke: 1pt + ink)"]
    for depth, line in enumerate(head_of(table), 1):
        for cell in line:
            first = next(i for i, column in enumerate(table.columns) if column is cell.column)
            end = first + cell.columns
            cells.append(_head_cell(cell, words, plan, sum(plan.widths[first:end]) - 2 * paper.PADDING))
            if cell.text is not None:
                cells.append(f"table.hline(y: {depth}, start: {first}, end: {end}, stroke: 0.5pt + muted)")
    return cells


def _head_cell(cell: HeadCell, words: Words, plan: paper.Layout, room: float) -> str:
    setting = Setting(room, plan.size, bold=True)
    if cell.text is not None:
        content = f"strong({words.plainly(cell.text, setting)})"
        return f"table.cell(colspan: {cell.columns}, align: center + bottom, {content})"
    parts = [f"strong({words.text(cell.column.header, setting)})"]
    if cell.column.unit:
        parts += ["linebreak()", f"subtle({words.plainly(cell.column.unit, setting)})"]
    align = _ALIGN[cell.column.align]
    return f"table.cell(rowspan: {cell.rows}, align: {align} + bottom, {block_of(parts)})"


def _body(table: Table, words: Words, plan: paper.Layout, anchored: bool) -> list[str]:
    cells: list[str] = []
    groups = groups_of(table)
    # A heading that repeats on the next page cannot be ended, so it repeats only where every row has one.
    repeats = all(name for name, _ in groups)
    for number, (name, rows) in enumerate(groups):
        if name:
            setting = Setting(sum(plan.widths) - 2 * paper.PADDING, plan.size, bold=True)
            heading = f"table.cell(colspan: {len(table.columns)}, strong({words.plainly(name, setting)}))"
            line = "table.hline(stroke: 0.4pt + rule), " if number else ""
            cells.append(f"{line}table.header(level: 2, {heading})" if repeats else line + heading)
        for index, row in enumerate(rows):
            if index or name or number:
                cells.append("table.hline(stroke: 0.4pt + rule)")
            cells += _row(row, table, words, plan, anchored)
    return cells


def _row(row: Row, table: Table, words: Words, plan: paper.Layout, anchored: bool) -> list[str]:
    cells: list[str] = []
    spans = len(row.cells) < len(table.columns)
    notes = table.reasons()
    for index, cell in enumerate(row.cells):
        indent = paper.INDENT * min(row.indent + (1 if row.group else 0), 4) if index == 0 else 0.0
        room = (sum(plan.widths) if spans else plan.widths[index]) - 2 * paper.PADDING - indent
        content = words.text(cell.text, Setting(room, plan.size, cell.strong, notes))
        content = words.leading(content, cell.result_id, row.result_id)
        content = f"strong({content})" if cell.strong else content
        if index == 0 and row.result_id and anchored:
            content = f"{{place-of({quoted('result:' + row.result_id)}); {content}}}"
        content = f"pad(left: {indent}pt, {content})" if indent else content
        span = f"colspan: {len(table.columns)}, " if spans else ""
        cells.append(f"table.cell({span}align: {_ALIGN[table.columns[index].align]}, {content})")
    return cells
