"""Records: all that one trial has produced, as tables of the observation classes, checked once and then frozen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from equipoise.errors import DataError, Problem
from equipoise.protocol.amendment import chain_of
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
    under:     the digest of the protocol under which they were made: this one, or one that it amends.
    earlier:   the protocols that this one amends, as far as their documents are known, oldest first.
    """

    protocol: Protocol
    tables: Mapping[str, pl.DataFrame]
    warnings: tuple[Problem, ...]
    digest: str = field(compare=False)
    parts: Mapping[str, str] = field(compare=False)
    collected: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    version: int = VERSIONS[-1]
    under: str = ""
    earlier: tuple[Protocol, ...] = ()

    @classmethod
    def of(
        cls,
        protocol: Protocol,
        tables: Mapping[str, pl.DataFrame],
        *,
        collected: Iterable[str] = (),
        lacks: Iterable[str] = (),
        version: int = VERSIONS[-1],
        under: str | None = None,
        earlier: tuple[Protocol, ...] = (),
    ) -> Records:
        """Check `tables` against the protocol and freeze them; absent tables, and columns of later versions, are empty.

        collected: assessments that were asked for, whether or not they have rows. under, earlier: as the fields say;
        without `under` they are made under `protocol`.

        Raises DataError with every problem: wrong columns or types; else duplicate keys, unknown participants, visits,
        assessments, tests or units, procedures before consent, impossible values, visits under other protocols.
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
        problems += list(_other_protocols(complete["visits"], chain_of(protocol, earlier)))
        if problems:
            raise DataError("the records do not fit the protocol", problems)
        asked = {*collected, *with_rows(complete)}
        every = tuple(name for name in known if name in asked)
        lacking = tuple(lacks)
        parts = digests_of_parts(complete, every) if version > 1 else {}
        digest = root_of(parts, lacking) if version > 1 else digest_of_version_1(complete)
        frozen = MappingProxyType(complete)
        fixed = (digest, MappingProxyType(parts), every, lacking, version)
        return cls(protocol, frozen, tuple(warnings), *fixed, under or protocol.digest, earlier)

    @property
    def protocols(self) -> tuple[str, ...]:
        """The digests of the protocol and of those that it amends, oldest first, as far as they are known."""
        return chain_of(self.protocol, self.earlier)

    @property
    def made_under(self) -> Protocol | None:
        """The protocol under which they were made; None where its document is not known."""
        return next((one for one in (*self.earlier, self.protocol) if one.digest == self.under), None)

    @property
    def amended(self) -> bool:
        """Whether some of them were made under a protocol that theirs amends."""
        return {self.under, *self.visits["protocol"].drop_nulls()} != {self.protocol.digest}

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


def _other_protocols(visits: pl.DataFrame, chain: tuple[str, ...]) -> Iterator[Problem]:
    """Visits under a protocol that is neither the one given nor one that it amends, a problem for each protocol."""
    strange = visits.filter(pl.col("protocol").is_not_null() & ~pl.col("protocol").is_in(chain))
    for (digest,), rows in sorted(strange.group_by("protocol")):
        first = rows.sort("participant", "day").row(0, named=True)
        more = f", and {rows.height - 1} more visits" if rows.height > 1 else ""
        message = f"{first['visit']} of {first['participant']}{more}, was held under the protocol {digest}"
        remedy = f"Give that protocol, or an amendment of it (`amends: {digest}`); the one given is {chain[-1]}."
        yield Problem("visits", None, "protocol", "visit-protocol", message, remedy)


def _not_known(assessment: str, known: list[str]) -> Problem:
    message = "an assessment is said to be collected that the protocol does not have"
    remedy = f"The protocol's assessments are {', '.join(known)}."
    return Problem("collected", None, "collected", "assessment-known", message, remedy, repr(assessment))
