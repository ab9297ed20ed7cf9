"""Small protocols of families and claims, p-values for them, and the verdicts worked out the plain way, one by one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from equipoise.analysis.measured import Measured
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis, Claim, ClaimPart, Family, FamilyGraph

LEVEL = 0.05


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


def family(name: str, adjustment: str = "holm", level: float = LEVEL, **more: object) -> Family:
    return Family(id=name, label=name, level=level, adjustment=adjustment, **more)  # type: ignore[arg-type]


def claim(name: str, *parts: str, rule: str = "every-part") -> Claim:
    """Parts as `+analysis`, claimed to be higher, or `-analysis`."""
    made = tuple(ClaimPart(analysis=p[1:], direction="higher" if p[0] == "+" else "lower") for p in parts)
    return Claim(id=name, text=f"{name} holds.", rule=rule, parts=made)  # type: ignore[arg-type]


def protocol(
    members: Mapping[str, Sequence[str]],
    claims: Sequence[Claim],
    *,
    graph: FamilyGraph | None = None,
    families: Sequence[Family] = (),
    exploratory: Sequence[str] = (),
) -> Protocol:
    """The model trial with other analyses: family -> its members, and those that explore."""
    analyses = [
        Analysis(id=name, label=name, method="ancova", estimand="hba1c-12", role="key-secondary", family=home)
        for home, names in members.items()
        for name in names
    ]
    analyses += [
        Analysis(id=name, label=name, method="ancova", estimand="hba1c-12", role="exploratory") for name in exploratory
    ]
    change = {
        "analyses": tuple(analyses),
        "families": tuple(families) or tuple(family(name) for name in members),
        "graph": graph,
        "claims": tuple(claims),
    }
    return dataclasses.replace(model(), authored=model().authored.model_copy(update=change))


def measured(trial: Protocol, upper: Mapping[str, np.ndarray]) -> tuple[Measured, ...]:
    """Estimates whose one-sided p-values against a higher value are given, each (R,), by analysis; NaN for none."""
    return tuple(_measured(item, np.asarray(upper[item.id], np.float64)) for item in trial.analyses if item.id in upper)


def _measured(analysis: Analysis, upper: np.ndarray) -> Measured:
    from scipy.special import ndtri

    z = -ndtri(upper)
    values = {
        "estimate": z,
        "lower": z - 1.959964,
        "upper": z + 1.959964,
        "p_value": 2 * np.minimum(upper, 1 - upper),
        "p_lower": 1 - upper,
        "p_upper": upper,
    }
    return Measured(analysis.id, f"{analysis.id}/x", analysis.family, analysis.role, "identity", 0.95, True, values)


# ---- The plain way, one trial at a time ------------------------------------------------------------------------------


def two_sided(upper: float) -> float:
    return 1.0 if np.isnan(upper) else min(1.0, 2 * min(upper, 1 - upper))


def words(trial: Protocol, upper: Mapping[str, float]) -> dict[str, str]:
    """Claim -> its word, by rejecting one hypothesis after another as the rules are written."""
    rejected, untested, passed = _rejected(trial, upper)
    return {item.id: _word(trial, item, upper, rejected, untested, passed) for item in trial.claims}


def _rejected(trial: Protocol, upper: Mapping[str, float]) -> tuple[set[str], set[str], set[str]]:
    """Hypotheses that are rejected, those that hold nothing of the level in the end, and families that passed it on."""
    members = {f.id: [a.id for a in trial.analyses if a.family == f.id] for f in trial.families}
    rules = {f.id: f.adjustment for f in trial.families}
    graph = trial.graph
    share = {name: 1.0 if graph is None or name not in graph.weights else graph.weights[name] for name in members}
    edges = {} if graph is None else {a: dict(b) for a, b in graph.transitions.items()}
    rejected: set[str] = set()
    passed: set[str] = set()
    moved = True
    while moved:
        moved = False
        for name, own in members.items():
            if name in passed or share[name] <= 0:
                continue
            rejected |= _within([(m, two_sided(upper[m])) for m in own], rules[name], share[name] * LEVEL)
            node = _node(trial, own)
            whole = set(own) <= rejected if node is None else _all_as_claimed(node, upper, share[name] * LEVEL)
            if whole:
                passed.add(name)
                share, edges = _pass_on(name, share, edges, [m for m in members if m not in passed])
                moved = True
    untested = set()
    for name, own in members.items():
        held = share[name] > 0 or name in passed
        first = True
        for m in own:
            if not held or (rules[name] == "fixed-sequence" and not first):
                untested.add(m)
            first = first and m in rejected
    return rejected, untested, passed


def _within(pairs: list[tuple[str, float]], rule: str, level: float) -> set[str]:
    """Holm as a closed test, over every intersection; a fixed sequence one after another."""
    if rule == "fixed-sequence":
        found = set()
        for name, p in pairs:
            if p > level:
                break
            found.add(name)
        return found
    count = len(pairs)
    holds = {}
    for mask in range(1, 2**count):
        inside = [i for i in range(count) if mask >> i & 1]
        holds[mask] = min(pairs[i][1] for i in inside) <= level / len(inside)
    return {pairs[i][0] for i in range(count) if all(ok for mask, ok in holds.items() if mask >> i & 1)}


def _node(trial: Protocol, own: list[str]) -> Claim | None:
    return next(
        (c for c in trial.claims if c.rule == "every-part" and sorted(p.analysis for p in c.parts) == sorted(own)), None
    )


def _all_as_claimed(node: Claim, upper: Mapping[str, float], level: float) -> bool:
    """Each part's own p at the level, on the claimed side: intersection and union."""
    return all(
        two_sided(upper[p.analysis]) <= level and (upper[p.analysis] < 0.5) == (p.direction == "higher")
        for p in node.parts
    )


