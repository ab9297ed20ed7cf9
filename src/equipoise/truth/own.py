"""What is true of the people of one simulated trial: truth.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from equipoise.analysis.comparison import text_of
from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.methods import interaction, proportion, t_interval
from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.analysis.results import SHARE
from equipoise.analysis.strategies import under_strategies
from equipoise.errors import InputError, Problem
from equipoise.protocol.schema.inference import Estimand
from equipoise.simulate.scenario import Scenario
from equipoise.truth.questions import (
    Answer,
    Question,
    acting_strategies,
    answer,
    both,
    grouped,
    halves,
    outcomes,
    questions,
    reached,
    scale_and_unit,
    variable_of,
)
from equipoise.truth.table import AnalysisTruth, EstimandTruth, Population, TruthTable
from equipoise.truth.worlds import People, both_outcomes, followed_whole


def truth_of_trial(planned: Plan, scenario: Scenario, seed: int, trial: int = 0) -> TruthTable:
    """What is true of the people of a trial, with the effects of that trial: everybody in either arm, followed whole.

    It is the same whatever arm anybody was allocated to.
    """
    nature, asked = followed_whole(scenario), questions(planned)
    answers: dict[str, Answer] = {}
    besides: list[AnalysisTruth] = []
    for arms, without, group in grouped(asked):
        data = both_outcomes(planned, nature, People(seed, first=trial), arms, without)
        for question in group:
            answers[question.estimand.id] = answer(question.estimand.summary, outcomes(question, data))
        estimands = {question.estimand.id: question.estimand for question in group}
        for item in planned.analyses:
            if item.analysis.estimand in estimands:
                besides += _besides(planned, item, estimands[str(item.analysis.estimand)], data)
    order = [item.analysis.id for item in planned.analyses]
    return table_of(
        planned, scenario, asked, answers, seed, trial, sorted(besides, key=lambda b: order.index(b.analysis))
    )


def table_of(
    planned: Plan,
    scenario: Scenario,
    asked: tuple[Question, ...],
    answers: dict[str, Answer],
    seed: int,
    trial: int | None,
    besides: list[AnalysisTruth],
) -> TruthTable:
    """Answers as a table; of a population (no `trial`) with their Monte-Carlo errors."""
    protocol = planned.protocol
    rows: list[EstimandTruth] = []
    for question in asked:
        estimand = question.estimand
        scale, unit = scale_and_unit(protocol, estimand)
        found = answers.get(estimand.id, Answer(None, None, 0, question.reason))
        rows.append(
            EstimandTruth(
                estimand=estimand.id,
                parameter=estimand.variable.parameter,
                visit=estimand.variable.visit,
                contrast=text_of(estimand.contrast),
                summary=estimand.summary,
                scale=scale,
                unit=unit,
                strategies=MappingProxyType(dict(acting_strategies(estimand))),
                analyses=question.analyses,
                value=found.value,
                people=found.people,
                error=None if trial is not None else found.error,
                reason=found.reason,
            )
        )
    return TruthTable(
        protocol=MappingProxyType({"id": protocol.id, "digest": protocol.digest}),
        scenario=MappingProxyType({"id": scenario.id, "digest": scenario.digest}),
        model=scenario.authored.patients.model,
        seed=seed,
        trial=trial,
        estimands=tuple(rows),
        analyses=tuple(besides),
    )


def with_population(table: TruthTable, population: TruthTable, path: str) -> TruthTable:
    """The table of a trial with the population's values beside.

    Raises InputError where the population is not of this protocol, scenario and model.
    """
    same = {
        "protocol": (table.protocol["digest"], population.protocol["digest"]),
        "scenario": (table.scenario["digest"], population.scenario["digest"]),
        "model": (table.model, population.model),
    }
    remedy = "Make the population's values anew for this protocol and scenario (docs/truth.md), or leave out --truth."
    problems = [
        Problem(path, None, name, "truth-of-trial", f"it is of another {name}, {theirs}, not {ours}", remedy)
        for name, (ours, theirs) in same.items()
        if ours != theirs
    ]
    if population.trial is not None:
        message = "these are the true values of one trial's people, not of a population"
        problems.append(Problem(path, None, "trial", "truth-of-population", message, remedy))
    if problems:
        raise InputError("these true values do not belong to this trial", problems)
    values = {
        item.estimand: Population(item.value, item.error, item.people)
        for item in population.estimands
        if item.value is not None and item.error is not None
    }
    return replace(table, estimands=tuple(replace(t, population=values.get(t.estimand)) for t in table.estimands))


def _besides(planned: Plan, item: PlannedAnalysis, estimand: Estimand, data: AnalysisData) -> Iterator[AnalysisTruth]:
    """What is true of results that are not the estimand's contrast: arms by themselves, and interactions."""
    if not isinstance(item.options, interaction.Options | proportion.Options | t_interval.Options):
        return
    variable = variable_of(item, estimand)
    assert variable is not None, "these methods have one parameter"
    parameter, visit = variable
    view = under_strategies(item.method, data, item.options)
    values = reached(view.at(parameter, visit), item.options)
    chosen = both(view.sets[estimand.population])
    unit = planned.protocol.parameter(parameter).unit
    arms = (estimand.contrast.active, estimand.contrast.reference)
    if isinstance(item.options, interaction.Options):
        yield from _interaction(item, view, values, chosen, (parameter, visit, text_of(estimand.contrast), unit))
        return
    unit = SHARE if isinstance(item.options, proportion.Options) else unit
    for arm, half in zip(arms, halves(values), strict=True):
        mine = half[chosen & ~np.isnan(half)]
        if mine.size:
            yield AnalysisTruth(
                item.analysis.id, parameter, visit, arm, "", "identity", unit, float(mine.mean()), int(mine.size)
            )


def _interaction(
    item: PlannedAnalysis, view: AnalysisData, values: Floats, chosen: Flags, names: tuple[str, str, str, str]
) -> Iterator[AnalysisTruth]:
    """The effect in those with the characteristic, in the others, and the first less the second."""
    modifier = item.options.modifier
    parameter, visit, contrast, unit = names
    habit, _ = halves(view.baseline(modifier.parameter, modifier.baseline))
    active, reference = halves(values)
    difference = active - reference
    known = chosen & ~np.isnan(difference) & ~np.isnan(habit)
    groups = {"with": known & (habit >= modifier.at_least), "without": known & ~(habit >= modifier.at_least)}
    means = {name: float(difference[group].mean()) for name, group in groups.items() if group.any()}
    counts = {name: int(group.sum()) for name, group in groups.items()}
    if len(means) == 2:
        means["interaction"] = means["with"] - means["without"]
        counts["interaction"] = counts["with"] + counts["without"]
    for name, value in means.items():
        analysis = item.analysis.id
        yield AnalysisTruth(analysis, parameter, visit, contrast, name, "identity", unit, value, counts[name])
