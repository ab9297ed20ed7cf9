"""Adverse events by arm and period: who had any, how many, how bad, over which time at risk; by term; the serious ones.

Time at risk begins at the protocol's procedure (the first interventions of SDTM's domain PR, as a bone-marrow
aspiration), whose harm belongs to the treatment, and at the first period where there is none. It ends with the last
contact; an event is a contact too, so that none is lost. A period's time runs until the day before the next one; the
time before the first period stands apart. Days are whole: both ends count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import population
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import Rows
from equipoise.stats.binomial import clopper_pearson

YEAR = 365.25
LEVEL = 0.95
SEVERE, FATAL = 3, 5
WHOLE, BEFORE = "whole", "before"
PROCEDURES = "PR"
ANY, UNGRADED = "any", "not graded"
HEAD = (
    TableColumn("assessment", "Events"),
    TableColumn("label", "Label"),
    TableColumn("period", "Period"),
    TableColumn("period_label", "Label of the period"),
)


class Options(Part):
    """Which events are told, and whether by term."""

    events: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """Assessments of class events, each with its own block of every table."""
    by_term: bool = True


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


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    exposed = _exposed(data, analysis, options)
    tables = [_summary(data, analysis, options, exposed)]
    if options.by_term:
        tables.append(_terms(analysis, options, exposed, data.protocol))
    tables.append(_serious(data, analysis, exposed))
    return Outcome(tables=tuple(tables))


def _exposed(data: AnalysisData, analysis: Analysis, options: Options) -> Exposed:
    members = population(data, analysis)[data.trial]
    arms = () if data.blinded else data.protocol.arms
    groups = [Group(arm.id, arm.label, members & data.in_arm(arm.id)[data.trial]) for arm in arms]
    groups.append(Group("all", "All participants", members))
    procedure = _procedure(data.protocol)
    rows = _chosen(data.panel.events, data.trial, options.events)
    start, end = _time_at_risk(data, members, procedure, rows)
    day = np.asarray(rows.columns["start_day"], np.float64)
    early = day < start[rows.participant]
    counted = members[rows.participant] & ~np.isnan(start[rows.participant]) & ~early
    return Exposed(tuple(groups), _segments(data.protocol, procedure), start, end, rows, counted)


def _procedure(protocol: Protocol) -> str | None:
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


def _summary(data: AnalysisData, analysis: Analysis, options: Options, exposed: Exposed) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for name in options.events:
        label = data.protocol.assessment(name).label
        for segment in exposed.segments:
            head = (name, label, segment.id, segment.label)
            rows += [(*head, *row) for row in _statistics(exposed, segment, name)]
    groups = (TableColumn(group.id, group.label) for group in exposed.groups)
    columns = (*HEAD, TableColumn("statistic", "Statistic"), *groups)
    return ResultTable(analysis.id, analysis.label, columns, tuple(rows), tuple(_notes(data, analysis, exposed)))


def _statistics(exposed: Exposed, segment: Segment, assessment: str) -> Iterator[tuple[Cell, ...]]:
    """Each statistic of a segment with its cell of every group."""
    days = exposed.days(segment)
    at_risk = [int((group.members & (days > 0)).sum()) for group in exposed.groups]
    yield ("at risk", *at_risk)
    yield ("person-years", *(finite(days[group.members].sum() / YEAR) for group in exposed.groups))
    chosen = exposed.within(segment, assessment)
    for name, flags in _kinds(exposed, assessment):
        if flags is None:  # nobody answered
            yield (f"participants: {name}", *(None for _ in exposed.groups))
            yield (f"events: {name}", *(None for _ in exposed.groups))
        else:
            people, events = _numbers(exposed, chosen & flags)
            yield (f"participants: {name}", *people)
            yield (f"events: {name}", *events)
            if name == "serious and related":
                limits = clopper_pearson(np.array(people), np.array(at_risk), level=LEVEL, sides="upper").upper
                yield ("upper limit: serious and related", *(finite(float(limit)) for limit in limits))


def _kinds(exposed: Exposed, assessment: str) -> Iterator[tuple[str, Flags | None]]:
    """What is counted, and which events are of that kind; None where events have no answer to it."""
    mine = exposed.rows.columns["assessment"] == assessment
    grade, level = exposed.column("grade"), exposed.column("level")
    serious, related = exposed.column("serious"), exposed.column("related")

    def told(*columns: Floats) -> bool:
        return not mine.any() or all(bool((~np.isnan(column[mine])).any()) for column in columns)

    yield ANY, mine
    if _levelled(exposed, assessment):
        for number in (1, 2, 3):
            yield f"level {number}", level == number
    else:
        yield f"grade {SEVERE} or more", grade >= SEVERE if told(grade) else None
    yield "serious", serious == 1 if told(serious) else None
    yield "related", related == 1 if told(related) else None
    yield "serious and related", (serious == 1) & (related == 1) if told(serious, related) else None
    if not _levelled(exposed, assessment):
        yield f"grade {FATAL} (death)", grade == FATAL if told(grade) else None


def _levelled(exposed: Exposed, assessment: str) -> bool:
    """Whether the events have levels (as hypoglycaemia) and no grades."""
    mine = exposed.rows.columns["assessment"] == assessment
    graded = ~np.isnan(exposed.column("grade")[mine])
    return bool((~np.isnan(exposed.column("level")[mine])).any() and not graded.any())


def _numbers(exposed: Exposed, chosen: Flags) -> tuple[list[int], list[int]]:
    """Participants with any of the chosen events, and events, in each group."""
    each = np.bincount(exposed.rows.participant[chosen], minlength=len(exposed.start))
    people = [int(((each > 0) & group.members).sum()) for group in exposed.groups]
    return people, [int(each[group.members].sum()) for group in exposed.groups]


def _notes(data: AnalysisData, analysis: Analysis, exposed: Exposed) -> Iterator[str]:
    procedure = _procedure(data.protocol)
    begins = data.protocol.assessment(procedure).label if procedure else data.protocol.periods[0].label
    yield f"Analysis set: {analysis.analysis_set}."
    yield f"Time at risk: from {begins} to the last contact; each period's until the day before the next period."
    yield f"Upper limits are one-sided exact {LEVEL:.0%} limits (Clopper-Pearson) of the share of those at risk."
    members = exposed.groups[-1].members
    early = int((members[exposed.rows.participant] & ~exposed.counted).sum())
    if early:
        yield f"{early} recorded before the time at risk began: not counted."
    undated = int((exposed.counted & np.isnan(exposed.column("start_day"))).sum())
    if undated and len(exposed.segments) > 1:
        yield f"{undated} without a day: counted in no period."
    for name, what in (("serious", "seriousness"), ("related", "relation to the treatment")):
        blank = np.isnan(exposed.column(name))
        some = {str(a) for a in exposed.rows.columns["assessment"][~blank]}
        missing = int((exposed.counted & blank & np.isin(exposed.rows.columns["assessment"], list(some))).sum())
        if missing:
            yield f"{missing} without an answer to {what}: counted as no."


def _terms(analysis: Analysis, options: Options, exposed: Exposed, protocol: Protocol) -> ResultTable:
    """Participants at their worst grade of each term, and events at each grade; the most frequent terms first."""
    rows: list[tuple[Cell, ...]] = []
    for name in options.events:
        chosen = exposed.counted & (exposed.rows.columns["assessment"] == name)
        for term, category in _ordered_terms(exposed, chosen):
            same = exposed.rows.columns["term"] == term
            for segment in exposed.segments:
                flags = exposed.within(segment, name) & same
                if flags.any():
                    head = (name, protocol.assessment(name).label, segment.id, segment.label, term, category)
                    rows += [(*head, *row) for row in _by_grade(exposed, flags)]
    columns = (
        *HEAD,
        TableColumn("term", "Term"),
        TableColumn("category", "Category"),
        TableColumn("grade", "Worst grade"),
        *(TableColumn(f"{group.id}/participants", f"{group.label}: participants") for group in exposed.groups),
        *(TableColumn(f"{group.id}/events", f"{group.label}: events") for group in exposed.groups),
    )
    notes = ("A participant is counted once a term, at the worst grade in that time; events at their own grade.",)
    return ResultTable(f"{analysis.id}/by-term", f"{analysis.label}: by term", columns, tuple(rows), notes)


def _ordered_terms(exposed: Exposed, chosen: Flags) -> list[tuple[str, str]]:
    """Terms with their category: by participants, then events, then alphabet."""
    terms, people = exposed.rows.columns["term"][chosen], exposed.rows.participant[chosen]
    categories = dict(zip(map(str, terms[::-1]), map(str, exposed.rows.columns["category"][chosen][::-1]), strict=True))
    events = Counter(map(str, terms))
    persons = Counter(term for term, _ in {(str(t), int(p)) for t, p in zip(terms, people, strict=True)})
    return [(term, categories[term]) for term in sorted(events, key=lambda t: (-persons[t], -events[t], t))]


def _by_grade(exposed: Exposed, flags: Flags) -> Iterator[tuple[Cell, ...]]:
    """One row for any grade, then one for each grade seen, the worst first."""
    yield (ANY, *(cell for cells in _numbers(exposed, flags) for cell in cells))
    severity = np.fmax(exposed.column("grade"), exposed.column("level"))
    scale = "level" if np.isnan(exposed.column("grade")[flags]).all() else "grade"
    code = np.where(np.isnan(severity), 0, severity).astype(np.int64)
    worst = np.full(len(exposed.start), -1)
    np.maximum.at(worst, exposed.rows.participant[flags], code[flags])
    for grade in sorted({int(c) for c in code[flags]}, reverse=True):
        people = [int(((worst == grade) & group.members).sum()) for group in exposed.groups]
        events = _numbers(exposed, flags & (code == grade))[1]
        yield (f"{scale} {grade}" if grade else UNGRADED, *people, *events)


def _serious(data: AnalysisData, analysis: Analysis, exposed: Exposed) -> ResultTable:
    """Every serious event of a member, those before the time at risk too, by participant and day."""
    arms = [] if data.blinded else [TableColumn("arm", "Arm")]
    columns = (
        TableColumn("participant", "Participant"),
        *arms,
        TableColumn("period", "Period"),
        TableColumn("day", "Study day", "days"),
        TableColumn("since_dose", "Days since the last dose", "days"),
        TableColumn("term", "Term"),
        TableColumn("category", "Category"),
        TableColumn("grade", "Grade"),
        TableColumn("related", "Related"),
        TableColumn("outcome", "Outcome"),
    )
    members = exposed.groups[-1].members
    chosen = members[exposed.rows.participant] & (exposed.column("serious") == 1)
    day = exposed.column("start_day")
    order = sorted(np.flatnonzero(chosen), key=lambda row: (exposed.rows.participant[row], day[row]))
    rows = tuple(_line(data, exposed, int(row)) for row in order)
    return ResultTable(f"{analysis.id}/serious", f"{analysis.label}: serious events", columns, rows)


def _line(data: AnalysisData, exposed: Exposed, row: int) -> tuple[Cell, ...]:
    person = int(exposed.rows.participant[row])
    text = {name: str(exposed.rows.columns[name][row]) or None for name in ("term", "category", "outcome")}
    number = {name: finite(float(exposed.column(name)[row])) for name in ("start_day", "grade", "level", "related")}
    code = int(data.panel.arm[data.trial, person])
    arms = [] if data.blinded else [data.protocol.arms[code].label if code >= 0 else None]
    severity = [f"{scale} {number[scale]:.0f}" for scale in ("grade", "level") if number[scale] is not None]
    related = {None: None, 0.0: "no", 1.0: "yes"}[number["related"]]
    day = number["start_day"]
    return (
        data.panel.ids[person],
        *arms,
        _period_of(exposed, day),
        _whole(day),
        _whole(_since_dose(data, person, day)),
        text["term"],
        text["category"],
        next(iter(severity), None),
        related,
        text["outcome"],
    )


def _period_of(exposed: Exposed, day: float | None) -> str | None:
    found = [s.label for s in exposed.segments if s.id != WHOLE and day is not None and s.first <= day < s.end]
    return found[0] if found else None


def _since_dose(data: AnalysisData, person: int, day: float | None) -> float | None:
    """Days from the last study dose given on or before `day`; None where there was none."""
    rows = data.panel.interventions
    mine = (rows.trial == data.trial) & (rows.participant == person) & (rows.columns["status"] == "given")
    doses = np.asarray(rows.columns["day"], np.float64)[mine & (rows.columns["treatment"] == STUDY_TREATMENT)]
    earlier = doses[doses <= day] if day is not None else doses[:0]
    return None if day is None or not earlier.size else day - float(earlier.max())


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    known = [item.id for item in protocol.assessments if item.observation_class == "events"]
    for index, name in enumerate(options.events):
        if name not in known:
            remedy = f"Name one of: {', '.join(known) or 'none'}."
            yield Objection(("events", index), "known-event", f"there are no events {name!r}", remedy)
    if analysis.analysis_set is None:
        message = "a table of adverse events has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="adverse-events", title="Adverse events by arm and period", options=Options, run=_run, objections=_objections
)
