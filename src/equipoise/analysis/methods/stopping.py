"""The state of a stopping rule for harm, and related serious events, among those who were given the active product.

Beta-binomial: after each treated participant, from the rule's minimum on, it is met where
P(rate > threshold | events so far) exceeds its certainty, with rate ~ Beta(alpha + events, beta + others). Participants
count in the order of their identifiers, which is that of their entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, population
from equipoise.analysis.recorded import infusions_of, not_recorded_note, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis, StoppingRule
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.stats.binomial import clopper_pearson
from equipoise.stats.toxicity import ToxicityRule, probability_too_high, toxicity_boundary

LEVEL = 0.95


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
        TableColumn("events", "Of them with the rule's event"),
        TableColumn("upper", "Upper limit of that share (one-sided 95 %)"),
        TableColumn("posterior", f"P(rate > {rule.threshold:g}) now"),
        TableColumn("met_after", "Met after so many participants"),
        TableColumn("serious_related", "Participants with a related serious event"),
        TableColumn("serious_upper", "Upper limit of that share (one-sided 95 %)"),
    )
    notes = (rule.event, f"Prior Beta({rule.prior[0]:g}, {rule.prior[1]:g}); stop above {rule.certainty:g}.")
    if data.blinded:
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (), (*notes, BLINDED)),))
    silent = unrecorded(data, filter(None, (options.events, infusions_of(data.protocol))))
    if silent:
        row = (rule.id, *(None for _ in columns[1:]))
        notes = (*notes, not_recorded_note(data.protocol, silent))
        return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))
    first, doses = _active_doses(data, population(data, analysis)[data.trial])
    treated = np.flatnonzero(np.isfinite(first))
    harmed = _with_event(data, options, doses, options.grade)[treated]
    serious = _with_serious(data, options, first)[treated]
    row = (
        rule.id,
        int(treated.size),
        int(harmed.sum()),
        _upper(harmed),
        _posterior(rule, int(harmed.sum()), int(treated.size)),
        met_after(rule, harmed),
        int(serious.sum()),
        _upper(serious),
    )
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, (row,), notes),))


def met_after(rule: StoppingRule, events: Flags) -> int | None:
    """After how many participants, in their order, the rule was first met; None where it never was."""
    if not len(events):
        return None
    reached = events.cumsum() >= toxicity_boundary(_stated(rule), len(events))
    return int(reached.argmax()) + 1 if reached.any() else None


def _posterior(rule: StoppingRule, events: int, treated: int) -> float:
    return probability_too_high(_stated(rule), events, treated).item()


def _stated(rule: StoppingRule) -> ToxicityRule:
    return ToxicityRule((rule.prior[0], rule.prior[1]), rule.threshold, rule.certainty, rule.minimum)


def _upper(events: Flags) -> float | None:
    return finite(float(clopper_pearson(int(events.sum()), events.size, level=LEVEL, sides="upper").upper.item()))


def _active_doses(data: AnalysisData, members: Flags) -> tuple[Floats, list[NDArray[np.float64]]]:
    """The day of each participant's first active dose (infinity for none), and the days of all of them."""
    panel, protocol = data.panel, data.protocol
    rows = panel.interventions
    given = (rows.trial == data.trial) & (rows.columns["treatment"] == STUDY_TREATMENT)
    given &= rows.columns["status"] == "given"
    active = {(a.id, p.id) for a in protocol.arms for p in protocol.periods if protocol.role(a.id, p.id) == "active"}
    days: list[list[float]] = [[] for _ in range(panel.participants)]
    for place in np.flatnonzero(given):
        person = int(rows.participant[place])
        code = int(panel.arm[data.trial, person])
        if members[person] and code >= 0 and (protocol.arms[code].id, str(rows.columns["period"][place])) in active:
            days[person].append(float(rows.columns["day"][place]))
    return np.array([min(d, default=np.inf) for d in days]), [np.array(d) for d in days]


def _with_event(data: AnalysisData, options: Options, doses: list[NDArray[np.float64]], grade: int) -> Flags:
    """Whether each participant had a related event of this grade within so many days after an active dose."""
    rows = data.panel.events
    found = np.zeros(data.panel.participants, np.bool_)
    mine = _related(data, options) & (np.nan_to_num(np.asarray(rows.columns["grade"], np.float64)) >= grade)
    for place in np.flatnonzero(mine):
        since = float(rows.columns["start_day"][place]) - doses[int(rows.participant[place])]
        found[rows.participant[place]] |= bool(((since >= 0) & (since <= options.within_days)).any())
    return found


def _with_serious(data: AnalysisData, options: Options, first: Floats) -> Flags:
    """Whether each participant had a related serious event from the first active dose on."""
    rows = data.panel.events
    mine = _related(data, options) & (np.asarray(rows.columns["serious"], np.float64) == 1)
    mine &= np.asarray(rows.columns["start_day"], np.float64) >= first[rows.participant]
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
