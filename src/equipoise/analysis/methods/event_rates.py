"""Rates of adverse events compared between arms in one period: first events, and all events.

First events: time at risk ends with a participant's first event, so that rates are of Poisson events, and the
difference has Miettinen and Nurminen's score interval. All events: people differ in their own rates, so that the ratio
is that of negative binomial regression with Cox-Reid dispersion and t; where an arm has no event, it is the exact
conditional ratio with its one-sided limit. There are no p-values: a table of a dozen finds some by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED
from equipoise.analysis.methods.time_at_risk import YEAR, Exposed, Segment, exposed_to
from equipoise.analysis.recorded import NOT_RECORDED, not_recorded_note, unanswered, unanswered_note, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis, Contrast
from equipoise.stats.ancova import ancova_design, difference_weights
from equipoise.stats.counts import count_contrast, fit_negative_binomial
from equipoise.stats.rates import exact_rate_ratio, rate_difference

LEVEL = 0.95
NOTES = (
    "First events: time at risk ends with a participant's first event; difference of rates with its score interval.",
    "All events: ratio of rates by negative binomial regression; exact and one-sided where an arm has no event.",
    "Rates are per person-year; intervals are of 95 %, without p-values.",
)


class Options(Part):
    """The events, the period in which arms are compared, and what else is counted than any event."""

    events: Identifier
    """An assessment of class events."""
    period: Identifier
    contrast: Contrast
    grades: tuple[Annotated[int, Field(ge=1, le=5)], ...] = (3,)
    """Events of at least each of these grades have lines of their own."""
    categories: bool = False
    """Each category of the terms (a system organ class) has a line of its own."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    columns = (
        TableColumn("kind", "Events"),
        *(
            TableColumn(f"{side}/{name}", f"{data.protocol.arm(arm).label}: {label}")
            for side, arm in (("active", options.contrast.active), ("reference", options.contrast.reference))
            for name, label in (
                ("participants", "participants"),
                ("first_years", "person-years to the first"),
                ("events", "events"),
                ("years", "person-years"),
            )
        ),
        *(
            TableColumn(f"{what}/{name}", f"{title}, {label}")
            for what, title in (("first", "Difference of first-event rates"), ("all", "Ratio of rates"))
            for name, label in (("estimate", "estimate"), ("lower", "lower"), ("upper", "upper"))
        ),
        TableColumn("all/method", "Ratio by"),
    )
    if data.blinded:
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (), (BLINDED,)),))
    if unrecorded(data, (options.events,)):
        notes = (not_recorded_note(data.protocol, (options.events,)),)
        row = (NOT_RECORDED, *(None for _ in columns[1:]))
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))
    exposed = exposed_to(data, analysis, (options.events,))
    segment = next(item for item in exposed.segments if item.id == options.period)
    silent = unanswered(data, options.events, ("grade", "related", "serious"))
    rows = tuple(
        (name, *(None for _ in columns[1:]))
        if asks in silent
        else (name, *_compared(exposed, segment, exposed.within(segment, options.events) & flags, options.contrast))
        for name, asks, flags in _kinds(exposed, segment, options)
    )
    notes = (*NOTES, unanswered_note(data.protocol, options.events, silent)) if silent else NOTES
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, rows, notes),))


def _kinds(exposed: Exposed, segment: Segment, options: Options) -> Iterator[tuple[str, str | None, Flags]]:
    """What is counted, the column of the events that tells it, and which events are of that kind."""
    every = np.ones(len(exposed.rows.participant), np.bool_)
    yield "any", None, every
    grade = np.nan_to_num(exposed.column("grade"))
    for least in options.grades:
        yield f"grade {least} or more", "grade", grade >= least
    yield "related", "related", exposed.column("related") == 1
    yield "serious", "serious", exposed.column("serious") == 1
    if options.categories:
        names = exposed.rows.columns["category"]
        for name in sorted({str(item) for item in names[exposed.within(segment, options.events)]}):
            yield name, None, names == name


