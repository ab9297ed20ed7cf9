"""Analysis of covariance: properties that need no other program, plain twins, awkward data and speed."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats import (
    Status,
    ancova_design,
    contrast,
    difference_weights,
    fit_least_squares,
    joint_test,
    least_squares_mean_weights,
    leave_one_out,
)
from tests.stats.trials import trials

pytestmark = pytest.mark.requirement("ANALYSIS-ANCOVA")

NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value")


def fitted(data, outcome=None):
    design = ancova_design(data.arm, data.covariates, data.arms)
    return fit_least_squares(data.outcome if outcome is None else outcome, design, data.included)


def compared(fit, covariance="model"):
    return contrast(fit, difference_weights(1, 0, fit.coefficients.shape[1]), covariance=covariance)


@given(trials())
def test_a_batch_gives_what_each_trial_gives_alone(data):
    design = ancova_design(data.arm, data.covariates, data.arms)
    together = fit_least_squares(data.outcome, design, data.included)
    for covariance in ("model", "hc3"):
        whole = compared(together, covariance)
        for r in range(len(data.outcome)):
            one = slice(r, r + 1)
            alone = compared(fit_least_squares(data.outcome[one], design[r], data.included[one]), covariance)
            for name in NUMBERS:
                assert_allclose(getattr(alone, name)[0], getattr(whole, name)[r], rtol=1e-12)


@given(trials())
def test_people_who_are_left_out_might_as_well_not_exist(data):
    whole = compared(fitted(data), "hc3")
    design = ancova_design(data.arm, data.covariates, data.arms)
    for r, kept in enumerate(data.included):
        few = np.ones((1, kept.sum()), dtype=bool)
        alone = compared(fit_least_squares(data.outcome[r : r + 1, kept], design[r, kept], few), "hc3")
        for name in NUMBERS:
            assert_allclose(getattr(alone, name)[0], getattr(whole, name)[r], rtol=1e-9)


@given(trials())
def test_the_order_of_the_participants_does_not_matter(data):
    order = np.random.default_rng(1).permutation(data.outcome.shape[1])
    design = ancova_design(data.arm, data.covariates, data.arms)
    before = compared(fit_least_squares(data.outcome, design, data.included), "hc3")
    after = compared(fit_least_squares(data.outcome[:, order], design[:, order], data.included[:, order]), "hc3")
    for name in NUMBERS:
        assert_allclose(getattr(after, name), getattr(before, name), rtol=1e-9)


@given(trials())
def test_moving_one_arm_moves_the_difference_by_as_much_and_nothing_else(data):
    by = 0.7 * np.nanstd(data.outcome)
    before, after = compared(fitted(data)), compared(fitted(data, data.outcome + by * (data.arm == 1)))
    assert_allclose(after.estimate, before.estimate + by, rtol=1e-9, atol=1e-10 * by)
    assert_allclose(after.standard_error, before.standard_error, rtol=1e-9)
    everybody = compared(fitted(data, data.outcome + by))
    assert_allclose(everybody.estimate, before.estimate, rtol=1e-9, atol=1e-10 * by)


@given(trials())
def test_another_unit_of_the_outcome_or_a_covariate_changes_no_p_value(data):
    plain = compared(fitted(data))
    larger = compared(fitted(data, 1e5 * data.outcome))
    assert_allclose(larger.p_value, plain.p_value, rtol=1e-9)
    design = ancova_design(data.arm, 1e6 * data.covariates, data.arms)
    other = compared(fit_least_squares(data.outcome, design, data.included))
    assert_allclose(other.p_value, plain.p_value, rtol=1e-9)
    assert_array_equal(other.status, plain.status)


@given(trials())
def test_hc3_is_the_textbook_formula(data):
    fit = fitted(data)
    design = ancova_design(data.arm, data.covariates, data.arms)
    for r, kept in enumerate(data.included):
        x, y = design[r, kept], data.outcome[r, kept]
        inverse = np.linalg.inv(x.T @ x)
        residual = y - x @ inverse @ x.T @ y
        leverage = np.diag(x @ inverse @ x.T)
        meat = sum(np.outer(row, row) * (e / (1 - h)) ** 2 for row, e, h in zip(x, residual, leverage, strict=True))
        expected = inverse @ meat @ inverse
        assert_allclose(fit.covariance_hc3[r], expected, rtol=1e-6, atol=1e-9 * np.abs(expected).max())


@given(trials())
def test_leaving_one_out_is_refitting_without_the_person(data):
    fit = fitted(data)
    weights = difference_weights(1, 0, fit.coefficients.shape[1])
    change, estimate = leave_one_out(fit, weights), contrast(fit, weights).estimate
    design = ancova_design(data.arm, data.covariates, data.arms)
    for i in range(data.outcome.shape[1]):
        without = data.included.copy()
        without[:, i] = False
        again = contrast(fit_least_squares(data.outcome, design, without), weights).estimate
        expected = np.where(data.included[:, i], again - estimate, np.nan)
        assert_allclose(change[:, i], expected, rtol=1e-8, atol=1e-10 * np.nanstd(data.outcome))


@given(trials())
def test_one_contrast_tested_jointly_is_its_t_squared(data):
    fit = fitted(data)
    for covariance in ("model", "hc3"):
        single = compared(fit, covariance)
        joint = joint_test(fit, difference_weights(1, 0, fit.coefficients.shape[1])[None], covariance=covariance)
        assert_allclose(joint.statistic, single.statistic**2, rtol=1e-9)
        assert_allclose(joint.p_value, single.p_value, rtol=1e-9)


@given(trials())
def test_the_joint_test_of_covariates_compares_two_residual_sums_of_squares(data):
    full = fitted(data)
    p, q = full.coefficients.shape[1], data.covariates.shape[2]
    if q == 0:
        return
    small = fit_least_squares(data.outcome, ancova_design(data.arm, data.covariates[..., :0], data.arms), data.included)
    left = small.residual_variance * small.df - full.residual_variance * full.df
    expected = left / q / full.residual_variance
    assert_allclose(joint_test(full, np.eye(p)[p - q :]).statistic, expected, rtol=1e-6, atol=1e-9)


@given(trials())
def test_centring_makes_the_intercept_the_first_arms_mean_and_changes_no_difference(data):
    plain = fitted(data)
    design = ancova_design(data.arm, data.covariates, data.arms, centred_on=data.included)
    centred = fit_least_squares(data.outcome, design, data.included)
    assert_allclose(compared(centred).p_value, compared(plain).p_value, rtol=1e-9)
    raw = ancova_design(data.arm, data.covariates, data.arms)
    mean = contrast(plain, least_squares_mean_weights(raw, data.included, data.arms)[:, 0])
    intercept = contrast(centred, np.eye(design.shape[2])[0])
    for name in ("estimate", "standard_error", "lower", "upper"):
        assert_allclose(getattr(mean, name), getattr(intercept, name), rtol=1e-8, atol=1e-9 * np.nanstd(data.outcome))


def test_the_columns_of_a_design_stand_in_the_documented_order():
    design = ancova_design(np.array([0, 1, 2]), np.array([[4.0], [5.0], [6.0]]), 3)
    assert_array_equal(design, [[[1, 0, 0, 4], [1, 1, 0, 5], [1, 0, 1, 6]]])


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_an_unknown_arm_is_never_taken_for_the_reference_arm():
    design = ancova_design(np.array([0, 0, 0, 1, 1, -1]), np.zeros((1, 6, 0)), 2)
    assert np.isnan(design[0, 5]).all()
    outcome = np.arange(6.0)[None] ** 2
    assert fit_least_squares(outcome, design, np.ones((1, 6), bool)).status[0] == Status.NOT_FINITE
    known = fit_least_squares(outcome, design, np.array([[True] * 5 + [False]]))
    assert known.status[0] == Status.OK


def awkward():
    """Trials side by side, each with one thing wrong, and a sound one among them."""
    source = np.random.default_rng(5)
    arm = np.tile([0, 1], (7, 5))
    covariates = source.normal(size=(7, 10, 1))
    outcome = source.normal(size=(7, 10))
    included = np.ones((7, 10), dtype=bool)
    included[1, 3:] = False
    included[2] = False
    outcome[3, 4] = np.inf
    covariates[4] = 3.0
    outcome[5] = -0.1
    arm[6] = 0
    arm[6, 7] = 1
    expected = [
        Status.OK,
        Status.TOO_FEW_OBSERVATIONS,
        Status.TOO_FEW_OBSERVATIONS,
        Status.NOT_FINITE,
        Status.SINGULAR_DESIGN,
        Status.CONSTANT_OUTCOME,
        Status.UNDEFINED_LEVERAGE,
    ]
    return outcome, ancova_design(arm, covariates, 2), included, np.array(expected)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_trial_that_cannot_be_analysed_has_a_status_and_spoils_no_other():
    outcome, design, included, expected = awkward()
    fit = fit_least_squares(outcome, design, included)
    assert_array_equal(fit.status_hc3, expected)
    found = compared(fit, "hc3")
    assert_array_equal(found.status, expected)
    assert_array_equal(np.isnan(found.p_value), expected != Status.OK)
    assert_array_equal(np.isnan(found.lower), expected != Status.OK)
    assert_array_equal(found.messages == "ok", expected == Status.OK)
    assert np.isfinite(compared(fit).p_value[6])
    alone = compared(fit_least_squares(outcome[:1], design[:1], included[:1]), "hc3")
    assert_allclose(found.p_value[0], alone.p_value[0], rtol=1e-12)
    joint = joint_test(fit, np.eye(3)[1:], covariance="hc3")
    assert_array_equal(np.isnan(joint.p_value), expected != Status.OK)
    assert_array_equal(joint.status, expected)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_constant_outcome_has_its_estimate_and_standard_error_nought():
    outcome, design, included, _ = awkward()
    outcome[5] = 2.5 * design[5, :, 1] + 1e6
    fit = fit_least_squares(outcome, design, included)
    assert fit.residual_variance[5] == 0
    assert not leave_one_out(fit, difference_weights(1, 0, 3))[5].any()
    for covariance in ("model", "hc3"):
        found = compared(fit, covariance)
        assert found.estimate[5] == pytest.approx(2.5, abs=1e-8)
        assert (found.standard_error[5], found.df[5]) == (0, 7)
        assert np.isnan([found.p_value[5], found.lower[5], found.upper[5], found.statistic[5]]).all()


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_an_arm_of_equal_values_has_no_hc3_test_of_its_mean():
    arm = np.array([0, 0, 0, 1, 1, 1])
    outcome = np.array([[0.1, 0.7, 0.4, 0.3, 0.3, 0.3]])
    fit = fit_least_squares(outcome, ancova_design(arm, np.zeros((1, 6, 0)), 2), np.ones((1, 6), bool))
    weights = np.array([1.0, 1.0])
    assert contrast(fit, weights, covariance="hc3").status[0] == Status.CONSTANT_OUTCOME
    assert contrast(fit, weights).status[0] == Status.OK
    assert contrast(fit, np.array([0.0, 1.0]), covariance="hc3").status[0] == Status.OK


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e9])
def test_whether_a_design_is_singular_does_not_depend_on_a_covariates_unit(size):
    source = np.random.default_rng(2)
    arm = np.tile([0, 1], 6)
    x = source.normal(size=(1, 12))
    outcome, included = source.normal(size=(1, 12)), np.ones((1, 12), bool)
    for nudge, status in ((0.0, Status.SINGULAR_DESIGN), (1e-5, Status.OK)):
        second = size * (2 * x + nudge * source.normal(size=x.shape))
        fit = fit_least_squares(outcome, ancova_design(arm, np.stack([x, second], axis=2), 2), included)
        assert fit.status[0] == status


def test_contrasts_that_repeat_one_another_have_no_joint_test():
    outcome, design, included, _ = awkward()
    fit = fit_least_squares(outcome, design, included)
    found = joint_test(fit, np.array([[0.0, 1, 0], [0, -2, 0]]))
    assert found.status[0] == Status.DEPENDENT_CONTRASTS
    assert found.status[3] == Status.NOT_FINITE
    assert np.isnan(found.p_value).all()


def test_mistakes_of_the_caller_are_errors():
    outcome, design, included, _ = awkward()
    fit = fit_least_squares(outcome, design, included)
    weights = np.array([0.0, 1.0, 0.0])
    for wrong, words in (
        (lambda: contrast(fit, np.ones(4)), "do not fit"),
        (lambda: contrast(fit, np.ones((3, 3))), "do not fit"),
        (lambda: joint_test(fit, np.ones(3)), "do not fit"),
        (lambda: contrast(fit, np.zeros(3)), "all 0"),
        (lambda: contrast(fit, weights, covariance="hc4"), "covariance"),
        (lambda: contrast(fit, weights, alternative="bigger"), "alternative"),
        (lambda: contrast(fit, weights, level=95), "level"),
        (lambda: fit_least_squares(outcome, design, included.astype(int)), "boolean"),
        (lambda: fit_least_squares(outcome[0], design[0], included[0]), "trials, participants"),
        (lambda: fit_least_squares(outcome, design[:, :5], included), "broadcast"),
        (lambda: difference_weights(1, 1, 3), "cannot be compared"),
        (lambda: difference_weights(1, -1, 3), "cannot be compared"),
        (lambda: difference_weights(3, 0, 3), "cannot be compared"),
        (lambda: ancova_design(np.zeros(3), np.zeros((3, 1)), 0), "at least one arm"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


@pytest.mark.requirement("STATS-FROZEN")
def test_results_are_frozen_and_lie_along_the_trials():
    outcome, design, included, _ = awkward()
    found = compared(fit_least_squares(outcome, design, included))
    assert {getattr(found, field.name).shape for field in fields(found)} == {(7,)}
    with pytest.raises(AttributeError):
        found.estimate = outcome


def simulated(count, seed):
    """No effect: 11 against 10 participants, a baseline that carries half the variance, and age."""
    source = np.random.default_rng(seed)
    arm = np.arange(21) % 2
    baseline, age = source.normal(size=(count, 21)), source.uniform(12, 36, size=(count, 21))
    outcome = 0.7 * baseline + 0.7 * source.normal(size=(count, 21))
    return outcome, ancova_design(arm, np.stack([baseline, age], axis=2), 2)


def test_without_effect_ancova_rejects_in_five_percent_and_its_p_values_are_uniform():
    outcome, design = simulated(20_000, seed=20_260_411)
    found = compared(fit_least_squares(outcome, design, np.ones(outcome.shape, bool)))
    assert 0.045 < (found.p_value < 0.05).mean() < 0.055
    assert 0.945 < ((found.lower < 0) & (found.upper > 0)).mean() < 0.955
    # Kolmogorov's distance exceeds 1.95/sqrt(n) in one of a thousand.
    expected = (np.arange(20_000) + 0.5) / 20_000
    assert np.abs(np.sort(found.p_value) - expected).max() < 1.95 / np.sqrt(20_000)


def test_one_sided_p_values_are_halves_of_the_two_sided():
    outcome, design = simulated(50, seed=3)
    fit = fit_least_squares(outcome, design, np.ones(outcome.shape, bool))
    weights = difference_weights(1, 0, 4)
    both = contrast(fit, weights)
    greater, less = (contrast(fit, weights, alternative=word) for word in ("greater", "less"))
    assert_allclose(greater.p_value, np.where(both.estimate > 0, both.p_value / 2, 1 - both.p_value / 2), rtol=1e-12)
    assert_allclose(greater.p_value + less.p_value, 1, rtol=1e-12)
    assert_array_equal(greater.lower, both.lower)


@settings(max_examples=20)
@given(trials(complete=True))
def test_one_mask_for_all_trials_and_one_a_trial_are_the_same(data):
    design = ancova_design(data.arm, data.covariates, data.arms)
    shared = fit_least_squares(data.outcome, design, data.included[0])
    assert_array_equal(shared.coefficients, fit_least_squares(data.outcome, design, data.included).coefficients)
