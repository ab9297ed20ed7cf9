"""How many events a person has had by each day, on average: the mean cumulative function of each arm, for a figure.

Observation is that of the parameter that counts the events: from its first day to the last day that a collection
covers. Days without a diary between are time under observation here; rates (negative binomial) take them out. With
fewer than 20 people in an arm the robust variance is too small, so that there is neither interval nor p-value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.comparison import POOLED
from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.derivations import event_count
from equipoise.analysis.derivations.measured import find_test
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.methods.panel import estimand_of
from equipoise.analysis.recorded import answered, counted_by, recorded
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import plain
from equipoise.protocol.schema.inference import Analysis
from equipoise.source.digest import canonical_json
from equipoise.stats.mean_cumulative import MeanCumulative, mean_cumulative
from equipoise.stats.status import Status
from equipoise.stats.student import infer

ENOUGH = 20
"""People in an arm from whom on the robust variance is used."""
NORMAL_DF = 1e10
"""Degrees of freedom at which t is normal to ten digits."""
TOO_FEW = (
    f"fewer than {ENOUGH} people in an arm: the robust variance is too small, so that there is neither interval nor "
    "p-value; compare rates by the negative binomial"
)
NO_EVENT = "neither arm has an event, so that there is nothing to compare; report an upper limit for each arm's rate"
NUMBERS = ("estimate", "standard_error", "lower", "upper", "p_value")
COLUMNS = (
    TableColumn("arm", "Group"),
    TableColumn("day", "Study day"),
    TableColumn("mean", "Mean events so far"),
    TableColumn("lower", "Lower limit"),
    TableColumn("upper", "Upper limit"),
    TableColumn("under_observation", "People under observation"),
)
NOTES = (
    "The function steps up on the days of events and is flat between; its last row is the end of observation.",
    f"Pointwise limits from {ENOUGH} people in an arm on; with fewer they would be too narrow.",
)


class Options(Endpoint):
    """The count, where it is not the estimand's own, and the visit up to which events are shown."""


@dataclass(frozen=True, slots=True)
class _Observed:
    """Events that count, as rows, and the days under observation (R, n), open on the left; NaN for nobody's."""

    trial: NDArray[np.int64]
    person: NDArray[np.int64]
    day: Floats
    start: float
    end: Floats


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    members, level = population(data, analysis), level_of(data, analysis)
    observed = _observed(data, parameter, visit)
    complete = ~np.isnan(observed.end)
    n, missing = counted(data, members, complete)
    pair = (estimand.contrast.active, estimand.contrast.reference)
    columns = {name: np.full(data.panel.trials, np.nan) for name in NUMBERS}
    status = np.full(data.panel.trials, BLINDED, dtype=object)
    masks = {arm.id: members & complete & data.in_arm(arm.id) for arm in data.protocol.arms}
    for trial in () if data.blinded else range(data.panel.trials):
        both = [masks[arm][trial] for arm in pair]
        active, reference = (_function(observed, trial, mask, level) for mask in both)
        numbers, status[trial] = _difference(active, reference, level)
        if status[trial] == "ok" and min(mask.sum() for mask in both) < ENOUGH:
            numbers, status[trial] = {"estimate": numbers["estimate"]}, TOO_FEW
        for name, number in numbers.items():
            columns[name][trial] = number
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values=columns,
        n=n,
        missing=missing,
        status=status,
        level=level,
        covariance="robust",
    )
    groups = {POOLED: members & complete} if data.blinded else masks
    return Outcome((estimate,), (_table(data, analysis, observed, groups, level),))


def _observed(data: AnalysisData, parameter: str, visit: str) -> _Observed:
    """The events behind a count and the time in which they were recorded, as the derivation `event-count` has them."""
    options = _counting(data.protocol, parameter)
    assert options is not None, "the plan has checked the parameter"
    rows, start = data.panel.events, float(options.since) - 1
    mine = rows.columns["assessment"] == options.events
    if options.levels:
        mine &= np.isin(rows.columns["level"], options.levels)
    if options.grade is not None:
        mine &= np.nan_to_num(np.asarray(rows.columns["grade"], np.float64)) >= options.grade
    if options.related:
        mine &= np.asarray(rows.columns["related"], np.float64) == 1
    covered = _covered(data, options, data.panel.visit_index(visit))
    known = recorded(data.panel, options.events) & answered(data.panel, options.events, counted_by(dict(options)))
    covered = np.where(known[:, np.newaxis], covered, np.nan)
    if data.until is not None:
        covered = np.minimum(covered, data.until)
    end = np.where(covered > start, covered, np.nan)
    day = np.asarray(rows.columns["start_day"], np.float64)
    mine &= (day > start) & (day <= np.nan_to_num(end, nan=-np.inf)[rows.trial, rows.participant])
    return _Observed(rows.trial[mine], rows.participant[mine], day[mine], start, end)


