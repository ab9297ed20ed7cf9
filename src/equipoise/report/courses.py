"""Each participant's course, outcome by outcome, to look through on a screen."""

from __future__ import annotations

import polars as pl

from equipoise.documents.courses import Course, CourseOutcome, Courses
from equipoise.documents.numbers import digits
from equipoise.report.outcomes import CONCENTRATIONS, time_scale
from equipoise.report.shown import PURE
from equipoise.report.source import Described, ReportSource

MOST_VALUES = 40_000
"""Values that a page holds for looking through; of outcomes beyond, the datasets tell."""


def courses_block(source: ReportSource) -> Courses | None:
    """Every outcome that a descriptive analysis follows over two visits or more, main outcomes first; None for none."""
    columns = source.values.select("PARAMID", "USUBJID", "AVISIT", "ADY", "AVAL")
    rows = {str(name): part for (name,), part in columns.partition_by("PARAMID", as_dict=True).items()}
    found: dict[str, CourseOutcome] = {}
    left: list[str] = []
    held = 0
    for name, described in _followed(source).items():
        outcome = _outcome(source, described, name, rows.get(name, columns.clear()))
        size = len(outcome.people) * len(outcome.visits)
        if not outcome.people or held + size > MOST_VALUES:
            left += [name] if outcome.people else []
            continue
        held += size
        found[name] = outcome
    if not found:
        return None
    notes = ("Values are those of the dataset ADEFF, means those of the tables in results.json.",)
    if left:
        labels = ", ".join(source.protocol.parameter(name).label for name in left)
        notes += (f"Too many values for this page, and in the dataset ADEFF alone: {labels}.",)
    groups = tuple(style for _, style in source.groups)
    title = "Every participant, outcome by outcome"
    return Courses("courses", title, groups, tuple(found.values()), notes)


def _followed(source: ReportSource) -> dict[str, Described]:
    """Parameter -> the first table that follows it, those of primary and key secondary estimands first."""
    found: dict[str, Described] = {}
    for described in source.described():
        for name in dict.fromkeys(name for name, _ in described.heads if len(described.visits(name)) > 1):
            found.setdefault(name, described)
    main = [item for item in source.protocol.analyses if item.role in ("primary", "key-secondary") and item.estimand]
    first = {source.protocol.estimand(str(item.estimand)).variable.parameter for item in main}
    return {name: found[name] for name in sorted(found, key=lambda name: name not in first)}


def _outcome(source: ReportSource, described: Described, name: str, rows: pl.DataFrame) -> CourseOutcome:
    """One outcome; rows: its values in the dataset."""
    parameter = source.protocol.parameter(name)
    counted = described.visits(name)
    visits = [visit for visit in counted if any(described.count(name, visit, "n", g) for g in described.groups)]
    visits = visits or counted
    scale = time_scale(source, visits)
    means = tuple(
        tuple(
            None if value is None else digits(value, parameter.decimals)
            for value in (described.get(name, visit, "mean", group) for visit in visits)
        )
        for group, _ in source.groups
    )
    people = tuple(_people(source, rows, visits, parameter.decimals))
    values = rows["AVAL"]
    log = parameter.unit in CONCENTRATIONS and values.len() > 0 and bool((values > 0).all())
    labels = tuple(source.protocol.visit(visit).label for visit in visits)
    places = tuple(round(scale.places[visit], 4) for visit in visits)
    unit = "" if parameter.unit == PURE else parameter.unit
    return CourseOutcome(parameter.label, unit, labels, places, means, people, log)


def _people(source: ReportSource, rows: pl.DataFrame, visits: list[str], decimals: int) -> list[Course]:
    """Participants with any value, by group; in a blinded run everybody is in one group."""
    labels = {source.protocol.visit(visit).label: place for place, visit in enumerate(visits)}
    places = {arm.label: place for place, arm in enumerate(source.protocol.arms)}
    arms = dict(source.subjects.select("USUBJID", "ARM").iter_rows())
    values: dict[str, list[str | None]] = {}
    days: dict[str, list[int | None]] = {}
    for who, visit, day, value in rows.select("USUBJID", "AVISIT", "ADY", "AVAL").iter_rows():
        if visit in labels:
            values.setdefault(who, [None] * len(visits))[labels[visit]] = digits(value, decimals)
            days.setdefault(who, [None] * len(visits))[labels[visit]] = None if day is None else round(day)
    groups = {who: 0 if source.blinded else places.get(arms.get(who) or "") for who in values}
    found = [(group, who) for who, group in groups.items() if group is not None]
    return [Course(who, group, tuple(values[who]), tuple(days[who])) for group, who in sorted(found)]
