"""Time at risk of harm: from when to when each participant was at risk, in which periods, with which events.

It begins at the protocol's procedure (the first interventions of SDTM's domain PR, as a bone-marrow aspiration), whose
harm belongs to the treatment, and at the first period where there is none. It ends with the last contact; an event is a
contact too, so that none is lost. A period's time runs until the day before the next one; the time before the first
period stands apart. Days are whole: both ends count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import population
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import Rows

YEAR = 365.25
WHOLE, BEFORE = "whole", "before"
PROCEDURES = "PR"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time at risk, in study days from `first` to before `end`."""

    id: str
    label: str
    first: float
    end: float


@dataclass(frozen=True, slots=True)
class Group:
    """A column of the tables: an arm, or everybody; members (n,)."""

    id: str
    label: str
    members: Flags


@dataclass(frozen=True, slots=True)
class Exposed:
    """The analysis set's people and events of one trial.

    start, end: (n,) first and last day at risk; NaN for who was never at risk.
    rows:       the trial's events of the assessments asked for, whoever had them and whenever.
    counted:    which of the rows a member had within the time at risk, or on an unknown day.
    """

    groups: tuple[Group, ...]
    segments: tuple[Segment, ...]
    start: Floats
    end: Floats
    rows: Rows
    counted: Flags

    def column(self, name: str) -> Floats:
        """A column of numbers of the events."""
        return np.asarray(self.rows.columns[name], np.float64)

    def days(self, segment: Segment) -> Floats:
        """Days at risk of each participant within a segment, (n,)."""
        first, last = np.maximum(self.start, segment.first), np.minimum(self.end, segment.end - 1)
        return np.nan_to_num(np.maximum(last - first + 1, 0.0))

    def within(self, segment: Segment, assessment: str) -> Flags:
        """The counted events of an assessment that began in a segment; in the last, the whole, undated ones too."""
        start = self.column("start_day")
        inside = (start >= segment.first) & (start < segment.end)
        if segment is self.segments[-1]:
            inside |= np.isnan(start)
        return self.counted & inside & (self.rows.columns["assessment"] == assessment)


def exposed_to(data: AnalysisData, analysis: Analysis, assessments: tuple[str, ...]) -> Exposed:
    """Who was at risk, from when until when, and their events of these assessments."""
    members = population(data, analysis)[data.trial]
    arms = () if data.blinded else data.protocol.arms
    groups = [Group(arm.id, arm.label, members & data.in_arm(arm.id)[data.trial]) for arm in arms]
    groups.append(Group("all", "All participants", members))
    procedure = procedure_of(data.protocol)
    rows = _chosen(data.panel.events, data.trial, assessments)
    # Whoever had an event of any kind was heard of.
    every = tuple({str(name) for name in data.panel.events.columns["assessment"]})
    told = _chosen(data.panel.events, data.trial, every)
    start, end = _time_at_risk(data, members, procedure, told)
    day = np.asarray(rows.columns["start_day"], np.float64)
    early = day < start[rows.participant]
    counted = members[rows.participant] & ~np.isnan(start[rows.participant]) & ~early
    return Exposed(tuple(groups), _segments(data.protocol, procedure), start, end, rows, counted)


def procedure_of(protocol: Protocol) -> str | None:
    """The interventions that begin the time at risk; None where the protocol has none."""
    found = (a.id for a in protocol.assessments if a.observation_class == "interventions" and a.domain == PROCEDURES)
    return next(found, None)


def _chosen(rows: Rows, trial: int, assessments: tuple[str, ...]) -> Rows:
    mine = (rows.trial == trial) & np.isin(rows.columns["assessment"], assessments)
    columns = {name: column[mine] for name, column in rows.columns.items()}
    return Rows(rows.trial[mine], rows.participant[mine], columns)


def _segments(protocol: Protocol, procedure: str | None) -> tuple[Segment, ...]:
    """Before the first period (where a procedure can lie there), each period until the next, and all of it."""
    periods = protocol.periods
    ends = [*(float(period.first_day) for period in periods[1:]), np.inf]
    found = [Segment(p.id, p.label, float(p.first_day), end) for p, end in zip(periods, ends, strict=True)]
    if procedure is not None:
        infused = all(product.route == "intravenous" for product in protocol.products)
        label = f"Before the first {'infusion' if infused else 'dose'}"
        found.insert(0, Segment(BEFORE, label, -np.inf, float(periods[0].first_day)))
    if len(found) > 1:
        found.append(Segment(WHOLE, "Whole time at risk", -np.inf, np.inf))
    return tuple(found)


def _time_at_risk(data: AnalysisData, members: Flags, procedure: str | None, rows: Rows) -> tuple[Floats, Floats]:
    """First and last day at risk, (n,); NaN for who is no member, or of whom nothing was heard since."""
    panel, trial = data.panel, data.trial
    start = np.full(panel.participants, float(data.protocol.periods[0].first_day))
    done = panel.interventions
    mine = (done.trial == trial) & (done.columns["assessment"] == procedure) & (done.columns["status"] == "given")
    when = np.asarray(done.columns["day"], np.float64)
    for row in np.flatnonzero(mine & ~np.isnan(when)):
        start[done.participant[row]] = min(start[done.participant[row]], when[row])
    heard = np.fmax(panel.covariates["last_contact_day"][trial], -np.inf)
    if panel.visit_day.shape[2]:
        seen = np.nan_to_num(panel.visit_day[trial], nan=-np.inf).max(axis=1)
        heard = np.where(np.isfinite(heard), heard, seen)
    day = np.asarray(rows.columns["start_day"], np.float64)
    np.maximum.at(heard, rows.participant, np.where(np.isnan(day), start[rows.participant], day))
    there = members & (heard >= start)
    return np.where(there, start, np.nan), np.where(there, heard, np.nan)
