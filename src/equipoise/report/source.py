"""What a report is made from: a folder's protocol, results and analysis datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from equipoise.analysis.chances import Chances, read_chances
from equipoise.analysis.results import Result, Results, ResultTable, read_results
from equipoise.documents.drawings import ArmStyle, Role
from equipoise.errors import DataError, Problem
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.truth.table import FILE as TRUTH
from equipoise.truth.table import TruthTable, read_truth

if TYPE_CHECKING:
    from equipoise.simulate.scenario import Scenario

MECHANISM = "simulated/mechanism.parquet"
"""What a simulated trial's folder has besides: where the course of its mechanism lies."""
SCENARIO = "scenario.yaml"
CHANCES = "chances.json"
"""Where a folder says how often each word would be said by chance."""
TRUE_VALUE, POPULATION_VALUE = "True value", "In the population"
TRUE_NOTE = (
    "The true value is the mean over both potential outcomes of this trial's own simulated people, each followed whole"
    " in either arm, under the strategies of the estimand. No trial knows it."
)
POPULATION_NOTE = (
    "In the population: the same of very many people, with effects at the centre of the scenario's ranges."
)
TRUE_LACKING = "this result is not the contrast of its estimand, or potential outcomes have no such value"
MOST_EVENTS = 400
"""Events of one kind that the appendix lists; of more the dataset tells."""
MOST_VALUES = 6000
"""Values of one parameter that the appendix lists; of more the dataset tells."""
DESCRIBED = ("kind", "id", "label", "unit", "visit", "statistic")
"""The columns with which a descriptive table begins."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A column of its own beside every estimate, as the true value in a simulated trial.

    header:  over the column. note: under the table, what the numbers are.
    values:  result id -> the number, on the scale of its result; a result without one has a dash.
    lacking: why there is a dash.
    """

    header: str
    note: str
    values: Mapping[str, float]
    lacking: str


@dataclass(frozen=True, eq=False)
class ReportSource:
    """A protocol, the results of its analysis, and the dataset of every parameter by visit.

    events: every event (ADAE); None in a folder of an earlier version.
    mechanism: of a simulated trial, the mean course of what moved its people (simulate/mechanism.py); else None.
    scenario: what moved them, where the folder has it; None of real people.
    beside: further columns of the table of estimates.
    chances: how often each word would be said by chance, by scenario; none where that was not simulated.
    """

    protocol: Protocol
    results: Results
    values: pl.DataFrame
    subjects: pl.DataFrame
    events: pl.DataFrame | None = None
    mechanism: pl.DataFrame | None = None
    scenario: Scenario | None = None
    beside: tuple[Beside, ...] = ()
    chances: tuple[Chances, ...] = ()

    @property
    def blinded(self) -> bool:
        """Whether arms were left out."""
        return self.results.allocation is None

    @property
    def scrambled(self) -> bool:
        """Whether the arms were drawn anew and mean nothing."""
        return "scrambled" in (self.results.allocation or {})

    @property
    def groups(self) -> tuple[tuple[str, ArmStyle], ...]:
        """The groups that are shown: every arm with its style, or everybody in a blinded run."""
        if self.blinded:
            return (("all", ArmStyle("All participants", "neutral")),)
        first = self.protocol.periods[0].id
        return tuple((arm.id, ArmStyle(arm.label, _role(self.protocol, arm.id, first))) for arm in self.protocol.arms)

    @cached_property
    def listed_parameters(self) -> tuple[str, ...]:
        """The parameters whose every value the appendix lists: those of the results, main outcomes first."""
        main = [item for item in self.protocol.analyses if item.role in ("primary", "key-secondary") and item.estimand]
        names = [self.protocol.estimand(str(item.estimand)).variable.parameter for item in main]
        names += [result.parameter for result in self.results.results]
        counts = dict(self.values.group_by("PARAMID").len().iter_rows())
        return tuple(name for name in dict.fromkeys(names) if 0 < counts.get(name, 0) <= MOST_VALUES)

    @cached_property
    def listed_kinds(self) -> tuple[str, ...]:
        """The kinds of events, by the protocol's assessment, of which the appendix lists every one."""
        if self.events is None:
            return ()
        counts = self.events.group_by("AECAT", maintain_order=True).len()
        return tuple(str(kind) for kind in counts.filter(pl.col("len") <= MOST_EVENTS)["AECAT"])

    def comparisons(self) -> tuple[Result, ...]:
        """The results that compare arms."""
        return tuple(item for item in self.results.results if item.active is not None)

    @cached_property
    def panels(self) -> frozenset[str]:
        """The analyses that give results of several parameters; their rows are named by the parameter."""
        found: dict[str, set[str]] = {}
        for item in self.results.results:
            found.setdefault(item.analysis, set()).add(item.parameter)
        return frozenset(name for name, parameters in found.items() if len(parameters) > 1)

    @property
    def simulated(self) -> bool:
        """Whether the participants were simulated."""
        return self.results.seed is not None

    def described(self) -> tuple[Described, ...]:
        """The descriptive tables, in order; other methods' tables have other columns."""
        heads = [tuple(column.id for column in table.columns[: len(DESCRIBED)]) for table in self.results.tables]
        found = zip(heads, self.results.tables, strict=True)
        return tuple(Described(table) for head, table in found if head == DESCRIBED)


