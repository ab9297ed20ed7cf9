"""Analysis of covariance at one visit: arms compared after adjustment for the baseline value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.methods.sites import Sites, site_columns
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, read_only
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.ancova import ancova_design, contrast, difference_weights, fit_least_squares

Doses = Annotated[dict[Identifier, Number], Field(min_length=2), AfterValidator(read_only)]


class Options(Endpoint):
    """What the model adjusts for, and how its standard error is computed."""

    baseline: Identifier | None = None
    """Adjust for the parameter's value at this baseline."""
    baseline_parameter: Identifier | None = None
    """Adjust for this parameter's value there instead; None: the parameter's own."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    sites: Sites | None = None
    """Adjust for the site too, as a factor."""
    doses: Doses | None = None
    """Arm -> its dose: arms follow a straight line in the dose, and the contrast is its rise between the two arms."""
    two_arms: bool = False
    """Leave the people of other arms than the contrast's out of the model."""
    standard_error: Literal["model", "hc3"] = "model"
    test: bool = True
    """Without a test there is the interval alone, for a comparison that may conclude nothing."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    response = data.at(parameter, visit)
    covariates = _covariates(data, parameter, options)
    members = population(data, analysis)
    complete = ~np.isnan(response) & ~np.isnan(covariates).any(axis=2)
    if options.two_arms and not data.blinded:
        members = members & (data.in_arm(estimand.contrast.active) | data.in_arm(estimand.contrast.reference))
    included = members & complete & (data.panel.arm >= 0)
    design, weights = _design(data, (estimand.contrast.active, estimand.contrast.reference), covariates, options)
    fit = fit_least_squares(response, design, included)
    level = level_of(data, analysis)
    found = contrast(fit, weights, covariance=options.standard_error, level=level)
    n, missing = counted(data, members, complete)
    status = np.array([BLINDED if data.blinded else text for text in found.messages], dtype=object)
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values={
            "estimate": found.estimate,
            "standard_error": found.standard_error,
            "df": found.df,
            "lower": found.lower,
            "upper": found.upper,
            "p_value": found.p_value if options.test else np.full_like(found.p_value, np.nan),
        },
        n=n,
        missing=missing,
        status=status,
        level=level,
        covariance=options.standard_error,
    )
    return Outcome((estimate,))


def _design(data: AnalysisData, arms: tuple[str, str], covariates: Floats, options: Options) -> tuple[Floats, Floats]:
    """The design (R, n, p) and the weights (p,) of the first arm less the second: arms as levels, or by their doses."""
    order = [arm.id for arm in data.protocol.arms]
    active, reference = (order.index(arm) for arm in arms)
    if options.two_arms:
        design = ancova_design(data.in_arm(arms[0]).astype(np.int64), covariates, 2)
        return design, difference_weights(1, 0, design.shape[-1])
    if options.doses is None:
        design = ancova_design(data.panel.arm, covariates, len(order))
        return design, difference_weights(active, reference, design.shape[-1])
    doses = np.array([options.doses[arm] for arm in order])
    line = doses[data.panel.arm][..., np.newaxis]
    design = ancova_design(np.zeros_like(data.panel.arm), np.concatenate([line, covariates], axis=2), 1)
    weights = np.zeros(design.shape[-1])
    weights[1] = doses[active] - doses[reference]
    return design, weights


def _covariates(data: AnalysisData, parameter: str, options: Options) -> Floats:
    """Baseline and other covariates, (R, n, k)."""
    columns = [data.panel.covariates[name] for name in options.covariates]
    if options.baseline is not None:
        columns.insert(0, data.baseline(options.baseline_parameter or parameter, options.baseline))
    found = np.stack(columns, axis=2) if columns else np.zeros((*data.panel.present.shape, 0))
    return found if options.sites is None else np.concatenate([found, site_columns(data, options.sites)], axis=2)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    baselines = {baseline.id: baseline.visit for baseline in protocol.conventions.baselines}
    if options.baseline is not None and options.baseline not in baselines:
        remedy = f"Name one of: {', '.join(baselines)}."
        message = f"there is no baseline {options.baseline!r}"
        yield Objection(("baseline",), "known-baseline", message, remedy)
    parameters = [parameter.id for parameter in protocol.parameters]
    if options.baseline_parameter is not None and options.baseline_parameter not in parameters:
        remedy = f"Name one of: {', '.join(parameters)}."
        message = f"there is no parameter {options.baseline_parameter!r}"
        yield Objection(("baseline_parameter",), "known-parameter", message, remedy)
    arms = [arm.id for arm in protocol.arms]
    if options.doses is not None and options.two_arms:
        message = "a straight line in the dose goes through all arms"
        yield Objection(("two_arms",), "doses-of-arms", message, "Choose one of the two.")
    if options.doses is not None and set(options.doses) != set(arms):
        message = "a straight line in the dose needs the dose of every arm, and of no other"
        yield Objection(("doses",), "doses-of-arms", message, f"The arms are {', '.join(arms)}.")
    if analysis.family is not None and not options.test:
        message = f"the family {analysis.family!r} needs p-values, and this analysis gives an interval alone"
        yield Objection(("test",), "family-needs-test", message, "Let it test, or leave it out of the family.")
    estimands = {item.id: item for item in protocol.estimands}
    estimand = estimands.get(analysis.estimand or "")
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"analysis of covariance estimates a difference in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="ancova",
    title="Analysis of covariance",
    options=Options,
    page="ancova",
    run=_run,
    shifts=True,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
