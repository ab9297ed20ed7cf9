"""Repeated measures as an analysis: the library's numbers, exact where nothing is missing, the rung that answered."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan, plan
from equipoise.analysis.results import Result
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats.mmrm import contrast, fit_mmrm, visit_design

pytestmark = pytest.mark.requirement("ANALYSIS-MMRM")
VISITS = ("month-3", "month-6", "month-9", "month-12")


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@pytest.fixture(scope="module")
def data(planned: Plan) -> AnalysisData:
    return prepare(planned, next(iter(simulate_trials(planned.protocol, load_scenario("no-effect"), 4, 6))))


def only(planned: Plan, *names: str) -> Plan:
    return dataclasses.replace(planned, analyses=tuple(i for i in planned.analyses if i.analysis.id in names))


def result(planned: Plan, data: AnalysisData, name: str) -> Result:
    return run(only(planned, name), data)[0][0]


def outcome(planned: Plan, data: AnalysisData, name: str):
    item = next(item for item in planned.analyses if item.analysis.id == name)
    return item.method.run(data, item.analysis, item.options).estimates[0]


def changed(data: AnalysisData, parameter: str, change) -> AnalysisData:
    values = data.parameters[parameter].copy()
    change(values)
    return dataclasses.replace(data, parameters={**data.parameters, parameter: values})


def test_the_numbers_are_those_of_the_library(planned, data) -> None:
    places = [data.panel.visit_index(name) for name in VISITS]
    found = outcome(planned, data, "hba1c-12")
    for trial in range(6):
        values = data.parameters["hba1c"][trial][:, places]
        baseline = data.baseline("hba1c", "efficacy")[trial]
        who = np.flatnonzero(data.sets["randomised"][trial] & ~np.isnan(baseline) & ~np.isnan(values).all(axis=1))
        person, visit = np.repeat(who, 4), np.tile(np.arange(4), len(who))
        arm = data.panel.arm[trial].astype(int)[person]
        y = values[who].ravel()
        design = visit_design(y, arm, person, visit, arms=2, visits=4, crossed=baseline[person][:, None])
        fit = fit_mmrm(y, design.columns, person, visit)
        if fit.message != "ok":
            continue
        expected = contrast(fit, design.differences(active=0, reference=1)[3])
        for name in ("estimate", "standard_error", "df", "lower", "upper", "p_value"):
            assert found.values[name][trial] == pytest.approx(getattr(expected, name)[0], rel=1e-9)
        assert found.covariance_used[trial] == "us"


def test_complete_people_give_the_analysis_of_covariance_at_the_visit(planned, data) -> None:
    """Baseline by visit and an unstructured covariance: then the other visits say nothing about this one."""
    source = np.random.default_rng(1)

    def fill(values):
        there = np.isnan(values)
        values[there] = source.normal(7, 1, there.sum())

    full = changed(data, "hba1c", fill)
    repeated, alone = (outcome(planned, full, name) for name in ("hba1c-12", "hba1c-12-ancova"))
    for name in ("estimate", "standard_error", "df", "lower", "upper", "p_value"):
        np.testing.assert_allclose(repeated.values[name], alone.values[name], rtol=1e-7)


def test_a_trial_alone_is_the_trial_among_others(planned, data) -> None:
    together = outcome(planned, data, "cpeptide-12")
    panels = simulate_trials(planned.protocol, load_scenario("no-effect"), 4, 1, 2)
    alone = outcome(planned, prepare(planned, next(iter(panels))), "cpeptide-12")
    for name, values in alone.values.items():
        np.testing.assert_allclose(values[0], together.values[name][2], rtol=1e-9)


def test_means_and_differences_at_every_visit_stand_in_a_table(planned, data) -> None:
    found, tables = run(only(planned, "hba1c-12"), data)
    table = next(table for table in tables if table.id == "hba1c-12")
    rows = {(row[0], row[1]): row[2] for row in table.rows}
    assert len(rows) == 12
    for visit in VISITS:
        difference = rows[visit, "group-a"] - rows[visit, "group-b"]
        assert rows[visit, "group-a-v-group-b"] == pytest.approx(difference, abs=1e-9)
    assert rows["month-12", "group-a-v-group-b"] == pytest.approx(found[0].estimate)


def test_the_rung_that_answered_is_in_the_result(planned, data) -> None:
    def thin(values):
        # Nobody has all visits, and few have two: the unstructured covariance has no maximum.
        places = [data.panel.visit_index(name) for name in VISITS]
        for person in range(values.shape[1]):
            for place, visit in enumerate(places[:3]):
                if (person + place) % 3:
                    values[:, person, visit] = np.nan

    found = result(planned, changed(data, "hba1c", thin), "hba1c-12")
    assert found.status == "ok" and found.covariance_requested == "us"
    assert found.covariance_used in ("ris", "csh", "toeph", "ar1h", "ancova")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("nobody has a value", lambda values: values.fill(np.nan), "has a value of HbA1c at Month 12"),
        ("a visit never held", lambda values: values[:, :, 12].fill(np.nan), ""),
    ],
)
def test_odd_trials_have_a_status_or_an_answer(planned, data, name, change, words) -> None:
    found = result(planned, changed(data, "hba1c", change), "hba1c-12")
    assert found.status != "ok" or found.estimate is not None, name
    assert words in found.status


def test_an_arm_that_nobody_has_left_at_the_visit_is_named(planned, data) -> None:
    def gone(values):
        values[0, data.panel.arm[0] == 0, data.panel.visit_index("month-12")] = np.nan

    found = result(planned, changed(data, "hba1c", gone), "hba1c-12")
    assert found.estimate is None and found.status.startswith(
        "no one in MSC first (early) has a value of HbA1c at Month 12"
    )


def test_a_blinded_run_compares_nothing(planned, data) -> None:
    hidden = dataclasses.replace(data, hidden=True, panel=dataclasses.replace(data.panel, arm=data.panel.arm * 0 - 1))
    found = result(planned, hidden, "hba1c-12")
    assert found.estimate is None and "blinded" in found.status
    assert set(found.n) == {"pooled"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.analyses.hba1c-12.options.visits=[month-3, month-6]", "visit-of-estimand"),
        ("protocol.analyses.hba1c-12.options.visits=[month-12, month-3]", "visits-in-order"),
        ("protocol.analyses.hba1c-12.options.visits=[month-1, month-12]", "known-visit"),
        ("protocol.analyses.hba1c-12.options.baseline=none", "known-baseline"),
        ("protocol.analyses.hba1c-12.options.baseline_parameter=none", "known-parameter"),
        ("protocol.analyses.hba1c-12.estimand=remission-12", "summary-of-method"),
    ],
)
def test_what_makes_no_sense_is_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in caught.value.problems}
