"""The rule that stops for harm: every path counted, the page's tables, and what it must never do."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.stats import beta

from equipoise.stats.toxicity import (
    ToxicityRule,
    probability_too_high,
    toxicity_boundary,
    toxicity_characteristics,
)
from tests.stats.reference import ROOT

MODEL = ToxicityRule(prior=(0.2, 1.8), threshold=0.2, certainty=0.8, minimum=3)
PAGE = (ROOT / "docs" / "model-trial.md").read_text(encoding="utf-8")


@st.composite
def rules(draw):
    prior = (draw(st.floats(0.05, 5)), draw(st.floats(0.05, 5)))
    shares = st.floats(0.05, 0.95)
    return ToxicityRule(prior, draw(shares), draw(shares), draw(st.integers(1, 5)))


def paths(rule, rate, treated):
    """Every sequence of events and others, one by one: probability of having stopped by each, and people treated."""
    stopped, people = np.zeros(treated), 0.0
    for sequence in product((0, 1), repeat=treated):
        weight = np.prod([rate if event else 1 - rate for event in sequence])
        end = next((n for n in range(1, treated + 1) if stops(rule, sum(sequence[:n]), n)), None)
        if end is not None:
            stopped[end - 1 :] += weight
        people += weight * (end or treated)
    return stopped, people


def stops(rule, events, treated):
    a, b = rule.prior
    return treated >= rule.minimum and beta.sf(rule.threshold, a + events, b + treated - events) > rule.certainty


@pytest.mark.requirement("STATS-TOXICITY")
@settings(max_examples=25, deadline=None)
@given(rules(), st.integers(1, 8), st.floats(0, 1))
def test_the_recursion_counts_every_path(rule, treated, rate):
    found = toxicity_characteristics(rule, [rate], treated)
    stopped, people = paths(rule, rate, treated)
    assert_allclose(found.stopped[0], stopped, atol=1e-12)
    assert_allclose(found.expected_treated, people, atol=1e-11)
    assert_allclose(found.expected_events, rate * people, atol=1e-11)


@settings(max_examples=50, deadline=None)
@given(rules(), st.integers(1, 30))
def test_the_boundary_never_falls_and_stops_at_once_and_not_before(rule, treated):
    limits = toxicity_boundary(rule, treated)
    later = limits[rule.minimum - 1 :]
    assert (np.diff(later) >= 0).all()
    for n, limit in enumerate(limits, start=1):
        assert_array_equal([stops(rule, x, n) for x in range(n + 1)], np.arange(n + 1) >= limit)


@settings(max_examples=25, deadline=None)
@given(rules(), st.integers(1, 20))
def test_a_higher_rate_stops_more_often_and_treats_fewer(rule, treated):
    found = toxicity_characteristics(rule, np.linspace(0, 1, 21), treated)
    assert (np.diff(found.stopped, axis=0) >= -1e-12).all()
    assert (np.diff(found.stopped, axis=1) >= 0).all()
    assert (np.diff(found.expected_treated) <= 1e-10).all()


def test_the_posterior_is_the_integral_of_prior_times_likelihood():
    for events, treated in ((0, 0), (1, 4), (3, 7), (6, 20)):

        def density(rate, x=events, n=treated):
            return beta.pdf(rate, 0.2, 1.8) * rate**x * (1 - rate) ** (n - x)

        above, below = quad(density, 0.2, 1, epsabs=1e-14)[0], quad(density, 1e-300, 0.2, epsabs=1e-14, limit=500)[0]
        assert_allclose(probability_too_high(MODEL, events, treated), above / (above + below), rtol=1e-6)


@pytest.mark.requirement("STATS-TOXICITY")
def test_the_model_trials_boundary_is_that_of_its_page():
    limits = toxicity_boundary(MODEL, 21)
    table = PAGE.split("| Treated with cells | Stop at |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| (\d+)(?: to (\d+))? \| (\d+) \|$", table, re.MULTILINE)
    assert len(rows) == 6
    printed = {n: int(stop) for first, last, stop in rows for n in range(int(first), int(last or first) + 1)}
    assert printed == {n: limits[n - 1] for n in range(3, 22)}
    assert_array_equal(limits[:2], [2, 3])


@pytest.mark.requirement("STATS-TOXICITY")
def test_the_model_trials_operating_characteristics_are_those_of_its_page():
    row = r"^\| (\d+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) \|$"
    rows = [[float(word) for word in line] for line in re.findall(row, PAGE, re.MULTILINE)]
    assert len(rows) == 7
    found = toxicity_characteristics(MODEL, [line[0] / 100 for line in rows], 21)
    numbers = np.stack([100 * found.stopped[:, 10], 100 * found.stopped[:, 20], found.expected_treated], axis=1)
    assert [[f"{number:.1f}" for number in line] for line in numbers] == [[f"{w:.1f}" for w in r[1:]] for r in rows]


def test_a_rule_that_nothing_satisfies_never_stops():
    timid = ToxicityRule(prior=(0.5, 50.0), threshold=0.5, certainty=0.99, minimum=2)
    assert_array_equal(toxicity_boundary(timid, 4), [2, 3, 4, 5])
    found = toxicity_characteristics(timid, [0.0, 1.0], 4)
    assert not found.stopped.any()
    assert_array_equal(found.expected_treated, [4, 4])


@pytest.mark.parametrize(
    ("prior", "threshold", "certainty", "minimum"),
    [
        ((0, 1), 0.2, 0.8, 1),
        ((1, np.nan), 0.2, 0.8, 1),
        ((1, 1), 1, 0.8, 1),
        ((1, 1), 0.2, 0, 1),
        ((1, 1), 0.2, 0.8, 0),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(prior, threshold, certainty, minimum):
    with pytest.raises(ValueError, match=r"prior|threshold|certainty|participant"):
        ToxicityRule(prior, threshold, certainty, minimum)


def test_rates_counts_and_people_are_checked():
    with pytest.raises(ValueError, match="true rate"):
        toxicity_characteristics(MODEL, [1.2], 5)
    with pytest.raises(ValueError, match="at least one treated"):
        toxicity_characteristics(MODEL, [0.2], 0)
    with pytest.raises(ValueError, match="more participants"):
        probability_too_high(MODEL, 3, 2)


def test_a_rule_may_act_after_the_first_unless_it_says_otherwise():
    assert ToxicityRule((0.2, 1.8), 0.2, 0.8) == ToxicityRule((0.2, 1.8), 0.2, 0.8, minimum=1)
