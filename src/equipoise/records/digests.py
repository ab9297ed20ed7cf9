"""Digests of records: a tree for `equipoise/records/2`, one digest over whole tables for `equipoise/records/1`.

The leaves of the tree are parts that can be shown or withheld by themselves: findings by assessment and visit; events,
interventions and lots by column; the other tables whole. A column that is empty throughout a part is not in it, and a
table without rows is no part, so optional columns that are added later change no digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping

import polars as pl

from equipoise.records.classes import BY_NAME
from equipoise.source.digest import digest_of_data, digest_of_parts

BY_COLUMN = ("events", "interventions", "lots")
COLLECTED = "collected"
"""The part that names the assessments that were asked for and have no rows."""


def digests_of_parts(tables: Mapping[str, pl.DataFrame], collected: Iterable[str] = ()) -> dict[str, str]:
    """Part -> digest, of tables sorted by their keys.

    ``participants``, ``visits``, ``supplied``, ``findings/ASSESSMENT/VISIT``, ``events/COLUMN`` and so on.
    collected: assessments that were asked for; those with rows say so themselves and are not in the digest.
    """
    parts = {name: digest_of_table(table) for name, table in _parts(tables)}
    silent = sorted(set(collected) - with_rows(tables))
    return parts | ({COLLECTED: digest_of_data(silent)} if silent else {})


def with_rows(tables: Mapping[str, pl.DataFrame]) -> set[str]:
    """The assessments that have rows."""
    named = (table["assessment"] for table in tables.values() if "assessment" in table.columns)
    return {assessment for column in named for assessment in column.unique().to_list()}


def root_of(parts: Mapping[str, str], lacks: Iterable[str] = ()) -> str:
    """The digest over the parts; that of a masked copy covers what it says that it lacks too."""
    lacking = list(lacks)
    return digest_of_data({"parts": dict(parts), "lacks": lacking}) if lacking else digest_of_parts(parts)


def digest_of_version_1(tables: Mapping[str, pl.DataFrame]) -> str:
    """The digest that `equipoise/records/1` has: over every table with the columns that it had, empty ones too."""
    return digest_of_data(
        {
            name: digest_of_table(table.select(BY_NAME[name].columns_of(1)), _cell_by_cell)
            for name, table in tables.items()
        }
    )


def _parts(tables: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    for name, table in tables.items():
        if not table.height:
            continue
        if name == "findings":
            split = table.partition_by(["assessment", "visit"], as_dict=True, maintain_order=True)
            for (assessment, visit), rows in split.items():
                yield f"{name}/{assessment}/{visit}", _filled(rows)
        elif name in BY_COLUMN:
            filled = _filled(table)
            yield from ((f"{name}/{column}", filled.select(column)) for column in filled.columns)
        else:
            yield name, _filled(table)


def _filled(table: pl.DataFrame) -> pl.DataFrame:
    """The columns that hold anything."""
    return table.select(column for column in table.get_columns() if column.null_count() < len(column))


def digest_of_table(table: pl.DataFrame, texts: Callable[[pl.Series], bytes] | None = None) -> str:
    """Names, types, missing cells and values of a table, in a byte order of our own; texts: how they are written."""
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(f"{name}:{column.dtype}:{len(column)};".encode())
        digest.update(column.is_null().to_numpy().astype("u1").tobytes())
        digest.update(_content(column, texts or _texts))
    return "sha256:" + digest.hexdigest()


def _texts(column: pl.Series) -> bytes:
    """The lengths of all cells in bytes, then all cells."""
    lengths = column.str.len_bytes().to_numpy().astype("<u4").tobytes()
    return lengths + "".join(column.to_list()).encode()


def _cell_by_cell(column: pl.Series) -> bytes:
    """Length and text of each cell in turn, as records of version 1 have it."""
    texts = [text.encode() for text in column.to_list()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def _content(column: pl.Series, texts: Callable[[pl.Series], bytes]) -> bytes:
    if column.dtype == pl.String:
        return texts(column.fill_null(""))
    if column.dtype == pl.Float64:
        return column.fill_null(0.0).to_numpy().astype("<f8").tobytes()
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy().astype("u1").tobytes()
    return column.fill_null(0).to_numpy().astype("<i8").tobytes()
