"""Each outcome over time: individuals faint, means with intervals, and the number of participants."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from equipoise.documents.drawings import ArmTrajectory, Individual, MeanPoint, ReferenceLine, Trajectories
from equipoise.documents.model import FigureBlock, Section
from equipoise.documents.numbers import digits
from equipoise.protocol.schema.measurement import Parameter
from equipoise.report.source import Described, ReportSource

DAYS_A_MONTH = 365.25 / 12


def outcomes_section(source: ReportSource) -> Section | None:
    """A figure for each parameter that a descriptive analysis follows over two visits or more."""
    figures = []
    for table in source.results.tables:
        described = Described(table)
        for name in dict.fromkeys(name for name, _ in described.heads):
            visits = described.visits(name)
            if len(visits) > 1:
                figures.append(_figure(source, described, source.protocol.parameter(name), visits))
    return Section("outcomes", "Outcomes over time", tuple(figures)) if figures else None


def _figure(source: ReportSource, described: Described, parameter: Parameter, visits: list[str]) -> FigureBlock:
    measured = [
        visit for visit in visits if any(described.count(parameter.id, visit, "n", g) for g in described.groups)
    ]
    shown = measured or visits
    arms = tuple(
        ArmTrajectory(
            style,
            tuple(_individuals(source, parameter, group, shown)),
            tuple(_means(source, described, parameter, group, shown)),
        )
        for group, style in source.groups
    )
    ticks = tuple((_months(source.protocol.visit(visit).day), source.protocol.visit(visit).label) for visit in shown)
    return FigureBlock(
        id=f"figure-{parameter.id}",
        title=_title(source, described, parameter, shown),
        drawing=Trajectories(
            arms=arms,
            x_label="Visits, by time since day 0",
            y_label=f"{parameter.label}, {parameter.unit}",
            ticks=ticks,
            divisions=tuple(
                ReferenceLine(_months(period.first_day), period.label) for period in source.protocol.periods[1:]
            ),
            decimals=parameter.decimals,
        ),
        alt=f"{parameter.label} of each participant and the mean of each arm at {len(shown)} visits.",
    )


def _title(source: ReportSource, described: Described, parameter: Parameter, visits: list[str]) -> str:
    """What is seen: where each arm's mean began and ended."""
    first, last = visits[0], visits[-1]
    parts: list[str] = []
    for group, style in source.groups:
        start = described.get(parameter.id, first, "mean", group)
        end = described.get(parameter.id, last, "mean", group)
        if start is not None and end is not None:
            parts.append(f"{style.label} {digits(start, parameter.decimals)} to {digits(end, parameter.decimals)}")
    label = source.protocol.visit(last).label
    course = f", mean from {source.protocol.visit(first).label} to {label}: {'; '.join(parts)}" if parts else ""
    return f"{parameter.label}{course}"


def _individuals(source: ReportSource, parameter: Parameter, group: str, visits: list[str]) -> Iterator[Individual]:
    days = {source.protocol.visit(visit).label: source.protocol.visit(visit).day for visit in visits}
    rows = source.values.filter((pl.col("PARAMID") == parameter.id) & pl.col("AVISIT").is_in(list(days)))
    if group != "all":
        members = source.subjects.filter(pl.col("ARM") == source.protocol.arm(group).label)["USUBJID"]
        rows = rows.filter(pl.col("USUBJID").is_in(members.implode()))
    for (person,), mine in rows.sort("USUBJID", "AVISITN").group_by("USUBJID", maintain_order=True):
        at = [
            (_months(day if day is not None else days[visit]), value)
            for visit, day, value in zip(mine["AVISIT"], mine["ADY"], mine["AVAL"], strict=True)
        ]
        yield Individual(tuple(x for x, _ in at), tuple(y for _, y in at), str(person))


def _means(
    source: ReportSource, described: Described, parameter: Parameter, group: str, visits: list[str]
) -> Iterator[MeanPoint]:
    for visit in visits:
        mean = described.get(parameter.id, visit, "mean", group)
        if mean is not None:
            lower, upper = (described.get(parameter.id, visit, side, group) for side in ("lower", "upper"))
            yield MeanPoint(
                _months(source.protocol.visit(visit).day),
                mean,
                math.nan if lower is None else lower,
                math.nan if upper is None else upper,
                described.count(parameter.id, visit, "n", group),
            )


def _months(day: float) -> float:
    return day / DAYS_A_MONTH
