"""The mean cumulative function of events in a trial: whose time, which events, no interval below 20 people an arm."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import BLINDED, result_of
from equipoise.analysis.methods import mean_cumulative as method
from equipoise.analysis.plan import plan
from equipoise.analysis.registry import Outcome
from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Rows
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats.mean_cumulative import mean_cumulative
from tests.analysis.one_trial import alone, analysis, blinded, emptied, model, trials, with_panel

ITEM = analysis("mean-cumulative", "hypoglycaemia-12")


def pictured(data: AnalysisData, **options: object) -> Outcome:
    return method.METHOD.run(data, ITEM, method.Options(**options))


@cache
def many_people() -> AnalysisData:
    """A trial of 60 people."""
    protocol = load_protocol("msc-t1d", ["protocol.randomisation.participants=60"])
    (panel,) = simulate_trials(protocol, load_scenario("no-effect"), 1, 1)
    return prepare(plan(protocol), panel)


def by_hand(data: AnalysisData, trial: int, arm: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Persons and days of the episodes that count, and each person's last day of a collected diary up to month 12."""
    panel = data.panel
    block = panel.blocks["diary"]
    until = panel.visit_index("month-12")
    people = [
        person
        for person in np.flatnonzero(data.sets["randomised"][trial] & (panel.arm[trial] == arm))
        if not np.isnan(data.at("hypoglycaemia", "month-12")[trial, person])
    ]
    ends = []
    for person in people:
        days = [
            block.day[trial, person, place]
            for place, visit in enumerate(block.visits)
            if panel.visit_index(visit) <= until and not np.isnan(block.value[trial, person, place, 0, 0])
        ]
        ends.append(max(days))
    who, when = [], []
    rows = panel.events
    for row in range(len(rows)):
        if rows.trial[row] != trial or rows.columns["assessment"][row] != "hypoglycaemia":
            continue
        person, day = int(rows.participant[row]), float(rows.columns["start_day"][row])
        if person in people and rows.columns["level"][row] in (2, 3) and 0 <= day <= ends[people.index(person)]:
            who.append(people.index(person))
            when.append(day)
    return np.array(who), np.array(when), np.array(ends)


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_the_function_is_that_of_the_library_on_events_and_days_found_by_hand() -> None:
    data = dataclasses.replace(trials(), trial=2)
    outcome = pictured(data)
    (table,) = outcome.tables
    assert [column.id for column in table.columns] == ["arm", "day", "mean", "lower", "upper", "under_observation"]
    at_end = []
    for arm, code in (("group-a", 0), ("group-b", 1)):
        who, when, end = by_hand(data, 2, code)
        expected = mean_cumulative(who, when, np.full(len(end), -1.0), end)
        rows = [row for row in table.rows if row[0] == arm]
        assert rows[0] == (arm, -1.0, 0.0, None, None, len(end))
        steps = rows[1 : 1 + len(expected.time)]
        assert_array_equal([row[1] for row in steps], expected.time)
        assert_allclose([row[2] for row in steps], expected.mean)
        assert_array_equal([row[5] for row in steps], expected.at_risk)
        assert rows[-1][1] == end.max() and rows[-1][2] == pytest.approx(expected.mean[-1])
        at_end.append(expected.mean[-1])
        assert all(row[3] is row[4] is None for row in rows), "no limits below 20 people"
    assert outcome.estimates[0].values["estimate"][2] == pytest.approx(at_end[0] - at_end[1])


def test_it_counts_the_events_that_the_parameter_counts() -> None:
    """Where everybody is observed to the end, the mean is that of the counts; else no event is lost or gained."""
    data = trials()
    for parameter in ("hypoglycaemia", "grade-3-events"):
        observed = method._observed(data, parameter, "month-12")
        counted = np.zeros(data.panel.present.shape)
        np.add.at(counted, (observed.trial, observed.person), 1)
        expected = data.at(parameter, "month-12")
        assert counted.sum() > 5
        assert_array_equal(counted, np.nan_to_num(expected))
        assert_array_equal(np.isnan(observed.end), np.isnan(expected))


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_below_twenty_an_arm_there_is_neither_interval_nor_p_value() -> None:
    data = trials()
    (estimate,) = pictured(data).estimates
    assert_array_equal(estimate.status, method.TOO_FEW)
    assert np.isfinite(estimate.values["estimate"]).all()
    for name in ("standard_error", "lower", "upper", "p_value"):
        assert np.isnan(estimate.values[name]).all()
    result = result_of(estimate, data, ITEM, 0)
    assert result.p_kind is None and result.covariance_used is None and result.unit == "episodes"


