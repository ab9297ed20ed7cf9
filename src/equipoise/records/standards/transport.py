"""SAS transport files as others write them: whole or refused, every member, texts in UTF-8 or Windows-1252.

Source: SAS technical support documents TS-140 (version 5) and "Record layout of a SAS version 8 or 9 data set in SAS
transport format". A file is a sequence of records of 80 bytes; a member is a header, the descriptions of its
variables, and its rows one after another, filled up with blanks to a whole record. Values are read by pyreadstat;
what it does not look at (the length of the file, further members) is looked at here first.

A file of version 5 does not say how many rows it has: one that was cut where both a row and a record end cannot be
told from a whole one.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import DataError, Problem, SurroundingsError, shown

_RECORD = 80
_LIBRARY = 3 * _RECORD  # the library's header and its two records, which every file begins with
_HEADER = b"HEADER RECORD*******"
_MEMBER = (b"MEMBER  ", b"MEMBV8  ")
_VARIABLES = (b"NAMESTR ", b"NAMSTV8 ")
_ROWS = (b"OBS     ", b"OBSV8   ")
_LARGEST_HEADER = 10_000_000
"""Bytes between a member's header and its rows: more than 60,000 variables."""


@dataclass(frozen=True, slots=True)
class Member:
    """One dataset of a file. notes: what its reader should know, one sentence each."""

    name: str
    label: str
    frame: pl.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a member begins and ends in the file; `wrong` says why it cannot be whole."""

    start: int
    end: int
    wrong: str = ""


@dataclass(slots=True)
class _File:
    path: Path
    data: bytes
    members: list[_Layout] = field(default_factory=list)

    def refused(self, rule: str, message: str, remedy: str) -> DataError:
        problem = Problem(self.path.name, None, "", rule, message, remedy)
        return DataError(f"the dataset {self.path} cannot be read", [problem])


def read_transport(path: Path) -> tuple[Member, ...]:
    """Read every member of a transport file: texts, missing where empty, and real numbers (the format has no other).

    Dates stay numbers, as the file has them. Raises DataError where it is no transport file, was cut off, or has texts
    that are neither UTF-8 nor Windows-1252; SurroundingsError without pyreadstat.
    """
    library = pyreadstat()
    file = _opened(path)
    members = tuple(_read(library, file, layout) for layout in file.members)
    if len(members) == 1:
        return members
    note = f"the file holds {len(members)} datasets ({', '.join(member.name for member in members)})"
    return tuple(Member(m.name, m.label, m.frame, (note, *m.notes)) for m in members)


def _opened(path: Path) -> _File:
    """The file with the places of its members; raises DataError where they are not whole."""
    try:
        file = _File(path, path.read_bytes())
    except OSError as error:
        problem = Problem(
            path.name, None, "", "xpt-readable", error.strerror or str(error), "Give a file that can be read."
        )
        raise DataError(f"the dataset {path} cannot be read", [problem]) from None
    if not file.data.startswith((_HEADER + b"LIBRARY ", _HEADER + b"LIBV8   ")):
        message = "the file does not begin as a SAS transport file does"
        raise file.refused("xpt-readable", message, "Give a SAS transport file of version 5 or 8.")
    again = "Export it again: rows are lost."
    if len(file.data) % _RECORD:
        message = f"the file was cut off: {len(file.data)} bytes are not a whole number of records of {_RECORD}"
        raise file.refused("xpt-whole", message, again)
    starts = _headers(file.data, _MEMBER, _LIBRARY)
    if not starts:
        raise file.refused("xpt-whole", "the file was cut off: it holds no dataset", again)
    file.members = [_laid_out(file.data, *ends) for ends in zip(starts, [*starts[1:], len(file.data)], strict=True)]
    wrong = next((layout.wrong for layout in file.members if layout.wrong), "")
    if wrong:
        raise file.refused("xpt-whole", f"the file was cut off: {wrong}", again)
    return file


def _headers(data: bytes, kinds: tuple[bytes, ...], start: int) -> list[int]:
    """Where records begin that are headers of one of these kinds."""
    found: list[int] = []
    at = data.find(_HEADER, start)
    while at >= 0:
        if at % _RECORD == 0 and data[at + len(_HEADER) : at + len(_HEADER) + 8] in kinds:
            found.append(at)
        at = data.find(_HEADER, at + 1)
    return found


def _laid_out(data: bytes, start: int, end: int) -> _Layout:
    """A member's place; whether its header and each of its rows are there as a whole."""
    head = data[start : min(end, start + _LARGEST_HEADER)]
    described, rows = (_headers(head, kinds, 0) for kinds in (_VARIABLES, _ROWS))
    if not described or not rows:
        return _Layout(start, end, "the descriptions of the variables are not whole")
    at, body = described[0], data[start + rows[0] + _RECORD : end]
    width = _row_width(head, at)
    if not width:
        return _Layout(start, end, "the descriptions of the variables are not whole" if width is None else "")
    left = body[len(body) // width * width :]
    if len(left) >= _RECORD or left.strip(b" "):
        place = f"after {len(body) // width} rows {len(left)} bytes of another row follow, which has {width}"
        return _Layout(start, end, place)
    return _Layout(start, end)


def _row_width(head: bytes, at: int) -> int | None:
    """Bytes of a row by the descriptions of the variables; None where they are not readable."""
    size, count = head[74:78], head[at + 54 : at + 58]
    if not size.isdigit() or not count.strip().isdigit():
        return None
    places = [at + _RECORD + number * int(size) for number in range(int(count))]
    if places and places[-1] + int(size) > len(head):
        return None
    return sum(int.from_bytes(head[place + 4 : place + 6]) for place in places)


def _read(library: Any, file: _File, layout: _Layout) -> Member:
    """A member by itself, as a file of its own where the file has others."""
    if len(file.members) == 1:
        return _values(library, file, file.path)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "member.xpt"
        path.write_bytes(file.data[:_LIBRARY] + file.data[layout.start : layout.end])
        return _values(library, file, path)


def _values(library: Any, file: _File, path: Path) -> Member:
    notes: tuple[str, ...] = ()
    try:
        frame, described = _parsed(library, path, None)
    except UnicodeDecodeError:
        try:
            frame, described = _parsed(library, path, "WINDOWS-1252")
        except (UnicodeDecodeError, library.ReadstatError, library.PyreadstatError):
            message = "texts are neither ASCII, UTF-8 nor Windows-1252"
            raise file.refused("xpt-encoding", message, "Export the file again in ASCII.") from None
        notes = ("texts are not UTF-8 and were read as Windows-1252",)
    except (library.ReadstatError, library.PyreadstatError, ValueError, OverflowError) as error:
        raise file.refused("xpt-readable", str(error), "Give a SAS transport file of version 5 or 8.") from None
    kinds = described.readstat_variable_types
    columns = [
        pl.col(name).cast(pl.String).replace("", None) if kinds[name] == "string" else pl.col(name).cast(pl.Float64)
        for name in frame.columns
    ]
    typed = frame.select(columns)
    return Member(described.table_name or "", described.file_label or "", typed, (*notes, *_beyond_ascii(typed)))


def _parsed(library: Any, path: Path, encoding: str | None) -> tuple[pl.DataFrame, Any]:
    return library.read_xport(str(path), output_format="polars", disable_datetime_conversion=True, encoding=encoding)


def _beyond_ascii(frame: pl.DataFrame) -> tuple[str, ...]:
    """The first text that is not ASCII, which is all that version 5 promises."""
    for name, kind in frame.schema.items():
        if kind == pl.String and (wrong := frame[name].str.contains(r"[^\x00-\x7F]").arg_true()).len():
            row = int(wrong[0])
            return (f"a text is not ASCII, first in row {row + 1}: {name} is {shown(frame[name][row])}",)
    return ()


def pyreadstat() -> Any:
    """The package that reads and writes the values; raises SurroundingsError where it is not installed."""
    try:
        import pyreadstat
    except ImportError:
        message = "SAS transport files need the extra `standards` (pyreadstat): install equipoise[standards]"
        raise SurroundingsError(message) from None
    return pyreadstat
