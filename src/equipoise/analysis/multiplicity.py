"""The tests of each family, by its rule and by the graph of families: adjusted p-values, local levels, both directions.

Each hypothesis of a two-sided family has the p-value min(1, 2 min(p_lower, p_upper)) and its side, so that half of the
level is spent in either direction; a one-sided family tests the claimed side alone, and the mirrored hypotheses by
themselves where it declares a level for them. A family passes its share on once all of its hypotheses are rejected,
whichever side. That is the graph of Bretz et al. (Stat Med 2009;28:586-604) in which a family stands for its
hypotheses: they keep its share among themselves as long as any of them remains.

Where a family's members are exactly the parts of one claim with "and", it is one node of the graph: the claim as a
whole is tested by intersection and union (Berger, Technometrics 1982;24:295-300), and only that passes the share on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import Floats
from equipoise.analysis.measured import PLAIN, Measured, measured_results
from equipoise.analysis.results import Result
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim, ClaimPart, Family
from equipoise.stats.arrays import Codes
from equipoise.stats.families import adjusted_within, local_levels
from equipoise.stats.graphs import Graph, graphical_test, shares_when_stopped
from equipoise.stats.tails import Tails

SIGN = {"higher": 1, "lower": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """One hypothesis in R trials, all (R,); NaN where there is no p-value.

    p_value, side: min(1, 2 min(one-sided p)) and -1 or 1; in a one-sided family the p-value of the claimed side.
    adjusted:      within its family and the graph; a hypothesis without a p-value has 1.
    local:         the level left for it when the procedure stopped.
    opposite:      the adjusted p-value of the mirrored hypothesis; in a two-sided family `adjusted` is for both.
    """

    p_value: Floats
    side: Codes
    adjusted: Floats
    local: Floats
    opposite: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Procedure:
    """What the families' procedure found in R trials.

    tested: id of the measured estimate -> its hypothesis.
    whole:  claim that is a node of its own -> the adjusted p-value of the claim as a whole, (R,).
    """

    tested: Mapping[str, Tested]
    whole: Mapping[str, Floats]


def with_adjusted(protocol: Protocol, results: tuple[Result, ...]) -> tuple[Result, ...]:
    """The results, with `p_adjusted` filled in where their family adjusts; a missing p counts as 1.

    A result that its family does not adjust keeps what its method adjusted.
    """
    found = procedure(protocol, measured_results(results)).tested
    adjusts = {family.id for family in protocol.families if family.adjustment != "none"}
    return tuple(
        dataclasses.replace(
            item,
            p_adjusted=None
            if item.p_value is None
            else float(found[item.id].adjusted[0])
            if item.family in adjusts and item.id in found
            else item.p_adjusted,
        )
        for item in results
    )


def procedure(protocol: Protocol, measured: Sequence[Measured]) -> Procedure:
    """Test every family, in each trial."""
    plans = tuple(_FamilyPlan.of(protocol, family, measured) for family in protocol.families)
    tested: dict[str, Tested] = {}
    whole: dict[str, Floats] = {}
    for together in _together(protocol, plans):
        tested |= {name: item for plan in together for name, item in _tested(protocol, together, plan).items()}
        whole |= {plan.node.id: _whole(protocol, together, plan) for plan in together if plan.node is not None}
    return Procedure(tested, whole)


def null_of(part: ClaimPart | None, scale: str) -> float:
    """No effect, or the margin of a claim's part, on the scale of its result: of a ratio its logarithm."""
    margin = None if part is None else part.margin
    if margin is None:
        return 0.0 if scale in PLAIN else 1.0
    return float(np.log(margin)) if scale == "log" else float(margin)


def part_of(protocol: Protocol, analysis: str) -> ClaimPart | None:
    """The part of a claim that an analysis decides, the first that names it; None where no claim does."""
    parts = (part for claim in protocol.claims if claim.rule != "safety" for part in claim.parts)
    return next((part for part in parts if part.analysis == analysis), None)


def direction_of(protocol: Protocol, analysis: str) -> int:
    """The claimed side, 1 higher or -1 lower: of the claim, else the one that is better; 0 where neither says."""
    part = part_of(protocol, analysis)
    if part is not None:
        return SIGN[part.direction]
    planned = next((item for item in protocol.analyses if item.id == analysis), None)
    if planned is None or planned.estimand is None:
        return 0
    better = protocol.parameter(protocol.estimand(planned.estimand).variable.parameter).better
    return SIGN.get(better or "", 0)


