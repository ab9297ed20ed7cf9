"""Datasets as files: Parquet, or CSV that tells a missing cell from an empty text and keeps every number's last bit.

In CSV every text stands in quotes and no number does; between two delimiters without anything the cell is missing, and
``""`` is an empty text. No word has a meaning of its own (``NULL``, ``NaN``), and nothing is stripped. Parquet says all
this by itself. Problems name the line in a CSV file and the row, counted from 1, in a Parquet file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars as pl

from equipoise.errors import Problem
from equipoise.records.sdtm.forms import as_text

KINDS = ("parquet", "csv")
LINE = "line of the file"
_CELL = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^",\r\n]*+))(,|\r?\n|\Z)')


@dataclass(frozen=True, slots=True)
class Sheet:
    """A dataset as it stands in its file, with the line of each row in the column LINE."""

    name: str
    frame: pl.DataFrame

    def problem(self, line: int | None, path: str, rule: str, message: str, remedy: str) -> Problem:
        return Problem(self.name, line, path, rule, message, remedy)


def writer_of(frame: pl.DataFrame, kind: str) -> Callable[[IO[bytes]], object]:
    """A function that writes the frame to a binary stream."""
    if kind == "parquet":
        return lambda stream: frame.write_parquet(stream, compression="zstd", statistics=False)
    return lambda stream: stream.write(_csv(frame).encode())


def _csv(frame: pl.DataFrame) -> str:
    cells = [_quoted(column) if column.dtype == pl.String else as_text(column) for column in frame.get_columns()]
    columns = [cell.fill_null("").to_list() for cell in cells]
    rows = [",".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([",".join(frame.columns), *rows]) + "\n"


def _quoted(texts: pl.Series) -> pl.Series:
    return '"' + texts.str.replace_all('"', '""', literal=True) + '"'


def read_sheet(path: Path) -> tuple[Sheet | None, list[Problem]]:
    """Read a file by its suffix; None where nothing of it can be used."""
    sheet = Sheet(path.name, pl.DataFrame())
    if not path.is_file():
        remedy = "Put the file into the folder; a dataset without rows is a file with its header."
        return None, [sheet.problem(None, "", "file-exists", "there is no such file", remedy)]
    try:
        frame, problems = _parsed(path, sheet) if path.suffix.lower() == ".csv" else _typed(path, sheet)
    except UnicodeDecodeError:
        return None, [sheet.problem(None, "", "encoding", "the text is not UTF-8", "Save the file as UTF-8.")]
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"the file cannot be read: {str(error).splitlines()[0]}"
        return None, [sheet.problem(None, "", "file-readable", message, "Export it again.")]
    return (None if problems else Sheet(path.name, frame)), problems


def _typed(path: Path, sheet: Sheet) -> tuple[pl.DataFrame, list[Problem]]:
    frame = pl.read_parquet(path, glob=False)
    remedy = "Write the variable as text or as a number."
    problems = [
        sheet.problem(None, name, "column-type", f"the variable is {kind}", remedy)
        for name, kind in frame.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    return frame.drop(LINE, strict=False).with_row_index(LINE, offset=1), problems


def _parsed(path: Path, sheet: Sheet) -> tuple[pl.DataFrame, list[Problem]]:
    text = path.read_bytes().decode("utf-8-sig")
    rows, lines, problem = _cells(text, sheet)
    if problem is not None:
        return pl.DataFrame(), [problem]
    header = [cell or "" for cell in rows[0]] if rows else [""]
    if len(set(header)) < len(header) or "" in header:
        message, remedy = "the header has empty or repeated names", "Name every column once, in the first line."
        return pl.DataFrame(), [sheet.problem(1, "", "csv-header", message, remedy)]
    problems = [
        sheet.problem(
            line,
            "",
            "csv-fields",
            f"the row has {len(row)} fields, the header {len(header)}",
            "Quote texts that hold commas, quotes or new lines.",
        )
        for row, line in zip(rows[1:], lines[1:], strict=True)
        if len(row) != len(header)
    ]
    if problems:
        return pl.DataFrame(), problems
    columns = dict(zip(header, zip(*rows[1:], strict=True), strict=True)) if rows[1:] else dict.fromkeys(header, ())
    schema = dict.fromkeys(header, pl.String)
    return pl.DataFrame(columns, schema=schema).with_columns(pl.Series(LINE, lines[1:], dtype=pl.Int64)), problems


def _cells(text: str, sheet: Sheet) -> tuple[list[list[str | None]], list[int], Problem | None]:
    """The cells of each row and the line on which it begins."""
    rows: list[list[str | None]] = []
    lines: list[int] = []
    row: list[str | None] = []
    at, line, begun = 0, 1, 1
    while at < len(text):
        match = _CELL.match(text, at)
        if match is None:
            message = "a quote is not closed, or stands in the middle of a cell"
            remedy = "Put the whole text in quotes and double the quotes in it."
            return rows, lines, sheet.problem(line, "", "csv-syntax", message, remedy)
        quoted, plain, end = match.groups()
        row.append(quoted.replace('""', '"') if quoted is not None else plain or None)
        line += match.group().count("\n")
        at = match.end()
        if end != "," or at == len(text):
            if end == ",":
                row.append(None)
            rows.append(row)
            lines.append(begun)
            row, begun = [], line
    return rows, lines, None
