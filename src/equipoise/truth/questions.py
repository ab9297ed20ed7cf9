"""What each estimand of a plan asks of potential outcomes: which values, in which world, compared how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.methods import interaction, t_interval
from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.analysis.results import RATE_RATIO, SHARE
from equipoise.analysis.strategies import under_strategies
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Estimand
from equipoise.simulate.intercurrent import cannot_switch_off

POLICY, HYPOTHETICAL = "treatment-policy", "hypothetical"
LOGARITHMS = {
    "rate-ratio": RATE_RATIO,
    "ratio-of-means": "ln ratio of means",
    "odds-ratio": "ln odds ratio",
}
"""Summaries that are compared on the logarithm's scale, and the unit of their results."""
YES_OR_NO = ("difference-in-proportions", "odds-ratio")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the potential outcomes of one estimand.

    item:     the analysis whose method says what the strategies make of a value; None where there is no answer.
    analyses: all that answer this question.
    arms:     active and reference. without: the events that never happen, under the strategy "hypothetical".
    reason:   why there is no answer.
    """

    estimand: Estimand
    item: PlannedAnalysis | None
    analyses: tuple[str, ...]
    without: frozenset[str]
    reason: str = ""

    @property
    def arms(self) -> tuple[str, str]:
        return self.estimand.contrast.active, self.estimand.contrast.reference


def questions(planned: Plan) -> tuple[Question, ...]:
    """The question of every estimand, in the protocol's order."""
    return tuple(_question(planned, estimand) for estimand in planned.protocol.estimands)


def _question(planned: Plan, estimand: Estimand) -> Question:
    without = frozenset(name for name, chosen in estimand.intercurrent_events.items() if chosen == HYPOTHETICAL)
    answering = [item for item in planned.analyses if _answers(item, estimand)]
    if not answering:
        reason = "the estimand's analyses compare no means of people, as a ratio of hazards does not"
        return Question(estimand, None, (), without, reason)
    first = answering[0]
    alike = tuple(item.analysis.id for item in answering if _limits(item.options) == _limits(first.options))
    events = {event.id: event for event in planned.protocol.authored.intercurrent_events}
    for name in sorted(without):
        if why := cannot_switch_off(planned.protocol, events[name]):
            return Question(estimand, None, alike, without, f"a world without {name} cannot be simulated: {why}")
    return Question(estimand, first, alike, without)


def _answers(item: PlannedAnalysis, estimand: Estimand) -> bool:
    """Whether an analysis estimates just this: the estimand's variable, by its summary."""
    if item.analysis.estimand != estimand.id or isinstance(item.options, interaction.Options | t_interval.Options):
        return False
    if variable_of(item, estimand) != (estimand.variable.parameter, estimand.variable.visit):
        return False
    at_least, at_most, exposure = _limits(item.options)
    if estimand.summary in YES_OR_NO:
        return at_least is not None or at_most is not None
    return exposure is not None if estimand.summary == "rate-ratio" else at_least is None and at_most is None


def variable_of(item: PlannedAnalysis, estimand: Estimand) -> tuple[str, str] | None:
    """Parameter and visit of an analysis; None of one that has many parameters."""
    of = getattr(item.options, "of", None)
    found = (estimand.variable.parameter, estimand.variable.visit) if of is None else of(estimand)
    several = getattr(item.options, "parameters", ())
    return found if not several and isinstance(found[0], str) else None


def _limits(options: Any) -> tuple[float | None, float | None, str | None]:
    """What makes a yes/no of a value (at least, at most), and the time at risk of a count."""
    return getattr(options, "at_least", None), getattr(options, "at_most", None), getattr(options, "exposure", None)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Values of people under both arms: (people, 2), active first; and the time at risk behind counts."""

    values: Floats
    exposures: Floats | None = None


def outcomes(question: Question, data: AnalysisData) -> Outcomes:
    """Both outcomes of everybody who has them and is in the estimand's population and stratum under either arm."""
    assert question.item is not None, "only a question with an answer has outcomes"
    item, estimand = question.item, question.estimand
    view = under_strategies(item.method, data, item.options)
    values = view.at(estimand.variable.parameter, estimand.variable.visit)
    columns = [*halves(reached(values, item.options))]
    exposure = getattr(item.options, "exposure", None)
    if exposure is not None and estimand.summary == "rate-ratio":
        columns += halves(view.at(exposure, estimand.variable.visit))
    chosen = both(view.sets[estimand.population])
    table = np.stack(columns, axis=-1)[chosen]
    table = table[~np.isnan(table).any(axis=1)]
    return Outcomes(table[:, :2], table[:, 2:] if table.shape[1] > 2 else None)


