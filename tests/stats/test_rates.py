"""Rates of few events: closed forms, enumeration of all counts, and what holds whatever the counts are."""

from __future__ import annotations

import re
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom, norm, poisson

from equipoise.stats.rates import exact_rate_ratio, rate_difference, rate_ratio, restricted_rates
from equipoise.stats.status import Status
from tests.stats.reference import ROOT

TIMES = [(11.0, 10.0), (10.0, 10.0), (14.2, 6.9), (0.5, 200.0), (4015.0, 3650.0)]
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
Z = norm.ppf(0.975)


def all_counts(most=14):
    """Every pair of counts up to ``most``, each (pairs,)."""
    return tuple(counts.ravel() for counts in np.meshgrid(np.arange(most + 1), np.arange(most + 1)))


def with_events(most=14):
    x1, x0 = all_counts(most)
    return x1[x1 + x0 > 0], x0[x1 + x0 > 0]


def two_sided(x1, t1, x0, t0, **options):
    return exact_rate_ratio(x1, t1, x0, t0, one_sided_at_zero=False, **options)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 500), st.floats(0.1, 500), st.floats(-20, 20))
def test_the_restricted_rates_are_where_the_likelihood_turns(x1, x0, t1, t0, difference):
    (r1,), (r0,) = restricted_rates(*(np.array([value]) for value in (x1, t1, x0, t0, difference)))
    assert min(r1, r0) >= 0
    assert r1 - r0 == pytest.approx(difference, abs=1e-12 * max(abs(difference), r1))
    smaller, fewer = (r0, x0) if difference >= 0 else (r1, x1)
    size, more = abs(difference), x1 + x0 - fewer

    def slope(rate):
        parts = ((fewer, rate), (more, rate + size))
        return sum(count / r for count, r in parts if count > 0) - t1 - t0

    # Around the maximum the slope falls from positive to negative; at 0 it need only be negative beyond.
    room = 1e-9 * (smaller + (x1 + x0 + 1) / (t1 + t0))
    assert slope(smaller + room) < 0
    assert smaller <= room or slope(smaller - room) > 0


@pytest.mark.parametrize("times", TIMES)
def test_what_the_score_test_of_a_difference_does_not_reject_is_one_interval(times):
    (t1, t0), (x1, x0) = times, all_counts(8)
    for level in LEVELS:
        found = rate_difference(x1, t1, x0, t0, level=level)
        width = (found.upper - found.lower)[:, None]
        grid = found.lower[:, None] + width * np.linspace(-1, 2, 1501)
        r1, r0 = restricted_rates(x1[:, None], np.full_like(grid, t1), x0[:, None], np.full_like(grid, t0), grid)
        squared = (x1[:, None] / t1 - x0[:, None] / t0 - grid) ** 2
        accepted = squared <= norm.ppf(0.5 + level / 2) ** 2 * (r1 / t1 + r0 / t0)
        inside = (found.lower[:, None] <= grid) & (grid <= found.upper[:, None])
        near = np.minimum(np.abs(grid - found.lower[:, None]), np.abs(grid - found.upper[:, None])) < 1e-9 * width
        assert_array_equal(accepted | near, inside | near)


@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("level", LEVELS)
def test_intervals_hold_the_estimate_and_exclude_no_effect_if_and_only_if_the_test_rejects(times, level):
    (t1, t0), (x1, x0) = times, with_events()
    found = [(0, method(x1, t1, x0, t0, level=level)) for method in (rate_difference,)]
    found += [(1, rate_ratio(x1, t1, x0, t0, level=level))]
    found += [(1, two_sided(x1, t1, x0, t0, level=level, convention=word)) for word in ("mid-p", "exact")]
    for null, item in found:
        assert ((item.lower <= item.estimate) & (item.estimate <= item.upper)).all()
        assert_array_equal(item.p_value < 1 - level, (item.lower > null) | (item.upper < null))
        assert (item.status == Status.OK).all()


@pytest.mark.parametrize("times", TIMES)
def test_swapped_arms_turn_the_comparison_round(times):
    (t1, t0), (x1, x0) = times, with_events()
    one, other = rate_difference(x1, t1, x0, t0), rate_difference(x0, t0, x1, t1)
    assert_array_equal((one.estimate, one.lower, one.upper), (-other.estimate, -other.upper, -other.lower))
    for method in (rate_ratio, exact_rate_ratio):
        one, other = method(x1, t1, x0, t0), method(x0, t0, x1, t1)
        with np.errstate(divide="ignore"):
            assert_allclose(one.lower, 1 / other.upper, rtol=1e-14)
            assert_allclose(one.estimate, 1 / other.estimate, rtol=1e-14)
        assert_allclose(one.p_value, other.p_value, rtol=1e-12)
        other = method(x0, t0, x1, t1, alternative="less")
        assert_allclose(method(x1, t1, x0, t0, alternative="greater").p_value, other.p_value, rtol=1e-12)


