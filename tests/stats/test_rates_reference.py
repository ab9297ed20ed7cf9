"""Rates against R: poisson.test, prop.test, pbinom, and Miettinen-Nurminen with the likelihood maximised anew."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.rates import exact_rate_ratio, rate_difference, rate_ratio
from tests.stats.reference import rows, stored

R = stored("rates")
WITH_EVENTS = [case for case, found in R.items() if found["exact"]]
ALTERNATIVES = ("two-sided", "greater", "less")


def arms(case):
    _, events, time, other, other_time = (words[0] for words in rows("rates", case).values())
    return int(events), float(time), int(other), float(other_time)


def limits(found):
    return [found.lower[0], found.upper[0]]


def printed(interval):
    """R's limits; JSON has no infinity."""
    return [np.inf if limit is None else limit for limit in interval]


@pytest.mark.requirement("STATS-RATES")
@pytest.mark.parametrize("case", R)
def test_the_interval_of_a_difference_is_that_of_the_likelihood_maximised_anew(case):
    for level in (0.95, 0.8):
        found = rate_difference(*arms(case), level=level)
        expected = R[case][f"difference_{100 * level:g}"]
        assert_allclose(limits(found), expected, rtol=1e-11, atol=1e-13 * max(np.abs(expected)))
    assert_allclose(found.estimate[0], R[case]["difference"], rtol=1e-13)


@pytest.mark.parametrize("case", WITH_EVENTS)
def test_the_interval_of_a_ratio_is_that_of_the_likelihood_maximised_anew_and_wilsons(case):
    found, (lower, upper) = rate_ratio(*arms(case)), R[case]["ratio_95"]
    assert_allclose(limits(found), [0.0 if lower is None else lower, np.inf if upper is None else upper], rtol=1e-10)
    for level in (0.95, 0.8):
        expected = printed(R[case][f"ratio_wilson_{100 * level:g}"])
        assert_allclose(limits(rate_ratio(*arms(case), level=level)), expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("case", WITH_EVENTS)
def test_difference_and_ratio_have_one_test(case):
    for method in (rate_difference, rate_ratio):
        for alternative in ALTERNATIVES:
            found = method(*arms(case), alternative=alternative)
            assert_allclose(found.statistic[0], R[case]["score"]["statistic"], rtol=1e-12, atol=1e-14)
            assert_allclose(found.p_value[0], R[case]["score"][alternative.replace("-", "_")], rtol=1e-11)


def exact(case, **options):
    return exact_rate_ratio(*arms(case), one_sided_at_zero=False, **options)


@pytest.mark.parametrize("case", WITH_EVENTS)
def test_exact_limits_and_p_values_are_those_of_poisson_test(case):
    expected = R[case]["exact"]
    for level in (0.95, 0.99):
        found = exact(case, convention="exact", level=level)
        assert_allclose(limits(found), printed(expected[f"interval_{100 * level:g}"]), rtol=1e-11)
    for alternative in ("greater", "less"):
        found = exact(case, convention="exact", alternative=alternative)
        assert_allclose(found.p_value[0], expected[alternative], rtol=1e-11)
    # Not R's own, which adds up the less probable counts; two tails that both hold the events seen can exceed 1.
    both = min(1, 2 * min(expected["greater"], expected["less"]))
    assert_allclose(exact(case, convention="exact").p_value[0], both, rtol=1e-11)


@pytest.mark.requirement("STATS-RATES")
@pytest.mark.parametrize("case", WITH_EVENTS)
def test_mid_p_limits_and_p_values_are_those_of_pbinom(case):
    expected = R[case]["mid_p"]
    assert_allclose(limits(exact(case)), printed(expected["interval_95"]), rtol=1e-11)
    for alternative in ("greater", "less"):
        assert_allclose(exact(case, alternative=alternative).p_value[0], expected[alternative], rtol=1e-11)
    assert_allclose(exact(case).p_value[0], 2 * min(expected["greater"], expected["less"]), rtol=1e-11)


@pytest.mark.parametrize("convention", ["exact", "mid-p"])
@pytest.mark.parametrize(("case", "side"), [("one-arm-without", "upper"), ("other-arm-without", "lower")])
def test_where_an_arm_has_no_event_the_limit_is_rs_one_sided(case, side, convention):
    found = exact_rate_ratio(*arms(case), convention=convention)
    assert found.one_sided[0]
    expected = R[case][convention.replace("-", "_")][f"{side}_95"]
    assert_allclose(getattr(found, side)[0], expected, rtol=1e-11)
    assert (found.lower[0] if side == "upper" else found.upper[0]) == (0 if side == "upper" else np.inf)


def test_all_cases_at_once_are_each_case_alone():
    columns = [np.array(column) for column in zip(*(arms(case) for case in R), strict=True)]
    for method in (rate_difference, rate_ratio, exact_rate_ratio):
        together = method(*columns)
        for place, case in enumerate(R):
            alone = method(*arms(case))
            for name in ("estimate", "lower", "upper", "p_value", "status"):
                assert_allclose(getattr(together, name)[place], getattr(alone, name)[0], rtol=1e-15)
