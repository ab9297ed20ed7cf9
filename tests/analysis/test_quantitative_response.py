"""C-peptide less its expectation without treatment, values held from one visit, and comparisons by interval alone."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.derivations.quantitative_response import expected
from equipoise.analysis.plan import Plan, plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Panel
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(load_protocol("msc-t1d"))


@pytest.fixture(scope="module")
def panel(planned: Plan) -> Panel:
    nature = load_scenario("no-effect")
    return next(iter(simulate_trials(planned.protocol, nature, 8, 60)))


@pytest.mark.requirement("ANALYSIS-RESPONSE")
def test_the_expectation_is_the_published_equation_and_a_straight_line_to_it() -> None:
    start, age = np.log1p(0.749), 17.5
    year = -0.191 + 0.812 * start + 0.00638 * age
    found = expected(np.full(5, start), np.full(5, age), np.array([2.0, 3.0, 6.0, 12.0, 15.0]))
    np.testing.assert_allclose(found[1:4], [start + (year - start) / 4, start + (year - start) / 2, year], rtol=1e-14)
    assert np.isnan(found[[0, 4]]).all()


@pytest.mark.requirement("ANALYSIS-RESPONSE")
def test_there_is_no_response_beyond_month_twelve(planned: Plan, panel: Panel) -> None:
    data = prepare(planned, panel)
    visits = [visit.id for visit in planned.protocol.visits]
    values = data.parameters["quantitative-response"]
    seen = {visit for place, visit in enumerate(visits) if not np.isnan(values[:, :, place]).all()}
    assert seen == {"month-3", "month-6", "month-12"} == planned.measured["quantitative-response"]
    at_12 = data.at("quantitative-response", "month-12")
    year = expected(data.baseline("ln-cpeptide-auc", "efficacy"), panel.covariates["age_years"], np.full(1, 12.0))
    np.testing.assert_array_equal(at_12, data.at("ln-cpeptide-auc", "month-12") - year)
    # Untreated people lie about their expectation: 45 % at or above it, 0.166 about it.
    assert 0.40 < np.nanmean(at_12 >= 0) / np.mean(~np.isnan(at_12)) < 0.55
    assert 0.12 < np.nanstd(at_12) < 0.20
    assert abs(np.nanmean(at_12)) < 0.03


@pytest.mark.requirement("ANALYSIS-RESPONSE")
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.parameters.quantitative-response.options.parameter=cpeptide-auc", "scale-of-expectation"),
        ("protocol.parameters.quantitative-response.options.parameter=nobody", "known-parameter"),
        ("protocol.parameters.quantitative-response.options.baseline=nobody", "known-baseline"),
        ("protocol.parameters.ln-cpeptide-auc-at-12.options.visit=nobody", "known-visit"),
        ("protocol.parameters.ln-cpeptide-auc-at-12.options.parameter=nobody", "known-parameter"),
        ("protocol.estimands.cpeptide-response-12.variable.visit=month-24", "measured-at-visit"),
        ("protocol.analyses.cpeptide-persistence-24.options.baseline_parameter=nobody", "known-parameter"),
        ("protocol.analyses.cytokine-balance-24.options.test=false", "family-needs-test"),
    ],
)
def test_what_makes_no_sense_is_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as caught:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in caught.value.problems}


@pytest.mark.requirement("ANALYSIS-PERSISTENCE")
def test_persistence_is_what_is_left_of_half_the_effect(planned: Plan, panel: Panel) -> None:
    data = prepare(planned, panel)
    held, later = (data.at("ln-cpeptide-auc", visit) for visit in ("month-12", "month-24"))
    np.testing.assert_allclose(data.at("cpeptide-persistence", "month-24"), later - held / 2, rtol=1e-12)
    np.testing.assert_array_equal(data.at("ln-cpeptide-auc-at-12", "month-18"), held)
    assert np.isnan(data.at("ln-cpeptide-auc-at-12", "month-6")).all()
    (result,) = (item for item in run(planned, data)[0] if item.analysis == "cpeptide-persistence-24")
    assert result.status == "ok" and result.lower is not None and result.standard_error is not None
    assert result.p_value is None and result.p_kind is None


@pytest.mark.requirement("ANALYSIS-TRANSFORMS")
def test_a_linear_combination_may_have_a_constant(planned: Plan, panel: Panel) -> None:
    data = prepare(planned, panel)
    glucose = data.parameters["mean-glucose"]
    np.testing.assert_allclose(data.parameters["glucose-management-indicator"], 3.31 + 0.02392 * glucose, rtol=1e-14)
    plain = data.parameters["idaa1c"]
    np.testing.assert_allclose(plain, data.parameters["hba1c"] + 4 * data.parameters["insulin"], rtol=1e-14)
