"""Each group's own year beside what untreated people do: described, never tested.

In a delayed crossover the groups differ in the time since diagnosis exactly as they differ in the order of treatments,
so that no comparison of a group with its own start can tell one from the other. What can be told is how far it lies
from the course of untreated people of the same age and level. Three expectations, by name:

bundy-krischer   ln(AUC + 1) a year after a start within months of the diagnosis: -0.191 + 0.812 start + 0.00638 age
working-slope    AUC x exp(years x (-0.827 + 0.744 ln(age / 15))), the fixed part of a mixed model fitted to 858 tests
                 of six trials; of the average person, so that it is no prediction of one
change           a fixed change, with its source in the protocol
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.analysis.derivations.quantitative_response import expected as first_year
from equipoise.analysis.estimates import BLINDED, population
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats import one_sample_t

SLOPE, SLOPE_BY_AGE, AGE = -0.827, 0.744, 15.0
LOG1P = "ln(nmol/L + 1)"
YEAR = 365.25
NOTES = (
    "Described only: group and time since diagnosis are the same thing; a difference may be cells or chance.",
    "Expected: untreated people of the same age and start, by the law that is named.",
)


class Span(Part):
    """A stretch of one arm's time, and what is expected of untreated people in it."""

    arm: Identifier
    parameter: Identifier
    start: Identifier
    end: Identifier
    law: Literal["bundy-krischer", "working-slope", "change"]
    change: Number | None = None
    """For the law of that name."""


class Options(Part):
    """The stretches that are described."""

    spans: Annotated[tuple[Span, ...], Field(min_length=1)]


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    columns = (
        TableColumn("arm", "Group"),
        TableColumn("parameter", "Parameter"),
        TableColumn("start", "From"),
        TableColumn("end", "To"),
        TableColumn("law", "Expected by"),
        TableColumn("n", "Participants with both values"),
        TableColumn("observed", "Mean change"),
        TableColumn("expected", "Mean change expected without treatment"),
        TableColumn("difference", "Observed less expected"),
        TableColumn("lower", "Lower (95 %)"),
        TableColumn("upper", "Upper (95 %)"),
    )
    if data.blinded:
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (), (BLINDED,)),))
    members = population(data, analysis)[data.trial]
    rows = tuple(_row(data, span, members & data.in_arm(span.arm)[data.trial]) for span in options.spans)
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, rows, NOTES),))


def _row(data: AnalysisData, span: Span, members: np.ndarray) -> tuple[Cell, ...]:
    start = data.at(span.parameter, span.start)[data.trial][members]
    end = data.at(span.parameter, span.end)[data.trial][members]
    age = data.panel.covariates["age_years"][data.trial][members]
    protocol = data.protocol
    years = (protocol.visit(span.end).day - protocol.visit(span.start).day) / YEAR
    observed, expected = end - start, _expected(span, start, age, years)
    there = ~np.isnan(observed) & ~np.isnan(expected)
    head = (span.arm, span.parameter, span.start, span.end, span.law, int(there.sum()))
    if not there.any():
        return (*head, None, None, None, None, None)
    difference = (observed - expected)[there]
    found = one_sample_t(difference[np.newaxis], np.ones((1, difference.size), np.bool_))
    numbers = (observed[there].mean(), expected[there].mean(), difference.mean())
    return (*head, *(finite(float(n)) for n in numbers), finite(found.lower.item()), finite(found.upper.item()))


def _expected(span: Span, start: Floats, age: Floats, years: float) -> Floats:
    """The change expected of each person."""
    if span.law == "change":
        return np.full_like(start, float(span.change or 0.0))
    if span.law == "bundy-krischer":
        return first_year(start, age, np.full_like(start, 12.0)) - start
    slope = SLOPE + SLOPE_BY_AGE * np.log(age / AGE)
    return np.log1p(np.expm1(start) * np.exp(years * slope)) - start


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    arms, visits = [arm.id for arm in protocol.arms], [visit.id for visit in protocol.visits]
    parameters = {parameter.id: parameter for parameter in protocol.parameters}
    for place, span in enumerate(options.spans):
        at = ("spans", place)
        for key, name, known in (
            ("arm", span.arm, arms),
            ("parameter", span.parameter, list(parameters)),
            ("start", span.start, visits),
            ("end", span.end, visits),
        ):
            if name not in known:
                what = "visit" if key in ("start", "end") else key
                message = f"there is no {what} {name!r}"
                yield Objection((*at, key), f"known-{what}", message, f"Name one of: {', '.join(known)}.")
        if span.law == "change" and span.change is None:
            yield Objection(
                (*at, "change"), "change-given", "a fixed change has no number", "Give it, with its source."
            )
        elif span.law != "change" and span.parameter in parameters and parameters[span.parameter].unit != LOG1P:
            message = f"the law is of {LOG1P}, and {span.parameter!r} is in {parameters[span.parameter].unit}"
            yield Objection((*at, "law"), "scale-of-expectation", message, "Name the logarithm of a mean plus one.")
    if analysis.analysis_set is None:
        message = "a description has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="untreated-course",
    title="Each group's year beside untreated people",
    options=Options,
    page="untreated_course",
    run=_run,
    objections=_objections,
)
