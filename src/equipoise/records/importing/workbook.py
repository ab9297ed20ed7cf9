"""Read a sheet of an Excel workbook as text: cells as they are typed, lines as the sheet counts them from its header.

Every cell comes as text, so that no type is guessed from the first rows and no cell of another type is lost. Numbers
and dates are typed in the file: they come with a decimal point and as year-month-day.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import Problem, SurroundingsError

SUFFIXES = frozenset((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"))
_MIDNIGHT = " 00:00:00"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells, the header first; `numeric`: places of columns in which every cell is a number of the file.

    notes: what the reader of the import should know.
    """

    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]
    notes: tuple[Problem, ...] = ()


def read_sheet(path: Path, name: str, sheet: str | None) -> Sheet | Problem:
    """Read a sheet, the first where none is named; a Problem where the file is no workbook or has no such sheet.

    name: how problems call it. Raises SurroundingsError without fastexcel, FileNotFoundError.
    """
    library = _fastexcel()
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        book = library.read_excel(str(path))
        names = list(book.sheet_names)
        if sheet is not None and sheet not in names:
            message, remedy = "the workbook has no such sheet", f"Its sheets are {', '.join(names)}: correct the map."
            return Problem(name, None, "", "sheet-known", message, remedy, repr(sheet))
        wanted = names[0] if sheet is None else sheet
        texts = book.load_sheet(wanted, header_row=None, dtypes="string").to_polars()
        kinds = _kinds(book, wanted, texts)
    except library.FastExcelError as error:
        message = f"this is no workbook that can be read ({str(error).splitlines()[0]})"
        return Problem(name, None, "", "file-readable", message, "Give the file as it was saved.")
    notes = ()
    if sheet is None and len(names) > 1:
        message = f"the workbook has {len(names)} sheets ({', '.join(names)}) and the first was read"
        notes = (Problem(name, None, "", "sheet-first", message, "Name the sheet by `sheet` in the map."),)
    columns = [column.fill_null("").str.strip_suffix(_MIDNIGHT).to_list() for column in texts.get_columns()]
    rows = tuple(zip(*columns, strict=True))
    return Sheet(rows, frozenset(place for place, kind in enumerate(kinds) if kind.is_numeric()), notes)


def _kinds(book: Any, sheet: str, texts: pl.DataFrame) -> list[pl.DataType]:
    """What the cells under the header are: of every row, not of the first ones."""
    if texts.height < 2:
        return []
    told = logging.getLogger("fastexcel.types.dtype")
    level = told.level
    told.setLevel(logging.ERROR)  # it warns of every column that is empty
    try:
        typed = book.load_sheet(sheet, header_row=None, skip_rows=1, schema_sample_rows=None).to_polars()
    finally:
        told.setLevel(level)
    return list(typed.dtypes)


def _fastexcel() -> Any:
    try:
        import fastexcel
    except ImportError:
        message = "Excel workbooks need the extra `excel` (fastexcel): install equipoise[excel], or save them as CSV"
        raise SurroundingsError(message) from None
    return fastexcel
