"""Each outcome over time: individuals faint, means with intervals, and the number of participants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from equipoise.documents.drawings import ArmTrajectory, Individual, MeanPoint, ReferenceLine, Trajectories
from equipoise.documents.model import FigureBlock, Section
from equipoise.documents.numbers import digits
from equipoise.protocol.schema.measurement import Parameter
from equipoise.report.shown import PURE
from equipoise.report.source import Described, ReportSource
from equipoise.report.trail import origin

DAYS_A_MONTH = 365.25 / 12
MOST_INDIVIDUALS = 60
"""Participants whose lines can still be told apart; of more only the means are drawn."""
CROWDED = 1 / 60
"""Visits closer than this share of the time axis cannot be told apart on it."""
CONCENTRATIONS = ("pg/mL",)
"""Units of levels that range over powers of ten between people, as cytokines' do."""


def outcomes_section(source: ReportSource) -> Section | None:
    """A figure for each parameter that a descriptive analysis follows over two visits or more, table by table."""
    parts: list[Section] = []
    drawn: set[str] = set()
    for described in source.described():
        names = dict.fromkeys(name for name, _ in described.heads if len(described.visits(name)) > 1)
        figures = tuple(_figure(source, described, name) for name in names if name not in drawn)
        drawn |= set(names)
        if figures:
            parts.append(Section(f"outcomes-{described.table.id}", described.table.title, figures))
    if not parts:
        return None
    if len(parts) == 1:
        return Section("outcomes", "Outcomes over time", parts[0].blocks)
    return Section("outcomes", "Outcomes over time", sections=tuple(parts))


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Where visits stand on the time axis: by day, or evenly where some are too close together.

    places: visit -> its place.
    """

    places: Mapping[str, float]
    by_day: bool

    def of(self, visit: str, day: float | None) -> float:
        """The place of a value: its own day on a scale of days, else the visit's."""
        return _months(day) if self.by_day and day is not None else self.places[visit]


def time_scale(source: ReportSource, visits: list[str]) -> TimeScale:
    """The scale on which the visits, in order, can be told apart."""
    days = [source.protocol.visit(visit).day for visit in visits]
    gaps = [later - earlier for earlier, later in pairwise(days)]
    if gaps and min(gaps) < CROWDED * (days[-1] - days[0]):
        return TimeScale({visit: float(number) for number, visit in enumerate(visits)}, by_day=False)
    return TimeScale({visit: _months(day) for visit, day in zip(visits, days, strict=True)}, by_day=True)


def _figure(source: ReportSource, described: Described, name: str) -> FigureBlock:
    parameter = source.protocol.parameter(name)
    visits = described.visits(name)
    shown = [visit for visit in visits if any(described.count(name, visit, "n", g) for g in described.groups)] or visits
    scale = time_scale(source, shown)
    people = _people(source, described, parameter, scale)
    many = people is None
    arms = tuple(
        ArmTrajectory(style, people[group] if people else (), tuple(_means(described, parameter, group, scale)))
        for group, style in source.groups
    )
    log = _on_log_axis(parameter, arms)
    return FigureBlock(
        id=f"figure-{parameter.id}",
        title=_title(source, described, parameter, shown),
        drawing=Trajectories(
            arms=arms,
            x_label="Visits, by time since day 0" if scale.by_day else "Visits in order, evenly spaced",
            y_label=with_unit_of(parameter) + (", log scale" if log else ""),
            ticks=tuple((scale.places[visit], source.protocol.visit(visit).label) for visit in shown),
            divisions=tuple(_divisions(source, shown, scale)),
            y_scale="log" if log else "linear",
            decimals=parameter.decimals,
        ),
        alt=f"{parameter.label}: the mean of each arm{'' if many else ' and each participant'} at {len(shown)} visits.",
        notes=(origin(source, described.table.id, parameter=name),),
    )


def with_unit_of(parameter: Parameter) -> str:
    """A parameter with its unit; a pure number has none."""
    return parameter.label if parameter.unit in ("", PURE) else f"{parameter.label}, {parameter.unit}"


