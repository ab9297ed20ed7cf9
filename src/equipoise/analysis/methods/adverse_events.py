"""Adverse events by arm and period: who had any, how many, how bad, over which time at risk; by term; serious ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.methods.time_at_risk import WHOLE, YEAR, Exposed, Segment, exposed_to, procedure_of
from equipoise.analysis.recorded import not_recorded_note, unanswered, unanswered_note, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.stats.binomial import clopper_pearson

LEVEL = 0.95
SEVERE, FATAL = 3, 5
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


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    exposed = exposed_to(data, analysis, options.events)
    tables = [_summary(data, analysis, options, exposed)]
    if options.by_term:
        tables.append(_terms(analysis, options, exposed, data.protocol))
    tables.append(_serious(data, analysis, options, exposed))
    return Outcome(tables=tuple(tables))


def _summary(data: AnalysisData, analysis: Analysis, options: Options, exposed: Exposed) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for name in options.events:
        label = data.protocol.assessment(name).label
        for segment in exposed.segments:
            head = (name, label, segment.id, segment.label)
            rows += [(*head, *row) for row in _statistics(exposed, segment, name)]
    groups = (TableColumn(group.id, group.label) for group in exposed.groups)
    columns = (*HEAD, TableColumn("statistic", "Statistic"), *groups)
    silent = unrecorded(data, options.events)
    rows = [_blank(row) if row[0] in silent else row for row in rows]
    notes = [*_notes(data, analysis, exposed), *([not_recorded_note(data.protocol, silent)] if silent else [])]
    return ResultTable(analysis.id, analysis.label, columns, tuple(rows), tuple(notes))


def _blank(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """A row of events that were not recorded: time at risk is known, counts and limits are not."""
    told = row[len(HEAD)] in ("at risk", "person-years")
    return row if told else (*row[: len(HEAD) + 1], *(None for _ in row[len(HEAD) + 1 :]))


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
    procedure = procedure_of(data.protocol)
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
    """Participants at their worst grade of each term, and events at each grade.

    Terms stand under their category, a system organ class, whose line of all terms comes first; most frequent first.
    """
    rows: list[tuple[Cell, ...]] = []
    for name in options.events:
        chosen = exposed.counted & (exposed.rows.columns["assessment"] == name)
        for category, terms in _ordered(exposed, chosen):
            within = exposed.rows.columns["category"] == category
            for term in ([ANY] if category else []) + terms:
                same = within if term == ANY else within & (exposed.rows.columns["term"] == term)
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
    once = "A participant is counted once a term, and once a category, at the worst grade in that time"
    notes = (f"{once}; events at their own grade.",)
    return ResultTable(f"{analysis.id}/by-term", f"{analysis.label}: by term", columns, tuple(rows), notes)


def _ordered(exposed: Exposed, chosen: Flags) -> list[tuple[str, list[str]]]:
    """Categories with their terms, each by participants, then events, then alphabet."""
    people = exposed.rows.participant[chosen].tolist()
    category, term = (exposed.rows.columns[name][chosen] for name in ("category", "term"))
    pairs = [(str(group), str(word)) for group, word in zip(category, term, strict=True)]
    terms = _by_frequency(pairs, people)
    groups = _by_frequency([pair[:1] for pair in pairs], people)
    return [(group, [pair[1] for pair in terms if pair[0] == group]) for (group,) in groups]


def _by_frequency(names: Sequence[tuple[str, ...]], people: Sequence[int]) -> list[tuple[str, ...]]:
    events = Counter(names)
    persons = Counter(name for name, _ in set(zip(names, people, strict=True)))
    return sorted(events, key=lambda name: (-persons[name], -events[name], name))


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


def _serious(data: AnalysisData, analysis: Analysis, options: Options, exposed: Exposed) -> ResultTable:
    """Every serious event of a member, those before the time at risk too, by participant and day."""
    arms = [] if data.blinded else [TableColumn("arm", "Arm")]
    columns = (
        TableColumn("participant", "Participant"),
        *arms,
        TableColumn("period", "Period"),
        TableColumn("day", "Study day"),
        TableColumn("since_dose", "Days since the last dose"),
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
    silent = unrecorded(data, options.events)
    notes = [not_recorded_note(data.protocol, silent)] if silent else []
    blank = [name for name in options.events if unanswered(data, name, ("serious",))]
    notes += [unanswered_note(data.protocol, name, ("serious",)) for name in blank]
    return ResultTable(f"{analysis.id}/serious", f"{analysis.label}: serious events", columns, rows, tuple(notes))


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
    name="adverse-events",
    title="Adverse events by arm and period",
    options=Options,
    page="adverse_events",
    rows="adae",
    run=_run,
    objections=_objections,
)
