"""Scores of questionnaires by the rules of their files, and the first of several parameters that has a value.

Every counted item goes from 0 (worst answer) to 100 (best), in equal steps or by the points of its file; a scale is the
mean of its answered items, if enough are answered; a total is the sum of its answers, prorated; a component weighs the
scales of one person against a reference population. People outside the questionnaire's ages have no score: for them it
is not applicable, not missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import nanmean, spread
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.measurement import Component, Item, Parameter, Questionnaire, Scale, Total
from equipoise.records.panel import Block, Floats


class Options(Part):
    """The questionnaire, as the protocol names its use, and one of the scales, totals or components of its file."""

    questionnaire: Identifier
    scale: Identifier


class FirstOptions(Part):
    """The parameters, the preferred one first."""

    parameters: Annotated[tuple[Identifier, ...], Field(min_length=2)]


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    found = _use(data.panel.protocol, options.questionnaire)
    assert found is not None, "the plan has checked the questionnaire"
    assessment, questionnaire = found
    block = data.panel.blocks[assessment.id]
    scales = {scale.id: scale for scale in questionnaire.scales}
    totals = {total.id: total for total in questionnaire.totals}
    if options.scale in scales:
        score = scale_score(questionnaire, scales[options.scale], block)
    elif options.scale in totals:
        score = total_score(questionnaire, totals[options.scale], block)
    else:
        component = next(item for item in questionnaire.components if item.id == options.scale)
        score = component_score(questionnaire, component, block)
    applies = of_age(questionnaire, data.panel.covariates["age_years"])
    return spread(data.panel.protocol, block, np.where(applies[..., np.newaxis], score, np.nan))


def scale_score(questionnaire: Questionnaire, scale: Scale, block: Block) -> Floats:
    """The score at each visit of the block, (R, n, visits), 0 to 100; NaN with too few answers."""
    items = {item.id: item for item in questionnaire.items}
    values = np.stack([item_score(items[name], block) for name in scale.items], axis=-1)
    enough = (~np.isnan(values)).sum(axis=-1) >= scale.answered
    return np.where(enough, nanmean(values), np.nan)


def total_score(questionnaire: Questionnaire, total: Total, block: Block) -> Floats:
    """The total at each visit of the block, (R, n, visits), in points; NaN with too few answers.

    Unanswered items are prorated: the answered items' share of their own range is taken as the share of the whole.
    """
    items = {item.id: item for item in questionnaire.items}
    answers = np.stack([block.test(name)[0][..., 0] for name in total.items], axis=-1)
    there = ~np.isnan(answers)
    lowest = np.array([items[name].lowest for name in total.items], np.float64)
    width = np.array([items[name].highest for name in total.items], np.float64) - lowest
    reached = np.where(there, answers - lowest, 0.0).sum(axis=-1)
    reachable = np.where(there, width, 0.0).sum(axis=-1)
    enough = there.sum(axis=-1) >= total.answered
    share = np.divide(reached, reachable, out=np.full(reached.shape, np.nan), where=enough)
    return lowest.sum() + width.sum() * share


def item_score(item: Item, block: Block) -> Floats:
    """The answer of one item at each visit of the block, (R, n, visits), 0 (worst) to 100; NaN where there is none.

    Points go from the lowest to the highest of all that the item can have, so that those beside other items share one
    range; what is none of the file's answers has no points.
    """
    answer = block.test(item.id)[0][..., 0]
    if item.points is None and not item.beside:
        share = (answer - item.lowest) / (item.highest - item.lowest)
        return 100 * (share if item.best == "highest" else 1 - share)
    usual = item.points or _steps(item)
    points = _looked_up(item, usual, answer)
    for rule in reversed(item.beside):
        beside = np.isin(block.test(rule.item)[0][..., 0], rule.answers)
        points = np.where(beside, _looked_up(item, rule.points, answer), points)
    every = np.concatenate([usual, *(rule.points for rule in item.beside)])
    return 100 * (points - every.min()) / (every.max() - every.min())


def _steps(item: Item) -> tuple[float, ...]:
    answers = range(item.highest - item.lowest + 1)
    return tuple(float(step) for step in (answers if item.best == "highest" else reversed(answers)))


def _looked_up(item: Item, points: Sequence[float], answer: Floats) -> Floats:
    """The points of each answer, which are listed from the lowest; NaN for what is none of the item's answers."""
    known = (answer >= item.lowest) & (answer <= item.highest) & (answer == np.floor(answer))
    place = np.where(known, answer - item.lowest, 0).astype(np.intp)
    return np.where(known, np.asarray(points, np.float64)[place], np.nan)


