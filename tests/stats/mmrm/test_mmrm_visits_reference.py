"""Distances, many visits and visits that say nearly the same, against R's nlme (reference/visits)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

import equipoise
from equipoise.stats.mmrm import coefficient_covariance, fit_mmrm
from equipoise.stats.status import Status
from tests.stats.reference import REFERENCE, stored


def case(name):
    frame = pl.read_csv(REFERENCE / "visits" / "visits.csv", schema_overrides={"visit": pl.Float64}).filter(
        pl.col("case") == name
    )
    return frame.with_columns(pl.col("arm").cast(pl.Enum(["placebo", "active"])))


def agrees(fit, expected, rtol=2e-6):
    """nlme's optimiser stops near the optimum; its likelihood may not be above ours."""
    assert fit.status == Status.OK
    assert fit.log_likelihood >= expected["log_likelihood"] - 1e-7
    assert_allclose(fit.log_likelihood, expected["log_likelihood"], rtol=1e-9)
    error = np.sqrt(np.diagonal(expected["covariance"]))
    estimates, errors = (fit.coefficients[name].to_numpy() for name in ("estimate", "standard_error"))
    assert_allclose((estimates - expected["estimate"]) / error, 0, atol=rtol)
    assert_allclose(errors, error, rtol=rtol)


def correlation(fit, first, second):
    sigma = fit.fit.sigma
    return sigma[first, second] / np.sqrt(sigma[first, first] * sigma[second, second])


@pytest.mark.requirement("FORMULA-DISTANCE")
def test_a_gap_counts_in_an_autoregressive_covariance():
    frame, expected = case("gap"), stored("visits")["gap_ar1"]
    texts = frame.with_columns(at=pl.concat_str(pl.lit("Visit "), pl.col("visit").cast(pl.Int64)))
    visits = [f"Visit {number}" for number in (1, 2, 3, 4)]
    fit = equipoise.mmrm("outcome ~ arm + ar1(at | person)", texts, visits=visits, method="satterthwaite")
    agrees(fit, expected)
    assert_allclose(correlation(fit, 0, 1), expected["correlation"], rtol=1e-6)
    closed = equipoise.mmrm("outcome ~ arm + ar1(at | person)", texts, visits=visits, drop_empty_visits=True)
    assert abs(closed.log_likelihood - expected["log_likelihood"]) > 0.01


@pytest.mark.requirement("FORMULA-DISTANCE")
def test_uneven_times_are_distances_of_a_continuous_autoregression():
    frame, expected = case("weeks"), stored("visits")["weeks_ar1"]
    weeks = [0, 4, 9.5, 21]
    fit = equipoise.mmrm(
        "outcome ~ arm + ar1(visit | person)", frame, visits=weeks, times=weeks, method="satterthwaite"
    )
    agrees(fit, expected)
    assert_allclose(correlation(fit, 0, 1), expected["correlation"] ** 4, rtol=1e-6)
    assert_allclose(correlation(fit, 2, 3), expected["correlation"] ** 11.5, rtol=1e-5)


@pytest.mark.requirement("STATS-MMRM-MANY-VISITS")
@pytest.mark.parametrize("name", ["ar1", "cs"])
def test_many_visits_are_those_of_nlme(name):
    expected = stored("visits")[f"wide_{name}"]
    fit = equipoise.mmrm(f"outcome ~ arm + {name}(visit | person)", case("wide"), method="satterthwaite")
    assert len(fit.visits) == 25
    agrees(fit, expected)
    assert_allclose(correlation(fit, 0, 1), expected["correlation"], rtol=1e-6)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
@pytest.mark.parametrize("name", ["us", "cs"])
def test_visits_that_say_nearly_the_same_are_those_of_nlme(name):
    frame, expected = case("alike"), stored("visits")[f"alike_{name}"]
    visit = frame["visit"].to_numpy().astype(int) - 1
    here = np.eye(4)[visit]
    X = np.column_stack([here, here * (frame["arm"] == "active").to_numpy()[:, None]])
    fit = fit_mmrm(frame["outcome"].to_numpy(), X, frame["person"].to_numpy(), visit, structure=name)
    assert fit.status == Status.OK and fit.diagnosis.correlation > 0.999
    assert fit.log_likelihood >= expected["log_likelihood"] - 1e-6
    assert_allclose(fit.coefficients, expected["estimate"], rtol=1e-8, atol=1e-6)
    assert_allclose(coefficient_covariance(fit, "satterthwaite"), expected["covariance"], rtol=1e-5, atol=1e-9)
