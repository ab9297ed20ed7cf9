"""The normal model against R's nlme::gls, and each strategy's imputed values against R, one person at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.imputation import (
    STRATEGIES,
    conditional_mean_effect,
    conditional_means,
    fit_normal,
    repeated_measures,
)
from tests.stats.reference import numbers, rows, stored

R = stored("imputation")
# R's optimiser stops where its likelihood has nine digits; the place of the top then has half as many.
PLACE = 3e-5


def people(case, strategy="jump-to-reference"):
    columns = rows("imputation", case)
    values = np.concatenate([numbers(columns[f"y{visit}"]) for visit in range(1, 5)]).T
    values = values[:, np.isfinite(values).any(axis=0)]
    arm = numbers(columns["arm"])[0].astype(int)
    baseline = numbers(columns["baseline"]).T
    covariates = baseline if np.isfinite(baseline).all() else None
    return repeated_measures(values, arm, covariates, arms=arm.max() + 1, strategy=strategy)


def centred(trial, coefficients):
    """R's coefficients with the intercept at the covariates' means, as our design has it."""
    moved = np.array(coefficients)
    moved[0] += trial.covariates.mean(axis=0) @ moved[trial.arms :]
    return moved


@pytest.mark.requirement("STATS-IMPUTATION")
@pytest.mark.parametrize("case", R)
@pytest.mark.parametrize("likelihood", ["restricted", "full"])
def test_the_model_is_that_of_gls(case, likelihood):
    trial, expected = people(case), R[case][likelihood]
    fit = fit_normal(trial.values, trial.design, likelihood=likelihood)
    assert fit.messages[0] == "ok"
    covariance = np.array(expected["covariance"])
    assert_allclose(fit.covariance[0], covariance, atol=PLACE * covariance.max())
    assert_allclose(fit.coefficients[0], centred(trial, expected["coefficients"]), atol=PLACE)
    # The restricted likelihood counts the design's determinant, which centring leaves as it is.
    assert_allclose(fit.log_likelihood[0], expected["log_likelihood"], rtol=1e-8)
    assert fit.log_likelihood[0] >= expected["log_likelihood"] - 1e-9


@pytest.mark.requirement("STATS-IMPUTATION")
@pytest.mark.parametrize("case", R)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_imputed_values_and_effects_are_those_of_r(case, strategy):
    trial, expected = people(case, strategy), R[case]["strategies"][strategy]
    fit = fit_normal(trial.fitted, trial.design)
    assert_allclose(conditional_means(trial, fit)[0], np.array(expected["completed"], dtype=float), atol=PLACE)
    assert_allclose(conditional_mean_effect(trial).estimate, expected["estimate"], atol=PLACE)
