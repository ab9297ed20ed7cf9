"""Graphs of hypotheses that pass their level on: sequentially rejective tests that keep the level of a family.

Each hypothesis holds a share of the level. When it is rejected, its share goes to the others along the edges, and the
edges are closed over the gap. Holm's test, the fixed sequence, gatekeeping and fallback are such graphs.
Bretz, Maurer, Brannath & Posch, Stat Med 2009;28:586-604.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Flags, Floats

ROUNDING = 1e-12
"""Shares that are meant to sum to 1 may miss it by so much: thirds do."""


@dataclass(frozen=True, slots=True)
class Graph:
    """k hypotheses with their shares of the level and what each passes on when it is rejected.

    weights:     (k,) shares, not negative, with a sum of at most 1.
    transitions: (k, k) row i: the parts of i's share that go to each of the others; a row sums to at most 1, and the
                 diagonal is 0.
    ValueError: anything else, the number included.
    """

    weights: Floats
    transitions: Floats

    def __post_init__(self) -> None:
        weights, transitions = (_frozen(values) for values in (self.weights, self.transitions))
        if weights.ndim != 1 or transitions.shape != (len(weights), len(weights)):
            raise ValueError(f"weights {weights.shape} and transitions {transitions.shape} make no graph")
        _check_shares("the weights", weights[None])
        _check_shares("a row of the transitions", transitions)
        if np.diagonal(transitions).any():
            raise ValueError("a hypothesis passes nothing to itself; the diagonal of the transitions is 0")
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "transitions", transitions)


@dataclass(frozen=True, slots=True)
class GraphicalTest:
    """What a graph says of R families of k hypotheses.

    adjusted: (R, k) a hypothesis is rejected at a level if and only if its adjusted p-value is at most that level.
    order:    (R, k) the place at which each hypothesis is looked at, from 1; those that are rejected come first.
    """

    adjusted: Floats
    order: Floats


def graphical_test(p_values: Floats, graph: Graph) -> GraphicalTest:
    """Adjusted p-values of a graph, p_values (R, k), each row a family.

    Of those that remain, the hypothesis with the smallest p/w is taken; its adjusted p-value is the largest such ratio
    so far, at most 1; then it passes on its share. A hypothesis without a share cannot be rejected, whatever its p.
    NaN counts as 1 beside the others and stays NaN itself.
    Bretz et al. 2009, algorithms 1 and 2.
    ValueError: p-values outside [0, 1] or not as many as the graph has hypotheses.
    """
    trials, count = _checked(p_values, graph)
    known = np.where(np.isnan(p_values), 1.0, p_values)
    weights = np.tile(graph.weights, (trials, 1))
    transitions = np.tile(graph.transitions, (trials, 1, 1))
    remaining = np.ones((trials, count), np.bool_)
    adjusted, order = np.ones((trials, count)), np.zeros((trials, count))
    largest, each = np.zeros(trials), np.arange(trials)
    for place in range(1, count + 1):
        testable = remaining & (weights > 0)
        ratio = np.divide(known, weights, out=np.full_like(known, np.inf), where=testable)
        # Without a share all ratios are infinite: then the first that remains, so that none is taken twice.
        taken = np.where(testable.any(axis=1), ratio.argmin(axis=1), remaining.argmax(axis=1))
        largest = np.maximum(largest, np.minimum(ratio[each, taken], 1.0))
        adjusted[each, taken], order[each, taken] = largest, place
        weights, transitions = _without(taken, weights, transitions)
        remaining[each, taken] = False
    return GraphicalTest(np.where(np.isnan(p_values), np.nan, adjusted), order)


def rejected_by_graph(p_values: Floats, graph: Graph, level: float) -> Flags:
    """Which hypotheses are rejected at a level, (R, k). ValueError: as above, or a level outside (0, 1)."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    return np.asarray(graphical_test(p_values, graph).adjusted <= level)