def reached(values: Floats, options: Any) -> Floats:
    """A yes/no as 1 and 0 where the options set a limit, else the values; NaN stays."""
    at_least, at_most, _ = _limits(options)
    if at_least is not None:
        return np.where(np.isnan(values), np.nan, values >= at_least)
    if at_most is not None:
        return np.where(np.isnan(values), np.nan, values <= at_most)
    return values


def halves(values: Floats) -> tuple[Floats, Floats]:
    """Of (R, 2n) the outcomes in the active arm and those in the reference, (R, n) each."""
    middle = values.shape[1] // 2
    return values[:, :middle], values[:, middle:]


def both(members: Flags) -> Flags:
    """Who is a member under either arm, (R, n)."""
    one, other = (members[:, : members.shape[1] // 2], members[:, members.shape[1] // 2 :])
    return one & other


@dataclass(frozen=True, slots=True)
class Answer:
    """A difference of two means, or the ln of a ratio, with its standard error over people; or why there is none."""

    value: float | None
    error: float | None
    people: int
    reason: str = ""


def answer(summary: str, found: Outcomes) -> Answer:
    """The contrast of both outcomes of the same people by the estimand's summary."""
    people = found.values.shape[0]
    if people == 0:
        return Answer(None, None, 0, "nobody has both outcomes and belongs to the population")
    means = found.values.mean(axis=0)
    influence = found.values - means
    if found.exposures is not None:
        rates = found.values.sum(axis=0) / np.maximum(found.exposures.sum(axis=0), 1e-300)
        influence = (found.values - rates * found.exposures) / found.exposures.mean(axis=0)
        means = rates
    if summary in LOGARITHMS:
        slope = means * (1 - means) if summary == "odds-ratio" else means
        if not (slope > 0).all():
            return Answer(None, None, people, "a ratio to or of nothing: an arm has no event, or nothing else")
        numbers = np.log(means / (1 - means)) if summary == "odds-ratio" else np.log(means)
        influence = influence / slope
        value = float(numbers[0] - numbers[1]) if summary == "odds-ratio" else float(np.log(means[0] / means[1]))
    else:
        value = float((found.values[:, 0] - found.values[:, 1]).mean())
    spread = influence[:, 0] - influence[:, 1]
    return Answer(value, float(spread.std() / people**0.5), people)


def scale_and_unit(protocol: Protocol, estimand: Estimand) -> tuple[str, str]:
    """On which scale and in which unit results of the estimand's own contrast stand."""
    if estimand.summary in LOGARITHMS:
        return "log", LOGARITHMS[estimand.summary]
    if estimand.summary in YES_OR_NO:
        return "identity", SHARE
    return "identity", protocol.parameter(estimand.variable.parameter).unit


def acting_strategies(estimand: Estimand) -> Mapping[str, Any]:
    """The strategies of an estimand other than treatment policy."""
    return {name: chosen for name, chosen in estimand.intercurrent_events.items() if chosen != POLICY}


def grouped(asked: tuple[Question, ...]) -> Iterator[tuple[tuple[str, str], frozenset[str], tuple[Question, ...]]]:
    """Questions that are answered by the same pair of worlds: arms, events that never happen, questions."""
    answerable = [item for item in asked if item.item is not None]
    for arms, without in dict.fromkeys((item.arms, item.without) for item in answerable):
        yield arms, without, tuple(item for item in answerable if (item.arms, item.without) == (arms, without))
