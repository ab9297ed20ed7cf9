"""Proportions of few events, by enumeration: all tables of small trials, all their probabilities."""

from __future__ import annotations

import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom, norm

from equipoise.stats.binomial import (
    clopper_pearson,
    fisher_exact,
    proportion_difference,
    restricted_proportion,
)
from equipoise.stats.status import Status
from tests.stats.reference import ROOT

SIZES = [(11, 10), (10, 11), (14, 7), (10, 10), (7, 12), (3, 1), (1, 1), (10, 1)]
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def all_tables(n1, n0):
    """Every table of two arms: x1, n1, x0, n0, each (tables,)."""
    x1, x0 = (counts.ravel() for counts in np.meshgrid(np.arange(n1 + 1), np.arange(n0 + 1)))
    return x1, np.full_like(x1, n1), x0, np.full_like(x0, n0)


def probabilities(tables, p1, p0):
    """(tables, grid) of the tables where the arms' proportions are p1 and p0, (grid,)."""
    x1, n1, x0, n0 = (counts[:, None] for counts in tables)
    return binom.pmf(x1, n1, p1) * binom.pmf(x0, n0, p0)


def likeliest(x1, n1, x0, n0, difference):
    """The plain twin of ``restricted_proportion``: the slope of the log-likelihood is halved down to where it turns."""
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    for _ in range(80):
        p = (low + high) / 2
        parts = ((x1, p + difference), (n1 - x1, p + difference - 1), (x0, p), (n0 - x0, p - 1))
        slope = sum(count / q for count, q in parts if count > 0)
        low, high = (p, high) if slope > 0 else (low, p)
    return (low + high) / 2


def test_none_of_eleven_excludes_what_the_report_says():
    assert clopper_pearson(0, 11).upper[0] == pytest.approx(0.285, abs=5e-4)
    one_sided = clopper_pearson(0, 11, sides="upper")
    assert one_sided.upper[0] == pytest.approx(1 - 0.05 ** (1 / 11), rel=1e-13)
    assert one_sided.upper[0] == pytest.approx(0.238, abs=5e-4)
    assert (one_sided.lower[0], clopper_pearson(11, 11, sides="lower").upper[0]) == (0, 1)


@pytest.mark.parametrize("n", [1, 2, 11, 21])
def test_exact_intervals_cover_at_least_at_their_level_whatever_the_proportion(n):
    grid, x = np.linspace(0, 1, 1001), np.arange(n + 1)
    chance = binom.pmf(x[:, None], n, grid)
    for sides in ("two-sided", "upper", "lower"):
        for level in (0.8, 0.95):
            found = clopper_pearson(x, n, level=level, sides=sides)
            inside = (found.lower[:, None] <= grid) & (grid <= found.upper[:, None])
            assert (inside * chance).sum(axis=0).min() >= level - 1e-12


@pytest.mark.parametrize("n", [1, 11, 40])
def test_an_exact_limit_leaves_its_share_in_the_tail(n):
    x = np.arange(n + 1)
    found = clopper_pearson(x, n, level=0.9)
    assert_allclose(binom.cdf(x, n, found.upper)[:-1], 0.05, rtol=1e-11)
    assert_allclose(binom.sf(x - 1, n, found.lower)[1:], 0.05, rtol=1e-11)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_restricted_maximum_is_where_the_likelihood_turns(n1, n0, data):
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    difference = data.draw(st.floats(-0.999, 0.999))
    found = restricted_proportion(*(np.array([count]) for count in (x1, n1, x0, n0)), np.array([difference]))[0]
    # Where two roots of the cubic meet, half of the digits are lost.
    assert found == pytest.approx(likeliest(x1, n1, x0, n0, difference), abs=1e-7)


def test_the_restricted_maximum_is_right_where_two_roots_of_the_cubic_meet():
    # Here value and slope of the cubic are rounding alone, and a step of Newton's method would lead anywhere.
    for x1, n1, x0, n0, difference in ((3, 7, 12, 12, -0.25), (0, 10, 1, 1, -0.1), (3, 12, 12, 12, -0.5)):
        for nudge in (-0.0005, 0.0, 0.0005):
            counts = (np.array([count]) for count in (x1, n1, x0, n0))
            found = restricted_proportion(*counts, np.array([difference + nudge]))[0]
            assert found == pytest.approx(likeliest(x1, n1, x0, n0, difference + nudge), abs=1e-7)


