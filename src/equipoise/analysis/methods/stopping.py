"""The state of a stopping rule for harm, and related serious events, among those who were given the active product.

Beta-binomial: from the rule's minimum on it is met where P(rate > threshold | events so far) exceeds its certainty,
with rate ~ Beta(alpha + events, beta + others). It is looked at on the calendar, whenever an event is recorded or a
window ends; the order of participants is that of first doses, ties by their numbers in the allocation, never by
identifiers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, population
from equipoise.analysis.methods.dose_windows import ActiveDoses, active_doses, last_calendar_day
from equipoise.analysis.recorded import infusions_of, not_recorded_note, unanswered, unanswered_note, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis, StoppingRule
from equipoise.records.order import ranks
from equipoise.stats.binomial import clopper_pearson
from equipoise.stats.toxicity import ToxicityRule, probability_too_high
from equipoise.stats.toxicity_walk import ToxicityWalk, order_matters, walk_toxicity

LEVEL = 0.95
NOT_RECORDED = "not recorded"
NO_EVENT = "never met: there was no event, in whatever order participants entered"
CANNOT = "whether the rule was ever met cannot be said: "
NO_ENTRY = f"{CANNOT}the records do not hold everybody's day of entry (participants.entry_day)"
NO_DOSE_DAY = f"{CANNOT}the records do not hold the day of every dose of the active product"
NO_SEQUENCE = f"{CANNOT}participants were first dosed on one day, and the allocation does not hold their sequence"


class Options(Part):
    """The rule, and what its event is in the records."""

    rule: Identifier
    events: Identifier
    """An assessment of class events."""
    grade: Annotated[int, Field(ge=1, le=5)]
    """The least grade that counts."""
    within_days: Annotated[int, Field(ge=0, le=3650)]
    """Days after an infusion of the active product, that day included."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    rule = next(item for item in data.protocol.safety.stopping_rules if item.id == options.rule)
    columns = (
        TableColumn("rule", "Rule"),
        TableColumn("treated", "Participants given the active product"),
        TableColumn("counted", "Of them with a complete window or an event in an open one"),
        TableColumn("open", "Still in their window, without an event"),
        TableColumn("events", "With the rule's event"),
        TableColumn("upper", "Upper limit of the share given the product (one-sided 95 %)"),
        TableColumn("posterior", f"P(rate > {rule.threshold:g}) now"),
        TableColumn("met_after", "Met after so many participants"),
        TableColumn("serious_related", "Participants with a related serious event"),
        TableColumn("serious_upper", "Upper limit of that share (one-sided 95 %)"),
        TableColumn("status", "State of the walk"),
    )
    notes = (rule.event, f"Prior Beta({rule.prior[0]:g}, {rule.prior[1]:g}); stop above {rule.certainty:g}.")
    if data.blinded:
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (), (*notes, BLINDED)),))
    silent = unrecorded(data, filter(None, (options.events, infusions_of(data.protocol))))
    if silent:
        row = (rule.id, *(None for _ in columns[2:]), NOT_RECORDED)
        notes = (*notes, not_recorded_note(data.protocol, silent))
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))
    silent = unanswered(data, options.events, ("grade", "related"))
    if silent:
        row = (rule.id, *(None for _ in columns[2:]), NOT_RECORDED)
        notes = (*notes, unanswered_note(data.protocol, options.events, silent))
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))
    doses = active_doses(data, population(data, analysis)[data.trial], options.within_days)
    treated = np.flatnonzero([own.size > 0 for own in doses.days])
    event = _first_event(data, options, doses.days)
    harmed = np.isfinite(event[treated])
    serious = _with_serious(data, options, doses.first)[treated]
    asked = not unanswered(data, options.events, ("serious",))
    walked, status = _walked(data, rule, doses, event, treated)
    if (walked is None or walked.met_after is None) and (unsure := _may_have(data, options, doses.days, event)):
        people = "participant has" if unsure == 1 else "participants have"
        walked, status = None, f"{CANNOT}{unsure} {people} an event whose day, grade or relation is not recorded"
    row = (
        rule.id,
        int(treated.size),
        None if walked is None else walked.counted,
        None if walked is None else walked.open,
        int(harmed.sum()),
        _upper(harmed),
        None if walked is None else _posterior(rule, walked.events, walked.counted),
        None if walked is None else walked.met_after,
        int(serious.sum()) if asked else None,
        _upper(serious) if asked else None,
        status,
    )
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))


