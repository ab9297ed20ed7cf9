"""Random Panels of one trial for tests: every array filled at random, awkward numbers and words included."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import polars as pl
from hypothesis import strategies as st

from equipoise.protocol.model import Protocol
from equipoise.records.classes import PARTICIPANTS
from equipoise.records.from_records import CARRIED_COLUMNS
from equipoise.records.panel import (
    COVARIATES,
    LABELS,
    NO_VISIT,
    NUMBERS_OF_ENTRY,
    STRATUM,
    UNKNOWN_ARM,
    Block,
    Panel,
    Rows,
    empty_block,
    unknown_entry,
)

AWKWARD = np.array([0.0, -0.0, 0.1, 5e-324, -1e-310, 1.7976931348623157e308, 1 / 3, 2**53 + 2.0, -1e22])
WORDS = ("a", "Süd", "نور", "a,b", 'say "x"', "<0.05", "=1+1", "two\nlines", " x", "NULL", "NaN", "1e5")


class _Random:
    """Arrays from one generator, a share of their values missing."""

    def __init__(self, seed: int, missing: float, *, awkward: bool = True) -> None:
        self.generator = np.random.default_rng(seed)
        self.missing = missing
        self.awkward = 0.2 if awkward else 0.0

    def numbers(self, shape: tuple[int, ...]) -> np.ndarray:
        plain = self.generator.normal(0, 10, shape)
        odd = self.generator.choice(AWKWARD, shape)
        return self.holes(np.where(self.generator.random(shape) < self.awkward, odd, plain))

    def holes(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.generator.random(values.shape) < self.missing, np.nan, values)

    def days(self, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
        return self.holes(self.generator.integers(low, high, shape).astype(np.float64))

    def words(self, shape: tuple[int, ...], among: tuple[str, ...]) -> np.ndarray:
        return self.generator.choice(np.array(among), shape)


@st.composite
def panels(draw: st.DrawFn, protocol: Protocol) -> Panel:
    """A Panel of one trial under `protocol`; the example shrinks towards few participants and few missing values."""
    people = draw(st.integers(1, 5))
    return make_panel(protocol, people, draw(st.integers(0, 2**32)), draw(st.sampled_from([0.0, 0.3, 0.9, 1.0])))


def make_panel(protocol: Protocol, people: int, seed: int, missing: float, *, awkward: bool = True) -> Panel:
    """A Panel of one trial of `people` participants, a share `missing` of its values missing."""
    random = _Random(seed, missing, awkward=awkward)
    shape = (1, people, len(protocol.visits))
    status = random.generator.integers(0, 3, shape).astype(np.int8)
    supplied = {parameter.id: random.numbers(shape) for parameter in protocol.parameters[:2]}
    panel = Panel(
        protocol=protocol,
        ids=tuple(sorted(f"{word.strip()}{number}" for number, word in enumerate(random.words((people,), WORDS)))),
        present=np.ones((1, people), np.bool_),
        arm=random.generator.integers(-1, len(protocol.arms), (1, people)).astype(np.int8),
        covariates=MappingProxyType({name: _covariate(random, name, people) for name in COVARIATES}),
        labels=MappingProxyType({name: random.words((1, people), ("", *WORDS)) for name in LABELS}),
        visit_day=np.where(status == NO_VISIT, np.nan, random.days(shape, -60, 900)),
        visit_status=status,
        blocks=MappingProxyType({a.id: _block(random, protocol, a.id, people) for a in protocol.findings}),
        supplied=MappingProxyType({name: v for name, v in sorted(supplied.items()) if not np.isnan(v).all()}),
        events=_rows(random, protocol, "events", people),
        interventions=_rows(random, protocol, "interventions", people),
        lots=_lots(random, people),
    )
    return replace(panel, entry=_entry(random, protocol, panel.arm), collected=_collected(random, panel))


def _entry(random: _Random, protocol: Protocol, arm: np.ndarray) -> dict[str, np.ndarray]:
    """Of those with an arm: numbers of slots with gaps, strata, blocks of one or two; or nothing."""
    found = unknown_entry(*arm.shape)
    allocated = np.flatnonzero(arm[0] != UNKNOWN_ARM)
    if random.generator.random() < 0.3:
        return found
    numbers = random.generator.permutation(3 * len(allocated))[: len(allocated)] + 1
    columns = {"sequence": numbers, "block": (numbers + 1) // 2, "block_size": np.full(len(numbers), 2)}
    for name in NUMBERS_OF_ENTRY:
        found[name][0, allocated] = columns[name]
    if protocol.randomisation.strata:
        found[STRATUM] = found[STRATUM].astype("U20")
        found[STRATUM][0, allocated] = "/".join("a site" for _ in protocol.randomisation.strata)
    return found


def _collected(random: _Random, panel: Panel) -> tuple[str, ...]:
    """The assessments with values or rows, and some without."""
    there = {name for name, block in panel.blocks.items() if (~np.isnan(block.value) | block.asked).any()}
    there |= {str(name) for rows in (panel.events, panel.interventions) for name in rows.columns["assessment"]}
    every = [item.id for item in panel.protocol.assessments]
    return tuple(name for name in every if name in there or random.generator.random() < 0.5)


def _covariate(random: _Random, name: str, people: int) -> np.ndarray:
    words = PARTICIPANTS.column(name).words
    if words:
        codes = random.generator.integers(0, len(words), (1, people)).astype(np.float64)
        return codes if name == "status" else random.holes(codes)
    if name == "age_years":
        return random.holes(random.generator.uniform(0, 100, (1, people)))
    # Consent before allocation before the first dose; all before any procedure, which would else be refused.
    if name == "entry_day":
        days = random.days((1, people), 0, 900)
        return days - np.nanmin(days) if not np.isnan(days).all() else days
    low = {"diagnosis_day": -900, "consent_day": -800, "allocation_day": -700, "first_dose_day": -600}.get(name, 0)
    return random.days((1, people), low, low + 90)


def _block(random: _Random, protocol: Protocol, name: str, people: int) -> Block:
    empty = empty_block(protocol.assessment(name), 1, people)
    value = random.numbers(empty.value.shape)
    there = ~np.isnan(value)
    side = random.generator.integers(-1, 2, value.shape)
    asked = (random.generator.random(value.shape) < 0.2) & ~there
    # A day is known only through a record of that visit.
    recorded = (there | asked).any(axis=(3, 4))
    day = np.where(recorded, random.days(empty.day.shape, -500, 900), np.nan)
    censored = np.where(there, side, 0).astype(np.int8)
    return Block(name, empty.visits, empty.minutes, empty.tests, value, censored, day, asked)


def _lots(random: _Random, people: int) -> Rows:
    count = int(random.generator.integers(0, 5))
    who = np.sort(random.generator.integers(0, people, count))
    columns: dict[str, np.ndarray] = {}
    for column in CARRIED_COLUMNS["lots"] if count else ():
        if column.name in ("lot", "test"):  # together unique, and in order within a participant
            columns[column.name] = np.array([f"{column.name}{number}" for number in range(count)])
        elif column.kind is pl.String:
            columns[column.name] = random.words((count,), column.words or WORDS)
        elif column.kind is pl.Boolean:
            columns[column.name] = random.holes(random.generator.integers(0, 2, count).astype(np.float64))
        elif column.kind is pl.Int32:
            columns[column.name] = np.full(count, 7.0)
        else:
            columns[column.name] = random.numbers((count,))
    return Rows(np.zeros(count, np.int64), who.astype(np.int64), MappingProxyType(columns))


def _rows(random: _Random, protocol: Protocol, kind: str, people: int) -> Rows:
    names = sorted(item.id for item in protocol.assessments if item.observation_class == kind)
    count = int(random.generator.integers(0, 6)) if names else 0
    who = np.sort(random.generator.integers(0, people, count))
    what = (
        np.concatenate([np.sort(random.words(((who == person).sum(),), tuple(names))) for person in np.unique(who)])
        if count
        else np.array([], np.str_)
    )
    columns: dict[str, np.ndarray] = {"assessment": what}
    for column in CARRIED_COLUMNS[kind]:
        if column.kind is pl.String and column.name != "assessment":
            columns[column.name] = random.words((count,), column.words or WORDS)
        elif column.kind is pl.Boolean:
            columns[column.name] = random.holes(random.generator.integers(0, 2, count).astype(np.float64))
        elif column.kind is pl.Int32:
            columns[column.name] = np.full(count, 7.0)  # one day, so that no event ends before it starts
        elif column.kind is pl.Float64:
            columns[column.name] = random.numbers((count,))
    ordered = {column.name: columns[column.name] for column in CARRIED_COLUMNS[kind]}
    return Rows(np.zeros(count, np.int64), who.astype(np.int64), MappingProxyType(ordered))
