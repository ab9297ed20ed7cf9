"""Distributions by inverse transform, and events in time, against SciPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from equipoise.patients import chance
from equipoise.patients.events import count_in, happenings
from equipoise.simulate.streams import Streams

U = np.linspace(0.0005, 0.9995, 1999)


def test_values_are_the_quantiles_of_their_uniforms() -> None:
    np.testing.assert_allclose(chance.normal(U), stats.norm.ppf(U))
    np.testing.assert_allclose(chance.gamma(U, 0.8), stats.gamma.ppf(U, 0.8, scale=1 / 0.8))
    cut = stats.gamma(2.0, scale=5.0)
    np.testing.assert_allclose(chance.truncated_gamma(U, 2.0, 5.0, 20.0), cut.ppf(U * cut.cdf(20.0)))
    assert chance.truncated_gamma(U, 2.0, 5.0, 20.0).max() <= 20.0
    np.testing.assert_allclose(chance.normal_share(chance.normal(U)), U)


def test_categories_have_their_shares() -> None:
    found = chance.category(U, [0.2, 0.5, 0.3])
    np.testing.assert_allclose(np.bincount(found) / U.size, [0.2, 0.5, 0.3], atol=0.002)
    assert (np.diff(found) >= 0).all()


def test_events_come_at_their_rate_and_counts_are_poisson() -> None:
    draw = Streams(1, 40, 500)
    nodes = np.broadcast_to(np.array([0.0, 100.0, 300.0]), (40, 500, 3)).copy()
    rates = np.broadcast_to(np.array([0.03, 0.01]), (40, 500, 2))
    found = happenings(draw, "x", nodes, rates)
    counts = count_in(found, np.ones(found.day.size, bool), nodes)
    for step, mean in ((0, 3.0), (1, 2.0)):
        values = counts[..., step].ravel()
        assert values.mean() == pytest.approx(mean, rel=0.02)
        assert values.var() == pytest.approx(mean, rel=0.04)
    assert (found.day >= 0).all() and (found.day <= 300).all()
    inside = found.day[found.day < 100]
    assert stats.kstest(inside, "uniform", args=(0, 100)).pvalue > 1e-4


def test_a_higher_rate_moves_events_earlier_and_adds_some() -> None:
    draw = Streams(2, 1, 50)
    nodes = np.broadcast_to(np.array([0.0, 400.0]), (1, 50, 2)).copy()
    low = happenings(draw, "x", nodes, np.full((1, 50, 1), 0.01))
    high = happenings(draw, "x", nodes, np.full((1, 50, 1), 0.02))
    for person in range(50):
        few, many = (rows.day[rows.participant == person] for rows in (low, high))
        assert len(many) >= len(few)
        np.testing.assert_allclose(many[: len(few)] * 2, few)


def test_someone_with_very_many_events_is_no_trouble_to_others() -> None:
    draw = Streams(3, 1, 3)
    nodes = np.broadcast_to(np.array([0.0, 100.0]), (1, 3, 2)).copy()
    rates = np.array([[[0.05], [8.0], [0.05]]])
    found = happenings(draw, "x", nodes, rates)
    calm = happenings(draw, "x", nodes, np.full((1, 3, 1), 0.05))
    assert (found.participant == 1).sum() > 600
    for person in (0, 2):
        np.testing.assert_array_equal(found.day[found.participant == person], calm.day[calm.participant == person])
