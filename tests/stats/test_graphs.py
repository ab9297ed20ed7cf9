"""Graphs of hypotheses and step-up tests: special graphs, plain twins, and how often anything false is claimed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats.graphs import (
    Graph,
    fixed_sequence_graph,
    graphical_test,
    holm_graph,
    rejected_by_graph,
)
from equipoise.stats.multiplicity import benjamini_hochberg, fixed_sequence, hochberg, holm


@st.composite
def families(draw):
    """P-values (R, k), some of them tied, and a graph with absent edges and hypotheses without a share."""
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    trials, count = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    p = np.round(source.uniform(size=(trials, count)) ** 3, 3)
    weights = source.dirichlet(np.ones(count)) * (source.uniform(size=count) < 0.7)
    transitions = source.uniform(size=(count, count)) * (source.uniform(size=(count, count)) < 0.6)
    np.fill_diagonal(transitions, 0.0)
    total = transitions.sum(axis=1, keepdims=True)
    return p, Graph(weights, np.divide(transitions, total, out=np.zeros_like(transitions), where=total > 0))


def rejected_one_by_one(p, graph, level):
    """Algorithm 1 of Bretz et al. 2009 as it is written, for one family."""
    left, w, g = set(range(len(p))), graph.weights.copy(), graph.transitions.copy()
    while hits := [j for j in sorted(left) if w[j] > 0 and p[j] <= w[j] * level]:
        j = hits[0]
        left.remove(j)
        w_new, g_new = np.zeros_like(w), np.zeros_like(g)
        for a in left:
            w_new[a] = w[a] + w[j] * g[j, a]
            for b in left - {a}:
                if g[a, j] * g[j, a] < 1 - 1e-12:
                    g_new[a, b] = (g[a, b] + g[a, j] * g[j, b]) / (1 - g[a, j] * g[j, a])
        w, g = w_new, g_new
    return {j for j in range(len(p)) if j not in left}


@settings(max_examples=100, deadline=None)
@given(families(), st.sampled_from([0.01, 0.05, 0.2, 0.7]))
def test_adjusted_p_values_reject_what_the_algorithm_rejects(family, level):
    p, graph = family
    found = graphical_test(p, graph)
    # A p-value exactly at its share of the level is decided by rounding.
    near = (np.abs(found.adjusted - level) < 1e-9).any(axis=1)
    for row, rejected in zip(np.flatnonzero(~near), rejected_by_graph(p, graph, level)[~near], strict=True):
        assert set(np.flatnonzero(rejected)) == rejected_one_by_one(p[row], graph, level)


@settings(max_examples=50, deadline=None)
@given(families())
def test_a_batch_gives_what_each_family_gives_alone_whatever_their_order(family):
    p, graph = family
    together = graphical_test(p, graph)
    for row, adjusted in zip(p, together.adjusted, strict=True):
        assert_array_equal(graphical_test(row[None], graph).adjusted[0], adjusted)
    turned = np.arange(p.shape[1])[::-1]
    mirrored = Graph(graph.weights[turned], graph.transitions[np.ix_(turned, turned)])
    assert_allclose(graphical_test(p[:, turned], mirrored).adjusted[:, turned], together.adjusted, rtol=1e-10)
    assert_array_equal(np.sort(together.order, axis=1), np.tile(np.arange(1, p.shape[1] + 1), (len(p), 1)))


@pytest.mark.requirement("STATS-MULTIPLICITY")
@settings(max_examples=50, deadline=None)
@given(families())
def test_holm_and_the_fixed_sequence_are_graphs(family):
    p, _ = family
    count = p.shape[1]
    assert_allclose(graphical_test(p, fixed_sequence_graph(count)).adjusted, fixed_sequence(p), rtol=1e-14)
    if count > 1:
        assert_allclose(graphical_test(p, holm_graph(np.ones(count))).adjusted, holm(p), rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(families())
def test_the_step_up_tests_as_they_are_written(family):
    p, _ = family
    for row, up, rate in zip(p, hochberg(p), benjamini_hochberg(p), strict=True):
        k, ranked = len(row), np.sort(row)
        for level in (0.013, 0.05, 0.217):
            by_hochberg = [i for i in range(1, k + 1) if ranked[i - 1] * (k - i + 1) <= level]
            assert (up <= level).sum() == max(by_hochberg, default=0)
            by_rate = [i for i in range(1, k + 1) if ranked[i - 1] * (k / i) <= level]
            assert (rate <= level).sum() == max(by_rate, default=0)
    assert (hochberg(p) <= holm(p) + 1e-15).all() and (benjamini_hochberg(p) <= hochberg(p) + 1e-15).all()


def test_a_graph_keeps_the_level_when_everything_or_all_but_one_is_false():
    source = np.random.default_rng(31)
    graph = Graph(
        np.array([0.5, 0.5, 0, 0]), np.array([[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]])
    )
    p = source.uniform(size=(20_000, 4))
    for sure in ([], [0], [0, 1], [0, 2, 3]):
        p_now = p.copy()
        p_now[:, sure] = 1e-12
        false = np.delete(rejected_by_graph(p_now, graph, 0.05), sure, axis=1).any(axis=1).mean()
        assert 0.040 < false < 0.055, sure


def test_what_has_no_share_is_never_rejected_however_small_its_p():
    graph = Graph(np.array([1.0, 0.0]), np.array([[0.0, 0.0], [0.0, 0.0]]))
    assert_array_equal(graphical_test(np.array([[0.01, 0.0]]), graph).adjusted, [[0.01, 1.0]])


def test_a_missing_p_counts_as_one_and_stays_missing():
    p, filled = np.array([[0.01, np.nan, 0.02]]), np.array([[0.01, 1.0, 0.02]])
    for adjust in (lambda q: graphical_test(q, holm_graph(np.ones(3))).adjusted, hochberg, benjamini_hochberg):
        found = adjust(p)
        assert np.isnan(found[0, 1])
        assert_array_equal(found[0, [0, 2]], adjust(filled)[0, [0, 2]])


@pytest.mark.parametrize(
    ("weights", "transitions", "words"),
    [
        ([0.7, 0.7], np.zeros((2, 2)), "the weights"),
        ([-0.1, 0.5], np.zeros((2, 2)), "the weights"),
        ([np.nan, 0.5], np.zeros((2, 2)), "the weights"),
        ([0.5, 0.5], [[0, 1.2], [0, 0]], "a row of the transitions"),
        ([0.5, 0.5], [[0.5, 0.5], [0, 0]], "passes nothing to itself"),
        ([0.5, 0.5], np.zeros((3, 3)), "make no graph"),
    ],
)
def test_what_is_no_graph_is_refused(weights, transitions, words):
    with pytest.raises(ValueError, match=words):
        Graph(np.array(weights), np.array(transitions))


def test_p_values_levels_and_special_graphs_are_checked():
    graph = fixed_sequence_graph(2)
    for p in (np.array([[0.1]]), np.array([0.1, 0.2])):
        with pytest.raises(ValueError, match="do not fit"):
            graphical_test(p, graph)
    with pytest.raises(ValueError, match="between 0 and 1"):
        graphical_test(np.array([[0.1, 1.1]]), graph)
    with pytest.raises(ValueError, match="level"):
        rejected_by_graph(np.array([[0.1, 0.1]]), graph, 1.0)
    with pytest.raises(ValueError, match="at least one hypothesis"):
        fixed_sequence_graph(0)
    for weights in ([1.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="positive weights"):
            holm_graph(np.array(weights))
    with pytest.raises(ValueError, match="read-only"):
        graph.weights[0] = 0.5