def _people(
    source: ReportSource, described: Described, parameter: Parameter, scale: TimeScale
) -> dict[str, tuple[Individual, ...]] | None:
    """The individuals of each group; None where they are too many to be drawn."""
    groups = [group for group, _ in source.groups]
    seen = [sum(described.count(parameter.id, visit, "n", group) for group in groups) for visit in scale.places]
    if max(seen, default=0) > MOST_INDIVIDUALS:
        return None
    people = {group: tuple(_individuals(source, parameter, group, scale)) for group in groups}
    return people if sum(map(len, people.values())) <= MOST_INDIVIDUALS else None


def _on_log_axis(parameter: Parameter, arms: tuple[ArmTrajectory, ...]) -> bool:
    """Whether it is a concentration that a log axis can hold: every value, mean and lower limit is above 0."""
    values = [y for arm in arms for person in arm.individuals for y in person.y if not math.isnan(y)]
    points = [point for arm in arms for point in arm.means]
    values += [y for point in points for y in (point.mean, point.lower) if not math.isnan(y)]
    return parameter.unit in CONCENTRATIONS and bool(values) and min(values) > 0


def _divisions(source: ReportSource, visits: list[str], scale: TimeScale) -> Iterator[ReferenceLine]:
    """Where a later period begins: its first day, or half way between the visits on either side."""
    for period in source.protocol.periods[1:]:
        if scale.by_day:
            yield ReferenceLine(_months(period.first_day), period.label)
            continue
        later = [visit for visit in visits if source.protocol.visit(visit).day >= period.first_day]
        if later and scale.places[later[0]] > 0:
            yield ReferenceLine(scale.places[later[0]] - 0.5, period.label)


def _title(source: ReportSource, described: Described, parameter: Parameter, visits: list[str]) -> str:
    """What is seen: where each arm's mean began and ended."""
    first, last = visits[0], visits[-1]
    begun, ended = (source.protocol.visit(visit).label for visit in (first, last))
    parts: list[str] = []
    for group, style in source.groups:
        start = described.get(parameter.id, first, "mean", group)
        end = described.get(parameter.id, last, "mean", group)
        if start is not None and end is not None:
            course = [digits(value, parameter.decimals) for value in (start, end)]
            parts.append(f"{style.label} {course[1] if first == last else ' to '.join(course)}")
    if not parts:
        return parameter.label
    when = f"mean at {ended}" if first == last else f"mean from {begun} to {ended}"
    return f"{parameter.label}, {when}: {'; '.join(parts)}"


def _individuals(source: ReportSource, parameter: Parameter, group: str, scale: TimeScale) -> Iterator[Individual]:
    visits = {source.protocol.visit(visit).label: visit for visit in scale.places}
    rows = source.values.filter((pl.col("PARAMID") == parameter.id) & pl.col("AVISIT").is_in(list(visits)))
    if group != "all":
        members = source.subjects.filter(pl.col("ARM") == source.protocol.arm(group).label)["USUBJID"]
        rows = rows.filter(pl.col("USUBJID").is_in(members.implode()))
    for (person,), mine in rows.sort("USUBJID", "AVISITN").group_by("USUBJID", maintain_order=True):
        at = [
            (scale.of(visits[visit], day), value)
            for visit, day, value in zip(mine["AVISIT"], mine["ADY"], mine["AVAL"], strict=True)
        ]
        yield Individual(tuple(x for x, _ in at), tuple(y for _, y in at), str(person))


def _means(described: Described, parameter: Parameter, group: str, scale: TimeScale) -> Iterator[MeanPoint]:
    for visit, place in scale.places.items():
        mean = described.get(parameter.id, visit, "mean", group)
        if mean is not None:
            lower, upper = (described.get(parameter.id, visit, side, group) for side in ("lower", "upper"))
            yield MeanPoint(
                place,
                mean,
                math.nan if lower is None else lower,
                math.nan if upper is None else upper,
                described.count(parameter.id, visit, "n", group),
            )


def _months(day: float) -> float:
    return day / DAYS_A_MONTH
