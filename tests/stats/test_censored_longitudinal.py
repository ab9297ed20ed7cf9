"""Repeated censored values: R's lme where nothing is censored, integrals done the long way, statuses and batches."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal, norm

from equipoise.stats.censored import (
    censoring_limits,
    change_weights,
    constrained_design,
    fit_censored_longitudinal,
    longitudinal_contrast,
)
from equipoise.stats.censored.quadrature import Repeated, marginal, parameters
from equipoise.stats.status import Status
from tests.stats.reference import REFERENCE

FOLDER = REFERENCE / "censored"
R = json.loads((FOLDER / "longitudinal.json").read_text())["cases"]
ARM = np.r_[np.zeros(11, int), np.ones(10, int)]


def from_csv(case):
    """Exact values (1, n, V), NaN where missing, and arms (n,)."""
    with (FOLDER / "longitudinal.csv").open(newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if line["case"] == case]
    people, visits = (max(int(line[name]) for line in lines) + extra for name, extra in (("person", 0), ("visit", 1)))
    values, arm = np.full((1, people, visits), np.nan), np.zeros(people, int)
    for line in lines:
        values[0, int(line["person"]) - 1, int(line["visit"])] = float(line["y"])
        arm[int(line["person"]) - 1] = int(line["arm"])
    return values, arm


def simulated(count, *, below, effect=0.0, visits=3, seed=11):
    """Limits, design and mask: gaps everywhere, a share ``below`` of all values under the limit."""
    source = np.random.default_rng(seed)
    y = source.normal(size=(count, 21, 1)) + source.normal(size=(count, 21, visits)) * np.linspace(0.6, 1.0, visits)
    y[:, ARM == 1, 1:] += effect
    limit = np.quantile(y, below) if below else -np.inf
    lower, upper = censoring_limits(np.maximum(y, limit), np.where(y < limit, -1, 0))
    return lower, upper, constrained_design(ARM, visits, 2), source.uniform(size=y.shape) > 0.05


@pytest.mark.requirement("STATS-CENSORED-LONGITUDINAL")
@pytest.mark.parametrize("case", R)
def test_without_censoring_it_is_the_mixed_model_of_lme(case):
    values, arm = from_csv(case)
    fit = fit_censored_longitudinal(values, values, constrained_design(arm, values.shape[2], 2), ~np.isnan(values))
    expected = R[case]
    assert fit.messages[0] == "ok"
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-9)
    # R's search compares values: it ends within half the digits of the maximum.
    assert_allclose(fit.coefficients[0], expected["coefficients"], rtol=1e-5)
    assert_allclose(fit.intercept_sd[0], expected["intercept_sd"], rtol=5e-5)
    assert_allclose(fit.residual_sd[0], expected["residual_sd"], rtol=5e-5)


def test_three_nodes_are_exact_without_censoring():
    values, arm = from_csv("three-visits")
    design = constrained_design(arm, 3, 2)
    few, many = (fit_censored_longitudinal(values, values, design, ~np.isnan(values), nodes=n) for n in (3, 51))
    assert_allclose(few.log_likelihood, many.log_likelihood, rtol=1e-12)
    assert_allclose(few.covariance, many.covariance, rtol=1e-7, atol=1e-12)


def brute_force(lower, upper, mean, tau, sd):
    """One person's likelihood, the intercept integrated by subdivision."""

    def integrand(u):
        m = mean + tau * u
        exact = lower == upper
        density = norm.pdf(np.where(exact, lower, 0.0), m, sd)
        chance = norm.cdf((upper - m) / sd) - norm.cdf((lower - m) / sd)
        return np.prod(np.where(exact, density, chance)) * norm.pdf(u)

    return quad(integrand, -10, 10, epsabs=0, epsrel=1e-11, limit=500, points=[-2, -1, 0, 1, 2])[0]


