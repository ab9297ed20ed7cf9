"""One wrong value among right ones is refused as many are, and what stands just at a border is not wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from equipoise.stats.ancova import joint_test
from equipoise.stats.binomial import clopper_pearson, proportion_difference
from equipoise.stats.censored import censoring_limits
from equipoise.stats.counts import count_contrast, fit_negative_binomial, fit_quasi_poisson
from equipoise.stats.describe import proportions, quantiles
from equipoise.stats.graphs import Graph, graphical_test, holm_graph
from equipoise.stats.imputation.people import repeated_measures
from equipoise.stats.imputation.rubin import pool
from equipoise.stats.interval_censored import fit_interval_censored
from equipoise.stats.least_squares import fit_least_squares
from equipoise.stats.mean_cumulative import mean_cumulative
from equipoise.stats.mmrm import fit_mmrm
from equipoise.stats.mmrm.visits import visit_design
from equipoise.stats.rates import rate_difference, rate_ratio
from equipoise.stats.rerandomisation import rerandomise_difference, rerandomise_rates
from equipoise.stats.t_interval import two_sample_t
from equipoise.stats.toxicity import ToxicityRule, probability_too_high, toxicity_characteristics

pytestmark = pytest.mark.requirement("STATS-REFUSED")
TRIALS, PEOPLE = 3, 8
SOURCE = np.random.default_rng(7)
COUNTS = SOURCE.poisson(3, (TRIALS, PEOPLE)).astype(float) + 1
YEARS = SOURCE.uniform(0.5, 1, (TRIALS, PEOPLE))
ALL = np.ones((TRIALS, PEOPLE), bool)
ACTIVE = np.tile(np.arange(PEOPLE) % 2 == 0, (TRIALS, 1))
DRAWN = np.array([np.arange(PEOPLE) % 2 == 0, np.arange(PEOPLE) < 4, np.arange(PEOPLE) >= 4])
DESIGN = np.stack([np.ones((TRIALS, PEOPLE)), ACTIVE.astype(float)], axis=2)
NO_COLUMNS = np.zeros((TRIALS, PEOPLE, 0))
# Four people at three visits.
SUBJECT, VISIT = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
ARM = np.repeat([0, 1, 0, 1], 3)
Y = SOURCE.normal(0, 1, 12)
X = np.eye(3)[VISIT]
LAST, FIRST = np.array([[0, 1, 2, 4]]), np.array([[1, 3, -1, -1]])


def but(values: np.ndarray, value: float) -> np.ndarray:
    """The same with one other value, the second from the end."""
    changed = np.array(values)
    changed.reshape(-1)[-2] = value
    return changed


def rates(counts: np.ndarray = COUNTS, years: np.ndarray = YEARS) -> object:
    return rerandomise_rates(counts, years, ALL, ACTIVE, DRAWN)


def weighed(probabilities: np.ndarray) -> object:
    return rerandomise_difference(COUNTS, NO_COLUMNS, ALL, ACTIVE, DRAWN, probabilities=probabilities)


def graph_of(weights: list[float], rows: list[list[float]] | None = None) -> Graph:
    return Graph(np.array(weights), np.array(rows if rows is not None else np.zeros((len(weights), len(weights)))))


def losses(last: np.ndarray = LAST, first: np.ndarray = FIRST) -> object:
    return fit_interval_censored(last, first, np.zeros((1, 4, 0)), np.ones((1, 4), bool), intervals=4)


def designed(arm: np.ndarray = ARM, visit: np.ndarray = VISIT) -> object:
    return visit_design(Y, arm, SUBJECT, visit, arms=2, visits=3)


def people(**changed: np.ndarray) -> object:
    given = {"values": Y.reshape(4, 3), "arm": ARM[::3], "after": None, **changed}
    return repeated_measures(given["values"], given["arm"], arms=2, reference=0, after=given["after"])


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a negative count": (lambda: rates(counts=but(COUNTS, -1)), "negative"),
    "a negative time": (lambda: rates(years=but(YEARS, -0.1)), "negative"),
    "a negative probability": (lambda: weighed(np.array([0.9, -0.2, 0.3])), "one probability"),
    "probabilities that sum to less than 1": (lambda: weighed(np.array([0.4, 0.3, 0.299])), "sum to 1"),
    "probabilities that sum to more than 1": (lambda: weighed(np.array([0.4, 0.3, 0.301])), "sum to 1"),
    "a negative time of one arm": (lambda: rate_ratio([1, 2], [1.0, -1.0], 1, 1.0), "negative"),
    "a negative time of the other": (lambda: rate_difference(1, 1.0, [1, 2], [-1.0, 1.0]), "negative"),
    "a negative number of events": (lambda: rate_difference([1, -2], 1.0, 1, 1.0), "negative"),
    "one share above 1": (lambda: clopper_pearson([3, 12, 4], 11), "more people with an event"),
    "one share above 1 in the reference": (lambda: proportion_difference(3, 9, [2, 9], 8), "more people"),
    "a negative count to be fitted": (lambda: fit_negative_binomial(but(COUNTS, -1), YEARS, DESIGN, ALL), "negative"),
    "a code that is none": (lambda: censoring_limits(COUNTS, but(np.zeros_like(COUNTS), 2)), "code"),
    "a code below those": (lambda: censoring_limits(COUNTS, but(np.zeros_like(COUNTS), -2)), "code"),
    "an event before the last visit without it": (lambda: losses(first=but(FIRST, 1)), "a visit lies between"),
    "an event at the last visit without it": (lambda: losses(first=but(FIRST, 2)), "a visit lies between"),
    "a visit after the last": (lambda: losses(last=but(LAST, 5)), "a visit lies between"),
    "an event after the last visit": (lambda: losses(first=but(FIRST, 5)), "a visit lies between"),
    "a visit below 0": (lambda: losses(last=but(LAST, -1)), "a visit lies between"),
    "somebody in both samples": (lambda: two_sample_t(COUNTS, ACTIVE, but(~ACTIVE, True)), "both samples"),
    "one prior number that is 0": (lambda: ToxicityRule((1.0, 0.0), 0.2, 0.8), "prior"),
    "one rate above 1": (lambda: toxicity_characteristics(ToxicityRule((1, 1), 0.2, 0.8), [0.1, 1.01], 3), "true rate"),
    "one rate below 0": (
        lambda: toxicity_characteristics(ToxicityRule((1, 1), 0.2, 0.8), [-0.01, 0.1], 3),
        "true rate",
    ),
    "more events than treated": (
        lambda: probability_too_high(ToxicityRule((1, 1), 0.2, 0.8), [1, 4], 3),
        "more partici",
    ),
    "one share of a graph below 0": (lambda: graph_of([0.7, -0.1, 0.4]), "the weights"),
    "shares of a graph beyond the level": (lambda: graph_of([0.7, 0.3, 0.001]), "the weights"),
    "one row beyond 1": (lambda: graph_of([1.0, 0.0], [[0.0, 1.0], [1.001, 0.0]]), "a row of the transitions"),
    "one that passes to itself": (lambda: graph_of([0.5, 0.5], [[0.0, 1.0], [0.5, 0.5]]), "passes nothing to itself"),
    "one weight that is 0": (lambda: holm_graph(np.array([1.0, 0.0, 2.0])), "positive weights"),
    "a p-value below 0": (lambda: graphical_test(np.array([[0.1, -0.001]]), graph_of([0.5, 0.5])), "between 0 and 1"),
    "a contrast of nothing": (lambda: joint_test(fit_least_squares(COUNTS, DESIGN, ALL), np.eye(2, k=1)), "all 0"),
    "a code above the categories": (lambda: proportions(but(np.zeros((3, 8)), 2), ALL, 2), "none of the 2"),
    "a probability above 1": (lambda: quantiles(COUNTS, ALL, [0.5, 1.001]), "probabilities"),
    "a probability below 0": (lambda: quantiles(COUNTS, ALL, [-0.001, 0.5]), "probabilities"),
    "one infinite estimate": (lambda: pool(np.array([1.0, np.inf, 2.0]), np.ones(3), 10), "finite"),
    "one infinite variance": (lambda: pool(np.ones(3), np.array([1.0, np.nan, 1.0]), 10), "finite"),
    "one estimate": (lambda: pool(np.ones(1), np.ones(1), 10), "at least two"),
    "an event of nobody": (lambda: mean_cumulative(np.array([0, 2]), np.ones(2), np.zeros(2), np.ones(2)), "nobody"),
    "an event of number -1": (
        lambda: mean_cumulative(np.array([0, -1]), np.ones(2), np.zeros(2), np.ones(2)),
        "nobody",
    ),
    "an event at the start": (
        lambda: mean_cumulative(np.arange(2), np.array([1.0, 0.0]), np.zeros(2), np.ones(2)),
        "outside",
    ),
    "an event after the end": (
        lambda: mean_cumulative(np.arange(2), np.array([1.0, 1.1]), np.zeros(2), np.ones(2)),
        "outside",
    ),
    "one weight of 0": (lambda: fit_mmrm(Y, X, SUBJECT, VISIT, visits=3, weights=but(np.ones(12), 0)), "above 0"),
    "a visit beyond the last": (lambda: fit_mmrm(Y, X, SUBJECT, but(VISIT, 3), visits=3), "numbered"),
    "a visit before the first": (lambda: fit_mmrm(Y, X, SUBJECT, but(VISIT, -1), visits=3), "numbered"),
    "two values at a visit": (lambda: fit_mmrm(Y, X, SUBJECT, but(VISIT, 2), visits=3), "two values at one visit"),
    "an arm beyond the last": (lambda: designed(arm=but(ARM, 2)), "numbered"),
    "an arm before the first": (lambda: designed(arm=but(ARM, -1)), "numbered"),
    "a visit of a design beyond the last": (lambda: designed(visit=but(VISIT, 3)), "numbered"),
    "an infinite value to be imputed": (lambda: people(values=but(Y.reshape(4, 3), np.inf)), "finite or NaN"),
    "a person of no arm": (lambda: people(arm=but(ARM[::3], 2)), "an arm lies between"),
    "a person of arm -1": (lambda: people(arm=but(ARM[::3], -1)), "an arm lies between"),
    "a visit after all": (lambda: people(after=np.array([3, 3, 4, 3])), "after must hold"),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


ALLOWED: dict[str, Callable[[], object]] = {
    "no event": lambda: rates(counts=but(COUNTS, 0)),
    "no time": lambda: rates(years=but(YEARS, 0)),
    "a probability of 0": lambda: weighed(np.array([0.7, 0.0, 0.3])),
    "probabilities that miss 1 by rounding": lambda: weighed(np.array([0.4, 0.3, 0.3 + 1e-12])),
    "everybody with the event": lambda: clopper_pearson([3, 11], 11),
    "no count": lambda: fit_quasi_poisson(but(COUNTS, 0), YEARS, DESIGN, ALL),
    "an event at the next visit": losses,
    "rates of 0 and 1": lambda: toxicity_characteristics(ToxicityRule((1, 1), 0.2, 0.8), [0.0, 1.0], 3),
    "shares that sum to the level in thirds": lambda: graph_of([1 / 3, 1 / 3, 1 - 2 / 3]),
    "p-values of 0 and 1": lambda: graphical_test(np.array([[0.0, 1.0]]), graph_of([0.5, 0.5])),
    "the smallest and the largest": lambda: quantiles(COUNTS, ALL, [0.0, 1.0]),
    "an event at the end": lambda: mean_cumulative(np.arange(2), np.ones(2), np.zeros(2), np.ones(2)),
    "a visit after nobody's": lambda: people(after=np.array([3, 3, 0, 3])),
    "all arms and visits": designed,
}


@pytest.mark.parametrize("call", ALLOWED.values(), ids=ALLOWED)
def test_it_is_allowed(call: Callable[[], object]) -> None:
    call()


def test_a_contrast_needs_one_weight_that_is_not_0() -> None:
    fit = fit_negative_binomial(COUNTS, YEARS, DESIGN, ALL)
    assert count_contrast(fit, np.array([0.0, 1.0])).estimate.shape == (TRIALS,)
    with pytest.raises(ValueError, match="all 0"):
        count_contrast(fit, np.zeros(2))


def test_the_quantiles_at_the_ends_are_the_smallest_and_the_largest() -> None:
    found = quantiles(COUNTS, ALL, [0.0, 1.0])
    np.testing.assert_array_equal(found, np.stack([COUNTS.min(axis=1), COUNTS.max(axis=1)], axis=1))
