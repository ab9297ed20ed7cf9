"""Tables beside the adverse events: what was given, rates compared between arms, shifts of the laboratory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from equipoise.analysis.recorded import NOT_RECORDED
from equipoise.analysis.results import Cell, ResultTable
from equipoise.documents.model import Block, Column, Row, Table, row
from equipoise.documents.numbers import digits, estimate
from equipoise.documents.runs import Missing, Text
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin

NO_EVENT = "no event in either arm"
NONE_KNOWN = "nothing to describe"


def harm_tables(source: ReportSource) -> Iterator[Block]:
    """The tables of every analysis of exposure, event rates and shifts, in the protocol's order."""
    tables = {table.id: table for table in source.results.tables}
    makers = {"exposure": _exposure, "event-rates": _rates, "shift-table": _shifts}
    for item in source.protocol.analyses:
        if item.method in makers and item.id in tables and tables[item.id].rows:
            yield makers[item.method](source, tables[item.id])


def _number(value: Cell) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _fine(values: list[float | None]) -> int:
    """Decimals for numbers of this size: three figures, and none for large ones."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 0 if largest >= 100 else 1 if largest >= 10 else 2


def _exposure(source: ReportSource, table: ResultTable) -> Table:
    """Counts as they are; of numbers mean (SD), range and how many."""
    names = [column.label for column in table.columns[5:]]
    columns = (Column(""), *(Column(name, align="right") for name in names))
    rows: list[Row] = []
    for (period, item, unit), lines in groupby(table.rows, key=lambda line: (line[1], line[2], line[3])):
        numbers = {str(line[4]): [_number(cell) for cell in line[5:]] for line in lines}
        label = f"{item}, {unit}" if unit else str(item)
        if "count" in numbers:
            rows.append(row(label, *(_count(value) for value in numbers["count"]), group=str(period)))
            continue
        each = [{name: values[i] for name, values in numbers.items()} for i in range(len(names))]
        places = _fine([one["maximum"] for one in each if one.get("maximum") is not None])
        rows.append(row(label, *(_mean(one) for one in each), group=str(period)))
        rows.append(row("lowest to highest", *(_range(one, places) for one in each), indent=1, group=str(period)))
    notes = ("Numbers of infusions are mean (SD).", *table.notes, origin(source, table.id))
    return Table(f"table-{table.id}", table.title, columns, tuple(rows), notes)


def _count(value: float | None) -> Text:
    return Missing(NOT_RECORDED) if value is None else digits(value, 0)


def _mean(numbers: dict[str, float | None]) -> Text:
    mean, spread = numbers.get("mean"), numbers.get("sd")
    if mean is None:
        return Missing(NONE_KNOWN)
    places = _fine([mean])
    return f"{digits(mean, places)} ({digits(spread, places)})" if spread is not None else digits(mean, places)


def _range(numbers: dict[str, float | None], places: int) -> Text:
    low, high = numbers.get("minimum"), numbers.get("maximum")
    if low is None or high is None:
        return Missing(NONE_KNOWN)
    return f"{digits(low, places)} to {digits(high, places)}"


def _rates(source: ReportSource, table: ResultTable) -> Table:
    """Participants and events with person-years of both arms, and the two comparisons."""
    names = [column.id for column in table.columns]
    arms = [table.columns[1].label.partition(":")[0], table.columns[5].label.partition(":")[0]]
    columns = (
        Column("Events"),
        *(Column("Participants; events / years", align="right", group=arm) for arm in arms),
        Column("Difference of first-event rates", "per year", "right"),
        Column("Ratio of rates", align="right"),
    )
    rows = [_rate(dict(zip(names, line, strict=True))) for line in table.rows]
    notes = (*table.notes, origin(source, table.id))
    return Table(f"table-{table.id}", table.title, columns, tuple(rows), notes)


def _rate(line: dict[str, Cell]) -> Row:
    def side(name: str) -> str:
        people, events = (digits(_number(line[f"{name}/{what}"]) or 0.0, 0) for what in ("participants", "events"))
        return f"{people}; {events} / {digits(_number(line[f'{name}/years']) or 0.0, 1)}"

    def compared(name: str) -> Text:
        value, low, high = (_number(line[f"{name}/{what}"]) for what in ("estimate", "lower", "upper"))
        if name == "all" and value is None and low is not None:
            # The reference arm has no event: the ratio has a lower limit alone.
            return f"above {digits(low, 2)}"
        if name == "all" and value == 0 and low in (None, 0) and high is not None:
            # The active arm has none: an upper limit alone.
            return f"below {digits(high, 2)}"
        return estimate(value, low, high, 2, NO_EVENT)

    label = str(line["kind"])
    if label == NOT_RECORDED:
        return row("Any", *(Missing(NOT_RECORDED) for _ in range(4)))
    return row(
        label.capitalize() if label == label.lower() else label,
        side("active"),
        side("reference"),
        compared("first"),
        compared("all"),
    )


def _shifts(source: ReportSource, table: ResultTable) -> Table:
    """From the category at baseline to the worst afterwards, by parameter."""
    columns = (
        Column("At baseline, to the worst"),
        *(Column(column.label, align="right") for column in table.columns[5:]),
    )
    rows = tuple(
        row(
            f"{line[3]} to {line[4]}",
            *(digits(_number(cell) or 0.0, 0) for cell in line[5:]),
            group=f"{line[1]}, {line[2]}" if line[2] else str(line[1]),
        )
        for line in table.rows
    )
    notes = (*table.notes, origin(source, table.id))
    return Table(f"table-{table.id}", table.title, columns, rows, notes)
