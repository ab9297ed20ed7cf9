"""Turn cells of text into values: numbers, days, results with limits and units; or say what is wrong with a cell."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from equipoise.protocol.schema.measurement import Test

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\Z", re.ASCII)
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


def translated(word: str, values: Mapping[str, str], others: str | None = None) -> str:
    """Our word for a word of the file, `others` for one that is not listed; raises CellError where there is none."""
    found = values.get(word, others)
    if found is None:
        remedy = f"Known: {', '.join(values)}. Correct the file or the map."
        raise CellError("word-known", "the map does not know this word", remedy)
    return found


def number(text: str) -> float:
    """A decimal number with a point; raises CellError for anything else (decimal commas, NaN, 1e309, other digits)."""
    if not _NUMBER.match(text):
        remedy = "Write digits with a decimal point, and leave the cell empty where there is no value."
        if re.fullmatch(r"[-+]?\d+,\d+", text, re.ASCII):
            remedy = "Write a decimal point instead of the comma."
        raise CellError("number", "this is no number", remedy)
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise CellError("number", "the number is too large", "Correct it.")
    return value


def whole(text: str) -> int:
    """A whole number, ``12`` or ``12.0``; raises CellError."""
    value = number(text)
    if value != int(value):
        raise CellError("whole-number", "this is no whole number", "Write a whole number.")
    if abs(value) > 2**31 - 1:
        raise CellError("whole-number", "the number is too large", "Correct it.")
    return int(value)


def day(text: str, counted: str) -> int:
    """Elapsed days from a cell that counts days `elapsed` (0 is time zero) or as `study-day` (1 is, there is no 0)."""
    days = whole(text)
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


def days_between(text: str, since: str, partial: str | None = None) -> int:
    """Elapsed days of a calendar date since another (ISO 8601, a time of day is left out).

    partial: ``first`` or ``last``, the day that an incomplete date is taken for. Raises CellError where either is no
    date, and where the other one is incomplete.
    """
    moments = []
    for cell, rule in ((text, partial), (since, None)):
        try:
            moments.append(_date(cell, rule))
        except ValueError:
            message = f"there is no date {cell!r}" if cell else "the date of time zero is missing"
            raise CellError("date-possible", message, "Write year-month-day, as 2022-03-09.") from None
    return day(str((moments[0] - moments[1]).days), "elapsed")


def calendar_date(text: str) -> date:
    """A whole calendar date (ISO 8601, a time of day is left out); raises CellError."""
    try:
        return _date(text, None)
    except ValueError:
        raise CellError("date-possible", f"there is no date {text!r}", "Write year-month-day, as 2022-03-09.") from None


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


def result(text: str, unit: str, test: Test) -> Result:
    """A result as reported (``2.19``, ``<0.05``) in `unit`, converted to the test's unit.

    Raises CellError where the text is no result or the unit cannot be converted.
    """
    limit = _LIMIT.match(text)
    value = number(limit.group(2)) if limit else number(text)
    side = None if limit is None else ("left" if limit.group(1).startswith("<") else "right")
    return Result(value * factor(unit, test), side)


def factor(unit: str, test: Test) -> float:
    """The factor from `unit` to the test's unit; raises CellError where the protocol has none."""
    conversions = {test.unit: 1.0, **(test.conversions or {})}
    if unit not in conversions:
        known = ", ".join(conversions)
        raise CellError("unit-known", f"{test.label} is not measured in {unit}", f"Use {known}, or add the conversion.")
    return conversions[unit]