def node_of(protocol: Protocol, family: Family) -> Claim | None:
    """The claim with "and" whose parts are exactly the members of a family."""
    members = {item.id for item in protocol.analyses if item.family == family.id}
    for claim in protocol.claims:
        parts = [part.analysis for part in claim.parts]
        if claim.rule == "every-part" and members and set(parts) == members and len(parts) == len(members):
            return claim
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _FamilyPlan:
    """A family with its hypotheses.

    members: ids of the measured estimates; an analysis without any has its own id.
    tails:   their one-sided p-values, (R,) each. claimed: (k,) the side that is claimed.
    """

    family: Family
    members: tuple[str, ...]
    tails: tuple[Tails, ...]
    claimed: tuple[int, ...]
    node: Claim | None

    @classmethod
    def of(cls, protocol: Protocol, family: Family, measured: Sequence[Measured]) -> _FamilyPlan:
        mine = [item for item in measured if item.family == family.id and (item.decides or item.tests)]
        nothing = np.full(measured[0].trials if measured else 1, np.nan)
        there = {item.analysis for item in mine}
        absent = [a.id for a in protocol.analyses if a.family == family.id and a.id not in there] if measured else []
        node = node_of(protocol, family)
        parts = {} if node is None else {part.analysis: part for part in node.parts}
        claimed = [part_of(protocol, name) if node is None else parts.get(name) for name in (i.analysis for i in mine)]
        tails = [item.tails(null_of(part, item.scale)) for item, part in zip(mine, claimed, strict=True)]
        names = (*(item.analysis for item in mine), *absent)
        return cls(
            family,
            (*(item.id for item in mine), *absent),
            (*tails, *(Tails(nothing, nothing) for _ in absent)),
            tuple(SIGN[parts[name].direction] if name in parts else direction_of(protocol, name) for name in names),
            node,
        )

    @property
    def trials(self) -> int:
        return len(self.tails[0].lower)

    @property
    def one_sided(self) -> bool:
        return self.family.sides == "one"

    def p_values(self, mirrored: bool = False) -> Floats:
        """The p-values (R, k) of the hypotheses, or of the mirrored ones of a one-sided family."""
        if not self.one_sided:
            return np.stack([tails.two_sided for tails in self.tails], axis=1)
        turn = -1 if mirrored else 1
        return np.stack([t.towards(turn * side) for t, side in zip(self.tails, self.claimed, strict=True)], axis=1)

    def within(self, mirrored: bool = False) -> Floats:
        """Adjusted within the family alone, (R, k)."""
        return adjusted_within(self.p_values(mirrored), self.family.adjustment)

    def whole(self, mirrored: bool = False) -> Floats:
        """The p-value (R,) at which the family passes its share on; 1 where a hypothesis has none."""
        if self.node is None:
            return self.within(mirrored).max(axis=1)
        turn, factor = (-1 if mirrored else 1), (1.0 if self.one_sided else 2.0)
        towards = [t.towards(turn * side) for t, side in zip(self.tails, self.claimed, strict=True)]
        largest = np.max([np.where(np.isnan(p), 1.0, p) for p in towards], axis=0)
        return np.minimum(1.0, factor * largest)


Together = tuple[_FamilyPlan, ...]


def _together(protocol: Protocol, plans: Together) -> Iterable[Together]:
    """Families that share one level by the graph, and each of the others by itself; none without a hypothesis."""
    graph = protocol.graph
    named = [plan for plan in plans if graph is not None and plan.family.id in graph.weights]
    if any(plan.members for plan in named):
        yield tuple(named)
    for plan in plans:
        if plan not in named and plan.members:
            yield (plan,)


def _tested(protocol: Protocol, together: Together, plan: _FamilyPlan) -> dict[str, Tested]:
    """Each hypothesis of one of the families."""
    if not plan.members:
        return {}
    adjusted = _in_place(protocol, together, plan, plan.within())
    mirrored = adjusted
    if plan.one_sided:
        mirrored = _in_place(protocol, together, plan, plan.within(mirrored=True), mirrored=True)
    share = _held(protocol, together, plan)
    local = local_levels(plan.p_values(), plan.family.adjustment, share * plan.family.level)
    p_values = plan.p_values()
    return {
        name: Tested(p_values[:, k], plan.tails[k].side, adjusted[:, k], local[:, k], mirrored[:, k])
        for k, name in enumerate(plan.members)
    }


def _whole(protocol: Protocol, together: Together, plan: _FamilyPlan) -> Floats:
    """The adjusted p-value of the claim that is a node, (R,)."""
    return _in_place(protocol, together, plan, plan.whole()[:, None])[:, 0] if plan.members else np.ones(1)


def _in_place(
    protocol: Protocol, together: Together, plan: _FamilyPlan, own: Floats, *, mirrored: bool = False
) -> Floats:
    """p-values (R, k) within a family, adjusted over the families of its graph.

    A family is wholly rejected at a level if the p-value of the whole is at most its share of it. So each hypothesis is
    tested in its family's place, and the other families stand there as wholes: what one passes on after its own
    rejection is of no account to itself.
    """
    graph = _graph(protocol, together)
    if graph is None:
        return own
    place = together.index(plan)
    wholes = _wholes(together, own.shape[0], mirrored=mirrored)
    columns = []
    for k in range(own.shape[1]):
        values = wholes.copy()
        values[:, place] = own[:, k]
        columns.append(graphical_test(values, graph).adjusted[:, place])
    return np.stack(columns, axis=1)


def _held(protocol: Protocol, together: Together, plan: _FamilyPlan) -> Floats:
    """The share of the level (R,) that the family held when the procedure stopped."""
    graph = _graph(protocol, together)
    if graph is None:
        return np.ones(plan.trials)
    wholes = _wholes(together, plan.trials, mirrored=False)
    return shares_when_stopped(wholes, graph, plan.family.level)[:, together.index(plan)]


def _wholes(together: Together, trials: int, *, mirrored: bool) -> Floats:
    return np.stack([plan.whole(mirrored) if plan.members else np.ones(trials) for plan in together], axis=1)


def _graph(protocol: Protocol, together: Together) -> Graph | None:
    """The graph of the families; None for one that stands by itself."""
    graph = protocol.graph
    if graph is None or any(plan.family.id not in graph.weights for plan in together):
        return None
    names = [plan.family.id for plan in together]
    edges = [[graph.transitions.get(one, {}).get(other, 0.0) for other in names] for one in names]
    return Graph(np.array([graph.weights[name] for name in names]), np.array(edges))
