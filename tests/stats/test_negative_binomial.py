"""Regression of counts where a fit is hard to find: large spread, covariates of any size, limits, perfect fits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from scipy.stats import nbinom

from equipoise.stats.counts import (
    count_contrast,
    fit_negative_binomial,
    fit_quasi_poisson,
    likelihood_ratio,
    profile_limits,
)
from equipoise.stats.status import Status
from tests.stats.test_counts import ARM, DIFFERENCE, trials

HARD = np.array([92, 220, 0, 0, 9, 0, 16, 0, 1, 0, 0, 27, 5, 0, 47, 0, 0, 1, 8, 34, 0.0])
AGE = np.array([13, 31, 22, 17, 28, 19, 34, 15, 24, 30, 12, 18, 27, 33, 16, 21, 25, 14, 29, 20, 32.0])


def adjusted_for(covariate, count=1):
    """The design of two arms and a covariate, (count, 21, 3)."""
    columns = [np.ones((count, 21)), np.tile(ARM, (count, 1)), np.broadcast_to(covariate, (count, 21))]
    return np.stack(columns, axis=2)


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_a_large_spread_with_a_covariate_is_fitted_where_the_whole_likelihood_is_largest():
    def cost(values):
        mean = np.exp(values[0] + values[1] * ARM + values[2] * (AGE - 22) / 7)
        size = np.exp(-values[3])
        return -nbinom.logpmf(HARD, size, size / (size + mean)).sum()

    found = minimize(cost, np.array([3.0, 0, 0, 1]), method="Nelder-Mead", options={"xatol": 1e-9, "maxiter": 9000})
    one = np.ones((1, 21))
    fit = fit_negative_binomial(HARD[None], one, adjusted_for(AGE), one > 0, dispersion="maximum-likelihood")
    assert fit.status[0] == Status.OK
    assert_allclose(fit.log_likelihood[0], -found.fun, rtol=1e-10)
    assert_allclose([fit.coefficients[0, 1], np.log(fit.dispersion[0])], found.x[[1, 3]], atol=1e-6)


@pytest.mark.requirement("ANALYSIS-STATUS")
@pytest.mark.parametrize("alpha", [1.24, 5.0])
def test_arms_with_events_are_never_called_separated_for_an_age(alpha):
    y, years, _, everyone = trials(300, alpha=alpha, seed=12)
    events = (y[:, ARM == 0].sum(axis=1) > 0) & (y[:, ARM == 1].sum(axis=1) > 0)
    ages = np.random.default_rng(13).uniform(12, 35, y.shape)
    fit = fit_negative_binomial(y, years, adjusted_for(ages, 300), everyone)
    assert (fit.status[events] == Status.OK).all()


@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("fitting", [fit_negative_binomial, fit_quasi_poisson])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 1e4), (20.0, 1e6), (1e9, 0.0), (1e-9, 0.0)])
def test_unit_and_origin_of_a_covariate_leave_the_arms_alone(fitting, scale, shift):
    source = np.random.default_rng(4)
    z = source.normal(size=21)
    y = source.poisson(6 * np.exp(0.8 * z) * source.gamma(0.8, 1.25, 21)).astype(float)[None]
    one = np.ones((1, 21))
    plain, moved = (
        count_contrast(fitting(y, one, adjusted_for(x), one > 0), np.array([0, 1.0, 0])) for x in (z, shift + scale * z)
    )
    assert_allclose(moved.estimate, plain.estimate, rtol=1e-7)
    assert_allclose(moved.standard_error, plain.standard_error, rtol=1e-7)


@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("dispersion", ["cox-reid", "maximum-likelihood"])
def test_a_trial_alone_gives_the_numbers_that_it_gives_among_others(dispersion):
    y, years, design, everyone = trials(50)
    batch = fit_negative_binomial(y, years, design, everyone, dispersion=dispersion)
    for trial in range(50):
        part = slice(trial, trial + 1)
        alone = fit_negative_binomial(y[part], years[part], design[part], everyone[part], dispersion=dispersion)
        for name in ("dispersion", "coefficients", "covariance", "log_likelihood"):
            assert_allclose(getattr(alone, name)[0], getattr(batch, name)[trial], rtol=1e-12)


def test_the_order_of_people_changes_nothing():
    y, years, design, everyone = trials(20)
    order = np.random.default_rng(1).permutation(21)
    a = fit_negative_binomial(y, years, design, everyone)
    b = fit_negative_binomial(y[:, order], years[:, order], design[:, order], everyone)
    assert_allclose(a.dispersion, b.dispersion, rtol=1e-9)
    assert_allclose(a.coefficients, b.coefficients, rtol=1e-9)


def test_one_arm_of_equal_time_has_the_rate_of_events_by_time():
    y, _, _, everyone = trials(30)
    fit = fit_negative_binomial(y, np.full(y.shape, 0.8), np.ones((*y.shape, 1)), everyone)
    assert_allclose(np.exp(fit.coefficients[:, 0]), y.sum(axis=1) / (0.8 * 21), rtol=1e-12)


@pytest.mark.requirement("ANALYSIS-STATUS")
@pytest.mark.parametrize("dispersion", ["cox-reid", "maximum-likelihood", "none"])
def test_rare_events_have_a_number_where_both_arms_have_one_and_else_a_status(dispersion):
    y, years, design, everyone = trials(1500, rate=0.08, seed=5)
    by_arm = np.stack([y[:, arm == ARM].sum(axis=1) for arm in (0, 1)])
    expected = np.where((by_arm > 0).all(axis=0), Status.OK, Status.SEPARATED)
    expected[(by_arm == 0).all(axis=0)] = Status.NO_EVENTS
    assert_array_equal(fit_negative_binomial(y, years, design, everyone, dispersion=dispersion).status, expected)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_rates_that_meet_every_count_have_no_quasi_poisson_test():
    y = np.stack([np.full(21, 5.0), np.where(ARM == 1, 3.0, 6.0), HARD])
    design = np.broadcast_to(np.stack([np.ones(21), ARM], axis=1), (3, 21, 2))
    found = count_contrast(fit_quasi_poisson(y, np.ones(y.shape), design, np.ones(y.shape, bool)), DIFFERENCE)
    assert_array_equal(found.status, [Status.CONSTANT_OUTCOME, Status.CONSTANT_OUTCOME, Status.OK])
    assert_array_equal(np.isnan(found.p_value), [True, True, False])


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_unknown_time_is_not_called_no_time():
    y, years, design, everyone = trials(1)
    years[0, 4] = np.nan
    assert fit_negative_binomial(y, years, design, everyone).status[0] == Status.NOT_FINITE


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_profile_limits_with_an_age_are_where_the_likelihood_ratio_rejects():
    y, years, _, everyone = trials(60, alpha=3.0, seed=21)
    design = adjusted_for(np.random.default_rng(3).uniform(12, 35, y.shape), 60)
    limits = profile_limits(y, years, design, everyone, 1)
    for limit in limits:
        assert_allclose(likelihood_ratio(y, years, design, everyone, 1, null=limit), 0.05, atol=1e-5)


def test_contrasts_that_do_not_fit_and_masks_of_numbers_are_refused():
    y, years, design, everyone = trials(1)
    fit = fit_negative_binomial(y, years, design, everyone)
    with pytest.raises(ValueError, match="all 0"):
        count_contrast(fit, np.zeros(2))
    with pytest.raises(ValueError, match="do not fit"):
        count_contrast(fit, np.ones(3))
    with pytest.raises(ValueError, match="boolean"):
        fit_negative_binomial(y, years, design, everyone.astype(int))
