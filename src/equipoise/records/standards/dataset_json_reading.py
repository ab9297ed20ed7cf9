"""CDISC Dataset-JSON 1.1 read, ours or anybody's: JSON, NDJSON (a line a row), or NDJSON compressed (.dsjc).

Source: CDISC, Dataset-JSON specification v1.1 (2024), with its pages on NDJSON and on compression (zlib). Everything
that is wrong in a file is told at once, and no file ends in a traceback, however deep or long it is.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.records.standards.dataset_json import VERSION
from equipoise.records.standards.described import Item, Table

LINES, COMPRESSED = ".ndjson", ".dsjc"
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
_READ: dict[str, type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "float": pl.Float64,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    **dict.fromkeys(("decimal", "datetime", "date", "time", "URI"), pl.String),
}


def read_dataset_json(path: Path) -> Table:
    """Read a file back to the table that was written; its suffix says whether it is JSON, NDJSON or compressed.

    What only Define-XML says (structure, origin, method) is not in the file and comes back empty.
    Raises DataError as `read_with_notes` does.
    """
    return read_with_notes(path)[0]


def read_with_notes(path: Path) -> tuple[Table, tuple[str, ...]]:
    """The table, and what its reader should know: columns of whole numbers that hold others.

    Raises DataError with every problem: no JSON, another version, keys missing, rows that do not fit the columns.
    """
    document, rows = _parsed(path)
    columns = document["columns"]
    kinds = {column["name"]: _READ[column["dataType"]] for column in columns}
    problems = _misfits(path, rows, kinds)
    if document["records"] != len(rows):
        message = f"the file says {shown(document['records'])} records and holds {len(rows)} rows"
        problems.append(Problem(path.name, None, "records", "json-records", message, "Export it again: rows are lost."))
    if problems:
        raise DataError(f"the dataset {path} cannot be read", problems)
    cells = {name: [row[place] for row in rows] for place, name in enumerate(kinds)}
    fractions = {name: first for name, kind in kinds.items() if (first := _fraction(cells[name], kind)) is not None}
    kinds |= dict.fromkeys(fractions, pl.Float64)
    notes = (f"{name} is said to be of whole numbers and holds {first!r}" for name, first in fractions.items())
    frame = pl.DataFrame({name: _series(name, cells[name], kind) for name, kind in kinds.items()})
    items = tuple(_item(column) for column in columns)
    keyed = sorted((column["keySequence"], column["name"]) for column in columns if "keySequence" in column)
    keys = tuple(name for _, name in keyed)
    return Table(document["name"], document["label"], "other", "", keys, items, frame), tuple(notes)


def is_dataset_json(path: Path) -> bool:
    """Whether a JSON file says of itself that it holds a dataset; so does one that cannot be parsed.

    Other programs' JSON (results, a study's definition) may lie beside datasets.
    """
    if path.suffix.lower() != ".json":
        return True
    try:
        data = path.read_bytes()
        document = {} if b'"datasetJSONVersion"' in data[:_BEGINNING] else _loads(data)
    except (OSError, ValueError, RecursionError):
        return True
    if document == {}:
        return True
    return not isinstance(document, dict) or any(key in document for key in _OF_A_DATASET)


_BEGINNING, _ZLIB_OR_GZIP = 4096, 47
_OF_A_DATASET = ("datasetJSONVersion", "itemGroupOID", "columns", "rows", "clinicalData", "referenceData")
"""The last two are of version 1.0, which is refused by name."""


def _fraction(cells: list[Any], kind: type[pl.DataType]) -> float | None:
    """The first number of a column of whole numbers that is none."""
    if kind != pl.Int64:
        return None
    return next((cell for cell in cells if isinstance(cell, float) and not cell.is_integer()), None)


def _series(name: str, cells: list[Any], kind: type[pl.DataType]) -> pl.Series:
    wholes = [None if cell is None else int(cell) for cell in cells] if kind == pl.Int64 else cells
    return pl.Series(name, wholes, dtype=kind)


def _item(column: Mapping[str, Any]) -> Item:
    kind = column["dataType"]
    plain = kind in {"string", "integer", "float", "double", "boolean"}
    return Item(column["name"], column["label"], data_type="" if plain else kind)


def _parsed(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The document, whose keys and columns are as they must be, and its rows."""
    try:
        data = path.read_bytes()
        if path.suffix.lower() in {LINES, COMPRESSED}:
            document, *rows = _by_line(_whole(data) if path.suffix.lower() == COMPRESSED else data)
        else:
            document = _loads(data)
            rows = document.get("rows", []) if isinstance(document, dict) else []
    except (OSError, ValueError, RecursionError, zlib.error) as error:
        message = "the values are nested too deeply" if isinstance(error, RecursionError) else str(error)
        problem = Problem(path.name, None, "", "json-readable", message, "Export it again as UTF-8 JSON.")
        raise DataError(f"the dataset {path} cannot be read", [problem]) from None
    problems = _malformed(path, document, rows)
    if problems:
        raise DataError(f"the dataset {path} is not Dataset-JSON 1.1", problems)
    return document, rows


