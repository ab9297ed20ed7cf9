"""Rules of meaning for what is estimated and concluded: sets, baselines, estimands, analyses, claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft
from equipoise.protocol.schema.inference import Analysis
from equipoise.source.paths import Step

Problems = Iterator[Problem]

CONFIRMATORY = frozenset({"primary", "key-secondary"})
VARIANTS = frozenset({"sensitivity", "supplementary"})
ROUNDING = 1e-9
"""Shares that are meant to sum to 1 may miss it by so much: thirds do."""


def conventions_refer(draft: Draft) -> Problems:
    """Baselines stand at visits before treatment; analysis sets name what they need; ties have a rule."""
    conventions = draft.authored.conventions
    days = {visit.id: visit.day for visit in draft.authored.schedule.visits}
    last_start = max(period.first_day for period in draft.authored.periods)
    for index, baseline in enumerate(conventions.baselines):
        steps = ("conventions", "baselines", index, "visit")
        yield from draft.unknown(steps, "known-visit", baseline.visit, draft.visits)
        if days.get(baseline.visit, last_start) > last_start:
            message = f"the visit, on day {days[baseline.visit]}, comes after the first day of every period"
            yield draft.problem(steps, "baseline-before-treatment", message, "Choose a visit before treatment.")
    yield from _sets(draft)
    windows = conventions.windows
    if (windows.rule == "nearest") != (windows.tie is not None):
        message = f"this rule {'takes no' if windows.tie else 'needs a'} rule for ties"
        yield draft.problem(("conventions", "windows", "rule"), "window-tie", message, "Give tie for nearest only.")


_BY_PARAMETERS = ("any-post-baseline", "every-post-baseline")
_BY_VISITS = "visit-held"


def _sets(draft: Draft) -> Problems:
    """Analysis sets name what their rule needs and nothing else; a set lies within one that stands before it."""
    seen: list[str] = []
    for index, item in enumerate(draft.authored.conventions.analysis_sets):
        steps = ("conventions", "analysis_sets", index)
        if (item.rule in _BY_PARAMETERS) != bool(item.parameters):
            message = f"this rule {'takes no' if item.parameters else 'needs'} parameters"
            remedy = f"Name the parameters for {' and '.join(_BY_PARAMETERS)}, and for no other rule."
            yield draft.problem((*steps, "rule"), "set-parameters", message, remedy)
        if (item.rule == _BY_VISITS) != bool(item.visits):
            message = f"this rule {'takes no' if item.visits else 'needs'} visits"
            remedy = f"Name the visits for {_BY_VISITS}, and for no other rule."
            yield draft.problem((*steps, "rule"), "set-visits", message, remedy)
        for number, parameter in enumerate(item.parameters):
            yield from draft.unknown((*steps, "parameters", number), "known-parameter", parameter, draft.parameters)
        for number, visit in enumerate(item.visits):
            yield from draft.unknown((*steps, "visits", number), "known-visit", visit, draft.visits)
        if item.within is not None and item.within not in seen:
            message = f"no set before this one is called {item.within!r}"
            yield draft.problem(
                (*steps, "within"), "set-within", message, "Name a set that stands earlier in the list."
            )
        seen.append(item.id)


def estimands_are_complete(draft: Draft) -> Problems:
    """An estimand's five attributes name things that exist, and every intercurrent event has a strategy."""
    sets = {item.id for item in draft.authored.conventions.analysis_sets}
    clocks = {item.id for item in draft.authored.conventions.clocks}
    events = {item.id for item in draft.authored.intercurrent_events}
    for index, estimand in enumerate(draft.authored.estimands):
        steps = ("estimands", index)
        yield from draft.unknown((*steps, "population"), "known-analysis-set", estimand.population, sets)
        yield from draft.unknown((*steps, "clock"), "known-clock", estimand.clock, clocks)
        contrast = estimand.contrast
        yield from draft.unknown((*steps, "contrast", "active"), "known-arm", contrast.active, draft.arms)
        yield from draft.unknown((*steps, "contrast", "reference"), "known-arm", contrast.reference, draft.arms)
        if contrast.active == contrast.reference:
            message = "an arm cannot be compared with itself"
            yield draft.problem((*steps, "contrast", "reference"), "contrast-differs", message, "Name another arm.")
        variable = estimand.variable
        yield from draft.unknown(
            (*steps, "variable", "parameter"), "known-parameter", variable.parameter, draft.parameters
        )
        yield from draft.unknown((*steps, "variable", "visit"), "known-visit", variable.visit, draft.visits)
        given = set(estimand.intercurrent_events)
        for event in sorted(events - given) if given <= events else ():  # else one is misspelt
            message = f"estimand {estimand.id!r} has no strategy for {event!r}"
            yield draft.problem(
                (*steps, "intercurrent_events"), "strategy-complete", message, "Choose a strategy for it."
            )
        for event in estimand.intercurrent_events:
            yield from draft.unknown((*steps, "intercurrent_events", event), "known-intercurrent-event", event, events)


