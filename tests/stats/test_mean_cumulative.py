"""The mean cumulative function against R's survfit with an id, closed forms, and its interval in repeated trials."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.mean_cumulative import MeanCumulative, mean_cumulative
from equipoise.stats.status import Status
from tests.stats.reference import rows, stored

R = stored("mean_cumulative")


def of_case(case: str) -> MeanCumulative:
    """Our function of a case, whose rows are the stretches between a person's events."""
    columns = {
        name: np.array(words, np.float64) for name, words in rows("mean_cumulative", case).items() if name != "case"
    }
    people, person = np.unique(columns["person"], return_inverse=True)
    begin = np.array([columns["begin"][columns["person"] == who].min() for who in people])
    stop = np.array([columns["stop"][columns["person"] == who].max() for who in people])
    event = columns["event"] == 1
    return mean_cumulative(person[event], columns["stop"][event], begin, stop)


@pytest.mark.requirement("STATS-MEAN-CUMULATIVE")
@pytest.mark.requirement("ANALYSIS-COUNTS")
@pytest.mark.parametrize("case", R)
def test_it_is_that_of_survfit(case: str) -> None:
    found, expected = of_case(case), R[case]
    assert_allclose(found.time, expected["time"])
    assert_allclose(found.mean, expected["mean"], rtol=1e-12)
    assert_allclose(found.standard_error, expected["error"], rtol=1e-10)
    assert_allclose(found.at_risk, expected["at_risk"])


def test_with_everyone_observed_it_is_the_mean_number_of_events() -> None:
    source = np.random.default_rng(3)
    person, time = source.integers(0, 9, 40), source.uniform(1, 99, 40)
    found = mean_cumulative(person, time, np.zeros(9), np.full(9, 100.0))
    for t in (10.0, 50.0, 100.0):
        counts = np.bincount(person[time <= t], minlength=9)
        assert found.at(np.array([t]))[0] == pytest.approx(counts.mean())
        last = np.searchsorted(found.time, t, side="right") - 1
        assert found.standard_error[last] == pytest.approx(np.sqrt(counts.var() / 9))
    assert found.at(np.array([0.5]))[0] == 0
    assert (found.lower > 0).all() and (found.lower < found.mean).all() and (found.mean < found.upper).all()


@pytest.mark.requirement("STATS-MEAN-CUMULATIVE")
def test_the_interval_holds_the_mean_in_most_trials() -> None:
    source = np.random.default_rng(20_260_403)
    held = 0
    for _ in range(400):
        frailty = source.gamma(1 / 1.24, 1.24, 40)
        end = source.uniform(0.5, 1.0, 40)
        counts = source.poisson(6 * frailty * end)
        person = np.repeat(np.arange(40), counts)
        found = mean_cumulative(person, source.uniform(0, 1, len(person)) * end[person], np.zeros(40), end)
        place = np.searchsorted(found.time, 0.5) - 1
        held += bool(found.lower[place] < 3 < found.upper[place])
    assert 0.89 < held / 400 < 0.98


def test_without_events_or_people_there_is_none_and_mistakes_are_errors() -> None:
    none = mean_cumulative(np.zeros(0, int), np.zeros(0), np.zeros(3), np.ones(3))
    assert none.status == Status.NO_EVENTS and none.message != "ok" and none.time.size == 0
    assert mean_cumulative(np.zeros(0, int), np.zeros(0), np.ones(2), np.ones(2)).status == Status.NO_OBSERVATIONS
    with pytest.raises(ValueError, match="outside"):
        mean_cumulative(np.array([0]), np.array([2.0]), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="nobody"):
        mean_cumulative(np.array([1]), np.array([0.5]), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="level"):
        mean_cumulative(np.array([0]), np.array([0.5]), np.zeros(1), np.ones(1), level=1.5)
