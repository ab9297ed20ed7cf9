"""Regression of censored values against R: survival::survreg with a Gaussian distribution."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.censored import censored_contrast, fit_censored
from tests.stats.reference import everyone, numbers, rows, stored

R = stored("censored")


def fitted(case):
    columns = rows("censored", case)
    lower, upper, arm = (numbers(columns[name]) for name in ("lower", "upper", "arm"))
    parts = [np.ones_like(arm), arm]
    if columns["covariate"][0]:
        parts.append(numbers(columns["covariate"]))
    low, high = np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)
    return fit_censored(low, high, np.stack(parts, axis=2), everyone(arm))


@pytest.mark.requirement("STATS-CENSORED")
@pytest.mark.parametrize("case", R)
def test_the_likelihood_is_highest_where_survreg_finds_it(case):
    fit, expected = fitted(case), R[case]
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=1e-8, atol=1e-9)
    assert_allclose(fit.sd[0], expected["sd"], rtol=1e-8)
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-11)


@pytest.mark.requirement("STATS-CENSORED")
@pytest.mark.parametrize("case", R)
def test_the_observed_information_is_that_of_survreg(case):
    fit, expected = fitted(case), np.array(R[case]["covariance"])
    error = np.sqrt(np.diag(expected))
    assert_allclose(fit.covariance[0] / np.outer(error, error), expected / np.outer(error, error), atol=1e-6)


@pytest.mark.parametrize("case", R)
def test_the_interval_with_a_normal_reference_is_the_usual_one(case):
    fit = fitted(case)
    found = censored_contrast(fit, np.eye(fit.coefficients.shape[1])[1], reference="normal")
    assert_allclose([found.lower[0], found.upper[0]], R[case]["interval_95"], rtol=1e-6, atol=1e-8)
    assert_allclose(found.p_value[0], R[case]["p"], rtol=1e-6)
