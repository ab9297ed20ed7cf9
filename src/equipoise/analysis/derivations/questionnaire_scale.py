"""Scores of questionnaires by the rules of their files, and the first of several parameters that has a value.

Every counted item goes from 0 (worst answer) to 100 (best) in equal steps; a scale is the mean of its answered items,
if enough are answered. People outside the questionnaire's ages have no score: for them it is not applicable, not
missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import nanmean, spread
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.measurement import Parameter, Questionnaire, Scale
from equipoise.records.panel import Block, Floats


class Options(Part):
    """The questionnaire, as the protocol names its use, and one of the scales of its file."""

    questionnaire: Identifier
    scale: Identifier


class FirstOptions(Part):
    """The parameters, the preferred one first."""

    parameters: Annotated[tuple[Identifier, ...], Field(min_length=2)]


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    assessment = data.panel.protocol.assessment(options.questionnaire)
    assert assessment.questionnaire is not None, "the plan has checked the questionnaire"
    scale = next(item for item in assessment.questionnaire.scales if item.id == options.scale)
    block = data.panel.blocks[assessment.id]
    score = scale_score(assessment.questionnaire, scale, block)
    applies = of_age(assessment.questionnaire, data.panel.covariates["age_years"])
    return spread(data.panel.protocol, block, np.where(applies[..., np.newaxis], score, np.nan))


def scale_score(questionnaire: Questionnaire, scale: Scale, block: Block) -> Floats:
    """The score at each visit of the block, (R, n, visits), 0 to 100; NaN with too few answers."""
    items = {item.id: item for item in questionnaire.items}
    points: list[Floats] = []
    for name in scale.items:
        item = items[name]
        share = (block.test(name)[0][..., 0] - item.lowest) / (item.highest - item.lowest)
        points.append(100 * (share if item.best == "highest" else 1 - share))
    values = np.stack(points, axis=-1)
    enough = (~np.isnan(values)).sum(axis=-1) >= scale.answered
    return np.where(enough, nanmean(values), np.nan)


def of_age(questionnaire: Questionnaire, age: Floats) -> np.ndarray:
    """Whether the questionnaire is meant for people of this age, (R, n); for an age that is not known, yes."""
    years = np.floor(age)
    below = questionnaire.below_age_years if questionnaire.below_age_years is not None else np.inf
    return np.isnan(years) | ((years >= questionnaire.from_age_years) & (years < below))


def _use(protocol: Protocol, name: str) -> Assessment | None:
    return next((item for item in protocol.assessments if item.id == name and item.questionnaire is not None), None)


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = _use(protocol, options.questionnaire)
    return frozenset(found.visits) if found is not None else frozenset()


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    found = _use(protocol, options.questionnaire)
    if found is None or found.questionnaire is None:
        known = [use.id for use in protocol.authored.questionnaires]
        remedy = f"Name one of: {', '.join(known) or 'none'}."
        message = f"the protocol has no questionnaire {options.questionnaire!r}"
        yield Objection(("questionnaire",), "known-questionnaire", message, remedy)
        return
    scales = [scale.id for scale in found.questionnaire.scales]
    if options.scale not in scales:
        remedy = f"Its scales are {', '.join(scales) or 'none'}."
        yield Objection(("scale",), "known-scale", f"{found.id} has no scale {options.scale!r}", remedy)


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