def _walked(
    data: AnalysisData, rule: StoppingRule, doses: ActiveDoses, event: Floats, treated: NDArray[np.intp]
) -> tuple[ToxicityWalk | None, str]:
    """The walk through the calendar of those treated, or why it cannot be done."""
    panel, trial = data.panel, data.trial
    if not np.isfinite(event[treated]).any() and np.isnan(panel.covariates["entry_day"][trial, treated]).any():
        return None, NO_EVENT
    entry = panel.covariates["entry_day"][trial, treated]
    first, complete, harm = (days[treated] + entry for days in (doses.first, doses.complete, event))
    if np.isnan(entry).any():
        return None, NO_ENTRY
    if np.isnan(first).any() or np.isnan(complete).any():
        return None, NO_DOSE_DAY
    if np.isnan(panel.entry["sequence"][trial, treated]).any() and order_matters(first, complete, harm):
        return None, NO_SEQUENCE
    order = ranks(panel)[trial, treated].astype(np.float64)
    return walk_toxicity(_stated(rule), first, complete, harm, order, last_calendar_day(panel, trial)), "ok"


def _posterior(rule: StoppingRule, events: int, counted: int) -> float:
    return probability_too_high(_stated(rule), events, counted).item()


def _stated(rule: StoppingRule) -> ToxicityRule:
    return ToxicityRule((rule.prior[0], rule.prior[1]), rule.threshold, rule.certainty, rule.minimum)


def _upper(events: Flags) -> float | None:
    return finite(float(clopper_pearson(int(events.sum()), events.size, level=LEVEL, sides="upper").upper.item()))


def _first_event(data: AnalysisData, options: Options, doses: list[Floats]) -> Floats:
    """The day on which each participant's first related event of the grade within the days of an active dose began."""
    rows = data.panel.events
    found = np.full(data.panel.participants, np.inf)
    mine = _related(data, options) & (np.nan_to_num(np.asarray(rows.columns["grade"], np.float64)) >= options.grade)
    for place in np.flatnonzero(mine):
        person, day = int(rows.participant[place]), float(rows.columns["start_day"][place])
        since = day - doses[person]
        if ((since >= 0) & (since <= options.within_days)).any():
            found[person] = min(found[person], day)
    return found


def _may_have(data: AnalysisData, options: Options, doses: list[Floats], event: Floats) -> int:
    """How many of those treated, without an event of the rule, have one that may be it, for want of an answer."""
    rows = data.panel.events
    mine = (rows.trial == data.trial) & (rows.columns["assessment"] == options.events)
    grade, related = (np.asarray(rows.columns[name], np.float64) for name in ("grade", "related"))
    mine &= (related != 0) & ~(grade < options.grade)  # missing ones among them
    found: set[int] = set()
    for place in np.flatnonzero(mine):
        person, day = int(rows.participant[place]), float(rows.columns["start_day"][place])
        since = day - doses[person]  # missing where either day is
        if since.size and not np.isfinite(event[person]) and (~(since < 0) & ~(since > options.within_days)).any():
            found.add(person)
    return len(found)


def _with_serious(data: AnalysisData, options: Options, first: Floats) -> Flags:
    """Whether each participant had a related serious event from the first active dose on."""
    rows = data.panel.events
    mine = _related(data, options) & (np.asarray(rows.columns["serious"], np.float64) == 1)
    # An event without a day may have come after the dose; who had no dose has an infinite first day.
    mine &= ~(np.asarray(rows.columns["start_day"], np.float64) < first[rows.participant])
    mine &= np.isfinite(first[rows.participant]) | np.isnan(first[rows.participant])
    found = np.zeros(data.panel.participants, np.bool_)
    found[rows.participant[mine]] = True
    return found


def _related(data: AnalysisData, options: Options) -> Flags:
    rows = data.panel.events
    mine = (rows.trial == data.trial) & (rows.columns["assessment"] == options.events)
    return mine & (np.asarray(rows.columns["related"], np.float64) == 1)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    known = {
        "rule": [rule.id for rule in protocol.safety.stopping_rules],
        "events": [item.id for item in protocol.assessments if item.observation_class == "events"],
    }
    for key, names in known.items():
        if getattr(options, key) not in names:
            remedy = f"Name one of: {', '.join(names) or 'none'}."
            yield Objection((key,), f"known-{key}", f"there is no {getattr(options, key)!r}", remedy)
    if analysis.analysis_set is None:
        message = "the state of a rule has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="stopping-rule",
    title="State of a stopping rule",
    options=Options,
    page="stopping_rule",
    rows="adae",
    run=_run,
    objections=_objections,
)
