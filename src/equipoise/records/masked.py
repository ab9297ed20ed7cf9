"""Masked copies of records: some of their parts withheld, by name, so that the copy can be proved a part of the whole.

What is withheld is named by the protocol's ids, never by what the data hold:

    TABLE                         every row of a table: ``lots``
    TABLE/COLUMN                  a column: ``events/term``, ``participants/reason``
    TABLE/COLUMN=VALUE            the rows with a value: ``events/assessment=adverse-events``
    findings/ASSESSMENT/VISIT     the findings of a visit: ``findings/treg/dose-1-48h``, ``findings/treg/unscheduled``
    findings/ASSESSMENT/VISIT/DAY of them those from an elapsed day on, and those without a day

A copy holds no digest of what it lacks, and not the whole's: they could differ by arm. It has a digest of its own. The
proof withholds the same from the whole and compares what is left, part by part.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from equipoise.errors import IntegrityError, Problem
from equipoise.records.classes import BY_NAME
from equipoise.records.records import Records

WITHHELD = "withheld"
"""What a text that every row must have reads in a copy that lacks it."""


def masked_copy(records: Records, lacks: Iterable[str]) -> Records:
    """The records without what is named, on top of what they lack already.

    ValueError: a name that means nothing, a column without which rows cannot be read, or records of version 1.
    """
    if records.version < 2:
        raise ValueError("records of version 1 have no parts: import the data again")
    names = tuple(sorted({*records.lacks, *lacks}))
    tables = dict(records.tables)
    for name in names:
        table, rest = _table_of(name)
        tables[table] = _without(tables[table], table, rest)
    # Whether what is withheld has any rows is withheld too: it was asked for, as the protocol says.
    hidden = {_assessment_of(name) for name in names} & {item.id for item in records.protocol.assessments}
    asked = {*records.collected, *hidden}
    return Records.of(
        records.protocol, tables, collected=asked, lacks=names, under=records.under, earlier=records.earlier
    )


def _assessment_of(name: str) -> str:
    """The assessment whose rows a part is, or holds some of; "" for columns and tables."""
    table, rest = _table_of(name)
    if rest.startswith("assessment="):
        return rest.partition("=")[2]
    return rest.partition("/")[0] if table == "findings" and "/" in rest else ""


def _table_of(name: str) -> tuple[str, str]:
    table, _, rest = name.partition("/")
    if table not in BY_NAME or (table == "participants" and not rest):
        raise ValueError(f"{name!r} is no part of records that can be withheld")
    return table, rest


def _without(rows: pl.DataFrame, table: str, rest: str) -> pl.DataFrame:
    if not rest:
        return rows.clear()
    if "=" in rest:
        column, _, value = rest.partition("=")
        _known(table, column)
        return rows.filter(pl.col(column).cast(pl.String).ne_missing(pl.lit(value)))
    if "/" in rest:
        return _without_findings(rows, table, rest)
    return _without_column(rows, table, rest)


def _without_findings(rows: pl.DataFrame, table: str, rest: str) -> pl.DataFrame:
    assessment, visit, *day = rest.split("/")
    if table != "findings" or len(day) > 1 or (day and not day[0].removeprefix("-").isdecimal()):
        raise ValueError(f"{table}/{rest!r} is no part of records that can be withheld")
    hidden = (pl.col("assessment") == assessment) & (pl.col("visit") == visit)
    if day:
        hidden &= pl.col("day").is_null() | (pl.col("day") >= int(day[0]))
    return rows.filter(~hidden)


def _without_column(rows: pl.DataFrame, table: str, column: str) -> pl.DataFrame:
    item = _known(table, column)
    if column in BY_NAME[table].key or (item.required and (item.words or item.kind is not pl.String)):
        raise ValueError(f"rows of {table} cannot be read without {column!r}: withhold rows, or the table")
    word = WITHHELD if item.required else None
    return rows.with_columns(pl.lit(word, item.kind).alias(column))


def _known(table: str, column: str):  # noqa: ANN202  the column's declaration
    try:
        return BY_NAME[table].column(column)
    except KeyError:
        raise ValueError(f"{table} has no column {column!r}") from None


def proved_part(copy: Records, whole: Records) -> tuple[str, ...]:
    """The names of the copy's parts, each found to be the whole's without what the copy says that it lacks.

    Raises IntegrityError with every part that differs, is missing, or is not the whole's.
    """
    expected = masked_copy(whole, copy.lacks)
    problems = [_difference(name, copy, expected) for name in sorted({*copy.parts, *expected.parts})]
    found = [problem for problem in problems if problem is not None]
    if found:
        raise IntegrityError("the copy is no part of these records", found)
    return tuple(copy.parts)


def _difference(name: str, copy: Records, expected: Records) -> Problem | None:
    mine, theirs = copy.parts.get(name), expected.parts.get(name)
    if mine == theirs:
        return None
    message = "is not in the copy, which does not say so" if mine is None else "is not the whole's"
    message = "is not in the whole" if theirs is None else message
    remedy = "Make the copy anew from the whole records, or find out who changed it."
    return Problem("records.json", None, name, "part-of-the-whole", f"the part {name!r} {message}", remedy)