def shares_when_stopped(p_values: Floats, graph: Graph, level: float) -> Floats:
    """The share of the level (R, k) that each hypothesis held when no further one could be rejected.

    One that was rejected keeps the share with which it was; NaN counts as 1. Bretz et al. 2009, algorithm 1.
    ValueError: as `graphical_test`, or a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level}")
    trials, count = _checked(p_values, graph)
    known = np.where(np.isnan(p_values), 1.0, p_values)
    weights, transitions = np.tile(graph.weights, (trials, 1)), np.tile(graph.transitions, (trials, 1, 1))
    remaining, held = np.ones((trials, count), np.bool_), np.tile(graph.weights, (trials, 1))
    each = np.arange(trials)
    for _ in range(count):
        testable = remaining & (weights > 0)
        ratio = np.divide(known, weights, out=np.full_like(known, np.inf), where=testable)
        taken = ratio.argmin(axis=1)
        rejected = ratio[each, taken] <= level
        passed, closed = _without(taken, weights, transitions)
        held[rejected, taken[rejected]] = weights[rejected, taken[rejected]]
        remaining[rejected, taken[rejected]] = False
        weights = np.where(rejected[:, None], passed, weights)
        transitions = np.where(rejected[:, None, None], closed, transitions)
    return np.where(remaining, weights, held)


def holm_graph(weights: Floats) -> Graph:
    """Holm's test with these weights (k,): each passes its share to the others in proportion to their weights.

    Equal weights are the ordinary test. ValueError: fewer than two hypotheses, or a weight that is not positive.
    """
    shares = np.asarray(weights, np.float64)
    if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all():
        raise ValueError(f"Holm's test takes two or more positive weights, not {weights}")
    count = len(shares)
    transitions = np.tile(shares, (count, 1))
    np.fill_diagonal(transitions, 0.0)
    return Graph(shares / shares.sum(), transitions / transitions.sum(axis=1, keepdims=True))


def fixed_sequence_graph(count: int) -> Graph:
    """The whole level for the first of ``count`` hypotheses, passed on from each to the next."""
    if count < 1:
        raise ValueError(f"a sequence has at least one hypothesis, not {count}")
    return Graph(np.eye(count)[0], np.eye(count, k=1))


def _without(taken: np.ndarray, weights: Floats, transitions: Floats) -> tuple[Floats, Floats]:
    """The graphs once hypothesis ``taken`` (R,) is rejected: its share passed on, its edges closed over the gap."""
    each = np.arange(len(taken))
    out, into = transitions[each, taken], transitions[each, :, taken]
    weights = weights + weights[each, taken][:, None] * out
    weights[each, taken] = 0.0
    # The way from l over the rejected one back to l is no way out, so the rest is scaled up by what it took.
    loop = 1 - into * out
    closed = transitions + into[:, :, None] * out[:, None, :]
    closed = np.divide(closed, loop[:, :, None], out=np.zeros_like(closed), where=loop[:, :, None] > ROUNDING)
    closed[each, taken], closed[each, :, taken] = 0.0, 0.0
    diagonal = np.arange(closed.shape[1])
    closed[:, diagonal, diagonal] = 0.0
    return weights, closed


def _checked(p_values: Floats, graph: Graph) -> tuple[int, int]:
    if p_values.ndim != 2 or p_values.shape[1] != len(graph.weights):
        raise ValueError(f"p-values {p_values.shape} do not fit a graph of {len(graph.weights)} hypotheses")
    if ((p_values < 0) | (p_values > 1)).any():
        raise ValueError("a p-value lies between 0 and 1")
    return p_values.shape


def _check_shares(name: str, rows: Floats) -> None:
    # A sum that is no number fails too.
    if not ((rows >= 0).all() and (rows.sum(axis=1) <= 1 + ROUNDING).all()):
        raise ValueError(f"{name} must not be negative nor sum to more than 1")


def _frozen(values: Floats) -> Floats:
    own = np.array(values, np.float64)
    own.setflags(write=False)
    return own