def _role(protocol: Protocol, arm: str, period: str) -> Role:
    return "active" if protocol.role(arm, period) == "active" else "placebo"


def read_source(folder: Path, protocol: Protocol | None = None) -> ReportSource:
    """Read what a report needs from `folder`; raises DataError where something is not there.

    protocol: the folder's own, where the caller has it at hand.
    """
    results = read_results(folder / "results.json")
    if protocol is None:
        protocol = load_protocol(folder / "protocol.yaml")
    values, subjects = (_frame(folder / "adam" / f"{name}.parquet") for name in ("adeff", "adsl"))
    path = folder / "adam" / "adae.parquet"
    events = _frame(path) if path.is_file() else None
    path = folder / MECHANISM
    mechanism = _frame(path) if results.seed is not None and path.is_file() else None
    scenario = None
    if results.seed is not None and (folder / SCENARIO).is_file():
        # Only here: a report on real people needs nothing of the simulation.
        from equipoise.simulate.scenario import load_scenario

        scenario = load_scenario(folder / SCENARIO)
    path = folder / CHANCES
    chances = read_chances(path) if path.is_file() else ()
    beside = _true_values(folder / TRUTH, results, protocol)
    return ReportSource(
        protocol, results, values, subjects, events, mechanism, scenario=scenario, beside=beside, chances=chances
    )


def _true_values(path: Path, results: Results, protocol: Protocol) -> tuple[Beside, ...]:
    """Of a simulated trial, what is true of its results; nothing where arms are unknown, or mean nothing."""
    allocation = results.allocation
    if results.seed is None or allocation is None or "scrambled" in allocation or not path.is_file():
        return ()
    table = read_truth(path)
    if table.protocol["digest"] != protocol.digest:  # the protocol was changed after the simulation
        return ()
    own = {item.id: table.of_result(item.id, item.unit, item.scale) for item in results.results}
    found = [Beside(TRUE_VALUE, TRUE_NOTE, _there(own), TRUE_LACKING)]
    if any(item.population is not None for item in table.estimands):
        people = _population(table, results)
        found.append(Beside(POPULATION_VALUE, POPULATION_NOTE, people, TRUE_LACKING))
    return tuple(found)


def _population(table: TruthTable, results: Results) -> Mapping[str, float]:
    values = {item.id: table.of_result(item.id, item.unit, item.scale, population=True) for item in results.results}
    return _there(values)


def _there(values: Mapping[str, float | None]) -> Mapping[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _frame(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        problem = Problem(str(path), None, "", "dataset-readable", str(error), "Run `equipoise analyse` again.")
        raise DataError(f"cannot read the analysis dataset {path}", [problem]) from None


class Described:
    """A descriptive results table, asked by characteristic, visit and statistic."""

    def __init__(self, table: ResultTable) -> None:
        self.table = table
        self.groups = [column.id for column in table.columns[len(DESCRIBED) :]]
        self.heads: dict[tuple[str, str | None], tuple[str, str, str]] = {}
        self._cells: dict[tuple[str, str | None, str], dict[str, float | int | None]] = {}
        for kind, name, label, unit, visit, statistic, *cells in table.rows:
            key = (str(name), None if visit is None else str(visit))
            self.heads[key] = (str(kind), str(label), str(unit))
            numbers = [cell if isinstance(cell, int | float) else None for cell in cells]
            self._cells[*key, str(statistic)] = dict(zip(self.groups, numbers, strict=True))

    def get(self, name: str, visit: str | None, statistic: str, group: str) -> float | int | None:
        """One number of the table, None where there is none."""
        return self._cells.get((name, visit, statistic), {}).get(group)

    def count(self, name: str, visit: str | None, statistic: str, group: str) -> int:
        """One count of the table, 0 where there is none."""
        return int(self.get(name, visit, statistic, group) or 0)

    def statistics(self, name: str, visit: str | None) -> list[str]:
        """The statistics that the table holds of a characteristic at a visit, in order."""
        return [statistic for (n, v, statistic) in self._cells if (n, v) == (name, visit)]

    def visits(self, name: str) -> list[str]:
        """The visits at which the table describes a parameter, in order."""
        return [visit for (n, visit) in self.heads if n == name and visit is not None]
