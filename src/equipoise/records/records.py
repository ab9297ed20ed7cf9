"""Records: all that one trial has produced, as tables of the observation classes, checked once and then frozen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.model import Protocol
from equipoise.records.checks import check_tables, check_types
from equipoise.records.classes import CLASSES, ObservationClass
from equipoise.records.digests import digest_of_version_1, digests_of_parts, root_of, with_rows

VERSIONS = (1, 2)
"""Versions of records that are read; those made anew are of the last."""

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
    digest:    over the parts; independent of file format and row order. Of version 1 over every table whole.
    parts:     part -> digest; of version 1 there are none.
    collected: assessments that were asked for or have rows, in the protocol's order.
    lacks:     what a masked copy lacks (`records.masked`).
    version:   of records, 1 or 2.
    """

    protocol: Protocol
    tables: Mapping[str, pl.DataFrame]
    warnings: tuple[Problem, ...]
    digest: str = field(compare=False)
    parts: Mapping[str, str] = field(compare=False)
    collected: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    version: int = VERSIONS[-1]

    @classmethod
    def of(
        cls,
        protocol: Protocol,
        tables: Mapping[str, pl.DataFrame],
        *,
        collected: Iterable[str] = (),
        lacks: Iterable[str] = (),
        version: int = VERSIONS[-1],
    ) -> Records:
        """Check `tables` against the protocol and freeze them; absent tables, and columns of later versions, are empty.

        collected: assessments that were asked for, whether or not they have rows.

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
        known = [item.id for item in protocol.assessments]
        problems += [_not_known(name, known) for name in collected if name not in known]
        if problems:
            raise DataError("the records do not fit the protocol", problems)
        asked = {*collected, *with_rows(complete)}
        every = tuple(name for name in known if name in asked)
        lacking = tuple(lacks)
        parts = digests_of_parts(complete, every) if version > 1 else {}
        digest = root_of(parts, lacking) if version > 1 else digest_of_version_1(complete)
        frozen = MappingProxyType(complete)
        return cls(protocol, frozen, tuple(warnings), digest, MappingProxyType(parts), every, lacking, version)

    @property
    def seed(self) -> int | None:
        """The seed of simulated records; None for those of a real trial. One simulated participant is enough."""
        found = (_SIMULATED.match(source) for source in self.participants["source"].unique().sort())
        return next((int(match[1]) for match in found if match), None)

    @property
    def silent(self) -> tuple[str, ...]:
        """The assessments that were asked for and have no rows."""
        there = with_rows(self.tables)
        return tuple(name for name in self.collected if name not in there)

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
    later = [column for column in observation_class.columns if column.name not in table.columns]
    table = table.with_columns(pl.lit(None, column.kind).alias(column.name) for column in later)
    return table.select(list(observation_class.schema)).sort(
        observation_class.key, nulls_last=False, maintain_order=True
    )


def _not_known(assessment: str, known: list[str]) -> Problem:
    message = "an assessment is said to be collected that the protocol does not have"
    remedy = f"The protocol's assessments are {', '.join(known)}."
    return Problem("collected", None, "collected", "assessment-known", message, remedy, repr(assessment))