@pytest.mark.requirement("STATS-CENSORED-LONGITUDINAL")
@pytest.mark.parametrize(("tau", "spread"), [(0.3, 0.9), (1.2, 0.5), (-1.2, 0.5), (2.0, 0.25)])
def test_the_likelihood_is_the_integral_done_the_long_way(tau, spread):
    lower, upper, design, everyone = simulated(1, below=0.5)
    lower[0, 4, 1], upper[0, 4, 1] = 0.2, 0.9
    lower[0, 5, 2], upper[0, 5, 2] = 0.4, np.inf
    lower, upper = np.where(everyone, lower, -np.inf), np.where(everyone, upper, np.inf)
    point = np.r_[0.1, -0.2, 0.3, 0.4, 0.5, tau, spread, 0.8, 0.6][None]
    found = marginal(Repeated(lower, upper, np.broadcast_to(design, (*lower.shape, 5))), 41)(point, np.array([0]))
    sd = np.exp(parameters(point, 5).log_sd[0])
    expected = [np.log(brute_force(lower[0, i], upper[0, i], design[0, i] @ point[0, :5], tau, sd)) for i in range(21)]
    assert_allclose(found.value[0], np.sum(expected), rtol=1e-6)


def test_censored_at_every_visit_is_a_probability_of_the_multivariate_normal():
    low, high = np.full((1, 1, 2), -np.inf), np.array([[[0.3, 0.8]]])
    point = np.array([[0.1, 0.2, 0.9, 0.7, 0.5]])
    found = marginal(Repeated(low, high, np.eye(2)[None, None]), 41)(point, np.array([0]))
    sd = np.exp(parameters(point, 2).log_sd[0])
    covariance = 0.81 * np.ones((2, 2)) + np.diag(sd**2)
    assert_allclose(np.exp(found.value[0]), multivariate_normal.cdf([0.3, 0.8], [0.1, 0.2], covariance), rtol=1e-6)


def test_derivatives_are_slopes():
    lower, upper, design, everyone = simulated(1, below=0.4)
    lower, upper = np.where(everyone, lower, -np.inf), np.where(everyone, upper, np.inf)
    surface = marginal(Repeated(lower, upper, np.broadcast_to(design, (*lower.shape, 5))), 41)
    at, row = np.array([0.1, -0.2, 0.3, 0.4, 0.5, 0.9, 0.6, 0.8, 0.7]), np.array([0])
    found = surface(at[None], row)
    assert_allclose(approx_fprime(at, lambda q: surface(q[None], row).value[0], 1e-6), found.gradient[0], atol=2e-4)
    slopes = approx_fprime(at, lambda q: surface(q[None], row).gradient[0], 1e-6)
    assert_allclose(slopes, found.hessian[0], rtol=1e-3, atol=1e-3)


def test_more_nodes_change_nothing_that_matters():
    data = simulated(8, below=0.4, effect=0.5)
    few, many = (fit_censored_longitudinal(*data, nodes=n) for n in (51, 101))
    weights = change_weights(2, 1, 0, visits=3, arms=2)
    found, expected = longitudinal_contrast(few, weights), longitudinal_contrast(many, weights)
    sound = (few.status == Status.OK) & (many.status == Status.OK)
    assert sound.all()
    error = expected.standard_error[sound]
    assert_allclose((found.estimate - expected.estimate)[sound] / error, 0, atol=1e-4)
    assert_allclose(found.standard_error[sound] / error, 1, atol=5e-4)


def test_a_batch_gives_what_each_trial_gives_alone_and_units_do_not_matter():
    lower, upper, design, everyone = simulated(4, below=0.35, effect=0.6)
    together = fit_censored_longitudinal(lower, upper, design, everyone)
    other = fit_censored_longitudinal(100 + 20 * lower, 100 + 20 * upper, design, everyone)
    assert_allclose(other.coefficients / 20 - [5, 5, 5, 0, 0], together.coefficients, atol=1e-6)
    for row in range(4):
        one = fit_censored_longitudinal(lower[[row]], upper[[row]], design, everyone[[row]])
        assert_allclose(one.coefficients[0], together.coefficients[row], rtol=1e-6, atol=1e-8)
        assert_allclose(one.df[0], 19)


