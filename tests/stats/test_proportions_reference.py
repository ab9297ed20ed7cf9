"""Proportions against R: binom.test, fisher.test, dhyper, and Miettinen-Nurminen without their cubic."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.binomial import clopper_pearson, fisher_exact, proportion_difference
from tests.stats.reference import rows, stored

R = stored("proportions")
ALTERNATIVES = ("two-sided", "greater", "less")


def table(case):
    _, *counts = rows("proportions", case).values()
    return [int(count) for (count,) in counts]


@pytest.mark.parametrize("case", R)
def test_exact_limits_are_those_of_binom_test(case):
    events, n, *_ = table(case)
    expected = R[case]["clopper"]
    for level in (0.95, 0.99):
        found = clopper_pearson(events, n, level=level)
        assert_allclose([found.lower[0], found.upper[0]], expected[f"interval_{100 * level:g}"], rtol=1e-12)
    assert_allclose(found.estimate[0], R[case]["estimate"], rtol=1e-15)
    for sides in ("upper", "lower"):
        found = clopper_pearson(events, n, sides=sides)
        assert_allclose(getattr(found, sides)[0], expected[f"{sides}_95"], rtol=1e-12)


@pytest.mark.parametrize("case", R)
def test_the_score_interval_and_test_are_those_of_the_likelihood_maximised_anew(case):
    for level in (0.95, 0.8):
        found = proportion_difference(*table(case), level=level)
        expected = R[case][f"interval_{100 * level:g}"]
        # Where the limit is 1, R's root is looked for up to 1 less 1e-12.
        assert_allclose([found.lower[0], found.upper[0]], expected, rtol=1e-11, atol=1e-12)
        assert_allclose(found.estimate[0], R[case]["difference"], rtol=1e-14)
    for alternative in ALTERNATIVES:
        found = proportion_difference(*table(case), alternative=alternative)
        assert_allclose(found.statistic[0], R[case]["score"]["statistic"], rtol=1e-12)
        assert_allclose(found.p_value[0], R[case]["score"][alternative.replace("-", "_")], rtol=1e-11)


@pytest.mark.parametrize("case", R)
def test_exact_p_values_are_those_of_fisher_test_and_mid_p_that_of_dhyper(case):
    for alternative in ALTERNATIVES:
        found, name = fisher_exact(*table(case), alternative=alternative), alternative.replace("-", "_")
        assert_allclose(found.p_value[0], R[case]["fisher"][name], rtol=1e-11)
        assert_allclose(found.mid_p_value[0], R[case]["fisher"][f"mid_{name}"], rtol=1e-11)


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        # Newcombe, Stat Med 1998;17:873-890, Table II, method 6, which is Miettinen and Nurminen's. (Method 5, Mee's,
        # lacks N/(N - 1); method 10 is Newcombe's own, from two intervals of Wilson.)
        ((56, 70, 48, 80), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1700, 0.8406)),
        ((10, 10, 0, 20), (0.7156, 1.0000)),
    ],
)
def test_published_intervals_are_found_to_the_printed_digit(counts, printed):
    found = proportion_difference(*counts)
    assert (round(found.lower[0], 4), round(found.upper[0], 4)) == printed


def test_all_cases_at_once_are_each_case_alone():
    tables = np.array([table(case) for case in R]).T
    together = proportion_difference(*tables)
    exact = fisher_exact(*tables)
    for place, case in enumerate(R):
        alone = proportion_difference(*table(case))
        assert (together.lower[place], together.upper[place]) == (alone.lower[0], alone.upper[0])
        # A sum over more tables, impossible ones among them, is added up in another order.
        assert_allclose(exact.mid_p_value[place], fisher_exact(*table(case)).mid_p_value[0], rtol=1e-14)
