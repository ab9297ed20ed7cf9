"""Loss that is only seen at visits, as of C-peptide: hazard ratio of the arms from grouped proportional hazards.

Somebody is lost at the first visit with a value below the threshold, and for good; it happened since the last visit
without. Whoever missed visits has a longer interval. The interval of the ln hazard ratio is Wald's, the p-value that of
the likelihood ratio, which is the better of the two where events are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.comparison import POOLED
from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.methods.panel import baseline_objections, estimand_of
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.interval_censored import fit_interval_censored, hazard_contrast, likelihood_ratio_p
from equipoise.stats.status import Status
from equipoise.stats.tails import signed_tails

HAZARD_RATIO = "ln hazard ratio"
NO_RATIO = (
    "in an arm, or with some characteristic, no one was lost, or everyone at once, so that the hazard ratio has no "
    "finite estimate; compare the shares of those lost (the method proportion)"
)
SUMMARY = "rate-ratio"
"""The summary of an estimand that a hazard ratio answers: a ratio of rates of loss."""
COLUMNS = (
    TableColumn("visit", "Visit"),
    TableColumn("arm", "Group"),
    TableColumn("seen", "Not lost before, with a value"),
    TableColumn("missing", "Not lost before, without a value"),
    TableColumn("lost", "First found lost here"),
    TableColumn("lost_so_far", "Found lost so far"),
    TableColumn("without_loss", "Share without loss, for a picture"),
)
PICTURE = (
    "The share without loss takes the visit for the time of the loss (Kaplan-Meier): for a picture only, the hazard "
    "ratio comes from intervals."
)


class Options(Endpoint):
    """The threshold, the visits at which loss may be found, and what the model adjusts for."""

    below: Number
    """A value below it is a loss."""
    baseline: Identifier
    """Whoever is below the threshold there, or has no value there, is left out."""
    visits: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """The visits after the baseline, in their order, up to the estimand's."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()


@dataclass(frozen=True, slots=True)
class _Course:
    """What visits 0 (baseline) to J tell of each person.

    seen:          (R, n, J) whether there was a value at each visit after baseline.
    last_without:  (R, n) the last visit before any loss at which there was a value.
    first_with:    (R, n) the first visit with a loss, -1 for none.
    at_risk:       (R, n) members who have a value at baseline that is not below the threshold.
    covariates:    (R, n, k).
    complete:      (R, n) at risk, seen again, and with all covariates.
    """

    seen: Flags
    last_without: NDArray[np.int64]
    first_with: NDArray[np.int64]
    at_risk: Flags
    covariates: Floats
    complete: Flags


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    members, level = population(data, analysis), level_of(data, analysis)
    course = _course(data, members, parameter, options)
    active = data.in_arm(estimand.contrast.active)
    included = members & course.complete & (data.panel.arm >= 0)
    numbers, status = _compared(course, active, included, len(options.visits), level)
    n, missing = counted(data, members, course.complete)
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values=numbers,
        n=n,
        missing=missing,
        status=np.array([BLINDED if data.blinded else text for text in status], dtype=object),
        level=level,
        scale="log",
        unit=HAZARD_RATIO,
        events=_events(data, included, course),
    )
    return Outcome((estimate,), (_table(data, analysis, options, members & course.complete, course),))


def _course(data: AnalysisData, members: Flags, parameter: str, options: Options) -> _Course:
    places = [data.panel.visit_index(visit) for visit in options.visits]
    entry = data.baseline(parameter, options.baseline)
    values = data.parameters[parameter][:, :, places]
    columns = [data.panel.covariates[name] for name in options.covariates]
    covariates = np.stack(columns, axis=2) if columns else np.zeros((*entry.shape, 0))
    seen = ~np.isnan(values)
    # A missing value is not below anything.
    lost = np.where(seen, values, np.inf) < options.below
    ever = np.asarray(lost.any(axis=2))
    first_with = np.where(ever, lost.argmax(axis=2) + 1, -1)
    visits = np.arange(1, len(places) + 1)
    before = seen & (~ever[..., None] | (visits < first_with[..., None]))
    last_without = np.max(before * visits, axis=2)
    at_risk = members & (np.where(np.isnan(entry), -np.inf, entry) >= options.below)
    complete = at_risk & seen.any(axis=2) & ~np.isnan(covariates).any(axis=2)
    return _Course(seen, last_without, first_with, at_risk, covariates, complete)