def test_the_unit_of_time_scales_a_difference_and_leaves_a_ratio():
    x1, x0 = with_events()
    years, days = rate_difference(x1, 11.0, x0, 10.0), rate_difference(x1, 11 * 365.25, x0, 10 * 365.25)
    assert_allclose(years.upper, 365.25 * days.upper, rtol=1e-12, atol=1e-13)
    assert_allclose(years.p_value, days.p_value, rtol=1e-12)
    for method in (rate_ratio, exact_rate_ratio):
        years, days = method(x1, 11.0, x0, 10.0), method(x1, 11 * 365.25, x0, 10 * 365.25)
        assert_allclose((years.lower, years.upper), (days.lower, days.upper), rtol=1e-12)


def test_limits_without_an_event_have_a_closed_form():
    neither = rate_difference(0, 11.0, 0, 10.0)
    assert_allclose((neither.lower[0], neither.upper[0]), (-(Z**2) / 10, Z**2 / 11), rtol=1e-13)
    assert (neither.statistic[0], neither.p_value[0], neither.status[0]) == (0, 1, Status.OK)
    ratio = rate_ratio(0, 11.0, 4, 10.0)
    assert (ratio.estimate[0], ratio.lower[0]) == (0, 0)
    assert ratio.upper[0] == pytest.approx(Z**2 * 10 / (11 * 4), rel=1e-14)
    # All four events fall to the other arm with probability q⁴, and mid-p counts half of it.
    for convention, share in (("exact", 0.05**0.25), ("mid-p", 0.1**0.25)):
        found = exact_rate_ratio(0, 11.0, 4, 10.0, convention=convention)
        assert found.one_sided[0]
        assert (found.estimate[0], found.lower[0]) == (0, 0)
        assert found.upper[0] == pytest.approx((1 - share) / share * 10 / 11, rel=1e-13)


def test_only_an_arm_without_an_event_makes_the_exact_interval_one_sided():
    x1, x0 = with_events(3)
    found, both = exact_rate_ratio(x1, 11.0, x0, 10.0), two_sided(x1, 11.0, x0, 10.0)
    assert_array_equal(found.one_sided, (x1 == 0) | (x0 == 0))
    assert not both.one_sided.any()
    assert (found.upper < both.upper)[x1 == 0].all()
    assert (found.lower > both.lower)[x0 == 0].all()
    ninety = two_sided(x1, 11.0, x0, 10.0, level=0.9)
    assert_allclose(found.upper[x1 == 0], ninety.upper[x1 == 0], rtol=1e-13)
    assert_array_equal(found.upper[~found.one_sided], both.upper[~found.one_sided])
    assert np.isinf(found.upper[x0 == 0]).all() and np.isinf(found.estimate[x0 == 0]).all()
    # The p-value stays two-sided.
    assert_array_equal(found.p_value, both.p_value)


def coverage(total, ratios, **options):
    """Probability, given ``total`` events in equal times, that the interval holds each of the ratios."""
    x = np.arange(total + 1)
    found = exact_rate_ratio(x, 1.0, total - x, 1.0, **options)
    inside = (found.lower[:, None] <= ratios) & (ratios <= found.upper[:, None])
    return (inside * binom.pmf(x[:, None], total, ratios / (1 + ratios))).sum(axis=0)


def least_coverage(total, **options):
    """The least over all ratios: coverage is lowest just beyond a limit."""
    x = np.arange(total + 1)
    found = exact_rate_ratio(x, 1.0, total - x, 1.0, **options)
    limits = np.concatenate([found.lower[1:], found.upper[:-1]])
    return coverage(total, np.outer(limits, [1 - 1e-9, 1 + 1e-9]).ravel(), **options).min()


@pytest.mark.parametrize("total", [1, 2, 5, 12, 30])
def test_exact_limits_cover_at_least_at_their_level_and_those_of_mid_p_less_and_near_it(total):
    ratios = np.exp(np.linspace(-2.3, 2.3, 461))
    for level in (0.8, 0.95):
        sure = coverage(total, ratios, convention="exact", one_sided_at_zero=False, level=level)
        assert sure.min() >= level - 1e-12
        mid = coverage(total, ratios, one_sided_at_zero=False, level=level)
        assert (mid <= sure).all()
    if total >= 12:
        assert 0.95 < mid.mean() < 0.967 < sure.mean()


