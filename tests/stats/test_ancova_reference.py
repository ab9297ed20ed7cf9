"""Analysis of covariance against R: lm, sandwich::vcovHC, lmtest::coeftest, emmeans, car::linearHypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats import (
    Status,
    ancova_design,
    contrast,
    difference_weights,
    fit_least_squares,
    joint_test,
    least_squares_mean_weights,
    leave_one_out,
)
from tests.stats.reference import numbers, rows, stored

pytestmark = pytest.mark.requirement("ANALYSIS-ANCOVA")

R = stored("ancova")
FITTED = [case for case, found in R.items() if "contrast" in found]
WITH_HC3 = [case for case in FITTED if "contrast_hc3" in R[case]]
# Where a covariate's values are a million beside a spread of twenty, R's tools themselves keep six digits or so; the
# last test holds the same data to R's numbers for the covariate less a million.
DIGITS = {"large-covariate": 1e-6}
SHIFT = {"large-covariate-shifted": ("large-covariate", 1e6)}


def prepared(case):
    stored_as, shift = SHIFT.get(case, (case, 0.0))
    data, expected = rows("ancova", stored_as), R[case]
    arm = np.array([[expected["arms"].index(word) for word in data["arm"]]])
    covariates = np.stack([numbers(data[name]) for name in expected["covariates"]], axis=2)
    covariates[..., 0] -= shift
    outcome = numbers(data["outcome"])
    included = ~np.isnan(outcome) & ~np.isnan(covariates).any(axis=2)
    return outcome, ancova_design(arm, covariates, len(expected["arms"])), included


def fitted(case):
    return fit_least_squares(*prepared(case))


def close(case, actual, expected):
    # Numbers that cancel to nothing are compared with the size of their neighbours.
    size = np.abs(np.asarray(expected, dtype=float)).max()
    assert_allclose(actual, expected, rtol=DIGITS.get(case, 1e-10), atol=1e-14 * size)


@pytest.mark.parametrize("case", FITTED)
def test_coefficients_variance_and_leverage_are_those_of_lm(case):
    fit, expected = fitted(case), R[case]
    assert fit.messages[0] == "ok"
    assert (fit.n[0], fit.df[0]) == (expected["n"], expected["df"])
    close(case, fit.coefficients[0], expected["coefficients"])
    close(case, fit.residual_variance[0], expected["residual_variance"])
    close(case, fit.covariance[0], expected["covariance"])
    close(case, fit.leverage[0][fit.included[0]], expected["leverage"])


@pytest.mark.parametrize("case", WITH_HC3)
def test_hc3_is_that_of_sandwich(case):
    close(case, fitted(case).covariance_hc3[0], R[case]["covariance_hc3"])


def check_contrast(case, fit, expected, covariance):
    weights = np.array(expected["weights"], dtype=float)
    for level in (0.95, 0.99):
        found = contrast(fit, weights, covariance=covariance, level=level)
        close(case, [found.lower[0], found.upper[0]], expected[f"interval_{100 * level:g}"])
        for name in ("estimate", "standard_error", "df", "statistic"):
            close(case, getattr(found, name)[0], expected[name])
    for alternative in ("two-sided", "greater", "less"):
        found = contrast(fit, weights, covariance=covariance, alternative=alternative)
        close(case, found.p_value[0], expected[alternative.replace("-", "_")])
        # A one-sided alternative leaves the interval two-sided.
        close(case, found.lower[0], expected["interval_95"][0])


@pytest.mark.parametrize("case", FITTED)
def test_model_based_contrast(case):
    fit = fitted(case)
    check_contrast(case, fit, R[case]["contrast"], "model")
    if "between" in R[case]:
        check_contrast(case, fit, R[case]["between"], "model")


@pytest.mark.parametrize("case", WITH_HC3)
def test_hc3_contrast_by_sandwich_and_by_lmtest(case):
    fit, expected = fitted(case), R[case]
    check_contrast(case, fit, expected["contrast_hc3"], "hc3")
    weights = np.array(expected["contrast_hc3"]["weights"], dtype=float)
    close(case, contrast(fit, weights, covariance="hc3").p_value[0], expected["coeftest_p"])


@pytest.mark.parametrize("case", FITTED)
def test_least_squares_means_are_those_of_emmeans(case):
    outcome, design, included = prepared(case)
    fit, expected = fit_least_squares(outcome, design, included), R[case]
    weights = least_squares_mean_weights(design, included, len(expected["arms"]))
    found = [contrast(fit, weights[:, arm]) for arm in range(len(expected["arms"]))]
    for ours, theirs in (
        ("estimate", "estimate"),
        ("standard_error", "standard_error"),
        ("lower", "lower"),
        ("upper", "upper"),
    ):
        close(case, [getattr(item, ours)[0] for item in found], expected["means"][theirs])


@pytest.mark.parametrize("case", FITTED)
def test_joint_tests_are_those_of_car(case):
    fit, expected = fitted(case), R[case]
    p, arms = fit.coefficients.shape[1], len(expected["arms"])
    blocks = {"joint_arm": np.eye(p)[1:arms], "joint_covariates": np.eye(p)[arms:]}
    if case in WITH_HC3:
        blocks["joint_arm_hc3"] = blocks["joint_arm"]
    for name, weights in blocks.items():
        found = joint_test(fit, weights, covariance="hc3" if name.endswith("hc3") else "model")
        block = expected[name]
        assert (found.df_numerator[0], found.df_denominator[0]) == (block["numerator"], block["denominator"])
        close(case, found.statistic[0], block["statistic"])
        close(case, found.p_value[0], block["p"])


@pytest.mark.parametrize("case", WITH_HC3)
def test_leave_one_out_is_what_refitting_without_each_person_gives(case):
    fit, expected = fitted(case), R[case]
    change = leave_one_out(fit, np.array(expected["contrast"]["weights"], dtype=float))[0]
    assert np.isnan(change[~fit.included[0]]).all()
    close(case, change[fit.included[0]], expected["left_out"])


def test_a_singular_design_has_a_status_where_lm_drops_a_column():
    fit = fitted("singular")
    assert R["singular"]["coefficients"][2] is None
    assert fit.status[0] == Status.SINGULAR_DESIGN
    assert np.isnan(fit.coefficients).all()


def test_no_degree_of_freedom_and_a_constant_outcome_have_a_status():
    assert R["no-df"]["df"] == 0
    assert fitted("no-df").status[0] == Status.TOO_FEW_OBSERVATIONS
    fit = fitted("constant")
    found = contrast(fit, difference_weights(1, 0, 3))
    assert fit.status[0] == Status.CONSTANT_OUTCOME
    assert_allclose(fit.coefficients[0], R["constant"]["coefficients"], atol=1e-13)
    assert found.standard_error[0] == 0
    assert np.isnan([found.p_value[0], found.lower[0], found.upper[0], found.statistic[0]]).all()


def test_an_arm_of_one_leaves_hc3_undefined_and_the_model_as_it_is():
    fit = fitted("arm-of-one")
    assert R["arm-of-one"]["leverage"][-1] == 1
    assert (fit.status[0], fit.status_hc3[0]) == (Status.OK, Status.UNDEFINED_LEVERAGE)
    found = contrast(fit, difference_weights(2, 0, 4), covariance="hc3")
    assert "leverage 1" in found.messages[0]
    assert np.isnan(found.p_value[0])
    assert np.isnan(leave_one_out(fit, difference_weights(2, 0, 4))[0, -1])


def test_a_covariate_far_from_zero_costs_hardly_a_digit():
    outcome, design, included = prepared("large-covariate")
    fit, true = fit_least_squares(outcome, design, included), R["large-covariate-shifted"]
    for covariance, expected in (("model", true["contrast"]), ("hc3", true["contrast_hc3"])):
        found = contrast(fit, np.array(expected["weights"], dtype=float), covariance=covariance)
        assert_allclose(found.estimate[0], expected["estimate"], rtol=3e-11)
        assert_allclose(found.standard_error[0], expected["standard_error"], rtol=3e-11)
    means = least_squares_mean_weights(design, included, 2)
    for arm in (0, 1):
        found = contrast(fit, means[:, arm])
        assert_allclose(found.estimate[0], true["means"]["estimate"][arm], rtol=3e-11)
        assert_allclose(found.standard_error[0], true["means"]["standard_error"][arm], rtol=3e-11)
    assert_allclose(fit.coefficients[0, 1:], true["coefficients"][1:], rtol=3e-11)
    found = joint_test(fit, np.eye(4)[2:])
    assert_allclose(found.statistic[0], true["joint_covariates"]["statistic"], rtol=3e-11)
    weights = np.array(true["contrast"]["weights"], dtype=float)
    assert_allclose(leave_one_out(fit, weights)[0], true["left_out"], rtol=0, atol=2e-11)