@pytest.mark.parametrize("size", SIZES)
def test_what_the_score_test_does_not_reject_is_one_interval(size):
    tables = all_tables(*size)
    x1, n1, x0, n0 = (counts[:, None] for counts in tables)
    grid = np.linspace(-1, 1, 2001)[None, 1:-1]
    p0 = restricted_proportion(x1, n1, x0, n0, grid)
    p1 = p0 + grid
    variance = (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) * (n1 + n0) / (n1 + n0 - 1)
    squared = (x1 / n1 - x0 / n0 - grid) ** 2
    for level in LEVELS:
        found = proportion_difference(*tables, level=level)
        accepted = squared <= norm.ppf(0.5 + level / 2) ** 2 * variance
        expected = (found.lower[:, None] <= grid) & (grid <= found.upper[:, None])
        # A limit that lies on the grid may fall on either side of it by rounding.
        near = np.minimum(np.abs(grid - found.lower[:, None]), np.abs(grid - found.upper[:, None])) < 1e-9
        assert_array_equal(accepted | near, expected | near)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("level", LEVELS)
def test_the_interval_holds_the_estimate_and_excludes_nought_if_and_only_if_the_test_rejects(size, level):
    found = proportion_difference(*all_tables(*size), level=level)
    assert ((found.lower >= -1) & (found.lower <= found.estimate)).all()
    assert ((found.estimate <= found.upper) & (found.upper <= 1)).all()
    assert_array_equal(found.p_value < 1 - level, (found.lower > 0) | (found.upper < 0))
    assert (found.status == Status.OK).all()


@pytest.mark.parametrize("size", SIZES)
def test_swapped_arms_turn_the_comparison_round(size):
    x1, n1, x0, n0 = all_tables(*size)
    one, other = proportion_difference(x1, n1, x0, n0), proportion_difference(x0, n0, x1, n1)
    assert_array_equal((one.estimate, one.lower, one.upper), (-other.estimate, -other.upper, -other.lower))
    # Counting the people without the event instead turns it round as well.
    without = proportion_difference(n1 - x1, n1, n0 - x0, n0)
    assert_allclose((without.lower, without.upper), (-one.upper, -one.lower), atol=1e-7)
    for name in ("p_value", "mid_p_value"):
        one, other = fisher_exact(x1, n1, x0, n0), fisher_exact(x0, n0, x1, n1)
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)
        one = fisher_exact(x1, n1, x0, n0, alternative="greater")
        other = fisher_exact(x0, n0, x1, n1, alternative="less")
        assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)


def test_limits_without_an_event_have_a_closed_form():
    # With no event p0 is 0 and p1 the difference D: D² = z² D (1 - D)/n1 N/(N - 1).
    for n1, n0 in SIZES:
        found = proportion_difference(0, n1, 0, n0)
        high, low = (norm.ppf(0.975) ** 2 * (n1 + n0) / ((n1 + n0 - 1) * n) for n in (n1, n0))
        assert found.upper[0] == pytest.approx(high / (1 + high), rel=1e-12)
        assert found.lower[0] == pytest.approx(-low / (1 + low), rel=1e-12)
        assert (found.estimate[0], found.statistic[0], found.p_value[0]) == (0, 0, 1)


def test_score_intervals_cover_as_the_page_says():
    tables = all_tables(11, 10)
    found = proportion_difference(*tables)
    p1, p0 = (grid.ravel() for grid in np.meshgrid(np.linspace(0.02, 0.98, 49), np.linspace(0.02, 0.98, 49)))
    inside = (found.lower[:, None] <= p1 - p0) & (p1 - p0 <= found.upper[:, None])
    coverage = 100 * (inside * probabilities(tables, p1, p0)).sum(axis=0)
    page = (ROOT / "docs" / "statistics" / "proportions.md").read_text(encoding="utf-8")
    (printed,) = re.findall(r"covers ([\d.]+) % on average and never less than ([\d.]+) %", page)
    assert printed == (f"{coverage.mean():.1f}", f"{coverage.min():.1f}")


