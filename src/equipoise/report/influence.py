"""How much hangs on single participants: the table beside the verdicts."""

from __future__ import annotations

import math

from equipoise.analysis.influence import TABLE
from equipoise.analysis.results import Result
from equipoise.documents.model import Cell, Column, Row, Table, row
from equipoise.documents.numbers import degrees, fixed, interval
from equipoise.documents.runs import Missing, Text
from equipoise.report.shown import Shown, name_of, shown, why_missing, why_no_spread
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin


def influence_table(source: ReportSource) -> Table | None:
    """The table as a reader sees it, on the scale on which estimates are shown; None where there is none."""
    found = next((table for table in source.results.tables if table.id == TABLE), None)
    if found is None:
        return None
    labels = [arm.label for arm in source.protocol.arms]
    columns = (
        Column("Comparison"),
        Column("df", align="right"),
        Column(f"Missing: {' / '.join(labels)}"),
        Column("Estimate without one participant"),
        Column("Whose absence changes the verdict"),
        Column("Excluded beyond (unadjusted)", align="right"),
    )
    names = [column.id for column in found.columns]
    rows: list[Row] = []
    for cells in found.rows:
        value = dict(zip(names, cells, strict=True))
        result = source.results.result(str(value["result"]))
        number = shown(source, result)
        low, high, bound = (_shown(number, value[name]) for name in ("lowest", "highest", "excluded"))
        span: Text = (
            Missing(why_missing(result)) if low is None else interval(low, high, number.decimals).replace(", ", " to ")
        )
        changed = value["changed_by"]
        rows.append(
            row(
                Cell(name_of(source, result), result.id),
                degrees(value["df"] if isinstance(value["df"], float) else None, why_no_spread(result)),
                _missing(source, result),
                span,
                Missing(why_missing(result)) if changed is None else str(changed),
                (fixed(bound, number.decimals, why_missing(result)), number.number_unit),
            )
        )
    notes = (*found.notes[:2], *found.notes[3:], origin(source, TABLE))  # the scale is that of the result here
    return Table("table-influence", found.title, columns, tuple(rows), notes)


def _shown(number: Shown, value: object) -> float | None:
    if not isinstance(value, float):
        return None
    return math.exp(value) if number.factor is None else number.factor * value


def _missing(source: ReportSource, result: Result) -> str:
    return " / ".join(str(result.n_missing.get(arm.id, 0)) for arm in source.protocol.arms)
