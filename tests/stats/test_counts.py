"""Regression of counts: closed forms, batches, statuses, and how often it rejects by chance."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import nbinom

from equipoise.stats.count_likelihood import LOG_GRID
from equipoise.stats.counts import count_contrast, fit_negative_binomial, fit_quasi_poisson
from equipoise.stats.status import Status

ARM = np.r_[np.zeros(11), np.ones(10)]
DIFFERENCE = np.array([0.0, 1.0])


def trials(count, *, rate=6.0, alpha=1.24, ratio=1.0, seed=8):
    """Counts, years and design of so many trials of 11 v 10."""
    source = np.random.default_rng(seed)
    years = source.uniform(0.7, 1.0, (count, 21))
    mean = rate * years * np.where(ARM == 1, ratio, 1.0)
    frailty = source.gamma(1 / alpha, alpha, years.shape) if alpha else 1.0
    design = np.broadcast_to(np.stack([np.ones(21), ARM], axis=1), (count, 21, 2))
    return source.poisson(mean * frailty).astype(float), years, design, np.ones(years.shape, bool)


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_without_spread_the_rates_are_events_by_time() -> None:
    y, years, design, everyone = trials(5, alpha=0.0)
    fit = fit_negative_binomial(y, years, design, everyone, dispersion="none")
    for arm in (0, 1):
        pooled = np.log(y[:, arm == ARM].sum(axis=1) / years[:, arm == ARM].sum(axis=1))
        assert_allclose(fit.coefficients @ np.array([1.0, arm]), pooled, rtol=1e-10)
    error = np.sqrt(1 / y[:, ARM == 0].sum(axis=1) + 1 / y[:, ARM == 1].sum(axis=1))
    assert_allclose(count_contrast(fit, DIFFERENCE).standard_error, error, rtol=1e-9)


def test_the_likelihood_is_that_of_the_negative_binomial() -> None:
    y, years, design, everyone = trials(3)
    fit = fit_negative_binomial(y, years, design, everyone)
    mean = years * np.exp(np.einsum("rnp,rp->rn", design, fit.coefficients))
    size = 1 / fit.dispersion[:, None]
    expected = nbinom.logpmf(y, size, size / (size + mean)).sum(axis=1)
    assert_allclose(fit.log_likelihood, expected, rtol=1e-10)


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_the_adjusted_dispersion_is_the_larger_one() -> None:
    y, years, design, everyone = trials(200)
    adjusted = fit_negative_binomial(y, years, design, everyone).dispersion
    plain = fit_negative_binomial(y, years, design, everyone, dispersion="maximum-likelihood").dispersion
    assert (adjusted >= plain).all() and np.median(adjusted / plain) > 1.05


def test_counts_that_spread_less_than_poisson_have_no_dispersion() -> None:
    y = np.tile([5.0, 6.0, 5.0, 6.0, 5.0, 6.0, 5.0], 3)[None, :]
    design = np.broadcast_to(np.stack([np.ones(21), ARM], axis=1), (1, 21, 2))
    fit = fit_negative_binomial(y, np.ones((1, 21)), design, np.ones((1, 21), bool))
    assert fit.dispersion[0] <= np.exp(LOG_GRID[0])
    assert fit.status[0] == Status.OK


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_a_trial_alone_is_the_trial_in_a_batch_and_order_does_not_matter() -> None:
    y, years, design, everyone = trials(20)
    batch = count_contrast(fit_negative_binomial(y, years, design, everyone), DIFFERENCE)
    order = np.random.default_rng(1).permutation(21)
    for trial in (0, 7, 19):
        part = slice(trial, trial + 1)
        alone = count_contrast(fit_negative_binomial(y[part], years[part], design[part], everyone[part]), DIFFERENCE)
        shuffled = fit_negative_binomial(
            y[part][:, order], years[part][:, order], design[part][:, order], everyone[part]
        )
        for name in ("estimate", "standard_error", "p_value"):
            assert_allclose(getattr(alone, name)[0], getattr(batch, name)[trial], rtol=1e-6)
            assert_allclose(getattr(count_contrast(shuffled, DIFFERENCE), name)[0], getattr(alone, name)[0], rtol=1e-6)


@pytest.mark.requirement("STATS-COUNTS")
def test_the_unit_of_time_shifts_the_intercept_alone() -> None:
    y, years, design, everyone = trials(4)
    a, b = (fit_negative_binomial(y, years * unit, design, everyone) for unit in (1.0, 365.25))
    assert_allclose(a.coefficients[:, 1], b.coefficients[:, 1], rtol=1e-6)
    assert_allclose(a.coefficients[:, 0] - b.coefficients[:, 0], np.log(365.25), rtol=1e-8)


def test_those_left_out_change_nothing() -> None:
    y, years, design, everyone = trials(2)
    included = everyone.copy()
    included[:, 20] = False
    spoilt = y.copy()
    spoilt[:, 20] = np.nan
    a = fit_negative_binomial(spoilt, years, design, included)
    b = fit_negative_binomial(y[:, :20], years[:, :20], design[:, :20], everyone[:, :20])
    assert_allclose(a.coefficients, b.coefficients, rtol=1e-7)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_what_cannot_be_estimated_has_a_status_and_no_number() -> None:
    y, years, design, everyone = trials(7)
    y[0, ARM == 1] = 0.0
    y[1] = 0.0
    included = everyone.copy()
    included[2] = False
    included[3, 2:] = False
    years[4, 3] = 0.0
    y[5, 3] = np.nan
    included[6, ARM == 1] = False
    for fit in (
        fit_negative_binomial(y, years, design, included),
        fit_quasi_poisson(y, years, design, included),
    ):
        words = [Status(code) for code in fit.status]
        assert words == [
            Status.SEPARATED,
            Status.NO_EVENTS,
            Status.NO_OBSERVATIONS,
            Status.SINGULAR_DESIGN,
            Status.NO_EXPOSURE,
            Status.NOT_FINITE,
            Status.SINGULAR_DESIGN,
        ]
        found = count_contrast(fit, DIFFERENCE)
        for name in ("estimate", "standard_error", "df", "lower", "upper", "p_value"):
            assert np.isnan(getattr(found, name)).all()
        assert all(len(text) > 20 for text in found.messages)


@pytest.mark.requirement("STATS-COUNTS-WHOLE")
def test_wrong_calls_are_refused() -> None:
    y, years, design, everyone = trials(1)
    with pytest.raises(ValueError, match="dispersion"):
        fit_negative_binomial(y, years, design, everyone, dispersion="moments")
    with pytest.raises(ValueError, match="negative"):
        fit_negative_binomial(y - 50, years, design, everyone)
    for fit in (fit_negative_binomial, fit_quasi_poisson):
        with pytest.raises(ValueError, match="whole number"):
            fit(y + 0.5, years, design, everyone)
    with pytest.raises(ValueError, match="reference"):
        count_contrast(fit_negative_binomial(y, years, design, everyone), DIFFERENCE, reference="z")


@pytest.mark.requirement("STATS-COUNTS")
@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_cox_reid_with_t_keeps_the_level_and_wald_does_not() -> None:
    """4,000 trials without effect: 99.9 % of runs of a test of 5.2 % give 4.0 to 6.4 %."""
    y, years, design, everyone = trials(4000, seed=20_260_401)
    reported = count_contrast(fit_negative_binomial(y, years, design, everyone), DIFFERENCE)
    assert 0.040 < (reported.p_value < 0.05).mean() < 0.064
    covered = (reported.lower < 0) & (reported.upper > 0)
    assert_allclose(covered.mean(), 1 - (reported.p_value < 0.05).mean())
    foil = fit_negative_binomial(y, years, design, everyone, dispersion="maximum-likelihood")
    wald = count_contrast(foil, DIFFERENCE, reference="normal")
    assert (wald.p_value < 0.05).mean() > 0.065
