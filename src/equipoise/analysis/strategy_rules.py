"""Which strategies for intercurrent events a plan can carry out; every other is refused, with what would do.

Three things are checked: the event is bound to records, the estimand says what the strategy needs to know, and the
method of each of its analyses can work on what the strategy makes of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from equipoise.analysis.data import ENDING, STRATUM
from equipoise.analysis.registry import Method, PlannedParameter
from equipoise.analysis.strategies import acting
from equipoise.errors import Problem
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis, Estimand, IntercurrentEvent

Chosen = tuple[Analysis, Method, Any]
YES_NO = "proportion, detectable, interval-censored"


def strategy_problems(
    protocol: Protocol, parameters: Sequence[PlannedParameter], analyses: Sequence[Chosen]
) -> Iterator[Problem]:
    """What keeps the strategies of the estimands from being carried out."""
    planned = {item.parameter.id: item for item in parameters}
    for index, estimand in enumerate(protocol.estimands):
        for event in acting(protocol, estimand):
            yield from _declared(protocol, index, estimand, event)
    for index, (analysis, method, options) in enumerate(analyses):
        estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
        if estimand is not None:
            yield from _of_method(protocol, index, estimand, method, options)
            yield from _of_counts(protocol, index, estimand, (method, options), planned)


def identified(protocol: Protocol, estimand: Estimand, event: IntercurrentEvent) -> bool:
    """Whether a principal stratum of this event is known from the records, whatever the arm.

    It is where everybody has a lot of their own cells, in every arm, before any product acts: lots of the first period.
    """
    recorded, periods = event.recorded, protocol.periods
    if recorded is None or recorded.rule != "lot-failed":
        return False
    if not all(product.kind == "autologous-cells" for product in protocol.products if product.release_tests):
        return False
    before_others = protocol.visit(estimand.variable.visit).day < min(
        (period.first_day for period in periods[1:]), default=float("inf")
    )
    return len(periods) == 1 or recorded.period == periods[0].id or before_others


def _declared(protocol: Protocol, index: int, estimand: Estimand, event: IntercurrentEvent) -> Iterator[Problem]:
    """The event is bound, and the estimand says what the strategy needs."""
    strategy = estimand.intercurrent_events[event.id]
    at = ("estimands", index, "intercurrent_events", event.id)
    problem = protocol.document.problem
    if event.recorded is None:
        message = f"to carry out {strategy!r} it must be known when {event.id!r} began, and it is bound to no records"
        bind = "Bind the event by `recorded`, or choose treatment-policy."
        upgrade = "Upgrade the document with `equipoise amend --upgrade`, bind the event by `recorded`, or choose "
        yield problem(at, "strategy-bound", message, bind if protocol.version > 1 else f"{upgrade}treatment-policy.")
    elif strategy == "composite" and event.id not in estimand.composite:
        message = f"the estimand does not say what {event.id!r} makes of the outcome"
        remedy = (
            f"Add composite: {{{event.id}: {{failure: true}}}} for a yes/no, or {{value: …}} on the analysed scale."
        )
        yield problem(at, "composite-declared", message, remedy)
    elif strategy == STRATUM and event.id not in estimand.principal:
        message = f"the estimand does not say who of {event.id!r} belongs to the stratum"
        remedy = f"Add principal: {{{event.id}: {{event: would-not-occur}}}}, or would-occur."
        yield problem(at, "principal-declared", message, remedy)
    elif strategy == STRATUM and not (estimand.principal[event.id].assumption or identified(protocol, estimand, event)):
        message = f"who would have {event.id!r} under the other arm is not known from who has it under their own"
        remedy = f"State under principal.{event.id} the `assumption` by which the stratum is recognised."
        yield problem(at, "principal-assumption", message, remedy)


def _of_method(protocol: Protocol, index: int, estimand: Estimand, method: Method, options: Any) -> Iterator[Problem]:
    """The method works on what the strategies leave, and on what they put in."""
    carries, name = method.carries(options), method.name
    acts = acting(protocol, estimand)
    at = ("analyses", index, "method")
    problem = protocol.document.problem
    ignored = [e for e in acts if estimand.intercurrent_events[e.id] in ("hypothetical", STRATUM)]
    if ignored and not carries.withheld:
        message = f"the method {name!r} does not carry out {_of(estimand, ignored)}"
        yield problem(at, "strategy-of-method", message, "Choose another method, or treatment-policy.")
    last = [e for e in acts if estimand.intercurrent_events[e.id] == "while-on-treatment"]
    if last and not carries.last_value:
        message = f"the method {name!r} has no use for the last value before an event: {_of(estimand, last)}"
        yield problem(at, "strategy-of-method", message, "Choose another method or another strategy.")
    told = [e for e in acts if e.id in estimand.composite and estimand.intercurrent_events[e.id] == "composite"]
    if (events := [e for e in told if estimand.composite[e.id].failure]) and carries.failure is None:
        message = f"the method {name!r} has no yes/no that could fail by {_of(estimand, events)}"
        remedy = f"Choose a method of a yes/no ({YES_NO}), or another strategy."
        yield problem(at, "strategy-of-method", message, remedy)
    if any(not estimand.composite[e.id].failure for e in told):
        yield from _of_declared_value(protocol, index, estimand, method, options)


def _of(estimand: Estimand, events: Sequence[IntercurrentEvent]) -> str:
    """Events with their strategies, as a message names them."""
    named = ", ".join(f"{event.id}: {estimand.intercurrent_events[event.id]}" for event in events)
    return f"the strategies of the estimand {estimand.id!r} ({named})"


def _of_declared_value(
    protocol: Protocol, index: int, estimand: Estimand, method: Method, options: Any
) -> Iterator[Problem]:
    """A declared value has a place among ranks and before a limit, and is on the scale of what is analysed."""
    if not method.carries(options).declared:
        message = f"a composite strategy's declared value has no place in the model of the method {method.name!r}"
        remedy = f"Analyse ranks (panel-min-p with the scale normal-score) or a yes/no ({YES_NO}), or choose another."
        yield protocol.document.problem(("analyses", index, "method"), "strategy-of-method", message, remedy)
        return
    names = _analysed(estimand, options)
    other = [name for name in names if name != estimand.variable.parameter]
    if other:
        message = f"the declared value is one of {estimand.variable.parameter!r}, and this analysis is of {other[0]!r}"
        remedy = "Analyse the estimand's own parameter, or give this one an estimand of its own."
        yield protocol.document.problem(("analyses", index), "composite-scale", message, remedy)


def _of_counts(
    protocol: Protocol,
    index: int,
    estimand: Estimand,
    chosen: tuple[Method, Any],
    planned: Mapping[str, PlannedParameter],
) -> Iterator[Problem]:
    """Where counts end at an onset, the count and its time at risk are totals whose days are known."""
    method, options = chosen
    if not method.carries(options).counts:
        return
    if not any(estimand.intercurrent_events[event.id] in ENDING for event in acting(protocol, estimand)):
        return
    exposure = getattr(options, "exposure", None)
    for name in (*_analysed(estimand, options), *((exposure,) if exposure else ())):
        if name in planned and not _ends(planned, name):
            message = f"a strategy ends the count and its time at risk at the onset, and {name!r} cannot be ended there"
            remedy = "Derive it by event-count or running-sum, or choose treatment-policy."
            yield protocol.document.problem(("analyses", index), "strategy-ends-count", message, remedy)


def _ends(planned: Mapping[str, PlannedParameter], name: str) -> bool:
    """Whether a parameter is a total up to a day, or made of such totals alone."""
    item = planned[name]
    if item.derivation.belongs == "until":
        return True
    needs = [need for need in item.derivation.needs(item.options) if need in planned]
    return bool(needs) and all(_ends(planned, need) for need in needs)


def _analysed(estimand: Estimand, options: Any) -> tuple[str, ...]:
    """The parameters that an analysis is of."""
    of = getattr(options, "of", None)
    names = of(estimand)[0] if of is not None else estimand.variable.parameter
    return (names,) if isinstance(names, str) else tuple(names)
