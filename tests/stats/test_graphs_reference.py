"""Multiplicity against R: p.adjust, and the closed test of which a graph is the short cut; a published example."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.graphs import Graph, graphical_test
from equipoise.stats.multiplicity import benjamini_hochberg, hochberg, holm
from tests.stats.reference import numbers, rows, stored

R = stored("graphs")


def family(case):
    columns = rows("graphs", case)
    p = numbers(columns["p"])
    transitions = np.concatenate([numbers(columns[f"to_{place}"]) for place in range(1, p.shape[1] + 1)]).T
    return p, Graph(numbers(columns["weight"])[0], transitions)


@pytest.mark.requirement("STATS-MULTIPLICITY")
@pytest.mark.parametrize("case", R)
def test_adjusted_p_values_are_those_of_p_adjust(case):
    p, _ = family(case)
    for method in (holm, hochberg, benjamini_hochberg):
        assert_allclose(method(p)[0], R[case][method.__name__], rtol=1e-14)


@pytest.mark.parametrize("case", R)
def test_a_graph_is_the_short_cut_of_its_closed_test(case):
    p, graph = family(case)
    assert_allclose(graphical_test(p, graph).adjusted[0], R[case]["graph"], rtol=1e-12)


@pytest.mark.requirement("STATS-MULTIPLICITY")
def test_two_doses_and_two_endpoints_as_published():
    # graphicalMCP, vignette "shortcut-testing": H2, H1 and H4 are rejected at a one-sided 2.5 %.
    p, graph = family("two-doses")
    found = graphical_test(p, graph)
    assert_allclose(found.adjusted[0], [0.024, 0.020, 0.105, 0.024], rtol=1e-12)
    assert found.order[0].tolist() == [2, 1, 4, 3]
