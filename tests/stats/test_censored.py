"""Regression of censored values: closed forms, plain twins, batches, statuses, and how well it does with 21 people."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.optimize import approx_fprime, minimize
from scipy.stats import norm

from equipoise.stats import ancova_design, contrast, difference_weights, fit_least_squares
from equipoise.stats.censored import censored_contrast, censoring_limits, fit_censored
from equipoise.stats.censored.terms import log_between, normal_terms
from equipoise.stats.status import Status
from tests.stats.reference import ROOT
from tests.stats.trials import trials

ARM = np.r_[np.zeros(11), np.ones(10)]
EFFECT = np.array([0.0, 1.0, 0.0])


def simulated(count, *, below, effect=0.0, seed=5):
    """Limits, design and mask of trials of 11 v 10; about a share ``below`` of the values lies below the limit."""
    source = np.random.default_rng(seed)
    baseline = source.normal(size=(count, 21))
    y = 0.7 * baseline + effect * ARM + source.normal(size=baseline.shape)
    limit = norm.ppf(below) * np.sqrt(1.49) + effect * 10 / 21 if below else -np.inf
    lower, upper = censoring_limits(np.maximum(y, limit), np.where(y < limit, -1, 0))
    design = np.stack([np.ones_like(y), np.broadcast_to(ARM, y.shape), baseline], axis=2)
    return lower, upper, design, np.ones(y.shape, bool)


def minus_log_likelihood(point, lower, upper, design):
    """As it is written, for one trial, in b and ln σ."""
    mean, sd = design @ point[:-1], np.exp(point[-1])
    exact = lower == upper
    chance = norm.cdf((upper - mean) / sd) - norm.cdf((lower - mean) / sd)
    density = norm.logpdf(np.where(exact, lower, 0.0), mean, sd)
    return -np.where(exact, density, np.log(np.where(exact, 1.0, chance))).sum()


@settings(max_examples=30, deadline=None)
@given(trials())
def test_without_censoring_it_is_analysis_of_covariance(data):
    design = ancova_design(data.arm, data.covariates, data.arms)
    fit = fit_censored(data.outcome, data.outcome, design, data.included)
    plain = fit_least_squares(data.outcome, design, data.included)
    assert_array_equal(fit.status, plain.status)
    weights = difference_weights(1, 0, design.shape[-1])
    found, expected = censored_contrast(fit, weights), contrast(plain, weights)
    scale = expected.standard_error
    for name in ("estimate", "standard_error", "lower", "upper"):
        assert_allclose(getattr(found, name) / scale, getattr(expected, name) / scale, rtol=1e-8, atol=1e-8)
    assert_allclose(found.p_value, expected.p_value, rtol=1e-7)
    assert_allclose(fit.residuals * fit.sd[:, None] / scale[:, None], plain.residuals / scale[:, None], atol=1e-8)


@pytest.mark.parametrize(("lower", "upper"), [(-np.inf, -0.4), (0.3, np.inf), (-0.7, 0.9), (1.1, 1.1), (7.0, 7.5)])
def test_derivatives_of_a_term_are_its_slopes(lower, upper):
    def parts(point):
        terms = normal_terms(np.array(lower), np.array(upper), point[0], point[1])
        return np.array([terms.value, terms.by_m, terms.by_s])

    at = np.array([0.2, 0.3])
    terms = normal_terms(np.array(lower), np.array(upper), *at)
    slopes = approx_fprime(at, parts, 1e-7)
    expected = [[terms.by_m, terms.by_s], [terms.by_mm, terms.by_ms], [terms.by_ms, terms.by_ss]]
    assert_allclose(slopes, np.array(expected), rtol=2e-5, atol=2e-6)


def test_a_probability_far_in_either_tail_keeps_its_digits():
    found = log_between(np.array([-np.inf, 30.0, -31.0, -1.0]), np.array([-38.0, np.inf, -30.0, 2.0]))
    # Abramowitz & Stegun 26.2.12: Φ(-x) = φ(x)/x (1 - 1/x² + 3/x⁴ - 15/x⁶ + 105/x⁸ ..).
    tails = [
        norm.logpdf(x) - np.log(x) + np.log(1 - x**-2 + 3 * x**-4.0 - 15 * x**-6.0 + 105 * x**-8.0) for x in (38, 30)
    ]
    expected = [*tails, tails[1] + np.log1p(-np.exp(norm.logcdf(-31) - tails[1])), np.log(norm.cdf(2) - norm.cdf(-1))]
    assert_allclose(found, expected, rtol=1e-10)


def test_nothing_near_the_estimate_is_likelier_and_a_general_optimiser_agrees():
    lower, upper, design, everyone = simulated(4, below=0.45, effect=0.5)
    upper[:, 0], lower[:, 0] = np.inf, 0.1
    lower[:, 3], upper[:, 3] = -0.5, 0.7
    fit = fit_censored(lower, upper, design, everyone)
    for row in range(4):
        parts = lower[row], upper[row], design[row]
        top = np.r_[fit.coefficients[row], np.log(fit.sd[row])]
        assert_allclose(-minus_log_likelihood(top, *parts), fit.log_likelihood[row], rtol=1e-12)
        found = minimize(
            minus_log_likelihood,
            np.zeros(4),
            parts,
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 5000, "maxfev": 5000},
        )
        assert found.fun >= -fit.log_likelihood[row] - 1e-12
        assert_allclose(found.x, top, atol=1e-5)


def test_a_batch_gives_what_each_trial_gives_alone_and_order_and_units_do_not_matter():
    lower, upper, design, everyone = simulated(6, below=0.5, effect=0.4)
    everyone[2, 4] = everyone[3, 0] = False
    together = fit_censored(lower, upper, design, everyone)
    shuffled = np.random.default_rng(1).permutation(21)
    other = fit_censored(
        1e3 + 50 * lower[:, shuffled], 1e3 + 50 * upper[:, shuffled], design[:, shuffled], everyone[:, shuffled]
    )
    assert_allclose(other.coefficients / 50 - [20, 0, 0], together.coefficients, atol=1e-9)
    assert_allclose(other.residuals, together.residuals[:, shuffled], atol=1e-8)
    for row in range(6):
        one = fit_censored(lower[row : row + 1], upper[row : row + 1], design[row], everyone[row])
        assert_allclose(one.coefficients[0], together.coefficients[row], rtol=1e-9)
        assert_allclose(one.covariance[0], together.covariance[row], rtol=1e-7, atol=1e-12)


def test_mirrored_values_mirror_the_estimate():
    lower, upper, design, everyone = simulated(3, below=0.4)
    fit, mirrored = fit_censored(lower, upper, design, everyone), fit_censored(-upper, -lower, design, everyone)
    assert_allclose(mirrored.coefficients, -fit.coefficients, rtol=1e-9)
    assert_allclose(mirrored.sd, fit.sd, rtol=1e-9)


def test_a_residual_is_the_mean_of_the_error_given_what_is_known():
    lower, upper, design, everyone = simulated(1, below=0.5)
    fit = fit_censored(lower, upper, design, everyone)
    for person in np.flatnonzero(np.isinf(lower[0]))[:3]:
        end = (upper[0, person] - design[0, person] @ fit.coefficients[0]) / fit.sd[0]
        expected = quad(lambda e: e * norm.pdf(e), -np.inf, end)[0] / norm.cdf(end)
        assert_allclose(fit.residuals[0, person], expected, rtol=1e-8)
    # The likelihood equations: residuals are orthogonal to the design.
    assert_allclose(fit.residuals[0] @ design[0], 0, atol=1e-9)


def test_half_censored_it_has_little_bias_and_its_interval_covers():
    for below in (0.25, 0.5):
        lower, upper, design, everyone = simulated(4000, below=below, effect=0.8)
        fit = fit_censored(lower, upper, design, everyone)
        found = censored_contrast(fit, EFFECT)
        sound = fit.status == Status.OK
        assert sound.mean() > 0.99
        assert set(fit.status[~sound]) <= {Status.NO_MAXIMUM}
        assert abs(np.nanmean(found.estimate) - 0.8) < 0.05
        covers = ((found.lower < 0.8) & (found.upper > 0.8))[sound].mean()
        assert 0.91 < covers < 0.97


def test_the_shares_of_false_rejections_are_those_of_the_page():
    page = (ROOT / "docs" / "statistics" / "censored.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) % \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(rows) == 2
    for below, *printed in rows:
        fit = fit_censored(*simulated(4000, below=int(below) / 100))
        for reference, share in zip(("t", "normal"), printed, strict=True):
            rejected = censored_contrast(fit, EFFECT, reference=reference).p_value < 0.05
            assert f"{100 * rejected.mean():.1f}" == share


def test_what_cannot_be_estimated_has_a_status_and_leaves_its_neighbours_alone():
    lower, upper, design, everyone = (np.repeat(part, 8, axis=0) for part in simulated(1, below=0.4))
    lower[1], upper[1] = -np.inf, 0.3
    lower[2, ARM == 1], upper[2, ARM == 1] = -np.inf, 0.0
    lower[3, 5], upper[3, 5] = 1.0, 0.0
    lower[4, 5], upper[4, 5] = -np.inf, np.inf
    design[5, :, 2] = 1.0
    everyone[6] = False
    everyone[7, 3:] = False
    fit = fit_censored(lower, upper, design, everyone)
    expected = ["OK", "ALL_CENSORED", "NO_MAXIMUM", "NOT_FINITE", "NOT_FINITE", "SINGULAR_DESIGN"]
    expected += ["NO_OBSERVATIONS", "TOO_FEW_OBSERVATIONS"]
    assert [Status(code).name for code in fit.status] == expected
    alone = fit_censored(lower[:1], upper[:1], design[:1], everyone[:1])
    assert_allclose(fit.coefficients[0], alone.coefficients[0], rtol=1e-12)
    assert np.isnan(fit.coefficients[1:]).all() and np.isnan(censored_contrast(fit, EFFECT).p_value[1:]).all()
    assert fit.messages[0] == "ok" and "detectable" in fit.messages[1]
    assert fit.censored[1] == 21 and fit.n[7] == 3


def test_exact_values_that_the_model_meets_have_no_spread():
    design = np.stack([np.ones(6), np.r_[0, 0, 0, 1, 1, 1.0]], axis=1)
    y = np.array([[2.0, 2, 2, 3, 3, 3]])
    assert fit_censored(y, y, design, np.ones((1, 6), bool)).status[0] == Status.CONSTANT_OUTCOME
    lower = y.copy()
    lower[0, 2] = -np.inf
    upper = y.copy()
    upper[0, 2] = 2.5
    assert fit_censored(lower, upper, design, np.ones((1, 6), bool)).status[0] == Status.NO_MAXIMUM


def test_a_one_sided_p_is_half_and_the_interval_stays():
    fit = fit_censored(*simulated(5, below=0.3, effect=1.5))
    two, one = censored_contrast(fit, EFFECT), censored_contrast(fit, EFFECT, alternative="greater")
    assert_allclose(one.p_value, two.p_value / 2, rtol=1e-12)
    assert_array_equal(one.lower, two.lower)


def test_arguments_are_checked():
    lower, upper, design, everyone = simulated(1, below=0.3)
    fit = fit_censored(lower, upper, design, everyone)
    for wrong in (np.zeros(3), np.ones(2)):
        with pytest.raises(ValueError, match="no contrast"):
            censored_contrast(fit, wrong)
    with pytest.raises(ValueError, match="reference"):
        censored_contrast(fit, EFFECT, reference="z")
    with pytest.raises(ValueError, match="do not fit"):
        fit_censored(lower, upper[:, 1:], design, everyone)
    with pytest.raises(ValueError, match="code of censoring"):
        censoring_limits(lower, np.full(lower.shape, 2))
    with pytest.raises(ValueError, match="do not fit"):
        censoring_limits(lower, np.zeros(3))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 0.6))
def test_the_ascent_ends_where_the_slope_is_nought(seed, below):
    lower, upper, design, everyone = simulated(8, below=below, effect=0.5, seed=seed)
    fit = fit_censored(lower, upper, design, everyone)
    sound = fit.status == Status.OK
    slopes = np.einsum("rn,rnp->rp", fit.residuals, design)[sound]
    assert_allclose(slopes, 0, atol=1e-7)
