"""Adjusted p-values of the results in each family, by the family's rule and by the graph of families.

Where families share one level, a family passes its share on once all of its hypotheses are rejected. That is the graph
of Bretz et al. (Stat Med 2009;28:586-604) in which a family stands for its hypotheses: they keep its share among
themselves as long as any of them remains.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from equipoise.analysis.results import Result
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Family, FamilyGraph
from equipoise.stats.graphs import Graph, graphical_test
from equipoise.stats.multiplicity import fixed_sequence, holm

ADJUSTMENTS = {"holm": holm, "fixed-sequence": fixed_sequence}
Adjusted = Mapping[str, float]
"""Result -> its adjusted p-value."""


def with_adjusted(protocol: Protocol, results: tuple[Result, ...]) -> tuple[Result, ...]:
    """The results, with `p_adjusted` filled in where their family adjusts; a missing p counts as 1.

    A result that its family does not adjust keeps what its method adjusted.
    """
    families = {family.id: _within(family, results) for family in protocol.families}
    if protocol.graph is not None:
        families |= _passed_on(protocol.graph, families)
    adjusted = {name: p for family in families.values() for name, p in family.items()}
    return tuple(
        dataclasses.replace(
            item, p_adjusted=adjusted.get(item.id, item.p_adjusted) if item.p_value is not None else None
        )
        for item in results
    )


def _within(family: Family, results: tuple[Result, ...]) -> Adjusted:
    """Adjusted within a family alone; nothing where it does not adjust."""
    members = [item for item in results if item.family == family.id]
    rule = ADJUSTMENTS.get(family.adjustment)
    if rule is None or not members:
        return {}
    values = np.array([1.0 if item.p_value is None else item.p_value for item in members])
    return {item.id: float(p) for item, p in zip(members, rule(values[np.newaxis])[0], strict=True)}


def _passed_on(graph: FamilyGraph, families: Mapping[str, Adjusted]) -> dict[str, Adjusted]:
    """Adjusted over the families of a graph.

    A family is wholly rejected at a level if its largest adjusted p-value is at most its share of it. So each result is
    tested in its family's place, and the other families stand there with their largest: what one passes on after its
    own rejection is of no account to itself.
    """
    names = list(graph.weights)
    whole = [max(families[name].values(), default=1.0) for name in names]
    asked = [(place, result) for place, name in enumerate(names) for result in families[name]]
    if not asked:
        return {}
    values = np.tile(whole, (len(asked), 1))
    for row, (place, result) in enumerate(asked):
        values[row, place] = families[names[place]][result]
    edges = [[graph.transitions.get(one, {}).get(other, 0.0) for other in names] for one in names]
    made = Graph(np.array(list(graph.weights.values())), np.array(edges))
    found = graphical_test(values, made).adjusted
    passed: dict[str, dict[str, float]] = {name: {} for name in names}
    for row, (place, result) in enumerate(asked):
        passed[names[place]][result] = float(found[row, place])
    return dict(passed)
