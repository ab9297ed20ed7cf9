"""Why a number is missing, for a reader: who or what is absent, by the names of arms, parameters and visits.

A method tells what its arithmetic met, as "a column repeats another". Here that becomes what the data lack, wherever it
can be seen in them: an arm without participants, a visit without values, a characteristic that no one has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import UNKNOWN_ARM
from equipoise.stats.status import Status

People = NDArray[np.bool_]
WORDS = {"age_years": "age", "sex": "sex"}
NOT_COMPARED = "nothing can be compared with it"
RATIO = "a ratio of rates has no finite estimate; report the rates of both arms, or the exact ratio with its limit"


def in_words(
    told: str,
    data: AnalysisData,
    analysis: Analysis,
    *,
    parameter: str,
    visit: str,
    arms: tuple[str, ...],
    members: People,
    n: Mapping[str, int],
    events: Mapping[str, int] | None,
) -> str:
    """The status of a missing estimate in a reader's words; `told` itself where the data show no plainer reason.

    told: the method's status. arms: those that the estimate is about. members: (n,) the analysis set in the trial.
    n: participants with every value that the method needs, by arm. events: by arm, where events are counted.
    """
    if data.blinded or (data.panel.arm[data.trial][members] == UNKNOWN_ARM).any():
        return told
    label = {arm.id: arm.label for arm in data.protocol.arms}
    absent = next(_absent(data, analysis, parameter, visit, arms, members, n), None)
    if absent is not None:
        return absent
    options = analysis.options
    if told in (Status.SINGULAR_DESIGN.text, Status.EMPTY_VISIT.text, Status.ONE_ARM_VISIT.text):
        empty = _empty_visits(data, options, parameter, arms, members)
        return next(chain(empty, _alike(data, options, parameter, visit, arms, members)), told)
    if told == Status.CONSTANT_OUTCOME.text:
        what = _measured(data, parameter, visit)
        return f"every value of {what} is the same, so that there is no standard error and no test"
    if told in (Status.SEPARATED.text, Status.NO_EVENTS.text) and events is not None:
        without = [label[arm] for arm in arms if not events[arm]]
        return f"{_none_of(without)} had an event, so that {RATIO}" if without else told
    return told


def _none_of(labels: list[str]) -> str:
    return f"no one in {' or in '.join(labels)}"


def _measured(data: AnalysisData, parameter: str, visit: str) -> str:
    return f"{data.protocol.parameter(parameter).label} at {data.protocol.visit(visit).label}"


def _absent(
    data: AnalysisData,
    analysis: Analysis,
    parameter: str,
    visit: str,
    arms: tuple[str, ...],
    members: People,
    n: Mapping[str, int],
) -> Iterator[str]:
    """An arm without participants, without any in the analysis set, without values, without complete ones."""
    groups = [(data.protocol.arm(arm).label, data.in_arm(arm)[data.trial], arm) for arm in arms]
    values = data.at(parameter, visit)[data.trial]
    there = data.panel.present[data.trial]
    named = next((item.population for item in data.protocol.estimands if item.id == analysis.estimand), None)
    sets = {item.id: item.label for item in data.protocol.conventions.analysis_sets}
    what = _measured(data, parameter, visit)
    for name, mine, _ in groups:
        if not (mine & there).any():
            yield f"{name} has no participants; {NOT_COMPARED}"
    for name, mine, _ in groups:
        if not (mine & members).any():
            yield f"no participant of {name} belongs to the analysis set “{sets[named or str(analysis.analysis_set)]}”"
    lacking = [name for name, mine, _ in groups if np.isnan(values[mine & members]).all()]
    if lacking:
        yield f"{_none_of(lacking)} has a value of {what}; look at the reasons for missing values"
    for name, _, arm in groups:
        if n.get(arm) == 0:
            yield f"no one in {name} has all the values that this analysis needs beside {what}, as a baseline"


def _alike(
    data: AnalysisData,
    options: Mapping[str, Any],
    parameter: str,
    visit: str,
    arms: tuple[str, ...],
    members: People,
) -> Iterator[str]:
    """What a model cannot tell apart: a characteristic that no one or everyone has, one that is the same for all."""
    included = members & ~np.isnan(data.at(parameter, visit)[data.trial])
    modifier, baseline = options.get("modifier"), options.get("baseline")
    if isinstance(modifier, Mapping):
        habit = data.baseline(str(modifier["parameter"]), str(modifier["baseline"]))[data.trial]
        yield from _cells(data, modifier, habit, arms, included)
    columns = {WORDS[name]: data.panel.covariates[name] for name in options.get("covariates", ()) if name in WORDS}
    if isinstance(baseline, str):
        own = str(options.get("baseline_parameter") or parameter)
        columns[f"{data.protocol.parameter(own).label} at baseline"] = data.baseline(own, baseline)
    for name, column in columns.items():
        values = column[data.trial][included]
        values = values[~np.isnan(values)]
        if len(values) and (values == values[0]).all():
            yield f"{name} is the same for everyone (constant), so that it cannot be adjusted for; leave it out"
    for arm in data.protocol.arms:
        if not (data.in_arm(arm.id)[data.trial] & included).any():
            yield f"{arm.label} has no participants in this model of all arms; compare the two arms alone"


def _cells(
    data: AnalysisData, modifier: Mapping[str, Any], habit: NDArray[np.float64], arms: tuple[str, ...], included: People
) -> Iterator[str]:
    """Arms in which no one, or everyone, has the characteristic whose influence on the effect is asked for."""
    parameter, limit = data.protocol.parameter(str(modifier["parameter"])), float(modifier["at_least"])
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    what = f"{parameter.label} of at least {limit:g}{unit} at baseline"
    for arm in arms:
        mine = included & data.in_arm(arm)[data.trial] & ~np.isnan(habit)
        label, has = data.protocol.arm(arm).label, habit[mine] >= limit
        if not len(has):
            yield f"no one in {label} has a value of {parameter.label} at baseline"
        elif not has.any():
            yield f"no one in {label} has {what}, so that its influence on the effect cannot be estimated"
        elif has.all():
            yield f"everyone in {label} has {what}, so that its influence on the effect cannot be estimated"


def _empty_visits(
    data: AnalysisData, options: Mapping[str, Any], parameter: str, arms: tuple[str, ...], members: People
) -> Iterator[str]:
    """Visits of the model at which an arm, or both, have no values."""
    for visit in options.get("visits", ()):
        values = data.at(parameter, str(visit))[data.trial]
        groups = {data.protocol.arm(arm).label: members & data.in_arm(arm)[data.trial] for arm in arms}
        without = [label for label, mine in groups.items() if np.isnan(values[mine]).all()]
        if without:
            what = _measured(data, parameter, str(visit))
            yield f"{_none_of(without)} has a value of {what}; leave that visit out of the model"
