"""One simulated trial without harm, and what can go wrong in it: lots, products, doses and events, one at a time."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import MappingProxyType

import numpy as np

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.methods import stopping
from equipoise.analysis.plan import PlannedAnalysis, plan
from equipoise.analysis.results import ClaimResult, ResultTable
from equipoise.analysis.safety_claim import safety_claim
from equipoise.analysis.safety_findings import safety_tables
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel, Rows
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

EARLY, LATE = 0, 1
HARMLESS = (
    "scenario.patients.model=empirical",
    "scenario.manufacturing={lot_failure: 0, late_failure: 0, potency_log_sd: 0.3}",
    "scenario.doses={refused: 0, later_period_declined: 0, below_range: 0}",
    "scenario.dropout=0",
    "scenario.missing.visits=0",
)
NAN = float("nan")


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


@cache
def toxicity() -> PlannedAnalysis:
    (rule,) = (item for item in plan(model()).analyses if item.analysis.id == "toxicity")
    return rule


@cache
def harmless() -> Panel:
    """A trial in which every dose is given as allocated and no adverse event is serious, related or of grade 3."""
    (panel,) = simulate_trials(model(), load_scenario("no-effect", HARMLESS), 1, 1)
    return with_events(panel)


def data_of(panel: Panel, **more: object) -> AnalysisData:
    """Data with the analysis set of the stopping rule alone."""
    return AnalysisData(panel, {}, {"safety": panel.present}, **more)


def tables_of(panel: Panel) -> dict[str, ResultTable]:
    """The tables that the verdict is made from."""
    data = data_of(panel)
    rule = toxicity()
    found = stopping.METHOD.run(data, rule.analysis, rule.options).tables
    return {table.id: table for table in (*found, *safety_tables(data))}


def verdict(panel: Panel) -> ClaimResult:
    """What the claim on safety says of a trial."""
    (claim,) = (item for item in model().claims if item.rule == "safety")
    return safety_claim(claim, tuple(tables_of(panel).values()))


def first(panel: Panel, arm: int) -> int:
    """The first participant of an arm."""
    return int(np.flatnonzero(panel.arm[0] == arm)[0])


def with_events(panel: Panel, *events: tuple[int, float, float, float, float], name: str = "adverse-events") -> Panel:
    """These adverse events and a harmless one: participant, first day, grade, serious, related."""
    rows = [(0, 100.0, 1.0, 0.0, 0.0), *events]
    return _events(panel, rows, name)


def without_events(panel: Panel, *, asked: bool) -> Panel:
    """No adverse event; asked: whether the records say that they were collected."""
    kept = tuple(name for name in panel.collected if name != "adverse-events")
    return dataclasses.replace(_events(panel, [], ""), collected=panel.collected if asked else kept)


def _events(panel: Panel, rows: list[tuple[int, float, float, float, float]], name: str) -> Panel:
    kinds = {column: values.dtype.kind for column, values in panel.events.columns.items()}
    columns = {column: np.full(len(rows), "" if kind == "U" else NAN) for column, kind in kinds.items()}
    columns["assessment"] = np.full(len(rows), name)
    columns["term"] = np.full(len(rows), "Fever")
    for place, column in enumerate(("start_day", "grade", "serious", "related"), start=1):
        columns[column] = np.array([float(row[place]) for row in rows])
    who = np.array([row[0] for row in rows], np.int64)
    return dataclasses.replace(panel, events=Rows(np.zeros(len(rows), np.int64), who, MappingProxyType(columns)))


def changed(panel: Panel, kind: str, where: np.ndarray, **values: object) -> Panel:
    """Other values in some rows of a table of the Panel."""
    rows: Rows = getattr(panel, kind)
    columns = dict(rows.columns)
    for name, value in values.items():
        column = columns[name].astype(object)
        column[where] = value
        columns[name] = column.astype(np.str_ if columns[name].dtype.kind == "U" else np.float64)
    return dataclasses.replace(panel, **{kind: Rows(rows.trial, rows.participant, MappingProxyType(columns))})


def release_row(panel: Panel, arm: int, test: str, period: int = 0) -> np.ndarray:
    """The row of a release test of the first lot of a participant of an arm, in a period."""
    person = first(panel, arm)
    lots = panel.lots
    name = sorted({str(lot) for lot in lots.columns["lot"][lots.participant == person]})[2 * period]
    return (lots.columns["lot"] == name) & (lots.columns["test"] == test)


def dose_of(panel: Panel, person: int, period: str, number: int, kind: str = "dispensed") -> np.ndarray:
    """The row of a dose."""
    rows: Rows = getattr(panel, kind)
    mine = (rows.participant == person) & (rows.columns["period"] == period)
    return mine & (rows.columns["dose_number"] == number)
