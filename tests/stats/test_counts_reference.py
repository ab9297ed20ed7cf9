"""Negative binomial and quasi-Poisson regression against R: MASS::glm.nb, and the Cox-Reid profile by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.counts import fit_negative_binomial, fit_quasi_poisson, likelihood_ratio, profile_limits
from tests.stats.reference import everyone, numbers, rows, stored

R = stored("counts")


def data(case):
    """Counts, years and design, for one trial."""
    columns = rows("counts", case)
    y, years, arm = (numbers(columns[name]) for name in ("y", "years", "arm"))
    parts = [np.ones_like(y), arm]
    if columns["age"][0]:
        parts.append(numbers(columns["age"]))
    return y, years, np.stack(parts, axis=2)


def errors(fit):
    return np.sqrt(np.diag(fit.covariance[0]))


@pytest.mark.requirement("STATS-COUNTS")
@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("case", R)
@pytest.mark.parametrize("dispersion", ["cox-reid", "maximum-likelihood"])
def test_the_profile_is_maximised_where_r_finds_its_maximum(case, dispersion):
    y, years, design = data(case)
    fit = fit_negative_binomial(y, years, design, everyone(y), dispersion=dispersion)
    expected = R[case][dispersion.replace("-", "_")]
    # The profile is flat at its top: a maximum found by comparing values is good to half the digits.
    assert_allclose(fit.dispersion[0], expected["dispersion"], rtol=2e-6)
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=2e-6, atol=1e-8)
    assert_allclose(errors(fit), expected["errors"], rtol=2e-6)


@pytest.mark.requirement("STATS-COUNTS")
@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("case", R)
def test_maximum_likelihood_is_that_of_glm_nb(case):
    y, years, design = data(case)
    fit = fit_negative_binomial(y, years, design, everyone(y), dispersion="maximum-likelihood")
    expected = R[case]["glm_nb"]
    assert_allclose(fit.dispersion[0], expected["dispersion"], rtol=2e-6)
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=2e-6, atol=1e-8)
    assert_allclose(errors(fit), expected["errors"], rtol=2e-6)
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-9)


@pytest.mark.requirement("STATS-COUNTS")
@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("case", R)
def test_poisson_and_quasi_poisson_are_those_of_glm(case):
    y, years, design = data(case)
    quasi = fit_quasi_poisson(y, years, design, everyone(y))
    assert_allclose(quasi.coefficients[0], R[case]["quasi"]["coefficients"], rtol=1e-9)
    # R takes the residuals of its last step but one.
    assert_allclose(quasi.dispersion[0], R[case]["quasi"]["dispersion"], rtol=1e-7)
    assert_allclose(errors(quasi), R[case]["quasi"]["errors"], rtol=1e-7)
    plain = fit_negative_binomial(y, years, design, everyone(y), dispersion="none")
    assert_allclose(errors(plain), R[case]["poisson"]["errors"], rtol=1e-7)
    assert_allclose(plain.log_likelihood[0], R[case]["poisson"]["log_likelihood"], rtol=1e-11)


@pytest.mark.requirement("STATS-COUNTS")
@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("case", R)
def test_profile_limits_are_those_of_the_likelihood_maximised_anew(case):
    y, years, design = data(case)
    found = profile_limits(y, years, design, everyone(y), 1)
    assert_allclose([found[0][0], found[1][0]], R[case]["profile_limits"], atol=5e-6)
    for limit in found:
        p_value = likelihood_ratio(y, years, design, everyone(y), 1, null=limit)
        assert_allclose(p_value, 0.05, atol=1e-5)
