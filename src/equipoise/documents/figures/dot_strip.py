"""One variable by arm: a dot for each participant, none hiding another, and the median as a tick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median

from equipoise.documents.drawings import DotStrip
from equipoise.documents.figures.key import Entry, draw_key, place_key
from equipoise.documents.figures.measure import widest, wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import INK, MUTED, RULE, Look, looks

_DOT = 6.0
_TALLEST = 70.0


@dataclass(frozen=True, slots=True)
class _Strip:
    """An arm's strip at its place: the values in order, how far each is moved, the middle and half the height."""

    name: tuple[str, ...]
    values: tuple[float, ...]
    shifts: tuple[float, ...]
    middle: float
    half: float


def dot_strip(drawing: DotStrip, style: Style) -> Sheet:
    """Draw strips of dots."""
    one, middle = Entry("one participant", "dot", Look(MUTED, "o", ())), Entry("median", "tick", Look(INK, "", ()))
    key, key_height = place_key([one, middle], style)
    labels = [arm.label for arm, _ in drawing.arms]
    gutter = min(widest(labels, style.small) + 16, 200.0) if style.wide else 0.0
    finite = [tuple(sorted(v for v in values if math.isfinite(v))) for _, values in drawing.arms]
    values = [v for strip in finite for v in strip] + [line.value for line in drawing.references]
    scale = fitted(values, gutter + 10, style.width - 14)
    top = key_height + 6 + (style.small_line if drawing.references else 0)
    strips, bottom = _placed(labels, finite, scale, style, gutter, top)
    title = wrapped(drawing.label, style.width, style.small, bold=True)
    sheet = Sheet(style, bottom + 8 + style.small_line * (1 + len(title)) + 8)
    draw_key(sheet, key, style)
    _draw_references(sheet, drawing, style, scale, top, strips)
    _draw_axis(sheet, style, scale, bottom, title)
    for strip, look in zip(strips, looks([arm for arm, _ in drawing.arms]), strict=True):
        _draw_strip(sheet, strip, look, style, scale)
    return sheet


def _placed(
    labels: list[str], values: list[tuple[float, ...]], scale: Scale, style: Style, gutter: float, top: float
) -> tuple[list[_Strip], float]:
    """The strips below each other, names at the left or, on a telephone, above; and where the last one ends."""
    strips: list[_Strip] = []
    for label, mine in zip(labels, values, strict=True):
        name = wrapped(label, gutter - 6 if style.wide else style.width, style.small)
        shifts = _swarm([scale.at(value) for value in mine])
        words = len(name) * style.small_line
        half = max(max((abs(shift) for shift in shifts), default=0.0) + _DOT, 17.0, words / 2 if style.wide else 0.0)
        head = 0.0 if style.wide else words + 2
        strips.append(_Strip(name, mine, tuple(shifts), top + head + half, half))
        top += head + 2 * half + 8
    return strips, top


def _draw_strip(sheet: Sheet, strip: _Strip, look: Look, style: Style, scale: Scale) -> None:
    above = (len(strip.name) - 1) * style.small_line
    first = strip.middle - above / 2 + style.small * 0.36 if style.wide else strip.middle - strip.half - above - 3
    sheet.write_lines(0, first, strip.name, style.small, style.small_line)
    if strip.values:
        x = scale.at(median(strip.values))
        sheet.line([x, x], [strip.middle - 12, strip.middle + 12], colour=INK, width=2.2)
    xs, ys = [scale.at(value) for value in strip.values], [strip.middle + shift for shift in strip.shifts]
    sheet.dots(xs, ys, look.marker, _DOT, colour=look.colour, edge=0.5, alpha=0.75)


def _swarm(xs: list[float]) -> list[float]:
    """How far each dot is moved up or down so that none hides another; the nearest free place to the middle.

    Where a column of dots would grow too high, all are moved less and overlap, which their transparency shows.
    """
    placed: list[tuple[float, float]] = []
    for x in xs:
        close = [(px, py) for px, py in placed if abs(px - x) < _DOT + 1]
        steps = [sign * k * 2.0 for k in range(200) for sign in ((1, -1) if k else (1,))]
        y = next((s for s in steps if all(math.hypot(px - x, py - s) >= _DOT + 1 for px, py in close)), 0.0)
        placed.append((x, y))
    tallest = max((abs(y) for _, y in placed), default=0.0)
    return [y * min(1.0, _TALLEST / tallest) if tallest else 0.0 for _, y in placed]


def _draw_references(
    sheet: Sheet, drawing: DotStrip, style: Style, scale: Scale, top: float, strips: list[_Strip]
) -> None:
    """Reference lines beside the dots only, so that none crosses a name."""
    for line in drawing.references:
        x = scale.at(line.value)
        for strip in strips:
            ends = [strip.middle - strip.half, strip.middle + strip.half]
            sheet.line([x, x], ends, colour=MUTED, dashes=(1.5, 2))
        half = widest([line.label], style.small) / 2
        centre = min(max(x, half), style.width - half)
        sheet.write(centre, top - 6, line.label, style.small, anchor="center", colour=MUTED)


def _draw_axis(sheet: Sheet, style: Style, scale: Scale, top: float, title: tuple[str, ...]) -> None:
    sheet.line([scale.start, scale.end], [top, top], colour=RULE, width=1.2)
    y = top + 8 + style.small
    for value, label in scale.ticks(7 if style.wide else 5):
        x = scale.at(value)
        sheet.line([x, x], [top, top + 4], colour=MUTED)
        sheet.write(x, y, label, style.small, anchor="center")
    centre = (scale.start + scale.end) / 2
    below = y + style.small_line + 3
    sheet.write_lines(centre, below, title, style.small, style.small_line, anchor="center", bold=True)
