"""Turn cells of text into values: numbers, days, results with limits and units; or say what is wrong with a cell."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from equipoise.protocol.schema.measurement import Test

Decimal = Literal[".", ",", "either"]
"""The decimal mark of a column. either: a comma, or a point that cannot be a thousands separator; so are the columns of
workbooks in which numbers, which come with a point, are mixed with words."""
DateOrder = Literal["year-month-day", "day-month-year", "month-day-year"]
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\Z", re.ASCII)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+\Z", re.ASCII)
_LIMIT = re.compile(r"(<=?|>=?)\s*(.+)\Z")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2})?)?\Z", re.ASCII)
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2}))?\Z", re.ASCII)
LARGEST_DAY = 36_525  # a hundred years; a larger "day" is a date or an error


class CellError(ValueError):
    """A cell that cannot be read: `rule` and `remedy` go into the problem told to the user."""

    def __init__(self, rule: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Result:
    """A measured result in the protocol's unit; `value` is the limit where `censored` is left or right."""

    value: float
    censored: str | None


def translated(
    word: str, values: Mapping[str, str], others: str | None = None, *, stays: Callable[[str], bool] | None = None
) -> str:
    """Our word for a word of the file, `others` for one that is not listed; raises CellError where there is none.

    stays: for columns of numbers, days and results: whether a cell can be read as it is. It then stays, where the list
    only says which words mean no value or a limit; a list that translates codes must have them all.
    """
    found = values.get(word, others)
    if found is None and stays is not None and translates_no_codes(values):
        found = word if stays(word) else None
    if found is None:
        remedy = f"Known: {', '.join(values)}. Correct the file or the map."
        raise CellError("word-known", "the map does not know this word", remedy)
    return found


def translates_no_codes(values: Mapping[str, str]) -> bool:
    """Whether a list only says which words mean no value, or a limit."""
    return all(not ours or _LIMIT.match(ours) for ours in values.values())


def number(text: str, decimal: Decimal = ".") -> float:
    """A number with this decimal mark; raises CellError for anything else (the other one, NaN, 1e309, other digits)."""
    pointed = _pointed(text, decimal)
    if pointed is None or not _NUMBER.match(pointed):
        mark = "point" if decimal == "." else "comma"
        remedy = f"Write digits with a decimal {mark}, and leave the cell empty where there is no value."
        if decimal == "." and re.fullmatch(r"[-+]?\d+,\d+", text, re.ASCII):
            remedy = 'Write a decimal point instead of the comma, or set `decimal: ","` in the map.'
        elif decimal != "." and "." in text:
            remedy = 'The map says `decimal: ","`: write a comma, and no mark between thousands.'
        elif re.fullmatch(r"[A-Za-z.*-]+", text, re.ASCII):
            remedy += " A word for that is named under `missing` in the map."
        raise CellError("number", "this is no number", remedy)
    value = float(pointed)
    if value in (float("inf"), float("-inf")):
        raise CellError("number", "the number is too large", "Correct it.")
    return value


def _pointed(text: str, decimal: Decimal) -> str | None:
    """The number with a decimal point, None where its mark is not the column's."""
    if decimal == ".":
        return text
    if "." in text:
        return text if decimal == "either" and "," not in text and not _THOUSANDS.match(text) else None
    return text.replace(",", ".")


def whole(text: str, decimal: Decimal = ".") -> int:
    """A whole number, ``12`` or ``12.0``; raises CellError."""
    value = number(text, decimal)
    if value != int(value):
        raise CellError("whole-number", "this is no whole number", "Write a whole number.")
    if abs(value) > 2**31 - 1:
        raise CellError("whole-number", "the number is too large", "Correct it.")
    return int(value)


def day(text: str, counted: str, decimal: Decimal = ".") -> int:
    """Elapsed days from a cell that counts days `elapsed` (0 is time zero) or as `study-day` (1 is, there is no 0)."""
    days = whole(text, decimal)
    if abs(days) > LARGEST_DAY:
        raise CellError("day-possible", "the day is more than a hundred years away", "Give days, not a date or a year.")
    if counted == "elapsed":
        return days
    if days == 0:
        raise CellError(
            "day-possible",
            "there is no study day 0",
            "Count the day of time zero as 1, the one before as -1.",
        )
    return days - 1 if days > 0 else days


