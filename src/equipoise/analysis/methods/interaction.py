"""Whether the effect differs between participants with and without a characteristic that they had before allocation.

One analysis of covariance with arm, characteristic and their product. Its first estimate is the product's coefficient:
the effect in those who have the characteristic less the effect in the others; the two effects follow. It is exploratory
by nature: with 21 participants only a huge difference can be told from none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.inference import Contrast as Arms
from equipoise.stats.ancova import Contrast, ancova_design, contrast, difference_weights
from equipoise.stats.least_squares import fit_least_squares


class Modifier(Part):
    """A characteristic: a parameter's value at a baseline reaches a limit."""

    parameter: Identifier
    baseline: Identifier
    at_least: Number


class Options(Endpoint):
    """What may modify the effect, and what the model adjusts for."""

    modifier: Modifier
    baseline: Identifier | None = None
    covariates: tuple[Literal["age_years", "sex"], ...] = ()


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    order = [arm.id for arm in data.protocol.arms]
    active, reference = (order.index(arm) for arm in (estimand.contrast.active, estimand.contrast.reference))
    response = data.at(parameter, visit)
    covariates = _covariates(data, parameter, options, active, reference)
    members = population(data, analysis)
    complete = ~np.isnan(response) & ~np.isnan(covariates).any(axis=2)
    design = ancova_design(data.panel.arm, covariates, len(order))
    fit = fit_least_squares(response, design, members & complete & (data.panel.arm >= 0))
    level = level_of(data, analysis)
    product = np.zeros(design.shape[-1])
    product[-1] = 1.0
    without = difference_weights(active, reference, design.shape[-1])
    weights = {"interaction": product, "with": without + product, "without": without}
    n, missing = counted(data, members, complete)
    status = BLINDED if data.blinded else None
    shared = _Shared(parameter, visit, estimand.contrast, level, n, missing)
    return Outcome(tuple(_estimate(shared, contrast(fit, w, level=level), name, status) for name, w in weights.items()))


def _covariates(data: AnalysisData, parameter: str, options: Options, active: int, reference: int) -> Floats:
    """Baseline and others, the characteristic, and its product with the arm; (R, n, k)."""
    columns = [data.panel.covariates[name] for name in options.covariates]
    if options.baseline is not None:
        columns.insert(0, data.baseline(parameter, options.baseline))
    habit = data.baseline(options.modifier.parameter, options.modifier.baseline)
    has = np.where(np.isnan(habit), np.nan, habit >= options.modifier.at_least)
    in_active = (data.panel.arm == active).astype(np.float64)
    return np.stack([*columns, has, has * in_active], axis=2)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the three estimates have in common."""

    parameter: str
    visit: str
    contrast: Arms
    level: float
    n: Mapping[str, NDArray[np.int64]]
    missing: Mapping[str, NDArray[np.int64]]


def _estimate(shared: _Shared, found: Contrast, variant: str, status: str | None) -> Estimate:
    return Estimate(
        parameter=shared.parameter,
        visit=shared.visit,
        contrast=shared.contrast,
        values={
            "estimate": found.estimate,
            "standard_error": found.standard_error,
            "df": found.df,
            "lower": found.lower,
            "upper": found.upper,
            "p_value": found.p_value,
        },
        n=shared.n,
        missing=shared.missing,
        status=np.array([status or text for text in found.messages], dtype=object),
        level=shared.level,
        variant=variant,
        covariance="model",
    )


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    baselines = [baseline.id for baseline in protocol.conventions.baselines]
    for steps, name in ((("baseline",), options.baseline), (("modifier", "baseline"), options.modifier.baseline)):
        if name is not None and name not in baselines:
            remedy = f"Name one of: {', '.join(baselines)}."
            yield Objection(steps, "known-baseline", f"there is no baseline {name!r}", remedy)
    parameters = [parameter.id for parameter in protocol.parameters]
    if options.modifier.parameter not in parameters:
        remedy = f"Name one of: {', '.join(parameters)}."
        message = f"there is no parameter {options.modifier.parameter!r}"
        yield Objection(("modifier", "parameter"), "known-parameter", message, remedy)
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"this method compares differences in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")
    if analysis.family is not None:
        message = "an interaction decides nothing"
        yield Objection((), "interaction-explores", message, "Make the analysis exploratory, without a family.")


METHOD = Method(
    name="interaction",
    title="Interaction with a characteristic",
    options=Options,
    page="interaction",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
