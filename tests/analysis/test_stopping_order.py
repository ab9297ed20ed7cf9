"""The stopping rule in order of entry: the same under any names, and it says when the order is not recorded."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.methods import stopping
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Panel
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from tests.analysis.test_shares_and_rules import analysis, with_events

OPTIONS = stopping.Options(rule="toxicity", events="adverse-events", grade=3, within_days=30)


@cache
def trial() -> Panel:
    """One trial; three of the first four and no other treated with cells have an event five days after the first."""
    protocol = load_protocol("msc-t1d")
    changes = ("scenario.dropout=0", "scenario.doses.refused=0", "scenario.missing.visits=0")
    (panel,) = simulate_trials(protocol, load_scenario("no-effect", changes), 4, 1)
    treated = np.flatnonzero(panel.arm[0] == 0)
    return with_events(panel, [(int(person), 5.0, 3, 0.0, 1.0) for person in treated[[0, 1, 3]]])


def axis_in(order: np.ndarray) -> Panel:
    """The same trial with its people in another order on the axis, as other names would put them."""
    panel = trial()
    place = np.argsort(order)

    def moved(values: np.ndarray) -> np.ndarray:
        return values[:, order]

    def rows(given):
        return dataclasses.replace(given, participant=place[given.participant])

    return dataclasses.replace(
        panel,
        present=moved(panel.present),
        arm=moved(panel.arm),
        covariates=MappingProxyType({name: moved(values) for name, values in panel.covariates.items()}),
        labels=MappingProxyType({name: moved(values) for name, values in panel.labels.items()}),
        entry=MappingProxyType({name: moved(values) for name, values in panel.entry.items()}),
        visit_day=moved(panel.visit_day),
        visit_status=moved(panel.visit_status),
        events=rows(panel.events),
        interventions=rows(panel.interventions),
        lots=rows(panel.lots),
        dispensed=rows(panel.dispensed),
    )


@cache
def prepared() -> AnalysisData:
    return prepare(plan(trial().protocol), trial())


def state(panel: Panel) -> dict[str, object]:
    data = prepared()
    data = dataclasses.replace(data, panel=panel, sets={name: np.ones_like(flags) for name, flags in data.sets.items()})
    (table,) = stopping.METHOD.run(data, analysis("toxicity"), OPTIONS).tables
    return dict(zip([column.id for column in table.columns], table.rows[0], strict=True))


@pytest.mark.requirement("ORDER-STOPPING", "ORDER-RENAMING")
def test_the_rule_is_met_alike_whatever_people_are_called() -> None:
    before = state(trial())
    assert before["met_after"] is not None and before["status"] == "ok"
    assert before["counted"] == before["treated"] and before["open"] == 0
    n = trial().participants
    for order in (np.arange(n)[::-1], np.random.default_rng(1).permutation(n)):
        assert state(axis_in(order)) == before


@pytest.mark.requirement("ORDER-STATUS")
def test_without_days_of_entry_the_rule_is_not_judged() -> None:
    panel = trial()
    unknown = np.full_like(panel.arm, np.nan, dtype=float)
    bare = dataclasses.replace(panel, covariates=MappingProxyType({**panel.covariates, "entry_day": unknown}))
    found = state(bare)
    assert (found["met_after"], found["posterior"], found["counted"]) == (None, None, None)
    assert "day of entry" in str(found["status"])
    none = state(with_events(bare, []))
    assert str(none["status"]).startswith("never met") and none["events"] == 0


@pytest.mark.requirement("ORDER-STOPPING")
def test_who_is_still_in_the_window_is_open_and_not_in_n() -> None:
    """Two on cells in all the data: everything after day 10 of the last entered has not happened yet."""
    panel = trial()
    covariates = {**panel.covariates, "last_contact_day": np.zeros_like(panel.covariates["last_contact_day"])}
    entry = np.zeros_like(covariates["entry_day"])
    last = np.flatnonzero(panel.arm[0] == 0)[-1]
    entry[0, last] = 40.0
    rows = panel.interventions
    early = np.asarray(rows.columns["day"], np.float64) <= 0
    kept = dataclasses.replace(
        rows,
        trial=rows.trial[early],
        participant=rows.participant[early],
        columns=MappingProxyType({name: column[early] for name, column in rows.columns.items()}),
    )
    now = dataclasses.replace(
        panel,
        covariates=MappingProxyType({**covariates, "entry_day": entry}),
        visit_status=np.zeros_like(panel.visit_status),
        interventions=kept,
    )
    found = state(with_events(now, []))
    # Day 40 of the calendar: the second dose of those who entered on day 0 is overdue, their first window is complete.
    assert found["open"] == 1 and found["counted"] == found["treated"] - 1
