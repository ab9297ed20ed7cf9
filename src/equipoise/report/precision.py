"""What a trial of this size can show, on the report's first page."""

from __future__ import annotations

import math

from equipoise.analysis.precision import TABLE
from equipoise.analysis.results import Cell as Value
from equipoise.documents.model import Cell, Column, Paragraph, Row, Table, row
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Text
from equipoise.report.shown import Shown, name_of, shown
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin

MOST = 60
"""Up to so many participants a report begins with what they can show."""


def precision_blocks(source: ReportSource) -> tuple[Paragraph | Table, ...]:
    """A sentence and a table; nothing in a blinded or a large trial, or without a main result."""
    found = next((table for table in source.results.tables if table.id == TABLE), None)
    if found is None or source.blinded:
        return ()
    people = max(sum(source.results.result(str(line[0])).n.values()) for line in found.rows)
    if people > MOST:
        return ()
    columns = (
        Column("Comparison"),
        Column("Interval reaches", "to each side", "right"),
        Column("True effect found in 80% of trials", "with this standard error", "right"),
        Column("Smallest that matters", align="right"),
    )
    rows = tuple(_row(source, *line) for line in found.rows)
    text = (
        f"Post-hoc precision of {people} people: computed from the standard errors of this trial's own estimates, not "
        "planned beforehand, and whatever was found. Smaller effects than these are likely to be missed."
    )
    return (Paragraph(text), Table("table-precision", found.title, columns, rows, (origin(source, TABLE),)))


def _row(source: ReportSource, name: Value, half: Value, detectable: Value, matters: Value) -> Row:
    result = source.results.result(str(name))
    number = shown(source, result)
    return row(
        Cell(name_of(source, result), result.id), _size(number, half), _size(number, detectable), _size(number, matters)
    )


def _size(number: Shown, value: Value) -> Text:
    """A distance on the scale of the estimate; for a ratio, a factor."""
    if not isinstance(value, float | int):
        return "not stated"
    if number.factor is None:
        return f"times or over {digits(math.exp(value), 2)}"
    return f"{digits(number.factor * value, number.decimals)}{number.number_unit}"