def _compared(exposed: Exposed, segment: Segment, chosen: Flags, contrast: Contrast) -> tuple[Cell, ...]:
    """Counts of both arms, then the two comparisons."""
    days = exposed.days(segment)
    events = np.bincount(exposed.rows.participant[chosen], minlength=len(days)).astype(np.float64)
    first = _days_to_first(exposed, segment, chosen, days)
    members = {group.id: group.members & (days > 0) for group in exposed.groups}
    arms = [members[contrast.active], members[contrast.reference]]
    counts = [int((events[arm] > 0).sum()) for arm in arms]
    to_first = [float(first[arm].sum() / YEAR) for arm in arms]
    totals = [int(events[arm].sum()) for arm in arms]
    years = [float(days[arm].sum() / YEAR) for arm in arms]
    found = rate_difference(counts[0], to_first[0], counts[1], to_first[1], level=LEVEL)
    difference = [finite(number.item()) for number in (found.estimate, found.lower, found.upper)]
    sides = [(counts[i], to_first[i], totals[i], years[i]) for i in (0, 1)]
    return (*sides[0], *sides[1], *difference, *_ratio(events, days / YEAR, arms, totals, years))


def _days_to_first(exposed: Exposed, segment: Segment, chosen: Flags, days: Floats) -> Floats:
    """Days at risk within the segment until the first chosen event, that day included, (n,)."""
    began = np.maximum(exposed.start, segment.first)
    day = exposed.column("start_day")[chosen]
    since = day - began[exposed.rows.participant[chosen]] + 1
    first = days.copy()
    # An event whose day is not known may have been any day: it ends nobody's time early.
    np.minimum.at(first, exposed.rows.participant[chosen], np.where(np.isnan(since), np.inf, since))
    return first


def _ratio(
    events: Floats, years: Floats, arms: list[Flags], totals: list[int], person_years: list[float]
) -> tuple[Cell, ...]:
    """Estimate, limits and the method by which they were found."""
    if min(totals) > 0:
        arm = np.where(arms[0], 1, np.where(arms[1], 0, -1))
        included = (arms[0] | arms[1])[np.newaxis]
        design = ancova_design(arm[np.newaxis], np.zeros((1, len(arm), 0)), 2)
        fit = fit_negative_binomial(events[np.newaxis], years[np.newaxis], design, included)
        found = count_contrast(fit, difference_weights(1, 0, design.shape[-1]), level=LEVEL)
        numbers = [float(values[0]) for values in (found.estimate, found.lower, found.upper)]
        if all(map(math.isfinite, numbers)):
            return (*(math.exp(number) for number in numbers), "negative binomial")
    if max(totals) == 0:
        return (None, None, None, "no event in either arm")
    exact = exact_rate_ratio(totals[0], person_years[0], totals[1], person_years[1], level=LEVEL)
    limits = (finite(number.item()) for number in (exact.estimate, exact.lower, exact.upper))
    return (*limits, "exact conditional, one-sided" if exact.one_sided.item() else "exact conditional")


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    for key, name, known in (
        ("events", options.events, [a.id for a in protocol.assessments if a.observation_class == "events"]),
        ("period", options.period, [period.id for period in protocol.periods]),
    ):
        if name not in known:
            remedy = f"Name one of: {', '.join(known) or 'none'}."
            yield Objection((key,), f"known-{key}", f"there are no {key} {name!r}", remedy)
    arms = [arm.id for arm in protocol.arms]
    for side in ("active", "reference"):
        name = getattr(options.contrast, side)
        if name not in arms:
            message = f"there is no arm {name!r}"
            yield Objection(("contrast", side), "known-arm", message, f"Name one of: {', '.join(arms)}.")
    if analysis.analysis_set is None:
        message = "a table of adverse events has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="event-rates",
    title="Rates of events compared between arms",
    options=Options,
    page="event_rates",
    rows="adae",
    run=_run,
    objections=_objections,
)