def test_the_least_coverage_given_the_number_of_events_is_that_of_the_page():
    page = (ROOT / "docs" / "statistics" / "rates.md").read_text(encoding="utf-8")
    printed = re.findall(r"^\| (mid-p|exact) \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert [convention for convention, *_ in printed] == ["mid-p", "exact"]
    for convention, *shares in printed:
        for one_sided, share in zip((False, True), shares, strict=True):
            options = {"convention": convention, "one_sided_at_zero": one_sided}
            least = min(least_coverage(total, **options) for total in range(1, 31))
            assert f"{100 * least:.1f}" == share, options


def test_without_an_effect_mid_p_rejects_seldom_while_events_are_rare_as_the_page_says():
    page = (ROOT / "docs" / "statistics" / "rates.md").read_text(encoding="utf-8")
    printed = re.findall(r"^\| (\d+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(printed) == 4
    x1, x0 = with_events(60)
    methods = (two_sided, lambda *arms: two_sided(*arms, convention="exact"), rate_difference)
    for events, *shares in printed:
        chance = poisson.pmf(x1, int(events) * 11 / 21) * poisson.pmf(x0, int(events) * 10 / 21)
        found = [100 * chance[method(x1, 11.0, x0, 10.0).p_value < 0.05].sum() for method in methods]
        assert [f"{share:.1f}" for share in found] == shares


def test_the_score_test_rejects_near_its_level_where_events_are_not_rare():
    x1, x0 = all_counts(90)
    for rate in (2.0, 3.0):
        chance = poisson.pmf(x1, 11 * rate) * poisson.pmf(x0, 10 * rate)
        assert chance.sum() > 1 - 1e-6
        assert 0.045 < chance[rate_difference(x1, 11.0, x0, 10.0).p_value < 0.05].sum() < 0.055


def test_one_sided_mid_p_is_a_half_on_average_and_the_tails_make_one():
    for total in (1, 2, 7, 20):
        x = np.arange(total + 1)
        greater, less = (exact_rate_ratio(x, 11.0, total - x, 7.0, alternative=word) for word in ("greater", "less"))
        assert_allclose(greater.p_value + less.p_value, 1, rtol=1e-12)
        assert_allclose((greater.p_value * binom.pmf(x, total, 11 / 18)).sum(), 0.5, rtol=1e-12)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_what_cannot_be_analysed_has_a_status_and_spoils_no_other():
    events, time = [3, 3, 3, 0, 2], [11.0, 0.0, np.nan, 11.0, np.inf]
    other, other_time = [1, 1, 1, 0, 2], [10.0, 10.0, 10.0, 10.0, 10.0]
    expected = [Status.OK, Status.NO_EXPOSURE, Status.NOT_FINITE, Status.NO_EVENTS, Status.NOT_FINITE]
    for method in (rate_difference, rate_ratio, exact_rate_ratio):
        found = method(events, time, other, other_time)
        # A difference needs no event.
        status = [Status.OK if method is rate_difference and s == Status.NO_EVENTS else s for s in expected]
        assert_array_equal(found.status, status)
        assert_array_equal(found.messages == "ok", found.status == Status.OK)
        for name in ("estimate", "lower", "upper", "p_value"):
            assert_array_equal(np.isnan(getattr(found, name)), found.status != Status.OK)
        assert found.upper[0] == method(3, 11.0, 1, 10.0).upper[0]


def test_results_are_frozen_and_have_the_shape_of_the_counts():
    counts = np.arange(6).reshape(2, 3)
    for method in (rate_difference, rate_ratio, exact_rate_ratio):
        found = method(counts, 11.0, [1, 2, 3], np.array([[9.0], [10.0]]))
        assert {getattr(found, field.name).shape for field in fields(found)} == {(2, 3)}
        with pytest.raises(AttributeError):
            found.status = counts
        none = np.zeros(0, dtype=int)
        assert method(none, 1.0, none, 1.0).p_value.shape == (0,)


def test_mistakes_of_the_caller_are_errors():
    for wrong, words in (
        (lambda: rate_difference(-1, 11.0, 1, 10.0), "negative"),
        (lambda: rate_difference(1.5, 11.0, 1, 10.0), "whole numbers"),
        (lambda: rate_ratio(1, -11.0, 1, 10.0), "person-time must not be negative"),
        (lambda: rate_ratio(1, 11.0, 1, 10.0, level=95), "level"),
        (lambda: rate_ratio(1, 11.0, 1, 10.0, alternative="bigger"), "alternative"),
        (lambda: exact_rate_ratio(1, 11.0, 1, 10.0, alternative="bigger"), "alternative"),
        (lambda: exact_rate_ratio(1, 11.0, 1, 10.0, convention="mid"), "convention"),
        (lambda: exact_rate_ratio(1, 11.0, 1, 10.0, level=0), "level"),
        (lambda: exact_rate_ratio([1, 2], 11.0, [1, 2, 3], 10.0), "shape"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
