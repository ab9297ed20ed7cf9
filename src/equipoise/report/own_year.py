"""Each group's own year beside untreated people, as a table that says what it cannot show."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.results import Cell
from equipoise.documents.model import Column, Row, Table, row
from equipoise.documents.numbers import digits, estimate
from equipoise.documents.runs import Missing, Text
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin

METHOD = "untreated-course"
NOBODY = "nobody has both values"


def own_year_tables(source: ReportSource) -> Iterator[Table]:
    """A table for each analysis of this kind."""
    tables = {table.id: table for table in source.results.tables}
    columns = (
        Column("Group"),
        Column("What, from when to when"),
        Column("n", align="right"),
        Column("Mean change", align="right"),
        Column("Expected untreated", align="right"),
        Column("Difference (95% interval)", align="right"),
    )
    for item in source.protocol.analyses:
        if item.method == METHOD and item.id in tables and tables[item.id].rows:
            names = [column.id for column in tables[item.id].columns]
            rows = tuple(_row(source, dict(zip(names, line, strict=True))) for line in tables[item.id].rows)
            notes = (*tables[item.id].notes, origin(source, item.id))
            yield Table(f"table-{item.id}", tables[item.id].title, columns, rows, notes)


def _row(source: ReportSource, line: dict[str, Cell]) -> Row:
    protocol = source.protocol
    parameter = protocol.parameter(str(line["parameter"]))
    places = parameter.decimals + 1 if parameter.decimals < 2 else parameter.decimals
    start, end = (protocol.visit(str(line[name])).label for name in ("start", "end"))
    difference, lower, upper = (_number(line[name]) for name in ("difference", "lower", "upper"))
    return row(
        protocol.arm(str(line["arm"])).label,
        f"{parameter.label}, {start} to {end}",
        str(line["n"]),
        _shown(line["observed"], places),
        _shown(line["expected"], places),
        estimate(difference, lower, upper, places, NOBODY),
    )


def _number(value: Cell) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _shown(value: Cell, places: int) -> Text:
    number = _number(value)
    return Missing(NOBODY) if number is None else digits(number, places)
