"""The numbers behind a figure, as a table: what the eye reads from the picture, for those who cannot or want more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from equipoise.documents.drawings import DotStrip, Flow, FlowBox, Forest, ForestHeading, SmallMultiples, Trajectories
from equipoise.documents.model import Cell, Column, FigureBlock, Row, Table, row
from equipoise.documents.numbers import DASH, digits, estimate, fixed, interval
from equipoise.documents.runs import Missing, Text, plain


def behind(figure: FigureBlock) -> Table:
    """The table of a figure: its own, or one made from its drawing."""
    if figure.table is not None:
        return figure.table
    title = plain(figure.title)
    match figure.drawing:
        case Trajectories():
            return _of_trajectories(figure.drawing, figure.id, title)
        case Forest():
            return _of_forest(figure.drawing, figure.id, title)
        case Flow():
            return _of_flow(figure.drawing, figure.id, title)
        case DotStrip():
            return _of_dots(figure.drawing, figure.id, title)
        case SmallMultiples():
            return _of_panels(figure.drawing, figure.id, title)


def _of_trajectories(drawing: Trajectories, name: str, title: str) -> Table:
    columns = [Column(drawing.x_label)]
    for arm in drawing.arms:
        columns += [Column("n", align="right", group=arm.style.label)]
        columns += [Column("Mean (interval)", align="right", group=arm.style.label)]
    labels = dict(drawing.ticks)
    times = sorted({*labels, *(point.x for arm in drawing.arms for point in arm.means)})
    rows = tuple(row(labels.get(x, f"{x:g}"), *_at(drawing, x)) for x in times)
    note = f"{drawing.y_label}; {drawing.interval_label}."
    return Table(f"{name}-numbers", title, tuple(columns), rows, (note,))


def _at(drawing: Trajectories, x: float) -> Iterator[Text]:
    for arm in drawing.arms:
        point = next((p for p in arm.means if math.isclose(p.x, x)), None)
        if point is None:
            yield from ("0", Missing("no value at this time"))
        else:
            yield str(point.n)
            yield estimate(point.mean, point.lower, point.upper, drawing.decimals, "cannot be computed")


def _of_forest(drawing: Forest, name: str, title: str) -> Table:
    columns = (Column(drawing.label_header), *(Column(header, align="right") for header in drawing.columns))
    if not drawing.columns:
        columns = (*columns, Column("Estimate (interval)", align="right"))
    group, rows = "", []
    for item in drawing.rows:
        if isinstance(item, ForestHeading):
            group = item.label
            continue
        cells: tuple[Text, ...] = item.texts or (estimate(item.estimate, item.lower, item.upper, 2),)
        strong = (Cell(cell, strong=item.strong) for cell in cells)
        rows.append(row(Cell(item.label, strong=item.strong), *strong, indent=item.indent, group=group))
    return Table(
        f"{name}-numbers", title, columns, tuple(rows), (f"{drawing.axis_label}.",) if drawing.axis_label else ()
    )


def _of_flow(drawing: Flow, name: str, title: str) -> Table:
    rows: list[Row] = []
    period = label = ""
    for stage in drawing.stages:
        period, label = stage.period or period, stage.label or label
        group = ": ".join(part for part in (period, label) if part)
        if stage.side is not None:
            rows += _of_box(stage.side, "", group)
        shared = len(stage.boxes) == 1
        for index, item in enumerate(stage.boxes):
            if item is not None:
                rows += _of_box(item, "" if shared else drawing.arms[index].label, group)
    columns = (Column("Step"), Column("Group"), Column("Participants", align="right"))
    return Table(f"{name}-numbers", title, columns, tuple(rows))


def _of_box(item: FlowBox, arm: str, group: str) -> Iterator[Row]:
    yield row(item.title, arm or "all", "" if item.count is None else digits(item.count, 0), group=group)
    for label, count in item.details:
        yield row(label, arm or "all", "" if count is None else digits(count, 0), indent=1, group=group)


def _of_dots(drawing: DotStrip, name: str, title: str) -> Table:
    columns = (
        Column("Group"),
        Column("n", align="right"),
        Column("Median", align="right"),
        Column("Range", align="right"),
    )
    rows: list[Row] = []
    for arm, values in drawing.arms:
        there = [v for v in values if math.isfinite(v)]
        middle = fixed(median(there) if there else None, drawing.decimals, "nobody has a value")
        ends = interval(min(there), max(there), drawing.decimals).replace(", ", " to ") if there else DASH
        rows.append(row(arm.label, str(len(there)), middle, ends))
    return Table(f"{name}-numbers", title, columns, tuple(rows), (f"{drawing.label}.",))


def _of_panels(drawing: SmallMultiples, name: str, title: str) -> Table:
    """Every quantity at every tick, by arm."""
    columns = (Column(drawing.x_label), *(Column(arm.label, align="right") for arm in drawing.arms))
    rows: list[Row] = []
    for panel in drawing.panels:
        for time, label in drawing.ticks:
            values = (_last(curve, time) for curve in panel.curves)
            cells = (fixed(value, panel.decimals, "no value at this time") for value in values)
            rows.append(row(label, *cells, group=panel.title))
    return Table(f"{name}-numbers", title, columns, tuple(rows))


def _last(curve: tuple[tuple[float, float], ...], time: float) -> float | None:
    """The value of the last point on or before a time."""
    before = [value for at, value in curve if at <= time + 1e-9]
    return before[-1] if before else None