def test_the_shares_of_false_rejections_are_those_of_the_page():
    page = (ROOT / "docs" / "statistics" / "proportions.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (0\.\d+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(rows) == 5
    tables = all_tables(11, 10)
    exact = fisher_exact(*tables)
    values = (proportion_difference(*tables).p_value, exact.mid_p_value, exact.p_value)
    for proportion, *printed in rows:
        chance = probabilities(tables, float(proportion), float(proportion))[:, 0]
        assert [f"{100 * chance[p < 0.05].sum():.1f}" for p in values] == printed


def test_fishers_p_never_rejects_too_often_and_its_mid_p_less_too_seldom():
    tables = all_tables(11, 10)
    grid = np.linspace(0.05, 0.95, 181)
    chance = probabilities(tables, grid, grid)
    found = fisher_exact(*tables)
    exact, mid = (((p < 0.05)[:, None] * chance).sum(axis=0) for p in (found.p_value, found.mid_p_value))
    assert exact.max() <= 0.05
    assert exact.mean() < mid.mean() < mid.max() < 0.05


@pytest.mark.parametrize("size", SIZES)
def test_one_sided_mid_p_is_a_half_on_average_and_the_tails_make_one(size):
    tables = all_tables(*size)
    greater, less = (fisher_exact(*tables, alternative=word) for word in ("greater", "less"))
    assert_allclose(greater.mid_p_value + less.mid_p_value, 1, rtol=1e-12)
    both = fisher_exact(*tables)
    for found in (greater, less, both):
        assert ((found.mid_p_value > 0) & (found.mid_p_value <= found.p_value) & (found.p_value <= 1)).all()
        # Whatever the common proportion, given or not given the number of events.
        chance = probabilities(tables, np.array([0.1, 0.5]), np.array([0.1, 0.5]))
        assert_allclose((found.mid_p_value[:, None] * chance).sum(axis=0), 0.5, rtol=1e-12)


def test_a_table_without_an_alternative_says_nothing():
    found = fisher_exact([0, 11], 11, [0, 10], 10)
    assert_allclose(found.p_value, 1, rtol=1e-14)
    assert_allclose(found.mid_p_value, 0.5, rtol=1e-14)


def test_one_sided_p_values_of_the_score_test():
    tables = all_tables(11, 10)
    both = proportion_difference(*tables)
    greater, less = (proportion_difference(*tables, alternative=word) for word in ("greater", "less"))
    assert_allclose(greater.p_value + less.p_value, 1, rtol=1e-12)
    assert_allclose(2 * np.minimum(greater.p_value, less.p_value), both.p_value, rtol=1e-12)
    assert (greater.p_value < 0.5)[both.estimate > 0].all()
    assert_array_equal(greater.upper, both.upper)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_an_arm_without_people_has_a_status_and_spoils_no_other():
    alone = clopper_pearson([0, 3], [0, 11])
    compared = proportion_difference([3, 0, 3], [11, 0, 11], [1, 1, 0], [10, 10, 0])
    exact = fisher_exact([3, 0, 3], [11, 0, 11], [1, 1, 0], [10, 10, 0])
    for found, expected in ((alone, [1, 0]), (compared, [0, 1, 1]), (exact, [0, 1, 1])):
        assert_array_equal(found.status, np.array(expected) * Status.NO_OBSERVATIONS)
        assert_array_equal(found.messages == "ok", found.status == Status.OK)
        for field in fields(found)[:-1]:
            assert_array_equal(np.isnan(getattr(found, field.name)), found.status != Status.OK)
    assert compared.lower[0] == proportion_difference(3, 11, 1, 10).lower[0]


def test_results_are_frozen_and_have_the_shape_of_the_counts():
    counts = np.arange(6).reshape(2, 3)
    for found in (
        clopper_pearson(counts, 11),
        proportion_difference(counts, 11, [1, 2, 3], 10),
        fisher_exact(counts, 11, [1, 2, 3], 10),
    ):
        assert {getattr(found, field.name).shape for field in fields(found)} == {(2, 3)}
        with pytest.raises(AttributeError):
            found.status = counts
    none = np.zeros(0, dtype=int)
    assert proportion_difference(none, none, none, none).p_value.shape == (0,)
    assert fisher_exact(none, none, none, none).p_value.shape == (0,)
    assert clopper_pearson(none, none).lower.shape == (0,)


def test_mistakes_of_the_caller_are_errors():
    for wrong, words in (
        (lambda: clopper_pearson(12, 11), "more people with an event"),
        (lambda: clopper_pearson(-1, 11), "negative"),
        (lambda: clopper_pearson(1.0, 11), "whole numbers"),
        (lambda: clopper_pearson(1, 11, level=95), "level"),
        (lambda: clopper_pearson(1, 11, sides="both"), "sides"),
        (lambda: proportion_difference(1, 11, 11, 10), "more people with an event"),
        (lambda: proportion_difference(1, 11, 1, 10, level=1.0), "level"),
        (lambda: proportion_difference(1, 11, 1, 10, alternative="bigger"), "alternative"),
        (lambda: fisher_exact(1, 11, 1, 10, alternative="bigger"), "alternative"),
        (lambda: fisher_exact([1, 2], 11, [1, 2, 3], 10), "shape"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
