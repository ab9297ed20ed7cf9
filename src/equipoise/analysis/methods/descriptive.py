"""Descriptive tables: characteristics, parameters by visit, and events, by arm; without p-values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import population
from equipoise.analysis.recorded import not_recorded_note, recorded, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.classes import PARTICIPANTS
from equipoise.stats.describe import describe
from equipoise.stats.t_interval import one_sample_t

STATISTICS = ("n", "missing", "mean", "sd", "median", "q1", "q3", "minimum", "maximum")
LEVEL = 0.95
CHARACTERISTICS = {
    "age_years": ("Age", "years"),
    "sex": ("Sex", ""),
    "days_since_diagnosis": ("Days from diagnosis to time zero", "days"),
}
Characteristic = Literal["age_years", "sex", "days_since_diagnosis"]
Group = tuple[str, Flags]


class Options(Part):
    """What is described."""

    characteristics: tuple[Characteristic, ...] = ()
    parameters: tuple[Identifier, ...] = ()
    visits: tuple[Identifier, ...] = ()
    complete: bool = False
    """Only participants with a value of the parameter at each of the visits at which anybody has one."""
    events: tuple[Identifier, ...] = ()
    """Assessments of class events: participants with any, and events."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    members = population(data, analysis)
    groups: list[Group] = (
        [] if data.blinded else [(arm.id, members & data.in_arm(arm.id)) for arm in data.protocol.arms]
    )
    groups.append(("all", members))
    rows = [
        *_characteristics(data, options, groups),
        *_parameters(data, options, groups),
        *_events(data, options, groups),
    ]
    labels = {arm.id: arm.label for arm in data.protocol.arms} | {"all": "All participants"}
    columns = (
        TableColumn("kind", "Kind"),
        TableColumn("id", "Characteristic"),
        TableColumn("label", "Label"),
        TableColumn("unit", "Unit"),
        TableColumn("visit", "Visit"),
        TableColumn("statistic", "Statistic"),
        *(TableColumn(name, labels[name]) for name, _ in groups),
    )
    silent = unrecorded(data, options.events)
    notes = (
        f"Analysis set: {analysis.analysis_set}.",
        f"lower and upper bound Student's {LEVEL:.0%} interval of the mean.",
        *((not_recorded_note(data.protocol, silent),) if silent else ()),
    )
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, tuple(rows), notes),))


def _described(values: Floats, groups: list[Group], trial: int, head: tuple[Cell, ...]) -> Iterator[tuple[Cell, ...]]:
    found = [describe(values[trial : trial + 1], mask[trial : trial + 1]) for _, mask in groups]
    for statistic in STATISTICS:
        cells: list[Cell] = []
        for item in found:
            value = getattr(item, statistic)[0]
            cells.append(None if np.isnan(value) else (int(value) if statistic in ("n", "missing") else float(value)))
        yield (*head, statistic, *cells)
    bounds = [
        one_sample_t(values[trial : trial + 1], _there(values, mask)[trial : trial + 1], level=LEVEL)
        for _, mask in groups
    ]
    yield (*head, "lower", *(finite(float(item.lower[0])) for item in bounds))
    yield (*head, "upper", *(finite(float(item.upper[0])) for item in bounds))


def _there(values: Floats, mask: Flags) -> Flags:
    return mask & ~np.isnan(values)


def _characteristics(data: AnalysisData, options: Options, groups: list[Group]) -> Iterator[tuple[Cell, ...]]:
    covariates = data.panel.covariates
    for name in options.characteristics:
        label, unit = CHARACTERISTICS[name]
        if name == "days_since_diagnosis":
            yield from _described(-covariates["diagnosis_day"], groups, data.trial, ("number", name, label, unit, None))
        elif name == "age_years":
            yield from _described(covariates[name], groups, data.trial, ("number", name, label, unit, None))
        else:
            yield from _counts(data, name, label, groups)


def _counts(data: AnalysisData, name: str, label: str, groups: list[Group]) -> Iterator[tuple[Cell, ...]]:
    values = data.panel.covariates[name][data.trial]
    for code, word in enumerate(PARTICIPANTS.column(name).words):
        cells = [int(((values == code) & mask[data.trial]).sum()) for _, mask in groups]
        yield ("category", name, label, "", None, word, *cells)
    missing = [int((np.isnan(values) & mask[data.trial]).sum()) for _, mask in groups]
    yield ("category", name, label, "", None, "missing", *missing)


