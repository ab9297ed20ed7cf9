"""Trajectories: individuals faint behind, means with intervals in front, the number of participants under the axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from equipoise.documents.drawings import ArmTrajectory, ReferenceLine, Trajectories
from equipoise.documents.figures.key import Entry, draw_key, place_key
from equipoise.documents.figures.measure import text_width, widest, wrapped
from equipoise.documents.figures.scale import Scale, fitted
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.figures.time_axis import CountRow, TimeAxis, draw_time_axis, time_axis
from equipoise.documents.palette import MUTED, RULE, Look, looks

_INSET = 14.0
_ASIDE = 130.0


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where everything stands: both scales, and the drawing with the looks of its arms."""

    drawing: Trajectories
    looks: tuple[Look, ...]
    style: Style
    left: float
    right: float
    x: Scale
    y: Scale
    aside: bool

    @property
    def top(self) -> float:
        """The plot's upper edge."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """The time axis."""
        return self.y.start


def trajectories(drawing: Trajectories, style: Style) -> Sheet:
    """Draw trajectories."""
    arm_looks = looks([arm.style for arm in drawing.arms])
    entries = _entries(drawing, arm_looks)
    key, key_height = place_key(entries, style)
    y_title = wrapped(drawing.y_label, style.width, style.small, bold=True)
    title_top = key_height + 10
    top = title_top + len(y_title) * style.small_line + 8 + _division_height(drawing, style)
    plot = _placed(drawing, arm_looks, style, top)
    axis = _time_axis(plot)
    sheet = Sheet(style, plot.bottom + axis.height + 6)
    draw_key(sheet, key, style)
    sheet.write_lines(0, title_top + style.small, y_title, style.small, style.small_line, bold=True)
    _draw_frame(sheet, plot)
    draw_time_axis(sheet, axis, plot.bottom, plot.left, plot.right)
    _draw_individuals(sheet, plot)
    _draw_means(sheet, plot)
    return sheet


def _time_axis(plot: _Plot) -> TimeAxis:
    drawing = plot.drawing
    rows = [
        CountRow(arm.style.label, look, tuple(_counts(drawing, arm)))
        for arm, look in zip(drawing.arms, plot.looks, strict=True)
    ]
    return time_axis(
        drawing.ticks,
        drawing.x_label,
        rows,
        drawing.count_label,
        plot.x,
        plot.style,
        gutter=plot.left,
        aside=plot.aside,
    )


def _counts(drawing: Trajectories, arm: ArmTrajectory) -> Iterator[str]:
    """The number of participants at each tick: as told, or behind the mean there, 0 where no mean is."""
    if arm.counts:
        yield from map(str, arm.counts)
        return
    for time, _ in drawing.ticks:
        yield str(sum(point.n for point in arm.means if math.isclose(point.x, time)))


def _entries(drawing: Trajectories, arm_looks: tuple[Look, ...]) -> list[Entry]:
    entries = [Entry(arm.style.label, "arm", look) for arm, look in zip(drawing.arms, arm_looks, strict=True)]
    neutral = Look(MUTED, "o", ())
    if any(arm.individuals for arm in drawing.arms):
        entries.append(Entry(drawing.individuals_label, "individuals", neutral))
    if any(arm.means for arm in drawing.arms):
        entries.append(Entry(drawing.interval_label, "interval", neutral))
    return entries


def _placed(drawing: Trajectories, arm_looks: tuple[Look, ...], style: Style, top: float) -> _Plot:
    height = 300.0 if style.wide else 230.0
    y = fitted(_y_values(drawing), top + height, top, drawing.y_scale == "log")
    ticks = widest([label for _, label in y.ticks(6)], style.small)
    arms = widest([arm.style.label for arm in drawing.arms], style.small) + 18
    aside = style.wide and arms <= _ASIDE
    left = max(ticks + 10, arms + 10 if aside else 0)
    right = style.width - max(10.0, min(60.0, text_width(drawing.ticks[-1][1], style.small) / 2 - _INSET + 2))
    times = [*_x_values(drawing)]
    low, high = (min(times), max(times)) if max(times) > min(times) else (times[0] - 1, times[0] + 1)
    x = Scale(low, high, left + _INSET, right - _INSET)
    return _Plot(drawing, arm_looks, style, left, right, x, y, aside)


def _y_values(drawing: Trajectories) -> Iterator[float]:
    yield from (line.value for line in drawing.references)
    for arm in drawing.arms:
        yield from (value for person in arm.individuals for value in person.y)
        yield from (value for point in arm.means for value in (point.mean, point.lower, point.upper))
        yield from (value for _, value in arm.curve)


def _x_values(drawing: Trajectories) -> Iterator[float]:
    yield from (value for value, _ in drawing.ticks)
    yield from (line.value for line in drawing.divisions)
    for arm in drawing.arms:
        yield from (value for person in arm.individuals for value in person.x if math.isfinite(value))
        yield from (point.x for point in arm.means)
        yield from (time for time, _ in arm.curve)


def _division_height(drawing: Trajectories, style: Style) -> float:
    return style.small_line * 2 + 4 if drawing.divisions else 0.0


def _draw_frame(sheet: Sheet, plot: _Plot) -> None:
    """The value axis, divisions of time and reference lines."""
    for line in plot.drawing.divisions:
        _draw_division(sheet, plot, line)
    for value, label in plot.y.ticks(6):
        y = plot.y.at(value)
        sheet.line([plot.left - 4, plot.left], [y, y], colour=MUTED)
        sheet.write(plot.left - 8, y + plot.style.small * 0.36, label, plot.style.small, anchor="right")
    for line in plot.drawing.references:
        _draw_reference(sheet, plot, line)
    sheet.line([plot.left, plot.left], [plot.top, plot.bottom], colour=MUTED)
    if not any(math.isfinite(plot.y.at(value)) for value in _y_values(replace(plot.drawing, references=()))):
        centre, middle = (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2
        sheet.write(centre, middle, plot.drawing.empty_label, plot.style.text, anchor="center", colour=MUTED)


def _draw_division(sheet: Sheet, plot: _Plot, line: ReferenceLine) -> None:
    x, style = plot.x.at(line.value), plot.style
    later = [plot.x.at(other.value) for other in plot.drawing.divisions if other.value > line.value]
    room = min([*later, style.width]) - x - 6
    lines = wrapped(line.label, room, style.small)[:2]
    sheet.line([x, x], [plot.top - _division_height(plot.drawing, style) + 2, plot.bottom], colour=RULE, width=1.2)
    first = plot.top - 6 - (len(lines) - 1) * style.small_line
    sheet.write_lines(x + 5, first, lines, style.small, style.small_line, colour=MUTED)


def _draw_reference(sheet: Sheet, plot: _Plot, line: ReferenceLine) -> None:
    y, style = plot.y.at(line.value), plot.style
    sheet.line([plot.left, plot.right], [y, y], colour=MUTED, width=1, dashes=(1.5, 2))
    width = text_width(line.label, style.small)
    places = [
        (left, baseline)
        for baseline in (y - 4, y + style.small + 2)
        for left in (plot.right - width - 2, plot.left + 6)
        if plot.top <= baseline - style.small and baseline <= plot.bottom
    ]
    if places:
        left, baseline = min(places, key=lambda place: _crowd(plot, place[0], place[1], width))
        sheet.write(left, baseline, line.label, style.small, colour=MUTED)


def _crowd(plot: _Plot, left: float, baseline: float, width: float) -> int:
    """How many values lie where a label would stand."""
    points = [
        (plot.x.at(x), plot.y.at(y))
        for arm in plot.drawing.arms
        for person in arm.individuals
        for x, y in zip(person.x, person.y, strict=True)
    ]
    points += [
        (plot.x.at(p.x), plot.y.at(v))
        for arm in plot.drawing.arms
        for p in arm.means
        for v in (p.mean, p.lower, p.upper)
    ]
    top = baseline - plot.style.small
    return sum(left - 4 <= x <= left + width + 4 and top - 2 <= y <= baseline + 4 for x, y in points)


def _draw_individuals(sheet: Sheet, plot: _Plot) -> None:
    """Everybody of an arm in one line that is broken between people: a tenth of the time of a line each."""
    for arm, look in zip(plot.drawing.arms, plot.looks, strict=True):
        xs, ys = list[float](), list[float]()
        for person in arm.individuals:
            xs += [*(plot.x.at(x) for x in person.x), math.nan]
            ys += [*(plot.y.at(y) for y in person.y), math.nan]
        if xs:
            sheet.line(xs, ys, colour=look.colour, width=0.9, alpha=0.4)
            sheet.dots(xs, ys, look.marker, 2.4, colour=look.colour, edge=0, alpha=0.5)


def _draw_means(sheet: Sheet, plot: _Plot) -> None:
    places = sorted({plot.x.at(point.x) for arm in plot.drawing.arms for point in arm.means})
    nearest = min((b - a for a, b in pairwise(places)), default=40.0)
    arms = len(plot.drawing.arms)
    step = min(7.0, nearest / (arms + 1), 2 * (_INSET - 4) / max(1, arms - 1))
    for arm, look in zip(plot.drawing.arms, plot.looks, strict=True):
        xs, ys = [plot.x.at(x) for x, _ in arm.curve], [plot.y.at(y) for _, y in arm.curve]
        sheet.line(xs, ys, colour=look.colour, width=2, dashes=look.dashes)
    for index, (arm, look) in enumerate(zip(plot.drawing.arms, plot.looks, strict=True)):
        shift = (index - (arms - 1) / 2) * step
        xs = [plot.x.at(point.x) + shift for point in arm.means]
        bars = [(x, plot.y.at(point.lower), plot.y.at(point.upper)) for x, point in zip(xs, arm.means, strict=True)]
        broken = [value for x, low, high in bars for value in ((x, low), (x, high), (math.nan, math.nan))]
        if broken:
            sheet.line([x for x, _ in broken], [y for _, y in broken], colour=look.colour, width=1.8)
        ys = [plot.y.at(point.mean) for point in arm.means]
        sheet.line(xs, ys, colour=look.colour, width=2, dashes=look.dashes)
        sheet.dots(xs, ys, look.marker, 8, colour="white", fill=look.colour, edge=1.2)
