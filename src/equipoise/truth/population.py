"""What is true in the population that a scenario draws people from: both outcomes of very many people."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from equipoise.analysis.plan import Plan
from equipoise.simulate.scenario import Scenario
from equipoise.truth.own import table_of
from equipoise.truth.questions import Outcomes, answer, grouped, outcomes, questions
from equipoise.truth.table import TruthTable
from equipoise.truth.worlds import People, both_outcomes, followed_whole

PEOPLE, SEED, CHUNK = 200_000, 20_260_901, 250
"""Enough that the Monte-Carlo error of a truth is below a twentieth of an estimate's standard deviation."""


def truth_of_population(
    planned: Plan,
    scenario: Scenario,
    people: int = PEOPLE,
    seed: int = SEED,
    estimands: Collection[str] | None = None,
) -> TruthTable:
    """The true value of each estimand (or of some) with its Monte-Carlo error, effects at the centre of their ranges.

    People come in trials of the protocol's size, as many as are needed.
    """
    nature = followed_whole(scenario, centre=True)
    asked = tuple(q for q in questions(planned) if estimands is None or q.estimand.id in estimands)
    trials = -(-people // planned.protocol.randomisation.participants)
    parts: dict[str, list[Outcomes]] = {question.estimand.id: [] for question in asked}
    for arms, without, group in grouped(asked):
        for first in range(0, trials, CHUNK):
            some = People(seed, min(CHUNK, trials - first), first)
            data = both_outcomes(planned, nature, some, arms, without)
            for question in group:
                parts[question.estimand.id].append(outcomes(question, data))
    answers = {
        question.estimand.id: answer(question.estimand.summary, _together(parts[question.estimand.id]))
        for question in asked
        if parts[question.estimand.id]
    }
    return table_of(planned, scenario, asked, answers, seed, None, [])


def _together(parts: list[Outcomes]) -> Outcomes:
    exposures = [part.exposures for part in parts if part.exposures is not None]
    return Outcomes(np.concatenate([part.values for part in parts]), np.concatenate(exposures) if exposures else None)