def _counting(protocol: Protocol, name: str) -> event_count.Options | None:
    """The options by which a parameter counts events; None where it is anything else."""
    parameter = next((item for item in protocol.parameters if item.id == name), None)
    if parameter is None or parameter.derivation != event_count.DERIVATION.name:
        return None
    return event_count.Options.model_validate_json(canonical_json(plain(parameter.options)))


def _covered(data: AnalysisData, options: event_count.Options, last: int) -> Floats:
    """The day until which each person's record is complete as of a visit, (R, n); NaN before any collection."""
    panel = data.panel
    visits = panel.protocol.visits
    if options.collected is None:
        return np.minimum(visits[last].day + visits[last].after, panel.covariates["last_contact_day"])
    found = find_test(panel.protocol, options.collected)
    assert found is not None, "the plan has checked the source"
    block = panel.blocks[found[0].id]
    there = ~np.isnan(block.test(found[1].id)[0][..., 0])
    until = np.full(there.shape[:2], np.nan)
    for place, visit in enumerate(visits[: last + 1]):
        if visit.id in block.visits:
            at = block.visits.index(visit.id)
            day = np.where(np.isnan(block.day[:, :, at]), visits[place].day, block.day[:, :, at])
            until = np.where(there[:, :, at], day, until)
    return until


def _function(observed: _Observed, trial: int, mask: Flags, level: float) -> MeanCumulative:
    people = np.flatnonzero(mask)
    number = np.full(len(mask), -1)
    number[people] = np.arange(len(people))
    mine = (observed.trial == trial) & (number[observed.person] >= 0)
    start = np.full(len(people), observed.start)
    return mean_cumulative(
        number[observed.person[mine]], observed.day[mine], start, observed.end[trial, people], level=level
    )


def _difference(active: MeanCumulative, reference: MeanCumulative, level: float) -> tuple[dict[str, float], str]:
    """The difference of the arms' means at the end of observation, by their robust errors and the normal distribution.

    An arm without events has the mean 0 and the error 0; without people there is no difference.
    """
    arms = (active, reference)
    if any(arm.status == Status.NO_OBSERVATIONS for arm in arms):
        return {}, Status.NO_OBSERVATIONS.text
    if all(arm.status == Status.NO_EVENTS for arm in arms):
        return {}, NO_EVENT
    mean, error = (
        [float(values[-1]) if values.size else 0.0 for values in each]
        for each in ([arm.mean for arm in arms], [arm.standard_error for arm in arms])
    )
    estimate, spread = np.array([mean[0] - mean[1]]), np.array([float(np.hypot(error[0], error[1]))])
    found = infer(estimate, spread, np.array([NORMAL_DF]), spread > 0, level=level)
    numbers = (estimate, spread, found.lower, found.upper, found.p_value)
    return {name: float(number[0]) for name, number in zip(NUMBERS, numbers, strict=True)}, "ok"


def _table(
    data: AnalysisData, analysis: Analysis, observed: _Observed, groups: dict[str, Flags], level: float
) -> ResultTable:
    rows = [row for arm, mask in groups.items() for row in _rows(arm, observed, data.trial, mask[data.trial], level)]
    notes = (*NOTES, BLINDED) if data.blinded else NOTES
    return ResultTable(analysis.id, analysis.label, COLUMNS, tuple(rows), notes)


def _rows(
    arm: str, observed: _Observed, trial: int, mask: Flags, level: float
) -> Iterator[tuple[str | int | float | None, ...]]:
    """A row for the first day, for each day with an event, and for the last day under observation."""
    people = int(mask.sum())
    if not people:
        return
    found = _function(observed, trial, mask, level)
    last = float(observed.end[trial, mask].max())
    at_end = int((observed.end[trial, mask] >= last).sum())
    yield arm, observed.start, 0.0, None, None, people
    for day, mean, lower, upper, at_risk in zip(
        found.time, found.mean, found.lower, found.upper, found.at_risk, strict=True
    ):
        limits = (finite(lower), finite(upper)) if people >= ENOUGH else (None, None)
        yield arm, float(day), float(mean), *limits, int(at_risk)
    if not found.time.size or found.time[-1] < last:
        limits = (finite(found.lower[-1]), finite(found.upper[-1])) if found.time.size and people >= ENOUGH else ()
        yield arm, last, float(found.at(np.array([last]))[0]), *(limits or (None, None)), at_end


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    estimand = estimand_of(protocol, analysis)
    if analysis.family is not None:
        message = "the mean cumulative function is a picture, and decides nothing in a family"
        yield Objection((), "picture-in-family", message, "Leave it out of families.")
    if estimand is None:
        return
    name = options.of(estimand)[0]
    parameter = next((item for item in protocol.parameters if item.id == name), None)
    if parameter is not None and parameter.derivation != event_count.DERIVATION.name:
        message = f"{name!r} counts no events"
        yield Objection((), "parameter-counts-events", message, "Name a parameter of the derivation event-count.")


METHOD = Method(
    name="mean-cumulative",
    title="Mean cumulative function of events",
    options=Options,
    page="mean_cumulative",
    rows="adae",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True, counts=True),
)