def _compared(
    course: _Course, active: Flags, included: Flags, intervals: int, level: float
) -> tuple[dict[str, Floats], NDArray[np.object_]]:
    """The ln hazard ratio in every trial, and its status."""
    beside = np.where(included[..., None], course.covariates, 0.0)
    with_arm = np.concatenate([active[..., None].astype(np.float64), beside], axis=2)
    fit, without_arm = (
        fit_interval_censored(course.last_without, course.first_with, x, included, intervals=intervals)
        for x in (with_arm, beside)
    )
    found = hazard_contrast(fit, np.eye(with_arm.shape[2])[0], level=level)
    numbers = {name: getattr(found, name) for name in ("estimate", "standard_error", "lower", "upper")}
    status = np.where(found.status == Status.SEPARATED_HAZARDS, NO_RATIO, found.messages).astype(object)
    p_value = likelihood_ratio_p(fit, without_arm)
    tails = signed_tails(p_value, found.estimate)
    return {**numbers, "p_value": p_value, "p_lower": tails.lower, "p_upper": tails.upper}, status


def _events(data: AnalysisData, included: Flags, course: _Course) -> dict[str, NDArray[np.int64]] | None:
    if data.blinded:
        return None
    lost = included & (course.first_with > 0)
    return {arm.id: (lost & data.in_arm(arm.id)).sum(axis=1) for arm in data.protocol.arms}


def _table(data: AnalysisData, analysis: Analysis, options: Options, members: Flags, course: _Course) -> ResultTable:
    """Who was lost by visit in the data's own trial, arm by arm; everybody together in a blinded run."""
    trial = data.trial
    groups = {POOLED: members} if data.blinded else {a.id: members & data.in_arm(a.id) for a in data.protocol.arms}
    rows = [
        row
        for arm, mask in groups.items()
        for row in _rows(arm, options.visits, course, trial, np.flatnonzero(mask[trial]))
    ]
    notes = (f"A value below {options.below:g} is a loss, and for good.", PICTURE)
    return ResultTable(analysis.id, analysis.label, COLUMNS, tuple(rows), notes)


def _rows(
    arm: str, visits: tuple[str, ...], course: _Course, trial: int, people: NDArray[np.intp]
) -> Iterator[tuple[str | int | float | None, ...]]:
    first, last = course.first_with[trial, people], course.last_without[trial, people]
    lost_so_far, share = 0, 1.0
    for number, visit in enumerate(visits, 1):
        waiting = (first < 0) | (first >= number)
        seen = waiting & course.seen[trial, people, number - 1]
        lost = int((first == number).sum())
        lost_so_far += lost
        followed = int(((first >= number) | ((first < 0) & (last >= number))).sum())
        share *= 1 - lost / followed if followed else 1.0
        missing = int((waiting & ~seen).sum())
        yield visit, arm, int(seen.sum()), missing, lost, lost_so_far, finite(share) if people.size else None


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    yield from baseline_objections(protocol, options.baseline)
    if len(protocol.arms) != 2:
        message = f"this method compares two arms, and the protocol has {len(protocol.arms)}"
        yield Objection((), "two-arms", message, "Choose another method.")
    estimand = estimand_of(protocol, analysis)
    if estimand is None:
        return
    if estimand.summary != SUMMARY:
        message = f"this method estimates a ratio of hazards, a {SUMMARY}, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")
    order = [visit.id for visit in protocol.visits]
    known = [name for name in options.visits if name in order]
    for place, name in enumerate(options.visits):
        if name not in order:
            remedy = f"Name one of: {', '.join(order)}."
            yield Objection(("visits", place), "known-visit", f"there is no visit {name!r}", remedy)
    first = {item.id: item.visit for item in protocol.conventions.baselines}.get(options.baseline)
    sequence = [order.index(name) for name in ([first] if first in order else []) + known]
    if sequence != sorted(set(sequence)) or (known and known[-1] != options.of(estimand)[1]):
        message = "the visits do not run from the baseline to the visit of the estimand"
        remedy = f"Name visits after the baseline in their order, the last {options.of(estimand)[1]!r}."
        yield Objection(("visits",), "visits-in-order", message, remedy)


METHOD = Method(
    name="interval-censored",
    title="Hazard ratio of a loss that is seen at visits",
    options=Options,
    page="interval_censored",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, declared=True, failure=-np.inf),
)