def _pass_on(
    name: str, share: dict[str, float], edges: dict[str, dict[str, float]], left: list[str]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    new_share, new_edges = dict(share), {a: {} for a in left}
    for a in left:
        new_share[a] = share[a] + share[name] * edges.get(name, {}).get(a, 0.0)
        for b in left:
            if a == b:
                continue
            loop = edges.get(a, {}).get(name, 0.0) * edges.get(name, {}).get(a, 0.0)
            over = edges.get(a, {}).get(b, 0.0) + edges.get(a, {}).get(name, 0.0) * edges.get(name, {}).get(b, 0.0)
            new_edges[a][b] = over / (1 - loop) if loop < 1 - 1e-12 else 0.0
    return new_share, new_edges


def _word(
    trial: Protocol,
    item: Claim,
    upper: Mapping[str, float],
    rejected: set[str],
    untested: set[str],
    passed: set[str],
) -> str:
    parts = []
    for part in item.parts:
        p = upper[part.analysis]
        claimed = (p < 0.5) == (part.direction == "higher")
        if np.isnan(p):
            parts.append("not assessable")
        elif part.analysis in rejected:
            parts.append("supported" if claimed else "contradicted")
        else:
            parts.append("not tested" if part.analysis in untested else "inconclusive")
    home = next(
        (f.id for f in trial.families if _node(trial, [a.id for a in trial.analyses if a.family == f.id]) is item), None
    )
    together = home in passed if home is not None else all(p == "supported" for p in parts)
    if all(p == "not assessable" for p in parts):
        return "not assessable"
    if all(p == "contradicted" for p in parts):
        return "contradicted"
    if item.rule == "every-part" and "contradicted" in parts:
        return "contradicted in part"
    if together if item.rule == "every-part" else "supported" in parts:
        return "supported"
    if item.rule == "every-part" and "supported" in parts:
        return "partly supported"
    return "not tested" if all(p in ("not tested", "not assessable") for p in parts) else "inconclusive"
