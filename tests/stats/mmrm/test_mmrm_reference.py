"""The fits against R: mmrm on its own data and on twenty small trials; nlme with clubSandwich on invented ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.mmrm import contrast, fit_mmrm, visit_design
from tests.stats.mmrm.data import fev, invented, small_trials, stored
from tests.stats.reference import stored as stored_here

METHODS = {
    "Satterthwaite Asymptotic": "satterthwaite",
    "Kenward-Roger Kenward-Roger": "kenward-roger",
    "Kenward-Roger Kenward-Roger-Linear": "kenward-roger-linear",
}
SHORT = {"satterthwaite": "satterthwaite", "kr": "kenward-roger", "kr_linear": "kenward-roger-linear"}
STRUCTURES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph")
SMALL = ("us", "csh", "ar1h", "toeph")
NLME = stored_here("mmrm")


@pytest.fixture(scope="module")
def fev_data(shared_reference):
    return fev(shared_reference)


@pytest.fixture(scope="module")
def fev_stored(shared_reference):
    return stored(shared_reference, "fev_mmrm_reference.json")


@pytest.fixture(scope="module")
def trials(shared_reference):
    return small_trials(shared_reference)


@pytest.fixture(scope="module")
def trials_stored(shared_reference):
    return stored(shared_reference, "small_trials_mmrm.json")


def each(fit, method):
    return contrast(fit, np.eye(len(fit.coefficients)), method=method)


def table(expected):
    return (np.array([row[name] for row in expected["coef"]]) for name in ("Estimate", "Std. Error", "df"))


@pytest.mark.requirement("STATS-MMRM-TIGHT", "STATS-MMRM-INFERENCE")
@pytest.mark.parametrize("kind", METHODS)
def test_the_unstructured_fit_is_that_of_the_strictest_reference(kind, fev_data, shared_reference):
    expected = stored(shared_reference, "fev_mmrm_reference_tight.json")[kind]
    fit = fit_mmrm(*fev_data.args)
    found = each(fit, METHODS[kind])
    assert fit.message == "ok"
    assert (fit.observations, fit.people, fit.parameters, fit.residual_df) == (537, 197, 10, 526)
    error = np.array(expected["se"])
    assert_allclose(-2 * fit.log_likelihood, expected["deviance"], rtol=1e-14)
    assert_allclose((found.estimate - expected["est"]) / error, 0, atol=1e-11)
    assert_allclose(found.standard_error, error, rtol=1e-12)
    assert_allclose(found.df, expected["df"], rtol=1e-11)
    assert_allclose(found.statistic, expected["t"], rtol=1e-11, atol=1e-11)
    assert_allclose(found.p_value, expected["p"], rtol=1e-9)
    assert_allclose(fit.sigma, expected["Sigma"], rtol=1e-11)


def test_the_same_fit_with_the_fit_of_another_program(fev_data, shared_reference):
    expected = stored(shared_reference, "fev_gls_reference.json")
    fit = fit_mmrm(*fev_data.args)
    error = np.array([row["Std.Error"] for row in expected["coef"]])
    assert_allclose((fit.coefficients - [row["Value"] for row in expected["coef"]]) / error, 0, atol=1e-4)
    assert_allclose(fit.log_likelihood, expected["logLik"], atol=1e-6)
    assert fit.log_likelihood >= expected["logLik"]


@pytest.mark.requirement("STATS-MMRM-STRUCTURES", "STATS-MMRM-OTHERS")
@pytest.mark.parametrize("method", ["satterthwaite", "kr"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_every_structure_is_as_good_as_the_reference_or_better(name, method, fev_data, fev_stored):
    expected = fev_stored[f"fev_{name}_{method}"]
    fit = fit_mmrm(*fev_data.args, structure=name)
    assert -2 * fit.log_likelihood <= expected["deviance"] + 1e-8
    assert fit.parameters == expected["n_theta"]
    assert_allclose((fit.aic, fit.bic), (expected["AIC"], expected["BIC"]), rtol=2e-9)
    assert_allclose(fit.sigma, expected["Sigma"], rtol=2e-3, atol=1e-2)
    estimate, error, df = table(expected)
    found = each(fit, SHORT[method])
    # The reference stopped up to 5e-6 of deviance above the optimum.
    assert_allclose((found.estimate - estimate) / error, 0, atol=1e-3)
    assert_allclose(found.standard_error, error, rtol=1e-3)
    assert_allclose(found.df, df, rtol=1e-3)


@pytest.mark.requirement("STATS-MMRM-STRUCTURES")
def test_full_likelihood_weights_and_residual_degrees_of_freedom(fev_data, fev_stored):
    for kind, arguments in {"ml": {"reml": False}, "weighted": {"weights": fev_data.weights}}.items():
        expected = fev_stored[f"fev_us_{kind}"]
        fit = fit_mmrm(*fev_data.args, **arguments)
        assert expected["deviance"] - 1e-5 <= -2 * fit.log_likelihood <= expected["deviance"]
        assert_allclose((fit.aic, fit.bic), (expected["AIC"], expected["BIC"]), rtol=2e-9)
        estimate, error, df = table(expected)
        found = each(fit, "satterthwaite")
        assert_allclose((found.estimate - estimate) / error, 0, atol=1e-3)
        assert_allclose(found.standard_error, error, rtol=2e-4)
        assert_allclose(found.df, df, rtol=2e-4)
    found = each(fit_mmrm(*fev_data.args), "residual")
    assert_allclose(found.df, list(table(fev_stored["fev_us_residual"]))[2])
    assert_allclose(found.standard_error, list(table(fev_stored["fev_us_satterthwaite"]))[1], rtol=1e-3)


@pytest.mark.requirement("STATS-MMRM-INFERENCE")
def test_the_bias_reduced_sandwich(fev_data, fev_stored):
    estimate, error, df = table(fev_stored["fev_us_empirical_br"])
    found = each(fit_mmrm(*fev_data.args), "cr2")
    assert_allclose(found.standard_error, error, rtol=1e-3)
    assert_allclose(found.df, df, rtol=1e-3)
    assert_allclose((found.estimate - estimate) / error, 0, atol=1e-3)


@pytest.mark.requirement("STATS-MMRM-MEANS")
@pytest.mark.parametrize("method", ["satterthwaite", "kr"])
def test_means_and_differences_by_visit_are_those_of_emmeans(method, fev_data, fev_stored):
    fit = fit_mmrm(*fev_data.args)
    means, differences = [], []
    for visit in range(4):
        rows = np.zeros((2, 11))
        rows[:, [0, 1, 2, 3]] = 1, 1 / 3, 1 / 3, 1 / 2  # three races and two sexes, equally often
        rows[1, 4] = 1
        if visit:
            rows[:, 4 + visit] = 1
            rows[1, 7 + visit] = 1
        means.append(rows)
        differences.append(rows[1] - rows[0])
    expected = fev_stored[f"fev_us_emmeans_{method}"]
    for kind, rows, name in (("lsmeans", np.concatenate(means), "emmean"), ("contrasts", differences, "estimate")):
        found = contrast(fit, np.array(rows), method=SHORT[method])
        numbers = {key: np.array([row[key] for row in expected[kind]]) for key in (name, "SE", "df")}
        assert_allclose((found.estimate - numbers[name]) / numbers["SE"], 0, atol=3e-4)
        assert_allclose(found.standard_error, numbers["SE"], rtol=1e-4)
        assert_allclose(found.df, numbers["df"], rtol=1e-4)
        assert_allclose(found.lower, [row["lower.CL"] for row in expected[kind]], rtol=1e-4, atol=1e-3)
        assert_allclose(found.upper, [row["upper.CL"] for row in expected[kind]], rtol=1e-4, atol=1e-3)


@pytest.mark.requirement("STATS-MMRM-OTHERS")
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("number", range(1, 21))
def test_small_trials_reach_the_reference_or_a_higher_likelihood(number, name, trials, trials_stored):
    fit = fit_mmrm(*trials[number].args, structure=name)
    assert fit.message == "ok"
    for kind, method in SHORT.items():
        expected = trials_stored[f"trial{number:02d}_{name}_{kind}"]
        better = expected["deviance"] + 2 * fit.log_likelihood
        assert better > -1e-8
        assert fit.complete_cases == expected["complete_cases"]
        # The reference stopped up to 2e-5 above the optimum; where it did not stop early, the numbers are the same.
        digits = 1e-6 if expected["tight"] else (1e-4 if better < 1e-6 else 2e-3)
        error, found = np.array(expected["standard_error"]), each(fit, method)
        assert_allclose((found.estimate - expected["estimate"]) / error, 0, atol=digits)
        assert_allclose(found.standard_error, error, rtol=digits)
        assert_allclose(found.df, expected["df"], rtol=digits)
        assert_allclose(found.p_value, expected["p_value"], rtol=50 * digits)


@pytest.mark.parametrize("name", ["us", "cs", "csh", "ar1", "ar1h", "ris", "csh_full"])
@pytest.mark.parametrize("case", NLME)
def test_invented_trials_are_those_of_nlme_and_clubsandwich(case, name):
    data, expected = invented(case), NLME[case][name]
    visits = data.visit.max() + 1
    design = visit_design(
        data.y, data.arm, data.subject, data.visit, arms=2, visits=visits, plain=data.baseline[:, None]
    )
    structure, full = name.split("_")[0], name.endswith("_full")
    fit = fit_mmrm(data.y, design.columns, data.subject, data.visit, structure=structure, reml=not full)
    # nlme stops when the likelihood no longer shows a gain, 1e-8 or so below its maximum.
    assert -1e-9 < fit.log_likelihood - expected["log_likelihood"] < 1e-6
    model = each(fit, "satterthwaite")
    assert_allclose((model.estimate - expected["estimate"]) / model.standard_error, 0, atol=2e-4)
    if full:
        return
    assert_allclose(model.standard_error, np.sqrt(np.diag(expected["covariance"])), rtol=1e-4)
    robust = each(fit, "cr2")
    assert_allclose(robust.standard_error, np.sqrt(np.diag(expected["cr2"])), rtol=3e-5)
    assert_allclose(robust.df, expected["cr2_df"], rtol=1e-4)
