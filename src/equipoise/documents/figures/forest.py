"""Forest plot: estimates with intervals on one axis beside their numbers; on a telephone each row is a small block."""

from __future__ import annotations

import math
from dataclasses import dataclass

from equipoise.documents.drawings import Forest, ForestHeading, ForestRow
from equipoise.documents.figures.measure import text_width, widest, wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.sheet import Anchor, Sheet, Style
from equipoise.documents.palette import INK, MUTED, RULE

_INDENT = 14.0
_SIDE = 48.0  # room that words beside no effect need at the least
_HALF_TICK = 18.0  # half of a label under the end of the axis
_GAP = 18.0


@dataclass(frozen=True, slots=True)
class _Layout:
    """Columns in pixels: the room for labels, the plot's ends, the right edge of each text column."""

    label_room: float
    left: float
    right: float
    edges: tuple[float, ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A row at its place: its top, its label in lines, the height of the label, and where its interval stands."""

    row: ForestRow | ForestHeading
    top: float
    lines: tuple[str, ...]
    middle: float
    height: float


def forest(drawing: Forest, style: Style) -> Sheet:
    """Draw a forest plot."""
    layout = _beside(drawing, style) if style.wide else _below(drawing, style)
    headers, header_height = _headers(drawing, style, layout)
    lines = _lines(drawing, style, layout, header_height + 12)
    bottom = lines[-1].top + lines[-1].height + 4 if lines else header_height + 16
    scale = _scale(drawing, layout)
    sheet = Sheet(style, bottom + _foot_height(drawing, style, scale) + 4)
    _draw_headers(sheet, drawing, style, layout, headers, header_height)
    _draw_no_effect(sheet, scale.at(drawing.reference), lines, style, header_height + 8, bottom)
    for line in lines:
        _draw_line(sheet, line, drawing, style, layout, scale)
    _draw_foot(sheet, drawing, style, scale, bottom)
    return sheet


def _beside(drawing: Forest, style: Style) -> _Layout:
    """Label, plot, numbers."""
    labels = [text_width(row.label, style.small, _bold(row)) + _shift(row) for row in drawing.rows]
    label_room = min(max(labels, default=0.0), 230.0)
    widths = tuple(min(_column_width(drawing, i, style), 190.0) for i in range(len(drawing.columns)))
    edges: list[float] = []
    edge = style.width
    for width in reversed(widths):
        edges.insert(0, edge)
        edge -= width + _GAP
    left, right = label_room + _GAP + 8, edge - (8 if widths else _HALF_TICK)
    if right - left < 160:
        label_room = max(80.0, label_room - (160 - right + left))
        left = min(label_room + _GAP + 8, right - 80)
    return _Layout(label_room, left, right, tuple(edges), widths)


def _below(drawing: Forest, style: Style) -> _Layout:
    """Label over numbers over plot; numbers in columns where they fit, else each in a line of its own."""
    widths = tuple(_column_width(drawing, i, style) for i in range(len(drawing.columns)))
    fits = _INDENT + sum(widths) + _GAP * max(0, len(widths) - 1) <= style.width
    edges: list[float] = []
    if fits and widths:
        spare = (style.width - sum(widths)) / max(1, len(widths) - 1)
        edge = 0.0
        for width in widths:
            edges.append(edge + width)
            edge += width + spare
    return _Layout(style.width, 18, style.width - 18, tuple(edges), widths)


def _column_width(drawing: Forest, index: int, style: Style) -> float:
    rows = [row for row in drawing.rows if isinstance(row, ForestRow)]
    header = wrapped(drawing.columns[index], 120, style.small, bold=True)
    return max(
        widest(header, style.small, True),
        max((text_width(r.texts[index], style.small, r.strong) for r in rows), default=0),
    )


def _bold(row: ForestRow | ForestHeading) -> bool:
    return isinstance(row, ForestHeading) or row.strong


def _shift(row: ForestRow | ForestHeading) -> float:
    return row.indent * _INDENT if isinstance(row, ForestRow) else 0.0


def _headers(drawing: Forest, style: Style, layout: _Layout) -> tuple[list[tuple[str, ...]], float]:
    if not style.wide and not layout.edges:
        return [], 0.0
    room = [max(width, 60.0) for width in layout.widths]
    headers = [wrapped(text, width, style.small, bold=True) for text, width in zip(drawing.columns, room, strict=True)]
    own = wrapped(drawing.label_header, layout.label_room, style.small, bold=True) if style.wide else ()
    tallest = max((len(lines) for lines in (*headers, own)), default=0)
    return [own, *headers], tallest * style.small_line + 4 if tallest else 0.0


def _draw_headers(
    sheet: Sheet, drawing: Forest, style: Style, layout: _Layout, headers: list[tuple[str, ...]], height: float
) -> None:
    if not headers or not height:
        return
    places: list[tuple[float, Anchor]] = [(0.0, "left"), *_anchors(layout, style)]
    for lines, (x, anchor) in zip(headers, places, strict=True):
        first = height - 6 - (len(lines) - 1) * style.small_line
        sheet.write_lines(x, first, lines, style.small, style.small_line, anchor=anchor, bold=True)
    sheet.line([0, style.width], [height + 2, height + 2], colour=RULE)


def _draw_no_effect(sheet: Sheet, x: float, lines: list[_Line], style: Style, top: float, bottom: float) -> None:
    """The line of no effect: all the way down, or only beside each interval where words stand between them."""
    if style.wide:
        sheet.line([x, x], [top, bottom], colour=MUTED, width=1)
        return
    for line in lines:
        if isinstance(line.row, ForestRow) and not math.isnan(line.row.estimate):
            sheet.line([x, x], [line.middle - 8, line.middle + 8], colour=MUTED, width=1)


def _anchors(layout: _Layout, style: Style) -> list[tuple[float, Anchor]]:
    """Where the text of each column stands: right-aligned, but the first of a telephone's at the left edge."""
    right: list[tuple[float, Anchor]] = [(edge, "right") for edge in layout.edges]
    return [(0.0, "left"), *right[1:]] if right and not style.wide else right


def _lines(drawing: Forest, style: Style, layout: _Layout, top: float) -> list[_Line]:
    placed: list[_Line] = []
    for index, row in enumerate(drawing.rows):
        if index and isinstance(row, ForestHeading):
            top += 8
        lines = wrapped(row.label, layout.label_room - _shift(row), style.small, _bold(row))
        text = max(1, len(lines)) * style.small_line
        numbers, graph = _block(drawing, row, style, layout)
        height = text + numbers + graph + (8 if style.wide else 12)
        middle = top + 4 + text / 2 if style.wide else top + 4 + text + numbers + graph / 2
        placed.append(_Line(row, top, lines, middle, height))
        top += height
    return placed


def _block(drawing: Forest, row: ForestRow | ForestHeading, style: Style, layout: _Layout) -> tuple[float, float]:
    """On a telephone, the heights of a row's numbers and of its interval, both under its label."""
    if style.wide or isinstance(row, ForestHeading):
        return 0.0, 0.0
    graph = 0.0 if math.isnan(row.estimate) and math.isnan(row.lower) else 18.0
    if layout.edges:
        return style.small_line, graph
    lines = sum(_lines_of(header, text, row, style) for header, text in zip(drawing.columns, row.texts, strict=True))
    return lines * style.small_line, graph


def _lines_of(header: str, text: str, row: ForestRow, style: Style) -> int:
    """1 where a number stands beside its header, 2 where it has to stand below it."""
    beside = _shift(row) + text_width(header, style.small) + _GAP + text_width(text, style.small, row.strong)
    return 1 if beside <= style.width else 2


def _draw_line(sheet: Sheet, line: _Line, drawing: Forest, style: Style, layout: _Layout, scale: Scale) -> None:
    row = line.row
    first = line.top + 4 + style.small
    sheet.write_lines(_shift(row), first, line.lines, style.small, style.small_line, bold=_bold(row))
    if isinstance(row, ForestHeading):
        return
    if style.wide:
        first = line.middle + style.small * 0.36
    else:
        first += len(line.lines) * style.small_line
    if layout.edges:
        for text, (x, anchor) in zip(row.texts, _anchors(layout, style), strict=True):
            shift = _shift(row) if anchor == "left" else 0
            sheet.write(x + shift, first, text, style.small, anchor=anchor, bold=row.strong)
    else:
        for header, text in zip(drawing.columns, row.texts, strict=True):
            sheet.write(_shift(row), first, header, style.small, colour=MUTED)
            first += (_lines_of(header, text, row, style) - 1) * style.small_line
            sheet.write(style.width, first, text, style.small, anchor="right", bold=row.strong)
            first += style.small_line
    _draw_interval(sheet, row, scale, line.middle)


def _draw_interval(sheet: Sheet, row: ForestRow, scale: Scale, y: float) -> None:
    """The interval as a line, with an arrow where it leaves the axis, and the estimate as a square."""
    if not (math.isnan(row.lower) or math.isnan(row.upper)):
        if row.upper >= scale.low and row.lower <= scale.high:
            start, end = scale.at(max(row.lower, scale.low)), scale.at(min(row.upper, scale.high))
            sheet.line([start, end], [y, y], width=2.2 if row.strong else 1.5)
        if row.lower < scale.low:
            _tip(sheet, scale.start, y, -1)
        if row.upper > scale.high:
            _tip(sheet, scale.end, y, 1)
    if math.isfinite(row.estimate) and scale.holds(row.estimate):
        sheet.dots([scale.at(row.estimate)], [y], "s", 9 if row.strong else 6.5, colour=INK)


def _tip(sheet: Sheet, x: float, y: float, direction: int) -> None:
    sheet.shape([(x + direction * 5, y), (x - direction * 2, y - 4), (x - direction * 2, y + 4)])


def _scale(drawing: Forest, layout: _Layout) -> Scale:
    log = drawing.scale == "log"
    if drawing.limits is not None:
        return Scale(*drawing.limits, layout.left, layout.right, log)
    values = [v for row in drawing.rows if isinstance(row, ForestRow) for v in (row.estimate, row.lower, row.upper)]
    found = fitted([drawing.reference, *values], layout.left, layout.right, log)
    if log or found.low != 0:
        return found
    return Scale(-0.05 * found.high, found.high, layout.left, layout.right)


@dataclass(frozen=True, slots=True)
class _Side:
    """The words for one side of no effect: where they stand, how many lines down, and the arrow beside them."""

    x: float
    anchor: Anchor
    lines: tuple[str, ...]
    down: int
    arrow: tuple[float, float]


def _sides(drawing: Forest, style: Style, scale: Scale) -> tuple[_Side, _Side]:
    """The words left and right of no effect, beside each other; below each other where a side has no room."""
    x = scale.at(drawing.reference)
    left, right = x - 20, style.width - x - 20
    if min(left if drawing.below else right, right if drawing.above else left) >= _SIDE:
        below, above = wrapped(drawing.below, left, style.small), wrapped(drawing.above, right, style.small)
        return (
            _Side(x - 20, "right", below, 0, (x - 4, x - 16)),
            _Side(x + 20, "left", above, 0, (x + 4, x + 16)),
        )
    room = style.width - 20
    below, above = wrapped(drawing.below, room, style.small), wrapped(drawing.above, room, style.small)
    return (
        _Side(20, "left", below, 0, (16, 4)),
        _Side(room, "right", above, len(below), (room + 4, room + 16)),
    )


def _foot_height(drawing: Forest, style: Style, scale: Scale) -> float:
    sides = max(side.down + len(side.lines) for side in _sides(drawing, style, scale))
    title = wrapped(drawing.axis_label, style.width, style.small, bold=True)
    return 8 + style.small_line * (1 + sides + len(title)) + 10


def _draw_foot(sheet: Sheet, drawing: Forest, style: Style, scale: Scale, bottom: float) -> None:
    sheet.line([scale.start, scale.end], [bottom, bottom], colour=MUTED)
    y = bottom + 8 + style.small
    for value, label in scale.ticks(6 if scale.end - scale.start > 240 else 4):
        x = scale.at(value)
        sheet.line([x, x], [bottom, bottom + 4], colour=MUTED)
        sheet.write(x, y, label, style.small, anchor="center")
    y += style.small_line + 4
    sides = _sides(drawing, style, scale)
    for side in sides:
        if side.lines:
            first = y + side.down * style.small_line
            sheet.write_lines(side.x, first, side.lines, style.small, style.small_line, anchor=side.anchor)
            middle = first - style.small * 0.36
            sheet.arrow(list(side.arrow), [middle, middle], INK)
    y += max(side.down + len(side.lines) for side in sides) * style.small_line + 2
    title = wrapped(drawing.axis_label, style.width, style.small, bold=True)
    half = widest(title, style.small, True) / 2
    centre = min(max((scale.start + scale.end) / 2, half), style.width - half)
    sheet.write_lines(centre, y, title, style.small, style.small_line, anchor="center", bold=True)
