"""Grouped proportional hazards against R: glm with a complementary log-log link, and the likelihood by optim."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.interval_censored import fit_interval_censored, likelihood_ratio_p
from tests.stats.reference import everyone, numbers, rows, stored

R = stored("interval_censored")
BY_GLM = [case for case in R if "covariance" in R[case]]
SPANNING = [case for case in R if case not in BY_GLM]


def data(case):
    columns = rows("interval_censored", case)
    start = numbers(columns["last_without"]).astype(int)
    end = np.nan_to_num(numbers(columns["first_with"]), nan=-1).astype(int)
    parts = [numbers(columns["arm"])]
    if columns["age"][0]:
        parts.append(numbers(columns["age"]))
    return start, end, np.stack(parts, axis=2), everyone(start)


def fitted(case):
    start, end, x, people = data(case)
    return fit_interval_censored(start, end, x, people, intervals=len(R[case]["hazards"]))


@pytest.mark.requirement("STATS-INTERVAL-CENSORED")
@pytest.mark.parametrize("case", BY_GLM)
def test_the_fit_is_that_of_glm(case):
    fit, expected = fitted(case), R[case]
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=1e-7, atol=1e-9)
    # R takes the weights of its last step but one.
    assert_allclose(fit.covariance[0], expected["covariance"], rtol=1e-6)
    assert_allclose(fit.hazards[0], expected["hazards"], rtol=1e-7, atol=1e-15)
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-11)


@pytest.mark.parametrize("case", BY_GLM)
def test_the_likelihood_ratio_test_of_the_arms_is_that_of_glm(case):
    start, end, x, people = data(case)
    intervals = len(R[case]["hazards"])
    reduced = fit_interval_censored(start, end, x[..., 1:], people, intervals=intervals)
    assert_allclose(likelihood_ratio_p(fitted(case), reduced)[0], R[case]["likelihood_ratio_p"], rtol=1e-8)


@pytest.mark.requirement("STATS-INTERVAL-CENSORED")
@pytest.mark.parametrize("case", SPANNING)
def test_spans_of_several_visits_have_the_likelihood_as_it_is_written(case):
    fit, expected = fitted(case), R[case]
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-11)
    # R's search compares values: it ends within half the digits of the maximum.
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=1e-6, atol=1e-7)
    assert_allclose(fit.hazards[0], expected["hazards"], rtol=1e-6, atol=1e-7)


def test_both_kinds_are_compared():
    assert len(BY_GLM) >= 3 and len(SPANNING) >= 2
