"""One row a person with everything that a role gets: values, missing flags, times, order, hashed words.

A column is named for where it comes from, so that those which are allowed to differ between arms can be told from the
rest. Nothing is chosen by looking at arms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.records.records import Records

BUCKETS = 32
"""Words of one column are counted in so many buckets by their hash."""
VALUE, MISSING, TIME, ORDER, WORDS, COUNT = "value", "missing", "time", "order", "words", "count"
Cells = dict[str, float]


@dataclass(frozen=True, slots=True)
class Rows:
    """People of many trials: values (people, columns), NaN where there is none; the trial and the arm of each."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    trial: NDArray[np.int64]
    arm: NDArray[np.int8]


def rows_of(found: Iterable[tuple[Records, Mapping[str, int]]]) -> Rows:
    """Rows of the people in `arms` (participant -> arm), trial after trial."""
    people: list[Cells] = []
    trials: list[int] = []
    arms: list[int] = []
    for number, (records, allocated) in enumerate(found):
        cells = cells_of(records, sorted(allocated))
        for person, arm in sorted(allocated.items()):
            people.append(cells[person])
            trials.append(number)
            arms.append(arm)
    names = tuple(sorted({name for person in people for name in person}))
    at = {name: index for index, name in enumerate(names)}
    values = np.full((len(people), len(names)), np.nan, np.float32)
    for row, person in enumerate(people):
        for name, value in person.items():
            values[row, at[name]] = value
    return Rows(names, values, np.array(trials), np.array(arms, np.int8))


def cells_of(records: Records, people: list[str]) -> dict[str, Cells]:
    """Column -> value of each person, from every table of the records as they were given to the role."""
    cells: dict[str, Cells] = {person: {} for person in people}
    chosen = {name: table.filter(pl.col("participant").is_in(people)) for name, table in records.tables.items()}
    for name, table in chosen.items():
        for index, person in enumerate(table["participant"].unique(maintain_order=True)):
            cells[person][f"{ORDER}/{name}"] = float(index)
    planned = {visit.id: visit.day for visit in records.protocol.visits}
    for person, part, value in (
        *_findings(chosen["findings"], planned),
        *_visits(chosen["visits"], planned),
        *_participants(chosen["participants"]),
        *_counted(chosen["events"], "events", "start_day", "category", ("grade", "level")),
        *_counted(chosen["interventions"], "interventions", "day", "status", ("volume_ml", "minutes", "amount")),
        *_counted(chosen["lots"], "lots", "day", "test", ("value",)),
        *(cell for name, table in chosen.items() for cell in _words(name, table)),
    ):
        own = cells[person]
        own[part] = own.get(part, 0.0) + value if part.startswith((COUNT, WORDS)) else value
    return cells


Found = Iterator[tuple[str, str, float]]


def _findings(table: pl.DataFrame, planned: Mapping[str, int]) -> Found:
    columns = ("participant", "assessment", "test", "visit", "minute", "value", "censored", "day", "status")
    for person, assessment, test, visit, minute, value, censored, day, status in table.select(columns).iter_rows():
        where = f"{assessment}/{test}/{visit}/{'' if minute is None else minute}"
        if value is not None:
            yield person, f"{VALUE}/{where}", value
        yield person, f"{MISSING}/{where}", float(value is None or status != "done")
        if censored is not None:
            yield person, f"{MISSING}/{where}/{censored}", 1.0
        if day is not None and visit in planned:
            yield person, f"{TIME}/{assessment}/{visit}", float(day - planned[visit])


def _visits(table: pl.DataFrame, planned: Mapping[str, int]) -> Found:
    for person, visit, day, status in table.select("participant", "visit", "day", "status").iter_rows():
        yield person, f"{MISSING}/visits/{visit}", float(status != "held")
        if day is not None and visit in planned:
            yield person, f"{TIME}/visits/{visit}", float(day - planned[visit])


def _participants(table: pl.DataFrame) -> Found:
    numbers = [name for name, kind in table.schema.items() if kind.is_numeric()]
    for row in table.iter_rows(named=True):
        for name in numbers:
            if row[name] is not None:
                yield row["participant"], f"{TIME if name.endswith('_day') else VALUE}/participants/{name}", row[name]
        yield row["participant"], f"{COUNT}/participants/status/{row['status']}", 1.0
        yield row["participant"], f"{VALUE}/participants/sex", float(row["sex"] == "female")


def _counted(table: pl.DataFrame, name: str, day: str, kind: str, numbers: tuple[str, ...]) -> Found:
    """Rows by kind, their numbers in sum, the first day and the mean day."""
    group = "assessment" if "assessment" in table.columns else kind
    for row in table.iter_rows(named=True):
        person, where = row["participant"], f"{name}/{row[group]}"
        yield person, f"{COUNT}/{where}", 1.0
        yield person, f"{COUNT}/{where}/{kind}/{row[kind]}", 1.0
        for number in numbers:
            if row[number] is not None:
                yield person, f"{COUNT}/{where}/{number}", float(row[number])
                yield (
                    person,
                    f"{COUNT}/{where}/{number}/{row[number]:.0f}"
                    if name == "events"
                    else f"{COUNT}/{where}/{number}/rows",
                    1.0,
                )
        if row[day] is not None:
            yield person, f"{COUNT}/{where}/days", float(row[day])
            yield person, f"{TIME}/{where}/{row.get('period')}/{row.get('dose_number')}", float(row[day])


def _words(name: str, table: pl.DataFrame) -> Found:
    texts = [c for c, kind in table.schema.items() if kind == pl.String and c not in ("participant", "source")]
    free = [
        c for c in texts if c not in ("assessment", "test", "visit", "domain", "unit", "status", "period", "protocol")
    ]
    for column in (c for c in free if name not in ("findings", "visits") or c == "reason"):
        rows = table.select("participant", column).drop_nulls()
        for person, text in rows.iter_rows():
            for word in str(text).lower().split():
                bucket = int.from_bytes(sha256(word.encode()).digest()[:4], "little") % BUCKETS
                yield person, f"{WORDS}/{name}/{column}/{bucket}", 1.0


ALLOWED_ASSESSMENTS = (
    "hba1c",
    "fasting",
    "mmtt",
    "insulin",
    "cgm",
    "body",
    "diary",
    "vital-signs",
    "rand-36",
    "dqol",
    "pedsql-diabetes",
)
"""Findings of the model trial which the product truly changes and which care or the participant cannot do without."""
ALLOWED_EVENTS = ("adverse-events", "hypoglycaemia")


def allowed(protocol: Protocol, names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Which columns may differ between the arms: outcomes, coded events with grade and day, visits missed."""
    known = {item.id for item in protocol.assessments}
    assert set(ALLOWED_ASSESSMENTS) | set(ALLOWED_EVENTS) <= known, "the list is the model trial's"
    heads = tuple(f"{VALUE}/{name}/" for name in ALLOWED_ASSESSMENTS)
    heads += tuple(f"{part}/events/{name}" for name in ALLOWED_EVENTS for part in (COUNT, TIME))
    heads += (f"{MISSING}/visits/", f"{VALUE}/participants/")
    return np.array([name.startswith(heads) for name in names])