def _whole(data: bytes) -> bytes:
    """What was compressed by zlib, as the specification says, or by gzip, as CDISC's own examples are."""
    stream = zlib.decompressobj(wbits=_ZLIB_OR_GZIP)
    text = stream.decompress(data)
    if not stream.eof:
        message = "the compressed data were cut off"
        raise ValueError(message)
    return text


def _by_line(data: bytes) -> list[Any]:
    """The values of NDJSON, one a line; the first is the document without its rows."""
    found: list[Any] = []
    for number, line in enumerate(data.rstrip().split(b"\n"), 1):
        try:
            found.append(_loads(line))
        except ValueError as error:
            message = f"in line {number}: {error}"
            raise ValueError(message) from None
    return found


def _loads(data: bytes) -> Any:
    return json.loads(data, parse_constant=_no_number)


def _no_number(word: str) -> NoReturn:
    message = f"JSON has no number {word}"
    raise ValueError(message)


def _malformed(path: Path, document: Any, rows: Any) -> list[Problem]:
    def problem(where: str, rule: str, message: str, remedy: str, value: object = None) -> Problem:
        return Problem(path.name, None, where, rule, message, remedy, None if value is None else shown(value))

    if not isinstance(document, dict):
        return [problem("", "json-object", "the file holds no object", "Write one dataset a file.")]
    found = [
        problem(key, "json-key", "the key is missing", "Dataset-JSON 1.1 requires it.")
        for key in REQUIRED
        if key not in document
    ]
    found += [
        problem(key, "json-key", "the value is no text", "Write it in quotes.", document[key])
        for key in ("name", "label")
        if not _is_text(document.get(key, ""))
    ]
    version = document.get("datasetJSONVersion", VERSION)
    if not isinstance(version, str) or not (version == "1.1" or version.startswith("1.1.")):
        found.append(problem("datasetJSONVersion", "json-version", "another version", "Convert it to 1.1.", version))
    columns = document.get("columns", [])
    if not isinstance(columns, list) or not isinstance(rows, list):
        return [*found, problem("columns", "json-key", "columns and rows are not lists", "Write both as arrays.")]
    found += [problem(*one) for place, column in enumerate(columns) for one in _of_column(place, column)]
    names = [column.get("name") for column in columns if isinstance(column, dict)]
    if len(set(map(str, names))) < len(names):
        found.append(problem("columns", "json-columns", "two columns have one name", "Name each column once."))
    return found


def _of_column(place: int, column: Any) -> Iterator[tuple[str, str, str, str, object]]:
    """What is wrong with the description of a column: where, rule, message, remedy and value."""
    given = column if isinstance(column, dict) else {}
    for key in REQUIRED_OF_COLUMN:
        if not _is_text(given.get(key)):
            yield f"columns.{place}.{key}", "json-key", "the key is missing or no text", "Every column has it.", None
    kind = given.get("dataType", "string")
    if not isinstance(kind, str) or kind not in _READ:
        yield f"columns.{place}.dataType", "json-type", "no such type", f"Use one of {', '.join(_READ)}.", kind
    order = given.get("keySequence", 1)
    if not isinstance(order, int) or isinstance(order, bool):
        where, remedy = f"columns.{place}.keySequence", "Number the keys from 1."
        yield where, "json-key", "the value is no whole number", remedy, order


def _is_text(value: object) -> bool:
    """Whether a value is a text that UTF-8 can hold: JSON can write halves of characters, which are none."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


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
            if cell is not None and not _FITS[kind](cell):
                message, remedy = "the cell is not of the column's type", "Correct the cell or the column's dataType."
                problems.append(Problem(path.name, number, name, "json-cell", message, remedy, shown(cell)))
    return problems


def _is_whole(cell: object) -> bool:
    """A whole number of 64 bits, also where it is written 1.0; a fraction is told and kept."""
    if isinstance(cell, float):
        return abs(cell) < _MOST
    return isinstance(cell, int) and not isinstance(cell, bool) and -_MOST <= cell < _MOST


def _is_number(cell: object) -> bool:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return abs(cell) < _LARGEST
    return isinstance(cell, float) and abs(cell) < float("inf")


_MOST, _LARGEST = 2**63, 10**308
_FITS: Mapping[type[pl.DataType], Callable[[object], bool]] = {
    pl.String: _is_text,
    pl.Int64: _is_whole,
    pl.Float64: _is_number,
    pl.Boolean: lambda cell: isinstance(cell, bool),
}