def test_from_twenty_an_arm_on_there_is_an_interval_by_the_robust_errors() -> None:
    data = many_people()
    outcome = pictured(data)
    (estimate,) = outcome.estimates
    assert min(estimate.n["group-a"][0], estimate.n["group-b"][0]) >= 20
    functions = []
    for code in (0, 1):
        who, when, end = by_hand(data, 0, code)
        functions.append(mean_cumulative(who, when, np.full(len(end), -1.0), end))
    error = np.hypot(functions[0].standard_error[-1], functions[1].standard_error[-1])
    difference = functions[0].mean[-1] - functions[1].mean[-1]
    assert estimate.status[0] == "ok"
    assert estimate.values["standard_error"][0] == pytest.approx(error)
    assert estimate.values["upper"][0] == pytest.approx(difference + 1.959964 * error, rel=1e-5)
    assert 0 < estimate.values["p_value"][0] <= 1
    assert all(row[3] is not None for row in outcome.tables[0].rows if row[2])


def test_a_trial_alone_gives_what_it_gives_among_others() -> None:
    data = trials()
    together = pictured(data).estimates[0].values["estimate"]
    for trial in (0, 3):
        one = pictured(alone(data, trial))
        assert one.estimates[0].values["estimate"][0] == together[trial]
        assert one.tables == pictured(dataclasses.replace(data, trial=trial)).tables


def without_events(data: AnalysisData, arms: tuple[int, ...]) -> AnalysisData:
    rows = data.panel.events
    kept = ~np.isin(data.panel.arm[rows.trial, rows.participant], arms)
    columns = {name: column[kept] for name, column in rows.columns.items()}
    return with_panel(data, events=Rows(rows.trial[kept], rows.participant[kept], columns))


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_no_event_an_arm_without_any_an_empty_arm_and_nobody_observed() -> None:
    data = trials()
    none = pictured(without_events(data, (0, 1)))
    assert_array_equal(none.estimates[0].status, method.NO_EVENT)
    assert next(row[:3] for row in none.tables[0].rows if row[0] == "group-a") == ("group-a", -1.0, 0.0)
    assert all(row[2] == 0 for row in none.tables[0].rows)
    one = pictured(without_events(data, (0,)))
    assert (one.estimates[0].values["estimate"] < 0).all()
    empty = pictured(emptied(data, 1))
    assert all(text.startswith("nobody has a value") for text in empty.estimates[0].status)
    assert {row[0] for row in empty.tables[0].rows} == {"group-a"}
    nobody = pictured(emptied(emptied(data, 0), 1))
    assert nobody.tables[0].rows == ()


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_has_one_function_of_everybody() -> None:
    outcome = pictured(blinded(trials()))
    assert_array_equal(outcome.estimates[0].status, BLINDED)
    assert not np.isfinite(outcome.estimates[0].values["estimate"]).any()
    rows = outcome.tables[0].rows
    assert {row[0] for row in rows} == {"pooled"} and rows[-1][2] > 0
    assert rows[0][5] == outcome.estimates[0].n["pooled"][0]


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_a_parameter_that_counts_nothing_and_a_family_are_refused() -> None:
    def rules(item: object = ITEM, **options: object) -> list[str]:
        return [found.rule for found in method.METHOD.objections(model(), item, method.Options(**options))]

    assert rules() == [] and rules(parameter="grade-3-events") == []
    assert rules(parameter="hba1c") == ["parameter-counts-events"]
    assert rules(parameter="nothing") == ["known-parameter"]
    assert rules(ITEM.model_copy(update={"family": "month-12"})) == ["picture-in-family"]