def analyses_have_a_place(draft: Draft) -> Problems:
    """Each analysis has an estimand or a set; its role fits its family; variants name what they vary."""
    families = {family.id for family in draft.authored.families}
    sets = {item.id for item in draft.authored.conventions.analysis_sets}
    for index, analysis in enumerate(draft.authored.analyses):
        steps = ("analyses", index)
        if analysis.estimand is not None:
            yield from draft.unknown((*steps, "estimand"), "known-estimand", analysis.estimand, draft.estimands)
        if analysis.analysis_set is not None:
            yield from draft.unknown((*steps, "analysis_set"), "known-analysis-set", analysis.analysis_set, sets)
        if (analysis.estimand is None) == (analysis.analysis_set is None):
            if analysis.estimand is None:
                message = "an analysis needs an estimand or a set"
            else:
                message = "an analysis cannot have both an estimand and a set"
            remedy = "Give a descriptive analysis its analysis_set, any other its estimand."
            yield draft.problem((*steps, "analysis_set"), "estimand-or-set", message, remedy)
        if analysis.role == "descriptive" and analysis.estimand is not None:
            message = "a descriptive analysis estimates nothing"
            yield draft.problem(
                (*steps, "role"), "role-and-estimand", message, "Give another role, or an analysis_set."
            )
        if analysis.family is not None:
            yield from draft.unknown((*steps, "family"), "known-family", analysis.family, families)
        if (analysis.role in CONFIRMATORY and analysis.estimand is not None) != (analysis.family is not None):
            message = f"an analysis with this role {'belongs to no' if analysis.family else 'needs a'} family"
            remedy = "Primary and key secondary analyses of an estimand belong to a family; no other does."
            yield draft.problem((*steps, "role"), "role-and-family", message, remedy)
        yield from _variant(draft, steps, analysis)


def _variant(draft: Draft, steps: tuple[Step, ...], analysis: Analysis) -> Problems:
    if analysis.of is not None:
        yield from draft.unknown((*steps, "of"), "known-analysis", analysis.of, draft.analyses)
        if analysis.of == analysis.id:
            message = "an analysis cannot vary itself"
            yield draft.problem((*steps, "of"), "variant-of-itself", message, "Name another analysis.")
    if (analysis.role in VARIANTS) != (analysis.of is not None):
        message = f"an analysis with this role {'has no `of`' if analysis.of else 'needs `of`'}"
        remedy = "Sensitivity and supplementary analyses name the analysis that they vary; no other does."
        yield draft.problem((*steps, "role"), "role-and-of", message, remedy)


def one_primary(draft: Draft) -> Problems:
    """At least one analysis is primary, and every family has a member."""
    if not any(analysis.role == "primary" for analysis in draft.authored.analyses):
        message = "no analysis has the role primary"
        yield draft.problem(("analyses",), "primary-exists", message, "Give one analysis the role primary.")
    used = {analysis.family for analysis in draft.authored.analyses} - {None}
    families = {family.id for family in draft.authored.families}
    for index, family in enumerate(draft.authored.families):
        if family.id not in used and used <= families:
            message = f"no analysis belongs to family {family.id!r}"
            yield draft.problem(("families", index), "family-used", message, "Remove it, or name it in an analysis.")