def test_a_third_censored_it_has_little_bias_and_its_interval_covers():
    fit = fit_censored_longitudinal(*simulated(200, below=0.33, effect=0.8))
    found = longitudinal_contrast(fit, change_weights(2, 1, 0, visits=3, arms=2))
    sound = fit.status == Status.OK
    assert sound.mean() > 0.98
    # 200 trials: the mean is good to 0.03, the coverage to 1.5 points.
    assert abs(np.nanmean(found.estimate) - 0.8) < 0.09
    assert 0.90 < ((found.lower < 0.8) & (found.upper > 0.8))[sound].mean() < 0.99


def test_what_cannot_be_estimated_has_a_status():
    lower, upper, design, everyone = simulated(1, below=0.3)
    lower, upper, everyone = (np.repeat(part, 6, axis=0) for part in (lower, upper, everyone))
    everyone[1, :, 2] = False
    lower[2, :, 0], upper[2, :, 0] = -np.inf, 0.0
    lower[3, ARM == 1, 2], upper[3, ARM == 1, 2] = -np.inf, 0.0
    everyone[4, 2:] = False
    lower[5, 0, 0], upper[5, 0, 0], everyone[5, 0, 0] = 2.0, 1.0, True
    fit = fit_censored_longitudinal(lower, upper, design, everyone)
    expected = ["OK", "NO_OBSERVATIONS", "ALL_CENSORED", "NO_MAXIMUM", "TOO_FEW_OBSERVATIONS", "NOT_FINITE"]
    assert [Status(code).name for code in fit.status] == expected
    found = longitudinal_contrast(fit, change_weights(2, 1, 0, visits=3, arms=2))
    assert np.isfinite(found.p_value[0]) and np.isnan(found.p_value[1:]).all()


def test_values_that_do_not_vary_have_a_status_and_an_intercept_sd_may_be_nought():
    design, everyone = constrained_design(ARM, 2, 2), np.ones((1, 21, 2), bool)
    same = np.full((1, 21, 2), 3.0)
    assert fit_censored_longitudinal(same, same, design, everyone).status[0] == Status.CONSTANT_OUTCOME
    source = np.random.default_rng(4)
    first = source.normal(size=(1, 21, 1))
    opposed = np.concatenate([first, -first + 0.3 * source.normal(size=first.shape)], axis=2)
    fit = fit_censored_longitudinal(opposed, opposed, design, everyone)
    assert fit.messages[0] == "ok"
    assert_allclose(fit.intercept_sd[0], 0.0, atol=1e-6)


def test_the_weights_pick_the_arms_change_at_the_visit():
    design = constrained_design(np.array([0, 1, 2]), 3, 3)[0]
    cell = design.reshape(3, 3, -1)
    for visit in (1, 2):
        change = cell[2, visit] - cell[2, 0] - (cell[1, visit] - cell[1, 0])
        assert_allclose(change_weights(visit, 2, 1, visits=3, arms=3), change)
    assert change_weights(1, 1, 0, visits=3, arms=2, columns=7).shape == (7,)
    assert (cell[0, 0] == cell[1, 0]).all() and (cell[0, 0] == cell[2, 0]).all()
    assert np.isnan(constrained_design(np.array([0, -1]), 2, 2)[0, 1]).all()


def test_arguments_are_checked():
    lower, upper, design, everyone = simulated(1, below=0.3)
    for wrong in (lambda: constrained_design(ARM, 1, 2), lambda: constrained_design(ARM, 2, 1)):
        with pytest.raises(ValueError, match="two visits"):
            wrong()
    for visit, active, reference in ((0, 1, 0), (3, 1, 0), (1, 1, 1), (1, 2, 0)):
        with pytest.raises(ValueError, match="cannot be compared"):
            change_weights(visit, active, reference, visits=3, arms=2)
    with pytest.raises(ValueError, match="not \\(trials"):
        fit_censored_longitudinal(lower[0], upper[0], design, everyone)
    with pytest.raises(ValueError, match="boolean"):
        fit_censored_longitudinal(lower, upper, design, everyone.astype(int))
    with pytest.raises(ValueError, match="at least 3 nodes"):
        fit_censored_longitudinal(lower, upper, design, everyone, nodes=2)
