"""Recurrent events as a picture: how many events a participant of each arm has had by each day, on average."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from equipoise.analysis.results import Cell, ResultTable
from equipoise.documents.drawings import ArmTrajectory, Trajectories
from equipoise.documents.model import Column, FigureBlock, Row, Section, Table, row
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Missing, Text
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin

METHOD = "mean-cumulative"
DAYS_A_MONTH = 365.25 / 12
STEP = 3
"""Months between ticks."""
NOBODY = "nobody under observation"


def recurrent_section(source: ReportSource) -> Section | None:
    """A figure for each analysis of a mean cumulative function; None where there is none."""
    tables = {table.id: table for table in source.results.tables}
    planned = [item.id for item in source.protocol.analyses if item.method == METHOD]
    figures = [_figure(source, tables[name]) for name in planned if name in tables and tables[name].rows]
    return Section("recurrent", "Events over time", tuple(figures)) if figures else None


def _figure(source: ReportSource, table: ResultTable) -> FigureBlock:
    names = [column.id for column in table.columns]
    lines = [dict(zip(names, cells, strict=True)) for cells in table.rows]
    last = max(_number(line["day"]) for line in lines)
    months = [month for month in range(0, 61, STEP) if month * DAYS_A_MONTH <= last + 15]
    arms = []
    for group, style in source.groups:
        mine = [line for line in lines if line["arm"] == group]
        counts = tuple(_at(mine, month, "under_observation") for month in months)
        arms.append(ArmTrajectory(style, curve=tuple(_steps(mine)), counts=tuple(int(count or 0) for count in counts)))
    drawing = Trajectories(
        arms=tuple(arms),
        x_label="Months since day 0",
        y_label="Mean number of events so far",
        ticks=tuple((float(month), str(month)) for month in months),
        count_label="Participants under observation",
    )
    alt = f"{table.title}: a line for each arm that steps up with every event, over {months[-1]} months."
    behind = _behind(source, table, lines, months)
    return FigureBlock(
        f"figure-{table.id}", table.title, drawing, alt, behind, (*table.notes, origin(source, table.id))
    )


def _number(value: Cell) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _steps(lines: list[dict[str, Cell]]) -> Iterator[tuple[float, float]]:
    """Corners of the function: flat between the days of events, up on each of them."""
    points = [(_number(line["day"]) / DAYS_A_MONTH, _number(line["mean"])) for line in lines]
    if points:
        yield points[0]
    for (_, before), (time, after) in pairwise(points):
        yield time, before
        yield time, after


def _at(lines: list[dict[str, Cell]], month: int, name: str) -> float | None:
    """A number of the last step on or before a month; nothing before the first."""
    day = month * DAYS_A_MONTH
    # The last row is the end of observation, some days before or after the planned month.
    before = [line for line in lines if _number(line["day"]) <= day + 0.5]
    return _number(before[-1][name]) if before else None


def _behind(source: ReportSource, table: ResultTable, lines: list[dict[str, Cell]], months: list[int]) -> Table:
    columns = (Column("Months since day 0"), *(Column(style.label, align="right") for _, style in source.groups))
    rows: list[Row] = []
    for month in months:
        values = (_at([line for line in lines if line["arm"] == g], month, "mean") for g, _ in source.groups)
        cells: list[Text] = [Missing(NOBODY) if value is None else digits(value, 2) for value in values]
        rows.append(row(str(month), *cells))
    return Table(f"table-figure-{table.id}", table.title, columns, tuple(rows))
