"""CDISC Dataset-JSON 1.1 written: one JSON object a dataset, columns with metadata, rows as arrays; lossless.

Source: CDISC, Dataset-JSON specification v1.1 (2024). Texts stay texts, the empty text apart from the missing one;
a number is written with the shortest digits that read back to the same 64 bits. JSON has no infinity: it is refused.
"""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.records.standards.described import FIXED_TIME, Item, Table

VERSION = "1.1.0"
_WRITTEN = {pl.String: "string", pl.Int64: "integer", pl.Float64: "double", pl.Boolean: "boolean"}


def to_dataset_json(table: Table, study: str, *, created: datetime = FIXED_TIME) -> str:
    """The dataset as the text of a Dataset-JSON file.

    study: the protocol's id. created: the file's time, a constant unless given, so that equal data give equal bytes.
    Raises DataError for numbers that are not finite and columns that are neither text, number nor truth value.
    """
    _require_writable(table)
    document = {
        "datasetJSONCreationDateTime": created.isoformat(timespec="seconds"),
        "datasetJSONVersion": VERSION,
        "originator": "equipoise",
        "studyOID": f"ST.{study}",
        "metaDataVersionOID": f"MDV.{study}",
        "itemGroupOID": table.oid,
        "records": table.frame.height,
        "name": table.name,
        "label": table.label,
        "columns": [_column(table, item) for item in table.items],
    }
    head = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False).removesuffix("\n}")
    rows = ",\n".join(f"    {json.dumps(row, ensure_ascii=False, allow_nan=False)}" for row in table.frame.iter_rows())
    return f'{head},\n  "rows": [\n{rows}\n  ]\n}}\n' if rows else f'{head},\n  "rows": []\n}}\n'


def _column(table: Table, item: Item) -> dict[str, str | int]:
    values = table.frame[item.name]
    described: dict[str, str | int] = {
        "itemOID": table.item_oid(item.name),
        "name": item.name,
        "label": item.label,
        "dataType": item.data_type or _WRITTEN[type(values.dtype)],
    }
    if values.dtype == pl.String:
        described["length"] = longest(values)
    if item.name in table.keys:
        described["keySequence"] = table.keys.index(item.name) + 1
    return described


def longest(values: pl.Series) -> int:
    """Characters of the longest text, at least 1."""
    return max(1, int(values.str.len_chars().max() or 0))  # pyright: ignore[reportArgumentType]  lengths are whole


def _require_writable(table: Table) -> None:
    problems: list[Problem] = []
    for name, kind in table.frame.schema.items():
        values = table.frame[name]
        if type(kind) not in _WRITTEN:
            message, remedy = f"the variable is {kind}", "Convert it to text, a number or a truth value."
            problems.append(Problem(table.name, None, name, "json-type", message, remedy))
        elif kind == pl.Float64:
            wrong = ~values.is_finite().fill_null(value=True)
            problems += [
                Problem(
                    table.name, row + 1, name, "json-finite", "JSON has no such number", "Leave it empty.", shown(v)
                )
                for row, v in zip(wrong.arg_true().to_list(), values.filter(wrong).to_list(), strict=True)
            ]
    if problems:
        raise DataError(f"{table.name} cannot be written as Dataset-JSON", problems)
