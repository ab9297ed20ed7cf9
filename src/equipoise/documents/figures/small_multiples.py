"""Small multiples: several quantities over the same time, a small panel for each, and a key for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.documents.drawings import Quantity, SmallMultiples
from equipoise.documents.figures.key import Entry, draw_key, place_key
from equipoise.documents.figures.measure import wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import MUTED, RULE, Look, looks

_GUTTER, _BETWEEN, _INSET = 40.0, 14.0, 5.0
_MARK = 9.0
"""Height of the strip above a panel in which marks stand."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """A panel at its place: its title in lines, the plot's edges, and both scales."""

    panel: Quantity
    title: tuple[str, ...]
    left: float
    top: float
    x: Scale
    y: Scale
    last_row: bool


def small_multiples(drawing: SmallMultiples, style: Style) -> Sheet:
    """Draw small multiples, three in a row or two."""
    arm_looks = looks(drawing.arms)
    entries = [Entry(arm.label, "arm", look) for arm, look in zip(drawing.arms, arm_looks, strict=True)]
    key, key_height = place_key(entries, style)
    note = wrapped(f"▾ {drawing.mark_label}", style.width, style.small) if drawing.marks else ()
    top = key_height + len(note) * style.small_line + 8
    cells = tuple(_cells(drawing, style, top))
    bottom = max((cell.y.start for cell in cells), default=top)
    x_title = wrapped(drawing.x_label, style.width, style.small, bold=True)
    sheet = Sheet(style, bottom + style.small_line * (len(x_title) + 1) + 16)
    draw_key(sheet, key, style)
    sheet.write_lines(0, key_height + style.small, note, style.small, style.small_line, colour=MUTED)
    for cell in cells:
        _draw_cell(sheet, cell, drawing, arm_looks, style)
    base = bottom + style.small_line * 2 + 10
    sheet.write_lines(style.width / 2, base, x_title, style.small, style.small_line, anchor="center", bold=True)
    return sheet


def _cells(drawing: SmallMultiples, style: Style, top: float) -> Iterator[_Cell]:
    columns, height = (3, 118.0) if style.wide else (2, 96.0)
    width = (style.width - _BETWEEN * (columns - 1)) / columns
    rows = [drawing.panels[i : i + columns] for i in range(0, len(drawing.panels), columns)]
    low, high = drawing.ticks[0][0], drawing.ticks[-1][0]
    times = [time for panel in drawing.panels for curve in panel.curves for time, _ in curve] or [low, high]
    low, high = min(low, *times), max(high, *times)
    for place, row in enumerate(rows):
        titles = [wrapped(panel.title, width, style.small, bold=True) for panel in row]
        plot_top = top + max(map(len, titles)) * style.small_line + _MARK + 4
        for column, (panel, title) in enumerate(zip(row, titles, strict=True)):
            left = column * (width + _BETWEEN)
            values = [value for curve in panel.curves for _, value in curve]
            x = Scale(low, high if high > low else low + 1, left + _GUTTER + _INSET, left + width - _INSET)
            y = fitted(values, plot_top + height, plot_top)
            yield _Cell(panel, title, left, top, x, y, place == len(rows) - 1)
        top = plot_top + height + 20


def _draw_cell(sheet: Sheet, cell: _Cell, drawing: SmallMultiples, arm_looks: tuple[Look, ...], style: Style) -> None:
    left, bottom, top = cell.left + _GUTTER, cell.y.start, cell.y.end
    sheet.write_lines(cell.left, cell.top + style.small, cell.title, style.small, style.small_line, bold=True)
    for value, label in cell.y.ticks(4):
        y = cell.y.at(value)
        sheet.line([left, cell.x.end + _INSET], [y, y], colour=RULE, width=0.6)
        sheet.write(left - 5, y + style.small * 0.34, label, style.small - 1.5, anchor="right")
    sheet.line([left, cell.x.end + _INSET], [bottom, bottom], colour=MUTED)
    for time, label in drawing.ticks:
        x = cell.x.at(time)
        sheet.line([x, x], [bottom, bottom + 3], colour=MUTED)
        if cell.last_row:
            sheet.write(x, bottom + 5 + style.small, label, style.small - 1.5, anchor="center")
    for time, arm in drawing.marks:
        x, size = cell.x.at(time), 3.6
        points = [(x - size, top - _MARK + 1), (x + size, top - _MARK + 1), (x, top - _MARK + 1 + 1.7 * size)]
        sheet.shape(points, arm_looks[arm].colour)
    for curve, look in zip(cell.panel.curves, arm_looks, strict=True):
        xs = [cell.x.at(time) for time, value in curve if math.isfinite(value)]
        ys = [cell.y.at(value) for _, value in curve if math.isfinite(value)]
        sheet.line(xs, ys, colour=look.colour, width=1.7, dashes=look.dashes)
