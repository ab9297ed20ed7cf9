"""Post-hoc precision: how wide the main intervals are, and what such a trial would find four times in five.

From the standard error and the degrees of freedom of each main result: the half-width of its interval, and the effect
that such a trial detects with a probability of 80 %, (t at 1 - alpha/2 + t at 0.8) standard errors. Nothing in it
depends on which effect was found.
"""

from __future__ import annotations

from equipoise.analysis.results import Result, ResultTable, TableColumn
from equipoise.analysis.verdicts import CONFIRMATORY
from equipoise.protocol.model import Protocol
from equipoise.stats.tails import student_quantile

TABLE = "precision"
POWER = 0.8
COLUMNS = (
    TableColumn("result", "Result"),
    TableColumn("half_width", "Half-width of its interval"),
    TableColumn("detectable", "Effect found in 80 % of such trials"),
    TableColumn("smallest_important", "Smallest effect that matters"),
)
NOTES = (
    "On the scale of the result.",
    "The effect found in 80 % of trials is (t at 1 - alpha/2 + t at 0.8) standard errors of this trial.",
)


def precision_table(protocol: Protocol, results: tuple[Result, ...]) -> ResultTable | None:
    """A row for each result of a confirmatory family that has a standard error; nothing where there is none."""
    rows = tuple(
        (item.id, *_sizes(item), protocol.estimand(str(item.estimand)).smallest_important)
        for item in results
        if item.role in CONFIRMATORY and item.family is not None and item.standard_error is not None
    )
    return (
        ResultTable(TABLE, "Post-hoc precision: what the standard errors of this trial can show", COLUMNS, rows, NOTES)
        if rows
        else None
    )


def _sizes(item: Result) -> tuple[float, float]:
    """Half-width and detectable effect."""
    error, df = float(item.standard_error or 0.0), item.df
    tail = student_quantile(1 - (1 - item.level) / 2, df)
    return tail * error, (tail + student_quantile(POWER, df)) * error
