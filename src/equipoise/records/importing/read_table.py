"""Read CSV, Parquet or a sheet as text, strictly: rows have the header's fields, problems their line."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from equipoise.errors import Problem
from equipoise.records.importing.workbook import SUFFIXES as WORKBOOKS
from equipoise.records.importing.workbook import read_sheet

_UTF_16, _ZIP = (b"\xff\xfe", b"\xfe\xff"), b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class TextTable:
    """The cells of a file as text, stripped of surrounding white space.

    rows: one mapping column -> cell a row; lines: the line in the file on which each row begins, and in a Parquet file
    the number of the row. numeric: columns whose cells are numbers of the file, with a decimal point. mixed: whether
    the other columns may hold such numbers too. notes: what the reader of the import should know.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    lines: tuple[int, ...]
    numeric: frozenset[str] = frozenset()
    mixed: bool = False
    notes: tuple[Problem, ...] = ()


def read_table(
    path: Path, name: str, *, delimiter: str, encoding: str, sheet: str | None = None
) -> tuple[TextTable | None, list[Problem]]:
    """Read the file, Parquet or a workbook by its name, else CSV; None where problems leave nothing to work on.

    Raises SurroundingsError where a workbook needs the extra `excel`.
    """
    suffix = path.suffix.lower()
    if suffix in WORKBOOKS:
        return _workbook(path, name, sheet)
    if sheet is not None:
        remedy = f"Leave `sheet` out, or name a workbook ({', '.join(sorted(WORKBOOKS))})."
        return None, [Problem(name, None, "", "sheet-known", "only a workbook has sheets", remedy)]
    return _parquet(path, name) if suffix == ".parquet" else _csv(path, name, delimiter, encoding)


def _workbook(path: Path, name: str, sheet: str | None) -> tuple[TextTable | None, list[Problem]]:
    try:
        read = read_sheet(path, name, sheet)
    except OSError as error:
        return None, [_absent(name, error)]
    if isinstance(read, Problem):
        return None, [read]
    if not read.rows:
        return None, [Problem(name, 1, "", "csv-header", "the sheet is empty", "Give a sheet with a header row.")]
    used = [place for place in range(len(read.rows[0])) if any(row[place].strip() for row in read.rows)]
    header = tuple(read.rows[0][place].strip() for place in used)
    problems = _header(header, name, "")
    if problems:
        return None, problems
    numbered = [(line, row) for line, row in enumerate(read.rows[1:], 2) if any(cell.strip() for cell in row)]
    rows = tuple(dict(zip(header, (row[place].strip() for place in used), strict=True)) for _, row in numbered)
    numeric = frozenset(column for column, place in zip(header, used, strict=True) if place in read.numeric)
    return TextTable(name, header, rows, tuple(line for line, _ in numbered), numeric, mixed=True, notes=read.notes), []


def _csv(path: Path, name: str, delimiter: str, encoding: str) -> tuple[TextTable | None, list[Problem]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [_absent(name, error)]
    if raw.startswith(_UTF_16) and encoding != "utf-16":
        remedy = "Set `encoding: utf-16` in the map (and a tab as `delimiter`, for Excel's Unicode text)."
        return None, [Problem(name, 1, "", "encoding", "the text is UTF-16", remedy)]
    if raw.startswith(_ZIP):
        remedy = f"Name it by its suffix where it is a workbook ({', '.join(sorted(WORKBOOKS))}), or export it as CSV."
        return None, [Problem(name, 1, "", "encoding", "this is no text but an archive, as workbooks are", remedy)]
    try:
        text = raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        remedy = "Save the file as UTF-8, or set `encoding` in the map to what it is: windows-1252, latin-1, utf-16."
        return None, [Problem(name, line, "", "encoding", f"the text is not {encoding.upper()}", remedy)]
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        return None, [Problem(name, line, "", "encoding", "the file holds a NUL character", "Export it again as text.")]
    return _parsed(text, name, delimiter)


def _absent(name: str, error: OSError) -> Problem:
    what = "there is no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error))
    return Problem(name, None, "", "file-exists", what, "Put the file into the folder, or correct the map.")


def _parquet(path: Path, name: str) -> tuple[TextTable | None, list[Problem]]:
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError as error:
        return None, [_absent(name, error)]
    except (OSError, pl.exceptions.PolarsError) as error:
        message = f"this is no Parquet file that can be read ({str(error).splitlines()[0]})"
        return None, [Problem(name, None, "", "file-readable", message, "Give the file as it was exported.")]
    nested = [column for column, kind in frame.schema.items() if kind.is_nested() or kind in (pl.Binary, pl.Object)]
    if nested:
        message = "the column holds neither text, numbers, days nor truth values"
        return None, [Problem(name, None, column, "column-type", message, "Leave it out.") for column in nested]
    columns = [_as_text(frame[column]) for column in frame.columns]
    header = tuple(frame.columns)
    rows = tuple(dict(zip(header, cells, strict=True)) for cells in zip(*columns, strict=True))
    numeric = frozenset(column for column, kind in frame.schema.items() if kind.is_numeric())
    return TextTable(name, header, rows, tuple(range(1, frame.height + 1)), numeric), []


def _as_text(column: pl.Series) -> list[str]:
    """Cells as text: nothing for missing ones, whole numbers without a point, the shortest text of others."""
    if column.dtype.is_float():
        return ["" if x is None else repr(x).removesuffix(".0") for x in column.fill_nan(None).to_list()]
    if column.dtype == pl.Boolean:
        return ["" if x is None else str(x).lower() for x in column.to_list()]
    return [cell.strip() for cell in column.cast(pl.String).fill_null("").to_list()]


def _parsed(text: str, name: str, delimiter: str) -> tuple[TextTable | None, list[Problem]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    start = 1
    try:
        for row in reader:
            if row:
                rows.append([cell.strip() for cell in row])
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        remedy = "Mend the quotes in this line; a quote inside a quoted cell is doubled."
        return None, [Problem(name, reader.line_num, "", "csv-syntax", str(error), remedy)]
    if not rows:
        return None, [Problem(name, 1, "", "csv-header", "the file is empty", "Give a file with a header row.")]
    header = tuple(rows[0])
    problems += _header(header, name, delimiter)
    if problems:
        return None, problems
    good: list[dict[str, str]] = []
    kept: list[int] = []
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) == len(header):
            good.append(dict(zip(header, row, strict=True)))
            kept.append(line)
        else:
            message = f"the row has {len(row)} fields, the header {len(header)}"
            remedy = "Quote cells that hold the delimiter; leave empty cells between delimiters."
            problems.append(Problem(name, line, "", "csv-fields", message, remedy))
    return TextTable(name, header, tuple(good), tuple(kept)), problems


def _header(header: tuple[str, ...], name: str, delimiter: str) -> list[Problem]:
    others = [mark for mark in (",", ";", "\t") if delimiter and mark != delimiter and mark in header[0]]
    if len(header) == 1 and others:
        message = f"the header is one field; the delimiter seems to be {others[0]!r}, not {delimiter!r}"
        return [Problem(name, 1, "", "csv-delimiter", message, "Set `delimiter` in the map, or export the file again.")]
    problems: list[Problem] = []
    for index, cell in enumerate(header):
        if not cell:
            problems.append(Problem(name, 1, "", "csv-header", f"column {index + 1} has no name", "Name every column."))
        elif cell in header[:index]:
            message = f"the column {cell!r} stands twice"
            problems.append(Problem(name, 1, "", "csv-header", message, "Give each column its own name."))
    return problems
