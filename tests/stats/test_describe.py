"""Descriptive statistics against R's mean, sd, quantile(type = 2) and table, and what holds without it."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats import Status, describe, proportions, quantiles
from tests.stats.reference import everyone, numbers, rows, stored

R = stored("describe")


@pytest.mark.parametrize("case", R)
def test_numbers_are_those_of_r(case):
    values, expected = numbers(rows("describe", case)["value"]), R[case]
    found = describe(values, everyone(values))
    assert (found.n[0], found.missing[0]) == (expected["n"], expected["missing"])
    for name in ("mean", "sd", "minimum", "maximum"):
        value = np.nan if expected[name] is None else expected[name]
        assert_allclose(getattr(found, name)[0], value, rtol=1e-13)
    quartiles = np.array(expected["quartiles"], dtype=float)
    assert_allclose([found.q1[0], found.median[0], found.q3[0]], quartiles, rtol=1e-15)
    wanted = np.array(expected["quantiles"], dtype=float)
    assert_allclose(quantiles(values, everyone(values), expected["probabilities"])[0], wanted, rtol=1e-15)


@pytest.mark.parametrize("case", R)
def test_counts_and_proportions_are_those_of_r(case):
    words, expected = rows("describe", case)["sex"], R[case]
    codes = np.array([[{"female": 0.0, "male": 1.0, "": np.nan}[word] for word in words]])
    found = proportions(codes, everyone(codes), 2)
    assert_array_equal(found.counts[0], [expected["female"], expected["male"]])
    assert found.missing[0] == expected["unknown"]
    assert found.denominator[0] == expected["female"] + expected["male"]
    assert_allclose(found.proportion[0], np.array(expected["proportions"], dtype=float), rtol=1e-15)


def test_the_definition_of_quartiles_matters_and_ours_is_not_type_7():
    differing = [case for case, found in R.items() if found["quartiles"] != found["quartiles_type_7"]]
    assert len(differing) > 5
    values = numbers(["1", "2", "3", "4"])
    found = describe(values, everyone(values))
    assert (found.q1[0], found.median[0], found.q3[0]) == (1.5, 2.5, 3.5)


TABLES = st.integers(1, 4).flatmap(
    lambda trials: st.integers(1, 12).flatmap(
        lambda people: st.lists(
            st.lists(
                st.one_of(st.none(), st.floats(-1e9, 1e9), st.integers(-3, 3).map(float)),
                min_size=people,
                max_size=people,
            ),
            min_size=trials,
            max_size=trials,
        )
    )
)


@given(TABLES, st.integers(0, 2**32))
def test_each_sample_is_described_as_if_alone_and_in_any_order(table, seed):
    values = np.array([[np.nan if value is None else value for value in row] for row in table])
    source = np.random.default_rng(seed)
    included = source.uniform(size=values.shape) < 0.8
    order = source.permutation(values.shape[1])
    found, shuffled = describe(values, included), describe(values[:, order], included[:, order])
    for r, row in enumerate(values):
        seen = row[included[r] & ~np.isnan(row)]
        assert found.n[r] == shuffled.n[r] == seen.size
        assert found.missing[r] == included[r].sum() - seen.size
        assert found.median[r] == shuffled.median[r] or seen.size == 0
        if seen.size:
            size = np.abs(seen).max()
            assert_allclose(found.mean[r], seen.mean(), rtol=1e-12, atol=1e-12 * size)
            assert_allclose(found.median[r], median(seen.tolist()), rtol=1e-15)
            assert_allclose([found.minimum[r], found.maximum[r]], [seen.min(), seen.max()])
            assert found.minimum[r] <= found.q1[r] <= found.median[r] <= found.q3[r] <= found.maximum[r]
        if seen.size > 1:
            assert_allclose(found.sd[r], seen.std(ddof=1), rtol=1e-9, atol=1e-12 * size)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_what_cannot_be_described_has_a_status_and_spoils_no_other_sample():
    values = np.array([[1.0, 2.0], [np.nan, np.nan], [3.0, np.inf], [4.0, np.nan]])
    found = describe(values, everyone(values))
    assert_array_equal(found.status, [Status.OK, Status.NO_OBSERVATIONS, Status.NOT_FINITE, Status.OK])
    assert_array_equal(found.n, [2, 0, 2, 1])
    assert_array_equal(found.missing, [0, 2, 0, 1])
    for name in ("mean", "median", "q1", "q3", "minimum", "maximum"):
        assert_array_equal(np.isnan(getattr(found, name)), [False, True, True, False])
    # One value has no standard deviation, which is no failure.
    assert_array_equal(np.isnan(found.sd), [False, True, True, True])
    assert found.messages[3] == "ok"


def test_the_denominator_of_nobody_is_nought_and_its_proportion_missing():
    codes = np.array([[0, 1, -1, 2], [-1, -1, 0, 1]])
    found = proportions(codes, np.array([[True] * 4, [True, True, False, False]]), 3)
    assert_array_equal(found.counts, [[1, 1, 1], [0, 0, 0]])
    assert_array_equal(found.denominator, [3, 0])
    assert_array_equal(found.missing, [1, 2])
    assert np.isnan(found.proportion[1]).all()
    assert found.status[1] == Status.NO_OBSERVATIONS


def test_mistakes_of_the_caller_are_errors():
    codes = np.array([[0, 1, 2]])
    with pytest.raises(ValueError, match="none of the 2 categories"):
        proportions(codes, everyone(codes), 2)
    with pytest.raises(ValueError, match="none of the 3 categories"):
        proportions(codes + 0.5, everyone(codes), 3)
    with pytest.raises(ValueError, match="probabilities"):
        quantiles(codes.astype(float), everyone(codes), [0.5, 95])