def graph_keeps_one_level(draft: Draft) -> Problems:
    """The shares of a graph of families sum to 1 at most, at the start and from each family, and all have a use."""
    graph = draft.authored.graph
    if graph is None:
        return
    weights, transitions = ("graph", "weights"), ("graph", "transitions")
    families = {family.id for family in draft.authored.families}
    for name in graph.weights:
        yield from draft.unknown((*weights, name), "known-family", name, families)
    yield from _shares(draft, weights, graph.weights)
    for source, parts in graph.transitions.items():
        steps = (*transitions, source)
        for name in (source, *parts):
            if name not in graph.weights:
                message = "a family of the graph has no share at the start"
                remedy = "Give it one under weights, 0 where it waits for others."
                yield draft.problem(steps, "graph-family", message, remedy, name)
        if source in parts:
            message = "a family cannot pass its share to itself"
            yield draft.problem((*steps, source), "graph-loop", message, "Name another family.")
        yield from _shares(draft, steps, parts)
    passed = {name for parts in graph.transitions.values() for name, part in parts.items() if part > 0}
    for name, share in graph.weights.items():
        if share == 0 and name not in passed:
            message = "nothing is ever passed to this family, so that none of its hypotheses can be rejected"
            yield draft.problem((*weights, name), "graph-reached", message, "Let a family pass a share to it.")
    yield from _graph_families(draft, set(graph.weights))


def _shares(draft: Draft, steps: tuple[Step, ...], parts: Mapping[str, float]) -> Problems:
    total = sum(parts.values())
    if total > 1 + ROUNDING:
        message = "the shares sum to more than the level"
        yield draft.problem(steps, "graph-shares", message, "Let them sum to 1 at most.", f"{total:g}")


def _graph_families(draft: Draft, members: set[str]) -> Problems:
    """Families of a graph have its one level, and control false claims among their own."""
    levels = {family.level for family in draft.authored.families if family.id in members}
    for index, family in enumerate(draft.authored.families):
        steps = ("families", index)
        if family.id in members and family.level != max(levels):
            message = f"families that share one level state the same, and another states {max(levels):g}"
            yield draft.problem((*steps, "level"), "graph-level", message, "State the level that they share.")
        if family.id in members and family.adjustment == "none":
            message = "a share of the level is for all of a family's hypotheses together"
            yield draft.problem((*steps, "adjustment"), "graph-adjusts", message, "Choose holm or fixed-sequence.")


def claims_can_be_decided(draft: Draft) -> Problems:
    """A claim that parts decide has some, each an analysis with an estimand; a described one has none."""
    estimated = {analysis.id for analysis in draft.authored.analyses if analysis.estimand is not None}
    for index, claim in enumerate(draft.authored.claims):
        for number, part in enumerate(claim.parts):
            steps = ("claims", index, "parts", number, "analysis")
            yield from draft.unknown(steps, "known-analysis", part.analysis, draft.analyses)
            if part.analysis in draft.analyses - estimated and claim.rule != "safety":
                message = "a descriptive analysis decides no claim"
                yield draft.problem(steps, "claim-needs-estimand", message, "Name one with an estimand.")
        if claim.rule == "descriptive" and claim.parts:
            message = "a descriptive claim has no parts that decide it"
            yield draft.problem(
                ("claims", index, "rule"),
                "claim-descriptive",
                message,
                "Remove the parts, or change the rule.",
            )
        if claim.rule in ("every-part", "one-part") and not claim.parts:
            message = f"nothing decides claim {claim.id!r}"
            yield draft.problem(
                ("claims", index, "rule"), "claim-needs-parts", message, "Name its parts, or change the rule."
            )


RULES = (
    conventions_refer,
    estimands_are_complete,
    analyses_have_a_place,
    one_primary,
    graph_keeps_one_level,
    claims_can_be_decided,
)