def days_between(text: str, since: str, partial: str | None = None, dates: DateOrder = "year-month-day") -> int:
    """Elapsed days of a calendar date since another (a time of day is left out), in the order that the map says.

    partial: ``first`` or ``last``, the day that an incomplete date is taken for. Raises CellError where either is no
    date, and where the other one is incomplete.
    """
    moments = []
    for cell, rule in ((text, partial), (since, None)):
        try:
            moments.append(_date(iso_date(cell, dates), rule))
        except ValueError:
            message = f"there is no date {cell!r}" if cell else "the date of time zero is missing"
            raise CellError("date-possible", message, _AS_DATES[dates]) from None
    return day(str((moments[0] - moments[1]).days), "elapsed")


def calendar_date(text: str, dates: DateOrder = "year-month-day") -> date:
    """A whole calendar date (a time of day is left out); raises CellError."""
    try:
        return _date(iso_date(text, dates), None)
    except ValueError:
        raise CellError("date-possible", f"there is no date {text!r}", _AS_DATES[dates]) from None


def iso_date(cell: str, dates: DateOrder) -> str:
    """A date in the order of the map as year-month-day; anything else as it is.

    A year that comes first is never another part, so that such dates (and those of typed files) are read in every map.
    Months may be words of three letters in English. Raises ValueError where there is no such day or month.
    """
    if dates == "year-month-day":
        return cell
    if found := _PARTS.match(cell):
        first, second, year, time = found[1], found[2], found[3], found[4] or ""
        of_day, of_month = (first, second) if dates == "day-month-year" or second.isalpha() else (second, first)
        return date(int(year), _month(of_month), int(of_day)).isoformat() + time
    if found := _MONTH_OF_YEAR.match(cell):
        return f"{found[2]}-{_month(found[1]):02d}"
    return cell


def _month(text: str) -> int:
    """The month that a number or an English word of three letters names; raises ValueError."""
    return _MONTHS.index(text.upper()) + 1 if text.isalpha() else int(text)


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_PARTS = re.compile(
    r"(\d{1,2})(?:[-./ ](?=[\dA-Za-z])|(?=[A-Za-z]))(\d{1,2}(?=[-./ ])|[A-Za-z]{3})[-./ ]?(\d{4})"
    r"([T ]\d{2}:\d{2}(?::\d{2})?)?\Z",
    re.ASCII,
)
_MONTH_OF_YEAR = re.compile(r"(\d{1,2}|[A-Za-z]{3})[-./ ](\d{4})\Z", re.ASCII)
_AS_DATES = {
    "year-month-day": "Write year-month-day, as 2022-03-09, or set `dates` in the map.",
    "day-month-year": "Write day-month-year, as 09.03.2022 or 09-Mar-2022, or 2022-03-09.",
    "month-day-year": "Write month-day-year, as 03/09/2022, or 2022-03-09.",
}


def count_entry(participants: Iterable[dict[str, Any]]) -> None:
    """Dates of entry in rows of participants become days from the earliest of them."""
    dated = [row for row in participants if isinstance(row.get("entry_day"), date)]
    first = min((row["entry_day"] for row in dated), default=None)
    for row in dated:
        row["entry_day"] = (row["entry_day"] - first).days


def _date(cell: str, partial: str | None) -> date:
    if found := _DATE.match(cell):
        return date.fromisoformat(found[1])
    if partial is None or not (found := _PARTIAL.match(cell)):
        raise ValueError(cell)
    year, month = int(found[1]), int(found[2] or (1 if partial == "first" else 12))
    return date(year, month, 1 if partial == "first" else monthrange(year, month)[1])


def flag(text: str) -> bool:
    """A cell that says true or false; raises CellError."""
    if text not in ("true", "false"):
        raise CellError("flag", "this is neither true nor false", "Map the words of the file to true and false.")
    return text == "true"


def result(text: str, unit: str, test: Test, decimal: Decimal = ".") -> Result:
    """A result as reported (``2.19``, ``<0.05``) in `unit`, converted to the test's unit.

    Raises CellError where the text is no result or the unit cannot be converted.
    """
    limit = _LIMIT.match(text)
    value = number(limit.group(2) if limit else text, decimal)
    side = None if limit is None else ("left" if limit.group(1).startswith("<") else "right")
    return Result(value * factor(unit, test), side)


def is_result(text: str, decimal: Decimal = ".") -> bool:
    """Whether a cell is a number or one beyond a limit."""
    limit = _LIMIT.match(text)
    try:
        number(limit.group(2) if limit else text, decimal)
    except CellError:
        return False
    return True


def factor(unit: str, test: Test) -> float:
    """The factor from `unit` to the test's unit; raises CellError where the protocol has none."""
    conversions = {test.unit: 1.0, **(test.conversions or {})}
    if unit not in conversions:
        known = ", ".join(conversions)
        raise CellError("unit-known", f"{test.label} is not measured in {unit}", f"Use {known}, or add the conversion.")
    return conversions[unit]
