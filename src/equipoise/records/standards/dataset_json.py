"""CDISC Dataset-JSON 1.1: one JSON object a dataset, columns with metadata, rows as arrays; lossless both ways.

Source: CDISC, Dataset-JSON specification v1.1 (2024). Texts stay texts, the empty text apart from the missing one;
a number is written with the shortest digits that read back to the same 64 bits. JSON has no infinity: it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.records.standards.described import FIXED_TIME, Item, Table

VERSION = "1.1.0"
REQUIRED = (
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "itemGroupOID",
    "records",
    "name",
    "label",
    "columns",
)
REQUIRED_OF_COLUMN = ("itemOID", "name", "label", "dataType")
_WRITTEN = {pl.String: "string", pl.Int64: "integer", pl.Float64: "double", pl.Boolean: "boolean"}
_READ: dict[str, type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "float": pl.Float64,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    **dict.fromkeys(("decimal", "datetime", "date", "time", "URI"), pl.String),
}
_CELLS: dict[type[pl.DataType], tuple[type, ...]] = {
    pl.String: (str,),
    pl.Int64: (int,),
    pl.Float64: (int, float),
    pl.Boolean: (bool,),
}


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


def read_dataset_json(path: Path) -> Table:
    """Read a file back to the table that was written.

    What only Define-XML says (structure, origin, method) is not in the file and comes back empty.
    Raises DataError with every problem: no JSON, another version, keys missing, rows that do not fit the columns.
    """
    document = _parsed(path)
    columns = document["columns"]
    kinds = {column["name"]: _READ[column["dataType"]] for column in columns}
    rows = document.get("rows", [])
    problems = _misfits(path, rows, kinds)
    if document["records"] != len(rows):
        message = f"the file says {document['records']} records and holds {len(rows)} rows"
        problems.append(Problem(path.name, None, "records", "json-records", message, "Export it again: rows are lost."))
    if problems:
        raise DataError(f"the dataset {path} cannot be read", problems)
    frame = pl.DataFrame(
        {name: pl.Series([row[place] for row in rows], dtype=kind) for place, (name, kind) in enumerate(kinds.items())}
    )
    items = tuple(_item(column) for column in columns)
    keyed = sorted((column["keySequence"], column["name"]) for column in columns if "keySequence" in column)
    keys = tuple(name for _, name in keyed)
    return Table(document["name"], document["label"], "other", "", keys, items, frame)


def _item(column: Mapping[str, Any]) -> Item:
    kind = column["dataType"]
    plain = kind in {"string", "integer", "float", "double", "boolean"}
    return Item(column["name"], column["label"], data_type="" if plain else kind)


def _parsed(path: Path) -> dict[str, Any]:
    """The document, whose keys and columns are as they must be."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        problem = Problem(path.name, None, "", "json-readable", str(error), "Export it again as UTF-8 JSON.")
        raise DataError(f"the dataset {path} cannot be read", [problem]) from None
    problems = _malformed(path, document)
    if problems:
        raise DataError(f"the dataset {path} is not Dataset-JSON 1.1", problems)
    return document


def _malformed(path: Path, document: Any) -> list[Problem]:
    def problem(where: str, rule: str, message: str, remedy: str, value: object = None) -> Problem:
        return Problem(path.name, None, where, rule, message, remedy, None if value is None else shown(value))

    if not isinstance(document, dict):
        return [problem("", "json-object", "the file holds no object", "Write one dataset a file.")]
    found = [
        problem(key, "json-key", "the key is missing", "Dataset-JSON 1.1 requires it.")
        for key in REQUIRED
        if key not in document
    ]
    version = document.get("datasetJSONVersion", VERSION)
    if not isinstance(version, str) or not (version == "1.1" or version.startswith("1.1.")):
        found.append(problem("datasetJSONVersion", "json-version", "another version", "Convert it to 1.1.", version))
    columns, rows = document.get("columns", []), document.get("rows", [])
    if not isinstance(columns, list) or not isinstance(rows, list):
        return [*found, problem("columns", "json-key", "columns and rows are not lists", "Write both as arrays.")]
    for place, column in enumerate(columns):
        given = column if isinstance(column, dict) else {}
        found += [
            problem(f"columns.{place}.{key}", "json-key", "the key is missing or no text", "Every column has it.")
            for key in REQUIRED_OF_COLUMN
            if not isinstance(given.get(key), str)
        ]
        if given.get("dataType", "string") not in _READ:
            remedy = f"Use one of {', '.join(_READ)}."
            where = f"columns.{place}.dataType"
            found.append(problem(where, "json-type", "no such type", remedy, given["dataType"]))
    names = [column.get("name") for column in columns if isinstance(column, dict)]
    if len(set(map(str, names))) < len(names):
        found.append(problem("columns", "json-columns", "two columns have one name", "Name each column once."))
    return found


def _misfits(path: Path, rows: list[Any], kinds: Mapping[str, type[pl.DataType]]) -> list[Problem]:
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != len(kinds):
            message, remedy = (
                f"the row does not have {len(kinds)} cells",
                "Write a cell for each column, null if empty.",
            )
            problems.append(Problem(path.name, number, "rows", "json-row", message, remedy))
            continue
        for cell, (name, kind) in zip(row, kinds.items(), strict=True):
            truth = isinstance(cell, bool) and kind != pl.Boolean
            if cell is not None and (truth or not isinstance(cell, _CELLS[kind])):
                message, remedy = "the cell is not of the column's type", "Correct the cell or the column's dataType."
                problems.append(Problem(path.name, number, name, "json-cell", message, remedy, shown(cell)))
    return problems
