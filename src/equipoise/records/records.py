"""Records: all that one trial has produced, as tables of the observation classes, checked once and then frozen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.checks import check_tables, check_types
from equipoise.records.classes import CLASSES, ObservationClass
from equipoise.source.digest import digest_of_data

_SIMULATED = re.compile(r"simulated: scenario \S+, seed (\d+)\Z")


def simulated_source(scenario: str, seed: int) -> str:
    """The source of every row of a simulated trial, by which its records say what they are wherever they go."""
    return f"simulated: scenario {scenario}, seed {seed}"


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one trial under one protocol. Make them with `Records.of`, which checks them.

    protocol:  the protocol that they follow.
    tables:    one frame an observation class, with exactly its columns, sorted by its key.
    warnings:  what is believable only with an effort (implausible values, visits out of their window).
    digest:    over the content of every table; independent of file format and row order.
    """

    protocol: Protocol
    tables: Mapping[str, pl.DataFrame]
    warnings: tuple[Problem, ...]
    digest: str = field(compare=False)

    @classmethod
    def of(cls, protocol: Protocol, tables: Mapping[str, pl.DataFrame]) -> Records:
        """Check `tables` against the protocol and freeze them; absent tables are empty.

        Raises DataError with every problem: wrong columns or types; else duplicate keys, unknown participants, visits,
        assessments, tests or units, procedures before consent, impossible values.
        """
        unknown = sorted(set(tables) - {item.name for item in CLASSES})
        if unknown:
            raise ValueError(f"no observation class is called {', '.join(unknown)}")
        problems = [p for item in CLASSES if item.name in tables for p in check_types(item, tables[item.name])]
        if problems:
            raise DataError("the records do not have the columns that they must have", problems)
        complete = {item.name: _sorted(item, tables.get(item.name)) for item in CLASSES}
        problems, warnings = check_tables(protocol, complete)
        if problems:
            raise DataError("the records do not fit the protocol", problems)
        return cls(protocol, MappingProxyType(complete), tuple(warnings), digest_of_tables(complete))

    @property
    def seed(self) -> int | None:
        """The seed of simulated records; None for those of a real trial. One simulated participant is enough."""
        found = (_SIMULATED.match(source) for source in self.participants["source"].unique().sort())
        return next((int(match[1]) for match in found if match), None)

    @property
    def participants(self) -> pl.DataFrame:
        return self.tables["participants"]

    @property
    def visits(self) -> pl.DataFrame:
        return self.tables["visits"]

    @property
    def findings(self) -> pl.DataFrame:
        return self.tables["findings"]

    @property
    def events(self) -> pl.DataFrame:
        return self.tables["events"]

    @property
    def interventions(self) -> pl.DataFrame:
        return self.tables["interventions"]

    @property
    def lots(self) -> pl.DataFrame:
        return self.tables["lots"]

    @property
    def supplied(self) -> pl.DataFrame:
        return self.tables["supplied"]


def _sorted(observation_class: ObservationClass, table: pl.DataFrame | None) -> pl.DataFrame:
    if table is None:
        return observation_class.empty()
    return table.select(list(observation_class.schema)).sort(
        observation_class.key, nulls_last=False, maintain_order=True
    )


def digest_of_tables(tables: Mapping[str, pl.DataFrame]) -> str:
    """One digest over the content of tables: names, types, missing cells and values, in a byte order of our own."""
    return digest_of_data({name: _digest_of_table(table) for name, table in tables.items()})


def _digest_of_table(table: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        digest.update(f"{name}:{column.dtype}:{len(column)};".encode())
        digest.update(column.is_null().to_numpy().astype("u1").tobytes())
        digest.update(_content(column))
    return "sha256:" + digest.hexdigest()


def _content(column: pl.Series) -> bytes:
    if column.dtype == pl.String:
        texts = [text.encode() for text in column.fill_null("").to_list()]
        return b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    if column.dtype == pl.Float64:
        return column.fill_null(0.0).to_numpy().astype("<f8").tobytes()
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy().astype("u1").tobytes()
    return column.fill_null(0).to_numpy().astype("<i8").tobytes()
