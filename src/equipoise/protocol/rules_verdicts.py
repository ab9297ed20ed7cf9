"""Rules of meaning for verdicts: one-sided families, the level of the opposite, and margins of claims."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft
from equipoise.protocol.schema.inference import ClaimPart

Problems = Iterator[Problem]

RATIOS = frozenset({"ratio-of-means", "rate-ratio", "odds-ratio"})


def sides_have_a_meaning(draft: Draft) -> Problems:
    """Only a one-sided family declares a level for the opposite; families that share a level test alike."""
    graph = draft.authored.graph
    shared = [item for item in draft.authored.families if graph is not None and item.id in graph.weights]
    for index, family in enumerate(draft.authored.families):
        steps = ("families", index)
        if family.sides == "two" and family.opposite is not None:
            message = "a two-sided family says the opposite at its own level"
            yield draft.problem((*steps, "opposite"), "opposite-of-one-side", message, "Remove it, or say sides: one.")
        first = shared[0] if shared else family
        if family in shared and (family.sides, family.opposite) != (first.sides, first.opposite):
            message = f"families that share one level test the same sides, and {first.id!r} states others"
            remedy = "State the same sides, and the same level of the opposite."
            yield draft.problem((*steps, "sides"), "graph-sides", message, remedy, family.sides)


def one_sided_members_have_a_direction(draft: Draft) -> Problems:
    """Every hypothesis of a one-sided family has one claimed side."""
    one_sided = {family.id for family in draft.authored.families if family.sides == "one"}
    better = {item.id: item.better for item in draft.authored.parameters}
    variable = {item.id: item.variable.parameter for item in draft.authored.estimands}
    for index, analysis in enumerate(draft.authored.analyses):
        if analysis.family not in one_sided:
            continue
        directions = {part.direction for _, part in _parts(draft) if part.analysis == analysis.id}
        if len(directions) > 1:
            message = "claims name both directions, and a one-sided family tests one"
            remedy = "Name one direction, or let the family be two-sided."
            yield draft.problem(("analyses", index, "family"), "one-sided-direction", message, remedy)
        if not directions and better.get(variable.get(analysis.estimand or "", "")) is None:
            message = "a one-sided family must know which side each of its analyses claims"
            remedy = "Name the analysis in a claim, or say which values of its parameter are better."
            yield draft.problem(("analyses", index, "family"), "one-sided-direction", message, remedy)


def margins_have_a_hypothesis(draft: Draft) -> Problems:
    """A margin belongs to a hypothesis of a family, is one for all claims, and of a ratio is a ratio."""
    analyses = {item.id: item for item in draft.authored.analyses}
    summary = {item.id: item.summary for item in draft.authored.estimands}
    margins: dict[str, float | None] = {}
    for at, part in _parts(draft):
        analysis = analyses.get(part.analysis)
        if analysis is None:
            continue
        steps = ("claims", *at, "margin")
        if analysis.family is not None and margins.setdefault(part.analysis, part.margin) != part.margin:
            message = f"another claim tests {part.analysis!r} against another value"
            yield draft.problem(
                ("claims", *at, "analysis"), "margin-once", message, "Give every claim on it the same margin, or none."
            )
        if part.margin is None:
            continue
        if analysis.family is None:
            message = "only a hypothesis of a family has a margin, and this analysis is in none"
            remedy = "Remove it, or put the analysis in a family."
            yield draft.problem(steps, "margin-of-hypothesis", message, remedy)
        if summary.get(analysis.estimand or "") in RATIOS and part.margin <= 0:
            message = "the margin of a ratio is a ratio, above 0"
            yield draft.problem(steps, "margin-of-ratio", message, "Give the ratio itself, not its logarithm.")


def _parts(draft: Draft) -> Iterator[tuple[tuple[int | str, ...], ClaimPart]]:
    """Every part of a claim with its place below `claims`; those of claims on safety have no hypothesis."""
    for index, claim in enumerate(draft.authored.claims):
        for number, part in enumerate(claim.parts):
            if claim.rule != "safety" or part.margin is not None:
                yield (index, "parts", number), part


RULES = (sides_have_a_meaning, one_sided_members_have_a_direction, margins_have_a_hypothesis)
