"""Variables that follow from others and are written for SDTM's readers."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from equipoise.protocol.model import Protocol
from equipoise.records.sdtm.forms import STUDY_DAY, Context, Form

FIRST_UNPLANNED = 1000  # numbers of unplanned and repeated visits begin after it
_SIGNS = {"left": "<", "right": ">", None: ""}
Derivation = Callable[[Context], pl.Series]


def sequence(context: Context) -> pl.Series:
    """--SEQ is counted when all rows of a dataset are together."""
    return pl.Series([None] * context.rows.height, dtype=pl.Int64)


def copy_of(column: str) -> Derivation:
    """The column once more, under another name."""
    return lambda context: context.rows[column]


def where_given(column: str, word: str) -> Derivation:
    """A word wherever the column has a value."""

    def derive(context: Context) -> pl.Series:
        return context.rows.select(pl.when(pl.col(column).is_not_null()).then(pl.lit(word))).to_series()

    return derive


def first_given(column: str, other: str, form: Form) -> Derivation:
    """The column, and where it is missing SDTM's word for the other."""

    def derive(context: Context) -> pl.Series:
        default = form.encode(context.rows[other], context)
        return context.rows.select(pl.coalesce(pl.col(column), pl.lit(default))).to_series()

    return derive


def _numbers(protocol: Protocol) -> dict[str, int]:
    return {visit.id: number for number, visit in enumerate(protocol.visits, start=1)}


def visit_number(context: Context) -> pl.Series:
    """A planned visit's place in the schedule, from 1; of an unscheduled one a finding does not say which it was."""
    numbers = _numbers(context.protocol)
    return pl.Series([numbers.get(visit) for visit in context.rows["visit"].to_list()], dtype=pl.Int64)


def own_visit_number(context: Context) -> pl.Series:
    """As `visit_number`; a subject's unplanned and repeated visits are counted from 1001 on."""
    rows = context.rows.select("participant", "sequence", number=visit_number(context))
    planned = pl.col("number").is_not_null() & (pl.col("sequence") == 1)
    counted = FIRST_UNPLANNED + (~planned).cum_sum().over("participant")
    return rows.select(pl.when(planned).then("number").otherwise(counted.cast(pl.Int64))).to_series()


def planned_day(context: Context) -> pl.Series:
    """The study day for which the visit is planned."""
    days = {visit.id: visit.day for visit in context.protocol.visits}
    planned = pl.Series([days.get(visit) for visit in context.rows["visit"].to_list()], dtype=pl.Int32)
    return STUDY_DAY.encode(planned, context)


def test_label(context: Context) -> pl.Series:
    """The protocol's name of the test; of several with one code in a domain the shortest, as a code has one name."""
    tests = [(a.domain, test.code, a.id, test) for a in context.protocol.findings for test in a.tests]
    names: dict[tuple[str, str], str] = {}
    for domain, code, _, test in tests:
        names[domain, code] = min(names.get((domain, code), test.label), test.label, key=len)
    labels = {(assessment, test.id): names[domain, code] for domain, code, assessment, test in tests}
    pairs = context.rows.select("assessment", "test").iter_rows()
    return pl.Series([labels[pair] for pair in pairs], dtype=pl.String)


def standard_text(context: Context) -> pl.Series:
    """The result in the protocol's unit as text: ``<0.01655`` below a limit; words where there is no number."""
    rows = context.rows.select("value", "censored", "original", "status").iter_rows()
    return pl.Series([_standard_text(*row) for row in rows], dtype=pl.String)


def _standard_text(value: float | None, censored: str | None, original: str | None, status: str) -> str | None:
    if status == "not-done":
        return None
    return original if value is None else f"{_SIGNS[censored]}{value!r}"


def time_point(context: Context) -> pl.Series:
    """The time point in words: ``30 min``."""
    texts = [None if minute is None else f"{minute} min" for minute in context.rows["minute"].to_list()]
    return pl.Series(texts, dtype=pl.String)


def release_test_code(context: Context) -> pl.Series:
    """REL1, REL2, … by the name of the test: the protocol gives release tests no short codes."""
    tests = context.rows["test"].to_list()
    codes = {test: f"REL{number}" for number, test in enumerate(sorted(set(tests)), start=1)}
    return pl.Series([codes[test] for test in tests], dtype=pl.String)
