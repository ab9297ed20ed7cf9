"""Imputation as an analysis: the library's numbers, the grid's answer, and draws that repeat."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan, plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats import conditional_mean_effect, repeated_measures, tipping_grid

pytestmark = pytest.mark.requirement("ANALYSIS-IMPUTATION")
VISITS = ("month-3", "month-6", "month-9", "month-12")


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@pytest.fixture(scope="module")
def data(planned: Plan) -> AnalysisData:
    return prepare(planned, next(iter(simulate_trials(planned.protocol, load_scenario("no-effect"), 9, 4))), 1)


def item(planned: Plan, name: str):
    return next(found for found in planned.analyses if found.analysis.id == name)


def outcome(planned: Plan, data: AnalysisData, name: str):
    found = item(planned, name)
    return found.method.run(data, found.analysis, found.options)


def people(data: AnalysisData, trial: int):
    values = data.parameters["hba1c"][trial][:, [data.panel.visit_index(name) for name in VISITS]]
    baseline = data.baseline("hba1c", "efficacy")[trial]
    who = data.sets["randomised"][trial] & ~np.isnan(baseline)
    arm = data.panel.arm[trial].astype(int)
    return repeated_measures(values[who], arm[who], baseline[who][:, None], reference=1, strategy="jump-to-reference")


def test_the_numbers_are_those_of_the_library(planned, data) -> None:
    found = outcome(planned, data, "hba1c-12-jump").estimates[0]
    for trial in range(4):
        expected = conditional_mean_effect(people(data, trial), active=0, visit=3, distribution="t")
        for name in ("estimate", "standard_error", "lower", "upper", "p_value"):
            assert found.values[name][trial] == pytest.approx(getattr(expected, name), rel=1e-9)


def test_the_grid_is_the_librarys_and_says_who_carries_it(planned, data) -> None:
    (table,) = outcome(planned, data, "hba1c-12-jump").tables
    deltas = np.arange(-2, 2.1, 0.5)
    grid = tipping_grid(people(data, 1), deltas, deltas, active=0, visit=3, distribution="t")
    assert [row[2] for row in table.rows] == pytest.approx(grid.estimate.ravel().tolist(), rel=1e-9)
    assert [row[5] == "yes" for row in table.rows] == grid.tipped.ravel().tolist()
    assert grid.nearest == (0.0, -2.0) and (grid.carried_active, grid.carried_reference) == (4, 1)
    assert table.notes[0] == (
        "The interval would exclude no effect if the 4 imputed values of MSC first (early) were 2 % lower than assumed "
        "(better), and the one imputed value of Placebo first (late) as assumed."
    )


def test_with_nothing_missing_it_is_the_analysis_of_covariance(planned, data) -> None:
    values = data.parameters["hba1c"].copy()
    values[np.isnan(values)] = np.random.default_rng(2).normal(7, 1, np.isnan(values).sum())
    full = dataclasses.replace(data, parameters={**data.parameters, "hba1c": values})
    imputed, alone = (outcome(planned, full, name).estimates[0] for name in ("hba1c-12-jump", "hba1c-12-ancova"))
    np.testing.assert_allclose(imputed.values["estimate"], alone.values["estimate"], rtol=1e-9)


def test_counts_repeat_and_fill_the_time_that_lacks(planned, data) -> None:
    first, again = (outcome(planned, data, "hypoglycaemia-12-imputed").estimates[0] for _ in range(2))
    for name, values in first.values.items():
        np.testing.assert_array_equal(values, again.values[name])
    plain = outcome(planned, data, "hypoglycaemia-12").estimates[0]
    # A participant who jumps to the reference rate draws the ratio towards none, or leaves it where it is.
    near = np.abs(first.values["estimate"]) <= np.abs(plain.values["estimate"]) + 0.35
    assert near.all() and np.isfinite(first.values["standard_error"]).all()
    assert (first.extra["draws"] == 200).all()


def test_a_blinded_run_imputes_for_nobody(planned, data) -> None:
    hidden = dataclasses.replace(data, hidden=True, panel=dataclasses.replace(data.panel, arm=data.panel.arm * 0 - 1))
    few = tuple(found for found in planned.analyses if found.method.name.startswith("imputation"))
    assert len(few) == 3
    results, tables = run(dataclasses.replace(planned, analyses=few), hidden)
    assert tables == () and all(result.estimate is None and "blinded" in result.status for result in results)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.analyses.hba1c-12-jump.options.visits=[month-3, month-6]", "visit-of-estimand"),
        ("protocol.analyses.hba1c-12-jump.options.visits=[month-12, month-3]", "visits-in-order"),
        ("protocol.analyses.hba1c-12-jump.options.visits=[month-1, month-12]", "known-visit"),
        ("protocol.analyses.hba1c-12-jump.options.tipping.step=0.01", "tipping-range"),
        ("protocol.analyses.hba1c-12-jump.options.baseline=none", "known-baseline"),
        ("protocol.analyses.hba1c-12-jump.options.baseline_parameter=none", "known-parameter"),
        ("protocol.analyses.hba1c-12-jump.estimand=remission-12", "summary-of-method"),
        ("protocol.analyses.hypoglycaemia-12-imputed.options.exposure=none", "known-parameter"),
        ("protocol.analyses.hypoglycaemia-12-imputed.estimand=hba1c-12", "summary-of-method"),
    ],
)
def test_what_makes_no_sense_is_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in caught.value.problems}
