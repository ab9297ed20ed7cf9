"""What was handed out and given: a file beside the allocation, which tells the arm as the allocation does.

A row is a bag. Its dose is that of the interventions: a participant, a period and the number of the dose within it.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel, Rows
from equipoise.source.digest import digest_of_data

FILE = "dispensed.csv"
REQUIRED = ("participant", "period", "dose_number", "product")
COLUMNS = (*REQUIRED, "lot", "bag", "day", "amount", "unit")
KEY = ("participant", "period", "dose_number", "product", "bag")
TEXTS = ("period", "product", "lot", "bag", "unit")
"""Columns of a Panel's rows that are text; the others are numbers."""
_WHOLE = re.compile(r"-?\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Bag:
    """One bag that was given; what is not known is empty or None.

    dose_number: within the period, from 1. product: the protocol's. lot: what was infused; none of saline.
    day: elapsed days from day 0. amount: in `unit`.
    """

    participant: str
    period: str
    dose_number: int
    product: str
    bag: str = ""
    lot: str = ""
    day: int | None = None
    amount: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Dispensed:
    """Every bag that was given, in the order of the keys."""

    bags: tuple[Bag, ...]

    @classmethod
    def of(cls, bags: list[Bag]) -> Dispensed:
        """Freeze bags in the order of their keys."""
        return cls(tuple(sorted(bags, key=lambda bag: tuple(getattr(bag, name) for name in KEY))))

    @property
    def digest(self) -> str:
        """Over the rows."""
        return digest_of_data([asdict(bag) for bag in self.bags])

    def to_csv(self) -> str:
        """The rows as CSV text with a header."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for bag in self.bags:
            writer.writerow([_cell(getattr(bag, name)) for name in COLUMNS])
        return stream.getvalue()


def _cell(value: str | float | None) -> str:
    """A number as the shortest text that reads back to the same one."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def dispensed_rows(dispensed: Dispensed | None, ids: tuple[str, ...]) -> Rows:
    """The bags of one trial as rows of its Panel; no columns where there is no such file."""
    if dispensed is None:
        return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), MappingProxyType({}))
    place = {participant: number for number, participant in enumerate(ids)}
    bags = sorted(dispensed.bags, key=lambda bag: place[bag.participant])
    columns: dict[str, NDArray[Any]] = {}
    for name in (item.name for item in fields(Bag) if item.name != "participant"):
        values = [getattr(bag, name) for bag in bags]
        if name in TEXTS:
            columns[name] = np.array(values, np.str_) if values else np.zeros(0, np.str_)
        else:
            columns[name] = np.array([np.nan if value is None else float(value) for value in values], np.float64)
    who = np.array([place[bag.participant] for bag in bags], np.int64)
    return Rows(np.zeros(len(bags), np.int64), who, MappingProxyType(columns))


def dispensed_of(panel: Panel, trial: int = 0) -> Dispensed | None:
    """What one trial of a Panel dispensed; None where the Panel does not say."""
    rows = panel.dispensed
    if not rows.columns:
        return None
    mine = np.flatnonzero(rows.trial == trial)
    return Dispensed.of([_bag(panel, rows, int(place)) for place in mine])


def _bag(panel: Panel, rows: Rows, place: int) -> Bag:
    text = {name: str(rows.columns[name][place]) for name in TEXTS}
    number = {name: float(rows.columns[name][place]) for name in ("dose_number", "day", "amount")}
    return Bag(
        participant=panel.ids[int(rows.participant[place])],
        dose_number=int(number["dose_number"]),
        day=None if math.isnan(number["day"]) else int(number["day"]),
        amount=None if math.isnan(number["amount"]) else number["amount"],
        **text,
    )


