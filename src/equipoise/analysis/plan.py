"""The plan: each derivation and analysis of a protocol resolved to what is registered, with checked options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from equipoise.analysis.named import answerable, named
from equipoise.analysis.registry import Method, Objection, PlannedParameter, derivations, methods
from equipoise.analysis.strategies import governed
from equipoise.analysis.strategy_rules import strategy_problems
from equipoise.errors import InputError, Problem
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part, plain
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema_errors import problems_of
from equipoise.source.digest import canonical_json
from equipoise.source.paths import Step


@dataclass(frozen=True, slots=True)
class PlannedAnalysis:
    """An analysis with the method it names, under the strategies of its estimand, and that one's options."""

    analysis: Analysis
    method: Method
    options: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be derived, in an order in which each has what it needs, and analysed.

    measured: parameter -> the visits at which it can have a value.
    """

    protocol: Protocol
    parameters: tuple[PlannedParameter, ...]
    analyses: tuple[PlannedAnalysis, ...]
    measured: Mapping[str, frozenset[str]]


def plan(protocol: Protocol) -> Plan:
    """Resolve the protocol's parameters and analyses.

    Raises InputError with every unknown name, every option that is wrong, and every analysis of a value that no visit
    measures; SurroundingsError where a method or derivation that the protocol names cannot be loaded.
    """
    parameters, problems = _parameters(protocol)
    ordered, measured = (), {}
    if not problems:
        ordered, measured, problems = _ordered(protocol, parameters)
    analyses, more = _analyses(protocol)
    problems += [*more, *_margins(protocol), *_several(protocol, analyses)]
    if not problems:
        problems += _not_measured(protocol, measured)
        problems += strategy_problems(protocol, parameters, [(i.analysis, i.method, i.options) for i in analyses])
    if problems:
        raise InputError(f"{protocol.path} asks for analyses that cannot be planned", problems)
    under = (replace(item, method=governed(item.method, item.analysis, protocol, ordered)) for item in analyses)
    return Plan(protocol, ordered, tuple(under), MappingProxyType(measured))


def _options(
    protocol: Protocol, model: type[Part], given: Mapping[str, Any], at: tuple[Step, ...]
) -> tuple[Part | None, list[Problem]]:
    try:
        return model.model_validate_json(canonical_json(plain(given))), []
    except ValidationError as error:
        return None, problems_of(error, model, protocol.document, at)


def _told(protocol: Protocol, at: tuple[Step, ...], objections: Iterator[Objection]) -> list[Problem]:
    return [protocol.document.problem((*at, *item.at), item.rule, item.message, item.remedy) for item in objections]


def _parameters(protocol: Protocol) -> tuple[list[PlannedParameter], list[Problem]]:
    planned: list[PlannedParameter] = []
    problems: list[Problem] = []
    for index, parameter in enumerate(protocol.parameters):
        at = ("parameters", index)
        derivation, unknown = named(derivations(), parameter.derivation, protocol, (*at, "derivation"))
        if derivation is None:
            problems += unknown
            continue
        with answerable(derivations(), parameter.derivation, protocol, (*at, "derivation")):
            options, wrong = _options(protocol, derivation.options, parameter.options, (*at, "options"))
            problems += wrong
            if options is not None:
                problems += _told(protocol, (*at, "options"), derivation.objections(protocol, parameter, options))
                planned.append(PlannedParameter(parameter, derivation, options))
    return planned, problems


def _answering(protocol: Protocol, item: PlannedParameter) -> AbstractContextManager[None]:
    """While a derivation is asked: a failure of another package's is told at the parameter that names it."""
    at = ("parameters", protocol.parameters.index(item.parameter), "derivation")
    return answerable(derivations(), item.parameter.derivation, protocol, at)


def _ordered(
    protocol: Protocol, planned: list[PlannedParameter]
) -> tuple[tuple[PlannedParameter, ...], dict[str, frozenset[str]], list[Problem]]:
    by_id = {item.parameter.id: item for item in planned}
    needs: dict[str, Sequence[str]] = {}
    for name, item in by_id.items():
        with _answering(protocol, item):
            needs[name] = tuple(item.derivation.needs(item.options))
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        index = [parameter.id for parameter in protocol.parameters].index(error.args[1][0])
        message = f"these parameters are derived from one another: {circle}"
        problem = protocol.document.problem(("parameters", index), "parameter-cycle", message, "Break the circle.")
        return (), {}, [problem]
    measured: dict[str, frozenset[str]] = {}
    for name in order:
        item = by_id[name]
        with _answering(protocol, item):
            measured[name] = item.derivation.measured(protocol, item.options, measured)
    return tuple(by_id[name] for name in order), measured, []


def _analyses(protocol: Protocol) -> tuple[list[PlannedAnalysis], list[Problem]]:
    planned: list[PlannedAnalysis] = []
    problems: list[Problem] = []
    for index, analysis in enumerate(protocol.analyses):
        at = ("analyses", index)
        method, unknown = named(methods(), analysis.method, protocol, (*at, "method"))
        if method is None:
            problems += unknown
            continue
        with answerable(methods(), analysis.method, protocol, (*at, "method")):
            options, wrong = _options(protocol, method.options, analysis.options, (*at, "options"))
            problems += wrong
            if options is not None:
                problems += _told(protocol, (*at, "options"), method.objections(protocol, analysis, options))
                planned.append(PlannedAnalysis(analysis, method, options))
    return planned, problems


def _margins(protocol: Protocol) -> Iterator[Problem]:
    """A claim's margin needs a method that can test against another value than no effect."""
    planned = {item.id: item for item in protocol.analyses}
    for index, claim in enumerate(protocol.claims):
        for number, part in enumerate(claim.parts):
            method = methods().usable(planned[part.analysis].method)
            if part.margin is not None and method is not None and not method.shifts:
                able = ", ".join(name for name, item in methods().own().items() if item.shifts)
                message = f"the method {method.name!r} tests no effect and no other value"
                at = ("claims", index, "parts", number, "margin")
                yield protocol.document.problem(at, "margin-of-method", message, f"Use one of: {able}.")


def _several(protocol: Protocol, analyses: Sequence[PlannedAnalysis]) -> Iterator[Problem]:
    """A claim and a family look at one result of an analysis, so that it must not be of several parameters."""
    several = {item.analysis.id for item in analyses if len(getattr(item.options, "parameters", ())) > 1}
    remedy = "Name an analysis of one parameter: an index of them, or each in an analysis of its own."
    for index, claim in enumerate(protocol.claims):
        for number, part in enumerate(claim.parts):
            if part.analysis in several:
                at = ("claims", index, "parts", number, "analysis")
                message = "the analysis has a result for each of several parameters, and a claim is on one"
                yield protocol.document.problem(at, "claim-one-result", message, remedy)
    for index, analysis in enumerate(protocol.analyses):
        if analysis.family is not None and analysis.id in several:
            message = "the analysis has a result for each of several parameters, and is no one hypothesis of a family"
            yield protocol.document.problem(("analyses", index, "family"), "family-one-result", message, remedy)


def _not_measured(protocol: Protocol, measured: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    """An estimand's parameter has no value at its visit, by the schedule."""
    for index, estimand in enumerate(protocol.estimands):
        variable = estimand.variable
        if variable.visit not in measured[variable.parameter]:
            message = f"{variable.parameter!r} is not measured at {variable.visit!r}"
            visits = ", ".join(v.id for v in protocol.visits if v.id in measured[variable.parameter]) or "no visit"
            at = ("estimands", index, "variable")
            yield protocol.document.problem(at, "measured-at-visit", message, f"It has values at {visits}.")
