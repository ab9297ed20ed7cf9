"""Student's and Welch's t against R's t.test, and what holds without it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats import (
    Status,
    ancova_design,
    contrast,
    difference_weights,
    fit_least_squares,
    one_sample_t,
    paired_t,
    two_sample_t,
)
from tests.stats.reference import everyone, numbers, rows, stored
from tests.stats.trials import trials

pytestmark = pytest.mark.requirement("ANALYSIS-T-INTERVAL")

R = stored("t_interval")
REFUSALS = {
    "data are essentially constant": Status.CONSTANT_OUTCOME,
    "not enough 'x' observations": Status.TOO_FEW_OBSERVATIONS,
    "not enough 'y' observations": Status.TOO_FEW_OBSERVATIONS,
}
# The mean of values about a million is known to 1e-10, and so is the difference of two such means.
DIGITS = {"large-mean": 1e-9}


def samples(case):
    data = rows("t_interval", case)
    sample = np.array([data["sample"]])
    return numbers(data["value"]), numbers(data["before"]), sample == "a", sample == "b"


def check(case, found, expected):
    if "error" in expected:
        assert found.status[0] == REFUSALS[expected["error"]]
        assert np.isnan([found.p_value[0], found.lower[0], found.upper[0]]).all()
        return
    assert found.messages[0] == "ok"
    for name, value in (
        ("estimate", expected["estimate"]),
        ("standard_error", expected["standard_error"]),
        ("df", expected["df"]),
        ("lower", expected["interval"][0]),
        ("upper", expected["interval"][1]),
        ("statistic", expected["statistic"]),
        ("p_value", expected["p"]),
    ):
        assert_allclose(getattr(found, name)[0], value, rtol=DIGITS.get(case, 1e-11))


def check_sided(case, method, expected):
    for alternative in ("greater", "less"):
        found = method(alternative)
        both = method("two-sided")
        assert_array_equal(found.lower, both.lower)
        assert_array_equal(found.upper, both.upper)
        if expected[alternative] is None:
            assert found.status[0] != Status.OK
        else:
            assert_allclose(found.p_value[0], expected[alternative], rtol=DIGITS.get(case, 1e-11))


@pytest.mark.parametrize("case", R)
def test_one_sample_is_that_of_r(case):
    values, _, a, _ = samples(case)
    check(case, one_sample_t(values, a), R[case]["one"])
    check(case, one_sample_t(values, everyone(values), null=1.5, level=0.9), R[case]["one_against"])
    check_sided(
        case,
        lambda alternative: one_sample_t(values, everyone(values), null=1.5, alternative=alternative),
        R[case]["one_sided"],
    )


@pytest.mark.parametrize("case", R)
def test_two_samples_are_those_of_r(case):
    values, _, a, b = samples(case)
    check(case, two_sample_t(values, a, b), R[case]["welch"])
    check(case, two_sample_t(values, a, b, level=0.99), R[case]["welch_99"])
    check(case, two_sample_t(values, a, b, variances="pooled"), R[case]["pooled"])
    check(case, two_sample_t(values, a, b, variances="pooled", null=-0.25), R[case]["pooled_against"])
    check_sided(case, lambda alternative: two_sample_t(values, a, b, alternative=alternative), R[case]["welch_sided"])


def test_pairs_are_those_of_r():
    after, before, _, _ = samples("change")
    pairs = ~np.isnan(before)
    assert pairs.sum() == 12
    check("change", paired_t(after, before, pairs), R["change"]["paired"])
    check_sided(
        "change",
        lambda alternative: paired_t(after, before, pairs, alternative=alternative),
        R["change"]["paired_sided"],
    )


@given(trials())
def test_a_batch_gives_what_each_trial_gives_alone(data):
    first, second = data.included & (data.arm == 0), data.included & (data.arm == 1)
    whole = two_sample_t(data.outcome, first, second)
    one = one_sample_t(data.outcome, data.included)
    for r in range(len(data.outcome)):
        part = slice(r, r + 1)
        alone = two_sample_t(data.outcome[part], first[part], second[part])
        assert_allclose(alone.p_value[0], whole.p_value[r], rtol=1e-12)
        assert_array_equal(alone.n[0], whole.n[r])
        kept = data.outcome[part, data.included[r]]
        assert_allclose(one_sample_t(kept, everyone(kept)).upper[0], one.upper[r], rtol=1e-9)


@given(trials())
def test_the_pooled_t_is_ancova_without_covariates(data):
    pooled = two_sample_t(
        data.outcome, data.included & (data.arm == 1), data.included & (data.arm == 0), variances="pooled"
    )
    two_arms = data.included & (data.arm < 2)
    design = ancova_design(np.where(data.arm < 2, data.arm, -1), data.covariates[..., :0], 2)
    found = contrast(fit_least_squares(data.outcome, design, two_arms), difference_weights(1, 0, 2))
    for name in ("estimate", "standard_error", "df", "p_value"):
        assert_allclose(getattr(found, name), getattr(pooled, name), rtol=1e-8)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_what_cannot_be_analysed_has_a_status_and_spoils_no_other_trial():
    values = np.array(
        [[1.0, 2.0, 4.0], [1, np.nan, np.nan], [0.1, 0.1, 0.1], [np.nan, 1, 2], [1e6, 1e6, 1e6], [0, 0, 0]]
    )
    included = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0], [0, 0, 0]], dtype=bool)
    found = one_sample_t(values, included)
    expected = [
        Status.OK,
        Status.TOO_FEW_OBSERVATIONS,
        Status.CONSTANT_OUTCOME,
        Status.NOT_FINITE,
        Status.CONSTANT_OUTCOME,
        Status.TOO_FEW_OBSERVATIONS,
    ]
    assert_array_equal(found.status, expected)
    assert_array_equal(found.n, [3, 1, 3, 3, 2, 0])
    assert_array_equal(found.standard_error[[2, 4]], 0)
    assert_array_equal(np.isnan(found.standard_error), [False, True, False, True, False, True])
    assert_array_equal(np.isnan(found.estimate), [False, False, False, True, False, True])
    assert_array_equal(np.isnan(found.p_value), np.array(expected) != Status.OK)


def test_mistakes_of_the_caller_are_errors():
    values = np.array([[1.0, 2.0, 4.0]])
    for wrong, words in (
        (lambda: two_sample_t(values, everyone(values), everyone(values)), "both samples"),
        (lambda: two_sample_t(values, values > 1, values <= 1, variances="unequal"), "variances"),
        (lambda: one_sample_t(values, everyone(values), level=1.0), "level"),
        (lambda: one_sample_t(values[0], everyone(values)), "trials, participants"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()


def test_without_effect_five_percent_are_rejected_also_with_unequal_variances():
    source = np.random.default_rng(20_260_412)
    arm = np.arange(21) < 14
    values = source.normal(size=(20_000, 21)) * np.where(arm, 1.0, 2.0)
    rejected = two_sample_t(values, arm, ~arm).p_value < 0.05
    assert 0.045 < rejected.mean() < 0.055
    assert 0.045 < (one_sample_t(values, arm).p_value < 0.05).mean() < 0.055
    # The pooled variance is wrong here, and says so.
    assert (two_sample_t(values, arm, ~arm, variances="pooled").p_value < 0.05).mean() > 0.08