def _parameters(data: AnalysisData, options: Options, groups: list[Group]) -> Iterator[tuple[Cell, ...]]:
    for name in options.parameters:
        parameter = data.protocol.parameter(name)
        chosen = _complete(data, name, options, groups) if options.complete else groups
        for visit in options.visits:
            head = ("number", name, parameter.label, parameter.unit, visit)
            if parameter.categories is None:
                yield from _described(data.at(name, visit), chosen, data.trial, head)
            else:
                yield from _categories(data, parameter, visit, chosen)


def _complete(data: AnalysisData, parameter: str, options: Options, groups: list[Group]) -> list[Group]:
    there = np.stack([~np.isnan(data.at(parameter, visit)) for visit in options.visits])
    measured = there[there.any(axis=(1, 2))].all(axis=0)
    return [(name, mask & measured) for name, mask in groups]


def _categories(
    data: AnalysisData, parameter: Parameter, visit: str, groups: list[Group]
) -> Iterator[tuple[Cell, ...]]:
    """Participants of each category at a visit, and those of none."""
    values = data.at(parameter.id, visit)[data.trial]
    members = [mask[data.trial] for _, mask in groups]
    head = ("category", parameter.id, parameter.label, "", visit)
    known = np.zeros(values.shape, np.bool_)
    for label, value in (parameter.categories or {}).items():
        yield (*head, label, *(int(((values == value) & mask).sum()) for mask in members))
        known |= values == value
    yield (*head, "missing", *(int((~known & mask).sum()) for mask in members))


def _events(data: AnalysisData, options: Options, groups: list[Group]) -> Iterator[tuple[Cell, ...]]:
    """Events of the whole trial, and where it has several periods, of each: an arm's treatment changes between them."""
    rows = data.panel.events
    periods = data.protocol.periods
    start = np.asarray(rows.columns["start_day"], np.float64)
    for name in options.events:
        assessment = data.protocol.assessment(name)
        mine = (rows.trial == data.trial) & (rows.columns["assessment"] == name)
        asked = bool(recorded(data.panel, name)[data.trial])
        yield from _event_rows(data, name, assessment.label, mine, groups, asked=asked)
        for period in periods if len(periods) > 1 else ():
            within = mine & (start >= period.first_day) & (start <= period.last_day)
            label = f"{assessment.label}, {period.label}"
            yield from _event_rows(data, f"{name}/{period.id}", label, within, groups, asked=asked)


def _event_rows(
    data: AnalysisData, name: str, label: str, mine: Flags, groups: list[Group], *, asked: bool
) -> Iterator[tuple[Cell, ...]]:
    """Counts; none where the events were not recorded."""
    per_person = np.bincount(data.panel.events.participant[mine], minlength=data.panel.participants)
    head = ("events", name, label, "", None)
    members = [mask[data.trial] for _, mask in groups]
    yield (*head, "participants", *(int(mask.sum()) for mask in members))
    people = [int(((per_person > 0) & mask).sum()) if asked else None for mask in members]
    yield (*head, "participants with any", *people)
    yield (*head, "events", *(int(per_person[mask].sum()) if asked else None for mask in members))


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    known = {
        "parameters": [parameter.id for parameter in protocol.parameters],
        "visits": [visit.id for visit in protocol.visits],
        "events": [item.id for item in protocol.assessments if item.observation_class == "events"],
    }
    for key, names in known.items():
        for index, name in enumerate(getattr(options, key)):
            if name not in names:
                remedy = f"Name one of: {', '.join(names) or 'none'}."
                yield Objection(
                    (key, index), f"known-{key.rstrip('s')}", f"there is no {name!r} among the {key}", remedy
                )
    if bool(options.parameters) != bool(options.visits):
        yield Objection((), "parameters-and-visits", "parameters are described at visits", "Name both, or neither.")
    if analysis.analysis_set is None:
        message = "a description has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="descriptive", title="Descriptive table", options=Options, page="describe", run=_run, objections=_objections
)
