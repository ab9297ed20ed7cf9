"""Controlled imputation of counts: the predictive distribution by enumeration, identities, and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import gammaln

from equipoise.stats import Status
from equipoise.stats.counts import count_contrast, fit_negative_binomial
from equipoise.stats.imputation import controlled_rates
from equipoise.stats.imputation.counts import CountedPeople, RatePosterior, imputed_events, rate_posterior

STRATEGIES = ("missing-at-random", "jump-to-reference", "copy-reference")


def trial(seed=1, n=40, effect=0.5, share=0.3, rate=6.0, dispersion=1.0):
    """Events, observed and planned years, arms."""
    source = np.random.default_rng([seed, n])
    arm = source.permutation(np.arange(n) % 2)
    own = rate * source.gamma(1 / dispersion, dispersion, size=n) * np.where(arm == 1, effect, 1.0)
    years = np.where(source.random(n) < share, 0.1 + 0.8 * source.random(n), 1.0)
    return source.poisson(own * years).astype(float), years, np.ones(n), arm


def fitted(y, years, arm):
    design = np.stack([np.ones(len(y)), arm], axis=1)
    fit = fit_negative_binomial(y[None], years[None], design[None], np.ones((1, len(y)), bool))
    return count_contrast(fit, np.array([0.0, 1.0]))


def predictive(y, past, future, alpha, most=400):
    """P(future events | y) for a gamma mixture, by Bayes' rule on a fine grid of the person's own multiplier."""
    g = np.exp(np.linspace(-25, 6, 20_001))
    weight = np.exp(y * np.log(past * g) - past * g + np.log(g) / alpha - g / alpha)
    weight /= weight.sum()
    k = np.arange(most)
    table = np.exp(k[:, None] * np.log(future * g) - future * g - gammaln(k + 1)[:, None])
    return table @ weight


@pytest.mark.requirement("STATS-IMPUTATION-COUNTS")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_imputed_events_have_the_predictive_distribution(strategy):
    own, jumped = np.array([[1.0, 1.0]] * 2), np.array([[1.0, 0.0]] * 2)
    people = CountedPeople(
        np.array([1, 1]), np.array([3.0, 0.0]), np.array([0.4, 0.0]), np.array([0.6, 1.0]), own, jumped
    )
    m, alpha = 40_000, 0.8
    posterior = RatePosterior(np.full(m, alpha), np.tile([np.log(6.0), np.log(0.5)], (m, 1)))
    found = imputed_events(people, posterior, strategy, np.array([1.0, 1.5]), np.random.default_rng(4))
    past = 6.0 if strategy == "copy-reference" else 3.0
    future = 3.0 if strategy == "missing-at-random" else 6.0
    for i, (y, seen, unseen, factor) in enumerate(((3, 0.4, 0.6, 1.0), (0, 0.0, 1.0, 1.5))):
        expected = predictive(y, max(past * seen, 1e-300), future * unseen * factor, alpha)
        shares = np.bincount(found[:, i].astype(int), minlength=12)[:12] / m
        assert_allclose(shares, expected[:12], atol=5 * np.sqrt(0.25 / m))
        # The mean in closed form: the person's own count pulls the rate.
        mean = future * unseen * factor * (1 / alpha + y) / (1 / alpha + past * seen)
        assert_allclose(found[:, i].mean(), mean, rtol=0.03)


def test_the_posterior_of_the_parameters_stands_about_the_fit():
    y, years, _, arm = trial(n=200)
    x = np.stack([np.ones(200), arm], axis=1)
    fit = fit_negative_binomial(y[None], years[None], x[None], np.ones((1, 200), bool))
    posterior = rate_posterior(y, years, x, 20_000, np.random.default_rng(2))
    errors = np.sqrt(np.diag(fit.covariance[0]))
    assert_allclose(posterior.coefficients.mean(axis=0), fit.coefficients[0], atol=0.05 * errors.max())
    assert_allclose(posterior.coefficients.std(axis=0), errors, rtol=0.05)
    assert_allclose(np.cov(posterior.coefficients.T)[0, 1], fit.covariance[0, 0, 1], rtol=0.1)
    assert_allclose(np.median(posterior.dispersion), fit.dispersion[0], rtol=0.05)


def test_with_few_people_the_dispersion_has_the_posterior_of_a_sum_over_all_parameters():
    """Flat in both coefficients and in the standard deviation √alpha; by brute force on a grid of three dimensions."""
    y, years, _, arm = trial(seed=3, n=16)
    posterior = rate_posterior(y, years, np.stack([np.ones(16), arm], axis=1), 40_000, np.random.default_rng(2))
    log_alpha = np.linspace(-9, 4, 80)
    size = np.exp(-log_alpha)[:, None, None, None]
    first, second = np.linspace(-3, 6, 70), np.linspace(-6, 5, 80)
    mean = years * np.exp(first[:, None, None] + second[None, :, None] * arm)
    terms = gammaln(y + size) - gammaln(size) + y * np.log(mean / (size + mean)) - size * np.log1p(mean / size)
    height = terms.sum(axis=-1) + log_alpha[:, None, None] / 2
    weight = np.exp(height - height.max())
    share = weight.sum(axis=(1, 2)) / weight.sum()
    centre = share @ log_alpha
    assert_allclose(np.log(posterior.dispersion).mean(), centre, atol=0.04)
    assert_allclose(np.log(posterior.dispersion).std(), np.sqrt(share @ (log_alpha - centre) ** 2), rtol=0.05)
    effect = weight.sum(axis=(0, 1)) / weight.sum()
    spread = np.sqrt(effect @ second**2 - (effect @ second) ** 2)
    assert_allclose(posterior.coefficients[:, 1].mean(), effect @ second, atol=0.1 * spread)
    assert_allclose(posterior.coefficients[:, 1].std(), spread, rtol=0.15)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_with_all_time_observed_it_is_the_negative_binomial_itself(strategy):
    y, _, planned, arm = trial(share=0)
    found = controlled_rates(y, planned, planned, arm, None, np.random.default_rng(1), strategy=strategy, draws=3)
    plain = fitted(y, planned, arm)
    assert_allclose([found.estimate, found.standard_error], [plain.estimate[0], plain.standard_error[0]], rtol=1e-10)
    assert_array_equal(found.carried, [0, 0])
    assert_array_equal(found.added, [0, 0])


def test_missing_at_random_gives_back_the_likelihoods_answer():
    y, years, planned, arm = trial(n=120)
    found = controlled_rates(
        y, years, planned, arm, None, np.random.default_rng(1), strategy="missing-at-random", draws=400
    )
    plain = fitted(y, years, arm)
    assert abs(found.estimate - plain.estimate[0]) < 0.1 * plain.standard_error[0]
    assert_allclose(found.standard_error, plain.standard_error[0], rtol=0.06)
    assert found.df < 118 and found.lower < found.estimate < found.upper
    assert_array_equal(found.carried, np.bincount(arm[years < 1]))


@pytest.mark.requirement("STATS-IMPUTATION-COUNTS")
def test_a_jump_to_the_reference_rate_takes_its_share_of_the_effect():
    """In expectation the active arm's rate is a mixture over time of its own and the reference arm's."""
    y, years, planned, arm = trial(n=400, effect=0.3, share=0.6, dispersion=0.3)
    generator = np.random.default_rng
    found = {
        name: controlled_rates(y, years, planned, arm, None, generator(3), strategy=name, draws=60)
        for name in STRATEGIES
    }
    own = found["missing-at-random"].estimate
    assert own < found["copy-reference"].estimate < 0 and own < found["jump-to-reference"].estimate < 0
    unseen = (planned - years)[arm == 1].mean()
    expected = np.log((1 - unseen) * np.exp(own) + unseen)
    assert_allclose(found["jump-to-reference"].estimate, expected, atol=0.04)
    assert_allclose(found["jump-to-reference"].added[0], found["missing-at-random"].added[0], rtol=0.05)


def test_a_factor_multiplies_what_is_imputed_in_its_arm():
    y, years, planned, arm = trial(n=80, share=0.5)
    plain, worse = (
        controlled_rates(y, years, planned, arm, None, np.random.default_rng(3), factor=factor, draws=100)
        for factor in (1.0, np.array([1.0, 3.0]))
    )
    assert_allclose(worse.added[1], 3 * plain.added[1], rtol=0.1)
    assert_allclose(worse.added[0], plain.added[0], rtol=0.05)
    assert worse.estimate > plain.estimate + 0.1


def test_the_unit_of_time_and_a_covariates_origin_do_not_matter_and_a_seed_repeats():
    y, years, planned, arm = trial(n=50)
    age = np.random.default_rng(1).normal(15, 4, size=(50, 1))
    one, days, moved = (
        controlled_rates(y, unit * years, unit * planned, arm, z, np.random.default_rng(5), draws=40)
        for unit, z in ((1.0, age), (365.25, age), (1.0, age + 100))
    )
    for other in (days, moved):
        assert_allclose(other.estimate, one.estimate, rtol=1e-6)
        assert_allclose(other.standard_error, one.standard_error, rtol=1e-6)


def test_who_was_never_observed_is_imputed_from_the_arm():
    y, years, planned, arm = trial(n=40)
    y[0], years[0] = 0.0, 0.0
    found = controlled_rates(y, years, planned, arm, None, np.random.default_rng(1), draws=50)
    assert found.status == Status.OK and found.carried.sum() == (years < 1).sum()
    assert found.message == "ok"


def test_trials_without_a_number_say_why():
    y, years, planned, arm = trial()
    reasons = {
        Status.NO_EVENTS: np.zeros_like(y),
        Status.SEPARATED: np.where(arm == 1, 0.0, y),
        Status.NOT_FINITE: np.where(y == y.max(), np.nan, y),
    }
    for status, events in reasons.items():
        found = controlled_rates(events, years, planned, arm, None, np.random.default_rng(1), draws=20)
        assert found.status == status and np.isnan([found.estimate, found.p_value]).all()
    absurd = controlled_rates(y, years, planned, arm, None, np.random.default_rng(1), draws=20, factor=1e300)
    assert absurd.status in {Status.OK, Status.UNRELIABLE}


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": "copy-increments"},
        {"draws": 1},
        {"factor": 0.0},
        {"factor": np.nan},
        {"observed": np.full(40, 2.0)},
        {"observed": np.zeros(40)},
        {"arm": np.full(40, 2)},
        {"covariates": np.ones((3, 1))},
        {"planned": np.ones(3)},
        {"reference": 2},
        {"active": 0},
    ],
)
def test_what_makes_no_sense_is_refused(change):
    y, years, planned, arm = trial()
    inputs = {"counts": y, "observed": years, "planned": planned, "arm": arm, "covariates": None, "draws": 5}
    with pytest.raises(ValueError, match=r"."):
        controlled_rates(**(inputs | change), generator=np.random.default_rng(1))


def test_intervals_cover_without_an_effect():
    """100 trials, about a fifth leave early: at least 95 % less three standard errors of 2.2."""
    found = []
    for seed in range(100):
        y, years, planned, arm = trial(seed, effect=1.0, share=0.2)
        found.append(controlled_rates(y, years, planned, arm, None, np.random.default_rng(seed), draws=10))
    assert {each.status for each in found} == {Status.OK}
    estimates = np.array([each.estimate for each in found])
    assert np.mean([each.p_value > 0.05 for each in found]) >= 0.885
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(100)
    assert np.sqrt(np.mean([each.standard_error**2 for each in found])) > estimates.std()
