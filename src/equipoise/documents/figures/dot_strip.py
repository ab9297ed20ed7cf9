"""One variable by arm: a dot for each participant, none hiding another, and the median as a tick."""

from __future__ import annotations

import math
from statistics import median

from equipoise.documents.drawings import DotStrip
from equipoise.documents.figures.key import Entry, draw_key, place_key
from equipoise.documents.figures.measure import widest, wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import INK, MUTED, RULE, Look, looks

_DOT = 6.0


def dot_strip(drawing: DotStrip, style: Style) -> Sheet:
    """Draw strips of dots."""
    styles = [arm for arm, _ in drawing.arms]
    key, key_height = place_key(
        [Entry("one participant", "dot", Look(MUTED, "o", ())), Entry("median", "tick", Look(INK, "", ()))], style
    )
    left = min(widest([arm.label for arm in styles], style.small) + 16, 200.0) if style.wide else 0.0
    left = left + 10
    finite = [[v for v in values if math.isfinite(v)] for _, values in drawing.arms]
    values = [v for strip in finite for v in strip] + [line.value for line in drawing.references]
    scale = fitted(values, left, style.width - 14)
    above = [wrapped(arm.label, style.width if not style.wide else left - 16, style.small) for arm in styles]
    offsets = [_swarm([scale.at(v) for v in sorted(strip)]) for strip in finite]
    top = key_height + 6 + (style.small_line if drawing.references else 0)
    tops: list[float] = []
    y = top
    for lines, strip in zip(above, offsets, strict=True):
        head = 0.0 if style.wide else len(lines) * style.small_line + 2
        half = max((abs(o) for o in strip), default=0.0) + _DOT
        half = max(half, 17.0, len(lines) * style.small_line / 2 if style.wide else 0.0)
        tops.append(y + head + half)
        y += head + 2 * half + 8
    title = wrapped(drawing.label, style.width, style.small, bold=True)
    sheet = Sheet(style, y + 8 + style.small_line * (1 + len(title)) + 8)
    draw_key(sheet, key, style)
    _draw_axis(sheet, drawing, style, scale, (top, y), title)
    for index, look in enumerate(looks(styles)):
        lines, middle = above[index], tops[index]
        first = middle - (len(lines) - 1) * style.small_line / 2 + style.small * 0.36
        if not style.wide:
            half = max(max((abs(o) for o in offsets[index]), default=0.0) + _DOT, 17.0)
            first = middle - half - (len(lines) - 1) * style.small_line - 3
        sheet.write_lines(0, first, lines, style.small, style.small_line)
        strip = sorted(finite[index])
        if strip:
            sheet.line([scale.at(median(strip))] * 2, [middle - 12, middle + 12], colour=INK, width=2.2)
        xs = [scale.at(v) for v in strip]
        sheet.dots(
            xs, [middle + o for o in offsets[index]], look.marker, _DOT, colour=look.colour, edge=0.5, alpha=0.75
        )
    return sheet


def _swarm(xs: list[float]) -> list[float]:
    """How far each dot is moved up or down so that no two of them overlap; the nearest free place to the middle."""
    placed: list[tuple[float, float]] = []
    for x in xs:
        close = [(px, py) for px, py in placed if abs(px - x) < _DOT + 1]
        steps = [sign * k * 2.0 for k in range(200) for sign in ((1, -1) if k else (1,))]
        y = next((s for s in steps if all(math.hypot(px - x, py - s) >= _DOT + 1 for px, py in close)), 0.0)
        placed.append((x, y))
    return [y for _, y in placed]


def _draw_axis(
    sheet: Sheet, drawing: DotStrip, style: Style, scale: Scale, span: tuple[float, float], title: tuple[str, ...]
) -> None:
    for line in drawing.references:
        x = scale.at(line.value)
        sheet.line([x, x], [span[0] - 2, span[1]], colour=MUTED, dashes=(1.5, 2))
        half = widest([line.label], style.small) / 2
        sheet.write(
            min(max(x, half), style.width - half), span[0] - 6, line.label, style.small, anchor="center", colour=MUTED
        )
    sheet.line([scale.start, scale.end], [span[1], span[1]], colour=RULE, width=1.2)
    y = span[1] + 8 + style.small
    for value, label in scale.ticks(7 if style.wide else 5):
        x = scale.at(value)
        sheet.line([x, x], [span[1], span[1] + 4], colour=MUTED)
        sheet.write(x, y, label, style.small, anchor="center")
    centre = (scale.start + scale.end) / 2
    sheet.write_lines(
        centre, y + style.small_line + 3, title, style.small, style.small_line, anchor="center", bold=True
    )