def read_dispensed(path: Path, protocol: Protocol, participants: frozenset[str]) -> Dispensed:
    """Read dispensed.csv.

    Raises DataError with every problem by file and line: unknown participants, periods or products, a dose without a
    number, one bag twice, an amount without a unit, another layout.
    """
    rows = _lines(path)
    header = rows[0]
    problems: list[Problem] = []
    bags: list[Bag] = []
    seen: set[tuple[str, ...]] = set()
    for line, row in enumerate(rows[1:], 2):
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        found = list(_problems(str(path), line, cells, protocol, participants))
        key = tuple(cells.get(name, "") for name in KEY)
        if key in seen:
            message = f"this bag is there twice ({', '.join(KEY)} are the same)"
            remedy = "Remove one of the rows, or give each bag its code."
            found.append(Problem(str(path), line, "bag", "key-unique", message, remedy, repr(cells.get("bag", ""))))
        seen.add(key)
        problems += found
        if not found:
            bags.append(_from_cells(cells))
    if problems:
        raise DataError(f"what {path} says was dispensed does not fit the records", problems)
    return Dispensed.of(bags)


def _lines(path: Path) -> list[list[str]]:
    """The rows with their header, whose columns are known and complete."""
    failed = f"cannot read what was dispensed, {path}"
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        remedy = f"Give a CSV file in UTF-8 with the columns {', '.join(COLUMNS)}."
        raise DataError(failed, [Problem(str(path), None, "", "dispensed-readable", str(error), remedy)]) from None
    header = rows[0] if rows else []
    remedy = f"The columns are {', '.join(COLUMNS)}; all after {REQUIRED[-1]} may be left out."
    missing = [name for name in REQUIRED if name not in header]
    odd = [name for name in header if name not in COLUMNS]
    problems = [
        Problem(str(path), 1, name, "dispensed-columns", f"the column {name!r} {what}", remedy)
        for names, what in ((missing, "is missing"), (odd, "is not known here"))
        for name in names
    ]
    if len(set(header)) < len(header):
        problems.append(Problem(str(path), 1, "", "dispensed-columns", "a column is there twice", remedy))
    problems += [
        Problem(str(path), line, "", "dispensed-columns", f"the row has {len(row)} cells, not {len(header)}", remedy)
        for line, row in enumerate(rows[1:], 2)
        if len(row) != len(header)
    ]
    if problems:
        raise DataError(failed, problems)
    return rows


def _problems(
    file: str, line: int, cells: dict[str, str], protocol: Protocol, participants: frozenset[str]
) -> Iterator[Problem]:
    """What is wrong with one row."""

    def problem(column: str, rule: str, message: str, remedy: str) -> Problem:
        return Problem(file, line, column, rule, message, remedy, repr(cells.get(column, "")))

    if cells["participant"] not in participants:
        remedy = "Use the file that belongs to these records."
        yield problem("participant", "participant-known", "the participant is not in the records", remedy)
    for column, known in (
        ("period", [period.id for period in protocol.periods]),
        ("product", [product.id for product in protocol.products]),
    ):
        if cells[column] not in known:
            message = f"the protocol has no such {column}"
            yield problem(column, f"{column}-known", message, f"Name one of: {', '.join(known)}.")
    number = cells["dose_number"]
    if not _WHOLE.fullmatch(number) or int(number) < 1:
        message = "the number of a dose within its period is a whole number from 1"
        yield problem("dose_number", "dose-numbered", message, "Number doses as the interventions do.")
    day = cells.get("day", "")
    if day and not _WHOLE.fullmatch(day):
        message = "a day is a whole number of days from day 0"
        yield problem("day", "day-whole", message, "Write the elapsed days, or leave the cell empty.")
    amount = cells.get("amount", "")
    if amount and not _positive(amount):
        message = "an amount is a number above 0"
        yield problem("amount", "amount-positive", message, "Write the number alone, or leave the cell empty.")
    if amount and not cells.get("unit", ""):
        yield problem("unit", "amount-unit", "an amount needs its unit", "Fill it in, as cells/kg.")


def _positive(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and value > 0


def _from_cells(cells: dict[str, str]) -> Bag:
    day, amount = cells.get("day", ""), cells.get("amount", "")
    return Bag(
        participant=cells["participant"],
        period=cells["period"],
        dose_number=int(cells["dose_number"]),
        product=cells["product"],
        bag=cells.get("bag", ""),
        lot=cells.get("lot", ""),
        day=int(day) if day else None,
        amount=float(amount) if amount else None,
        unit=cells.get("unit", ""),
    )
