"""SAS transport files, version 5: what the format cannot hold is refused with its place, and nothing is ever cut.

Source: SAS technical support document TS-140, "The record layout of a SAS version 5 or 6 data set in SAS transport
format", and the limits that regulators add to it (ASCII, names of letters, digits and underscores).
The format has no empty text apart from a missing one (both come back missing) and no sign of zero. In these two
respects alone it is not lossless.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import polars as pl

from equipoise.errors import DataError, Problem, shown
from equipoise.records.standards.described import FIXED_TIME, Table
from equipoise.records.standards.transport import pyreadstat, read_transport

NAME_CHARACTERS, LABEL_CHARACTERS, TEXT_BYTES = 8, 40, 200
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_LARGEST, _SMALLEST = 16.0**62, 16.0**-65  # IBM's hexadecimal floating point; readstat stops an exponent early
_RECORD = 80  # bytes; the two times of the library and of its member stand at fixed places
_TIMES = (_RECORD + 64, 2 * _RECORD, 5 * _RECORD + 64, 6 * _RECORD)


def write_xpt(table: Table, path: Path, *, created: datetime = FIXED_TIME) -> None:
    """Write the dataset to `path`, one member a file.

    created: the time in its headers, a constant unless given, so that equal data give equal bytes.
    Raises DataError with every variable and value that the format cannot hold; SurroundingsError without pyreadstat.
    """
    problems = xpt_problems(table)
    if problems:
        raise DataError(f"{table.name} does not fit a SAS transport file of version 5", problems)
    pyreadstat().write_xport(
        table.frame,
        str(path),
        file_label=table.label,
        column_labels={item.name: item.label for item in table.items},
        table_name=table.name,
        file_format_version=5,
    )
    _set_times(path, created)


def read_xpt(path: Path) -> pl.DataFrame:
    """Read the rows of a transport file of one dataset: texts, missing where empty, and real numbers.

    Raises DataError as `read_transport` does and where there are several; SurroundingsError without pyreadstat.
    """
    first, *others = read_transport(path)
    if others:
        names = ", ".join(member.name for member in (first, *others))
        message, remedy = f"the file holds {1 + len(others)} datasets ({names})", "Write one dataset a file."
        problem = Problem(path.name, None, "", "xpt-members", message, remedy)
        raise DataError(f"the dataset {path} cannot be read", [problem])
    return first.frame


def xpt_problems(table: Table) -> list[Problem]:
    """Everything in the table that a version 5 file cannot hold, each with variable, row and value."""
    problems = _named(table)
    for item in table.items:
        values = table.frame[item.name]
        if values.dtype == pl.String:
            problems += _texts(table.name, values)
        elif values.dtype.is_numeric():
            problems += _numbers(table.name, values)
        else:
            message, remedy = f"the variable is {values.dtype}", "Write it as text or as a number."
            problems.append(Problem(table.name, None, item.name, "xpt-type", message, remedy))
    return problems + _blank_end(table)


def _blank_end(table: Table) -> list[Problem]:
    """The file is filled up with blanks, so that a last row of nothing but blanks cannot be told from the filling."""
    last = table.frame.tail(1)
    if not last.height or not all(kind == pl.String for kind in last.dtypes) or any(any(row) for row in last.rows()):
        return []
    message, remedy = "a last row without any text would be lost", "Remove the row, or use Dataset-JSON or Parquet."
    return [Problem(table.name, table.frame.height, "", "xpt-row-blank", message, remedy)]


def _named(table: Table) -> list[Problem]:
    names = [(table.name, table.label, ""), *((item.name, item.label, item.name) for item in table.items)]
    problems: list[Problem] = []

    def add(where: str, rule: str, message: str, remedy: str, value: str) -> None:
        problems.append(Problem(table.name, None, where, rule, message, remedy, shown(value, 200)))

    for name, label, where in names:
        if len(name) > NAME_CHARACTERS:
            add(where, "xpt-name-length", f"the name has more than {NAME_CHARACTERS} characters", "Shorten it.", name)
        if not _NAME.fullmatch(name):
            remedy = "Use capitals, digits and underscores, a capital first."
            add(where, "xpt-name", "the name has other characters than the format allows", remedy, name)
        if len(label) > LABEL_CHARACTERS:
            message = f"the label has more than {LABEL_CHARACTERS} characters"
            add(where, "xpt-label-length", message, "Shorten the label.", label)
        if not label.isascii():
            add(where, "xpt-label-ascii", "the label is not ASCII", "Write it in ASCII.", label)
    return problems


def _texts(where: str, values: pl.Series) -> list[Problem]:
    checks = (
        ("xpt-text-length", f"the text has more than {TEXT_BYTES} bytes", values.str.len_bytes() > TEXT_BYTES),
        ("xpt-text-ascii", "the text is not ASCII", values.str.contains(r"[^\x00-\x7F]")),
        ("xpt-text-control", "the text has a character that ends texts", values.str.contains("\x00", literal=True)),
        ("xpt-text-blank", "blanks at the end of the text would be lost", values.str.ends_with(" ")),
    )
    remedy = "Shorten or rewrite the text, or use Dataset-JSON or Parquet."
    return [found for rule, message, wrong in checks for found in _each(where, values, wrong, rule, message, remedy)]


def _numbers(where: str, values: pl.Series) -> list[Problem]:
    size = values.cast(pl.Float64).abs()
    wrong = ~size.is_finite() | ((size > 0) & ((size < _SMALLEST) | (size > _LARGEST)))
    if values.dtype.is_integer():
        wrong |= (values > 2**53) | (values < -(2**53))
    message = "the number lies outside what the format can hold exactly"
    return _each(where, values, wrong, "xpt-number", message, "Leave it empty, or use Dataset-JSON or Parquet.")


def _each(where: str, values: pl.Series, wrong: pl.Series, rule: str, message: str, remedy: str) -> list[Problem]:
    """A problem for every row that is wrong, whatever their number: the author must find each."""
    rows = wrong.fill_null(value=False).arg_true()
    return [
        Problem(where, row + 1, values.name, rule, message, remedy, shown(values[row], 240)) for row in rows.to_list()
    ]


def _set_times(path: Path, created: datetime) -> None:
    """Replace the times of writing: readstat takes the clock's."""
    months = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
    stamp = f"{created:%d}{months[created.month - 1]}{created:%y:%H:%M:%S}".encode()
    with path.open("r+b") as stream:
        for place in _TIMES:
            stream.seek(place)
            stream.write(stamp)