def component_score(questionnaire: Questionnaire, component: Component, block: Block) -> Floats:
    """The score of a component at each visit of the block, (R, n, visits); NaN where one of its scales is missing.

    Its mean plus its SD times the weighted sum of the scales, each in SDs from the mean of its norm.
    """
    scales = {scale.id: scale for scale in questionnaire.scales}
    total = np.zeros(block.value.shape[:3])
    for name, weight in component.weights.items():
        norm = scales[name].norm
        assert norm is not None, "the rules of questionnaires ask for it"
        total = total + weight * (scale_score(questionnaire, scales[name], block) - norm.mean) / norm.sd
    return component.mean + component.sd * total


def of_age(questionnaire: Questionnaire, age: Floats) -> np.ndarray:
    """Whether the questionnaire is meant for people of this age, (R, n); for an age that is not known, yes."""
    years = np.floor(age)
    below = questionnaire.below_age_years if questionnaire.below_age_years is not None else np.inf
    return np.isnan(years) | ((years >= questionnaire.from_age_years) & (years < below))


def _use(protocol: Protocol, name: str) -> tuple[Assessment, Questionnaire] | None:
    """The assessment whose answers a use of a questionnaire scores, and the file with its rules; None: no such use."""
    found = (item for item in protocol.assessments if name in item.scorings)
    return next(((item, item.scorings[name]) for item in found), None)


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = _use(protocol, options.questionnaire)
    return frozenset(found[0].visits) if found is not None else frozenset()


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    found = _use(protocol, options.questionnaire)
    if found is None:
        known = [use.id for use in protocol.authored.questionnaires]
        remedy = f"Name one of: {', '.join(known) or 'none'}."
        message = f"the protocol has no questionnaire {options.questionnaire!r}"
        yield Objection(("questionnaire",), "known-questionnaire", message, remedy)
        return
    scales = [item.id for item in (*found[1].scales, *found[1].totals, *found[1].components)]
    if options.scale not in scales:
        remedy = f"Its scales are {', '.join(scales) or 'none'}."
        yield Objection(("scale",), "known-scale", f"{options.questionnaire} has no scale {options.scale!r}", remedy)


def _derive_first(data: DerivationData, parameter: Parameter, options: FirstOptions) -> Floats:
    values = data.parameters[options.parameters[0]]
    for name in options.parameters[1:]:
        values = np.where(np.isnan(values), data.parameters[name], values)
    return values


def _measured_first(protocol: Protocol, options: FirstOptions, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(others.get(name, frozenset()) for name in options.parameters))


def _objections_first(protocol: Protocol, parameter: Parameter, options: FirstOptions) -> Iterator[Objection]:
    units = {item.id: item.unit for item in protocol.parameters}
    for index, name in enumerate(options.parameters):
        if name in units and units[name] != parameter.unit:
            message = f"{name} is in {units[name]}, not in {parameter.unit}"
            yield Objection(("parameters", index), "parameter-unit", message, "Join parameters of one unit.")


DERIVATION = Derivation(
    name="questionnaire-scale",
    title="Score of a questionnaire's scale",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
FIRST_OF = Derivation(
    name="first-of",
    title="The first of several parameters that has a value",
    options=FirstOptions,
    needs=lambda options: options.parameters,
    derive=_derive_first,
    measured=_measured_first,
    objections=_objections_first,
)
